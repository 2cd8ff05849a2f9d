"""Questions nobody could answer well: listed by what they cost, grouped by meaning, merged, split and closed.

Not here: recording them (app/store/gap_rows.py, inside a commit), what makes two the same (knowledge/gaps.py).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.database import Database
from app.store.gap_rows import Status, groups, lead, leader_of, of_group, question, set_status
from app.store.models import contacts, conversations, gap_askers, gaps, messages, tenants
from app.store.queue import GONE_OUT
from core.clock import Clock
from core.errors import ConflictError, NotFoundError
from core.ids import ContactId, ConversationId, DocumentId, TenantId
from core.messages import Author, MessageKind
from core.ports import Gap
from core.views import Asker, GapQuestion

# a new question and the groups so far → which one it joins, None for none
Place = Callable[[GapQuestion, Sequence[Sequence[GapQuestion]]], int | None]

_COMPARED = 5000  # wordings a new question is compared with, the newest
_LISTED = 2000
_REPLIES = 50


async def _open(connection: AsyncConnection, tenant: str, gap: str) -> str:
    leader = await leader_of(connection, tenant, gap, "open")
    if leader is None:
        raise NotFoundError("this gap is not open")
    return leader


class SqlGaps:
    """Port `Gaps`, and what people do with gaps."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    # ------------------------------------------------------------ reading

    async def open_gaps(
        self, tenant: TenantId, limit: int = 50, status: Status = "open"
    ) -> Sequence[Gap]:
        """See the port; another `status` lists those, in the same order."""
        async with self._database.read() as connection:
            return await groups(connection, tenant, [gaps.c.status == status], limit)

    async def since(self, tenant: TenantId, since: datetime, limit: int = 100) -> Sequence[Gap]:
        """Return groups first asked since a time, whatever has become of them."""
        async with self._database.read() as connection:
            found = await groups(connection, tenant, [], _LISTED)
        return [gap for gap in found if gap.first_at >= since][:limit]

    async def find(self, tenant: TenantId, gap: str) -> Gap | None:
        """Return the group a gap is in, by any of its wordings' ids."""
        async with self._database.read() as connection:
            leader = await leader_of(connection, tenant, gap)
            if leader is None:
                return None
            return (await groups(connection, tenant, [of_group(leader)], 1))[0]

    async def questions(self, tenant: TenantId, gap: str) -> Sequence[GapQuestion]:
        """Return the wordings of a group, the leading one first, then the most frequent."""
        async with self._database.read() as connection:
            leader = await leader_of(connection, tenant, gap)
            found = await connection.execute(
                select(gaps)
                .where(gaps.c.tenant == tenant, of_group(leader))
                .order_by(gaps.c.group_id.is_not(None), gaps.c.times.desc(), gaps.c.id)
            )
            return [question(row) for row in found.mappings()]

    async def others(self, tenant: TenantId, gap: str) -> Sequence[GapQuestion]:
        """Return the leading wordings of the other open groups."""
        async with self._database.read() as connection:
            leader = await leader_of(connection, tenant, gap)
            found = await connection.execute(
                select(gaps)
                .where(
                    gaps.c.tenant == tenant,
                    gaps.c.status == "open",
                    gaps.c.group_id.is_(None),
                    gaps.c.id != leader,
                )
                .order_by(gaps.c.last_at.desc())
                .limit(_COMPARED)
            )
            return [question(row) for row in found.mappings()]

    async def askers(self, tenant: TenantId, gap: str, limit: int = 50) -> Sequence[Asker]:
        """Return who asked, the latest first, with the conversation they asked it in."""
        async with self._database.read() as connection:
            leader = await leader_of(connection, tenant, gap)
            found = await connection.execute(
                select(
                    gap_askers.c.contact_id,
                    gap_askers.c.conversation_id,
                    gap_askers.c.at,
                    contacts.c.name,
                    contacts.c.external_id,
                    conversations.c.channel,
                    conversations.c.status,
                )
                .join(gaps, gaps.c.id == gap_askers.c.gap_id)
                .join(contacts, contacts.c.id == gap_askers.c.contact_id)
                .join(conversations, conversations.c.id == gap_askers.c.conversation_id)
                .where(gaps.c.tenant == tenant, of_group(leader))
                .order_by(gap_askers.c.at.desc(), gap_askers.c.contact_id)
                .limit(limit)
            )
            return [
                Asker(
                    contact_id=ContactId(row.contact_id),
                    conversation_id=ConversationId(row.conversation_id),
                    name=row.name or row.external_id,
                    channel=row.channel,
                    status=row.status,
                    at=row.at,
                )
                for row in found
            ]

    async def human_replies(self, tenant: TenantId, gap: str) -> Sequence[str]:
        """Return what people of the team wrote to the askers after they had asked, the newest first.

        Only replies that went out to the asker in that very conversation: never notes, drafts, or anybody
        else's talk.
        """
        async with self._database.read() as connection:
            leader = await leader_of(connection, tenant, gap)
            found = await connection.execute(
                select(messages.c.text)
                .join(gap_askers, gap_askers.c.conversation_id == messages.c.conversation_id)
                .join(gaps, gaps.c.id == gap_askers.c.gap_id)
                .where(
                    gaps.c.tenant == tenant,
                    messages.c.tenant == tenant,
                    of_group(leader),
                    messages.c.direction == "out",
                    messages.c.author == Author.CSM,
                    messages.c.kind == MessageKind.REPLY,
                    messages.c.status.in_(GONE_OUT),
                    messages.c.created_at >= gap_askers.c.at,
                )
                .order_by(messages.c.created_at.desc(), messages.c.id.desc())
                .limit(_REPLIES)
            )
            return list(dict.fromkeys(found.scalars()))

    # ------------------------------------------------------------ grouping

    async def ungrouped(self, tenant: TenantId, limit: int = 200) -> Sequence[tuple[str, str]]:
        """Return (id, question) of open gaps without a vector, the oldest first."""
        async with self._database.read() as connection:
            found = await connection.execute(
                select(gaps.c.id, gaps.c.question)
                .where(gaps.c.tenant == tenant, gaps.c.status == "open", gaps.c.vector.is_(None))
                .order_by(gaps.c.id)
                .limit(limit)
            )
            return [(row.id, row.question) for row in found]

    async def group(self, tenant: TenantId, vectors: Mapping[str, bytes], place: Place) -> int:
        """Store vectors and let each gap join the open group `place` names; returns how many joined one.

        One at a time in a tenant, and a gap that has its vector is left where people put it.
        """
        joined = 0
        async with self._database.write() as connection:
            await connection.execute(
                select(tenants.c.id).where(tenants.c.id == tenant).with_for_update()
            )
            found = await connection.execute(
                select(gaps)
                .where(gaps.c.tenant == tenant, gaps.c.status == "open")
                .order_by(gaps.c.id.desc())
                .limit(_COMPARED)
            )
            known: dict[str, list[GapQuestion]] = {}
            fresh: list[GapQuestion] = []
            for row in reversed(found.mappings().all()):
                if row["vector"] is not None:
                    known.setdefault(row["group_id"] or row["id"], []).append(question(row))
                elif row["id"] in vectors:
                    fresh.append(question({**row, "vector": vectors[row["id"]]}))
            for asked in fresh:
                leaders = list(known)
                chosen = place(asked, [known[leader] for leader in leaders])
                leader = asked.id if chosen is None else leaders[chosen]
                known.setdefault(leader, []).append(asked)
                joined += chosen is not None
                await connection.execute(
                    update(gaps)
                    .where(gaps.c.id == asked.id)
                    .values(vector=asked.vector, group_id=None if chosen is None else leader)
                )
        return joined

    async def merge(self, tenant: TenantId, gap: str, into: str) -> Gap:
        """Put a whole open group into another one. Raises NotFoundError, ConflictError for the same group."""
        async with self._database.write() as connection:
            mine = await _open(connection, tenant, gap)
            theirs = await _open(connection, tenant, into)
            if mine == theirs:
                raise ConflictError("these are one group already")
            await connection.execute(
                update(gaps).where(gaps.c.tenant == tenant, of_group(mine)).values(group_id=theirs)
            )
            return (await groups(connection, tenant, [of_group(theirs)], 1))[0]

    async def split(self, tenant: TenantId, gap: str) -> None:
        """Take one wording out of its group. Raises NotFoundError, ConflictError when it is alone."""
        async with self._database.write() as connection:
            leader = await _open(connection, tenant, gap)
            others = await connection.scalar(
                select(func.min(gaps.c.id)).where(
                    gaps.c.tenant == tenant, of_group(leader), gaps.c.id != gap
                )
            )
            if others is None:
                raise ConflictError("this wording is alone in its group")
            if leader == gap:
                await lead(connection, tenant, leader, others)
            await connection.execute(update(gaps).where(gaps.c.id == gap).values(group_id=None))

    # ------------------------------------------------------------ closing

    async def close(
        self,
        tenant: TenantId,
        gap: str,
        status: Literal["answered", "dismissed"] = "answered",
        by: str | None = None,
        reason: str | None = None,
        document: DocumentId | None = None,
    ) -> bool:
        """Close an open group; False when there is none."""
        async with self._database.write() as connection:
            leader = await leader_of(connection, tenant, gap)
            if leader is None:
                return False
            values: dict[str, object] = {"document_id": document} if document else {}
            changed = await set_status(
                connection,
                tenant,
                leader,
                status,
                closed_by=by,
                closed_at=self._clock.now(),
                close_reason=reason,
                **values,
            )
            return bool(changed)

    async def reopen(self, tenant: TenantId, document: DocumentId) -> int:
        """Open what a withdrawn answer had closed; returns how many wordings."""
        async with self._database.write() as connection:
            done = await connection.execute(
                update(gaps)
                .where(
                    gaps.c.tenant == tenant,
                    gaps.c.document_id == document,
                    gaps.c.status == "answered",
                )
                .values(
                    status="open",
                    closed_by=None,
                    closed_at=None,
                    close_reason=None,
                    document_id=None,
                )
            )
            return done.rowcount
