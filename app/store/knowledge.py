"""Docs as they stand in SQL: documents, their passages with vectors, and the version indexes follow.

Every change of a tenant's docs begins with the UPDATE of `tenants.index_version`, which queues writers of
one tenant behind each other and makes the new number visible together with the rows.
Not here: searching (knowledge/), reading files (ingest/).
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

from sqlalchemy import RowMapping, Select, delete, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import rows
from app.store.database import Database
from app.store.models import documents, passages, tenants
from core.clock import Clock
from core.errors import NotFoundError
from core.ids import DocumentId, PassageId, TenantId, new_id
from core.ports import Document, TenantPolicy, Viewer
from core.turns import Passage
from core.views import DocumentRow, Page

_BATCH = 500


class SqlPassages:
    """Port `Passages`."""

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

    async def digests(self, tenant: TenantId, source: str) -> Mapping[str, str]:
        """See the port."""
        async with self._database.read() as connection:
            found = await connection.execute(
                select(documents.c.path, documents.c.digest).where(
                    documents.c.tenant == tenant,
                    documents.c.source == source,
                    documents.c.deleted_at.is_(None),
                )
            )
            return {row.path: row.digest for row in found}

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
            "metadata": dict(document.metadata),
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
            for some in _batches(paths):
                done = await connection.execute(
                    update(documents)
                    .where(
                        documents.c.tenant == tenant,
                        documents.c.source == source,
                        documents.c.path.in_(some),
                        documents.c.deleted_at.is_(None),
                    )
                    .values(deleted_at=self._clock.now(), updated_at=self._clock.now())
                    .returning(documents.c.id)
                )
                gone.extend(done.scalars())
            for some in _batches(gone):
                await connection.execute(delete(passages).where(passages.c.document_id.in_(some)))
        return len(gone)

    async def resolve(
        self, tenant: TenantId, ids: Sequence[PassageId], viewer: Viewer
    ) -> Mapping[PassageId, Passage]:
        """See the port.

        A page that lists editions is for those editions alone; a viewer with none, or an unknown one,
        counts as the lowest. Internal viewers without an edition see every page. Locale filters nothing.
        """
        found: dict[PassageId, Passage] = {}
        async with self._database.read() as connection:
            policy = rows.policy(
                await connection.scalar(select(tenants.c.policy).where(tenants.c.id == tenant))
            )
            for some in _batches(ids):
                query = _live(tenant).where(passages.c.id.in_(some))
                if not viewer.internal:
                    query = query.where(documents.c.internal.is_(False))
                for row in (await connection.execute(query)).mappings():
                    if may_see(row["editions"], viewer, policy):
                        found[PassageId(row["id"])] = _passage(row)
        return found

    async def scan(self, tenant: TenantId) -> AsyncIterator[tuple[Passage, bytes]]:
        """See the port; by source, path and position. Each batch is a transaction of its own.

        Docs may change in between: read `index_version` first, and scan again when it has moved.
        """
        after: tuple[str, str, int, str] = ("", "", -1, "")
        order = (documents.c.source, documents.c.path, passages.c.position, passages.c.id)
        while True:
            async with self._database.read() as connection:
                batch = (
                    (
                        await connection.execute(
                            _live(tenant)
                            .add_columns(passages.c.vector)
                            .where(tuple_(*order) > after)
                            .order_by(*order)
                            .limit(_BATCH)
                        )
                    )
                    .mappings()
                    .all()
                )
            for row in batch:
                yield _passage(row), row["vector"]
            if len(batch) < _BATCH:
                return
            last = batch[-1]
            after = (last["source"], last["path"], last["position"], last["id"])

    async def ids(self, tenant: TenantId) -> frozenset[PassageId]:
        """Return the ids of every live passage, so that an index can drop the others."""
        async with self._database.read() as connection:
            found = await connection.execute(
                select(passages.c.id)
                .join(documents, documents.c.id == passages.c.document_id)
                .where(passages.c.tenant == tenant, documents.c.deleted_at.is_(None))
            )
            return frozenset(PassageId(i) for i in found.scalars())


def may_see(editions: Sequence[str], viewer: Viewer, policy: TenantPolicy) -> bool:
    """Return whether a page listing these editions is for this viewer."""
    if not editions or (viewer.internal and viewer.edition is None):
        return True
    known = {edition.casefold(): edition for edition in policy.editions}
    lowest = next(iter(known), "")
    mine = (viewer.edition or "").casefold()
    return (mine if mine in known else lowest) in {e.casefold() for e in editions}


def _live(tenant: TenantId) -> Select[tuple[object, ...]]:
    return (
        select(
            passages.c.id,
            passages.c.document_id,
            passages.c.position,
            passages.c.section,
            passages.c.anchor,
            passages.c.text,
            documents.c.source,
            documents.c.path,
            documents.c.title,
            documents.c.url,
            documents.c.locale,
            documents.c.editions,
            documents.c.internal,
        )
        .join(documents, documents.c.id == passages.c.document_id)
        .where(
            passages.c.tenant == tenant,
            documents.c.tenant == tenant,
            documents.c.deleted_at.is_(None),
        )
    )


def _passage(row: RowMapping) -> Passage:
    return Passage(
        id=PassageId(row["id"]),
        document_id=DocumentId(row["document_id"]),
        document=row["path"],
        title=row["title"],
        section=row["section"],
        text=row["text"],
        url=row["url"],
        anchor=row["anchor"],
        locale=row["locale"],
        editions=tuple(row["editions"] or ()),
        internal=row["internal"],
    )


def _batches(values: Sequence[str]) -> Iterator[Sequence[str]]:
    # a statement takes only so many parameters
    for start in range(0, len(values), _BATCH):
        yield values[start : start + _BATCH]
