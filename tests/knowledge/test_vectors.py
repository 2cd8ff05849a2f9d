"""Chroma: one process a folder, rows by id, and what happens when it is lost."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import MisconfiguredError, UnavailableError
from core.ids import TenantId
from knowledge.indexer import Indexer
from knowledge.vectors import Vectors, VectorSettings, collection_name
from tests.fakes_knowledge import MemoryPassages, unit_vectors
from tests.knowledge.conftest import ACME, OTHER, document, unit


@pytest.fixture
async def vectors(tmp_path: Path) -> AsyncIterator[Vectors]:
    store = Vectors(VectorSettings(path=tmp_path / "chroma", timeout=20))
    await store.open()
    yield store
    await store.close()


@pytest.fixture
async def stored() -> MemoryPassages:
    passages = MemoryPassages()
    for number, vector in enumerate(unit_vectors(5)):
        await passages.put(ACME, document(f"{number}.md", "T", ("S", f"text {number}")), [vector])
    return passages


async def ids(vectors: Vectors, tenant: TenantId = ACME) -> set[str]:
    return set(await vectors.marks(tenant, "docs"))


async def test_nearest_first_by_cosine(vectors: Vectors) -> None:
    rows = np.stack([unit(1), unit(1, 1), unit(0, 1)])
    await vectors.upsert(ACME, "docs", ["a", "b", "c"], rows)
    found = await vectors.query(ACME, "docs", unit(1), 2)
    assert [each for each, _ in found] == ["a", "b"]
    assert found[0][1] == pytest.approx(1.0, abs=1e-5)
    assert found[1][1] == pytest.approx(0.7071, abs=1e-3)


async def test_tenants_and_kinds_are_apart(vectors: Vectors) -> None:
    await vectors.upsert(ACME, "docs", ["a"], unit(1)[None])
    assert await vectors.query(OTHER, "docs", unit(1), 3) == []
    assert await vectors.query(ACME, "facts", unit(1), 3) == []


async def test_metadata_filters_and_delete(vectors: Vectors) -> None:
    rows = np.stack([unit(1), unit(1)])
    await vectors.upsert(ACME, "facts", ["a", "b"], rows, [{"contact": "x"}, {"contact": "y"}])
    assert [
        each for each, _ in await vectors.query(ACME, "facts", unit(1), 5, {"contact": "y"})
    ] == ["b"]
    await vectors.delete(ACME, "facts", ["b", "never there"])
    assert await vectors.query(ACME, "facts", unit(1), 5, {"contact": "y"}) == []


async def test_a_second_process_is_refused_with_a_sentence(
    vectors: Vectors, tmp_path: Path
) -> None:
    code = (
        "import asyncio, pathlib\n"
        "from knowledge.vectors import Vectors, VectorSettings\n"
        f"asyncio.run(Vectors(VectorSettings(path=pathlib.Path({str(tmp_path / 'chroma')!r}))).open())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)  # noqa: ASYNC221, S603
    assert done.returncode != 0
    assert "another process uses the vector folder" in done.stderr


async def test_the_folder_is_free_again_after_close(tmp_path: Path) -> None:
    settings = VectorSettings(path=tmp_path / "chroma", timeout=20)
    first = Vectors(settings)
    await first.open()
    await first.upsert(ACME, "docs", ["a"], unit(1)[None])
    await first.close()
    second = Vectors(settings)
    await second.open()
    assert await ids(second) == {"a"}
    await second.close()


async def test_closed_or_unreachable_is_unavailable() -> None:
    with pytest.raises(UnavailableError):
        await Vectors(VectorSettings()).query(ACME, "docs", unit(1), 1)
    with pytest.raises(UnavailableError):
        await Vectors(VectorSettings(url="http://127.0.0.1:9")).open()
    with pytest.raises(MisconfiguredError):
        await Vectors(VectorSettings(url="chroma:8000")).open()


async def test_a_hanging_store_is_unavailable_in_time(
    vectors: Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = VectorSettings(path=vectors._settings.path, timeout=0.05)
    monkeypatch.setattr(vectors, "_settings", impatient)
    monkeypatch.setattr(vectors, "_collection", lambda name: time.sleep(0.5))
    with pytest.raises(UnavailableError, match="in time"):
        await vectors.query(ACME, "docs", unit(1), 1)


@pytest.mark.parametrize("tenant", ["t", "acme_1", "a b/c", "ünï", "x" * 500, "h-1", ".."])
def test_names_are_legal_and_differ(tenant: str) -> None:
    name = collection_name(TenantId(tenant), "docs")
    assert 3 <= len(name) <= 512
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
    assert name != collection_name(TenantId(tenant + "x"), "docs")


# --- the indexer -------------------------------------------------------------------------------


async def test_applying_is_idempotent(vectors: Vectors, stored: MemoryPassages) -> None:
    assert await Indexer(stored, vectors).apply(ACME) == 5
    again = Indexer(stored, vectors)
    assert await again.apply(ACME) == 0
    assert await again.apply(ACME) == 0
    assert len(await ids(vectors)) == 5
    assert stored.scans == 2


async def test_changes_and_deletions_follow(vectors: Vectors, stored: MemoryPassages) -> None:
    indexer = Indexer(stored, vectors)
    await indexer.apply(ACME)
    await stored.delete(ACME, "docs", ["0.md"])
    await stored.put(ACME, document("1.md", "T", ("S", "new")), unit_vectors(1, seed=9))
    assert await indexer.apply(ACME) == 3  # one new, two gone
    alive = {passage.id async for passage, _ in stored.scan(ACME)}
    assert await ids(vectors) == alive


async def test_half_a_run_is_finished_by_the_next(
    vectors: Vectors, stored: MemoryPassages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("knowledge.indexer.BATCH", 2)
    original, calls = vectors.upsert, []

    async def die(*args: Any, **kwargs: Any) -> None:
        calls.append(args)
        await original(*args, **kwargs)
        raise UnavailableError("killed")

    monkeypatch.setattr(vectors, "upsert", die)
    with pytest.raises(UnavailableError):
        await Indexer(stored, vectors).apply(ACME)
    monkeypatch.setattr(vectors, "upsert", original)
    assert await Indexer(stored, vectors).apply(ACME) == 3


async def test_a_collection_lost_meanwhile_is_built_anew(
    vectors: Vectors, stored: MemoryPassages
) -> None:
    indexer = Indexer(stored, vectors)
    await indexer.apply(ACME)
    await asyncio.to_thread(vectors._client.delete_collection, collection_name(ACME, "docs"))
    with pytest.raises(UnavailableError):
        await vectors.query(ACME, "docs", unit(1), 1)
    await indexer.round([ACME])
    assert len(await ids(vectors)) == 5


async def test_rebuild(vectors: Vectors, stored: MemoryPassages) -> None:
    indexer = Indexer(stored, vectors)
    await indexer.apply(ACME)
    await vectors.upsert(ACME, "docs", ["stray"], unit(1)[None])
    assert await indexer.rebuild(ACME) == 5
    assert "stray" not in await ids(vectors)


async def test_a_store_that_is_down_does_not_stop_the_round(stored: MemoryPassages) -> None:
    await Indexer(stored, Vectors(VectorSettings())).round([ACME, OTHER])


async def test_the_loop_applies_and_ends_when_cancelled(
    vectors: Vectors, stored: MemoryPassages
) -> None:

    indexer = Indexer(stored, vectors)

    applied = asyncio.Event()

    async def tenants_and_tell() -> list[TenantId]:
        if await ids(vectors):
            applied.set()
        return [ACME]

    running = asyncio.create_task(indexer.run(tenants_and_tell, every=0.01))
    await asyncio.wait_for(applied.wait(), 30)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
