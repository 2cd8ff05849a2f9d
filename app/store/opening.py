"""What our own page said before the customer wrote, as the first row of a new conversation.

It has been read before it is written, so nothing is left to deliver. Not here: what a page says
(app/api/web_opening.py).
"""

from datetime import datetime

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.models import conversations, messages
from core.conversations import Inbox
from core.ids import new_id
from core.messages import Assurance, Author, Inbound, MessageKind


async def write(
    connection: AsyncConnection, inbox: Inbox, conversation: str, inbound: Inbound, now: datetime
) -> None:
    """Insert the opening as message 1 and begin its form; nothing when the conversation has begun already."""
    said = inbound.opening
    if said is None:
        return
    begun = await connection.execute(
        update(conversations)
        .where(conversations.c.id == conversation, conversations.c.seq == 0)
        .values(seq=1, **({"form": dict(said.form)} if said.form else {}))
    )
    if begun.rowcount == 0:
        return
    await connection.execute(
        insert(messages).values(
            id=new_id("msg", now),
            tenant=inbox.tenant,
            conversation_id=conversation,
            seq=1,
            direction="out",
            author=Author.BOT,
            author_name=said.author_name or None,
            kind=MessageKind.NOTICE,
            channel=inbound.channel,
            inbox_id=inbox.id,
            address=inbound.reply_to or inbound.sender,
            text=said.text,
            locale=inbound.locale,
            status="delivered",
            inline=False,
            assurance=Assurance.PROVEN,
            citations=[],
            quick_replies=[{"label": q.label, "value": q.value} for q in said.quick_replies],
            attachments=[],
            metadata={"opening": "1"},
            created_at=now,
        )
    )
