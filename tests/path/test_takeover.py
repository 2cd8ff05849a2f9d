"""Promise 3 by brute force: a hundred takeovers at random moments, and never a word of the bot after one."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from app.store.models import messages, outbox, turns
from core.contracts import Context, HandlerSpec
from core.conversations import Inbox
from core.errors import RetryableDeliveryError, UnknownOutcomeError
from core.messages import Author, MessageKind, Outbound, Sent
from core.outcomes import Outcome, Turn
from core.ports import Committed, TurnResult
from tests.path.harness import INBOX, MAYA, TENANT, FakeProvider, Path, inbound, path

pytestmark = pytest.mark.fault

TALKS = 100
SENTENCES = 3
# when the person comes in: at once, after the nth preview, after the commit, when the provider has the reply
MOMENTS = ("heard", *(f"sentence {n}" for n in range(SENTENCES)), "committed", "delivering")


@dataclass(slots=True)
class Storm:
    """Everything that happens, in order, and a signal per talk and moment."""

    dice: random.Random = field(default_factory=lambda: random.Random(11))
    events: list[tuple[str, str, object]] = field(default_factory=list)
    moments: dict[tuple[str, str], asyncio.Event] = field(
        default_factory=lambda: defaultdict(asyncio.Event)
    )
    checking: dict[str, int] = field(default_factory=dict)

    def now(self, talk: str, moment: str) -> None:
        """Say that the moment has come, and every earlier one with it."""
        for earlier in MOMENTS[: MOMENTS.index(moment) + 1]:
            self.moments[talk, earlier].set()

    async def pause(self) -> None:
        """Let something else happen, for 0 to 20 ms."""
        await asyncio.sleep(self.dice.uniform(0, 0.02))

    async def stream(self, turn: Turn, context: Context) -> Outcome:
        """Answer as a slow model does."""
        assert context.preview is not None
        self.now(turn.conversation.id, "heard")
        for n in range(SENTENCES):
            await context.preview(f"Sentence {n}.")
            self.now(turn.conversation.id, f"sentence {n}")
            await self.pause()
        return Outcome("the whole answer")

    def watch(self, usher: Path) -> None:
        """Record version checks, drafts and commits."""
        current, commit, publish = usher.turns.current, usher.turns.commit, usher.fanout.publish

        async def watched_current(claim: Any) -> bool:
            self.checking[claim.conversation.id] = len(self.events)
            return await current(claim)

        async def watched_commit(result: TurnResult) -> Any:
            outcome = await commit(result)
            talk = result.claim.conversation.id
            self.now(talk, "committed" if isinstance(outcome, Committed) else "heard")
            return outcome

        async def watched_publish(topic: str, payload: Mapping[str, object]) -> None:
            talk = topic.partition(":")[2]
            self.events.append((str(payload["type"]), talk, self.checking.get(talk)))
            await publish(topic, payload)

        usher.turns.current = watched_current  # type: ignore[method-assign]
        usher.turns.commit = watched_commit  # type: ignore[method-assign]
        usher.fanout.publish = watched_publish  # type: ignore[method-assign]

    async def take_over(self, usher: Path, talk: Any, moment: str) -> None:
        """Come in at that moment, more or less."""
        await self.moments[talk, moment].wait()
        await self.pause()
        in_flight = await usher.humans.take_over(TENANT, talk, MAYA, "[joined]")
        self.events.append(("taken", talk, {m.id for m in in_flight}))


class SlowProvider(FakeProvider):
    """Takes its time, and refuses every third try for now."""

    def __init__(self, storm: Storm) -> None:
        super().__init__()
        self._storm = storm

    async def deliver(self, outbound: Outbound, inbox: Inbox) -> Sent:
        if outbound.author is Author.BOT and outbound.kind is MessageKind.REPLY:
            talk = str(outbound.conversation_id)
            self._storm.events.append(("deliver", talk, outbound.message_id))
            self._storm.now(talk, "delivering")
            await self._storm.pause()
            if self._storm.dice.random() < 1 / 3:
                raise RetryableDeliveryError("busy", retry_after=0.0)
        return await FakeProvider.deliver(self, outbound, inbox)


async def test_a_hundred_takeovers_while_the_bot_speaks(database_url: str) -> None:
    storm = Storm()
    handlers = {"answer": HandlerSpec("answer", storm.stream)}
    provider = SlowProvider(storm)
    async with path(database_url, provider, handlers=handlers) as usher:
        storm.watch(usher)
        questions = [inbound(f"m{n}", "a question", sender=f"v{n}") for n in range(TALKS)]
        talks = [(await usher.intake.accept(INBOX, q, 0.0)).conversation_id for q in questions]
        async with usher.working():
            await asyncio.gather(
                *(storm.take_over(usher, t, storm.dice.choice(MOMENTS)) for t in talks)
            )
            await usher.quiet()
        await _check(usher, storm)
        assert Counter(provider.texts())["[joined]"] == TALKS


async def _check(usher: Path, storm: Storm) -> None:
    taken = {talk: at for at, (what, talk, _) in enumerate(storm.events) if what == "taken"}
    shown = {talk: known for what, talk, known in storm.events if what == "taken"}
    late_sends = [
        message
        for at, (what, talk, message) in enumerate(storm.events)
        if what == "deliver" and at > taken[talk] and message not in shown[talk]  # type: ignore[operator]
    ]
    late_drafts = [
        talk
        for at, (what, talk, checked) in enumerate(storm.events)
        if what == "draft" and at > taken[talk] and checked > taken[talk]  # type: ignore[operator]
    ]
    assert (late_sends, late_drafts) == ([], [])

    replies = await usher.rows(messages, messages.c.author == "bot", messages.c.kind == "reply")
    reached = {o.message_id for o in usher.provider.sent}
    assert {r["id"] for r in replies if r["status"] == "sent"} == reached & {
        r["id"] for r in replies
    }
    assert {r["status"] for r in replies} == {"sent", "dropped"}

    dropped = await usher.rows(turns, turns.c.state == "dropped")
    assert all(t["trace"]["dropped"] == ["the whole answer"] for t in dropped)
    answered = {r["conversation_id"] for r in replies}
    recorded = {t["conversation_id"] for t in dropped}
    assert len(dropped) == len(recorded)
    assert answered.isdisjoint(recorded)
    assert answered | recorded == set(taken)
    ended = {talk for what, talk, _ in storm.events if what == "draft_end"}
    drafted = {talk for what, talk, _ in storm.events if what == "draft"}
    assert ended == drafted & recorded
    # the storm had weather of every kind
    assert min(len(dropped), len(answered), len(reached)) >= 10

    heard = await usher.rows(messages, messages.c.direction == "in")
    assert {m["status"] for m in heard} == {"handled"}


async def test_a_doubtful_reply_is_not_sent_again_after_a_takeover(database_url: str) -> None:
    provider = FakeProvider(script=[UnknownOutcomeError("timed out")])
    async with path(database_url, provider, claim_seconds=0.1) as usher:
        accepted = await usher.say("d", "hi")
        await usher.router.run(accepted.conversation_id)
        await usher.sender.drain()
        in_flight = await usher.humans.take_over(TENANT, accepted.conversation_id, MAYA, "[joined]")
        assert [m.text for m in in_flight] == ["echo: hi"]
        async with usher.working():
            await usher.quiet()
        assert len(provider.asked) == 1
        assert provider.texts() == ["[joined]"]
        states = [j["state"] for j in await usher.rows(outbox, outbox.c.kind == "message")]
        assert states == ["dropped", "sent"]


async def test_a_worker_told_to_stop_finishes_what_is_at_the_provider(database_url: str) -> None:
    reached = asyncio.Event()

    class Slow(FakeProvider):
        async def deliver(self, outbound: Outbound, inbox: Inbox) -> Sent:
            reached.set()
            await asyncio.sleep(0.1)
            return await super().deliver(outbound, inbox)

    async with path(database_url, Slow()) as usher:
        async with usher.working():
            await usher.say("s", "hi")
            await reached.wait()
        assert [j["state"] for j in await usher.rows(outbox)] == ["sent"]
