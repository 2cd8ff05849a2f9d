"""The window, the form's copy, and facts found again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.ids import ContactId, ConversationId, TenantId
from core.understanding import Said
from knowledge.encoder import Encoder
from knowledge.recall import FactRecall
from knowledge.short_memory import ShortMemory
from knowledge.vectors import Vectors, VectorSettings
from tests.fakes_knowledge import MemoryCache, MemoryFacts, fact
from tests.knowledge.conftest import ACME, OTHER

TALK = ConversationId("cnv_1")
ADA = ContactId("ada")


async def test_the_window_keeps_the_last_turns() -> None:
    cache = MemoryCache()
    memory = ShortMemory(cache, turns=2, window_ttl=60)
    said = [Said("customer", "hi"), Said("bot", "hello"), Said("human", "¿qué tal? 🙂")]
    await memory.put_window(ACME, TALK, said)
    assert await memory.get_window(ACME, TALK) == tuple(said[1:])
    assert list(cache.ttls.values()) == [60]


async def test_windows_of_tenants_are_apart() -> None:
    memory = ShortMemory(MemoryCache())
    await memory.put_window(ACME, TALK, [Said("customer", "hi")])
    assert await memory.get_window(OTHER, TALK) is None


@pytest.mark.parametrize("raw", ["", "{", "7", "[[1]]", '[["alien","hi"]]', '{"a": 1}', "[1]"])
async def test_a_damaged_window_is_unknown(raw: str) -> None:
    cache = MemoryCache()
    memory = ShortMemory(cache)
    await memory.put_window(ACME, TALK, [Said("customer", "hi")])
    cache.values = dict.fromkeys(cache.values, raw)
    assert await memory.get_window(ACME, TALK) is None


async def test_the_form_is_copied_and_dropped() -> None:
    memory = ShortMemory(MemoryCache())
    await memory.put_form(ACME, TALK, {"name": "book", "slots": {"day": "tuesday"}})
    assert await memory.get_form(ACME, TALK) == {"name": "book", "slots": {"day": "tuesday"}}
    await memory.put_form(ACME, TALK, {})
    assert await memory.get_form(ACME, TALK) is None


async def test_forgetting_drops_both() -> None:
    cache = MemoryCache()
    memory = ShortMemory(cache)
    await memory.put_window(ACME, TALK, [Said("customer", "hi")])
    await memory.put_form(ACME, TALK, {"name": "book"})
    await memory.forget(ACME, TALK)
    assert cache.values == {}


async def test_a_cache_that_is_down_knows_nothing() -> None:
    memory = ShortMemory(MemoryCache(down=True))
    await memory.put_window(ACME, TALK, [Said("customer", "hi")])
    assert await memory.get_window(ACME, TALK) is None


# --- facts ---------------------------------------------------------------------------------------


@pytest.fixture
async def vectors(tmp_path: Path) -> AsyncIterator[Vectors]:
    store = Vectors(VectorSettings(path=tmp_path / "chroma", timeout=20))
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def facts() -> MemoryFacts:
    stored = MemoryFacts()
    stored.add(ACME, fact("ada", "preferred_session_time", "Tuesday mornings"))
    stored.add(ACME, fact("ada", "crm", "they use Salesforce for their customers"))
    stored.add(ACME, fact("ada", "team_size", "40 people"))
    stored.add(ACME, fact("bob", "preferred_session_time", "Friday at noon"))
    stored.add(OTHER, fact("ada", "preferred_session_time", "never"))
    return stored


async def recalled(
    recall: FactRecall, query: str, tenant: TenantId = ACME, k: int = 1
) -> list[str]:
    return [each.value for each in await recall.recall(tenant, ADA, query, k)]


async def test_the_nearest_fact_of_this_contact(
    facts: MemoryFacts, vectors: Vectors, encoder: Encoder
) -> None:
    recall = FactRecall(facts, vectors, encoder)
    for _, each in facts.facts:
        await recall.index(ACME, each)
    assert await recalled(recall, "when do they like to have a training session?") == [
        "Tuesday mornings"
    ]
    assert await recalled(recall, "which CRM do they work with?") == [
        "they use Salesforce for their customers"
    ]


async def test_facts_never_indexed_are_found_and_indexed(
    facts: MemoryFacts, vectors: Vectors, encoder: Encoder
) -> None:
    recall = FactRecall(facts, vectors, encoder)
    assert await recalled(recall, "what time suits them for a session?") == ["Tuesday mornings"]
    assert len(await vectors.marks(ACME, "facts")) == 3


async def test_a_forgotten_fact_is_not_recalled_though_its_vector_stands(
    facts: MemoryFacts, vectors: Vectors, encoder: Encoder
) -> None:
    recall = FactRecall(facts, vectors, encoder)
    await recalled(recall, "session")
    await facts.forget(ACME, ADA, "preferred_session_time")
    assert "Tuesday mornings" not in await recalled(recall, "preferred session time", k=3)


async def test_forgetting_removes_vectors(
    facts: MemoryFacts, vectors: Vectors, encoder: Encoder
) -> None:
    recall = FactRecall(facts, vectors, encoder)
    await recalled(recall, "session")
    await recall.forget(ACME, await facts.all(ACME, ADA))
    assert await vectors.marks(ACME, "facts") == {}


@pytest.mark.parametrize("store", [None, Vectors(VectorSettings())])
async def test_recall_works_without_the_store(
    facts: MemoryFacts, encoder: Encoder, store: Vectors | None
) -> None:
    recall = FactRecall(facts, store, encoder)
    assert await recalled(recall, "preferred session time") == ["Tuesday mornings"]
    await recall.index(ACME, facts.facts[0][1])
    await recall.forget(ACME, [facts.facts[0][1]])


async def test_what_has_nothing_to_do_with_it_is_not_recalled(
    facts: MemoryFacts, encoder: Encoder
) -> None:
    recall = FactRecall(facts, None, encoder)
    assert await recalled(recall, "purple elephants dance on volcanoes", k=3) == []
    assert await recalled(recall, "  ") == []
