"""Gaps on both databases: masked, counted by people, grouped, merged, split, closed and opened again."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from core.effects import OpenGap
from core.errors import ConflictError, NotFoundError
from core.ids import ConversationId, DocumentId
from core.ports import Gap
from core.views import GapQuestion
from tests.store.scene import DEMO, OTHER, Scene

DARK, NIGHT, PDF = "Is there a dark mode?", "can I turn on night mode", "How do I export to PDF?"
PAGE = DocumentId("doc_1")


async def asked(scene: Scene, text: str, sender: str = "ann", **more: str) -> ConversationId:
    """Let somebody ask in vain, a second after the last; returns the conversation."""
    scene.clock.advance(timedelta(seconds=1))
    accepted = await scene.says(text, sender)
    effect = OpenGap(text, **more)  # type: ignore[arg-type] # a test's own kind
    await scene.answers(accepted, "no idea", effects=(effect,))
    return accepted.conversation_id


def by_word(new: GapQuestion, groups: Sequence[Sequence[GapQuestion]]) -> int | None:
    """Put questions with the word "mode" together."""
    same = [n for n, group in enumerate(groups) if "mode" in group[0].text and "mode" in new.text]
    return same[0] if same else None


async def grouped(scene: Scene) -> list[Gap]:
    waiting = await scene.gaps.ungrouped(DEMO)
    await scene.gaps.group(DEMO, {gap: b"v" for gap, _ in waiting}, by_word)
    return list(await scene.gaps.open_gaps(DEMO))


async def test_a_group_counts_people_once_and_leads_the_list(scene: Scene) -> None:
    await asked(scene, PDF, "ann")
    await asked(scene, PDF, "ann")
    await asked(scene, PDF, "ann")
    await asked(scene, DARK, "ann", kind="disliked")
    await asked(scene, NIGHT, "ann")
    await asked(scene, NIGHT, "bob")
    assert [g.contacts for g in await scene.gaps.open_gaps(DEMO)] == [2, 1, 1]

    first, second = await grouped(scene)
    assert (first.question, first.contacts, first.times, first.wordings) == (DARK, 2, 3, 2)
    assert first.kinds == ("unanswered", "disliked")
    assert (second.question, second.contacts, second.times) == (PDF, 1, 3)
    assert [q.text for q in await scene.gaps.questions(DEMO, first.id)] == [DARK, NIGHT]
    assert await scene.gaps.ungrouped(DEMO) == []
    assert await scene.gaps.questions(OTHER, first.id) == []


async def test_personal_data_is_masked_before_it_is_stored(scene: Scene) -> None:
    for mail in ("ann@example.com", "bob@example.com"):
        await asked(scene, f"Why does {mail} get no invitation?", mail)
    (gap,) = await scene.gaps.open_gaps(DEMO)
    assert gap.question == "Why does <EMAIL_ADDRESS> get no invitation?"
    assert (gap.times, gap.contacts) == (2, 2)


async def test_who_asked_and_where(scene: Scene) -> None:
    first = await asked(scene, DARK, "ann")
    scene.clock.advance(timedelta(minutes=1))
    second = await asked(scene, DARK, "bob")
    (gap,) = await scene.gaps.open_gaps(DEMO)
    found = await scene.gaps.askers(DEMO, gap.id)
    assert [a.conversation_id for a in found] == [second, first]
    assert await scene.gaps.askers(OTHER, gap.id) == []


async def test_groups_are_merged_and_split_by_hand(scene: Scene) -> None:
    for text, sender in ((DARK, "ann"), (NIGHT, "bob"), (PDF, "cyd")):
        await asked(scene, text, sender)
    dark, pdf = await grouped(scene)
    night = (await scene.gaps.questions(DEMO, dark.id))[1].id
    assert (await scene.gaps.merge(DEMO, pdf.id, night)).contacts == 3
    with pytest.raises(ConflictError):
        await scene.gaps.merge(DEMO, pdf.id, dark.id)
    with pytest.raises(NotFoundError):
        await scene.gaps.merge(DEMO, pdf.id, "gap_none")

    await scene.gaps.split(DEMO, dark.id)  # the leading one leaves; another leads
    found = {g.question: g.contacts for g in await scene.gaps.open_gaps(DEMO)}
    assert found == {NIGHT: 2, DARK: 1}
    with pytest.raises(ConflictError):
        await scene.gaps.split(DEMO, dark.id)
    assert len(await grouped(scene)) == 2, "what people parted stays apart"


async def test_closing_closes_every_wording_and_a_new_failure_opens_them(scene: Scene) -> None:
    await asked(scene, DARK, "ann")
    await asked(scene, NIGHT, "bob")
    (gap,) = await grouped(scene)
    assert await scene.gaps.close(DEMO, gap.id, "answered", "csm_maya", None, PAGE)
    assert not await scene.gaps.close(DEMO, gap.id)
    assert await scene.gaps.open_gaps(DEMO) == []
    (closed,) = await scene.gaps.open_gaps(DEMO, status="answered")
    assert (closed.closed_by, closed.document_id, closed.wordings) == ("csm_maya", PAGE, 2)

    await asked(scene, NIGHT, "cyd")
    (again,) = await scene.gaps.open_gaps(DEMO)
    assert (again.id, again.contacts, again.closed_by, again.document_id) == (gap.id, 3, None, PAGE)


async def test_a_dismissed_question_stays_dismissed(scene: Scene) -> None:
    await asked(scene, "Who wins the cup?")
    (gap,) = await scene.gaps.open_gaps(DEMO)
    assert not await scene.gaps.close(OTHER, gap.id, "dismissed")
    assert await scene.gaps.close(DEMO, gap.id, "dismissed", "csm_maya", "not about us")
    await asked(scene, "Who wins the cup?", "bob")
    assert await scene.gaps.open_gaps(DEMO) == []
    (closed,) = await scene.gaps.open_gaps(DEMO, status="dismissed")
    assert (closed.times, closed.close_reason) == (2, "not about us")


async def test_a_withdrawn_answer_opens_what_it_had_answered(scene: Scene) -> None:
    await asked(scene, DARK)
    (gap,) = await scene.gaps.open_gaps(DEMO)
    await scene.gaps.close(DEMO, gap.id, "answered", "csm_maya", None, PAGE)
    assert await scene.gaps.reopen(OTHER, PAGE) == 0
    assert await scene.gaps.reopen(DEMO, PAGE) == 1
    (again,) = await scene.gaps.open_gaps(DEMO)
    assert again.document_id is None


async def test_only_replies_to_the_asker_after_asking_are_a_draft(scene: Scene) -> None:
    maya = await scene.access.create_csm(DEMO, "Maya", "maya@demo.example", "long enough 1")
    other = await scene.says("Something else", "bob")
    await scene.humans.take_over(DEMO, other.conversation_id, maya, None)
    await scene.humans.reply(DEMO, other.conversation_id, maya, "What others were told")
    mine = await asked(scene, DARK, "ann")
    scene.clock.advance(timedelta(minutes=1))
    await scene.humans.take_over(DEMO, mine, maya, None)
    await scene.humans.note(DEMO, mine, "Maya", "an internal thought")
    await scene.humans.reply(DEMO, mine, maya, "Open Settings and choose Dark.")
    await scene.says("thanks, what I said is mine", "ann")
    (gap,) = await scene.gaps.open_gaps(DEMO)
    assert await scene.gaps.human_replies(DEMO, gap.id) == [], "not sent yet"
    await scene.sends()
    assert await scene.gaps.human_replies(DEMO, gap.id) == ["Open Settings and choose Dark."]
    assert await scene.gaps.human_replies(OTHER, gap.id) == []


async def test_erasing_the_first_asker_leaves_the_group_to_the_others(scene: Scene) -> None:
    await asked(scene, DARK, "ann")
    await asked(scene, NIGHT, "bob")
    await asked(scene, "any mode at all?", "cyd")
    (gap,) = await grouped(scene)
    first = (await scene.gaps.askers(DEMO, gap.id))[-1]
    await scene.directory.erase_contact(DEMO, first.contact_id)
    (left,) = await scene.gaps.open_gaps(DEMO)
    assert (left.contacts, left.wordings) == (2, 2)


async def test_grouping_at_once_makes_no_second_group(scene: Scene) -> None:
    await asked(scene, DARK, "ann")
    await asked(scene, NIGHT, "bob")
    waiting = {gap: b"v" for gap, _ in await scene.gaps.ungrouped(DEMO)}
    await asyncio.gather(*(scene.gaps.group(DEMO, waiting, by_word) for _ in range(4)))
    (gap,) = await scene.gaps.open_gaps(DEMO)
    assert gap.wordings == 2


async def test_what_came_up_since(scene: Scene) -> None:
    await asked(scene, DARK)
    scene.clock.advance(timedelta(days=8))
    await asked(scene, PDF)
    since = scene.clock.now() - timedelta(days=7)
    assert [g.question for g in await scene.gaps.since(DEMO, since)] == [PDF]
