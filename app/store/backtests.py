"""Backtests: what past questions would have come to, as it is found out and as it is kept."""

from collections.abc import Mapping

from sqlalchemy import RowMapping, delete, insert, select, update

from app.store.database import Database
from app.store.models import backtests
from core.clock import Clock
from core.errors import NotFoundError
from core.ids import TenantId, new_id
from core.views import BacktestRow, Page


class SqlBacktests:
    """The rows. A `summary` is what a list shows; a `report` is everything."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def start(self, tenant: TenantId, name: str, summary: Mapping[str, object]) -> str:
        """Write a new one without a report; returns its id."""
        now = self._clock.now()
        backtest = new_id("bkt", now)
        async with self._database.write() as connection:
            await connection.execute(
                insert(backtests).values(
                    id=backtest,
                    tenant=tenant,
                    name=name,
                    summary=dict(summary),
                    report={},
                    created_at=now,
                )
            )
        return backtest

    async def note(
        self,
        tenant: TenantId,
        backtest: str,
        summary: Mapping[str, object],
        report: Mapping[str, object] | None = None,
    ) -> bool:
        """Write how it stands, and the report once there is one. False when it was deleted meanwhile."""
        values: dict[str, object] = {"summary": dict(summary)}
        if report is not None:
            values["report"] = dict(report)
        async with self._database.write() as connection:
            done = await connection.execute(
                update(backtests)
                .where(backtests.c.tenant == tenant, backtests.c.id == backtest)
                .values(**values)
            )
        return done.rowcount > 0

    async def get(self, tenant: TenantId, backtest: str) -> BacktestRow:
        """Return one with its report. Raises NotFoundError."""
        async with self._database.read() as connection:
            found = await connection.execute(
                select(backtests).where(backtests.c.tenant == tenant, backtests.c.id == backtest)
            )
            row = found.mappings().first()
        if row is None:
            raise NotFoundError(f"there is no backtest {backtest!r}")
        return _row(row, row["report"])

    async def all(
        self, tenant: TenantId, after: str | None = None, limit: int = 50
    ) -> Page[BacktestRow]:
        """Return the tenant's backtests without their reports, the newest first."""
        query = (
            select(*(column for column in backtests.c if column.name != "report"))
            .where(backtests.c.tenant == tenant)
            .order_by(backtests.c.id.desc())
            .limit(limit + 1)
        )
        if after is not None:
            query = query.where(backtests.c.id < after)
        async with self._database.read() as connection:
            found = (await connection.execute(query)).mappings().all()
        items = tuple(_row(row) for row in found[:limit])
        return Page(items, items[-1].id if len(found) > limit else None)

    async def remove(self, tenant: TenantId, backtest: str) -> None:
        """Delete one. Raises NotFoundError."""
        async with self._database.write() as connection:
            done = await connection.execute(
                delete(backtests).where(backtests.c.tenant == tenant, backtests.c.id == backtest)
            )
        if done.rowcount == 0:
            raise NotFoundError(f"there is no backtest {backtest!r}")


def _row(row: RowMapping, report: Mapping[str, object] | None = None) -> BacktestRow:
    return BacktestRow(
        row["id"],
        TenantId(row["tenant"]),
        row["name"],
        row["created_at"],
        row["summary"],
        report or {},
    )
