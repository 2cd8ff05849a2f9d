"""Where web chat customers can be reached, and what they have not read yet. Port `Reaches`.

Owns which replies count as unread and that each is told of once. Not here: when, and in which words
(app/unread.py).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import contacts
from app.store.database import Database
from app.store.models import (
    consents,
    conversations,
    identities,
    inboxes,
    messages,
    outbox,
    reaches,
)
from app.store.turns import write_outbound
from core.clock import Clock
from core.conversations import Inbox
from core.errors import NotFoundError
from core.ids import ConversationId, TenantId
from core.messages import Assurance, Author, IdentityClaim, MessageKind
from core.ports import Reachable, Reply, Unread

_WAITING = ("claimed", "sent", "unknown")
_KINDS = {"email": "email", "sms": "phone"}  # a channel's kind of identity


class SqlReaches:
    """Port `Reaches`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def of(self, tenant: TenantId, conversation: ConversationId) -> Reachable | None:
        """See the port."""
        async with self._database.read() as connection:
            row = (
                await connection.execute(
                    select(reaches).where(
                        reaches.c.conversation_id == conversation, reaches.c.tenant == tenant
                    )
                )
            ).one_or_none()
        return Reachable(row.channel, row.address, Assurance(row.assurance)) if row else None

    async def give(
        self, tenant: TenantId, conversation: ConversationId, reach: Reachable, now: datetime
    ) -> None:
        """See the port."""
        async with self._database.write() as connection:
            contact = await connection.scalar(
                select(conversations.c.contact_id)
                .where(conversations.c.id == conversation, conversations.c.tenant == tenant)
                .with_for_update()
            )
            if contact is None:
                raise NotFoundError("no such conversation")
            assurance = reach.assurance
            if reach.address is not None:
                kind = _KINDS[reach.channel]
                if await self._proven(connection, tenant, contact, kind, reach.address):
                    assurance = Assurance.PROVEN
                stated = IdentityClaim(kind, reach.address, assurance)
                await contacts.claim(connection, tenant, contact, stated, now, routes=False)
            values = {
                "channel": reach.channel,
                "address": reach.address,
                "assurance": assurance,
                "given_at": now,
            }
            done = await connection.execute(
                update(reaches).where(reaches.c.conversation_id == conversation).values(**values)
            )
            if done.rowcount == 0:
                await connection.execute(
                    insert(reaches).values(
                        conversation_id=conversation, tenant=tenant, told_seq=0, **values
                    )
                )

    async def _proven(
        self, connection: AsyncConnection, tenant: str, contact: str, kind: str, value: str
    ) -> bool:
        found = await connection.execute(
            select(identities.c.id).where(
                identities.c.tenant == tenant,
                identities.c.contact_id == contact,
                identities.c.kind == kind,
                identities.c.value == value,
                identities.c.assurance == Assurance.PROVEN,
            )
        )
        return found.first() is not None

    async def unread(self, before: datetime, limit: int = 20) -> Sequence[Unread]:
        """See the port."""
        async with self._database.read() as connection:
            due = await connection.execute(
                _waiting()
                .with_only_columns(reaches.c.conversation_id)
                .where(messages.c.created_at <= before)
                .distinct()
                .limit(limit)
            )
            found = [await self._one(connection, str(talk)) for talk in due.scalars().all()]
        return [unread for unread in found if unread is not None]

    async def _one(self, connection: AsyncConnection, conversation: str) -> Unread | None:
        rows = (
            await connection.execute(
                _waiting().where(reaches.c.conversation_id == conversation).order_by(messages.c.seq)
            )
        ).all()
        if not rows:  # read just now
            return None
        first, last = rows[0], rows[-1]
        return Unread(
            tenant=TenantId(first.tenant),
            conversation=ConversationId(conversation),
            reach=Reachable(first.channel, first.address, Assurance(first.assurance)),
            visitor=first.visitor,
            key=first.key,
            author_name=last.author_name or "",
            texts=tuple(row.text for row in rows),
            first=first.seq,
            last=last.seq,
            locale=last.locale or "en",
        )

    async def tell(self, unread: Unread, inbox: Inbox, subject: str, text: str) -> bool:
        """See the port."""
        async with self._database.write() as connection:
            done = await connection.execute(
                update(reaches)
                .where(
                    reaches.c.conversation_id == unread.conversation,
                    reaches.c.told_seq < unread.first,
                )
                .values(told_seq=unread.last)
            )
            if done.rowcount == 0:
                return False
            address = unread.reach.address or ""
            talk = unread.conversation
            await self._beside(
                connection, inbox, talk, address, subject, text, "unread", unread.locale
            )
        return True

    async def send_transcript(
        self,
        inbox: Inbox,
        conversation: ConversationId,
        address: str,
        subject: str,
        text: str,
        shown: str,
    ) -> None:
        """See the port."""
        async with self._database.write() as connection:
            message = await self._beside(
                connection, inbox, conversation, address, subject, text, "transcript", "en"
            )
            await connection.execute(
                update(messages).where(messages.c.id == message).values(text=shown)
            )

    async def _beside(
        self,
        connection: AsyncConnection,
        inbox: Inbox,
        conversation: ConversationId,
        address: str,
        subject: str,
        text: str,
        why: str,
        locale: str,
    ) -> str:
        """Write a notice that goes elsewhere than where the talk is; returns its message."""
        seq = await connection.scalar(
            update(conversations)
            .where(conversations.c.id == conversation, conversations.c.tenant == inbox.tenant)
            .values(seq=conversations.c.seq + 1)
            .returning(conversations.c.seq)
        )
        if seq is None:
            raise NotFoundError("no such conversation")
        reply = Reply(
            text=text,
            kind=MessageKind.NOTICE,
            author=Author.SYSTEM,
            channel=inbox.channel,
            address=address,
            inbox=inbox.id,
            subject=subject,
            locale=locale,
        )
        row, _ = await write_outbound(
            connection,
            tenant=inbox.tenant,
            conversation=conversation,
            turn=None,
            reply=reply,
            seq=seq,
            now=self._clock.now(),
            bot_name="",
        )
        await connection.execute(
            update(messages).where(messages.c.id == row.id).values(metadata={"beside": why})
        )
        return row.id


def _waiting() -> Select[Any]:
    """Return the query for people's replies that wait unread for somebody who can be reached elsewhere."""
    opted_out = exists().where(
        consents.c.tenant == reaches.c.tenant,
        consents.c.channel == reaches.c.channel,
        consents.c.address == reaches.c.address,
        consents.c.granted.is_(False),
    )
    return (
        select(
            reaches.c.tenant,
            reaches.c.channel,
            reaches.c.address,
            reaches.c.assurance,
            messages.c.seq,
            messages.c.text,
            messages.c.author_name,
            messages.c.locale,
            messages.c.address.label("visitor"),
            inboxes.c.address.label("key"),
        )
        .select_from(reaches)
        .join(
            messages,
            and_(
                messages.c.conversation_id == reaches.c.conversation_id,
                messages.c.seq > reaches.c.told_seq,
            ),
        )
        .join(outbox, outbox.c.message_id == messages.c.id)
        .join(inboxes, inboxes.c.id == messages.c.inbox_id)
        .where(
            reaches.c.address.is_not(None),
            messages.c.channel == "web",
            messages.c.author == Author.CSM,
            messages.c.kind == MessageKind.REPLY,
            messages.c.status.in_(_WAITING),
            ~opted_out,
        )
    )
