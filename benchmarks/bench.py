"""A whole usher in this process, for measuring what is really served: the real app behind an ASGI client.

State is SQLite in a temporary folder that goes with the run, so every run encodes its texts again. Nothing is
sent anywhere.
"""

import contextlib
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx

KEY = {"authorization": "Bearer dev"}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of docs/quality.md.

    `what` and `data` name the measure and the set; `figure` is ours, as it should be read; `known` what others
    reached; `target` what the issue asks; `met` whether ours reaches it, None where nothing is asked.
    """

    what: str
    data: str
    figure: str
    known: str = ""
    target: str = ""
    met: bool | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bench:
    """What a measure gets: where the sets are and a running usher."""

    data: Path
    client: httpx.AsyncClient

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of a JSON-lines file under the data folder."""
        return read(self.data / name)

    async def explain(self, text: str, tenant: str = "demo", **more: Any) -> dict[str, Any]:
        """POST /explain."""
        return await self._post("/explain", {"text": text, **more}, tenant)

    async def check(
        self, text: str, direction: Literal["in", "out"], tenant: str = "demo", **more: Any
    ) -> dict[str, Any]:
        """POST /check."""
        return await self._post("/check", {"text": text, "direction": direction, **more}, tenant)

    async def tenant(self, name: str) -> None:
        """Make a tenant."""
        await self._post("/manage/tenants", {"id": name, "name": name}, "demo")

    async def ingest(self, path: Path, tenant: str) -> dict[str, Any]:
        """Ingest a folder, given absolutely, into a tenant."""
        return await self._post("/manage/ingest", {"path": str(path)}, tenant)

    async def intents(self, pairs: Sequence[tuple[str, str]], tenant: str) -> dict[str, Any]:
        """Load (text, intent) pairs as `usher intents load` does."""
        phrases = [{"text": text, "intent": intent} for text, intent in pairs]
        return await self._post("/manage/intents", {"phrases": phrases}, tenant)

    async def _post(self, path: str, body: dict[str, Any], tenant: str) -> dict[str, Any]:
        answer = await self.client.post(path, json=body, headers={**KEY, "x-tenant": tenant})
        if answer.is_error:
            raise RuntimeError(f"{path} answered {answer.status_code}: {answer.text[:300]}")
        result: dict[str, Any] = answer.json()
        return result


Measure = Callable[[Bench], AsyncIterator[Row]]


def read(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a JSON-lines file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


@contextlib.asynccontextmanager
async def bench(data: Path) -> AsyncIterator[Bench]:
    """Run an usher of its own for as long as the context lasts."""
    from app import compose
    from app.main import create_app
    from app.settings import ServerSettings
    from app.store.database import DatabaseSettings

    with tempfile.TemporaryDirectory(prefix="usher-bench-") as folder:
        url = f"sqlite+aiosqlite:///{folder}/usher.db"
        compose.migrate(url)
        settings = ServerSettings(
            _env_file=None, environment="development", var_dir=Path(folder) / "var"
        )
        parts = compose.Parts(database=DatabaseSettings(_env_file=None, url=url))
        services = compose.build(settings, parts)
        web = create_app(services, compose.visitor_secret(settings), None)
        transport = httpx.ASGITransport(app=web)
        async with (
            web.router.lifespan_context(web),
            httpx.AsyncClient(transport=transport, base_url="http://bench", timeout=3600) as client,
        ):
            yield Bench(data, client)


def machine() -> str:
    """Return one line on the machine and its load, to stand beside figures."""
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {time.strftime('%Y-%m-%d')}"
