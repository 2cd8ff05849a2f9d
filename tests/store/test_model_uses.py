"""What tenants used of models, and the one card when a budget is spent."""

import asyncio
from datetime import timedelta

from sqlalchemy import func, select

from app.store.database import Database
from app.store.model_uses import SqlModelUses
from app.store.models import outbox
from core.clock import FrozenClock
from core.ids import TenantId
from core.ports import ModelUse
from tests.store.scene import Scene

DEMO, OTHER = TenantId("demo"), TenantId("other")


async def test_uses_add_up_by_day_model_and_tenant(
    database: Database, scene: Scene, clock: FrozenClock
) -> None:
    uses = SqlModelUses(database, clock)
    await asyncio.gather(*[uses.add(DEMO, ModelUse("a", 1, 0, 100, 10)) for _ in range(5)])
    await uses.add(DEMO, ModelUse("b", 1, 1, 7, 0))
    await uses.add(OTHER, ModelUse("a", 1, 0, 3, 3))
    today = [ModelUse("a", 5, 0, 500, 50), ModelUse("b", 1, 1, 7, 0)]
    assert list(await uses.today(DEMO)) == today
    assert list(await uses.today(OTHER)) == [ModelUse("a", 1, 0, 3, 3)]
    day = clock.now().date().isoformat()
    clock.advance(timedelta(days=1))
    assert list(await uses.today(DEMO)) == []
    assert list(await uses.on(DEMO, day)) == today


async def test_the_team_is_told_once_a_day(
    database: Database, scene: Scene, clock: FrozenClock
) -> None:
    uses = SqlModelUses(database, clock)
    told = await asyncio.gather(*[uses.tell_spent(DEMO, "spent") for _ in range(4)])
    assert sorted(told) == [False, False, False, True]
    assert await uses.tell_spent(OTHER, "spent"), "each tenant by itself"
    clock.advance(timedelta(days=1))
    assert await uses.tell_spent(DEMO, "spent")


async def test_the_card_goes_to_the_teams_inboxes_only(
    database: Database, scene: Scene, clock: FrozenClock
) -> None:
    await scene.directory.ensure_inbox(DEMO, "slack", "C-team", "team", "")
    await SqlModelUses(database, clock).tell_spent(DEMO, "spent")
    async with database.read() as connection:
        rows = (await connection.execute(select(outbox.c.channel, outbox.c.payload))).all()
        count = await connection.scalar(select(func.count()).select_from(outbox))
    assert count == 1
    assert rows[0].channel == "slack"
    assert rows[0].payload["card"]["title"] == "Language model"
