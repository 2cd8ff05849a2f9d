"""Alarms are rows; a sweep claims what is due, and the truth is checked again when one fires."""

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import handoffs, wishes
from app.store.database import Database
from app.store.models import alarms
from app.store.models import handoffs as handoff_table
from core.clock import Clock
from core.ports import Alarm


class SqlAlarms:
    """Port `Alarms`."""

    def __init__(self, database: Database, clock: Clock, base_url: str = "") -> None:
        self._database = database
        self._clock = clock
        self._base_url = base_url

    async def fire_due(self, limit: int = 50) -> Sequence[Alarm]:
        """See the port. What an alarm changes is in the same transaction as its mark."""
        now = self._clock.now()
        fired: list[Alarm] = []
        async with self._database.write() as connection:
            due = (
                await connection.execute(
                    select(alarms)
                    .where(alarms.c.fired_at.is_(None), alarms.c.at <= now)
                    .order_by(alarms.c.at)
                    .limit(limit)
                    .with_for_update(skip_locked=True)
                )
            ).all()
            for row in due:
                await connection.execute(
                    update(alarms).where(alarms.c.id == row.id).values(fired_at=now)
                )
                if row.kind.startswith("handoff."):
                    await self._handoff(connection, row.kind, row.payload["handoff"])
                if row.kind == wishes.REMINDER:
                    await wishes.remind(connection, row.tenant, row.payload["booking"], now)
                fired.append(
                    Alarm(tenant=row.tenant, key=row.key, kind=row.kind, payload=row.payload)
                )
        return fired

    async def _handoff(self, connection: AsyncConnection, kind: str, handoff: str) -> None:
        """Alert again at 60 s, record the breach at 120 s; nothing once somebody has claimed it."""
        now = self._clock.now()
        values = {"realerted_at": now} if kind == "handoff.realert" else {"breached_at": now}
        done = await connection.execute(
            update(handoff_table)
            .where(handoff_table.c.id == handoff, handoff_table.c.state == "requested")
            .values(**values)
        )
        if done.rowcount:
            await handoffs.show(connection, handoff, now, self._base_url, anew=True)
