"""usher: serve, ingest, ask, chat, and what a team does from a shell.

Commands that change or ask talk to the running server when there is one (`USHER_CLI_URL`, key `USHER_CLI_KEY`); only if
none answers do they work in process, holding the vector folder's lock.
"""

import asyncio
import csv
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import httpx
import typer
from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from core.errors import MisconfiguredError, NotFoundError, ServiceError
from core.ids import TenantId
from core.settings import Section

T = TypeVar("T")
app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
tenant_app = typer.Typer(no_args_is_help=True, help="Tenants and their keys.")
accounts_app = typer.Typer(no_args_is_help=True, help="Accounts.")
intents_app = typer.Typer(no_args_is_help=True, help="A tenant's own intents.")
csm_app = typer.Typer(no_args_is_help=True, help="People who answer customers.")
app.add_typer(csm_app, name="csm")
app.add_typer(tenant_app, name="tenant")
app.add_typer(accounts_app, name="accounts")
app.add_typer(intents_app, name="intents")
out = Console()
err = Console(stderr=True)

ENV_FILE = Path(".env")
Tenant = Annotated[str, typer.Option("--tenant", "-t", help="Whose.")]


class CliSettings(Section):
    """Which running server the commands talk to."""

    model_config = SettingsConfigDict(env_prefix="USHER_CLI_")

    url: str = "http://127.0.0.1:8000"
    key: SecretStr = SecretStr("dev")


# ---------------------------------------------------------------- serving


@app.command()
def up(port: int = 8000, *, browser: bool = False) -> None:
    """Start everything for a look around: migrate, ingest the demo handbook, serve with the simulator."""
    _serve("development", "127.0.0.1", port, demo=True)


@app.command()
def serve(host: str | None = None, port: int | None = None) -> None:
    """Serve as configured by the environment."""
    _serve(None, host, port, demo=False)


def _serve(environment: str | None, host: str | None, port: int | None, *, demo: bool) -> None:
    import uvicorn
    import uvloop

    from app import compose
    from app.ingesting import HANDBOOK, ingest
    from app.main import create_app
    from app.settings import ServerSettings
    from app.simulator.wiring import Simulator
    from core.clock import SystemClock
    from core.logs import configure_logs

    given: dict[str, Any] = {"environment": environment, "host": host, "port": port}
    settings = ServerSettings(
        _env_file=ENV_FILE, **{k: v for k, v in given.items() if v is not None}
    )
    _refuse(settings)
    configure_logs(settings.log_level if not demo else "WARNING")
    compose.migrate(env_file=ENV_FILE)
    clock = SystemClock()
    simulator = Simulator(settings, clock) if settings.development else None
    services = compose.build(
        settings,
        compose.Parts(
            clock=clock,
            env_file=ENV_FILE,
            simulated=simulator.channel_settings() if simulator else {},
        ),
    )
    web = create_app(services, compose.visitor_secret(settings), simulator)

    async def run() -> None:
        config = uvicorn.Config(
            web,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=5,
            ws_max_size=1_000_000,
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started and not serving.done():  # noqa: ASYNC110
            await asyncio.sleep(0.02)  # uvicorn tells no other way
        if demo and server.started:
            with _bar("Reading the demo handbook") as moved:
                report = await ingest(services, TenantId("demo"), HANDBOOK, "handbook", moved)
            _welcome(settings.url, report.added + report.changed)
        await serving

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run())
    except KeyboardInterrupt:
        err.print("stopped")


def _refuse(settings: Any) -> None:
    """Stop a start that would open the development key to the world."""
    if settings.development and settings.host not in ("127.0.0.1", "localhost", "::1"):
        raise MisconfiguredError("development accepts the key `dev` and binds to loopback only")


def _welcome(url: str, fresh: int) -> None:
    if fresh:
        out.print(f"{fresh} handbook pages ingested")
    for what, where in (
        ("Web chat", f"{url}/"),
        ("Simulator", f"{url}/simulator"),
        ("Console", f"{url}/console  (maya@lumen.example / lumen-demo-2026)"),
        ("API", f"{url}/docs  (Authorization: Bearer dev)"),
    ):
        out.print(f"  [bold]{what:<10}[/] {where}")
    out.print("ready, stop with Ctrl+C")


@app.command()
def worker() -> None:
    """Work without serving; needs the scale-out settings."""
    from app import compose
    from app.settings import ServerSettings
    from core.logs import configure_logs

    settings = ServerSettings(_env_file=ENV_FILE)
    compose.require_scale_out(ENV_FILE)
    configure_logs(settings.log_level)

    async def run(services: Any) -> None:
        await services.worker.run()

    _in_process(run, compose, settings)


# ---------------------------------------------------------------- knowledge


@app.command(name="ingest")
def ingest_command(
    path: Path, tenant: Tenant = "demo", source: str | None = None, *, dry_run: bool = False
) -> None:
    """Bring a tenant's docs in line with a folder or file; what vanished stops answering at once."""
    body = {"path": str(path.resolve()), "source": source, "dry_run": dry_run}
    report = _ask_server("POST", "/manage/ingest", tenant, body, timeout=3600)
    if report is None:
        report = _local(lambda services: _ingest_here(services, tenant, path, source, dry_run))
    failed = report.pop("failed")
    out.print_json(json.dumps(report))
    for failure in failed:
        err.print(f"[red]not ingested[/] {failure[0]}: {failure[1]}")


async def _ingest_here(
    services: Any, tenant: str, path: Path, source: str | None, dry_run: bool
) -> dict[str, Any]:
    from dataclasses import asdict

    from app.ingesting import ingest

    await services.directory.policy(TenantId(tenant))
    with _bar(f"Ingesting {path.name}") as moved:
        report = await ingest(services, TenantId(tenant), path, source, moved, dry_run=dry_run)
    return asdict(report)


@app.command()
def explain(text: str, tenant: Tenant = "demo", channel: str = "web") -> None:
    """Show what would be understood, found, decided and checked; sends nothing."""
    _print(_need_server("POST", "/explain", tenant, {"text": text, "channel": channel}))


@app.command()
def ask(text: str, tenant: Tenant = "demo", channel: str = "web") -> None:
    """Ask one question and print the answer with its sources."""
    _say(_need_server("POST", "/msg", tenant, {"text": text, "channel": channel}))


@app.command()
def chat(tenant: Tenant = "demo", channel: str = "web") -> None:
    """Talk until an empty line."""
    conversation: str | None = None
    while text := out.input("[bold]you[/] ").strip():
        body = {"text": text, "channel": channel, "conversation_id": conversation}
        answer = _need_server("POST", "/msg", tenant, body)
        conversation = answer["conversation_id"]
        _say(answer)


@app.command()
def rebuild(tenant: Tenant = "demo") -> None:
    """Build the vector index of a tenant anew from SQL."""
    done = _ask_server("POST", "/manage/rebuild", tenant, {}, timeout=3600)
    if done is None:

        async def run(services: Any) -> dict[str, Any]:
            return {"rows": await services.rebuild(tenant)}

        done = _local(run)
    _print(done)


@intents_app.command("load")
def load_intents(file: Path, tenant: Tenant = "demo") -> None:
    """Load phrases from JSON lines {"text", "intent"} and train at once."""
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()]
    phrases = [{"text": row["text"], "intent": row["intent"]} for row in rows]
    _print(_need_server("POST", "/manage/intents", tenant, {"phrases": phrases}, timeout=600))


# ---------------------------------------------------------------- tenants, accounts, contacts


@tenant_app.command("create")
def create_tenant(tenant: str, name: str | None = None) -> None:
    """Make a tenant and print its first secret key, which is shown once."""
    _print(_local(lambda services: _create_here(services, tenant, name or tenant), lean=True))


async def _create_here(services: Any, tenant: str, name: str) -> dict[str, Any]:
    fresh = await services.directory.ensure_tenant(TenantId(tenant), name)
    _key, token = await services.access.create_key(TenantId(tenant), "first", "secret")
    return {"id": tenant, "created": fresh, "key": token}


@accounts_app.command("import")
def import_accounts(file: Path, tenant: Tenant = "demo") -> None:
    """Import accounts from a CSV; idempotent, reported row by row."""
    from dataclasses import asdict

    from app.imports import import_accounts as run_import

    async def run(services: Any) -> list[dict[str, Any]]:
        return [asdict(r) for r in await run_import(services.directory, TenantId(tenant), file)]

    reports = _local(run, lean=True)
    writer = csv.DictWriter(sys.stdout, fieldnames=list(reports[0]) if reports else ["row"])
    writer.writeheader()
    writer.writerows(reports)


@app.command()
def export(contact: str, tenant: Tenant = "demo") -> None:
    """Print everything held about a contact (its id in your system) as JSON."""

    async def run(services: Any) -> dict[str, Any]:
        found = await _known_contact(services, tenant, contact)
        exported: dict[str, Any] = await services.directory.export_contact(
            TenantId(tenant), found.id
        )
        return exported

    _print(_local(run, lean=True))


@app.command()
def erase(contact: str, tenant: Tenant = "demo", *, yes: bool = False) -> None:
    """Erase a contact (its id in your system) for good."""
    if not yes:
        typer.confirm(f"Erase everything about {contact!r}?", abort=True)

    async def run(services: Any) -> dict[str, Any]:
        found = await _known_contact(services, tenant, contact)
        await services.directory.erase_contact(TenantId(tenant), found.id)
        return {"erased": contact}

    _print(_local(run, lean=True))


async def _known_contact(services: Any, tenant: str, contact: str) -> Any:
    found = await services.directory.contact_by_external(TenantId(tenant), contact, create=False)
    if found is None:
        raise NotFoundError(f"tenant {tenant!r} has no contact {contact!r}")
    return found


@csm_app.command("create")
def create_csm(
    email: str,
    name: str,
    tenant: Tenant = "demo",
    role: str = "csm",
    slack_user: str | None = None,
    password: Annotated[str, typer.Option(prompt=True, hide_input=True)] = "",
) -> None:
    """Give somebody a login to the console; `role` is admin, csm or viewer."""

    async def run(services: Any) -> dict[str, Any]:
        made = await services.access.create_csm(
            TenantId(tenant), name, email, password, role, slack_user
        )
        return {"id": made.id, "email": made.email, "role": made.role}

    _print(_local(run, lean=True))


# ---------------------------------------------------------------- how


def _ask_server(
    method: str, path: str, tenant: str, body: dict[str, Any], timeout: float = 60
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


def _need_server(
    method: str, path: str, tenant: str, body: dict[str, Any], timeout: float = 60
) -> dict[str, Any]:
    answer = _ask_server(method, path, tenant, body, timeout)
    if answer is None:
        err.print("[red]no server answers; start one with `make run`[/]")
        raise typer.Exit(1)
    return answer


def _local(work: Callable[[Any], Awaitable[T]], *, lean: bool = False) -> T:
    """Run against the configured database in this process."""
    from app import compose
    from app.settings import ServerSettings

    return _in_process(work, compose, ServerSettings(_env_file=ENV_FILE), lean=lean)


def _in_process(
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


def _bar(what: str) -> Any:
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


def _print(value: Any) -> None:
    out.print_json(json.dumps(value, default=str))


def _say(answer: dict[str, Any]) -> None:
    out.print(f"[bold]usher[/] {answer['reply'] or '(a person has this conversation)'}")
    for citation in answer["citations"]:
        out.print(f"  [dim]\\[{citation['number']}] {citation['title']} › {citation['section']}[/]")


def main() -> None:
    """Run the command line; a known error is one sentence, not a traceback."""
    try:
        app()
    except ServiceError as error:
        err.print(f"[red]{error.detail}[/]")
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
