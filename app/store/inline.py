"""Replies of waiting callers: claimed by whoever waits or reads, dropped by a takeover until then."""

import contextlib
from collections.abc import Sequence

from sqlalchemy import and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnElement

from app.store import rows
from app.store.database import Database, db_now
from app.store.models import conversations, messages, outbox, turns
from app.store.turns import write_outbound
from core.clock import Clock
from core.conversations import Inbox
from core.errors import NotFoundError
from core.ids import ContactId, ConversationId, MessageId, TenantId, TurnId
from core.messages import Author, MessageKind, StoredMessage
from core.ports import Accepted, Reply, TurnView

# what has begun to go out: the rest a takeover may still drop
VISIBLE = ("claimed", "sent", "delivered", "read", "unknown", "dead")


class _QueuedError(Exception):
    """The same notice stands there already: nothing is written."""


class SqlInline:
    """Port `Inline`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def take(self, tenant: TenantId, message: MessageId) -> TurnView | None:
        """See the port."""
        async with self._database.read() as connection:
            row = (
                await connection.execute(
                    select(messages.c.turn_id, messages.c.status).where(
                        messages.c.id == message, messages.c.tenant == tenant
                    )
                )
            ).one_or_none()
        if row is not None and row.status == "recorded":
            # thanks after closing: no turn will ever take it, so nobody waits for one
            return TurnView(turn_id=TurnId(""), handler="recorded", trace={}, replies=())
        turn = row.turn_id if row is not None else None
        if turn is None:
            return None
        async with self._database.write() as connection:
            await _claim(connection, outbox.c.turn_id == turn)
            ran = (
                await connection.execute(
                    select(turns.c.handler, turns.c.trace).where(turns.c.id == turn)
                )
            ).one()
            replies = await connection.execute(
                select(messages)
                .where(
                    messages.c.turn_id == turn,
                    messages.c.direction == "out",
                    messages.c.inline.is_(True),
                    messages.c.status.in_(VISIBLE),
                )
                .order_by(messages.c.seq)
            )
            return TurnView(
                turn_id=TurnId(turn),
                handler=ran.handler,
                trace=ran.trace,
                replies=tuple(rows.message(r) for r in replies.mappings()),
            )

    async def find(self, tenant: TenantId, message: MessageId) -> Accepted | None:
        """See the port."""
        async with self._database.read() as connection:
            row = (
                await connection.execute(
                    select(messages.c.conversation_id, messages.c.seq, conversations.c.contact_id)
                    .join(conversations, conversations.c.id == messages.c.conversation_id)
                    .where(
                        messages.c.id == message,
                        messages.c.tenant == tenant,
                        messages.c.direction == "in",
                    )
                )
            ).one_or_none()
        if row is None:
            return None
        return Accepted(
            tenant,
            ConversationId(row.conversation_id),
            ContactId(row.contact_id),
            message,
            row.seq,
            duplicate=True,
        )

    async def beside(
        self,
        inbox: Inbox,
        conversation: ConversationId,
        address: str,
        text: str,
        since: int | None = None,
    ) -> None:
        """See the port."""
        with contextlib.suppress(_QueuedError):
            await self._beside(inbox, conversation, address, text, since)

    async def _beside(
        self, inbox: Inbox, conversation: ConversationId, address: str, text: str, since: int | None
    ) -> None:
        async with self._database.write() as connection:
            row = (
                await connection.execute(
                    update(conversations)
                    .where(
                        conversations.c.id == conversation, conversations.c.tenant == inbox.tenant
                    )
                    .values(seq=conversations.c.seq + 1)
                    .returning(conversations.c.seq, conversations.c.locale)
                )
            ).one_or_none()
            if row is None:
                raise NotFoundError("no such conversation")
            if since is not None and await connection.scalar(
                # after the UPDATE, which lets one such request through at a time
                select(messages.c.id)
                .where(
                    messages.c.conversation_id == conversation,
                    messages.c.seq > since,
                    messages.c.direction == "out",
                    messages.c.channel == inbox.channel,
                    messages.c.address == address,
                    messages.c.text == text,
                )
                .limit(1)
            ):
                raise _QueuedError
            reply = Reply(
                text=text,
                kind=MessageKind.NOTICE,
                author=Author.SYSTEM,
                channel=inbox.channel,
                address=address,
                inbox=inbox.id,
                locale=row.locale or "en",
            )
            await write_outbound(
                connection,
                tenant=inbox.tenant,
                conversation=conversation,
                turn=None,
                reply=reply,
                seq=row.seq,
                now=self._clock.now(),
                bot_name="",
            )

    async def release(self, tenant: TenantId, message: MessageId) -> None:
        """See the port. A turn that runs now finds the message released when it commits."""
        async with self._database.write() as connection:
            turn = await connection.scalar(
                update(messages)
                .where(messages.c.id == message, messages.c.tenant == tenant)
                .values(inline=False)
                .returning(messages.c.turn_id)
            )
            if turn is None:
                return
            freed = await connection.execute(
                update(outbox)
                .where(
                    outbox.c.turn_id == turn,
                    outbox.c.inline.is_(True),
                    outbox.c.state.in_(("queued", "proposed")),
                )
                .values(inline=False, due_at=db_now())
                .returning(outbox.c.message_id)
            )
            ids = list(freed.scalars())
            if ids:
                await connection.execute(
                    update(messages).where(messages.c.id.in_(ids)).values(inline=False)
                )

    async def read(
        self, tenant: TenantId, conversation: ConversationId, after: int, limit: int
    ) -> Sequence[StoredMessage]:
        """See the port."""
        async with self._database.write() as connection:
            await _claim(
                connection,
                and_(outbox.c.conversation_id == conversation, outbox.c.tenant == tenant),
            )
            found = await connection.execute(
                select(messages)
                .where(
                    messages.c.tenant == tenant,
                    messages.c.conversation_id == conversation,
                    messages.c.seq > after,
                    messages.c.kind != MessageKind.NOTE,
                    or_(messages.c.direction == "in", messages.c.status.in_(VISIBLE)),
                )
                .order_by(messages.c.seq)
                .limit(limit)
            )
            return [rows.message(r) for r in found.mappings()]


async def _claim(connection: AsyncConnection, which: ColumnElement[bool]) -> None:
    taken = await connection.execute(
        update(outbox)
        .where(which, outbox.c.inline.is_(True), outbox.c.state == "queued")
        .values(state="delivered", sent_at=db_now())
        .returning(outbox.c.message_id)
    )
    ids = list(taken.scalars())
    if ids:
        await connection.execute(
            update(messages).where(messages.c.id.in_(ids)).values(status="delivered")
        )
