"""One holder at a time, by the database's clock, whoever asks and however often."""

import asyncio

from sqlalchemy import update

from app.store.database import Database, db_now
from app.store.leases import SqlLeases
from app.store.models import leases


async def test_one_holds_and_renews_until_it_is_dropped(database: Database) -> None:
    held = SqlLeases(database)
    assert await held.take("listen:x", "a", 20)
    assert await held.take("listen:x", "a", 20)
    assert not await held.take("listen:x", "b", 20)
    assert await held.take("listen:y", "b", 20)
    await held.drop("listen:x", "b")
    assert not await held.take("listen:x", "b", 20)
    await held.drop("listen:x", "a")
    assert await held.take("listen:x", "b", 20)


async def test_a_lease_that_ran_out_is_taken_over_once(database: Database) -> None:
    held = SqlLeases(database)
    assert await held.take("listen:x", "dead", 20)
    async with database.write() as connection:
        await connection.execute(update(leases).values(until=db_now(-1)))
    won = await asyncio.gather(*(held.take("listen:x", f"p{n}", 20) for n in range(6)))
    assert won.count(True) == 1


async def test_of_many_first_ones_one_gets_it(database: Database) -> None:
    held = SqlLeases(database)
    won = await asyncio.gather(*(held.take("listen:x", f"p{n}", 20) for n in range(6)))
    assert won.count(True) == 1
