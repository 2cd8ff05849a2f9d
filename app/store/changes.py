"""What changes after the fact: a message edited or taken back, a thumb, a person of ours who answered first."""

from sqlalchemy import exc, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import queue
from app.store.codes import Seals
from app.store.database import Database
from app.store.models import conversations, messages, outbox
from app.store.transcript import SqlTranscript
from core.clock import Clock
from core.conversations import Inbox, Status
from core.errors import NotFoundError
from core.ids import ConversationId, new_id
from core.messages import Assurance, Author, Correction, MessageKind, Overheard, Reaction

MAX_TEXT = 32_000


class SqlChanges:
    """Port `Changes`."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        transcript: SqlTranscript,
        seals: Seals | None = None,
    ) -> None:
        self._seals = seals or Seals("")
        self._database = database
        self._clock = clock
        self._transcript = transcript

    async def correct(self, inbox: Inbox, change: Correction) -> ConversationId | None:
        """See the port."""
        async with self._database.write() as connection:
            row = (
                (
                    await connection.execute(
                        select(messages)
                        .where(
                            messages.c.tenant == inbox.tenant,
                            messages.c.channel == change.channel,
                            messages.c.external_id == change.external_id,
                            messages.c.direction == "in",
                        )
                        .with_for_update()
                    )
                )
                .mappings()
                .one_or_none()
            )
            known = dict(row["metadata"] or {}) if row else {}
            if row is None or known.get("sender") != change.sender:
                return None
            text = None if change.text is None else change.text.replace("\x00", "")[:MAX_TEXT]
            typed = None
            if text is not None:
                text, typed = await self._seals.hide(
                    connection, inbox.tenant, row["conversation_id"], text, self._clock.now()
                )
            if text == row["text"] or (text is None and "deleted_at" in known):
                return None
            at = self._clock.now().isoformat()
            values: dict[str, object] = {}
            if text is None:
                known["deleted_at"] = at
                if row["status"] == "received":  # nobody has read it: nobody will
                    values = {"text": "", "status": "recorded"}
            else:
                known |= {"edited_at": at, "before": known.get("before", row["text"])}
                known |= {"code": typed} if typed else {}
                values = {"text": text}
            await connection.execute(
                update(messages).where(messages.c.id == row["id"]).values(metadata=known, **values)
            )
            if row["status"] == "received":
                # a turn that thinks about the old words loses its version, and is thought again
                await connection.execute(
                    update(conversations)
                    .where(conversations.c.id == row["conversation_id"])
                    .values(version=conversations.c.version + 1)
                )
            return ConversationId(row["conversation_id"])

    async def react(self, inbox: Inbox, reaction: Reaction) -> ConversationId | None:
        """See the port."""
        async with self._database.read() as connection:
            found = (
                await connection.execute(
                    select(outbox.c.conversation_id, outbox.c.message_id).where(
                        outbox.c.tenant == inbox.tenant,
                        outbox.c.channel == inbox.channel,
                        outbox.c.provider_id == reaction.provider_id,
                        outbox.c.author == "bot",
                    )
                )
            ).one_or_none()
        if found is None or not found.conversation_id or not found.message_id or not reaction.value:
            return None
        conversation = ConversationId(found.conversation_id)
        try:
            await self._transcript.feedback(
                inbox.tenant, conversation, found.message_id, reaction.value
            )
        except NotFoundError:
            return None
        return conversation

    async def overhear(self, inbox: Inbox, heard: Overheard) -> ConversationId | None:
        """See the port. A turn that thinks about what is withdrawn loses its version and is dropped."""
        try:
            async with self._database.write() as connection:
                return await self._overhear(connection, inbox, heard)
        except exc.IntegrityError:  # the same event, brought twice at once
            return None

    async def _overhear(
        self, connection: AsyncConnection, inbox: Inbox, heard: Overheard
    ) -> ConversationId | None:
        now = self._clock.now()
        row = (
            await connection.execute(
                update(conversations)
                .where(
                    conversations.c.tenant == inbox.tenant,
                    conversations.c.open_key == f"thread:{heard.thread}",
                )
                .values(seq=conversations.c.seq + 1, updated_at=now)
                .returning(conversations.c.id, conversations.c.seq, conversations.c.status)
            )
        ).one_or_none()
        if row is None:
            return None
        await connection.execute(
            insert(messages).values(
                id=new_id("msg", now),
                tenant=inbox.tenant,
                conversation_id=row.id,
                seq=row.seq,
                direction="out",
                author=Author.CSM,
                author_name=heard.actor_name,
                kind=MessageKind.MESSAGE,
                channel=heard.channel,
                inbox_id=inbox.id,
                address=heard.actor,
                external_id=heard.external_id,
                text=heard.text.replace("\x00", "")[:MAX_TEXT],
                thread=heard.thread,
                status="sent",
                inline=False,
                assurance=Assurance.CHANNEL,
                citations=[],
                quick_replies=[],
                attachments=[],
                metadata={"sender": heard.actor, "overheard": "1"},
                created_at=now,
            )
        )
        await self._withdraw(connection, row.id, row.status)
        return ConversationId(row.id)

    async def _withdraw(
        self, connection: AsyncConnection, conversation: str, status: Status
    ) -> None:
        """Take from the bot what was left to people first; what asked for the bot stays its own."""
        found = await connection.execute(
            select(messages.c.id, messages.c.metadata, messages.c.status)
            .where(messages.c.conversation_id == conversation, messages.c.direction == "in")
            .order_by(messages.c.seq.desc())
            .limit(50)
        )
        latest = found.all()
        left = [m.id for m in latest if m.status == "received" and _left_to_people(m.metadata)]
        if not latest or not _left_to_people(latest[0].metadata):
            return
        await connection.execute(
            update(messages).where(messages.c.id.in_(left)).values(status="recorded")
        )
        await queue.drop_bot_replies(connection, conversation)
        waits = status in (Status.OPEN, Status.WAITING_CUSTOMER)
        await connection.execute(
            update(conversations)
            .where(conversations.c.id == conversation)
            .values(
                version=conversations.c.version + 1,
                **({"status": Status.WAITING_CUSTOMER} if waits else {}),
            )
        )


def _left_to_people(metadata: object) -> bool:
    return isinstance(metadata, dict) and "left_to_people" in metadata
