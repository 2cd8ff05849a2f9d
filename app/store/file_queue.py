"""Files known by their URL alone: claimed, and settled in their message's own row.

A message is locked before any file of it, so that its files are settled one after the other and its customer is
told once. Not here: fetching (app/files.py), what may be kept (core/files.py).
"""

import hashlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import rows
from app.store.database import Database, db_now
from app.store.models import consents, conversations, files, inboxes, messages, tenants
from app.store.turns import write_outbound
from core.clock import Clock
from core.conversations import Inbox
from core.files import Judged
from core.ids import ConversationId, InboxId, TenantId
from core.messages import Attachment, Author, MessageKind, StoredMessage
from core.ports import PendingFile, Reply

CLAIM_SECONDS = 90.0  # more than one fetch may take


class SqlFileQueue:
    """Port `FileQueue`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def claim(self, limit: int) -> Sequence[PendingFile]:
        """See the port."""
        due = (
            select(files.c.id)
            .where(files.c.state == "pending", files.c.due_at <= db_now())
            .order_by(files.c.due_at)
            .limit(limit)
        )
        async with self._database.write() as connection:
            if not self._database.sqlite:
                due = due.with_for_update(skip_locked=True)
            ids = list((await connection.execute(due)).scalars())
            if not ids:
                return []
            await connection.execute(
                update(files)
                .where(files.c.id.in_(ids))
                .values(due_at=db_now(CLAIM_SECONDS), attempts=files.c.attempts + 1)
            )
            found = await connection.execute(
                select(
                    files,
                    messages.c.channel,
                    conversations.c.locale,
                    inboxes.c.channel.label("inbox_channel"),
                    inboxes.c.address,
                    inboxes.c.kind,
                    inboxes.c.env_prefix,
                )
                .join(messages, messages.c.id == files.c.message_id)
                .join(conversations, conversations.c.id == messages.c.conversation_id)
                .outerjoin(inboxes, inboxes.c.id == files.c.inbox_id)
                .where(files.c.id.in_(ids))
                .order_by(files.c.id)
            )
            return [_pending(row) for row in found.mappings()]

    async def kept(self, file: PendingFile, judged: Judged, data: bytes) -> ConversationId | None:
        """See the port."""
        values = {"state": "ready", "data": data, "sha256": hashlib.sha256(data).hexdigest()}
        async with self._database.write() as connection:
            message = await self._held(connection, file)
            if not await self._settle(connection, file, judged, size=len(data), **values):
                return None
            await self._show(connection, file, judged, message, len(data))
            return message.conversation_id if message else None

    async def refuse(
        self, file: PendingFile, judged: Judged, notice: str | None
    ) -> ConversationId | None:
        """See the port."""
        async with self._database.write() as connection:
            message = await self._held(connection, file)
            done = await self._settle(
                connection, file, judged, state="refused", reason=judged.refused
            )
            if message is None or not done:
                return None
            await self._show(connection, file, judged, message, file.size)
            live = message.status in ("received", "handled") and not message.inline
            if not (notice and live) or await self._stopped(connection, file, message):
                return message.conversation_id
            if await self._first(connection, message):
                await self._tell(connection, file, message, notice)
            return message.conversation_id

    async def retry(self, file: PendingFile, after: float) -> None:
        """See the port."""
        async with self._database.write() as connection:
            await connection.execute(
                update(files)
                .where(files.c.id == file.id, files.c.state == "pending")
                .values(due_at=db_now(after))
            )

    async def _held(self, connection: AsyncConnection, file: PendingFile) -> StoredMessage | None:
        """Lock the file's message, before any file of it: its files are settled one after the other."""
        found = await connection.execute(
            select(messages)
            .join(files, files.c.message_id == messages.c.id)
            .where(files.c.id == file.id)
            .with_for_update(of=messages)
        )
        row = found.mappings().one_or_none()
        return rows.message(row) if row is not None else None

    async def _settle(
        self, connection: AsyncConnection, file: PendingFile, judged: Judged, **values: object
    ) -> bool:
        done = await connection.execute(
            update(files)
            .where(files.c.id == file.id, files.c.state == "pending")
            .values(
                name=judged.name,
                content_type=judged.content_type,
                source=None,
                due_at=None,
                **values,
            )
        )
        return done.rowcount > 0

    async def _show(
        self,
        connection: AsyncConnection,
        file: PendingFile,
        judged: Judged,
        message: StoredMessage | None,
        size: int,
    ) -> None:
        """Write into the message's own row what became of its file."""
        if message is None:
            return
        now = Attachment(judged.name, judged.content_type, size, id=file.id, refused=judged.refused)
        listed = [now if a.id == file.id else a for a in message.attachments]
        await connection.execute(
            update(messages)
            .where(messages.c.id == message.id)
            .values(attachments=rows.attachments_to_json(listed))
        )

    async def _stopped(
        self, connection: AsyncConnection, file: PendingFile, message: StoredMessage
    ) -> bool:
        """Return whether STOP stands where this was written from: then nothing more is said there."""
        written_from = [message.address or "", message.metadata.get("sender", "")]
        granted = await connection.execute(
            select(consents.c.granted).where(
                consents.c.tenant == file.tenant,
                consents.c.channel == message.channel,
                consents.c.address.in_(written_from),
            )
        )
        return False in granted.scalars().all()

    async def _first(self, connection: AsyncConnection, message: StoredMessage) -> bool:
        """Take the right to tell the customer about this message's files; only one of them gets it."""
        done = await connection.execute(
            update(files)
            .where(files.c.message_id == message.id, ~_told_about(message))
            .values(told=True)
        )
        return done.rowcount > 0

    async def _tell(
        self,
        connection: AsyncConnection,
        file: PendingFile,
        message: StoredMessage,
        notice: str,
    ) -> None:
        seq = await connection.scalar(
            update(conversations)
            .where(conversations.c.id == message.conversation_id)
            .values(seq=conversations.c.seq + 1)
            .returning(conversations.c.seq)
        )
        policy = rows.policy(
            await connection.scalar(select(tenants.c.policy).where(tenants.c.id == file.tenant))
        )
        await write_outbound(
            connection,
            tenant=file.tenant,
            conversation=message.conversation_id,
            turn=None,
            reply=Reply(
                text=notice,
                kind=MessageKind.NOTICE,
                author=Author.BOT,
                channel=message.channel,
                address=message.address or "",
                inbox=message.inbox or InboxId(""),
                subject=message.subject,
                thread=message.reply_thread(),
                references=message.reply_references(),
                locale=file.locale or message.locale or policy.locale,
            ),
            seq=int(seq or 0),
            now=self._clock.now(),
            bot_name=policy.bot_name,
        )


def _told_about(message: StoredMessage) -> Any:
    told = files.alias()
    return select(told.c.id).where(told.c.message_id == message.id, told.c.told.is_(True)).exists()


def _pending(row: RowMapping) -> PendingFile:
    inbox = None
    if row["inbox_channel"] is not None:
        inbox = Inbox(
            id=InboxId(row["inbox_id"]),
            tenant=TenantId(row["tenant"]),
            channel=row["inbox_channel"],
            address=row["address"],
            kind=row["kind"],
            env_prefix=row["env_prefix"],
        )
    return PendingFile(
        id=row["id"],
        tenant=TenantId(row["tenant"]),
        name=row["name"],
        content_type=row["content_type"],
        size=row["size"],
        url=row["source"],
        attempts=row["attempts"],
        inbox=inbox,
        channel=row["channel"],
        locale=row["locale"],
    )
