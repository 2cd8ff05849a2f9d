import asyncio

import pytest
from sqlalchemy import update

from app.store.database import Database, db_now
from app.store.models import sources
from app.store.sources import SqlSources
from core.clock import FrozenClock
from core.errors import ConflictError, NotFoundError
from core.views import SourceRow
from tests.conftest import NOON
from tests.store.scene import DEMO, OTHER, Scene


@pytest.fixture
def store(scene: Scene, clock: FrozenClock) -> SqlSources:
    return SqlSources(scene.database, clock)


async def add(store: SqlSources, name: str = "site", hours: float | None = 24) -> SourceRow:
    return await store.add(DEMO, name, "site", "https://x.test/", {"depth": 3}, hours)


async def later(database: Database, **hours: float) -> None:
    """Let hours pass for these columns of every source."""
    async with database.write() as connection:
        await connection.execute(
            update(sources).values({name: db_now(-3600 * h) for name, h in hours.items()})
        )


async def test_sources_are_kept_changed_and_found_by_name(store: SqlSources) -> None:
    made = await add(store)
    assert (made.options, made.every_hours, made.lease) == ({"depth": 3}, 24, None)
    assert await store.get(DEMO, "site") == await store.get(DEMO, made.id) == made
    changed = await store.change(DEMO, made.id, {"every_hours": None, "options": {"depth": 1}})
    assert (changed.next_at, changed.options) == (None, {"depth": 1})
    assert await store.all(DEMO) == [changed]
    assert await store.all(OTHER) == []
    with pytest.raises(ConflictError):
        await add(store)
    for call in (store.get(OTHER, made.id), store.change(OTHER, made.id, {"options": {}})):
        with pytest.raises(NotFoundError):
            await call


async def test_a_source_with_a_schedule_is_due_at_once_and_then_after_its_hours(
    store: SqlSources, scene: Scene
) -> None:
    await add(store, "by hand", None)
    made = await add(store)
    held = await store.claim_due()
    assert held is not None
    assert (held.id, held.lease is not None) == (made.id, True)
    assert await store.claim_due() is None
    await store.release(held, {"added": 1}, 24)
    row = await store.get(DEMO, made.id)
    assert (row.last_report, row.last_at, row.lease) == ({"added": 1}, NOON, None)
    assert await store.claim_due() is None
    await later(scene.database, next_at=0)
    assert await store.claim_due() is not None


async def test_two_workers_never_take_one_source(store: SqlSources) -> None:
    await asyncio.gather(*(add(store, f"source {n}") for n in range(3)))
    taken = await asyncio.gather(*(store.claim_due() for _ in range(8)))
    ids = [row.id for row in taken if row]
    assert len(ids) == len(set(ids))
    left = [row.id for row in [await store.claim_due() for _ in range(4)] if row]
    assert len(ids) + len(left) == 3


async def test_a_person_and_a_worker_do_not_sync_at_once(store: SqlSources) -> None:
    made = await add(store)
    held = await store.claim(DEMO, made.name)
    with pytest.raises(ConflictError):
        await store.claim(DEMO, made.id)
    assert await store.claim_due() is None
    await store.release(held, None, None)
    row = await store.get(DEMO, made.id)
    assert (row.last_report, row.last_at) == (None, None)
    assert await store.claim_due() is not None  # nothing was reported: still due


async def test_a_lease_that_ran_out_is_anothers_and_cannot_be_used(
    store: SqlSources, scene: Scene
) -> None:
    await add(store)
    held = await store.claim_due()
    assert held is not None
    longer = await store.renew(held)
    assert longer is not None
    assert longer.lease != held.lease
    assert await store.renew(held) is None
    await later(scene.database, lease_until=1)
    other = await store.claim_due()
    assert other is not None
    await store.release(longer, {"late": True}, 24)
    await store.remove(longer)
    row = await store.get(DEMO, other.id)
    assert (row.lease, row.last_report) == (other.lease, None)
    await store.remove(other)
    assert await store.all(DEMO) == []
