from datetime import timedelta

import pytest

from app.store.backtests import SqlBacktests
from core.errors import NotFoundError
from tests.store.scene import DEMO, OTHER, Scene


async def test_a_backtest_is_started_noted_and_read(scene: Scene) -> None:
    store = SqlBacktests(scene.database, scene.clock)
    first = await store.start(DEMO, "June", {"status": "running", "done": 0})
    assert await store.note(DEMO, first, {"status": "running", "done": 5})
    row = await store.get(DEMO, first)
    assert (row.name, row.summary, row.report) == ("June", {"status": "running", "done": 5}, {})
    assert row.created_at == scene.clock.now()
    assert await store.note(DEMO, first, {"status": "done"}, {"rows": [{"n": 1}]})
    assert (await store.get(DEMO, first)).report == {"rows": [{"n": 1}]}


async def test_lists_are_of_one_tenant_newest_first_without_reports(scene: Scene) -> None:
    store = SqlBacktests(scene.database, scene.clock)
    made = []
    for number in range(3):
        scene.clock.advance(timedelta(seconds=1))
        made.append(await store.start(DEMO, f"run {number}", {"status": "done"}))
        await store.note(DEMO, made[-1], {"status": "done"}, {"rows": []})
    await store.start(OTHER, "theirs", {})
    page = await store.all(DEMO, limit=2)
    assert [row.name for row in page.items] == ["run 2", "run 1"]
    assert page.items[0].report == {}
    rest = await store.all(DEMO, page.cursor, limit=2)
    assert ([row.name for row in rest.items], rest.cursor) == (["run 0"], None)


async def test_another_tenants_backtest_is_not_there(scene: Scene) -> None:
    store = SqlBacktests(scene.database, scene.clock)
    theirs = await store.start(OTHER, "theirs", {})
    assert not await store.note(DEMO, theirs, {"status": "done"})
    for act in (store.get, store.remove):
        with pytest.raises(NotFoundError):
            await act(DEMO, theirs)
    await store.remove(OTHER, theirs)
    with pytest.raises(NotFoundError):
        await store.get(OTHER, theirs)
