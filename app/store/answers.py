"""Approved answers: documents of the source `answers`, with what an editor needs to change them again."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping, func, select

from app.store.database import Database
from app.store.models import documents
from core.ids import DocumentId, TenantId
from core.views import AnswerRow

SOURCE = "answers"


class SqlAnswers:
    """Reads approved answers; writing goes through the port `Passages`, as for any document."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self, tenant: TenantId, *, withdrawn: bool = False) -> Sequence[AnswerRow]:
        """Return the live answers, or the withdrawn ones, the latest changed first."""
        gone = documents.c.deleted_at.is_not(None)
        async with self._database.read() as connection:
            found = await connection.execute(
                select(documents)
                .where(
                    documents.c.tenant == tenant,
                    documents.c.source == SOURCE,
                    gone if withdrawn else ~gone,
                )
                .order_by(documents.c.updated_at.desc(), documents.c.id.desc())
            )
            return [_answer(row) for row in found.mappings()]

    async def find(self, tenant: TenantId, answer: DocumentId) -> AnswerRow | None:
        """Return one answer, withdrawn or not."""
        async with self._database.read() as connection:
            found = await connection.execute(
                select(documents).where(
                    documents.c.tenant == tenant,
                    documents.c.source == SOURCE,
                    documents.c.id == answer,
                )
            )
            row = found.mappings().one_or_none()
            return _answer(row) if row else None

    async def paths(self, tenant: TenantId, stem: str) -> frozenset[str]:
        """Return the paths that begin with a stem, withdrawn ones too."""
        async with self._database.read() as connection:
            found = await connection.execute(
                select(documents.c.path).where(
                    documents.c.tenant == tenant,
                    documents.c.source == SOURCE,
                    documents.c.path.startswith(stem, autoescape=True),
                )
            )
            return frozenset(found.scalars())

    async def due(self, tenant: TenantId, by: datetime) -> int:
        """Return how many answers are to be reviewed by then."""
        async with self._database.read() as connection:
            found = await connection.scalar(
                select(func.count())
                .select_from(documents)
                .where(
                    documents.c.tenant == tenant,
                    documents.c.source == SOURCE,
                    documents.c.deleted_at.is_(None),
                    documents.c.review_by <= by,
                )
            )
            return found or 0


def _answer(row: RowMapping) -> AnswerRow:
    kept = row["origin"] or {}
    return AnswerRow(
        id=DocumentId(row["id"]),
        path=row["path"],
        question=row["title"],
        text=kept.get("answer", ""),
        aliases=tuple(alias for alias in kept.get("aliases", "").split("\n") if alias),
        gap=kept.get("gap") or None,
        locale=row["locale"],
        internal=row["internal"],
        editions=tuple(row["editions"] or ()),
        version=int(row["version"] or 1),
        author=row["author"] or "",
        approved_by=kept.get("approved_by", ""),
        review_by=row["review_by"],
        updated_at=row["updated_at"],
        withdrawn_at=row["deleted_at"],
    )
