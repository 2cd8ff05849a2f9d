"""What customers change after the fact: a message edited or taken back, a thumb under one of ours."""

from sqlalchemy import select, update

from app.store.database import Database
from app.store.models import conversations, messages, outbox
from app.store.transcript import SqlTranscript
from core.clock import Clock
from core.conversations import Inbox
from core.errors import NotFoundError
from core.ids import ConversationId
from core.messages import Correction, Reaction

MAX_TEXT = 32_000


class SqlChanges:
    """Port `Changes`."""

    def __init__(self, database: Database, clock: Clock, transcript: SqlTranscript) -> None:
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
