"""What customers change after the fact: their own messages, and thumbs under ours."""

from typing import Any

import pytest
from sqlalchemy import select

from app.store.changes import SqlChanges
from app.store.inline import SqlInline
from app.store.models import messages
from core.conversations import Status
from core.errors import NotFoundError
from core.ids import ConversationId, MessageId, TurnId
from core.messages import Author, Correction, MessageKind, Reaction
from core.ports import Accepted, Superseded, TurnResult
from tests.store.scene import DEMO, OTHER, Scene

WEB, SMS = f"{DEMO}:web", f"{DEMO}:sms"


def changes(scene: Scene) -> SqlChanges:
    return SqlChanges(scene.database, scene.clock, scene.reads)


async def row(scene: Scene, message: str) -> dict[str, Any]:
    async with scene.database.read() as connection:
        found = await connection.execute(select(messages).where(messages.c.id == message))
        return dict(found.mappings().one())


def edit(text: str | None, sender: str = "visitor-1", of: str = "ext-1") -> Correction:
    return Correction("web", of, sender, text)


async def test_an_edit_before_the_turn_is_what_the_turn_reads(scene: Scene) -> None:
    said = await scene.says("How do I exprot?")
    changed = await changes(scene).correct(scene.inboxes[WEB], edit("How do I export?"))
    assert changed == said.conversation_id
    claim = await scene.turns.claim(said.conversation_id)
    assert claim is not None
    assert [m.text for m in claim.messages] == ["How do I export?"]
    kept = await row(scene, said.message_id)
    assert kept["metadata"]["before"] == "How do I exprot?"


async def test_a_second_edit_keeps_the_first_words(scene: Scene) -> None:
    said = await scene.says("one")
    for text in ("two", "three"):
        await changes(scene).correct(scene.inboxes[WEB], edit(text))
    kept = await row(scene, said.message_id)
    assert (kept["text"], kept["metadata"]["before"]) == ("three", "one")


async def test_what_is_taken_back_in_time_is_answered_by_nobody(scene: Scene) -> None:
    said = await scene.says("my password is hunter2")
    await changes(scene).correct(scene.inboxes[WEB], edit(None))
    assert await scene.turns.claim(said.conversation_id) is None
    kept = await row(scene, said.message_id)
    assert (kept["status"], kept["text"]) == ("recorded", "")
    assert await scene.turns.ready() == []


@pytest.mark.parametrize("text", ["How do I export?", None], ids=["edited", "taken-back"])
async def test_a_turn_under_way_does_not_answer_the_old_words(
    scene: Scene, text: str | None
) -> None:
    said = await scene.says("How do I exprot?")
    claim = await scene.turns.claim(said.conversation_id)
    assert claim is not None
    await changes(scene).correct(scene.inboxes[WEB], edit(text))
    late = TurnResult(
        turn_id=TurnId("trn_late"),
        claim=claim,
        handler="answer",
        replies=(),
        effects=(),
        status=Status.WAITING_CUSTOMER,
        trace={},
        started_at=scene.clock.now(),
    )
    assert isinstance(await scene.turns.commit(late), Superseded)
    again = await scene.turns.claim(said.conversation_id)
    assert [m.text for m in (again.messages if again else ())] == [t for t in (text,) if t]


async def test_what_is_taken_back_late_stays_with_its_mark(scene: Scene) -> None:
    said = await scene.says("How do I export?")
    await scene.answers(said, "From the menu.")
    assert await changes(scene).correct(scene.inboxes[WEB], edit(None)) == said.conversation_id
    assert await changes(scene).correct(scene.inboxes[WEB], edit(None)) is None
    kept = await row(scene, said.message_id)
    assert (kept["status"], kept["text"]) == ("handled", "How do I export?")
    assert "deleted_at" in kept["metadata"]


@pytest.mark.parametrize(
    ("inbox", "change"),
    [
        pytest.param(WEB, edit("x", sender="visitor-2"), id="somebody-else"),
        pytest.param(WEB, edit("x", of="ext-9"), id="unknown-message"),
        pytest.param(WEB, edit("first"), id="the-same-words"),
        pytest.param(f"{OTHER}:web", edit("x"), id="another-tenant"),
    ],
)
async def test_nothing_else_changes(scene: Scene, inbox: str, change: Correction) -> None:
    said = await scene.says("first")
    assert await changes(scene).correct(scene.inboxes[inbox], change) is None
    assert (await row(scene, said.message_id))["text"] == "first"


async def answered(scene: Scene) -> tuple[Accepted, str, str]:
    said = await scene.says("How do I export?")
    reply = (await scene.answers(said, "From the menu."))[0]
    await scene.sends()
    return said, reply.id, f"web:{reply.id}"


async def test_a_thumb_down_is_feedback_and_a_gap(scene: Scene) -> None:
    said, reply, provider = await answered(scene)
    thumb = Reaction("web", provider, "visitor-1", "down")
    assert await changes(scene).react(scene.inboxes[WEB], thumb) == said.conversation_id
    assert (await row(scene, reply))["metadata"]["feedback"] == "down"
    assert [g.kind for g in await scene.gaps.open_gaps(DEMO)] == ["disliked"]


@pytest.mark.parametrize("value", ["", "up"], ids=["taken-away", "unknown-message"])
async def test_other_thumbs_change_nothing(scene: Scene, value: Any) -> None:
    _said, reply, provider = await answered(scene)
    named = {"": provider, "up": "web:msg_unknown"}[value]
    thumb = Reaction("web", named, "visitor-1", value)
    assert await changes(scene).react(scene.inboxes[WEB], thumb) is None
    assert "feedback" not in (await row(scene, reply))["metadata"]


async def test_a_message_is_found_again_to_wait_for_it(scene: Scene) -> None:
    said = await scene.says("hello")
    inline = SqlInline(scene.database, scene.clock)
    found = await inline.find(DEMO, said.message_id)
    assert found is not None
    assert (found.conversation_id, found.message_id) == (said.conversation_id, said.message_id)
    assert await inline.find(OTHER, said.message_id) is None
    assert await inline.find(DEMO, MessageId("msg_unknown")) is None


async def test_a_notice_beside_stands_in_the_conversation(scene: Scene) -> None:
    said = await scene.says("where is it?")
    inline = SqlInline(scene.database, scene.clock)
    await inline.beside(scene.inboxes[SMS], said.conversation_id, "+15550123", "Here it is.")
    (job,) = [j for j in await scene.take_jobs() if j.outbound.channel == "sms"]
    assert (job.outbound.address, job.outbound.kind) == ("+15550123", MessageKind.NOTICE)
    assert job.outbound.author is Author.SYSTEM
    assert job.outbound.seq == 2
    with pytest.raises(NotFoundError):
        await inline.beside(scene.inboxes[SMS], ConversationId("cnv_x"), "+15550123", "x")
