"""Two small tenants over the real store, with hands to let customers, bot and CSM speak."""

from dataclasses import dataclass, field, replace
from typing import Any

from argon2 import PasswordHasher

from app.store.access import SqlAccess
from app.store.codes import Seals
from app.store.database import Database
from app.store.directory import SqlDirectory
from app.store.effects import Applier
from app.store.gaps import SqlGaps
from app.store.humans import SqlHumans
from app.store.intake import SqlIntake
from app.store.knowledge import SqlPassages
from app.store.memory import SqlFacts, SqlIntents
from app.store.outbox import SqlOutbox
from app.store.reaches import SqlReaches
from app.store.reads import SqlReads
from app.store.turns import SqlTurns
from core.clock import FrozenClock
from core.conversations import Inbox, Status
from core.effects import Effect
from core.ids import TenantId, TurnId, new_id
from core.messages import Author, Inbound, MessageKind, Sent, StoredMessage
from core.ports import Accepted, Committed, Job, Reply, TenantPolicy, TurnResult
from core.turns import Citation

DEMO = TenantId("demo")
OTHER = TenantId("other")
KINDS = {"sms": "phone", "whatsapp": "phone"}
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass
class Scene:
    """The store's classes over one database."""

    database: Database
    clock: FrozenClock
    inboxes: dict[str, Inbox] = field(default_factory=dict)
    numbers: int = 0

    def __post_init__(self) -> None:
        self.directory = SqlDirectory(self.database, self.clock, KINDS)
        self.access = SqlAccess(self.database, self.clock, CHEAP)
        self.passages = SqlPassages(self.database, self.clock)
        self.facts = SqlFacts(self.database, self.clock)
        self.gaps = SqlGaps(self.database, self.clock)
        self.intents = SqlIntents(self.database, self.clock)
        self.reads = SqlReads(self.database, self.clock, KINDS)
        seals = Seals("of these tests")
        self.intake = SqlIntake(self.database, self.clock, KINDS, seals=seals)
        applier = Applier(None, seals=seals)  # type: ignore[arg-type] # nobody books
        self.turns = SqlTurns(self.database, self.clock, applier)
        self.outbox = SqlOutbox(self.database, self.clock)
        self.humans = SqlHumans(self.database, self.clock)
        self.reaches = SqlReaches(self.database, self.clock)

    async def begin(self) -> None:
        for tenant in (DEMO, OTHER):
            await self.directory.ensure_tenant(tenant, tenant.title(), TenantPolicy())
            for channel in ("web", "sms"):
                self.inboxes[f"{tenant}:{channel}"] = await self.directory.ensure_inbox(
                    tenant, channel, f"{tenant}-{channel}", "customer", ""
                )

    async def says(
        self,
        text: str,
        sender: str = "visitor-1",
        channel: str = "web",
        tenant: TenantId = DEMO,
        **more: Any,
    ) -> Accepted:
        """Let a customer say something."""
        self.numbers += 1
        inbound = Inbound(channel, f"ext-{self.numbers}", sender, text, **more)
        return await self.intake.accept(self.inboxes[f"{tenant}:{channel}"], inbound, 0.0)

    async def answers(
        self,
        accepted: Accepted,
        *texts: str,
        effects: tuple[Effect, ...] = (),
        citations: tuple[Citation, ...] = (),
        status: Status = Status.WAITING_CUSTOMER,
        **more: Any,
    ) -> tuple[StoredMessage, ...]:
        """Run the turn that is due with these replies; they are queued, not sent."""
        claim = await self.turns.claim(accepted.conversation_id)
        assert claim is not None
        newest = claim.messages[-1]
        assert newest.inbox is not None
        assert newest.address is not None
        reply = Reply(
            text="",
            kind=MessageKind.REPLY,
            author=Author.BOT,
            channel=newest.channel,
            address=newest.address,
            inbox=newest.inbox,
            citations=citations,
            **more,
        )
        result = TurnResult(
            turn_id=TurnId(new_id("trn", self.clock.now())),
            claim=claim,
            handler="answer",
            replies=tuple(replace(reply, text=text) for text in texts),
            effects=effects,
            status=status,
            trace={"query": claim.messages[0].text},
            started_at=self.clock.now(),
        )
        committed = await self.turns.commit(result)
        assert isinstance(committed, Committed)
        return committed.messages

    async def take_jobs(self) -> list[Job]:
        """Claim every delivery job that is due."""
        taken: list[Job] = []
        while jobs := await self.outbox.claim(50):
            taken += jobs
        return taken

    async def sends(self) -> None:
        """Deliver everything that is queued."""
        while jobs := await self.outbox.claim(50):
            for job in jobs:
                channel = job.outbound.channel
                await self.outbox.sent(
                    job.outbound.id, Sent(f"{channel}:{job.outbound.message_id}")
                )
