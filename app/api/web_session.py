"""One browser tab's session with the widget: between frames and the message path.

Owns subscribe, catch up, live; acks and rate limits of one socket. The rows in SQL are what is
sent; a published hint only says when to look, and a poll replaces lost hints.
Not here: admission (web_chat.py), queue (web_wire.py), routes (socket.py), frames (channels/), what is
asked for beside talking (web_extras.py).
"""

import asyncio
import hashlib
from collections import deque
from collections.abc import Mapping, Sequence

from app.api.web_chat import Guest, WebChat
from app.api.web_extras import Extras
from app.api.web_opening import opening_for, subject_of
from app.api.web_wire import POLICY_VIOLATION, HangUpError, Outlet, Wire
from channels import web
from channels._shared.web_frames import (
    About,
    Ack,
    Feedback,
    Frame,
    Hello,
    Reach,
    Send,
    Transcript,
    Typing,
    client_id_of,
    parse_frame,
)
from channels._shared.web_token import issue_visitor
from core.conversations import Conversation
from core.errors import BadInputError, RateLimitedError, ServiceError
from core.ids import ConversationId
from core.messages import Assurance, Author, Inbound, Opening, StoredMessage
from guardrails._shared.naming import neutral

PAGE = 100  # rows
HISTORY = 200  # rows a fresh page is shown of a long conversation
MAX_REFUSED = 20  # frames refused before we hang up
SENDS_PER_MINUTE = 30
TYPING_LIFE = 6.0  # seconds a visitor counts as typing after a typing frame


class Session:
    """A guest, the conversation they are in, and what this socket has shown of it."""

    def __init__(self, wire: Wire, chat: WebChat, outlet: Outlet, guest: Guest) -> None:
        self._wire, self._chat, self._outlet, self._guest = wire, chat, outlet, guest
        self._visitor_topic = f"visitor:{guest.tenant}:{guest.visitor.id}"
        self._conversation: ConversationId | None = None
        self._cursor = 0
        self._shown: set[int] = set()
        self._unconfirmed: deque[tuple[int, bool]] = deque()
        self._status: web.OutFrame | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._follower: asyncio.Task[None] | None = None
        self._extras = Extras(chat, guest)
        self._opening: Opening | None = None
        self._greeted: str | None = None

    async def run(self, hello: Hello) -> None:
        """Serve the socket. Ends only by raising, HangUpError for the expected ends."""
        await self._welcome(hello)
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            tasks.create_task(self._outlet.run())
            self._follow()
            tasks.create_task(self._listen())

    async def _welcome(self, hello: Hello) -> None:
        chat, guest = self._chat, self._guest
        self._extras.about, self._greeted = hello.about or About(), hello.greeted
        asked = ConversationId(hello.conversation_id) if hello.conversation_id else None
        found = await self._find(asked) if asked else None
        if found is None and (hello.token or hello.resume or guest.identity):
            found = await self._find(None)
        if found is not None:
            seen = hello.seq if found.id == asked else 0
            self._conversation = found.id
            self._cursor = min(seen, found.seq) or max(0, found.seq - HISTORY)
        else:
            self._opening = await opening_for(chat, guest)
        opening = self._opening
        await self._outlet.put(
            web.welcome(
                issue_visitor(guest.visitor, chat.visitor_secret, chat.clock.now()),
                self._conversation,
                found.seq if found else 0,
                brand=guest.policy.brand,
                bot_name=guest.policy.bot_name,
                locale=guest.locale,
                greeting=opening.text if opening else self._greeting(),
                quick_replies=opening.quick_replies if opening else (),
                files=chat.files is not None,
            )
        )

    # ------------------------------------------------------------ what goes out

    def _follow(self) -> None:
        """Follow the conversation this session is in now, instead of any earlier one."""
        assert self._tasks is not None, "run() has begun"  # noqa: S101 - for the type checker
        earlier, self._follower = self._follower, self._tasks.create_task(self._pump())
        if earlier is not None:
            earlier.cancel()

    async def _pump(self) -> None:
        topics = [self._visitor_topic]
        if self._conversation is not None:
            topics.append(web.topic(self._conversation))
        # Subscribe first, then read: what is committed in between may come twice, never not at all.
        async with self._chat.fanout.subscribe(*topics) as hints:
            await self._catch_up(late=True)
            # A cancellation swallowed inside `get` must not leave two of us behind.
            while self._follower is asyncio.current_task():
                hint = await hints.get(self._chat.poll)
                if hint is None:
                    await self._catch_up(late=True)
                else:
                    await self._react(hint)

    async def _react(self, hint: Mapping[str, object]) -> None:
        match hint.get("type"):
            case "message":
                seq = hint.get("seq")
                await self._catch_up(before=seq if isinstance(seq, int) else None)
            case "status":
                await self._catch_up()
            case "conversation":  # another tab opened one
                await self._meet(hint.get("conversation_id"))
            case _:
                frame = web.preview(hint)
                if frame is not None:
                    self._outlet.offer(frame)

    async def _meet(self, opened: object) -> None:
        if isinstance(opened, str) and opened != self._conversation:
            found = await self._find(ConversationId(opened))
            if found is not None:
                self._attach(found.id, found.seq)

    def _attach(self, conversation: ConversationId, seq: int) -> None:
        self._conversation, self._cursor = conversation, max(0, seq - HISTORY)
        self._shown.clear()
        self._unconfirmed.clear()
        self._status = None
        self._follow()

    async def _catch_up(self, *, before: int | None = None, late: bool = False) -> None:
        """Send every row not shown yet.

        A row can become visible after one with a greater seq (queued while the customer wrote on):
        `before` is a seq to look from, `late` asks for all that nobody acknowledged.
        """
        if self._conversation is None:
            return
        tenant, conversation = self._guest.tenant, self._conversation
        read = self._chat.transcript
        if late:
            await self._show(await read.unacked(tenant, conversation, self._cursor))
        after = self._cursor if before is None else min(self._cursor, max(0, before - 1))
        while True:
            rows = await read.messages_after(tenant, conversation, after, PAGE)
            await self._show(rows)
            if len(rows) < PAGE:
                break
            after = rows[-1].seq
        await self._show_status(await self._find(conversation))

    async def _show(self, rows: Sequence[StoredMessage]) -> None:
        for row in rows:
            if row.seq in self._shown:
                continue
            self._shown.add(row.seq)
            self._cursor = max(self._cursor, row.seq)
            # "there is an answer, here is the way back" has found its reader
            if row.seq < self._floor or row.metadata.get("beside") == "unread":
                continue
            urls = await self._extras.urls(row) if row.attachments else None
            await self._outlet.put(web.message(row, urls))
            ours = row.author is not Author.CUSTOMER and row.channel == "web"
            self._unconfirmed.append((row.seq, ours and row.status not in ("delivered", "read")))

    async def _show_status(self, found: Conversation | None) -> None:
        if found is None:
            return
        csm = None
        if found.owner is not None:
            csm = await self._chat.directory.csm(self._guest.tenant, found.owner)
        ask = await self._extras.ask(found)
        frame = web.status(found.mode, found.status.value, csm.name if csm else None, ask)
        if frame != self._status:
            await self._outlet.put(frame)
            self._status = frame

    # ------------------------------------------------------------ what comes in

    async def _listen(self) -> None:
        refused = 0
        try:
            while True:
                raw = await self._wire.receive()
                try:
                    await self._take(parse_frame(raw))
                except ServiceError as fault:
                    await self._outlet.put(web.error(fault, client_id_of(raw)))
                    refused += isinstance(fault, BadInputError)
                    if refused > MAX_REFUSED:
                        raise HangUpError(POLICY_VIOLATION) from fault
        finally:
            self._follower = None

    async def _take(self, frame: Frame) -> None:
        match frame:
            case Send():
                await self._send(frame)
            case Ack(seq=seq):
                await self._ack(seq)
            case Typing():
                await self._typing()
            case Feedback(message_id=message_id, value=value):
                await self._limit("feedback")
                await self._chat.transcript.feedback(
                    self._guest.tenant, self._begun(), message_id, value
                )
            case About() | Reach() | Transcript():
                await self._beside(frame)
            case Hello():
                raise BadInputError("hello was said already")

    async def _beside(self, frame: About | Reach | Transcript) -> None:
        match frame:
            case About():
                self._extras.about = frame
            case Reach():
                await self._limit("reach")
                await self._extras.reach(self._begun(), frame)
                await self._show_status(await self._find(self._begun()))
            case Transcript(email=email):
                await self._limit("transcript")
                await self._extras.send_transcript(self._begun(), email, self._floor)

    @property
    def _floor(self) -> int:
        """The first message this guest may see: 1 for all but who came by an unproven link."""
        return self._guest.visitor.floor[1] if self._guest.visitor.floor else 1

    def _begun(self) -> ConversationId:
        if self._conversation is None:
            raise BadInputError("there is no conversation yet")
        return self._conversation

    async def _send(self, frame: Send) -> None:
        chat, guest = self._chat, self._guest
        await self._limit("send")
        inbound = await self._inbound(frame)
        quiet = web.CHANNEL.capabilities.quiet
        accepted = await chat.intake.accept(guest.inbox, neutral(inbound), quiet)
        self._opening = None
        await self._outlet.put(web.stored(frame.client_id, accepted.conversation_id, accepted.seq))
        if accepted.conversation_id != self._conversation:
            self._attach(accepted.conversation_id, accepted.seq)
            await chat.fanout.publish(
                self._visitor_topic,
                {"type": "conversation", "conversation_id": accepted.conversation_id},
            )
        if not accepted.duplicate:
            await chat.wakeups.wake("turn", accepted.conversation_id, quiet)
            hint = {"type": "message", "seq": accepted.seq}
            await chat.fanout.publish(web.topic(accepted.conversation_id), hint)

    async def _inbound(self, frame: Send) -> Inbound:
        guest, identity, about = self._guest, self._guest.identity, self._extras.about
        files = await self._extras.files(frame.files)
        said = "\n".join((frame.text, *frame.files))
        link, first = guest.link, self._conversation is None
        return Inbound(
            channel="web",
            external_id=f"{guest.visitor.id}:{frame.client_id}",
            sender=guest.visitor.id,
            text=frame.text,
            assurance=Assurance.PROVEN if identity else Assurance.CHANNEL,
            conversation_id=self._conversation,
            display_name=identity.name if identity else about.name,
            locale=guest.locale,
            claims=self._extras.claims(),
            body_hash=hashlib.sha256(said.encode()).hexdigest(),
            attachments=files,
            subject=(subject_of(link) if link else about.topic) if first else None,
            opening=self._opening if first else None,
            metadata={"greeted": self._greeted} if self._greeted and first else {},
        )

    async def _ack(self, seq: int) -> None:
        """Confirm all that was sent here up to this row, in order of sending, not of seq."""
        if self._conversation is None or seq not in (s for s, _ in self._unconfirmed):
            return
        while self._unconfirmed:
            sent, awaited = self._unconfirmed.popleft()
            if awaited:
                await self._chat.transcript.ack(self._guest.tenant, self._conversation, sent)
            if sent == seq:
                return

    async def _typing(self) -> None:
        if self._conversation is None:
            return
        key = f"typing:{self._conversation}"
        if await self._chat.cache.allow(f"{key}:said", 1, TYPING_LIFE / 3):
            await self._chat.cache.put(key, "customer", TYPING_LIFE)
            await self._chat.fanout.publish(
                web.topic(self._conversation), {"type": "typing", "author": "customer"}
            )

    async def _limit(self, what: str) -> None:
        key = f"web:{what}:{self._guest.tenant}:{self._guest.visitor.id}"
        if not await self._chat.cache.allow(key, SENDS_PER_MINUTE, 60.0):
            raise RateLimitedError("too many messages in a minute", retry_after=20.0)

    async def _find(self, conversation: ConversationId | None) -> Conversation | None:
        guest = self._guest
        external = guest.identity.external if guest.identity else None
        floor = guest.visitor.floor
        if floor is not None:  # one conversation, whatever is asked for
            conversation = ConversationId(floor[0]) if conversation in (None, floor[0]) else None
            if conversation is None:
                return None
        return await self._chat.transcript.find(
            guest.tenant, conversation, guest.visitor.id, external
        )

    def _greeting(self) -> str:
        policy = self._guest.policy
        return self._chat.lines_for(policy).say(
            "web.disclosure", self._guest.locale, "web", brand=policy.brand, bot=policy.bot_name
        )
