"""What tenants used of language models: one row a tenant, UTC day and model.

Not here: prices and limits (app/adapters/llm_settings.py).
"""

from collections.abc import Sequence

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.database import Database
from app.store.models import model_uses
from app.store.notices import tell_team_once
from app.store.upserts import settle
from core.clock import Clock
from core.ids import ConversationId, TenantId
from core.messages import TeamCard
from core.ports import ModelUse

_COUNTS = ("calls", "failures", "tokens_in", "tokens_out")


class SqlModelUses:
    """Port `ModelUses`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def today(self, tenant: TenantId) -> Sequence[ModelUse]:
        """See the port."""
        return await self.on(tenant, self._day())

    async def on(self, tenant: TenantId, day: str) -> Sequence[ModelUse]:
        """Return the uses of a UTC day (YYYY-MM-DD), a row a model."""
        async with self._database.read() as connection:
            found = await connection.execute(
                select(model_uses.c.model, *(model_uses.c[name] for name in _COUNTS))
                .where(model_uses.c.tenant == tenant, model_uses.c.day == day)
                .order_by(model_uses.c.model)
            )
            return [ModelUse(*row) for row in found]

    async def add(self, tenant: TenantId, use: ModelUse) -> None:
        """See the port."""
        day = self._day()
        counts = {name: int(getattr(use, name)) for name in _COUNTS}

        async def change(connection: AsyncConnection) -> None:
            done = await connection.execute(
                update(model_uses)
                .where(
                    model_uses.c.tenant == tenant,
                    model_uses.c.day == day,
                    model_uses.c.model == use.model,
                )
                .values({name: model_uses.c[name] + count for name, count in counts.items()})
            )
            if done.rowcount == 0:
                await connection.execute(
                    insert(model_uses).values(tenant=tenant, day=day, model=use.model, **counts)
                )

        await settle(self._database, change)

    async def tell_spent(self, tenant: TenantId, text: str) -> bool:
        """See the port."""
        card = TeamCard(title="Language model", text=text, conversation_id=ConversationId(""))
        key = f"llm-budget:{self._day()}"
        return await tell_team_once(self._database, self._clock, tenant, key, "llm.budget", card)

    def _day(self) -> str:
        return self._clock.now().date().isoformat()
