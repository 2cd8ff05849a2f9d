"""Passages as they stand in SQL: resolved for one viewer, or scanned whole for an index.

Not here: what a sync writes (documents.py), who may see what (visibility.py), searching (knowledge/),
reading files (ingest/).
"""

from collections.abc import AsyncIterator, Mapping, Sequence

from sqlalchemy import RowMapping, Select, select, tuple_

from app.store import rows
from app.store.documents import SqlDocuments, batches
from app.store.models import documents, passages, tenants
from app.store.visibility import may_see, speaks, translated, visible
from core.ids import DocumentId, PassageId, TenantId
from core.ports import Viewer
from core.turns import Passage

_BATCH = 500


class SqlPassages(SqlDocuments):
    """Port `Passages`."""

    async def resolve(
        self, tenant: TenantId, ids: Sequence[PassageId], viewer: Viewer
    ) -> Mapping[PassageId, Passage]:
        """See the port; what a viewer may see is app/store/visibility.py's to say."""
        now = viewer.now or self._clock.now()
        found: dict[PassageId, Passage] = {}
        async with self._database.read() as connection:
            policy = rows.policy(
                await connection.scalar(select(tenants.c.policy).where(tenants.c.id == tenant))
            )
            for some in batches(ids):
                query = _passages(tenant).where(
                    visible(tenant, viewer, now), passages.c.id.in_(some)
                )
                open_to = [
                    row
                    for row in (await connection.execute(query)).mappings()
                    if may_see(row["editions"], viewer, policy)
                    and speaks(row["metadata"], viewer, policy)
                ]
                better = await translated(connection, tenant, open_to, viewer, policy, now)
                found.update(
                    (PassageId(row["id"]), _passage(row))
                    for row in open_to
                    if row["document_id"] not in better
                )
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
                            _passages(tenant)
                            .add_columns(passages.c.vector)
                            .where(documents.c.deleted_at.is_(None), tuple_(*order) > after)
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


def _passages(tenant: TenantId) -> Select[tuple[object, ...]]:
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
            documents.c.metadata,
            documents.c.valid_from,
            documents.c.valid_until,
        )
        .join(documents, documents.c.id == passages.c.document_id)
        .where(passages.c.tenant == tenant, documents.c.tenant == tenant)
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
        valid_from=row["valid_from"].date() if row["valid_from"] else None,
        valid_until=row["valid_until"].date() if row["valid_until"] else None,
    )
