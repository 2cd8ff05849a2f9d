"""Small keyed state: what plug-ins keep, and what writes were answered."""

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.database import Database
from app.store.models import idempotency, plugin_state
from app.store.upserts import settle
from core.clock import Clock
from core.errors import IdempotencyConflictError
from core.ids import TenantId
from core.views import SavedResponse

KEPT = timedelta(hours=24)


class SqlPluginState:
    """Port `PluginState`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def get(self, plugin: str, tenant: TenantId, key: str) -> Mapping[str, object] | None:
        """See the port."""
        async with self._database.read() as connection:
            value: Mapping[str, object] | None = await connection.scalar(
                select(plugin_state.c.value).where(
                    plugin_state.c.plugin == plugin,
                    plugin_state.c.tenant == tenant,
                    plugin_state.c.key == key,
                )
            )
            return value

    async def put(
        self, plugin: str, tenant: TenantId, key: str, value: Mapping[str, object]
    ) -> None:
        """See the port."""
        values = {"value": dict(value), "updated_at": self._clock.now()}

        async def change(connection: AsyncConnection) -> None:
            done = await connection.execute(
                update(plugin_state)
                .where(
                    plugin_state.c.plugin == plugin,
                    plugin_state.c.tenant == tenant,
                    plugin_state.c.key == key,
                )
                .values(**values)
            )
            if done.rowcount == 0:
                await connection.execute(
                    insert(plugin_state).values(plugin=plugin, tenant=tenant, key=key, **values)
                )

        await settle(self._database, change)


class SqlIdempotency:
    """Answers of writes by tenant and Idempotency-Key, for 24 hours."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def get(self, tenant: TenantId, key: str, body_hash: str) -> SavedResponse | None:
        """Return what this write was answered before. Raises IdempotencyConflictError for another body."""
        async with self._database.read() as connection:
            row = (
                await connection.execute(
                    select(idempotency).where(
                        idempotency.c.tenant == tenant,
                        idempotency.c.key == key,
                        idempotency.c.at > self._clock.now() - KEPT,
                    )
                )
            ).one_or_none()
        if row is None:
            return None
        if row.body_hash != body_hash:
            raise IdempotencyConflictError("this idempotency key came before with another body")
        return SavedResponse(row.status, row.response)

    async def put(
        self, tenant: TenantId, key: str, body_hash: str, response: SavedResponse
    ) -> SavedResponse:
        """Keep an answer; returns the one that stands, which is an earlier one when there is one.

        Raises IdempotencyConflictError when the earlier one was for another body.
        """
        now = self._clock.now()

        async def change(connection: AsyncConnection) -> None:
            where = (idempotency.c.tenant == tenant) & (idempotency.c.key == key)
            await connection.execute(
                delete(idempotency).where(where, idempotency.c.at <= now - KEPT)
            )
            if (await connection.execute(select(idempotency.c.key).where(where))).first() is None:
                await connection.execute(
                    insert(idempotency).values(
                        tenant=tenant,
                        key=key,
                        body_hash=body_hash,
                        status=response.status,
                        response=response.body,
                        at=now,
                    )
                )

        await settle(self._database, change)
        return await self.get(tenant, key, body_hash) or response

    async def sweep(self) -> int:
        """Delete what is past its time; returns how many."""
        async with self._database.write() as connection:
            done = await connection.execute(
                delete(idempotency).where(idempotency.c.at <= self._clock.now() - KEPT)
            )
            return done.rowcount
