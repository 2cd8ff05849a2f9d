"""The whole app in this process: real stores, worker, adapters and uvicorn; the simulator's stand-ins for providers.

Owns starting and stopping it, and looking at its rows. Only what the docs say and how a sentence is understood
is a double (`PlainKnowledge`), so that a test takes a second; `knowledge=None` takes the real one.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import jwt
import pytest
import uvicorn
from argon2 import PasswordHasher
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import Table, func, select, true
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from app.adapters.redis_link import RedisSettings
from app.compose import Knowledge, Parts, build
from app.main import create_app
from app.services import Services
from app.settings import ServerSettings
from app.simulator.switches import SignedRequest
from app.simulator.wiring import Simulator, free_port
from app.store import models, people
from app.store.database import Database, DatabaseSettings
from app.store.knowledge import SqlPassages
from app.store.memory import SqlFacts
from core.contracts import ChannelSpec, HandlerSpec
from core.discovery import discover
from core.ids import ContactId, DocumentId, PassageId, TenantId
from core.ports import Chunk, Document, Extract, Fact, Generator, Viewer
from core.turns import Citation, Passage
from core.understanding import Said, Scored, Understanding
from handlers._shared.lines import YamlLines
from knowledge.times import find_times
from tests.guards import NO_CERTIFICATES

DEMO = TenantId("demo")
KEY = {"authorization": "Bearer dev"}
START = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)  # a Wednesday, 10:00 in New York
PATIENCE = 20.0  # far beyond need; a hang must not look like success
VISITOR_SECRET = "signs visitor tokens"
PUBLIC = "https://help.lumen.example"

_PAGES = {
    "invite": (
        "team/invite.md",
        "Invite teammates",
        "Open Settings, choose People, and select Invite.",
    ),
    "export": (
        "boards/export.md",
        "Export a board",
        "Open the board and select Export, then CSV.",
    ),
    "sync": (
        "trouble/sync.md",
        "Sync stopped",
        "Error 17 means that the token has run out; connect again.",
    ),
}
_FURIOUS = ("furious", "unacceptable", "worst")


class RunningClock:
    """Time that runs as usual, from a moment of the test's choosing."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._loop = asyncio.get_running_loop()  # threads ask for the time, too
        self._loop_start = self._loop.time()

    def now(self) -> datetime:
        """Return the aware UTC time."""
        return self._start + timedelta(seconds=self._loop.time() - self._loop_start)

    def advance(self, by: timedelta) -> None:
        """Move on at once."""
        self._start += by


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


class NewestFacts:
    """Port `Recall` where no vector says what is near."""

    def __init__(self, facts: SqlFacts) -> None:
        self._facts = facts

    async def recall(
        self, tenant: TenantId, contact: ContactId, query: str, k: int = 3
    ) -> Sequence[Fact]:
        """Return the newest facts."""
        return (await self._facts.all(tenant, contact))[:k]


class PlainKnowledge:
    """Knows three pages by a keyword each, and intents by the handlers' own example phrases, word for word."""

    def __init__(self, passages: SqlPassages, facts: SqlFacts) -> None:
        self.recall = NewestFacts(facts)
        self._intents = {
            " ".join(_words(phrase)): intent
            for spec in discover("handlers", HandlerSpec).values()
            for intent, phrases in spec.examples.items()
            for phrase in phrases
        }
        human = YamlLines(slots={}).variants("words.human")
        self._human = {" ".join(_words(w)) for words in human.values() for w in words}
        self._pages = {
            word: Passage(
                PassageId(f"psg_{word}"), DocumentId(f"doc_{word}"), *page[:2], page[1], page[2]
            )
            for word, page in _PAGES.items()
        }
        self.understands = self.answers = self.retriever = self

    async def understand(
        self, tenant: TenantId, text: str, talk: Sequence[Said], now: datetime, time_zone: str
    ) -> Understanding:
        """See the port."""
        said = " ".join(_words(text))
        intent = self._intents.get(said)
        furious = any(word in said for word in _FURIOUS)
        return Understanding(
            intent=Scored(intent, 0.9) if intent else None,
            asks_human=said in self._human,
            anger=0.9 if furious else 0.0,
            sentiment=-0.9 if furious else 0.0,
            times=find_times(text, now, time_zone, "en"),
        )

    async def search(
        self, tenant: TenantId, query: str, talk: Sequence[Said], viewer: Viewer, k: int = 8
    ) -> Sequence[Passage]:
        """See the port."""
        said = _words(query)
        return [page for word, page in self._pages.items() if word in said][:k]

    async def answer(
        self,
        tenant: TenantId,
        question: str,
        talk: Sequence[Said],
        viewer: Viewer,
        k: int = 8,
        max_chars: int = 900,
    ) -> Extract:
        """See the port."""
        found = await self.search(tenant, question, talk, viewer)
        if not found:
            return Extract("decline", "", (), (), 0.0, query=question)
        page = found[0]
        cited = Citation(1, page.id, page.document, page.title, page.section, page.text)
        return Extract("answer", f"{page.text} [1]", (cited,), (page,), 0.9, query=question)

    async def support(self, text: str, sources: Sequence[str]) -> float:
        """See the port."""
        return 1.0

    async def encode(self, texts: Sequence[str], progress: Any = None) -> Any:
        """Nothing is ingested here."""
        raise NotImplementedError

    async def open(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Nothing to close."""

    async def healthy(self) -> bool:
        """Always."""
        return True

    async def apply(self, tenant: str) -> None:
        """No index."""

    async def rebuild(self, tenant: str) -> int:
        """No index."""
        return 0

    async def apply_facts(self, tenant: str, contact: str) -> None:
        """No index."""

    async def teach(self, tenant: str, phrases: Mapping[str, Sequence[str]]) -> None:
        """Learns nothing."""

    def heads(self) -> Mapping[str, object]:
        """No heads."""
        return {}

    async def reload_heads(self) -> Mapping[str, object]:
        """No heads."""
        return {}


class Tab:
    """A browser tab with the widget, as the protocol sees it."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._sent = 0
        self.said: list[dict[str, Any]] = []

    async def next(self, *kinds: str) -> dict[str, Any]:
        """Return the next frame of these kinds, passing over others."""
        async with asyncio.timeout(PATIENCE):
            while True:
                frame: dict[str, Any] = json.loads(await self._socket.recv())
                if frame["type"] in kinds:
                    return frame

    async def hello(self, key: str, identity: str | None = None, **more: object) -> dict[str, Any]:
        """Introduce this tab; returns the welcome or the error."""
        signed = {"identity": identity} if identity else {}
        fields = {"type": "hello", "key": key, **signed, **more}
        await self._socket.send(json.dumps(fields))
        return await self.next("welcome", "error")

    async def say(self, kind: str, **fields: object) -> None:
        """Send any frame."""
        await self._socket.send(json.dumps({"type": kind, **fields}))

    async def send(self, text: str) -> dict[str, Any]:
        """Say something; returns the receipt."""
        self._sent += 1
        frame = {"type": "send", "client_id": f"c{self._sent}", "text": text}
        await self._socket.send(json.dumps(frame))
        return await self.next("stored", "error")

    async def answer(self) -> dict[str, Any]:
        """Return the next message that is not the customer's own, and confirm it."""
        while True:
            frame = await self.next("message")
            if frame["author"] != "customer":
                await self._socket.send(json.dumps({"type": "ack", "seq": frame["seq"]}))
                return frame

    async def ask(self, text: str) -> dict[str, Any]:
        """Say something and return what is answered."""
        assert (await self.send(text))["type"] == "stored"
        return await self.answer()


@dataclass
class Server:
    """The running app, the stand-ins around it, and its database."""

    url: str
    services: Services
    simulator: Simulator
    clock: RunningClock
    database: Database

    async def post(self, signed: SignedRequest) -> httpx.Response:
        """Bring a provider's webhook to the path it names, as a proxy in front of us does."""
        path = httpx.URL(signed.url).raw_path.decode()
        async with self._client() as client:
            return await client.request(
                signed.method, path, headers=dict(signed.headers), content=signed.body
            )

    @asynccontextmanager
    async def tab(self) -> AsyncIterator[Tab]:
        """Open the widget's socket, from a page on this machine."""
        url = self.url.replace("http", "ws", 1) + "/ws"
        async with connect(url, origin=Origin("http://localhost:3000"), max_size=None) as socket:
            yield Tab(socket)

    def identity(self, sub: str, **claims: str) -> str:
        """Return who sits at a page, signed by the tenant's own server."""
        expires = (self.clock.now() + timedelta(minutes=5)).timestamp()
        payload = {"sub": sub, "exp": expires, **claims}
        return jwt.encode(payload, self.simulator.identity_secret, algorithm="HS256")

    def api(self) -> httpx.AsyncClient:
        """Return a client with the development key."""
        return self._client(KEY)

    def _client(self, headers: Mapping[str, str] = MappingProxyType({})) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.url, headers=headers, trust_env=False, timeout=30, verify=NO_CERTIFICATES
        )

    async def bring_in_pages(self) -> None:
        """Store the pages `PlainKnowledge` knows, for the real knowledge."""
        for path, title, text in _PAGES.values():
            vectors = await self.services.encode([f"{title}. {text}"])
            document = Document("handbook", path, title, path, (Chunk(0, title, text),))
            await self.services.passages.put(DEMO, document, [v.tobytes() for v in vectors])
        await self.services.after_ingest(DEMO)

    async def rows(self, table: Table, **values: object) -> list[Any]:
        """Return the rows with these values, oldest first."""
        query = select(table)
        for name, value in values.items():
            query = query.where(table.c[name] == value)
        order = [c for c in (table.c.get("seq"), table.c.get("id")) if c is not None]
        async with self.database.read() as connection:
            return list((await connection.execute(query.order_by(*order))).all())

    async def counts(self) -> dict[str, int]:
        """Return how many rows stand in every table something incoming may write to."""
        kept = (
            models.contacts,
            models.identities,
            models.conversations,
            models.messages,
            models.receipts,
            models.consents,
            models.seen_events,
            models.outbox,
            models.handoffs,
            models.turns,
            models.plugin_state,
        )
        # the card that a channel refuses its webhooks is our own, about no conversation
        ours = (models.outbox.c.kind == "card") & models.outbox.c.conversation_id.is_(None)
        one_row = select(
            *(
                select(func.count())
                .select_from(t)
                .where(~ours if t is models.outbox else true())
                .scalar_subquery()
                .label(t.name)
                for t in kept
            )
        )
        async with self.database.read() as connection:
            return dict((await connection.execute(one_row)).mappings().one())

    async def until(self, met: Callable[[], Any]) -> Any:
        """Return what `met`, a function or coroutine function, returns once it is true."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = met()
                if asyncio.iscoroutine(found):
                    found = await found
                if found:
                    return found
                await asyncio.sleep(0.02)

    async def settled(self) -> None:
        """Wait until every message is handled and everything queued has gone."""

        async def nothing_left() -> bool:
            waiting = await self.rows(models.messages, status="received")
            # in one look: a job that is put back meanwhile would be in neither of two
            states = {row.state for row in await self.rows(models.outbox)}
            return not waiting and not states & {"queued", "claimed", "unknown"}

        await self.until(nothing_left)


def _hasty(spec: ChannelSpec) -> ChannelSpec:
    """Return a channel whose bursts are not waited for."""
    return replace(spec, capabilities=replace(spec.capabilities, quiet=0.0))


@asynccontextmanager
async def running_app(
    database_url: str,
    *,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    knowledge: Callable[[SqlPassages, SqlFacts], Knowledge] | None = PlainKnowledge,
    generator: Generator | None = None,
    worker: bool = True,
    var_dir: Path = Path("/nonexistent"),
    change: Callable[[Services], Services] = lambda services: services,
) -> AsyncIterator[Server]:
    """Run the app as `make run` does. `settings` are laid over the stand-ins' by channel.

    `change` may put something broken in place of a part.
    """
    clock = RunningClock()
    own = ServerSettings(
        environment="development",
        port=free_port(),
        var_dir=var_dir,
        embedded_worker=worker,
        secret=SecretStr(VISITOR_SECRET),
        _env_file=None,
    )
    simulator = Simulator(own, clock)
    simulator.pace = 0.0
    stand_ins, own_ones = simulator.channel_settings(), settings or {}
    given = {
        name: {**stand_ins.get(name, {}), **own_ones.get(name, {})}
        for name in {**stand_ins, **own_ones}
    }

    def make() -> tuple[Services, FastAPI]:
        parts = Parts(
            clock=clock,
            knowledge=knowledge,
            generator=generator,
            simulated=given,
            channels={n: _hasty(s) for n, s in discover("channels", ChannelSpec).items()},
            database=DatabaseSettings(url=database_url, _env_file=None),
            redis=RedisSettings(_env_file=None),
        )
        made = change(build(own, parts))
        return made, create_app(made, VISITOR_SECRET, simulator)

    cheap = partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)
    patch = pytest.MonkeyPatch()
    patch.setattr(people, "PasswordHasher", cheap)  # three passwords would cost a second
    # as a rule there is no loop yet when this is done: it reads files
    services, app = await asyncio.to_thread(make)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=own.host,
            port=own.port,
            log_config=None,
            ws="websockets-sansio",
            timeout_graceful_shutdown=2,
        )
    )
    database = Database(DatabaseSettings(url=database_url, _env_file=None))
    task = asyncio.ensure_future(server._serve())  # without its signal handlers: pytest has its own
    try:
        while not server.started:
            assert not task.done(), task.result()
            await asyncio.sleep(0.005)
        yield Server(own.url, services, simulator, clock, database)
    finally:
        server.should_exit = True
        await task
        patch.undo()
        await database.close()
