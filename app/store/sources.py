"""Where docs come from: one row a source, and who is syncing it now.

A run takes the row's lease by a conditional UPDATE, by the database's clock, so that two workers, or a
worker and a person, never sync one source at once. Not here: what a sync does (app/ingesting.py).
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, RowMapping, and_, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from app.store.database import Database, db_now
from app.store.models import sources
from core.clock import Clock
from core.errors import ConflictError, NotFoundError
from core.ids import TenantId, new_id
from core.views import SourceRow

LEASE_SECONDS = 600.0


class SqlSources:
    """The rows, and the lease of each."""

    def __init__(
        self, database: Database, clock: Clock, lease_seconds: float = LEASE_SECONDS
    ) -> None:
        self._database = database
        self._clock = clock
        self._lease = lease_seconds

    async def all(self, tenant: TenantId) -> Sequence[SourceRow]:
        """Return the tenant's sources, by name."""
        async with self._database.read() as connection:
            found = await connection.execute(
                select(sources).where(sources.c.tenant == tenant).order_by(sources.c.name)
            )
            return [_row(row) for row in found.mappings()]

    async def get(self, tenant: TenantId, source: str) -> SourceRow:
        """Return one, by id or by name. Raises NotFoundError."""
        async with self._database.read() as connection:
            found = await connection.execute(
                select(sources).where(
                    sources.c.tenant == tenant,
                    or_(sources.c.id == source, sources.c.name == source),
                )
            )
            row = found.mappings().first()
        if row is None:
            raise NotFoundError(f"there is no source {source!r}")
        return _row(row)

    async def add(
        self,
        tenant: TenantId,
        name: str,
        kind: str,
        location: str,
        options: Mapping[str, object],
        every_hours: float | None,
    ) -> SourceRow:
        """Make a source, due at once when it has a schedule. Raises ConflictError for a name in use."""
        values = {
            "id": new_id("src", self._clock.now()),
            "tenant": tenant,
            "name": name,
            "kind": kind,
            "location": location,
            "options": dict(options),
            "every_hours": every_hours,
            "next_at": db_now() if every_hours else None,
            "created_at": self._clock.now(),
        }
        try:
            async with self._database.write() as connection:
                made = await connection.execute(insert(sources).values(values).returning(sources))
                return _row(made.mappings().one())
        except IntegrityError as error:
            raise ConflictError(f"there is a source {name!r} already") from error

    async def change(
        self, tenant: TenantId, source: str, values: Mapping[str, object]
    ) -> SourceRow:
        """Change location, options or every_hours; a new schedule is due at once. Raises NotFoundError."""
        changed = dict(values)
        if "every_hours" in values:
            changed["next_at"] = db_now() if values["every_hours"] else None
        async with self._database.write() as connection:
            done = await connection.execute(
                update(sources)
                .where(sources.c.tenant == tenant, sources.c.id == source)
                .values(changed)
                .returning(sources)
            )
            row = done.mappings().one_or_none()
        if row is None:
            raise NotFoundError(f"there is no source {source!r}")
        return _row(row)

    async def remove(self, held: SourceRow) -> None:
        """Forget a source that the caller holds; its documents are the caller's to delete."""
        async with self._database.write() as connection:
            await connection.execute(delete(sources).where(_held(held)))

    async def claim(self, tenant: TenantId, source: str) -> SourceRow:
        """Take a source's lease. Raises ConflictError while a run has it, NotFoundError."""
        row = await self.get(tenant, source)
        claimed = await self._take(sources.c.id == row.id)
        if claimed is None:
            raise ConflictError(f"{row.name!r} is being synced")
        return claimed

    async def claim_due(self) -> SourceRow | None:
        """Take the lease of a source whose time has come, of any tenant; None when there is none."""
        due = and_(sources.c.next_at <= db_now(), _free())
        async with self._database.read() as connection:
            found = await connection.execute(
                select(sources.c.id).where(due).order_by(sources.c.next_at).limit(20)
            )
            waiting = found.scalars().all()
        for source in waiting:
            claimed = await self._take(and_(sources.c.id == source, sources.c.next_at <= db_now()))
            if claimed is not None:
                return claimed
        return None

    async def _take(self, where: ColumnElement[bool]) -> SourceRow | None:
        async with self._database.write() as connection:
            done = await connection.execute(
                update(sources)
                .where(where, _free())
                .values(lease_until=db_now(self._lease))
                .returning(sources)
            )
            row = done.mappings().one_or_none()
        return _row(row) if row else None

    async def renew(self, held: SourceRow) -> SourceRow | None:
        """Return the source with a longer lease, None when the lease was lost."""
        async with self._database.write() as connection:
            done = await connection.execute(
                update(sources)
                .where(_held(held))
                .values(lease_until=db_now(self._lease))
                .returning(sources)
            )
            row = done.mappings().one_or_none()
        return _row(row) if row else None

    async def release(
        self, held: SourceRow, report: Mapping[str, object] | None, next_hours: float | None
    ) -> None:
        """Give the lease back; with a `report`, of a run that ended just now. None for no next run."""
        values: dict[str, object] = {"lease_until": None}
        if report is not None:
            values |= {
                "last_at": self._clock.now(),
                "last_report": dict(report),
                "next_at": None if next_hours is None else db_now(next_hours * 3600),
            }
        async with self._database.write() as connection:
            await connection.execute(update(sources).where(_held(held)).values(values))


def _free() -> ColumnElement[bool]:
    return or_(sources.c.lease_until.is_(None), sources.c.lease_until < db_now())


def _held(held: SourceRow) -> ColumnElement[bool]:
    return and_(sources.c.id == held.id, sources.c.lease_until == held.lease)


def _row(row: RowMapping) -> SourceRow:
    return SourceRow(
        id=row["id"],
        tenant=TenantId(row["tenant"]),
        name=row["name"],
        kind=row["kind"],
        location=row["location"],
        options=row["options"] or {},
        every_hours=row["every_hours"],
        next_at=row["next_at"],
        last_at=row["last_at"],
        last_report=row["last_report"],
        created_at=row["created_at"],
        lease=row["lease_until"],
    )
