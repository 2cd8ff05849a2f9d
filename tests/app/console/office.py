"""The console over the real store and Redis, without the rest of the server; knowledge is a few scripted pages."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import uvicorn
from fastapi import FastAPI

from app.adapters.cache import RedisCache
from app.adapters.fanout import RedisFanout
from app.adapters.redis_link import RedisSettings, connect
from app.adapters.wakeups import RedisWakeups
from app.api import errors
from app.console import build_router
from app.doors import changed
from app.reporting import Reporter
from app.store.answers import SqlAnswers
from app.store.backtests import SqlBacktests
from app.store.bookings import SqlBookings
from app.store.database import Database, DatabaseSettings
from app.store.demo import DEMO_PASSWORD, seed_demo
from app.store.figures import SqlFigures
from app.store.files import SqlFiles
from app.store.reports import SqlReports
from app.store.sources import SqlSources
from app.store.unasked import SqlUnasked
from core.clock import FrozenClock
from core.conversations import Csm, HandoffReason
from core.effects import Effect, Escalate
from core.ids import DocumentId, PassageId, TenantId
from core.ports import Accepted, Chunk, Document, Extract, Viewer
from core.turns import Citation, Passage
from core.understanding import Said, Scored, Understanding
from handlers._shared.lines import YamlLines
from tests.store.scene import DEMO, OTHER, Scene

LINES = YamlLines(slots={"brand": "Lumen Boards", "bot": "Usher"})
HOST = "console.test"
HEADERS = {"x-usher-console": "1"}
INVITE = Passage(
    PassageId("psg_1"),
    DocumentId("doc_1"),
    "team/invite.md",
    "Invite teammates",
    "Team › Invite people",
    "Open Settings, choose People, and select Invite. An invitation holds for seven days.",
    score=0.83,
)
CITED = Citation(
    1,
    INVITE.id,
    INVITE.document,
    INVITE.title,
    INVITE.section,
    "Open Settings, choose People, and select Invite.",
    "https://docs.lumen.example/invite",
)


class OnePage:
    """Ports Retriever, Answers and Understands over one page."""

    async def search(
        self, tenant: TenantId, query: str, talk: Sequence[Said], viewer: Viewer, k: int = 8
    ) -> Sequence[Passage]:
        return [INVITE]

    async def answer(
        self,
        tenant: TenantId,
        question: str,
        talk: Sequence[Said],
        viewer: Viewer,
        k: int = 8,
        max_chars: int = 900,
    ) -> Extract:
        text = "Open Settings, choose People, and select Invite. [1]"
        return Extract("answer", text, (CITED,), (INVITE,), 0.81, ("top passage is clear",))

    async def understand(
        self, tenant: TenantId, text: str, talk: Sequence[Said], now: datetime, time_zone: str
    ) -> Understanding:
        return Understanding(intent=Scored("how_to", 0.9), sentiment=0.1)


@dataclass
class Office:
    """The running console, with hands for customers and bot."""

    scene: Scene
    services: Any
    app: FastAPI
    forgotten: list[tuple[str, str]] = field(default_factory=list)
    taught: list[str] = field(default_factory=list)

    @property
    def clock(self) -> FrozenClock:
        return self.scene.clock

    def browser(self, **headers: str) -> httpx.AsyncClient:
        """Return a client that keeps cookies and behaves like one of our pages."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url=f"http://{HOST}",
            headers={**HEADERS, **headers},
        )

    @contextlib.asynccontextmanager
    async def signed_in(self, who: str, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
        """Yield a client signed in as `maya`, `noah` or `vera`."""
        async with self.browser(**headers) as client:
            answer = await client.post(
                "/console/api/login",
                json={"email": f"{who}@lumen.example", "password": DEMO_PASSWORD},
            )
            assert answer.status_code == 200, answer.text
            yield client

    async def person(self, who: str) -> Csm:
        found: dict[str, Csm] = {c.email: c for c in await self.services.access.csms(DEMO)}
        return found[f"{who}@lumen.example"]

    async def says(self, text: str, **more: Any) -> Accepted:
        """Let a customer say something and tell who watches."""
        accepted = await self.scene.says(text, **more)
        await self.changed(accepted)
        return accepted

    async def answers(self, accepted: Accepted, *texts: str, **more: Any) -> None:
        """Let the bot answer, deliver it, and tell who watches."""
        await self.scene.answers(accepted, *texts, **more)
        await self.scene.sends()
        await self.changed(accepted)

    async def asks_for_a_person(
        self, text: str, reason: HandoffReason = HandoffReason.ANGER, **more: Any
    ) -> Accepted:
        accepted = await self.scene.says(text, **more)
        effects: tuple[Effect, ...] = (Escalate(reason, "high", sentiment=-0.8),)
        await self.scene.answers(accepted, effects=effects)
        await self.changed(accepted)
        return accepted

    async def changed(self, accepted: Accepted) -> None:
        await changed(self.services, accepted.tenant, accepted.conversation_id)

    async def bring_in_docs(self) -> None:
        """Store a page, so that there is one to count."""
        document = Document(
            "handbook",
            INVITE.document,
            INVITE.title,
            "d1",
            (Chunk(0, INVITE.section, INVITE.text),),
        )
        await self.services.passages.put(DEMO, document, [b"\0" * 4 * 384])


@contextlib.asynccontextmanager
async def office(
    database_url: str, redis_url: str, clock: FrozenClock, **settings: Any
) -> AsyncIterator[Office]:
    database = Database(DatabaseSettings(url=database_url))
    redis = connect(RedisSettings(url=redis_url))
    scene = Scene(database, clock)
    await scene.begin()
    calendar = SqlBookings(database, clock)
    await seed_demo(scene.directory, calendar, scene.access)
    await scene.access.create_csm(OTHER, "Otto", "otto@other.example", DEMO_PASSWORD, "admin")
    fanout = RedisFanout(redis)
    made = Office(scene, None, FastAPI())

    async def after_facts(tenant: str, contact: str) -> None:
        made.forgotten.append((tenant, contact))

    async def teach(tenant: str) -> int:
        made.taught.append(tenant)
        return len(await scene.intents.all(TenantId(tenant)))

    async def healthy() -> Mapping[str, bool]:
        return {"database": True, "redis": True, "vectors": True}

    async def encode(texts: Sequence[str]) -> np.ndarray:
        return np.eye(384, dtype=np.float32)[[sum(map(ord, text)) % 384 for text in texts]]

    approved, reports = SqlAnswers(database), SqlReports(database, clock)
    page = OnePage()
    made.services = SimpleNamespace(
        settings=SimpleNamespace(**{"development": True, "url": f"http://{HOST}", **settings}),
        clock=clock,
        plugins=SimpleNamespace(
            channels=dict.fromkeys(("web", "sms", "email", "slack")), handlers={}
        ),
        humans=scene.humans,
        reads=scene.reads,
        figures=SqlFigures(scene.database),
        files=SqlFiles(database, clock),
        reaches=scene.reaches,
        directory=scene.directory,
        not_sent=SqlUnasked(database, clock, {"sms": "phone"}),
        access=scene.access,
        facts=scene.facts,
        gaps=scene.gaps,
        approved=approved,
        reports=reports,
        reporter=Reporter(scene.gaps, approved, reports, scene.directory, clock),
        intents=scene.intents,
        teach=teach,
        syncer=SimpleNamespace(sources=SqlSources(database, clock)),
        backtests=SqlBacktests(database, clock),
        backtester=SimpleNamespace(status=lambda row: row.summary),
        encode=encode,
        passages=scene.passages,
        calendar=calendar,
        fanout=fanout,
        cache=RedisCache(redis),
        wakeups=RedisWakeups(redis),
        retriever=page,
        answers=page,
        understands=page,
        generator=SimpleNamespace(enabled=False),
        lines_for=lambda policy: LINES,
        after_facts=after_facts,
        healthy=healthy,
    )
    made.app.state.services = made.services
    errors.install(made.app)
    made.app.include_router(build_router(), prefix="/console")
    try:
        yield made
    finally:
        await fanout.close()
        await redis.aclose()
        await database.close()


@contextlib.asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    """Serve an app on this machine; yields `127.0.0.1:port`."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        ws="websockets-sansio",
        log_config=None,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    task = asyncio.ensure_future(server._serve())  # without its signal handlers: pytest has its own
    try:
        while not server.started:  # noqa: ASYNC110 - uvicorn offers no event
            await asyncio.sleep(0.01)
        yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
