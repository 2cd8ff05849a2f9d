"""What a visitor may ask for beside talking: to be reached elsewhere, the conversation by mail, files.

Owns when to ask for an address (once, when a person was asked for), what a transcript holds, and whose an
uploaded file is. Nothing here is believed: an address typed into a web page is `claimed`.
Not here: frames (channels/_shared/web_frames.py), when an unread answer goes out (app/unread.py).
"""

import re
from collections.abc import Sequence
from datetime import timedelta

from app.api.web_chat import Guest, WebChat
from app.unread import masked
from channels._shared.web_frames import About, Reach
from core.conversations import Conversation, Mode, Status
from core.errors import BadInputError, NotFoundError, RateLimitedError
from core.ids import ConversationId
from core.messages import Assurance, Attachment, Author, IdentityClaim, StoredMessage
from core.ports import Reachable

CHANNELS = ("email", "sms")  # where an answer can go, the first one offered first
ASKED_WHEN = (Status.WAITING_US,)
TRANSCRIPT_ROWS = 500
TRANSCRIPTS_AN_HOUR, TRANSCRIPTS_A_DAY = 3, 5  # of one visitor; to one address
FILE_LIFE = timedelta(hours=12)  # of a link to a file; a page that is open longer asks again
_LINK = re.compile(r"(?i)\b(?:https?://|www\.)\S+|\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,24}/\S*")


class Extras:
    """One guest's requests. `about` is what they said of themselves before the talk."""

    def __init__(self, chat: WebChat, guest: Guest) -> None:
        self._chat, self._guest = chat, guest
        self._settled: set[ConversationId] = set()
        self.about = About()

    # ------------------------------------------------------------ who

    def claims(self) -> tuple[IdentityClaim, ...]:
        """Return the addresses of a new message's sender: what was signed, else what was typed."""
        identity = self._guest.identity
        if identity is not None:
            return identity.claims()
        mail = self.about.email
        return (IdentityClaim("email", mail, Assurance.CLAIMED),) if mail else ()

    # ------------------------------------------------------------ where to reach them

    async def ask(self, found: Conversation) -> tuple[str, ...]:
        """Return the channels to ask about now; none once they were asked, or when we know by proof."""
        waits = found.status in ASKED_WHEN or found.mode is Mode.MANUAL
        if not waits or found.id in self._settled:
            return ()
        chat, guest = self._chat, self._guest
        if await chat.reaches.of(guest.tenant, found.id) is not None:
            self._settled.add(found.id)
            return ()
        open_ways = await self._ways()
        signed = guest.identity.email if guest.identity else None
        mail = signed or self.about.email
        if mail and "email" in open_ways:
            sure = Assurance.PROVEN if signed else Assurance.CLAIMED
            await self._give(found.id, Reachable("email", mail, sure))
            return ()
        return open_ways

    async def _ways(self) -> tuple[str, ...]:
        known = await self._chat.directory.inboxes(self._guest.tenant)
        ours = {inbox.channel for inbox in known if inbox.kind == "customer"}
        return tuple(channel for channel in CHANNELS if channel in ours)

    async def reach(self, conversation: ConversationId, frame: Reach) -> None:
        """Keep where an answer may go. Raises BadInputError for a channel the tenant does not have."""
        if frame.channel not in await self._ways():
            raise BadInputError(f"nothing can be sent by {frame.channel} here")
        said = Reachable(frame.channel, frame.address, Assurance.CLAIMED)
        await self._give(conversation, said)

    async def _give(self, conversation: ConversationId, reach: Reachable) -> None:
        chat, tenant = self._chat, self._guest.tenant
        await chat.reaches.give(tenant, conversation, reach, chat.clock.now())
        self._settled.add(conversation)
        hint = {"type": "conversation", "conversation_id": conversation}
        await chat.fanout.publish(f"tenant:{tenant}", hint)  # the composer says where it goes

    # ------------------------------------------------------------ the conversation by mail

    async def send_transcript(self, conversation: ConversationId, email: str, floor: int) -> None:
        """Queue the conversation as a mail to the address its visitor typed just now.

        To an address nobody proved, links a visitor wrote are left out: else anybody could have us mail
        anything to anyone. Raises RateLimitedError, BadInputError when there is no mail or nothing was answered.
        """
        chat, guest = self._chat, self._guest
        known = await chat.directory.inboxes(guest.tenant)
        inbox = next((i for i in known if (i.channel, i.kind) == ("email", "customer")), None)
        if inbox is None:
            raise BadInputError("no mail can be sent from here")
        rows = await chat.transcript.messages_after(
            guest.tenant, conversation, max(0, floor - 1), TRANSCRIPT_ROWS
        )
        if not any(row.author in (Author.BOT, Author.CSM) for row in rows):
            raise BadInputError("there is no answer to send yet")
        await self._limit_transcripts(email)
        proven = guest.identity is not None and guest.identity.email == email
        lines = chat.lines_for(guest.policy)
        intro = lines.say("web.transcript_intro", guest.locale, "email")
        parts = [self._said(row, proven=proven) for row in rows if not row.metadata.get("beside")]
        shown = lines.say("web.transcript_sent", guest.locale, "web", address=masked(email))
        subject = lines.say("web.transcript_subject", guest.locale, "email")
        await chat.reaches.send_transcript(
            inbox, conversation, email, subject, "\n\n".join([intro, *parts]), shown
        )
        await chat.wakeups.wake("outbox", conversation)

    async def _limit_transcripts(self, email: str) -> None:
        allow, tenant = self._chat.cache.allow, self._guest.tenant
        own = f"web:transcript:{tenant}:{self._guest.visitor.id}"
        if not await allow(own, TRANSCRIPTS_AN_HOUR, 3600.0) or not await allow(
            f"web:transcript:{tenant}:{email}", TRANSCRIPTS_A_DAY, 86_400.0
        ):
            raise RateLimitedError("too many transcripts", retry_after=3600.0)

    def _said(self, row: StoredMessage, *, proven: bool) -> str:
        lines, locale = self._chat.lines_for(self._guest.policy), self._guest.locale
        policy = self._guest.policy
        text, mine = row.text, row.author is Author.CUSTOMER
        if mine and not proven:
            text = _LINK.sub(lines.say("web.transcript_link", locale, "email"), text)
        usual = policy.bot_name if row.author is Author.BOT else policy.brand
        name = lines.say("web.transcript_you", locale) if mine else row.author_name or usual
        return f"{name} ({row.created_at:%Y-%m-%d %H:%M} UTC):\n{text}"

    # ------------------------------------------------------------ files

    async def files(self, ids: Sequence[str]) -> tuple[Attachment, ...]:
        """Return what this visitor uploaded under these ids. Raises BadInputError for any other id."""
        return tuple([await self._file(name) for name in ids])

    async def _file(self, name: str) -> Attachment:
        guest = self._guest
        kept = await self._chat.state.get("web", guest.tenant, file_key(guest.visitor.id, name))
        if kept is None:
            raise BadInputError("this file was not uploaded here")
        size = kept.get("size")
        return Attachment(
            name=str(kept.get("name")),
            content_type=str(kept.get("content_type")),
            size=size if isinstance(size, int) else 0,
            id=name,
        )

    async def urls(self, row: StoredMessage) -> dict[str, str]:
        """Return where the files of a message may be fetched, by their ids."""
        chat, found = self._chat, dict[str, str]()
        for file in row.attachments if chat.files is not None else ():
            if file.id and not file.refused and chat.files is not None:
                until = chat.clock.now() + FILE_LIFE
                try:
                    found[file.id] = await chat.files.link(self._guest.tenant, file.id, until)
                except NotFoundError:
                    continue  # still on its way, or erased
        return found


def file_key(visitor: str, file: str) -> str:
    """Return under which key the store of small things knows whose file this is."""
    return f"file:{visitor}:{file}"
