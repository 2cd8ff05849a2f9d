"""Commits what came in: contact, conversation and message in one transaction (design §3).

`UNIQUE(tenant, channel, external_id)` decides what is a duplicate; two first messages at once open one
conversation because both race for the same unique rows and the loser tries again, now finding them.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exc, insert, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import contacts, file_rows, handoffs, opening, queue, rows
from app.store.codes import Seals
from app.store.database import Database, db_now
from app.store.models import (
    consents,
    conversations,
    messages,
    outbox,
    receipts,
    seen_events,
    tenants,
)
from core.clock import Clock
from core.conversations import Inbox, Status
from core.crash import crash_point
from core.errors import ConflictError, IdempotencyConflictError, NotFoundError
from core.ids import ContactId, ConversationId, MessageId, new_id
from core.messages import (
    Author,
    ConsentChange,
    Inbound,
    MessageKind,
    Receipt,
)
from core.ports import Accepted, TenantPolicy

MAX_TEXT = 32_000
_RANKS = {"queued": 0, "claimed": 0, "unknown": 0, "sent": 1, "delivered": 2, "read": 3}
_ATTEMPTS = 5


class SqlIntake:
    """Port `Intake`. `kinds` maps a channel to the kind of identity its sender is (`sms` → `phone`)."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        kinds: Mapping[str, str],
        base_url: str = "",
        closing: Iterable[str] = (),
        seals: Seals | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._kinds = kinds
        self._base_url = base_url
        self._closing = frozenset(_plain(word) for word in closing)
        self._seals = seals or Seals("")

    async def accept(self, inbox: Inbox, inbound: Inbound, quiet: float) -> Accepted:
        """See the port."""
        for attempt in range(_ATTEMPTS):
            try:
                async with self._database.write() as connection:
                    accepted = await self._accept(connection, inbox, inbound, quiet)
                    crash_point("intake.stored")
            except (exc.IntegrityError, contacts.RacedError):
                if attempt == _ATTEMPTS - 1:
                    raise ConflictError("the conversation is being opened elsewhere") from None
            else:
                crash_point("intake.committed")
                return accepted
        raise AssertionError

    async def _accept(
        self, connection: AsyncConnection, inbox: Inbox, inbound: Inbound, quiet: float
    ) -> Accepted:
        known = await self._duplicate(connection, inbox, inbound)
        if known:
            return known
        now = self._clock.now()
        policy = rows.policy(
            await connection.scalar(select(tenants.c.policy).where(tenants.c.id == inbox.tenant))
        )
        kind = self._kinds.get(inbound.channel, inbound.channel)
        contact = await self._contact(connection, inbox, inbound, kind, now)
        conversation = await self._conversation(connection, inbox, inbound, contact, policy, now)
        if inbound.opening is not None:
            await opening.write(connection, inbox, conversation, inbound, now)
        row = (
            await connection.execute(
                update(conversations)
                .where(conversations.c.id == conversation)
                .values(seq=conversations.c.seq + 1)
                .returning(conversations.c.seq, conversations.c.status)
            )
        ).one()
        # thanks after closing neither reopens nor gets an answer
        closes = row.status == Status.RESOLVED and _plain(inbound.text) in self._closing
        live = not inbound.automatic and not closes
        if live:
            wakes = row.status in (Status.WAITING_CUSTOMER, Status.SNOOZED, Status.RESOLVED)
            await connection.execute(
                update(conversations)
                .where(conversations.c.id == conversation)
                .values(
                    updated_at=now,
                    work_at=db_now(quiet),
                    **(
                        {
                            "status": Status.OPEN,
                            "version": conversations.c.version + 1,
                            "resolved_at": None,
                            **({"reopened_at": now} if row.status == Status.RESOLVED else {}),
                        }
                        if wakes
                        else {}
                    ),
                )
            )
        message_id = MessageId(new_id("msg", now))
        text, typed = await self._seals.hide(
            connection, inbox.tenant, conversation, inbound.text.replace("\x00", ""), now
        )
        carried = await file_rows.keep(
            connection, inbox.tenant, message_id, inbox.id, inbound.attachments, now
        )
        await connection.execute(
            insert(messages).values(
                id=message_id,
                tenant=inbox.tenant,
                conversation_id=conversation,
                seq=row.seq,
                direction="in",
                author=Author.CUSTOMER,
                author_name=inbound.display_name,
                kind=MessageKind.MESSAGE,
                channel=inbound.channel,
                inbox_id=inbox.id,
                address=inbound.reply_to or inbound.sender,
                external_id=inbound.external_id,
                body_hash=inbound.body_hash,
                text=text[:MAX_TEXT],
                subject=inbound.subject,
                thread=inbound.thread,
                locale=inbound.locale,
                status="received" if live else "recorded",
                turn_id=None,
                inline=inbound.inline,
                assurance=inbound.assurance,
                citations=[],
                quick_replies=[],
                attachments=rows.attachments_to_json(carried),
                metadata={
                    **inbound.metadata,
                    "sender": inbound.sender,
                    "references": " ".join(inbound.references),
                    **({"cc": " ".join(inbound.cc)} if inbound.cc else {}),
                    **({"shared": "1"} if inbound.shared else {}),
                    **({"code": typed} if typed else {}),
                    **({"truncated": "1"} if len(text) > MAX_TEXT else {}),
                },
                created_at=now,
            )
        )
        return Accepted(inbox.tenant, conversation, contact, message_id, row.seq)

    async def _contact(
        self,
        connection: AsyncConnection,
        inbox: Inbox,
        inbound: Inbound,
        kind: str,
        now: datetime,
    ) -> ContactId:
        if inbound.conversation_id and not inbound.sender and not inbound.claims:
            # a secret key that names the conversation speaks for whoever it belongs to
            owner = await connection.scalar(
                select(conversations.c.contact_id).where(
                    conversations.c.id == inbound.conversation_id,
                    conversations.c.tenant == inbox.tenant,
                )
            )
            if owner is None:
                raise NotFoundError("no such conversation")
            return ContactId(owner)
        return await contacts.resolve(connection, inbox.tenant, inbound, kind, now)

    async def _duplicate(
        self, connection: AsyncConnection, inbox: Inbox, inbound: Inbound
    ) -> Accepted | None:
        found = (
            await connection.execute(
                select(
                    messages.c.id,
                    messages.c.conversation_id,
                    messages.c.seq,
                    messages.c.body_hash,
                    conversations.c.contact_id,
                )
                .join(conversations, conversations.c.id == messages.c.conversation_id)
                .where(
                    messages.c.tenant == inbox.tenant,
                    messages.c.channel == inbound.channel,
                    messages.c.external_id == inbound.external_id,
                )
            )
        ).one_or_none()
        if found is None:
            return None
        if inbound.body_hash and found.body_hash and inbound.body_hash != found.body_hash:
            raise IdempotencyConflictError("this idempotency key came before with another body")
        return Accepted(
            inbox.tenant,
            ConversationId(found.conversation_id),
            ContactId(found.contact_id),
            MessageId(found.id),
            found.seq,
            duplicate=True,
        )

    async def _conversation(
        self,
        connection: AsyncConnection,
        inbox: Inbox,
        inbound: Inbound,
        contact: ContactId,
        policy: TenantPolicy,
        now: datetime,
    ) -> ConversationId:
        if inbound.conversation_id is not None:
            return await self._named(connection, inbox, inbound, contact, now)
        if inbound.references:
            by_reference = await self._referenced(connection, inbox, inbound, contact)
            if by_reference:
                return by_reference
        key = f"thread:{inbound.thread}" if inbound.thread else f"contact:{contact}"
        linked = None
        if inbound.thread is None:
            latest, seen = await self._latest(connection, inbox, contact, policy, now)
            if latest:
                return latest
            # only from what was seen to be quiet: another first message may have opened one just now
            taken = conversations.c.contact_id != contact
            if seen is not None:
                taken |= conversations.c.updated_at <= seen
            linked = await self._free(connection, inbox, key, now, taken)
        else:
            owned = (
                await connection.execute(
                    select(conversations.c.id).where(
                        conversations.c.tenant == inbox.tenant, conversations.c.open_key == key
                    )
                )
            ).scalar_one_or_none()
            if owned:
                return ConversationId(owned)
        return await self._open(connection, inbox, inbound, contact, key, linked, now)

    async def _named(
        self,
        connection: AsyncConnection,
        inbox: Inbox,
        inbound: Inbound,
        contact: ContactId,
        now: datetime,
    ) -> ConversationId:
        owner = (
            await connection.execute(
                select(conversations.c.contact_id).where(
                    conversations.c.id == inbound.conversation_id,
                    conversations.c.tenant == inbox.tenant,
                )
            )
        ).scalar_one_or_none()
        if owner == contact and inbound.conversation_id is not None:
            return inbound.conversation_id
        if inbound.references:  # a forwarded or guessed plus-address opens a thread of its own
            key = f"contact:{contact}"
            linked = await self._free(connection, inbox, key, now)
            return await self._open(connection, inbox, inbound, contact, key, linked, now)
        raise NotFoundError("no such conversation")

    async def _referenced(
        self, connection: AsyncConnection, inbox: Inbox, inbound: Inbound, contact: ContactId
    ) -> ConversationId | None:
        references = list(inbound.references)
        ours = (
            select(conversations.c.id)
            .join(outbox, outbox.c.conversation_id == conversations.c.id)
            .where(
                outbox.c.channel == inbound.channel,
                outbox.c.provider_id.in_(references),
            )
        )
        theirs = (
            select(conversations.c.id)
            .join(messages, messages.c.conversation_id == conversations.c.id)
            .where(
                messages.c.channel == inbound.channel,
                messages.c.external_id.in_(references),
            )
        )
        for query in (ours, theirs):
            found = (
                await connection.execute(
                    query.where(
                        conversations.c.tenant == inbox.tenant,
                        conversations.c.contact_id == contact,
                    ).limit(1)
                )
            ).scalar_one_or_none()
            if found:
                return ConversationId(found)
        return None

    async def _latest(
        self,
        connection: AsyncConnection,
        inbox: Inbox,
        contact: ContactId,
        policy: TenantPolicy,
        now: datetime,
    ) -> tuple[ConversationId | None, datetime | None]:
        """Return the conversation to join, and when the latest one was last active."""
        row = (
            await connection.execute(
                select(
                    conversations.c.id,
                    conversations.c.status,
                    conversations.c.updated_at,
                    conversations.c.resolved_at,
                )
                .where(
                    conversations.c.tenant == inbox.tenant,
                    conversations.c.contact_id == contact,
                    # a thread in a shared channel is nobody's private talk
                    conversations.c.open_key.is_(None)
                    | ~conversations.c.open_key.startswith("thread:", autoescape=True),
                )
                .order_by(conversations.c.updated_at.desc())
                .limit(1)
            )
        ).one_or_none()
        if row is None:
            return None, None
        if row.status == Status.RESOLVED:
            limit = timedelta(hours=policy.reopen_hours)
            fresh = row.resolved_at is not None and now - row.resolved_at <= limit
        else:
            fresh = now - row.updated_at <= timedelta(hours=policy.join_hours)
        return (ConversationId(row.id) if fresh else None), row.updated_at

    async def _free(
        self,
        connection: AsyncConnection,
        inbox: Inbox,
        key: str,
        now: datetime,
        which: ColumnElement[bool] | None = None,
    ) -> str | None:
        """Take the key from a conversation gone quiet, so that the new one can have it."""
        freed: str | None = (
            await connection.execute(
                update(conversations)
                .where(
                    conversations.c.tenant == inbox.tenant,
                    conversations.c.open_key == key,
                    true() if which is None else which,
                )
                .values(open_key=None, form=None, updated_at=now)
                .returning(conversations.c.id)
            )
        ).scalar_one_or_none()
        return freed

    async def _open(
        self,
        connection: AsyncConnection,
        inbox: Inbox,
        inbound: Inbound,
        contact: ContactId,
        key: str,
        linked: str | None,
        now: datetime,
    ) -> ConversationId:
        fresh = ConversationId(new_id("cnv", now))
        await connection.execute(
            insert(conversations).values(
                id=fresh,
                tenant=inbox.tenant,
                contact_id=contact,
                open_key=key,
                status=Status.OPEN,
                mode=None,
                owner=None,
                version=1,
                fence=0,
                seq=0,
                channel=inbound.channel,
                locale=None,
                subject=inbound.subject,
                form=None,
                memory={},
                linked_to=linked,
                created_at=now,
                updated_at=now,
            )
        )
        return fresh

    async def receipt(self, inbox: Inbox, receipt: Receipt) -> bool:
        """See the port. A receipt that outruns our own commit is kept until the row knows its id."""
        async with self._database.write() as connection:
            row = (
                await connection.execute(
                    select(outbox.c.id, outbox.c.state)
                    .where(
                        outbox.c.tenant == inbox.tenant,
                        outbox.c.channel == inbox.channel,
                        outbox.c.provider_id == receipt.provider_id,
                    )
                    .with_for_update()
                )
            ).one_or_none()
            if row is None:
                known = select(receipts.c.status).where(
                    receipts.c.channel == inbox.channel,
                    receipts.c.provider_id == receipt.provider_id,
                    receipts.c.status == receipt.status,
                )
                if (await connection.execute(known)).first() is None:
                    await connection.execute(
                        insert(receipts).values(
                            tenant=inbox.tenant,
                            channel=inbox.channel,
                            provider_id=receipt.provider_id,
                            status=receipt.status,
                            error=receipt.error,
                            at=self._clock.now(),
                        )
                    )
                return False
            return await apply_receipt(
                connection,
                row.id,
                row.state,
                receipt.status,
                receipt.error,
                self._clock.now(),
                self._base_url,
            )

    async def consent(self, inbox: Inbox, change: ConsentChange, notice: str | None) -> bool:
        """See the port."""
        now = self._clock.now()
        try:
            async with self._database.write() as connection:
                await connection.execute(
                    insert(seen_events).values(
                        tenant=inbox.tenant,
                        channel=change.channel,
                        external_id=change.external_id,
                        at=now,
                    )
                )
                if change.granted is not None:
                    await self._set_consent(connection, inbox, change, now)
                if notice is not None and not change.provider_answered:
                    await queue.add(
                        connection,
                        tenant=inbox.tenant,
                        inbox=inbox.id,
                        channel=change.channel,
                        address=change.sender,
                        author=Author.SYSTEM,
                        kind=MessageKind.NOTICE,
                        payload={"text": notice},
                        now=now,
                    )
        except exc.IntegrityError:
            return False
        return True

    async def _set_consent(
        self, connection: AsyncConnection, inbox: Inbox, change: ConsentChange, now: datetime
    ) -> None:
        key = (
            (consents.c.tenant == inbox.tenant)
            & (consents.c.channel == change.channel)
            & (consents.c.address == change.sender)
        )
        values = {"granted": change.granted, "keyword": change.keyword, "at": now}
        done = await connection.execute(update(consents).where(key).values(**values))
        if done.rowcount == 0:
            await connection.execute(
                insert(consents).values(
                    tenant=inbox.tenant, channel=change.channel, address=change.sender, **values
                )
            )


async def apply_receipt(
    connection: AsyncConnection,
    outbox_id: str,
    state: str,
    status: str,
    error: str | None,
    now: datetime,
    base_url: str,
) -> bool:
    """Raise an outbox row's state to a receipt's, never backwards; `failed` after `sent` is a dead letter."""
    if status == "failed":
        if state in ("delivered", "read", "dead", "dropped"):
            return False
        await handoffs.bury(
            connection, outbox_id, error or "failed", "undeliverable", now, base_url
        )
        return True
    if _RANKS.get(status, 0) <= _RANKS.get(state, 9):
        return False
    await queue.set_state(connection, outbox_id, status)
    return True


def _plain(text: str) -> str:
    return text.strip().strip("!.… ").casefold()
