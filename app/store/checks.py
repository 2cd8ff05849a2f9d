"""What checks read: consent by address, and the pages that editions do not have."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from app.store import rows
from app.store.database import Database
from app.store.models import consents, documents, tenants
from app.store.visibility import may_see, visible
from core.clock import Clock
from core.ids import TenantId
from core.ports import Viewer

_MOST_ADDRESSES = 50


class SqlConsents:
    """Port `Consents`, over the rows that `SqlIntake.consent` writes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def granted(
        self, tenant: TenantId, channel: str, addresses: Sequence[str]
    ) -> bool | None:
        """See the port."""
        if not addresses:
            return None
        newest = (
            select(consents.c.granted)
            .where(
                consents.c.tenant == tenant,
                consents.c.channel == channel,
                consents.c.address.in_(addresses[:_MOST_ADDRESSES]),
            )
            .order_by(consents.c.at.desc())
            .limit(1)
        )
        async with self._database.read() as connection:
            value: bool | None = await connection.scalar(newest)
            return value


class SqlFeatures:
    """Port `Features`, over the editions that pages list."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def above(self, tenant: TenantId, edition: str | None) -> Mapping[str, tuple[str, ...]]:
        """See the port."""
        viewer = Viewer(edition=edition)
        columns = documents.c.title, documents.c.editions
        async with self._database.read() as connection:
            policy = rows.policy(
                await connection.scalar(select(tenants.c.policy).where(tenants.c.id == tenant))
            )
            found = await connection.execute(
                select(*columns).where(visible(tenant, viewer, self._clock.now()))
            )
            return {
                row.title: tuple(row.editions)
                for row in found
                if row.editions and not may_see(row.editions, viewer, policy)
            }
