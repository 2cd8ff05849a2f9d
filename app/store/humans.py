"""What people do in a conversation: take over, reply, note, send or edit drafts, hand back, resolve.

Every change of owner, mode or status bumps `version` in the same transaction that drops the bot's queued
replies, so a turn that is still thinking can no longer commit (promise 3).
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import RowMapping, exc, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import copies, handoffs, queue, rows, uses
from app.store.database import Database, db_now
from app.store.models import (
    audit,
    conversations,
    labels,
    messages,
    outbox,
    seen_events,
    tenants,
)
from app.store.models import (
    handoffs as handoff_table,
)
from app.store.turns import write_outbound
from core.briefs import follow_up
from core.clock import Clock
from core.conversations import Csm, Mode, Status
from core.errors import ConflictError, ForbiddenError, NotFoundError
from core.ids import ConversationId, InboxId, TenantId, new_id
from core.messages import Attachment, Author, MessageKind, StoredMessage
from core.ports import Reply

T = TypeVar("T")
_IN_FLIGHT = ("claimed", "unknown")


class _RepeatedError(Exception):
    """The event was taken before: roll back."""


class SqlHumans:
    """Port `Humans`."""

    def __init__(self, database: Database, clock: Clock, base_url: str = "") -> None:
        self._database = database
        self._clock = clock
        self._base_url = base_url

    async def take_over(
        self,
        tenant: TenantId,
        conversation: ConversationId,
        csm: Csm,
        notice: str | None,
        event: str | None = None,
    ) -> tuple[StoredMessage, ...]:
        """See the port."""

        async def change(connection: AsyncConnection, now: datetime) -> tuple[StoredMessage, ...]:
            row = (
                (
                    await connection.execute(
                        update(conversations)
                        .where(
                            conversations.c.id == conversation,
                            conversations.c.tenant == tenant,
                            conversations.c.owner.is_(None),
                        )
                        .values(
                            mode=Mode.MANUAL,
                            owner=csm.id,
                            status=Status.WAITING_US,
                            version=conversations.c.version + 1,
                            updated_at=now,
                        )
                        .returning(*conversations.c)
                    )
                )
                .mappings()
                .one_or_none()
            )
            if row is None:
                if (await self._row(connection, tenant, conversation))["owner"] != csm.id:
                    await self._explain(connection, tenant, conversation)
                return await self._in_flight(connection, conversation)
            await queue.drop_bot_replies(connection, conversation)
            if row["handoff_id"]:
                await connection.execute(
                    update(handoff_table)
                    .where(
                        handoff_table.c.id == row["handoff_id"],
                        handoff_table.c.state == "requested",
                    )
                    .values(state="claimed", claimed_at=now, claimed_by=csm.id)
                )
                await handoffs.show(connection, row["handoff_id"], now, self._base_url)
            if notice:
                await self._say(
                    connection, conversation, notice, now, Author.SYSTEM, MessageKind.NOTICE, None
                )
            await self._audit(connection, tenant, csm.id, "conversation.taken_over", conversation)
            return await self._in_flight(connection, conversation)

        done = await self._once(tenant, event, change)
        return done or ()

    async def reply(
        self,
        tenant: TenantId,
        conversation: ConversationId,
        csm: Csm,
        text: str,
        external_id: str | None = None,
        files: Sequence[str] = (),
        cc: Sequence[str] = (),
        confirmed: Sequence[str] | None = None,
    ) -> StoredMessage | None:
        """See the port."""

        async def change(connection: AsyncConnection, now: datetime) -> StoredMessage | None:
            row = await self._owned(connection, tenant, conversation, csm)
            if external_id and await self._seen(connection, tenant, external_id):
                return None
            others = await copies.chosen(connection, tenant, conversation, cc, confirmed)
            changed = row["status"] != Status.WAITING_CUSTOMER
            await connection.execute(
                update(conversations)
                .where(conversations.c.id == conversation)
                .values(
                    status=Status.WAITING_CUSTOMER,
                    version=conversations.c.version + (1 if changed else 0),
                    updated_at=now,
                )
            )
            return await self._say(
                connection,
                conversation,
                text,
                now,
                Author.CSM,
                MessageKind.REPLY,
                csm.name,
                external_id,
                files,
                cc=others,
            )

        return await self._change(change)

    async def note(
        self,
        tenant: TenantId,
        conversation: ConversationId,
        author_name: str,
        text: str,
        external_id: str | None = None,
    ) -> StoredMessage | None:
        """See the port."""

        async def change(connection: AsyncConnection, now: datetime) -> StoredMessage | None:
            if external_id and await self._seen(connection, tenant, external_id):
                return None
            seq = (
                await connection.execute(
                    update(conversations)
                    .where(conversations.c.id == conversation, conversations.c.tenant == tenant)
                    .values(seq=conversations.c.seq + 1)
                    .returning(conversations.c.seq)
                )
            ).scalar_one_or_none()
            if seq is None:
                raise NotFoundError("no such conversation")
            message_id = new_id("msg", now)
            await connection.execute(
                insert(messages).values(
                    id=message_id,
                    tenant=tenant,
                    conversation_id=conversation,
                    seq=seq,
                    direction="out",
                    author=Author.CSM,
                    author_name=author_name,
                    kind=MessageKind.NOTE,
                    channel="console",
                    text=text,
                    status="recorded",
                    inline=False,
                    assurance="proven",
                    external_id=external_id,
                    citations=[],
                    quick_replies=[],
                    attachments=[],
                    metadata={},
                    created_at=now,
                )
            )
            return await self._message(connection, message_id)

        return await self._change(change)

    async def hand_back(
        self,
        tenant: TenantId,
        conversation: ConversationId,
        csm: Csm,
        notice: str | None,
        event: str | None = None,
    ) -> None:
        """See the port."""

        async def change(connection: AsyncConnection, now: datetime) -> None:
            await self._close(
                connection, tenant, conversation, csm, "handed_back", Status.WAITING_CUSTOMER, now
            )
            if notice:
                await self._say(
                    connection, conversation, notice, now, Author.SYSTEM, MessageKind.NOTICE, None
                )

        await self._once(tenant, event, change)

    async def resolve(
        self, tenant: TenantId, conversation: ConversationId, csm: Csm, event: str | None = None
    ) -> None:
        """See the port."""

        async def change(connection: AsyncConnection, now: datetime) -> None:
            await self._close(
                connection, tenant, conversation, csm, "resolved", Status.RESOLVED, now
            )

        await self._once(tenant, event, change)

    async def _close(
        self,
        connection: AsyncConnection,
        tenant: TenantId,
        conversation: ConversationId,
        csm: Csm,
        state: str,
        status: Status,
        now: datetime,
    ) -> None:
        row = await self._owned(connection, tenant, conversation, csm)
        # a reason does not fire again after hand-back without a new peak; a crisis and lost privileges stay
        lasting = ("crisis", "limits", *(("peaks",) if state == "handed_back" else ()))
        memory = {key: kept for key, kept in (row["memory"] or {}).items() if key in lasting}
        await connection.execute(
            update(conversations)
            .where(conversations.c.id == conversation)
            .values(
                mode=None,
                owner=None,
                handoff_id=None,
                status=status,
                form=None,
                memory=memory,
                version=conversations.c.version + 1,
                updated_at=now,
                **({"resolved_at": now} if status is Status.RESOLVED else {}),
            )
        )
        if row["handoff_id"]:
            await connection.execute(
                update(handoff_table)
                .where(handoff_table.c.id == row["handoff_id"])
                .values(state=state, closed_at=now)
            )
            await handoffs.show(connection, row["handoff_id"], now, self._base_url)
        await self._audit(connection, tenant, csm.id, f"conversation.{state}", conversation)

    async def set_mode(
        self, tenant: TenantId, conversation: ConversationId, mode: Mode | None, csm: Csm
    ) -> None:
        """See the port."""

        async def change(connection: AsyncConnection, now: datetime) -> None:
            done = await connection.execute(
                update(conversations)
                .where(
                    conversations.c.id == conversation,
                    conversations.c.tenant == tenant,
                    conversations.c.owner.is_(None),
                )
                .values(mode=mode, version=conversations.c.version + 1, updated_at=now)
            )
            if done.rowcount == 0:
                await self._explain(connection, tenant, conversation)
            if mode is Mode.MANUAL:
                await queue.drop_bot_replies(connection, conversation)
            await self._audit(connection, tenant, csm.id, f"mode.{mode}", conversation)

        await self._change(change)

    async def decide_draft(
        self, tenant: TenantId, message: str, csm: Csm, action: str, text: str | None
    ) -> StoredMessage:
        """See the port."""

        async def change(connection: AsyncConnection, now: datetime) -> StoredMessage:
            row = (
                (
                    await connection.execute(
                        select(outbox).where(
                            outbox.c.message_id == message,
                            outbox.c.tenant == tenant,
                            outbox.c.state == "proposed",
                        )
                    )
                )
                .mappings()
                .one_or_none()
            )
            if row is None:
                raise ConflictError("this draft was decided already")
            before = row["payload"]["text"]
            after = text if action == "edit" and text else before
            state = "discarded" if action == "discard" else "queued"
            done = await connection.execute(
                update(outbox)
                .where(outbox.c.id == row["id"], outbox.c.state == "proposed")
                .values(state=state, payload={**row["payload"], "text": after}, due_at=db_now())
            )
            if done.rowcount == 0:
                raise ConflictError("this draft was decided already")
            await connection.execute(
                update(messages).where(messages.c.id == message).values(status=state, text=after)
            )
            if state == "queued":
                cited = row["payload"].get("citations") or ()
                await uses.count(connection, tenant, cited, now, "answers")
            await connection.execute(
                insert(labels).values(
                    id=new_id("lbl", now),
                    tenant=tenant,
                    message_id=message,
                    action=action,
                    before=before,
                    after="" if action == "discard" else after,
                    csm_id=csm.id,
                    at=now,
                )
            )
            return await self._message(connection, message)

        return await self._change(change)

    async def note_for_team(
        self,
        tenant: TenantId,
        conversation: ConversationId,
        author: str,
        text: str,
        event: str | None = None,
    ) -> None:
        """See the port."""

        async def change(connection: AsyncConnection, now: datetime) -> None:
            row = await self._row(connection, tenant, conversation)
            line = follow_up(rows.conversation(row), author, text)
            await handoffs.tell_team(connection, tenant, conversation, line, now)

        await self._once(tenant, event, change)

    async def by_alert(self, tenant: TenantId, thread: str) -> ConversationId | None:
        """See the port."""
        async with self._database.read() as connection:
            found = await connection.scalar(
                select(outbox.c.conversation_id)
                .where(
                    outbox.c.tenant == tenant,
                    outbox.c.kind == "card",
                    or_(outbox.c.provider_id == thread, outbox.c.provider_thread == thread),
                )
                .limit(1)
            )
            return ConversationId(found) if found else None

    async def owner(self, tenant: TenantId, conversation: ConversationId) -> str | None:
        """See the port."""
        async with self._database.read() as connection:
            owner: str | None = (await self._row(connection, tenant, conversation))["owner"]
            return owner

    # ------------------------------------------------------------ inside a transaction

    async def _change(self, change: Callable[[AsyncConnection, datetime], Awaitable[T]]) -> T:
        async with self._database.write() as connection:
            return await change(connection, self._clock.now())

    async def _once(
        self,
        tenant: TenantId,
        event: str | None,
        change: Callable[[AsyncConnection, datetime], Awaitable[T]],
    ) -> T | None:
        """Make the change together with the mark of its event; None when the mark stands already."""

        async def marked(connection: AsyncConnection, now: datetime) -> T:
            if event:
                values = {"tenant": tenant, "channel": "team", "external_id": event, "at": now}
                try:
                    await connection.execute(insert(seen_events).values(**values))
                except exc.IntegrityError as error:
                    raise _RepeatedError from error
            return await change(connection, now)

        try:
            return await self._change(marked)
        except _RepeatedError:
            return None

    async def _in_flight(
        self, connection: AsyncConnection, conversation: str
    ) -> tuple[StoredMessage, ...]:
        found = await connection.execute(
            select(messages).where(
                messages.c.conversation_id == conversation,
                messages.c.author == Author.BOT,
                messages.c.status.in_(_IN_FLIGHT),
            )
        )
        return tuple(rows.message(r) for r in found.mappings())

    async def _row(self, connection: AsyncConnection, tenant: str, conversation: str) -> RowMapping:
        row = (
            (
                await connection.execute(
                    select(conversations)
                    .where(conversations.c.id == conversation, conversations.c.tenant == tenant)
                    .with_for_update()
                )
            )
            .mappings()
            .one_or_none()
        )
        if row is None:
            raise NotFoundError("no such conversation")
        return row

    async def _owned(
        self, connection: AsyncConnection, tenant: str, conversation: str, csm: Csm
    ) -> RowMapping:
        row = await self._row(connection, tenant, conversation)
        if row["owner"] is None:
            raise ConflictError("nobody has claimed this conversation; claim it first")
        if row["owner"] != csm.id:
            holder = await handoffs.csm(connection, row["owner"])
            name = holder.name if holder else "another person"
            raise ForbiddenError(f"{name} has this conversation")
        return row

    async def _explain(self, connection: AsyncConnection, tenant: str, conversation: str) -> None:
        row = await self._row(connection, tenant, conversation)
        holder = await handoffs.csm(connection, row["owner"]) if row["owner"] else None
        raise ConflictError(f"{holder.name if holder else 'Another person'} has claimed it already")

    async def _seen(self, connection: AsyncConnection, tenant: str, external_id: str) -> bool:
        found = await connection.execute(
            select(messages.c.id).where(
                messages.c.tenant == tenant, messages.c.external_id == external_id
            )
        )
        return found.first() is not None

    async def _message(self, connection: AsyncConnection, message: str) -> StoredMessage:
        row = await connection.execute(select(messages).where(messages.c.id == message))
        return rows.message(row.mappings().one())

    async def _say(
        self,
        connection: AsyncConnection,
        conversation: str,
        text: str,
        now: datetime,
        author: Author,
        kind: MessageKind,
        author_name: str | None,
        external_id: str | None = None,
        files: Sequence[str] = (),
        *,
        cc: tuple[str, ...] = (),
    ) -> StoredMessage:
        """Queue a message to where the customer last wrote from."""
        last = (
            (
                await connection.execute(
                    select(messages)
                    .where(
                        messages.c.conversation_id == conversation,
                        messages.c.direction == "in",
                    )
                    .order_by(messages.c.seq.desc())
                    .limit(1)
                )
            )
            .mappings()
            .one()
        )
        heard = rows.message(last)
        seq = (
            await connection.execute(
                update(conversations)
                .where(conversations.c.id == conversation)
                .values(seq=conversations.c.seq + 1, updated_at=now)
                .returning(conversations.c.seq)
            )
        ).scalar_one()
        policy = rows.policy(
            await connection.scalar(select(tenants.c.policy).where(tenants.c.id == last["tenant"]))
        )
        message, _ = await write_outbound(
            connection,
            tenant=last["tenant"],
            conversation=conversation,
            turn=None,
            reply=Reply(
                text=text,
                kind=kind,
                author=author,
                author_name=author_name,
                channel=heard.channel,
                address=heard.address or "",
                inbox=heard.inbox or InboxId(""),
                subject=heard.subject,
                thread=heard.reply_thread(),
                references=heard.reply_references(),
                locale=heard.locale or "en",
                inline=heard.inline,
                attachments=tuple(Attachment("", "", 0, id=file) for file in files),
                cc=cc,
            ),
            seq=seq,
            now=now,
            bot_name=policy.bot_name,
        )
        if len(message.attachments) != len(files):
            raise NotFoundError("a file is not there any more: attach it again")
        if external_id:
            await connection.execute(
                update(messages).where(messages.c.id == message.id).values(external_id=external_id)
            )
        return message

    async def _audit(
        self, connection: AsyncConnection, tenant: str, actor: str, action: str, subject: str
    ) -> None:
        now = self._clock.now()
        await connection.execute(
            insert(audit).values(
                id=new_id("aud", now),
                tenant=tenant,
                actor=actor,
                action=action,
                subject=subject,
                detail={},
                at=now,
            )
        )
