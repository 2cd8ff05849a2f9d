"""Hybrid search: who may see what, what is stale, what happens with half of it down."""

from typing import Any

import numpy as np
import pytest

from core.errors import UnavailableError
from core.ids import TenantId
from core.ports import Viewer
from core.understanding import Said
from knowledge import index as index_module
from knowledge.encoder import Encoder
from knowledge.fusion import FIRST_PLACES
from knowledge.index import Indexes
from knowledge.retriever import HybridRetriever
from tests.fakes_knowledge import MemoryPassages
from tests.knowledge.conftest import ACME, OTHER, document, fill

ANYBODY = Viewer()


async def documents(
    retriever: HybridRetriever, query: str, viewer: Viewer = ANYBODY, tenant: TenantId = ACME
) -> list[str]:
    return [each.document for each in await retriever.search(tenant, query, [], viewer, 8)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("how much is gold per month", "prices.md"),
        ("download my project as CSV", "export.md"),
        ("how long can I get a deleted thing back", "trash.md"),
        ("my colleague's invitation ran out", "team.md"),
        ("dónde descargo mis facturas", "es/facturas.md"),
    ],
)
async def test_the_right_page_is_first(
    retriever: HybridRetriever, query: str, expected: str
) -> None:
    assert (await documents(retriever, query))[0] == expected


async def test_scores_fall_from_one_within_bounds(retriever: HybridRetriever) -> None:
    scores = [each.score for each in await retriever.search(ACME, "gold price", [], ANYBODY)]
    assert scores == sorted(scores, reverse=True)
    assert 1 >= scores[0] > scores[-1] >= 0


@pytest.mark.parametrize(
    ("viewer", "query", "page", "seen"),
    [
        (Viewer(), "refund double charges in the ledger", "runbook.md", False),
        (Viewer(internal=True), "refund double charges in the ledger", "runbook.md", True),
        (Viewer(edition="basic"), "set up SAML single sign-on", "sso.md", False),
        (Viewer(edition="gold"), "set up SAML single sign-on", "sso.md", True),
    ],
)
async def test_what_a_viewer_may_not_see_is_not_found(
    retriever: HybridRetriever, viewer: Viewer, query: str, page: str, seen: bool
) -> None:
    assert (page in await documents(retriever, query, viewer)) is seen


async def test_hidden_pages_leave_their_places_to_others(retriever: HybridRetriever) -> None:
    found = await retriever.search(
        ACME, "set up SAML single sign-on", [], Viewer(edition="basic"), 5
    )
    assert len(found) == 5


async def test_no_tenant_sees_anothers(retriever: HybridRetriever) -> None:
    assert "secret.md" not in await documents(retriever, "secret price of Basic")
    assert await documents(retriever, "price", tenant=OTHER) == ["secret.md"]
    assert await documents(retriever, "price", tenant=TenantId("nobody")) == []


async def test_an_id_that_no_longer_resolves_is_dropped(
    retriever: HybridRetriever, passages: MemoryPassages
) -> None:
    gone = (await retriever.search(ACME, "gold price", [], ANYBODY))[0]
    passages.hidden.add(gone.id)  # deleted in SQL, still in the index
    assert gone.id not in {
        each.id for each in await retriever.search(ACME, "gold price", [], ANYBODY)
    }


async def test_a_change_is_found_once_the_index_is_fresh(
    passages: MemoryPassages, encoder: Encoder
) -> None:
    indexes = Indexes(passages)
    retriever = HybridRetriever(passages, indexes, None, encoder)
    await documents(retriever, "kiosk mode")
    await fill(
        encoder,
        ACME,
        [document("kiosk.md", "Kiosk", ("Kiosk mode", "Kiosk mode locks a screen."))],
        passages,
    )
    await indexes.fresh(ACME)
    assert (await documents(retriever, "kiosk mode"))[0] == "kiosk.md"
    await passages.delete(ACME, "docs", ["kiosk.md"])  # silent at once, whatever the index knows
    assert "kiosk.md" not in await documents(retriever, "kiosk mode")


async def test_many_hidden_passages_do_not_eat_the_places_of_others(
    passages: MemoryPassages, encoder: Encoder
) -> None:
    hidden = [
        document(f"staff/{n}.md", "Refunds", ("", f"Refund rule {n}: refund it."), internal=True)
        for n in range(60)
    ]
    await fill(encoder, ACME, hidden, passages)
    retriever = HybridRetriever(passages, Indexes(passages), None, encoder)
    found = await documents(retriever, "refund rule")
    assert len(found) == 8
    assert not [each for each in found if each.startswith("staff/")]


async def test_after_the_first_places_every_page_comes_before_second_passages(
    passages: MemoryPassages, encoder: Encoder
) -> None:
    long = document("long.md", "Gizmo", *[(f"Gizmo {n}", f"gizmo number {n}") for n in range(9)])
    await fill(encoder, ACME, [long], passages)
    found = await HybridRetriever(passages, Indexes(passages), None, encoder).search(
        ACME, "gizmo number", [], ANYBODY, 8
    )
    pages = [each.document for each in found]
    assert pages[:FIRST_PLACES] == ["long.md"] * FIRST_PLACES
    assert len(set(pages)) == 1 + len(pages) - FIRST_PLACES


async def test_nothing_is_built_twice_without_a_change(
    retriever: HybridRetriever, passages: MemoryPassages
) -> None:
    await documents(retriever, "price")
    await documents(retriever, "trash")
    assert passages.scans == 1


async def test_the_last_turn_leans_on_the_one_before(retriever: HybridRetriever) -> None:
    talk = [
        Said("customer", "How long do deleted items stay in the trash on Basic?"),
        Said("bot", "7 days."),
    ]
    found = await retriever.search(ACME, "And on Gold?", talk, ANYBODY)
    assert found[0].document == "trash.md"


async def test_the_same_text_from_two_pages_comes_once(
    retriever: HybridRetriever, passages: MemoryPassages, encoder: Encoder
) -> None:
    twin = document(
        "copy.md",
        "Trash",
        (
            "Restore items",
            "Deleted items stay in the trash for 7 days on Basic. On Gold they stay 60 days.",
        ),
    )
    await fill(encoder, ACME, [twin], passages)
    texts = [each.text for each in await retriever.search(ACME, "trash deleted items", [], ANYBODY)]
    assert len(texts) == len(set(texts))


async def test_a_story_finds_a_page_for_each_matter(retriever: HybridRetriever) -> None:
    story = (
        "Hello there, I have been a customer for some years and there are several matters today. "
        "First I would like to know whether charities get a discount on a plan. "
        "Then my colleague said that deleted items can be brought back from the trash, for how long? "
        "Finally, I have to hand a project over, so tell me how I export it as a CSV file, please."
    )
    found = (await documents(retriever, story))[:4]
    assert {"prices.md", "trash.md", "export.md"} <= set(found)


@pytest.mark.parametrize(
    "query", ["", "   ", "?", "🙂", "x" * 100_000, "\ud800", "SELECT * FROM t;"]
)
async def test_odd_queries_do_no_harm(retriever: HybridRetriever, query: str) -> None:
    assert len(await retriever.search(ACME, query, [], ANYBODY, 3)) <= 3


# --- beyond the matrix the vector store answers --------------------------------------------------


class Store:
    """Answers as Chroma does, or not at all."""

    def __init__(self, hits: list[tuple[str, float]] | None) -> None:
        self._hits = hits

    async def query(self, *_: Any, **__: Any) -> list[tuple[str, float]]:
        if self._hits is None:
            raise UnavailableError("down")
        return self._hits


@pytest.fixture
def too_many_for_the_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "MATRIX_ROWS", 0)


@pytest.mark.usefixtures("too_many_for_the_matrix")
async def test_the_store_decides_with_the_words(passages: MemoryPassages, encoder: Encoder) -> None:
    wanted = next(
        each.id
        for _, stored in passages.documents.items()
        for each in stored.passages
        if each.document == "trash.md"
    )
    store: Any = Store([(str(wanted), 0.9), ("psg_deleted", 0.8), ("x", 0.1)])
    found = await HybridRetriever(passages, Indexes(passages), store, encoder).look(
        ACME, "zzz", [], ANYBODY
    )
    assert found.passages[0].document == "trash.md"
    assert not found.degraded


@pytest.mark.usefixtures("too_many_for_the_matrix")
@pytest.mark.parametrize("store", [Store(None), None])
async def test_without_the_store_words_alone_answer(
    passages: MemoryPassages, encoder: Encoder, store: Any
) -> None:
    retriever = HybridRetriever(passages, Indexes(passages), store, encoder)
    found = await retriever.look(ACME, "items in the trash", [], ANYBODY)
    assert found.degraded
    assert found.passages[0].document == "trash.md"


async def test_damaged_vectors_do_not_break_the_search(
    passages: MemoryPassages, encoder: Encoder
) -> None:
    await passages.put(ACME, document("bad.md", "Bad", ("Bad", "a damaged gizmo")), [b"\x00\x01"])
    retriever = HybridRetriever(passages, Indexes(passages), None, encoder)
    found = await retriever.look(ACME, "damaged gizmo", [], ANYBODY)
    assert found.passages[0].document == "bad.md"
    assert np.isfinite(list(found.cosines.values())).all()
