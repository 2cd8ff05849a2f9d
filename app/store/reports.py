"""What the weekly knowledge report reads of documents, and its card to the team, once a week.

Not here: counting uses (the port `DocumentUses`), gaps (gaps.py), what the report says (app/reporting.py).
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    Integer,
    RowMapping,
    Select,
    and_,
    cast,
    func,
    or_,
    select,
    tuple_,
)

from app.store.database import Database
from app.store.models import document_uses, documents, passages
from app.store.notices import tell_team_once
from core.clock import Clock
from core.ids import DocumentId, TenantId
from core.messages import TeamCard
from core.views import LibraryRow, Page, PageUse

ENOUGH_ANSWERS = 5
DISLIKED_SHARE = 0.2


class SqlReports:
    """Read models of documents' fortunes, and the mark that a week was reported."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def idle(
        self, tenant: TenantId, since: date, before: datetime, limit: int = 50
    ) -> tuple[int, Sequence[PageUse]]:
        """Return how many public pages older than `before` answered nothing since a day, and the oldest."""
        uses = _uses(tenant, since).subquery()
        where = and_(
            documents.c.tenant == tenant,
            documents.c.deleted_at.is_(None),
            documents.c.internal.is_(False),
            documents.c.updated_at < before,
            func.coalesce(uses.c.answers, 0) == 0,
        )
        joined = documents.outerjoin(uses, uses.c.document_id == documents.c.id)
        async with self._database.read() as connection:
            count = await connection.scalar(select(func.count()).select_from(joined).where(where))
            found = await connection.execute(
                select(documents)
                .select_from(joined)
                .where(where)
                .order_by(documents.c.updated_at, documents.c.path)
                .limit(limit)
            )
            pages = [
                PageUse(DocumentId(r.id), r.path, r.title, r.source, r.updated_at) for r in found
            ]
        return count or 0, pages

    async def disliked(self, tenant: TenantId, since: date, limit: int = 20) -> Sequence[PageUse]:
        """Return pages that answered often since a day and were disliked often, the worst first."""
        found = [
            use
            for use in await self.used(tenant, since)
            if use.answers >= ENOUGH_ANSWERS
            and use.disliked + use.handed_over >= DISLIKED_SHARE * use.answers
        ]
        worst = sorted(found, key=lambda use: (-(use.disliked + use.handed_over), use.path))
        return worst[:limit]

    async def used(self, tenant: TenantId, since: date) -> Sequence[PageUse]:
        """Return the live pages that answered since a day, those that answered most first."""
        uses = _uses(tenant, since).subquery()
        async with self._database.read() as connection:
            found = await connection.execute(
                select(documents, uses)
                .join(uses, uses.c.document_id == documents.c.id)
                .where(documents.c.tenant == tenant, documents.c.deleted_at.is_(None))
                .order_by(uses.c.answers.desc(), documents.c.id)
            )
            return [
                PageUse(
                    DocumentId(r.id),
                    r.path,
                    r.title,
                    r.source,
                    r.updated_at,
                    r.answers,
                    r.liked,
                    r.disliked,
                    r.handed_over,
                )
                for r in found
            ]

    async def library(
        self,
        tenant: TenantId,
        since: date,
        source: str | None = None,
        search: str = "",
        after: str | None = None,
        limit: int = 100,
    ) -> Page[LibraryRow]:
        """Return live documents by source and path, with their uses since a day; `search` is in title or path."""
        uses = _uses(tenant, since).subquery()
        count = (
            select(func.count())
            .where(passages.c.document_id == documents.c.id)
            .correlate(documents)
            .scalar_subquery()
            .label("passages")
        )
        names = ("answers", "liked", "disliked", "handed_over")
        query = (
            select(documents, count, *(func.coalesce(uses.c[n], 0).label(n) for n in names))
            .select_from(documents.outerjoin(uses, uses.c.document_id == documents.c.id))
            .where(documents.c.tenant == tenant, documents.c.deleted_at.is_(None))
            .order_by(documents.c.source, documents.c.path, documents.c.id)
        )
        if source is not None:
            query = query.where(documents.c.source == source)
        if search:
            query = query.where(
                or_(
                    documents.c.title.icontains(search, autoescape=True),
                    documents.c.path.icontains(search, autoescape=True),
                )
            )
        async with self._database.read() as connection:
            if after is not None:
                last = (
                    await connection.execute(
                        select(documents.c.source, documents.c.path, documents.c.id).where(
                            documents.c.tenant == tenant, documents.c.id == after
                        )
                    )
                ).one_or_none()
                if last is None:
                    return Page(())
                here = tuple_(documents.c.source, documents.c.path, documents.c.id)
                query = query.where(here > tuple(last))
            found = (await connection.execute(query.limit(limit + 1))).mappings().all()
        items = tuple(_library(row) for row in found[:limit])
        return Page(items, items[-1].id if len(found) > limit else None)

    async def by_source(self, tenant: TenantId) -> Mapping[str, int]:
        """Return source → number of its live documents."""
        async with self._database.read() as connection:
            found = await connection.execute(
                select(documents.c.source, func.count())
                .where(documents.c.tenant == tenant, documents.c.deleted_at.is_(None))
                .group_by(documents.c.source)
                .order_by(documents.c.source)
            )
            return {source: count for source, count in found.all()}  # noqa: C416 - rows to a dict

    async def tell(self, tenant: TenantId, week: str, card: TeamCard) -> bool:
        """Queue the week's card to every team inbox, together with its mark; False when it was queued before."""
        key = f"report:{week}"
        return await tell_team_once(self._database, self._clock, tenant, key, "report.weekly", card)


def _library(row: RowMapping) -> LibraryRow:
    return LibraryRow(
        id=DocumentId(row["id"]),
        source=row["source"],
        path=row["path"],
        title=row["title"],
        locale=row["locale"],
        internal=row["internal"],
        editions=tuple(row["editions"] or ()),
        version=row["version"],
        author=row["author"],
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
        review_by=row["review_by"],
        updated_at=row["updated_at"],
        url=row["url"],
        passages=row["passages"],
        answers=row["answers"],
        liked=row["liked"],
        disliked=row["disliked"],
        handed_over=row["handed_over"],
    )


def _uses(tenant: TenantId, since: date) -> Select[Any]:
    """Return the query of sums per document since a UTC day."""
    names = ("answers", "liked", "disliked", "handed_over")
    totals = [cast(func.sum(document_uses.c[name]), Integer).label(name) for name in names]
    return (
        select(document_uses.c.document_id, *totals)
        .where(document_uses.c.tenant == tenant, document_uses.c.day >= since.isoformat())
        .group_by(document_uses.c.document_id)
    )
