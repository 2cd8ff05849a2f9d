"""How documents fare: how often one was cited, liked, disliked, or handed over after, by UTC day.

Counted inside the transaction that makes it true: the turn's commit, the mark a customer leaves, a
draft that a CSM sends. What was cited is known by its passage, or by its path when the page was made
anew since.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.database import Database
from app.store.models import document_uses, documents, passages
from core.effects import Escalate, OpenGap
from core.ids import DocumentId, TenantId
from core.messages import Author, MessageKind, StoredMessage
from core.ports import TurnResult, UseKind
from core.turns import Citation

GOOD = ("up", "4", "5")
BAD = ("down", "1", "2")


class SqlUses:
    """Port `DocumentUses`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record_use(
        self, tenant: TenantId, document_ids: Sequence[DocumentId], day: date, kind: UseKind
    ) -> None:
        """See the port."""
        async with self._database.write() as connection:
            found = await connection.execute(
                select(documents.c.id).where(
                    documents.c.tenant == tenant, documents.c.id.in_(document_ids)
                )
            )
            await _add(connection, tenant, found.scalars(), day, kind, 1)


async def count(
    connection: AsyncConnection,
    tenant: str,
    citations: Iterable[Citation | Mapping[str, Any]],
    now: datetime,
    kind: UseKind,
    amount: int = 1,
) -> None:
    """Count `amount` for each document cited; a negative one takes back what was counted before."""
    named = [
        (c.passage_id, c.document) if isinstance(c, Citation) else (c["passage_id"], c["document"])
        for c in citations
    ]
    if named:
        found = await _cited(connection, tenant, named)
        await _add(connection, tenant, found, now.astimezone(UTC).date(), kind, amount)


async def count_turn(connection: AsyncConnection, result: TurnResult, now: datetime) -> None:
    """Count what a committed turn says of documents: those it cites, and those that did not help."""
    tenant = result.claim.conversation.tenant
    said = [c for reply in result.replies if not reply.proposed for c in reply.citations]
    await count(connection, tenant, said, now, "answers")
    before = _last_answer(result.claim.history)
    if any(isinstance(effect, Escalate) for effect in result.effects):
        await count(connection, tenant, before, now, "handed_over")
    elif any(isinstance(e, OpenGap) and e.kind == "disliked" for e in result.effects):
        await count(connection, tenant, before, now, "disliked")


async def count_mark(
    connection: AsyncConnection,
    tenant: str,
    citations: Iterable[Mapping[str, Any]],
    now: datetime,
    before: str | None,
    mark: str,
) -> None:
    """Count a customer's mark on an answer, in place of the one they gave `before`."""
    cited = list(citations)
    kinds: tuple[tuple[UseKind, tuple[str, ...]], ...] = (("liked", GOOD), ("disliked", BAD))
    for kind, marks in kinds:
        amount = (mark in marks) - (before in marks)
        if amount:
            await count(connection, tenant, cited, now, kind, amount)


def _last_answer(history: Sequence[StoredMessage]) -> tuple[Citation, ...]:
    """Return what the bot's newest reply cited."""
    replies = (m for m in reversed(history) if m.author is Author.BOT)
    newest = next((m for m in replies if m.kind is MessageKind.REPLY), None)
    return newest.citations if newest else ()


async def _cited(
    connection: AsyncConnection, tenant: str, named: Sequence[tuple[str, str]]
) -> set[str]:
    by_passage = await connection.execute(
        select(passages.c.id, passages.c.document_id).where(
            passages.c.tenant == tenant, passages.c.id.in_([passage for passage, _ in named])
        )
    )
    known = {row.id: row.document_id for row in by_passage}
    lost = [path for passage, path in named if passage not in known]
    found = set(known.values())
    if lost:
        by_path = await connection.execute(
            select(documents.c.id).where(
                documents.c.tenant == tenant,
                documents.c.path.in_(lost),
                documents.c.deleted_at.is_(None),
            )
        )
        found.update(by_path.scalars())
    return found


async def _add(
    connection: AsyncConnection,
    tenant: str,
    document_ids: Iterable[str],
    day: date,
    kind: UseKind,
    amount: int,
) -> None:
    make = postgres_insert if connection.dialect.name == "postgresql" else sqlite_insert
    none = {"answers": 0, "liked": 0, "disliked": 0, "handed_over": 0}
    # in one order: two turns that cite the same pages must not wait for each other
    for document in sorted(set(document_ids)):
        row = {"tenant": tenant, "document_id": document, "day": day.isoformat(), **none}
        statement = make(document_uses).values({**row, kind: amount})
        await connection.execute(
            statement.on_conflict_do_update(
                index_elements=["document_id", "day"],
                set_={kind: document_uses.c[kind] + amount},
            )
        )
