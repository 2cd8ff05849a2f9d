"""A conversation as the customer may see it, and the marks they leave on it.

What is visible is decided here in SQL: never notes, nor what is proposed, queued, dropped, discarded,
expired or dead. Port `Transcript` of the web chat (app/api/web_chat.py).
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import contacts, gap_rows, queue, rows, uses
from app.store.database import Database
from app.store.models import contacts as contact_table
from app.store.models import conversations, messages, outbox, receipts, tenants
from app.store.queue import GONE_OUT
from core.clock import Clock
from core.conversations import Conversation, Status
from core.effects import OpenGap
from core.errors import BadInputError, NotFoundError
from core.ids import ContactId, ConversationId, TenantId
from core.messages import MessageKind, StoredMessage

_UNACKED = ("claimed", "sent", "unknown")
_FEEDBACK = ("up", "down", "1", "2", "3", "4", "5")


def visible() -> ColumnElement[bool]:
    """Return the condition under which a message row is for the customer's eyes."""
    return or_(
        messages.c.direction == "in",
        and_(messages.c.kind != MessageKind.NOTE, messages.c.status.in_(GONE_OUT)),
    )


class SqlTranscript:
    """Port `Transcript`, and the team's own view. `kinds` as SqlIntake has it."""

    def __init__(
        self, database: Database, clock: Clock, kinds: Mapping[str, str] | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._kinds = kinds or {}

    async def conversation(
        self, tenant: TenantId, conversation: ConversationId
    ) -> Conversation | None:
        """Return one conversation."""
        async with self._database.read() as connection:
            return await _load(connection, tenant, conversation)

    async def find(
        self,
        tenant: TenantId,
        conversation: ConversationId | None,
        visitor: str,
        external: str | None,
    ) -> Conversation | None:
        """See the port. A signed identity decides before the visitor's token, as intake does."""
        async with self._database.read() as connection:
            owners = await self._owners(connection, tenant, visitor, external)
            if conversation is not None:
                found = await _load(connection, tenant, conversation)
                return found if found is not None and found.contact_id in owners else None
            return await self._latest(connection, tenant, owners[0]) if owners else None

    async def _owners(
        self, connection: AsyncConnection, tenant: TenantId, visitor: str, external: str | None
    ) -> list[ContactId]:
        owners: list[ContactId] = []
        if external is not None:
            known = await connection.scalar(
                select(contact_table.c.id).where(
                    contact_table.c.tenant == tenant, contact_table.c.external_id == external
                )
            )
            owners += [ContactId(known)] if known else []
        kind = self._kinds.get("web", "web")
        routed = await contacts.route(connection, tenant, kind, visitor)
        return owners + ([routed] if routed else [])

    async def _latest(
        self, connection: AsyncConnection, tenant: TenantId, contact: ContactId
    ) -> Conversation | None:
        """Return the conversation a new message would join (design §3)."""
        policy = rows.policy(
            await connection.scalar(select(tenants.c.policy).where(tenants.c.id == tenant))
        )
        found = await connection.execute(
            select(conversations)
            .where(
                conversations.c.tenant == tenant,
                conversations.c.contact_id == contact,
                or_(
                    conversations.c.open_key.is_(None),
                    ~conversations.c.open_key.startswith("thread:", autoescape=True),
                ),
            )
            .order_by(conversations.c.updated_at.desc())
            .limit(1)
        )
        row = found.mappings().one_or_none()
        if row is None:
            return None
        resolved = row["status"] == Status.RESOLVED
        since = row["resolved_at"] if resolved else row["updated_at"]
        hours = policy.reopen_hours if resolved else policy.join_hours
        fresh = since is not None and self._clock.now() - since <= timedelta(hours=hours)
        return rows.conversation(row) if fresh else None

    async def messages_after(
        self, tenant: TenantId, conversation: ConversationId, seq: int, limit: int
    ) -> Sequence[StoredMessage]:
        """See the port."""
        return await self.transcript(tenant, conversation, seq, limit, customer_view=True)

    async def transcript(
        self,
        tenant: TenantId,
        conversation: ConversationId,
        after_seq: int = 0,
        limit: int = 100,
        *,
        customer_view: bool,
    ) -> Sequence[StoredMessage]:
        """Return messages with a greater seq, in order of seq; all of them unless `customer_view`."""
        query = _of(tenant, conversation).where(messages.c.seq > after_seq)
        if customer_view:
            query = query.where(visible())
        async with self._database.read() as connection:
            found = await connection.execute(query.order_by(messages.c.seq).limit(limit))
            return [rows.message(row) for row in found.mappings()]

    async def unacked(
        self, tenant: TenantId, conversation: ConversationId, upto: int | None = None
    ) -> Sequence[StoredMessage]:
        """See the port; without `upto`, all of them."""
        query = _of(tenant, conversation).where(_web_row(), messages.c.status.in_(_UNACKED))
        if upto is not None:
            query = query.where(messages.c.seq <= upto)
        async with self._database.read() as connection:
            found = await connection.execute(query.order_by(messages.c.seq))
            return [rows.message(row) for row in found.mappings()]

    async def ack(self, tenant: TenantId, conversation: ConversationId, seq: int) -> None:
        """See the port.

        A row still being handed over is not touched: its receipt is kept, and the sender applies it when it
        records the send, as with a provider whose receipt outruns our commit.
        """
        now = self._clock.now()
        async with self._database.write() as connection:
            query = (
                select(outbox.c.id, outbox.c.state, outbox.c.message_id)
                .join(messages, messages.c.id == outbox.c.message_id)
                .where(
                    messages.c.tenant == tenant,
                    messages.c.conversation_id == conversation,
                    messages.c.seq == seq,
                    _web_row(),
                    outbox.c.state.in_(_UNACKED),
                )
                .with_for_update(of=outbox)
            )
            row = (await connection.execute(query)).one_or_none()
            if row is None:
                return
            if row.state == "sent":
                await queue.set_state(connection, row.id, "delivered")
                return
            provider_id = f"web:{row.message_id}"  # as channels/web.py names what it delivered
            known = select(receipts.c.status).where(
                receipts.c.channel == "web",
                receipts.c.provider_id == provider_id,
                receipts.c.status == "delivered",
            )
            if (await connection.execute(known)).first() is None:
                await connection.execute(
                    insert(receipts).values(
                        tenant=tenant,
                        channel="web",
                        provider_id=provider_id,
                        status="delivered",
                        at=now,
                    )
                )

    async def feedback(
        self, tenant: TenantId, conversation: ConversationId, message_id: str, value: str
    ) -> None:
        """See the port. A bad mark on an answer opens a knowledge gap with what was asked.

        Raises BadInputError for another value.
        """
        if value not in _FEEDBACK:
            raise BadInputError(f"feedback is one of {', '.join(_FEEDBACK)}")
        async with self._database.write() as connection:
            query = (
                _of(tenant, conversation)
                .add_columns(conversations.c.contact_id)
                .join(conversations, conversations.c.id == messages.c.conversation_id)
                .where(messages.c.id == message_id, messages.c.direction == "out", visible())
                .with_for_update(of=messages)
            )
            row = (await connection.execute(query)).mappings().one_or_none()
            if row is None:
                raise NotFoundError("no such message")
            before = (row["metadata"] or {}).get("feedback")
            await connection.execute(
                update(messages)
                .where(messages.c.id == message_id)
                .values(metadata={**(row["metadata"] or {}), "feedback": value})
            )
            await uses.count_mark(
                connection, tenant, row["citations"] or (), self._clock.now(), before, value
            )
            if value not in uses.BAD or before in uses.BAD or row["turn_id"] is None:
                return
            asked = await connection.execute(
                select(messages.c.text)
                .where(messages.c.turn_id == row["turn_id"], messages.c.direction == "in")
                .order_by(messages.c.seq)
            )
            question = " ".join(asked.scalars()).strip()
            if question:
                nearest = tuple(c["document"] for c in row["citations"] or ())
                gap = OpenGap(question, "disliked", nearest)
                await gap_rows.open_gap(
                    connection, tenant, conversation, row["contact_id"], gap, self._clock.now()
                )


def _of(tenant: TenantId, conversation: ConversationId) -> Select[Any]:
    return select(messages).where(
        messages.c.tenant == tenant, messages.c.conversation_id == conversation
    )


def _web_row() -> ColumnElement[bool]:
    return and_(
        messages.c.channel == "web",
        messages.c.direction == "out",
        messages.c.kind != MessageKind.NOTE,
    )


async def _load(
    connection: AsyncConnection, tenant: TenantId, conversation: ConversationId
) -> Conversation | None:
    found = await connection.execute(
        select(conversations).where(
            conversations.c.id == conversation, conversations.c.tenant == tenant
        )
    )
    row = found.mappings().one_or_none()
    return rows.conversation(row) if row else None
