from datetime import timedelta

import pytest
from sqlalchemy import update

from app.store.models import messages, outbox
from core.errors import BadInputError, NotFoundError
from core.ids import ConversationId, PassageId
from core.messages import Assurance, IdentityClaim, Sent
from core.turns import Citation
from tests.store.scene import DEMO, OTHER, Scene

SIGNED = (IdentityClaim("external", "c-1", Assurance.PROVEN),)
CITATION = Citation(1, PassageId("psg_1"), "plans.md", "Plans", "Plans", "the quote")


async def seqs(scene: Scene, conversation: ConversationId, *, customer: bool) -> list[int]:
    found = await scene.reads.transcript(DEMO, conversation, customer_view=customer)
    return [m.seq for m in found]


async def status(scene: Scene, conversation: ConversationId, seq: int) -> str:
    found = await scene.reads.transcript(DEMO, conversation, seq - 1, 1, customer_view=False)
    return found[0].status


# ------------------------------------------------------------ whose conversation


async def test_a_visitor_finds_their_own_conversation_and_no_other(scene: Scene) -> None:
    mine = await scene.says("hi", "visitor-1")
    theirs = await scene.says("hi", "visitor-2")
    find = scene.reads.find
    found = await find(DEMO, mine.conversation_id, "visitor-1", None)
    assert found is not None
    assert found.id == mine.conversation_id
    assert await find(DEMO, theirs.conversation_id, "visitor-1", None) is None
    assert await find(OTHER, mine.conversation_id, "visitor-1", None) is None
    assert await find(DEMO, ConversationId("cnv_unknown"), "visitor-1", None) is None
    latest = await find(DEMO, None, "visitor-2", None)
    assert latest is not None
    assert latest.id == theirs.conversation_id
    assert await find(DEMO, None, "visitor-3", None) is None


async def test_a_signed_identity_finds_the_conversation_from_another_browser(scene: Scene) -> None:
    mine = await scene.says("hi", "visitor-1", claims=SIGNED)
    for conversation in (None, mine.conversation_id):
        found = await scene.reads.find(DEMO, conversation, "visitor-9", "c-1")
        assert found is not None
        assert found.id == mine.conversation_id
        assert await scene.reads.find(DEMO, conversation, "visitor-9", "c-2") is None


@pytest.mark.parametrize(("hours", "found"), [(23, True), (25, False)])
async def test_an_open_conversation_is_joined_for_a_day(
    scene: Scene, hours: int, found: bool
) -> None:
    await scene.says("hi", "visitor-1")
    scene.clock.advance(timedelta(hours=hours))
    assert (await scene.reads.find(DEMO, None, "visitor-1", None) is not None) is found


@pytest.mark.parametrize(("hours", "found"), [(71, True), (73, False)])
async def test_a_resolved_conversation_is_reopened_for_three_days(
    scene: Scene, hours: int, found: bool
) -> None:
    accepted = await scene.says("hi", "visitor-1")
    csm = await scene.access.create_csm(DEMO, "Maya", "maya@lumen.example", "long enough pw")
    await scene.humans.take_over(DEMO, accepted.conversation_id, csm, None)
    await scene.humans.resolve(DEMO, accepted.conversation_id, csm)
    scene.clock.advance(timedelta(hours=hours))
    assert (await scene.reads.find(DEMO, None, "visitor-1", None) is not None) is found


# ------------------------------------------------------------ what is visible


async def test_the_customer_sees_a_reply_once_it_goes_out(scene: Scene) -> None:
    accepted = await scene.says("hi")
    talk = accepted.conversation_id
    await scene.answers(accepted, "hello")
    assert await seqs(scene, talk, customer=True) == [1]
    assert await seqs(scene, talk, customer=False) == [1, 2]
    jobs = await scene.take_jobs()
    assert await seqs(scene, talk, customer=True) == [1, 2]
    await scene.outbox.sent(jobs[0].outbound.id, Sent("web:1"))
    assert await seqs(scene, talk, customer=True) == [1, 2]
    after = await scene.reads.messages_after(DEMO, talk, 1, 10)
    assert after == await scene.reads.transcript(DEMO, talk, 1, customer_view=False)
    assert await scene.reads.messages_after(OTHER, talk, 0, 10) == []
    assert len(await scene.reads.messages_after(DEMO, talk, 0, 1)) == 1


async def test_drafts_and_notes_are_the_teams_alone(scene: Scene) -> None:
    accepted = await scene.says("hi")
    talk = accepted.conversation_id
    await scene.answers(accepted, "a draft", proposed=True)
    await scene.humans.note(DEMO, talk, "Maya", "a note")
    await scene.sends()
    assert await seqs(scene, talk, customer=True) == [1]
    assert await seqs(scene, talk, customer=False) == [1, 2, 3]


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("queued", False),
        ("proposed", False),
        ("dropped", False),
        ("discarded", False),
        ("expired", False),
        ("dead", False),
        ("claimed", True),
        ("unknown", True),
        ("sent", True),
        ("delivered", True),
        ("read", True),
    ],
)
async def test_every_state_is_shown_or_not(scene: Scene, state: str, shown: bool) -> None:
    accepted = await scene.says("hi")
    await scene.answers(accepted, "hello")
    async with scene.database.write() as connection:
        await connection.execute(
            update(messages).where(messages.c.direction == "out").values(status=state)
        )
    found = await seqs(scene, accepted.conversation_id, customer=True)
    assert (2 in found) is shown


# ------------------------------------------------------------ acknowledgements


async def test_an_ack_delivers_exactly_its_row(scene: Scene) -> None:
    accepted = await scene.says("hi")
    talk = accepted.conversation_id
    await scene.answers(accepted, "one", "two")
    await scene.sends()
    assert [m.seq for m in await scene.reads.unacked(DEMO, talk)] == [2, 3]
    assert [m.seq for m in await scene.reads.unacked(DEMO, talk, 2)] == [2]
    await scene.reads.ack(DEMO, talk, 3)
    await scene.reads.ack(DEMO, talk, 3)
    assert [m.seq for m in await scene.reads.unacked(DEMO, talk)] == [2]
    assert await status(scene, talk, 3) == "delivered"
    await scene.reads.ack(OTHER, talk, 2)
    await scene.reads.ack(DEMO, talk, 1)
    await scene.reads.ack(DEMO, talk, 99)
    assert await status(scene, talk, 2) == "sent"
    assert await status(scene, talk, 1) == "handled"


async def test_an_ack_that_outruns_the_sender_is_not_lost(scene: Scene) -> None:
    accepted = await scene.says("hi")
    talk = accepted.conversation_id
    reply = (await scene.answers(accepted, "hello"))[0]
    job = (await scene.take_jobs())[0]
    await scene.reads.ack(DEMO, talk, 2)
    await scene.reads.ack(DEMO, talk, 2)
    assert await status(scene, talk, 2) == "claimed"
    await scene.outbox.sent(job.outbound.id, Sent(f"web:{reply.id}"))
    assert await status(scene, talk, 2) == "delivered"


async def test_an_ack_never_goes_backwards(scene: Scene) -> None:
    accepted = await scene.says("hi")
    await scene.answers(accepted, "hello")
    await scene.sends()
    async with scene.database.write() as connection:
        await connection.execute(update(outbox).values(state="read"))
        await connection.execute(
            update(messages).where(messages.c.direction == "out").values(status="read")
        )
    await scene.reads.ack(DEMO, accepted.conversation_id, 2)
    assert await status(scene, accepted.conversation_id, 2) == "read"


async def test_rows_of_other_channels_are_not_the_widgets_to_acknowledge(scene: Scene) -> None:
    accepted = await scene.says("hi", "+14155550132", "sms")
    await scene.answers(accepted, "hello")
    await scene.sends()
    assert await scene.reads.unacked(DEMO, accepted.conversation_id) == []
    await scene.reads.ack(DEMO, accepted.conversation_id, 2)
    assert await status(scene, accepted.conversation_id, 2) == "sent"


# ------------------------------------------------------------ feedback


async def test_a_thumb_down_opens_a_gap_once(scene: Scene) -> None:
    accepted = await scene.says("How do I export?")
    reply = (await scene.answers(accepted, "Like this [1]", citations=(CITATION,)))[0]
    await scene.sends()
    give = scene.reads.feedback
    talk = accepted.conversation_id
    await give(DEMO, talk, reply.id, "up")
    assert await scene.gaps.open_gaps(DEMO) == []
    await give(DEMO, talk, reply.id, "down")
    await give(DEMO, talk, reply.id, "1")
    gap = (await scene.gaps.open_gaps(DEMO))[0]
    assert (gap.question, gap.kind, gap.times) == ("How do I export?", "disliked", 1)
    assert gap.nearest == ("plans.md",)
    kept = (await scene.reads.transcript(DEMO, talk, 1, customer_view=True))[0]
    assert kept.metadata["feedback"] == "1"


async def test_feedback_is_for_ones_own_visible_replies(scene: Scene) -> None:
    accepted = await scene.says("hi")
    other = await scene.says("hi", "visitor-2")
    reply = (await scene.answers(accepted, "hello"))[0]
    give = scene.reads.feedback
    with pytest.raises(NotFoundError):
        await give(DEMO, accepted.conversation_id, reply.id, "up")
    await scene.sends()
    for tenant, talk, message in (
        (OTHER, accepted.conversation_id, reply.id),
        (DEMO, other.conversation_id, reply.id),
        (DEMO, accepted.conversation_id, accepted.message_id),
        (DEMO, accepted.conversation_id, "msg_unknown"),
    ):
        with pytest.raises(NotFoundError):
            await give(tenant, talk, message, "up")
    with pytest.raises(BadInputError):
        await give(DEMO, accepted.conversation_id, reply.id, "6")
