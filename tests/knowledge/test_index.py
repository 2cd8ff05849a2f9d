"""The index in memory: built beside the old one, never in the way."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from core.errors import UnavailableError
from core.ids import TenantId
from core.turns import Passage
from knowledge import index as index_module
from knowledge import lexical
from knowledge.index import Indexes
from knowledge.postings import Entry
from tests.fakes_knowledge import MemoryPassages, unit_vectors
from tests.knowledge.conftest import ACME, document


class Slow(MemoryPassages):
    """Passages whose scan waits until it is let go, or breaks."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()
        self.broken = False

    async def scan(self, tenant: TenantId) -> AsyncIterator[tuple[Passage, bytes]]:
        await self.gate.wait()
        if self.broken:
            raise UnavailableError("down")
        async for pair in super().scan(tenant):
            yield pair


async def put(passages: MemoryPassages, *paths: str) -> None:
    for path in paths:
        page = document(path, path, ("", f"text of {path}"))
        await passages.put(ACME, page, unit_vectors(1, seed=len(path)))


@pytest.fixture
async def passages() -> Slow:
    stored = Slow()
    await put(stored, "one.md")
    return stored


@pytest.fixture
async def indexes(passages: Slow) -> AsyncIterator[Indexes]:
    held = Indexes(passages)
    yield held
    await held.close()


async def test_the_old_index_serves_while_a_newer_one_is_built(
    passages: Slow, indexes: Indexes
) -> None:
    old = await indexes.get(ACME)
    await put(passages, "second.md")
    passages.gate.clear()
    assert await indexes.get(ACME) is old
    assert await indexes.get(ACME) is old  # still the same build, no second one
    passages.gate.set()
    assert len((await indexes.fresh(ACME)).ids) == 2
    assert len((await indexes.get(ACME)).ids) == 2
    assert passages.scans == 2


async def test_a_quick_build_is_waited_for(
    passages: Slow, indexes: Indexes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "PATIENCE", 60.0)
    await indexes.get(ACME)
    await put(passages, "second.md")
    assert len((await indexes.get(ACME)).ids) == 2


async def test_a_failed_build_leaves_the_old_index(passages: Slow, indexes: Indexes) -> None:
    old = await indexes.get(ACME)
    await put(passages, "second.md")
    passages.broken = True
    assert await indexes.get(ACME) is old
    with pytest.raises(UnavailableError):
        await indexes.fresh(ACME)
    passages.broken = False
    assert len((await indexes.fresh(ACME)).ids) == 2


async def test_what_did_not_change_is_not_read_again(
    passages: Slow, indexes: Indexes, monkeypatch: pytest.MonkeyPatch
) -> None:
    await indexes.get(ACME)
    await put(passages, "second.md")
    read: list[str] = []

    def count(passage: Passage) -> Entry:
        read.append(passage.document)
        return lexical.read(passage)

    monkeypatch.setattr("knowledge.index.read", count)
    await indexes.fresh(ACME)
    assert read == ["second.md"]


async def test_during_a_long_sync_builds_leave_room(
    passages: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    indexes = Indexes(passages, lambda: clock[0])
    await indexes.get(ACME)
    await put(passages, "second.md")
    passages.gate.clear()
    await indexes.get(ACME)  # begins a build
    clock[0] += 4  # that takes four seconds
    passages.gate.set()
    monkeypatch.setattr(index_module, "PATIENCE", 60.0)
    assert len((await indexes.get(ACME)).ids) == 2  # waits for its end
    await put(passages, "thirds.md")
    clock[0] += 3
    assert len((await indexes.get(ACME)).ids) == 2
    clock[0] += 2
    assert len((await indexes.get(ACME)).ids) == 3


async def test_tenants_not_asked_for_long_are_dropped(
    passages: Slow, indexes: Indexes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "MAX_TENANTS", 2)
    for tenant in (ACME, TenantId("b"), ACME, TenantId("c"), ACME):
        await indexes.get(tenant)
    assert passages.scans == 3
    await indexes.get(TenantId("b"))
    assert passages.scans == 4
