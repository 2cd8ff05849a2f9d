"""What every channel makes of its provider's answers: no is no, later is then, and silence is asked about first."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from app import describe
from app.metrics import PrometheusMetrics
from app.outbox import Sender
from core.clock import FrozenClock
from core.contracts import Channel, ChannelSpec
from core.conversations import Inbox
from core.ids import ConversationId, InboxId, MessageId, OutboxId, TenantId
from core.messages import Author, MessageKind, Outbound, Sent, Template
from core.ports import Job
from tests.channels.serving import MemoryState, NoFanout, channel_context
from tests.contract.channel_settings import WORKING
from tests.contract.provider_faults import (
    ADDRESSES,
    ANSWERS,
    WITHOUT_PROVIDER,
    Provider,
    provider,
    remembered,
)
from tests.contract.test_every_channel import NOON

SPECS = describe.channels()
SENDING = {name: spec for name, spec in SPECS.items() if name in ADDRESSES}


@dataclass
class Ledger:
    """An outbox of one message that writes down what becomes of it."""

    outbound: Outbound
    inbox: Inbox
    state: str = "queued"
    attempts: int = 0
    written: list[tuple[str, object]] = field(default_factory=list)

    async def claim(self, limit: int = 16) -> Sequence[Job]:
        if self.state not in ("queued", "unknown"):
            return []
        state, self.state = self.state, "in hand"
        self.attempts += 1
        outbound = replace(self.outbound, attempt=self.attempts)
        return [
            Job(outbound, self.inbox, "unknown" if state == "unknown" else "claimed", self.attempts)
        ]

    async def sent(self, job: OutboxId, sent: Sent) -> None:
        self._write("sent", "sent", sent.provider_id)

    async def retry(self, job: OutboxId, after: float, error: str) -> None:
        self._write("queued", "retry", after)

    async def unknown(self, job: OutboxId, after: float, error: str) -> None:
        self._write("unknown", "unknown", after)

    async def dead(self, job: OutboxId, error: str, reason: str) -> None:
        self._write("dead", "dead", reason)

    def _write(self, state: str, what: str, value: object) -> None:
        self.state = state
        self.written.append((what, value))


@dataclass
class Rig:
    """One channel, its provider's stand-in, and the real sender between them."""

    channel: Channel
    provider: Provider
    ledger: Ledger
    sender: Sender
    clock: FrozenClock

    async def drain(self, times: int = 1) -> None:
        for _ in range(times):
            await self.sender.drain()


@pytest.fixture(params=list(SENDING.values()), ids=list(SENDING))
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    spec: ChannelSpec = request.param
    clock = FrozenClock(NOON)
    async with provider(spec.name) as stand_in:
        settings = spec.settings(_env_file=None, **{**WORKING[spec.name], **stand_in.settings})
        address = spec.configured(settings)[0][0]
        inbox = Inbox(InboxId("inb_1"), TenantId("demo"), spec.name, address, settings=settings)
        outbound = Outbound(
            OutboxId("out_0195a1b2c3d4e5f60718293a4b5c6d7e"),
            inbox.tenant,
            inbox.id,
            spec.name,
            ADDRESSES[spec.name],
            "You can invite them.",
            Author.BOT,
            MessageKind.REPLY,
            clock.now(),
            conversation_id=ConversationId("cnv_1"),
            message_id=MessageId("msg_1"),
            seq=1,
            author_name="Usher",
            # nobody has written yet: where free text is not taken, this is what may be sent
            template=Template("HX" + "0" * 32),
        )
        state = MemoryState(rows=remembered(spec.name, outbound.address, clock.now()))
        channel = spec.build(channel_context(clock, state))
        ledger = Ledger(outbound, inbox)
        sender = Sender(
            ledger, lambda _name: channel, lambda found: found, NoFanout(), PrometheusMetrics()
        )
        yield Rig(channel, stand_in, ledger, sender, clock)
        await channel.close()


def test_every_channel_with_a_provider_says_how_it_fails() -> None:
    assert set(SPECS) <= set(ADDRESSES) | WITHOUT_PROVIDER
    assert set(ADDRESSES) - {"email"} == set(ANSWERS)


async def test_what_is_refused_for_good_is_not_sent_again(rig: Rig) -> None:
    rig.provider.refuse()
    await rig.drain(4)
    assert rig.ledger.written == [("dead", "undeliverable")]
    assert rig.provider.sends == 1


async def test_later_is_when_the_provider_says(rig: Rig) -> None:
    rig.provider.busy()
    await rig.drain()
    assert rig.ledger.written == [("retry", rig.provider.later or 1.0)]
    assert rig.provider.sends == 1


async def test_a_provider_that_stays_busy_ends_with_a_person(rig: Rig) -> None:
    rig.provider.busy()
    await rig.drain(9)
    assert rig.ledger.written[-1] == ("dead", "undeliverable")
    assert [what for what, _ in rig.ledger.written].count("retry") == 5
    # a channel that keeps the pause itself asks less often
    assert 1 <= rig.provider.sends <= 6


async def test_silence_is_asked_about_before_anything_is_sent_again(rig: Rig) -> None:
    rig.provider.hang()
    await rig.drain()
    assert [what for what, _ in rig.ledger.written] == ["unknown"]
    for _ in range(3):
        rig.clock.advance(timedelta(minutes=1))
        await rig.drain()
    # looked for, or given to a person: in neither case sent a second time
    assert rig.provider.sends == 1
    assert {what for what, _ in rig.ledger.written} <= {"unknown", "dead"}
