"""Writing alarms inside the caller's transaction. Not here: firing them (alarms.py)."""

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.models import alarms
from core.effects import SetAlarm
from core.ids import new_id


async def set_alarm(connection: AsyncConnection, tenant: str, effect: SetAlarm) -> None:
    """Write an alarm row; the same key moves it."""
    done = await connection.execute(
        update(alarms)
        .where(alarms.c.tenant == tenant, alarms.c.key == effect.key)
        .values(at=effect.at, payload=dict(effect.payload), kind=effect.kind, fired_at=None)
    )
    if done.rowcount == 0:
        await connection.execute(
            insert(alarms).values(
                id=new_id("alm", effect.at),
                tenant=tenant,
                key=effect.key,
                kind=effect.kind,
                payload=dict(effect.payload),
                at=effect.at,
            )
        )
