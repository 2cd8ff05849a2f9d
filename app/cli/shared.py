"""How commands reach the running server or work in process, and how they print.

Commands that change or ask talk to the running server when there is one (`USHER_CLI_URL`, key `USHER_CLI_KEY`);
only if none answers do they work in process, holding the vector folder's lock.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import httpx
import typer
from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from core.settings import Section

T = TypeVar("T")
out = Console()
err = Console(stderr=True)

ENV_FILE = Path(".env")
Tenant = Annotated[str, typer.Option("--tenant", "-t", help="Whose.")]


class CliSettings(Section):
    """Which running server the commands talk to."""

    model_config = SettingsConfigDict(env_prefix="USHER_CLI_")

    url: str = "http://127.0.0.1:8000"
    key: SecretStr = SecretStr("dev")


def ask_server(
    method: str, path: str, tenant: str, body: dict[str, Any] | None, timeout: float = 60
) -> dict[str, Any] | None:
    """Return the running server's answer, None when none runs. A problem is printed and ends the command."""
    settings = CliSettings(_env_file=ENV_FILE)
    headers = {"authorization": f"Bearer {settings.key.get_secret_value()}", "x-tenant": tenant}
    try:
        answer = httpx.request(
            method, settings.url + path, json=body, headers=headers, timeout=timeout
        )
    except httpx.ConnectError:
        return None
    if answer.is_error:
        err.print(f"[red]{answer.json().get('detail', answer.text)}[/]")
        raise typer.Exit(1)
    result: dict[str, Any] = answer.json()
    return result


def need_server(
    method: str, path: str, tenant: str, body: dict[str, Any] | None, timeout: float = 60
) -> dict[str, Any]:
    """Return the running server's answer; without a server, say so and end."""
    answer = ask_server(method, path, tenant, body, timeout)
    if answer is None:
        err.print("[red]no server answers; start one with `make run`[/]")
        raise typer.Exit(1)
    return answer


def run_here(work: Callable[[Any], Awaitable[T]], *, lean: bool = False) -> T:
    """Run against the configured database in this process."""
    from app import compose
    from app.settings import ServerSettings

    return in_process(work, compose, ServerSettings(_env_file=ENV_FILE), lean=lean)


def in_process(
    work: Callable[[Any], Awaitable[T]], compose: Any, settings: Any, *, lean: bool = False
) -> T:
    """Run `work` on services of this process; `lean` needs SQL only and may run beside a server."""
    compose.migrate(env_file=ENV_FILE)
    services = compose.build(settings, compose.Parts(env_file=ENV_FILE))

    async def run() -> T:
        if not lean:
            await services.open()
        try:
            return await work(services)
        finally:
            await services.close()

    return asyncio.run(run())


def bar(what: str) -> Any:
    """Return a context manager giving progress(done, total, path)."""
    return _Bar(what)


class _Bar:
    def __init__(self, what: str) -> None:
        self._what = what
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=err,
            transient=True,
        )

    def __enter__(self) -> Callable[[int, int, str], None]:
        self._bar.start()
        task = self._bar.add_task(self._what, total=None)
        return lambda done, total, _path: self._bar.update(task, completed=done, total=total)

    def __exit__(self, *_exc: object) -> None:
        self._bar.stop()


def show(value: Any) -> None:
    """Print as JSON."""
    out.print_json(json.dumps(value, default=str))


def say(answer: dict[str, Any]) -> None:
    """Print a reply with its sources."""
    out.print(f"[bold]usher[/] {answer['reply'] or '(a person has this conversation)'}")
    for citation in answer["citations"]:
        out.print(f"  [dim]\\[{citation['number']}] {citation['title']} › {citation['section']}[/]")
