"""Leases by name: one statement takes or renews, by the database's clock."""

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.database import Database, db_now
from app.store.models import leases
from app.store.upserts import settle


class SqlLeases:
    """Port `Leases`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, name: str, holder: str, seconds: float) -> bool:
        """See the port."""

        async def change(connection: AsyncConnection) -> bool:
            done = await connection.execute(
                update(leases)
                .where(
                    leases.c.name == name,
                    or_(leases.c.holder == holder, leases.c.until < db_now()),
                )
                .values(holder=holder, until=db_now(seconds))
            )
            if done.rowcount:
                return True
            known = await connection.scalar(select(leases.c.name).where(leases.c.name == name))
            if known is not None:
                return False
            # two that come first at once: the row is unique, the loser tries again and finds it
            await connection.execute(
                insert(leases).values(name=name, holder=holder, until=db_now(seconds))
            )
            return True

        return await settle(self._database, change)

    async def drop(self, name: str, holder: str) -> None:
        """See the port."""
        async with self._database.write() as connection:
            await connection.execute(
                delete(leases).where(leases.c.name == name, leases.c.holder == holder)
            )
