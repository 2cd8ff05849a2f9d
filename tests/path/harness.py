"""The message path alone: real store, real Redis port, real router; an echo for a handler, a list for a provider."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from redis.asyncio import Redis
from sqlalchemy import ColumnElement, RowMapping, Table, insert, select, update

from app.adapters.cache import RedisCache
from app.adapters.fanout import RedisFanout
from app.adapters.redis_link import RedisSettings, connect
from app.adapters.wakeups import RedisWakeups
from app.chain import Chain
from app.metrics import PrometheusMetrics
from app.outbox import Sender
from app.router import Router
from app.store.alarms import SqlAlarms
from app.store.database import Database, DatabaseSettings
from app.store.effects import Applier
from app.store.humans import SqlHumans
from app.store.inline import SqlInline
from app.store.intake import SqlIntake
from app.store.models import csms, inboxes, messages, outbox, tenants
from app.store.outbox import CLAIM_SECONDS, SqlOutbox
from app.store.turns import LEASE_SECONDS, SqlTurns
from app.thinking import Thinker
from app.waiting import Waiter
from app.worker import Worker
from core.clock import Clock, SystemClock
from core.contracts import Capabilities, CheckPorts, Context, HandlerSpec
from core.conversations import Csm, Inbox
from core.ids import CsmId, InboxId, TenantId
from core.messages import Inbound, Outbound, Sent, TeamCard
from core.outcomes import Outcome, Turn
from core.understanding import Said, Understanding

PATIENCE = 60.0  # far beyond need; a hang must not look like success
TENANT = TenantId("demo")
INBOX = Inbox(InboxId("ibx_customer"), TENANT, "fake", "front")
TEAM = Inbox(InboxId("ibx_team"), TENANT, "fake", "team", kind="team")
MAYA = Csm(CsmId("csm_maya"), "Maya", "maya@lumen.example")
NOAH = Csm(CsmId("csm_noah"), "Noah", "noah@lumen.example")


class PlainUnderstands:
    """Understands nothing but a call for a person, loud anger and danger."""

    async def understand(
        self, tenant: TenantId, text: str, talk: Sequence[Said], now: datetime, time_zone: str
    ) -> Understanding:
        furious = "furious" in text
        return Understanding(
            asks_human=text.strip().lower() in ("human", "0"),
            anger=0.9 if furious else 0.0,
            sentiment=-0.9 if furious else 0.0,
            safety=0.9 if "end it all" in text else 0.0,
            safety_kind="self_harm" if "end it all" in text else "",
        )


class PlainLines:
    """Says the key."""

    def say(self, key: str, locale: str, channel: str = "", **slots: object) -> str:
        return f"[{key}]"

    def variants(self, key: str) -> dict[str, Sequence[str]]:
        return {}


async def echo(turn: Turn, context: Context) -> Outcome:
    return Outcome(f"echo: {turn.text}")


async def hand_over(turn: Turn, context: Context) -> Outcome:
    return Outcome("[asked]")


@dataclass(slots=True)
class FakeProvider:
    """A provider that keeps what it was given; `script` holds errors to raise first."""

    sent: list[Outbound] = field(default_factory=list)
    script: list[Exception] = field(default_factory=list)
    known: dict[str, Sent | Exception | None] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def deliver(self, outbound: Outbound, inbox: Inbox) -> Sent:
        await asyncio.sleep(0)
        if self.script:
            raise self.script.pop(0)
        self.sent.append(outbound)
        return Sent(f"prv-{outbound.id}", thread=f"thr-{outbound.id}")

    async def reconcile(self, outbound: Outbound, inbox: Inbox) -> Sent | None:
        self.asked.append(outbound.id)
        answer = self.known.get(outbound.id)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def texts(self) -> list[str]:
        return [o.text for o in self.sent if o.card is None]

    def cards(self) -> list[TeamCard]:
        return [o.card for o in self.sent if o.card is not None]


def inbound(external_id: str, text: str, sender: str = "ann", **more: Any) -> Inbound:
    return Inbound(channel="fake", external_id=external_id, sender=sender, text=text, **more)


class Path:
    """One process's worth of the message path."""

    def __init__(
        self,
        url: str,
        redis: Redis,
        provider: Any,
        handlers: dict[str, HandlerSpec] | None = None,
        clock: Clock | None = None,
        lease_seconds: float = LEASE_SECONDS,
        claim_seconds: float = CLAIM_SECONDS,
    ) -> None:
        self.clock = clock or SystemClock()
        self.database = Database(DatabaseSettings(url=url))
        self.redis = redis
        self.fanout = RedisFanout(redis)
        self.wakeups = RedisWakeups(redis)
        self.cache = RedisCache(redis)
        self.metrics = PrometheusMetrics()
        self.provider = provider
        self.intake = SqlIntake(self.database, self.clock, {})
        applier = Applier(None)  # type: ignore[arg-type]
        self.turns = SqlTurns(self.database, self.clock, applier, lease_seconds)
        self.outbox = SqlOutbox(self.database, self.clock, claim_seconds=claim_seconds)
        self.humans = SqlHumans(self.database, self.clock)
        self.inline = SqlInline(self.database, self.clock)
        self.alarms = SqlAlarms(self.database, self.clock)
        self.waiter = Waiter(self.inline, self.fanout, self.wakeups)
        lines = PlainLines()
        nothing: Any = None
        context = Context(
            self.clock, nothing, nothing, nothing, nothing, nothing, nothing, lines, nothing
        )
        ports = CheckPorts(self.clock, lines, None, None, None, None)  # type: ignore[arg-type]
        thinker = Thinker(
            Chain([], ports),
            PlainUnderstands(),
            handlers
            or {
                "answer": HandlerSpec("answer", echo),
                "escalate": HandlerSpec("escalate", hand_over),
            },
            context,
            {"fake": Capabilities(greets=True)},
            self.clock,
        )
        self.router = Router(
            self.turns,
            thinker,
            lambda policy: lines,
            self.fanout,
            self.wakeups,
            self.metrics,
            self.clock,
            renew_every=lease_seconds / 3,
        )
        self.sender = Sender(
            self.outbox, lambda name: provider, lambda inbox: inbox, self.fanout, self.metrics
        )
        self.worker = Worker(self.turns, self.router, self.sender, self.alarms, self.wakeups)

    async def seed(self) -> None:
        now = self.clock.now()
        async with self.database.write() as connection:
            await connection.execute(
                insert(tenants).values(
                    id=TENANT, name="Demo", policy={}, widget_secret="s", created_at=now
                )
            )
            for inbox in (INBOX, TEAM):
                await connection.execute(
                    insert(inboxes).values(
                        id=inbox.id,
                        tenant=TENANT,
                        channel=inbox.channel,
                        address=inbox.address,
                        kind=inbox.kind,
                        env_prefix="",
                        created_at=now,
                    )
                )
            for csm in (MAYA, NOAH):
                await connection.execute(
                    insert(csms).values(
                        id=csm.id,
                        tenant=TENANT,
                        name=csm.name,
                        email=csm.email,
                        role="csm",
                        password_hash="",
                        active=True,
                        created_at=now,
                    )
                )

    async def say(self, external_id: str, text: str, quiet: float = 0.0, **more: Any) -> Any:
        accepted = await self.intake.accept(INBOX, inbound(external_id, text, **more), quiet)
        await self.wakeups.wake("turn", accepted.conversation_id)
        return accepted

    async def settle(self) -> None:
        """Run everything that is due, without a worker."""
        for _round in range(50):
            ready = await self.turns.ready()
            for conversation in ready:
                await self.router.run(conversation)
            if not await self.sender.drain() and not ready:
                return

    async def close(self) -> None:
        await self.fanout.close()
        await self.redis.aclose()
        await self.database.close()

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Run the worker meanwhile."""
        task = asyncio.create_task(self.worker.run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def quiet(self) -> None:
        """Wait until others have left nothing received, queued, claimed or unknown."""
        async with asyncio.timeout(PATIENCE):
            while await self._busy():  # noqa: ASYNC110 - others, even other processes, do the work
                await asyncio.sleep(0.1)

    async def _busy(self) -> bool:
        waiting = outbox.c.state.in_(("queued", "claimed", "unknown"))
        return bool(
            await self.rows(messages, messages.c.status == "received")
            or await self.rows(outbox, waiting)
        )

    async def set_policy(self, **policy: object) -> None:
        async with self.database.write() as connection:
            await connection.execute(
                update(tenants).where(tenants.c.id == TENANT).values(policy=policy)
            )

    async def rows(self, table: Table, *where: ColumnElement[bool]) -> Sequence[RowMapping]:
        """Return what stands in a table, in the order it was made."""
        async with self.database.read() as connection:
            key = table.c.position if "position" in table.c else table.c.id
            found = await connection.execute(select(table).where(*where).order_by(key))
            return found.mappings().all()


@contextlib.asynccontextmanager
async def path(
    url: str, provider: Any = None, redis_url: str = "", **more: Any
) -> AsyncIterator[Path]:
    redis = connect(RedisSettings(url=redis_url))
    made = Path(url, redis, provider or FakeProvider(), **more)
    await made.seed()
    try:
        yield made
    finally:
        await made.close()
