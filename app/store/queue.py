"""Writing delivery jobs and their states; the message row follows its job in the same statement pair."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.database import db_now
from app.store.models import inboxes, messages, outbox
from core.ids import InboxId, OutboxId, new_id
from core.messages import Author, MessageKind

# states of a message the customer may have seen
GONE_OUT = ("claimed", "sent", "delivered", "read", "unknown")


async def inbox_for(connection: AsyncConnection, tenant: str, channel: str) -> InboxId | None:
    """Return the tenant's own inbox of a channel, the oldest one; None when it has none."""
    found = await connection.execute(
        select(inboxes.c.id)
        .where(
            inboxes.c.tenant == tenant,
            inboxes.c.channel == channel,
            inboxes.c.kind == "customer",
        )
        .order_by(inboxes.c.created_at, inboxes.c.id)
        .limit(1)
    )
    name = found.scalar_one_or_none()
    return InboxId(name) if name else None


async def add(
    connection: AsyncConnection,
    *,
    tenant: str,
    inbox: str,
    channel: str,
    address: str,
    author: Author,
    kind: MessageKind,
    payload: Mapping[str, object],
    now: datetime,
    conversation: str | None = None,
    message: str | None = None,
    turn: str | None = None,
    inline: bool = False,
    proposed: bool = False,
    card: bool = False,
) -> OutboxId:
    """Queue one delivery. `proposed` waits for a CSM; `inline` only its waiting caller may claim."""
    fresh = OutboxId(new_id("out", now))
    await connection.execute(
        insert(outbox).values(
            id=fresh,
            tenant=tenant,
            conversation_id=conversation,
            message_id=message,
            turn_id=turn,
            inbox_id=inbox,
            channel=channel,
            address=address,
            lane=f"{'card:' if card else ''}{conversation or tenant}:{channel}:{address}",
            kind="card" if card else "message",
            author=author,
            message_kind=kind,
            state="proposed" if proposed else "queued",
            attempts=0,
            inline=inline,
            due_at=db_now(),
            payload=dict(payload),
            created_at=now,
        )
    )
    return fresh


async def set_state(connection: AsyncConnection, job: str, state: str, **values: object) -> None:
    """Move a job and its message to a state."""
    await connection.execute(update(outbox).where(outbox.c.id == job).values(state=state, **values))
    await connection.execute(
        update(messages)
        .where(messages.c.id.in_(select(outbox.c.message_id).where(outbox.c.id == job)))
        .values(status=state)
    )


async def forget_secret(connection: AsyncConnection, job: str) -> None:
    """Take a one-time code out of a job that will not be sent again."""
    payload = await connection.scalar(select(outbox.c.payload).where(outbox.c.id == job))
    if payload and payload.get("secret"):
        told = {**payload, "text": payload["secret"], "secret": None}
        await connection.execute(update(outbox).where(outbox.c.id == job).values(payload=told))


async def drop_bot_replies(connection: AsyncConnection, conversation: str) -> int:
    """Drop what the bot has queued or proposed; notices stay. Returns how many were dropped."""
    dropped = await connection.execute(
        update(outbox)
        .where(
            outbox.c.conversation_id == conversation,
            outbox.c.state.in_(("queued", "proposed")),
            outbox.c.author == Author.BOT,
            outbox.c.message_kind == MessageKind.REPLY,
        )
        .values(state="dropped")
        .returning(outbox.c.message_id)
    )
    ids = [i for i in dropped.scalars() if i]
    if ids:
        await connection.execute(
            update(messages).where(messages.c.id.in_(ids)).values(status="dropped")
        )
    return len(ids)
