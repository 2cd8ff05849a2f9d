from sqlalchemy import select

from app.store.models import document_uses
from app.store.uses import SqlUses
from core.conversations import Csm, HandoffReason
from core.effects import Escalate, OpenGap
from core.ids import CsmId, DocumentId, PassageId
from core.messages import StoredMessage
from core.ports import Viewer
from core.turns import Citation
from tests.conftest import NOON
from tests.store.scene import DEMO, OTHER, Scene
from tests.store.test_knowledge import live, page, put

TODAY = NOON.date().isoformat()


async def citing(scene: Scene, path: str = "plans.md") -> Citation:
    """Return a citation of the first passage of a page."""
    ids = await live(scene)
    found = await scene.passages.resolve(DEMO, ids, Viewer(internal=True))
    passage = next(p for p in found.values() if p.document == path)
    return Citation(1, passage.id, path, "Plans", "", "quote")


async def counted(scene: Scene) -> dict[str, dict[str, int]]:
    async with scene.database.read() as connection:
        rows = await connection.execute(select(document_uses))
        return {
            f"{row.document_id} {row.day}": {
                kind: getattr(row, kind)
                for kind in ("answers", "liked", "disliked", "handed_over")
                if getattr(row, kind)
            }
            for row in rows
        }


async def answered(scene: Scene, *citations: Citation, **more: object) -> StoredMessage:
    accepted = await scene.says("What plans are there?")
    (message,) = await scene.answers(accepted, "These. [1]", citations=citations, **more)  # type: ignore[arg-type] # a test's own fields
    await scene.sends()
    return message


async def test_a_committed_answer_counts_each_page_it_cites_once(scene: Scene) -> None:
    plans, other = await put(scene, page()), await put(scene, page("other.md"))
    cited = await citing(scene), await citing(scene), await citing(scene, "other.md")
    await answered(scene, *cited)
    await answered(scene, cited[0])
    assert await counted(scene) == {
        f"{plans} {TODAY}": {"answers": 2}, f"{other} {TODAY}": {"answers": 1},
    }  # fmt: skip


async def test_a_mark_counts_in_place_of_the_one_before(scene: Scene) -> None:
    document = await put(scene, page())
    message = await answered(scene, await citing(scene))
    for mark, kinds in (
        ("up", {"answers": 1, "liked": 1}),
        ("5", {"answers": 1, "liked": 1}),
        ("down", {"answers": 1, "disliked": 1}),
        ("3", {"answers": 1}),
    ):
        await scene.reads.feedback(DEMO, message.conversation_id, message.id, mark)
        assert await counted(scene) == {f"{document} {TODAY}": kinds}


async def test_a_page_made_anew_is_known_by_its_path(scene: Scene) -> None:
    document = await put(scene, page())
    message = await answered(scene, await citing(scene))
    await put(scene, page(digest="newer"))
    await scene.reads.feedback(DEMO, message.conversation_id, message.id, "up")
    assert await counted(scene) == {f"{document} {TODAY}": {"answers": 1, "liked": 1}}


async def test_a_handoff_or_no_help_right_after_an_answer(scene: Scene) -> None:
    document = await put(scene, page())
    await answered(scene, await citing(scene))
    accepted = await scene.says("That did not help.")
    await scene.answers(accepted, "Sorry.", effects=(OpenGap("plans", "disliked"),))
    assert await counted(scene) == {f"{document} {TODAY}": {"answers": 1, "disliked": 1}}
    await answered(scene, await citing(scene))
    accepted = await scene.says("I want a person.")
    handoff = Escalate(HandoffReason.ASKED), OpenGap("plans", "disliked")
    await scene.answers(accepted, "One moment.", effects=handoff)
    assert await counted(scene) == {
        f"{document} {TODAY}": {"answers": 2, "disliked": 1, "handed_over": 1}
    }


async def test_a_draft_counts_when_a_person_sends_it(scene: Scene) -> None:
    document = await put(scene, page())
    message = await answered(scene, await citing(scene), proposed=True)
    assert await counted(scene) == {}
    csm = Csm(CsmId("csm_1"), "Maya", "maya@lumen.example")
    await scene.humans.decide_draft(DEMO, message.id, csm, "send", None)
    assert await counted(scene) == {f"{document} {TODAY}": {"answers": 1}}


async def test_a_discarded_draft_counts_nothing(scene: Scene) -> None:
    await put(scene, page())
    message = await answered(scene, await citing(scene), proposed=True)
    csm = Csm(CsmId("csm_1"), "Maya", "maya@lumen.example")
    await scene.humans.decide_draft(DEMO, message.id, csm, "discard", None)
    assert await counted(scene) == {}


async def test_uses_are_kept_by_day_and_tenant(scene: Scene) -> None:
    document = DocumentId(await put(scene, page()))
    uses = SqlUses(scene.database)
    await uses.record_use(DEMO, [document, document, DocumentId("doc_none")], NOON.date(), "liked")
    await uses.record_use(OTHER, [document], NOON.date(), "liked")
    await uses.record_use(DEMO, [document], NOON.date().replace(day=5), "handed_over")
    assert await counted(scene) == {
        f"{document} {TODAY}": {"liked": 1}, f"{document} 2026-03-05": {"handed_over": 1},
    }  # fmt: skip


async def test_a_citation_of_nothing_known_counts_nothing(scene: Scene) -> None:
    await answered(scene, Citation(1, PassageId("psg_none"), "none.md", "", "", ""))
    assert await counted(scene) == {}
