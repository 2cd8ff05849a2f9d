"""The way of a message on both databases: once, in order, and never over a human."""

import asyncio

import pytest
from sqlalchemy import update

from app.store.database import db_now
from app.store.intake import SqlIntake
from app.store.models import outbox
from app.thinking import result_of
from core.contracts import Context, HandlerSpec
from core.errors import (
    ConflictError,
    ForbiddenError,
    IdempotencyConflictError,
    PermanentDeliveryError,
    RetryableDeliveryError,
    UnknownOutcomeError,
)
from core.ids import TurnId
from core.messages import Receipt, Sent
from core.outcomes import Outcome, Turn
from core.ports import Claim, Superseded
from tests.path.harness import INBOX, MAYA, NOAH, TENANT, FakeProvider, Path, inbound, path


async def test_a_message_is_answered_once(database_url: str) -> None:
    async with path(database_url) as usher:
        first = await usher.say("a1", "hello")
        again = await usher.say("a1", "hello")
        await usher.settle()
        assert (first.duplicate, again.duplicate) == (False, True)
        assert again.message_id == first.message_id
        assert usher.provider.texts() == ["echo: hello"]


async def test_a_reused_key_with_another_body_is_refused(database_url: str) -> None:
    async with path(database_url) as usher:
        await usher.intake.accept(INBOX, inbound("k", "one", body_hash="1"), 0)
        with pytest.raises(IdempotencyConflictError):
            await usher.intake.accept(INBOX, inbound("k", "two", body_hash="2"), 0)


async def test_first_messages_at_once_open_one_conversation(database_url: str) -> None:
    async with path(database_url) as usher:
        accepted = await asyncio.gather(*(usher.say(f"m{n}", f"text {n}") for n in range(8)))
        assert len({a.conversation_id for a in accepted}) == 1
        assert sorted(a.seq for a in accepted) == list(range(1, 9))


async def test_the_same_delivery_at_once_is_one_message(database_url: str) -> None:
    async with path(database_url) as usher:
        accepted = await asyncio.gather(*(usher.say("same", "text") for _ in range(8)))
        assert len({a.message_id for a in accepted}) == 1
        assert [a.duplicate for a in accepted].count(False) == 1


async def test_a_burst_is_one_turn_with_one_reply(database_url: str) -> None:
    async with path(database_url) as usher:
        for n in range(3):
            await usher.say(f"b{n}", f"part {n}")
        await usher.settle()
        assert usher.provider.texts() == ["echo: part 0\npart 1\npart 2"]


async def test_one_worker_at_a_time(database_url: str) -> None:
    async with path(database_url) as usher:
        accepted = await usher.say("x", "hi")
        claims = await asyncio.gather(
            *(usher.turns.claim(accepted.conversation_id) for _ in range(6))
        )
        assert [c is not None for c in claims].count(True) == 1


async def test_takeover_while_thinking_drops_the_answer(database_url: str) -> None:
    started, go = asyncio.Event(), asyncio.Event()

    async def slow(turn: Turn, context: Context) -> Outcome:
        started.set()
        await go.wait()
        return Outcome("too late")

    handlers = {"answer": HandlerSpec("answer", slow)}
    async with path(database_url, handlers=handlers) as usher:
        accepted = await usher.say("t", "question")
        turn = asyncio.create_task(usher.router.run(accepted.conversation_id))
        await started.wait()
        await usher.humans.take_over(TENANT, accepted.conversation_id, MAYA, "[joined]")
        go.set()
        await turn
        await usher.settle()
        assert usher.provider.texts() == ["[joined]"]
        replied = await usher.humans.reply(TENANT, accepted.conversation_id, MAYA, "I am here")
        await usher.settle()
        assert usher.provider.texts() == ["[joined]", "I am here"]
        assert replied is not None
        assert replied.author_name == "Maya"


async def test_takeover_drops_queued_bot_replies_but_no_notice(database_url: str) -> None:
    async with path(database_url) as usher:
        accepted = await usher.say("q", "question")
        await usher.router.run(accepted.conversation_id)
        await usher.humans.take_over(TENANT, accepted.conversation_id, MAYA, "[joined]")
        await usher.settle()
        assert usher.provider.texts() == ["[joined]"]


async def test_only_one_of_two_gets_the_conversation(database_url: str) -> None:
    async with path(database_url) as usher:
        accepted = await usher.say("r", "human")
        await usher.settle()
        results = await asyncio.gather(
            usher.humans.take_over(TENANT, accepted.conversation_id, MAYA, None),
            usher.humans.take_over(TENANT, accepted.conversation_id, NOAH, None),
            return_exceptions=True,
        )
        assert sorted(type(r).__name__ for r in results) == ["ConflictError", "tuple"]
        owner = await usher.humans.owner(TENANT, accepted.conversation_id)
        (loser,) = (csm for csm in (MAYA, NOAH) if csm.id != owner)
        with pytest.raises(ForbiddenError):
            await usher.humans.reply(TENANT, accepted.conversation_id, loser, "me too")


async def test_an_unclaimed_conversation_takes_no_human_reply(database_url: str) -> None:
    async with path(database_url) as usher:
        accepted = await usher.say("u", "hi")
        with pytest.raises(ConflictError):
            await usher.humans.reply(TENANT, accepted.conversation_id, MAYA, "hello")


async def test_hand_back_lets_the_bot_answer_again(database_url: str) -> None:
    async with path(database_url) as usher:
        accepted = await usher.say("h1", "human")
        await usher.settle()
        await usher.humans.take_over(TENANT, accepted.conversation_id, MAYA, None)
        await usher.say("h2", "are you there")
        await usher.settle()
        assert usher.provider.texts() == ["[asked]"]
        await usher.humans.hand_back(TENANT, accepted.conversation_id, MAYA, "[left]")
        await usher.say("h3", "and now")
        await usher.settle()
        assert usher.provider.texts() == ["[asked]", "[left]", "echo: and now"]


async def test_waiting_for_a_person_says_one_holding_line(database_url: str) -> None:
    async with path(database_url) as usher:
        for n, text in enumerate(["human", "hello?", "anyone?"]):
            await usher.say(f"w{n}", text)
            await usher.settle()
        assert usher.provider.texts() == ["[asked]", "[pipeline.holding]"]
        assert [c.state for c in usher.provider.cards()].count("open") >= 1
        assert any(c.text == "anyone?" for c in usher.provider.cards())


async def test_a_failing_handler_ends_with_a_person_and_an_honest_line(database_url: str) -> None:
    async def broken(turn: Turn, context: Context) -> Outcome:
        raise RuntimeError("boom")

    async with path(database_url, handlers={"answer": HandlerSpec("answer", broken)}) as usher:
        await usher.say("f", "question")
        await usher.settle()
        assert usher.provider.texts() == ["[pipeline.handoff_failed]"]
        assert usher.provider.cards()[0].fields[0] == ("Reason", "The bot failed")


async def test_anger_asks_for_a_person_once_per_peak(database_url: str) -> None:
    async with path(database_url) as usher:
        accepted = await usher.say("g1", "I am furious")
        await usher.settle()
        await usher.humans.take_over(TENANT, accepted.conversation_id, MAYA, None)
        await usher.humans.hand_back(TENANT, accepted.conversation_id, MAYA, None)
        await usher.say("g2", "calm question")
        await usher.settle()
        assert usher.provider.texts() == ["[asked]", "echo: calm question"]


async def test_replies_leave_in_order_behind_a_failing_one(database_url: str) -> None:
    provider = FakeProvider(script=[RetryableDeliveryError("busy", retry_after=0.0)])
    async with path(database_url, provider) as usher:
        accepted = await usher.say("o1", "one")
        await usher.router.run(accepted.conversation_id)
        await usher.say("o2", "two")
        await usher.router.run(accepted.conversation_id)
        await usher.sender.drain()
        assert provider.texts() == []
        await usher.settle()
        assert provider.texts() == ["echo: one", "echo: two"]


@pytest.mark.parametrize(
    ("known", "texts"),
    [
        (Sent("prv-found"), []),
        (None, ["echo: hi"]),
        (UnknownOutcomeError("cannot tell"), ["[none]"]),
    ],
)
async def test_an_unknown_send_is_reconciled_before_anything_else(
    database_url: str, known: Sent | Exception | None, texts: list[str]
) -> None:
    provider = FakeProvider(script=[UnknownOutcomeError("timed out")])
    async with path(database_url, provider) as usher:
        accepted = await usher.say("k1", "hi")
        await usher.router.run(accepted.conversation_id)
        await usher.sender.drain()
        job = (await _jobs(usher))[0]
        provider.known[job] = known
        await _due_now(usher)
        await usher.settle()
        await _due_now(usher)
        await usher.settle()
        assert provider.asked == [job]
        handed_over = ["[none]"] if provider.cards() else []
        assert [*provider.texts(), *handed_over] == texts


async def test_a_refused_message_ends_with_a_person(database_url: str) -> None:
    provider = FakeProvider(script=[PermanentDeliveryError("no such number")])
    async with path(database_url, provider) as usher:
        await usher.say("p", "hi")
        await usher.settle()
        assert [c.fields[0][1] for c in provider.cards()] == ["A message could not be delivered"]


@pytest.mark.parametrize("order", [("sent", "delivered", "read"), ("read", "delivered", "sent")])
async def test_receipts_never_go_backwards(database_url: str, order: tuple[str, ...]) -> None:
    async with path(database_url) as usher:
        accepted = await usher.say("c", "hi")
        await usher.settle()
        provider_id = f"prv-{usher.provider.sent[0].id}"
        for status in order:
            await usher.intake.receipt(INBOX, Receipt(provider_id, status))  # type: ignore[arg-type]
        seen = await usher.inline.read(TENANT, accepted.conversation_id, 1, 10)
        assert [m.status for m in seen] == ["read"]


async def test_a_receipt_before_our_own_commit_counts(database_url: str) -> None:
    class Hasty(FakeProvider):
        async def deliver(self, outbound, inbox):  # type: ignore[no-untyped-def]
            sent = await super().deliver(outbound, inbox)
            await usher.intake.receipt(INBOX, Receipt(sent.provider_id, "delivered"))
            return sent

    async with path(database_url, Hasty()) as usher:
        accepted = await usher.say("e", "hi")
        await usher.settle()
        seen = await usher.inline.read(TENANT, accepted.conversation_id, 1, 10)
        assert [m.status for m in seen] == ["delivered"]


async def test_a_waiting_caller_gets_the_reply_and_no_provider_does(database_url: str) -> None:
    async with path(database_url) as usher:
        work = asyncio.create_task(usher.worker.run())
        accepted = await usher.intake.accept(INBOX, inbound("i", "hi", inline=True), 0)
        view = await usher.waiter.wait(accepted, 10)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        assert view is not None
        assert [m.text for m in view.replies] == ["echo: hi"]
        assert usher.provider.texts() == []


async def test_thanks_after_closing_is_kept_and_keeps_nobody_waiting(database_url: str) -> None:
    async with path(database_url) as usher:
        first = await usher.intake.accept(INBOX, inbound("v1", "hi", inline=True), 0)
        await usher.router.run(first.conversation_id)
        await usher.humans.take_over(TENANT, first.conversation_id, MAYA, None)
        await usher.humans.resolve(TENANT, first.conversation_id, MAYA)
        intake = SqlIntake(usher.database, usher.clock, {}, closing=["thanks"])
        thanks = await intake.accept(INBOX, inbound("v2", "Thanks!", inline=True), 0)
        view = await usher.waiter.wait(thanks, 5)
        assert thanks.conversation_id == first.conversation_id
        assert view is not None
        assert (view.handler, view.replies) == ("recorded", ())
        assert await usher.turns.ready() == []


async def test_a_takeover_drops_an_inline_reply_nobody_has_read(database_url: str) -> None:
    async with path(database_url) as usher:
        accepted = await usher.intake.accept(INBOX, inbound("j", "hi", inline=True), 0)
        await usher.router.run(accepted.conversation_id)
        await usher.humans.take_over(TENANT, accepted.conversation_id, MAYA, None)
        view = await usher.inline.take(TENANT, accepted.message_id)
        assert view is not None
        assert view.replies == ()


async def test_a_lost_lease_cannot_commit(database_url: str) -> None:
    async with path(database_url) as usher:
        accepted = await usher.say("l", "hi")
        claim = await usher.turns.claim(accepted.conversation_id)
        assert claim is not None
        await usher.turns.release(claim, 0.0)
        await usher.router.run(accepted.conversation_id)
        late = await _commit_echo(usher, claim)
        assert isinstance(late, Superseded)
        await usher.settle()
        assert usher.provider.texts() == ["echo: hi"]


async def _commit_echo(usher: Path, claim: Claim) -> object:
    thought = await usher.router._thinker.think(claim, TurnId("trn_late"))
    return await usher.turns.commit(result_of(thought, claim, {}))


async def _jobs(usher: Path) -> list[str]:
    return [str(job["id"]) for job in await usher.rows(outbox)]


async def _due_now(usher: Path) -> None:
    async with usher.database.write() as connection:
        await connection.execute(update(outbox).values(due_at=db_now(), claimed_until=None))
