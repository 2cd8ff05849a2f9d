"""What the console, the API and /metrics read: the inbox, traces, handoffs, figures.

Every list is one query, whatever its length. Nothing is written here.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, RowMapping, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import copies, rows
from app.store.database import db_now
from app.store.inbox_list import (
    Filter,
    filtered,
    inbox_query,
    inbox_row,
    matches,
    picking,
    read_cursor,
    write_cursor,
)
from app.store.models import (
    conversations,
    handoffs,
    messages,
    outbox,
    turns,
)
from app.store.transcript import SqlTranscript
from core.conversations import Handoff
from core.ids import ContactId, ConversationId, CsmId, MessageId, TenantId, TurnId
from core.views import Counts, InboxRow, Page, Recipients, Trace


class SqlReads(SqlTranscript):
    """Read models of a tenant."""

    async def recipients(self, tenant: TenantId, conversation: ConversationId) -> Recipients | None:
        """Return whom a reply by mail would reach; None when the customer last wrote elsewhere."""
        async with self._database.read() as connection:
            return await copies.recipients(connection, tenant, conversation)

    # ------------------------------------------------------------ the inbox

    async def inbox_list(
        self,
        tenant: TenantId,
        which: Filter = "open",
        csm: CsmId | None = None,
        search: str = "",
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[InboxRow]:
        """Return conversations, the latest first.

        `mine` are the open ones `csm` owns, `handoffs` those where a person was asked for and none has come.
        `search` looks in names, ids, addresses, accounts, subjects and what was said. Raises BadInputError
        for a cursor that is not ours.
        """
        picked = picking(tenant).where(*filtered(which, csm))
        if search.strip():
            picked = picked.where(matches(tenant, search))
        if cursor:
            at, last = read_cursor(cursor)
            picked = picked.where(
                or_(
                    conversations.c.updated_at < at,
                    and_(conversations.c.updated_at == at, conversations.c.id < last),
                )
            )
        latest = (conversations.c.updated_at.desc(), conversations.c.id.desc())
        ids = picked.order_by(*latest).limit(limit + 1).correlate(None)
        query = inbox_query(tenant).where(conversations.c.id.in_(ids)).order_by(*latest)
        async with self._database.read() as connection:
            found = (await connection.execute(query)).mappings().all()
        items = tuple(inbox_row(row) for row in found[:limit])
        more = len(found) > limit
        return Page(items, write_cursor(items[-1].updated_at, items[-1].id) if more else None)

    async def inbox_entry(self, tenant: TenantId, conversation: ConversationId) -> InboxRow | None:
        """Return one conversation's line of the inbox."""
        query = inbox_query(tenant).where(conversations.c.id == conversation)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return inbox_row(row) if row else None

    async def inbox_of_contact(
        self, tenant: TenantId, contact: ContactId, limit: int = 20
    ) -> Sequence[InboxRow]:
        """Return a contact's conversations, the latest first."""
        query = (
            inbox_query(tenant)
            .where(conversations.c.contact_id == contact)
            .order_by(conversations.c.updated_at.desc(), conversations.c.id.desc())
            .limit(limit)
        )
        async with self._database.read() as connection:
            return [inbox_row(row) for row in (await connection.execute(query)).mappings()]

    # ------------------------------------------------------------ turns and handoffs

    async def trace(self, tenant: TenantId, turn: TurnId) -> Trace | None:
        """Return what one turn did and why."""
        async with self._database.read() as connection:
            found = await _traces(connection, turns.c.tenant == tenant, turns.c.id == turn)
        return found[0] if found else None

    async def turns(self, tenant: TenantId, conversation: ConversationId) -> Sequence[Trace]:
        """Return a conversation's turns, oldest first, dropped ones too."""
        async with self._database.read() as connection:
            return await _traces(
                connection,
                turns.c.tenant == tenant,
                turns.c.conversation_id == conversation,
            )

    async def handoffs(
        self, tenant: TenantId, state: str | None = None, limit: int = 100
    ) -> Sequence[Handoff]:
        """Return handoffs, the longest waiting first."""
        query = select(handoffs).where(handoffs.c.tenant == tenant)
        if state is not None:
            query = query.where(handoffs.c.state == state)
        query = query.order_by(handoffs.c.requested_at, handoffs.c.id).limit(limit)
        async with self._database.read() as connection:
            found = await connection.execute(query)
            return [rows.handoff(row) for row in found.mappings()]

    async def counts(self) -> Counts:
        """Return gauges over all tenants."""
        async with self._database.read() as connection:
            states = await connection.execute(
                select(outbox.c.state, func.count())
                .where(outbox.c.state.in_(("queued", "claimed", "unknown", "dead")))
                .group_by(outbox.c.state)
            )
            jobs = {str(state): int(count) for state, count in states}
            due = await connection.scalar(
                select(func.count())
                .select_from(conversations)
                .where(conversations.c.work_at <= db_now())
            )
            asked = await connection.scalar(
                select(func.count()).select_from(handoffs).where(handoffs.c.state == "requested")
            )
        return Counts(
            outbox_queued=jobs.get("queued", 0),
            outbox_unknown=jobs.get("unknown", 0),
            outbox_dead=jobs.get("dead", 0),
            work_due=due or 0,
            handoffs_requested=asked or 0,
        )


async def _traces(connection: AsyncConnection, *where: ColumnElement[bool]) -> list[Trace]:
    found = (
        await connection.execute(
            select(turns, messages.c.id.label("message_id"), messages.c.direction)
            .outerjoin(messages, messages.c.turn_id == turns.c.id)
            .where(*where)
            .order_by(turns.c.started_at, turns.c.id, messages.c.seq)
        )
    ).mappings()
    grouped: dict[str, list[RowMapping]] = {}
    for row in found:
        grouped.setdefault(row["id"], []).append(row)
    return [_trace(group) for group in grouped.values()]


def _trace(group: Sequence[RowMapping]) -> Trace:
    row = group[0]

    def ids(direction: str) -> tuple[MessageId, ...]:
        return tuple(MessageId(r["message_id"]) for r in group if r["direction"] == direction)

    return Trace(
        id=TurnId(row["id"]),
        conversation_id=ConversationId(row["conversation_id"]),
        handler=row["handler"],
        state=row["state"],
        trace=row["trace"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        inbound=ids("in"),
        outbound=ids("out"),
    )
