"""A web chat without the rest: the real socket and widget over in-memory ports and a scripted bot.

Owns the doubles behind app/api/socket.py for socket and widget tests; it decides nothing.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.responses import Response

from app.api.socket import build_router
from app.api.web_chat import WebChat
from channels.web import WebSettings
from core.bookings import Booking, SessionType, Slot
from core.clock import Clock
from core.conversations import Account, Contact, Conversation, Csm, Inbox, Mode, Status
from core.errors import IdempotencyConflictError, NotFoundError
from core.ids import (
    AccountId,
    BookingId,
    ContactId,
    ConversationId,
    CsmId,
    InboxId,
    MessageId,
    TenantId,
    TurnId,
)
from core.messages import (
    Attachment,
    Author,
    ConsentChange,
    Inbound,
    MessageKind,
    QuickReply,
    Receipt,
)
from core.messages import StoredMessage as Row
from core.ports import Accepted, Reachable, TenantPolicy, Unread
from core.turns import Citation
from handlers._shared.lines import YamlLines

TENANT = TenantId("demo")
KEY = "demo-widget"
IDENTITY_SECRET = "an identity secret of the tenant, long enough for the longest of signatures"
VISITOR_SECRET = "the server's own secret, also long enough"
LINES = YamlLines(slots={"brand": "us", "bot": "Usher"})
VISIBLE = ("received", "handled", "claimed", "sent", "delivered", "read", "unknown")


@dataclass
class Talk:
    """One conversation: who owns it and its rows."""

    conversation: Conversation
    visitors: set[str]
    externals: set[str]
    rows: list[Row] = field(default_factory=list)


class MemoryFanout:
    def __init__(self) -> None:
        self.listeners: dict[str, set[asyncio.Queue[Mapping[str, object]]]] = {}
        self.published: list[tuple[str, Mapping[str, object]]] = []
        self.deaf = False

    async def publish(self, topic: str, payload: Mapping[str, object]) -> None:
        self.published.append((topic, payload))
        for queue in set() if self.deaf else self.listeners.get(topic, set()):
            queue.put_nowait(payload)

    def subscribe(self, *topics: str) -> "MemorySubscription":
        return MemorySubscription(self, topics)


class MemorySubscription:
    def __init__(self, fanout: MemoryFanout, topics: tuple[str, ...]) -> None:
        self._fanout, self._topics = fanout, topics
        self._queue: asyncio.Queue[Mapping[str, object]] = asyncio.Queue()

    async def __aenter__(self) -> "MemorySubscription":
        for topic in self._topics:
            self._fanout.listeners.setdefault(topic, set()).add(self._queue)
        return self

    async def __aexit__(self, *exc: object) -> None:
        for topic in self._topics:
            self._fanout.listeners[topic].discard(self._queue)

    async def get(  # the port has this parameter
        self,
        timeout: float,  # noqa: ASYNC109
    ) -> Mapping[str, object] | None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):  # 3.11's wait_for can swallow a cancellation
                return await self._queue.get()
        return None


class MemoryCache:
    """Counts and never forgets: tests move no clock here."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.counts: dict[str, int] = {}

    async def get(self, key: str) -> str | None:
        return self.values.get(key)

    async def put(self, key: str, value: str, ttl: float) -> None:
        self.values[key] = value

    async def drop(self, key: str) -> None:
        self.values.pop(key, None)

    async def allow(self, key: str, limit: int, per: float) -> bool:
        self.counts[key] = self.counts.get(key, 0) + 1
        return self.counts[key] <= limit

    async def healthy(self) -> bool:
        return True


class MemoryState:
    """Port `PluginState`."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str, str], Mapping[str, object]] = {}

    async def get(self, plugin: str, tenant: TenantId, key: str) -> Mapping[str, object] | None:
        return self.values.get((plugin, tenant, key))

    async def put(
        self, plugin: str, tenant: TenantId, key: str, value: Mapping[str, object]
    ) -> None:
        self.values[plugin, tenant, key] = value

    async def drop(self, plugin: str, tenant: TenantId, key: str) -> None:
        self.values.pop((plugin, tenant, key), None)


class MemoryReaches:
    """Port `Reaches`: keeps what was said; mails what is asked for into a list."""

    def __init__(self) -> None:
        self.given: dict[str, Reachable] = {}
        self.transcripts: list[tuple[str, str, str]] = []  # address, text, what is shown of it

    async def of(self, tenant: TenantId, conversation: ConversationId) -> Reachable | None:
        return self.given.get(conversation)

    async def give(
        self, tenant: TenantId, conversation: ConversationId, reach: Reachable, now: datetime
    ) -> None:
        self.given[conversation] = reach

    async def unread(self, before: datetime, limit: int = 20) -> Sequence[Unread]:
        return ()

    async def tell(self, unread: Unread, inbox: Inbox, subject: str, text: str) -> bool:
        return False

    async def send_transcript(
        self,
        inbox: Inbox,
        conversation: ConversationId,
        address: str,
        subject: str,
        text: str,
        shown: str,
    ) -> None:
        self.transcripts.append((address, text, shown))


class MemoryFiles:
    """Port `Files` as far as the web chat uses it; keeps what ends in .txt or .png."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[str, bytes]] = {}

    async def put(self, tenant: TenantId, name: str, content_type: str, data: bytes) -> Attachment:
        if not name.endswith((".txt", ".png")):
            return Attachment(name, content_type, len(data), refused="not_allowed")
        file = f"fil_{len(self.kept) + 1}"
        self.kept[file] = (name, data)
        return Attachment(name, content_type, len(data), id=file)

    async def link(self, tenant: TenantId, file: str, until: datetime) -> str:
        if file not in self.kept:
            raise NotFoundError("no such file")
        return f"/files/{file}"


class MemoryCalendar:
    """Port `Calendar`: one kind of session, free at the times given."""

    def __init__(self) -> None:
        self.free: list[Slot] = []
        self.booked: dict[str, Booking] = {}

    async def session_types(self, tenant: TenantId) -> Sequence[SessionType]:
        return (SessionType("onboarding", "Onboarding session", 45),)

    async def slots(
        self, tenant: TenantId, asset_id: str, start: datetime, end: datetime, limit: int = 50
    ) -> Sequence[Slot]:
        return [s for s in self.free if s.asset_id == asset_id and start <= s.starts_at < end]

    async def bookings(self, tenant: TenantId, contact: ContactId) -> Sequence[Booking]:
        return ()

    async def find(self, tenant: TenantId, booking: BookingId) -> Booking | None:
        return self.booked.get(booking)


class Wakes:
    async def wake(self, topic: str, key: str, delay: float = 0.0) -> None:
        pass

    async def listen(self) -> AsyncIterator[tuple[str, str]]:
        for _ in ():
            yield ("turn", "")


class Greets:
    """Its own short greeting; every other line as the product says it."""

    def __init__(self, policy: TenantPolicy) -> None:
        self._lines = LINES.for_tenant({}, {"brand": policy.brand, "bot": policy.bot_name})

    def say(self, key: str, locale: str, channel: str = "", **slots: object) -> str:
        words = {
            "en": "Hi, I'm {bot}, the {brand} assistant. Ask me anything about the product.",
            "es": "Hola, soy {bot}, el asistente de {brand}. Pregúntame lo que quieras.",
        }
        if key == "web.disclosure":
            return words.get(locale, words["en"]).format(**slots)
        return self._lines.say(key, locale, channel, **slots)

    def variants(self, key: str) -> Mapping[str, Sequence[str]]:
        return self._lines.variants(key)


class Desk:
    """All behind the socket: intake, transcript, directory, and hands to play bot and CSM."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.fanout = MemoryFanout()
        self.cache = MemoryCache()
        self.reaches = MemoryReaches()
        self.state = MemoryState()
        self.files = MemoryFiles()
        self.calendar = MemoryCalendar()
        self.channels: tuple[str, ...] = ("email", "sms")
        self.talks: dict[str, Talk] = {}
        self.inbound: list[Inbound] = []
        self.feedbacks: list[tuple[str, str]] = []
        self.refuse: list[Exception] = []
        self.policy_of_all = TenantPolicy(brand="Lumen Boards", bot_name="Usher")
        self.identity_secret: str | None = IDENTITY_SECRET
        self.on_message: Callable[[ConversationId, str], object] | None = None
        self.pending: set[asyncio.Task[object]] = set()

    # ---- intake

    async def accept(self, inbox: Inbox, inbound: Inbound, quiet: float) -> Accepted:
        if self.refuse:
            raise self.refuse.pop(0)
        for talk in self.talks.values():
            for row in talk.rows:
                if row.external_id == inbound.external_id:
                    if row.text != inbound.text:
                        raise IdempotencyConflictError("reused")
                    return self._accepted(talk, row, duplicate=True)
        talk = self._talk(inbound)
        self.inbound.append(inbound)
        if inbound.opening is not None and not talk.rows:
            said = inbound.opening
            await self.add(
                talk.conversation.id, said.text, quick_replies=said.quick_replies, hint=False
            )
        row = await self.add(
            talk.conversation.id,
            inbound.text,
            Author.CUSTOMER,
            external_id=inbound.external_id,
            attachments=inbound.attachments,
        )
        if self.on_message is not None:
            self.spawn(self.on_message(talk.conversation.id, inbound.text))
        return self._accepted(talk, row, duplicate=False)

    def spawn(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[call-overload] # a coroutine of a test
        self.pending.add(task)
        task.add_done_callback(self.pending.discard)

    def _accepted(self, talk: Talk, row: Row, *, duplicate: bool) -> Accepted:
        return Accepted(
            tenant=TENANT,
            conversation_id=talk.conversation.id,
            contact_id=talk.conversation.contact_id,
            message_id=row.id,
            seq=row.seq,
            duplicate=duplicate,
        )

    def _talk(self, inbound: Inbound) -> Talk:
        external = next((c.value for c in inbound.claims if c.kind == "external"), None)
        if inbound.conversation_id is not None:
            found = self.talks[inbound.conversation_id]
        else:
            found = self._latest(inbound.sender, external) or self._new()
        found.visitors.add(inbound.sender)
        found.externals |= {external} if external else set()
        return found

    def _new(self) -> Talk:
        number = len(self.talks) + 1
        conversation = Conversation(
            id=ConversationId(f"cnv_{number}"),
            tenant=TENANT,
            contact_id=ContactId(f"con_{number}"),
            status=Status.OPEN,
            mode=None,
            owner=None,
            version=0,
            fence=0,
            seq=0,
            created_at=self.clock.now(),
            updated_at=self.clock.now(),
            channel="web",
        )
        self.talks[conversation.id] = Talk(conversation, set(), set())
        return self.talks[conversation.id]

    def _latest(self, visitor: str, external: str | None) -> Talk | None:
        owned = [t for t in self.talks.values() if visitor in t.visitors or external in t.externals]
        return owned[-1] if owned else None

    async def receipt(self, inbox: Inbox, receipt: Receipt) -> bool:
        return True

    async def consent(self, inbox: Inbox, change: ConsentChange, notice: str | None) -> bool:
        return True

    # ---- transcript

    async def find(
        self,
        tenant: TenantId,
        conversation: ConversationId | None,
        visitor: str,
        external: str | None,
    ) -> Conversation | None:
        talk = self.talks.get(conversation) if conversation else self._latest(visitor, external)
        owned = talk and (visitor in talk.visitors or external in talk.externals)
        return talk.conversation if talk and owned else None

    async def messages_after(
        self, tenant: TenantId, conversation: ConversationId, seq: int, limit: int
    ) -> Sequence[Row]:
        rows = sorted(self.talks[conversation].rows, key=lambda row: row.seq)
        return [r for r in rows if r.seq > seq and r.status in VISIBLE][:limit]

    async def unacked(
        self, tenant: TenantId, conversation: ConversationId, upto: int
    ) -> Sequence[Row]:
        rows = self.talks[conversation].rows
        return [r for r in rows if r.seq <= upto and r.status in ("claimed", "sent", "unknown")]

    async def ack(self, tenant: TenantId, conversation: ConversationId, seq: int) -> None:
        self.change(conversation, seq, "delivered")

    async def feedback(
        self, tenant: TenantId, conversation: ConversationId, message_id: str, value: str
    ) -> None:
        if not any(row.id == message_id for row in self.talks[conversation].rows):
            raise NotFoundError("no such message")
        self.feedbacks.append((message_id, value))

    # ---- directory

    async def inbox(self, channel: str, address: str) -> Inbox | None:
        if (channel, address) != ("web", KEY):
            return None
        secret = SecretStr(self.identity_secret) if self.identity_secret else None
        settings = WebSettings(key=KEY, identity_secret=secret)
        return Inbox(InboxId("inb_web"), TENANT, "web", KEY, settings=settings)

    async def inboxes(self, tenant: TenantId | None = None) -> Sequence[Inbox]:
        return [Inbox(InboxId(f"inb_{name}"), TENANT, name, name) for name in self.channels]

    async def contact(self, tenant: TenantId, contact: ContactId) -> Contact | None:
        return None

    async def account(self, tenant: TenantId, account: AccountId) -> Account | None:
        return None

    async def csm(self, tenant: TenantId, csm: CsmId) -> Csm | None:
        return Csm(csm, str(csm).removeprefix("csm_").title(), "maya@lumen.example")

    async def policy(self, tenant: TenantId) -> TenantPolicy:
        return self.policy_of_all

    # ---- hands

    async def add(
        self,
        conversation: ConversationId,
        text: str,
        author: Author = Author.BOT,
        *,
        status: str | None = None,
        author_name: str | None = None,
        citations: tuple[Citation, ...] = (),
        quick_replies: tuple[QuickReply, ...] = (),
        turn_id: str | None = None,
        external_id: str | None = None,
        attachments: tuple[Attachment, ...] = (),
        at: datetime | None = None,
        hint: bool = True,
    ) -> Row:
        """Write a row as the store would, and hint at it as deliver does."""
        talk = self.talks[conversation]
        seq = talk.conversation.seq + 1
        talk.conversation = replace(talk.conversation, seq=seq)
        inbound = author is Author.CUSTOMER
        row = Row(
            id=MessageId(f"msg_{conversation}_{seq}"),
            conversation_id=conversation,
            seq=seq,
            author=author,
            kind=MessageKind.MESSAGE if inbound else MessageKind.REPLY,
            text=text,
            created_at=at or self.clock.now(),
            channel="web",
            status=status or ("received" if inbound else "sent"),
            author_name=author_name,
            citations=citations,
            quick_replies=quick_replies,
            turn_id=TurnId(turn_id) if turn_id else None,
            external_id=external_id,
            attachments=attachments,
        )
        talk.rows.append(row)
        if hint and not inbound:
            await self.hint(conversation, seq)
        return row

    async def hint(self, conversation: ConversationId, seq: int) -> None:
        await self.publish(conversation, type="message", seq=seq)

    async def publish(self, conversation: ConversationId, **payload: object) -> None:
        await self.fanout.publish(f"conv:{conversation}", payload)

    def change(self, conversation: ConversationId, seq: int, status: str) -> None:
        rows = self.talks[conversation].rows
        self.talks[conversation].rows = [
            replace(r, status=status) if r.seq == seq else r for r in rows
        ]

    def statuses(self, conversation: ConversationId) -> dict[int, str]:
        return {row.seq: row.status for row in self.talks[conversation].rows}

    async def take_over(self, conversation: ConversationId, csm: str | None) -> None:
        talk = self.talks[conversation]
        owner = CsmId(f"csm_{csm}") if csm else None
        mode = Mode.MANUAL if csm else Mode.AUTO
        talk.conversation = replace(talk.conversation, owner=owner, mode=mode)
        await self.publish(conversation, type="status")

    def chat(self, **changes: object) -> WebChat:
        """Return the ports of a web chat over this desk."""
        values: dict[str, object] = {
            "clock": self.clock,
            "intake": self,
            "fanout": self.fanout,
            "wakeups": Wakes(),
            "directory": self,
            "cache": self.cache,
            "lines_for": Greets,
            "transcript": self,
            "reaches": self.reaches,
            "state": self.state,
            "calendar": self.calendar,
            "files": self.files,
            "visitor_secret": VISITOR_SECRET,
            "development": True,
            "demo_key": KEY,
        }
        return WebChat(**(values | changes))  # type: ignore[arg-type] # doubles


@contextlib.asynccontextmanager
async def serving(
    chat: WebChat, port: int = 0, pages: Mapping[str, Callable[[], Response]] | None = None
) -> AsyncIterator[str]:
    """Serve the real routes and some pages on this machine; yields `127.0.0.1:port`."""
    app = FastAPI()
    for path, page in (pages or {}).items():
        app.add_api_route(path, page, response_class=Response, response_model=None)
    app.include_router(build_router(lambda connection: chat))
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        ws="websockets-sansio",
        log_config=None,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    task = asyncio.ensure_future(server._serve())  # without its signal handlers: pytest has its own
    try:
        while not server.started:  # noqa: ASYNC110 - uvicorn offers no event
            await asyncio.sleep(0.01)
        yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
