"""Documents as rows: what a sync writes, compares and removes, and what the team sees listed.

Every change of a tenant's docs begins with the UPDATE of `tenants.index_version`, which queues writers of
one tenant behind each other and makes the new number visible together with the rows.
Not here: who may see a passage (visibility.py), reading passages (knowledge.py).
"""

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import ColumnElement, and_, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.database import Database
from app.store.models import documents, passages, tenants
from core.clock import Clock
from core.errors import NotFoundError
from core.ids import DocumentId, TenantId, new_id
from core.ports import Document, EncodedChunk, StoredPage
from core.views import DocumentRow, Page

_BATCH = 500


class SqlDocuments:
    """The half of port `Passages` that keeps documents."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def index_version(self, tenant: TenantId) -> int:
        """See the port; 0 for an unknown tenant."""
        async with self._database.read() as connection:
            version = await connection.scalar(
                select(tenants.c.index_version).where(tenants.c.id == tenant)
            )
            return version or 0

    async def stored(self, tenant: TenantId, source: str) -> Mapping[str, StoredPage]:
        """See the port."""
        async with self._database.read() as connection:
            found = await connection.execute(
                select(documents.c.path, documents.c.digest, documents.c.origin).where(
                    _of(tenant, source)
                )
            )
            return {row.path: StoredPage(row.digest, row.origin or {}) for row in found}

    async def note_origin(
        self, tenant: TenantId, source: str, origins: Mapping[str, Mapping[str, str]]
    ) -> None:
        """See the port."""
        async with self._database.write() as connection:
            for path, origin in origins.items():
                await connection.execute(
                    update(documents)
                    .where(_of(tenant, source), documents.c.path == path)
                    .values(origin=dict(origin))
                )

    async def documents(
        self, tenant: TenantId, after: DocumentId | None = None, limit: int = 200
    ) -> Page[DocumentRow]:
        """Return the live documents, the newest first."""
        count = (
            select(func.count())
            .where(passages.c.document_id == documents.c.id)
            .correlate(documents)
            .scalar_subquery()
            .label("passages")
        )
        query = (
            select(documents, count)
            .where(documents.c.tenant == tenant, documents.c.deleted_at.is_(None))
            .order_by(documents.c.id.desc())
            .limit(limit + 1)
        )
        if after is not None:
            query = query.where(documents.c.id < after)
        async with self._database.read() as connection:
            found = (await connection.execute(query)).all()
        items = tuple(
            DocumentRow(
                id=DocumentId(row.id),
                source=row.source,
                path=row.path,
                title=row.title,
                locale=row.locale,
                internal=row.internal,
                passages=row.passages,
                updated_at=row.updated_at,
                url=row.url,
                editions=tuple(row.editions or ()),
            )
            for row in found[:limit]
        )
        return Page(items, items[-1].id if len(found) > limit else None)

    async def document_count(self, tenant: TenantId) -> int:
        """Return how many live documents there are."""
        async with self._database.read() as connection:
            found = await connection.scalar(
                select(func.count())
                .select_from(documents)
                .where(documents.c.tenant == tenant, documents.c.deleted_at.is_(None))
            )
        return found or 0

    async def encoded(
        self, tenant: TenantId, source: str, paths: Sequence[str]
    ) -> Sequence[EncodedChunk]:
        """See the port."""
        found: list[EncodedChunk] = []
        async with self._database.read() as connection:
            for some in batches(paths):
                rows = await connection.execute(
                    select(
                        documents.c.title, passages.c.section, passages.c.text, passages.c.vector
                    )
                    .join(passages, passages.c.document_id == documents.c.id)
                    .where(_of(tenant, source), documents.c.path.in_(some))
                )
                found.extend(EncodedChunk(*row) for row in rows)
        return found

    async def put(
        self, tenant: TenantId, document: Document, vectors: Sequence[bytes]
    ) -> DocumentId:
        """See the port. Raises ValueError unless there is one vector per chunk."""
        if len(vectors) != len(document.chunks):
            raise ValueError(f"{len(vectors)} vectors for {len(document.chunks)} chunks")
        now = self._clock.now()
        async with self._database.write() as connection:
            await self._move_version(connection, tenant)
            stored = await self._document(connection, tenant, document)
            await connection.execute(delete(passages).where(passages.c.document_id == stored))
            values = [
                {
                    "id": new_id("psg", now),
                    "tenant": tenant,
                    "document_id": stored,
                    "position": chunk.position,
                    "section": chunk.section,
                    "anchor": chunk.anchor,
                    "text": chunk.text,
                    "vector": vector,
                }
                for chunk, vector in zip(document.chunks, vectors, strict=True)
            ]
            if values:
                await connection.execute(insert(passages), values)
        return stored

    async def _move_version(self, connection: AsyncConnection, tenant: TenantId) -> None:
        moved = await connection.execute(
            update(tenants)
            .where(tenants.c.id == tenant)
            .values(index_version=tenants.c.index_version + 1)
        )
        if moved.rowcount == 0:
            raise NotFoundError(f"there is no tenant {tenant!r}")

    async def _document(
        self, connection: AsyncConnection, tenant: TenantId, document: Document
    ) -> DocumentId:
        now = self._clock.now()
        values = {
            "title": document.title,
            "digest": document.digest,
            "locale": document.locale,
            "url": document.url,
            "editions": list(document.editions),
            "internal": document.internal,
            "version": document.version,
            "valid_from": document.valid_from,
            "valid_until": document.valid_until,
            "author": document.author,
            "review_by": document.review_by,
            "metadata": dict(document.metadata),
            "origin": dict(document.origin),
            "deleted_at": None,
            "updated_at": now,
        }
        found = await connection.scalar(
            update(documents)
            .where(
                documents.c.tenant == tenant,
                documents.c.source == document.source,
                documents.c.path == document.path,
            )
            .values(**values)
            .returning(documents.c.id)
        )
        if found is None:
            found = new_id("doc", now)
            await connection.execute(
                insert(documents).values(
                    id=found, tenant=tenant, source=document.source, path=document.path, **values
                )
            )
        return DocumentId(found)

    async def delete(self, tenant: TenantId, source: str, paths: Sequence[str]) -> int:
        """See the port. The document's row stays as its tombstone; its passages go."""
        gone: list[str] = []
        if not paths:
            return 0
        async with self._database.write() as connection:
            await self._move_version(connection, tenant)
            for some in batches(paths):
                done = await connection.execute(
                    update(documents)
                    .where(_of(tenant, source), documents.c.path.in_(some))
                    .values(deleted_at=self._clock.now(), updated_at=self._clock.now())
                    .returning(documents.c.id)
                )
                gone.extend(done.scalars())
            for some in batches(gone):
                await connection.execute(delete(passages).where(passages.c.document_id.in_(some)))
        return len(gone)


def _of(tenant: TenantId, source: str) -> ColumnElement[bool]:
    return and_(
        documents.c.tenant == tenant,
        documents.c.source == source,
        documents.c.deleted_at.is_(None),
    )


def batches(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the values in pieces, because a statement takes only so many parameters."""
    for start in range(0, len(values), _BATCH):
        yield values[start : start + _BATCH]
