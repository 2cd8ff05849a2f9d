"""A stand-in served by a real server on a loopback port, and the ports a channel is given."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
import yaml
from starlette.applications import Starlette

from app.adapters.vault import SealedVault
from app.simulator.switches import SignedRequest
from core.clock import Clock
from core.contracts import ChannelContext, WebhookRequest
from core.ids import TenantId
from core.ports import Cache, Fanout, Lines, PluginState
from tests.fakes_knowledge import MemoryCache

ROOT = Path(__file__).resolve().parents[2]
PAYLOADS = Path(__file__).parent / "payloads"
_LINES = {
    locale: yaml.safe_load((ROOT / f"handlers/lines/{locale}.yaml").read_text("utf-8"))
    for locale in ("en", "es")
}


@asynccontextmanager
async def serve(app: Starlette) -> AsyncIterator[str]:
    """Run the app on a free port; yield its base URL."""
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="off", ws="websockets-sansio")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await running


@dataclass
class MemoryState:
    """PluginState in a dict; `is_down` makes writes fail."""

    rows: dict[tuple[str, str, str], Mapping[str, object]] = field(default_factory=dict)
    is_down: bool = False

    async def get(self, plugin: str, tenant: TenantId, key: str) -> Mapping[str, object] | None:
        return self.rows.get((plugin, tenant, key))

    async def put(
        self, plugin: str, tenant: TenantId, key: str, value: Mapping[str, object]
    ) -> None:
        if self.is_down:
            raise ConnectionError("the database is down")
        self.rows[plugin, tenant, key] = value


class YamlLines:
    """The real sentences, looked up as core.ports.Lines says."""

    def say(self, key: str, locale: str, channel: str = "", **slots: object) -> str:
        line: Any = _LINES.get(locale, _LINES["en"])[key]
        text = line.get(channel, line.get("default")) if isinstance(line, dict) else line
        return str(text).format(**{"brand": "Lumen Works", "bot": "Usher", **slots})

    def variants(self, key: str) -> Mapping[str, Sequence[str]]:
        return {locale: lines[key] for locale, lines in _LINES.items()}


class NoFanout:
    """A Fanout nobody listens to."""

    async def publish(self, topic: str, payload: Mapping[str, object]) -> None:
        pass

    def subscribe(self, *topics: str) -> Any:
        raise NotImplementedError


def channel_context(clock: Clock, state: PluginState) -> ChannelContext:
    lines: Lines = YamlLines()
    fanout: Fanout = NoFanout()
    cache: Cache = MemoryCache()
    vault = SealedVault(lambda: "a secret of the tests")
    return ChannelContext(clock, fanout, lines, state, cache, vault)


def webhook(signed: SignedRequest, url: str | None = None) -> WebhookRequest:
    """The request as our server sees it: behind a proxy its URL is another one."""
    return WebhookRequest(signed.method, url or signed.url, signed.headers, signed.body)


def payload(channel: str, name: str) -> Any:
    return json.loads((PAYLOADS / channel / f"{name}.json").read_text("utf-8"))
