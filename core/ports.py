"""Protocols for everything that does I/O on behalf of handlers, checks and pipelines.

Handlers and checks see only these; app/compose.py passes the implementations. tests/fakes.py holds one
in-memory double per Protocol.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from core.bookings import Booking, SessionType, Slot
from core.conversations import Account, Contact, Conversation, Csm, Inbox, Mode, Status
from core.effects import Effect, RefusedEffect
from core.ids import (
    AccountId,
    BookingId,
    ContactId,
    ConversationId,
    CsmId,
    DocumentId,
    FactId,
    InboxId,
    MessageId,
    OutboxId,
    PassageId,
    TenantId,
    TurnId,
)
from core.messages import (
    Attachment,
    Author,
    ConsentChange,
    Inbound,
    MessageKind,
    Outbound,
    QuickReply,
    Receipt,
    Sent,
    StoredMessage,
)
from core.turns import Citation, Passage
from core.understanding import Said, Understanding

# ---------------------------------------------------------------- knowledge


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document as ingest makes it; becomes a passage. `position` counts from 0."""

    position: int
    section: str
    text: str
    anchor: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A document ready to be stored. `path` is relative to its `source`; `digest` is SHA-256 of the normalised text."""

    source: str
    path: str
    title: str
    digest: str
    chunks: tuple[Chunk, ...]
    locale: str = "en"
    url: str | None = None
    editions: tuple[str, ...] = ()
    internal: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Viewer:
    """For whom passages are retrieved: decides what is filtered on the server, not by a model."""

    edition: str | None = None
    locale: str | None = None
    internal: bool = False


class Passages(Protocol):
    """The truth about docs, in SQL. Indexes are rebuilt from it."""

    async def index_version(self, tenant: TenantId) -> int:
        """Return the number that moves with every change of this tenant's docs."""
        ...

    async def digests(self, tenant: TenantId, source: str) -> Mapping[str, str]:
        """Return path → digest of the live documents of a source."""
        ...

    async def put(
        self, tenant: TenantId, document: Document, vectors: Sequence[bytes]
    ) -> DocumentId:
        """Store a document with one float32 little-endian vector per chunk, replacing its older version."""
        ...

    async def delete(self, tenant: TenantId, source: str, paths: Sequence[str]) -> int:
        """Tombstone documents; they stop answering at once. Returns how many."""
        ...

    async def resolve(
        self, tenant: TenantId, ids: Sequence[PassageId], viewer: Viewer
    ) -> Mapping[PassageId, Passage]:
        """Return the passages that exist, are not tombstoned and that the viewer may see."""
        ...

    def scan(self, tenant: TenantId) -> AsyncIterator[tuple[Passage, bytes]]:
        """Yield every live passage with its vector, for building an index."""
        ...


class Retriever(Protocol):
    """Hybrid search over a tenant's docs."""

    async def search(
        self, tenant: TenantId, query: str, talk: Sequence[Said], viewer: Viewer, k: int = 8
    ) -> Sequence[Passage]:
        """Return up to k passages, best first, score in [0, 1] comparable within the search."""
        ...


@dataclass(frozen=True, slots=True)
class Extract:
    """An answer made of the docs' own sentences. `action`: answer | ask_back | decline.

    `text` carries [n] markers that `citations` resolve; `options` are choices for ask_back;
    `query` is what was searched for.
    """

    action: str
    text: str
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    confidence: float
    reasons: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    query: str = ""


class Answers(Protocol):
    """Answers without a language model: retrieval, decision and extraction."""

    async def answer(
        self,
        tenant: TenantId,
        question: str,
        talk: Sequence[Said],
        viewer: Viewer,
        k: int = 8,
        max_chars: int = 900,
    ) -> Extract:
        """Return the sentences that best answer, with citations, or say that they do not exist."""
        ...

    async def support(self, text: str, sources: Sequence[str]) -> float:
        """Return in [0, 1] how far the sources support the text."""
        ...


class Understands(Protocol):
    """One encoder pass over a message."""

    async def understand(
        self, tenant: TenantId, text: str, talk: Sequence[Said], now: datetime, time_zone: str
    ) -> Understanding:
        """Return what the message means; never raises for odd text."""
        ...


@dataclass(frozen=True, slots=True)
class Gap:
    """A question nobody could answer, with how often and by how many contacts it was asked."""

    id: str
    question: str
    kind: str
    times: int
    contacts: int
    status: str
    first_at: datetime
    last_at: datetime
    nearest: tuple[str, ...] = ()


class Gaps(Protocol):
    """Knowledge gaps, grouped."""

    async def open_gaps(self, tenant: TenantId, limit: int = 50) -> Sequence[Gap]:
        """Return open gaps, those that cost most contacts first."""
        ...


# ---------------------------------------------------------------- memory


@dataclass(frozen=True, slots=True)
class Fact:
    """Something remembered about a contact, with where it is from. `confidence` in [0, 1]."""

    id: FactId
    contact_id: ContactId
    key: str
    value: str
    source: str
    confidence: float
    created_at: datetime


class Facts(Protocol):
    """Facts about contacts: the truth is SQL; search goes through vectors and is resolved against it."""

    async def put(
        self,
        tenant: TenantId,
        contact: ContactId,
        key: str,
        value: str,
        source: str,
        confidence: float = 1.0,
    ) -> Fact:
        """Remember; the same key replaces the older value. Raises BadInputError for what may not be stored."""
        ...

    async def all(self, tenant: TenantId, contact: ContactId) -> Sequence[Fact]:
        """Return everything remembered, newest first."""
        ...

    async def forget(self, tenant: TenantId, contact: ContactId, key: str | None = None) -> int:
        """Forget one key or everything; returns how many facts."""
        ...


class Recall(Protocol):
    """Search over a contact's facts."""

    async def recall(
        self, tenant: TenantId, contact: ContactId, query: str, k: int = 3
    ) -> Sequence[Fact]:
        """Return the facts nearest in meaning that still exist."""
        ...


# ---------------------------------------------------------------- sessions


class Calendar(Protocol):
    """Free slots and bookings."""

    async def session_types(self, tenant: TenantId) -> Sequence[SessionType]:
        """Return what can be booked."""
        ...

    async def slots(
        self,
        tenant: TenantId,
        asset_id: str,
        start: datetime,
        end: datetime,
        limit: int = 50,
    ) -> Sequence[Slot]:
        """Return free slots in [start, end), earliest first, inside working hours, buffers kept."""
        ...

    async def bookings(self, tenant: TenantId, contact: ContactId) -> Sequence[Booking]:
        """Return the contact's bookings, newest first."""
        ...

    async def find(self, tenant: TenantId, booking: BookingId) -> Booking | None:
        """Return one booking."""
        ...


# ---------------------------------------------------------------- words and models


class Lines(Protocol):
    """Every sentence a customer can receive without generation."""

    def say(self, key: str, locale: str, channel: str = "", **slots: object) -> str:
        """Return the line in the locale (else English), in the channel's variant if there is one.

        Raises KeyError for an unknown key or a missing slot.
        """
        ...

    def variants(self, key: str) -> Mapping[str, Sequence[str]]:
        """Return locale → list for keys that hold lists (words for a person, day names)."""
        ...


@dataclass(frozen=True, slots=True)
class Generated:
    """What a model wrote: parts of text, each with the numbers of the passages it leans on."""

    parts: tuple[tuple[str, tuple[int, ...]], ...]
    model: str
    tokens_in: int = 0
    tokens_out: int = 0


class Generator(Protocol):
    """A language model behind timeouts, a token budget and a second model. None is configured by default."""

    @property
    def enabled(self) -> bool:
        """Return whether any model is configured and its circuit is closed."""
        ...

    async def answer(
        self,
        question: str,
        talk: Sequence[Said],
        passages: Sequence[Passage],
        locale: str,
        max_chars: int,
        on_part: Callable[[str, tuple[int, ...]], Awaitable[None]] | None = None,
    ) -> Generated:
        """Answer from the passages, numbered from 1. `on_part` is called with each whole sentence as it streams.

        Raises UnavailableError when every model failed or timed out.
        """
        ...

    async def rewrite(self, question: str, talk: Sequence[Said]) -> str:
        """Return the question standing on its own; the question itself when the model is unavailable."""
        ...


class Preview(Protocol):
    """Shows the customer sentences of a reply while the turn still thinks. Never stored."""

    async def __call__(self, text: str) -> None:
        """Publish one more whole sentence; checked and version-checked before it goes out."""
        ...


class PluginState(Protocol):
    """Small JSON store for plug-ins that need rows of their own."""

    async def get(self, plugin: str, tenant: TenantId, key: str) -> Mapping[str, object] | None:
        """Return the value or None."""
        ...

    async def put(
        self, plugin: str, tenant: TenantId, key: str, value: Mapping[str, object]
    ) -> None:
        """Store the value, replacing the older one."""
        ...


# ---------------------------------------------------------------- the message path


@dataclass(frozen=True, slots=True)
class Accepted:
    """An inbound message is committed. `duplicate` when it already was."""

    tenant: TenantId
    conversation_id: ConversationId
    contact_id: ContactId
    message_id: MessageId
    seq: int
    duplicate: bool = False


class Intake(Protocol):
    """Commits what came in. After it returns, nothing is lost."""

    async def accept(self, inbox: Inbox, inbound: Inbound, quiet: float) -> Accepted:
        """Resolve contact and conversation and insert the message, in one transaction.

        `quiet` seconds are waited for more of the burst before a worker takes it.
        Raises IdempotencyConflictError, NotFoundError (unknown conversation), UnavailableError (database down).
        """
        ...

    async def receipt(self, inbox: Inbox, receipt: Receipt) -> bool:
        """Record a delivery status; ranks never go backwards. False when nothing changed."""
        ...

    async def consent(self, inbox: Inbox, change: ConsentChange, notice: str | None) -> bool:
        """Record an opt-out or opt-in and queue the notice. False for a duplicate."""
        ...


@dataclass(frozen=True, slots=True)
class TenantPolicy:
    """What a team set: who answers where. `paused` stops the bot (tenant or channel)."""

    mode: Mode = Mode.AUTO
    by_channel: Mapping[str, Mode] = field(default_factory=dict)
    by_intent: Mapping[str, Mode] = field(default_factory=dict)
    by_tier: Mapping[str, Mode] = field(default_factory=dict)
    paused: bool = False
    paused_channels: frozenset[str] = frozenset()
    brand: str = "Lumen Boards"
    bot_name: str = "Usher"
    join_hours: int = 24
    reopen_hours: int = 72
    locale: str = "en"
    time_zone: str = "UTC"
    editions: tuple[str, ...] = ("starter", "pro", "enterprise")
    widget_origins: tuple[str, ...] = ()
    lines: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Claim:
    """One worker's hold on a conversation, with all a turn needs. `fence` and `version` are checked by the commit."""

    conversation: Conversation
    fence: int
    version: int
    messages: tuple[StoredMessage, ...]
    history: tuple[StoredMessage, ...]
    contact: Contact
    inbox: Inbox | None
    policy: TenantPolicy
    assurance: str


@dataclass(frozen=True, slots=True)
class Reply:
    """An outbound message a turn wants queued."""

    text: str
    kind: MessageKind
    author: Author
    channel: str
    address: str
    inbox: InboxId
    subject: str | None = None
    thread: str | None = None
    references: tuple[str, ...] = ()
    inline: bool = False
    proposed: bool = False
    locale: str = "en"
    author_name: str | None = None
    citations: tuple[Citation, ...] = ()
    quick_replies: tuple[QuickReply, ...] = ()
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class TurnResult:
    """All that one turn changes. Applied whole or not at all."""

    turn_id: TurnId
    claim: Claim
    handler: str
    replies: tuple[Reply, ...]
    effects: tuple[Effect, ...]
    status: Status
    trace: Mapping[str, object]
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Committed:
    """The turn stands. `messages` are the outbound rows it wrote; `outbox` their delivery jobs."""

    messages: tuple[StoredMessage, ...]
    outbox: tuple[OutboxId, ...]


@dataclass(frozen=True, slots=True)
class Superseded:
    """Somebody else owns the conversation now; the answer was dropped and that was recorded."""

    reason: str


class UnitOfWork(Protocol):
    """The turn's three steps against the database (design §3)."""

    async def ready(self, limit: int = 50) -> Sequence[ConversationId]:
        """Return conversations with work due and no live lease, oldest first."""
        ...

    async def claim(self, conversation: ConversationId) -> Claim | None:
        """Take the lease for 30 s, or return None when somebody has it or nothing is due."""
        ...

    async def renew(self, claim: Claim) -> bool:
        """Extend the lease; False when it is lost."""
        ...

    async def current(self, claim: Claim) -> bool:
        """Return whether owner, mode and status are still those of the claim."""
        ...

    async def commit(self, result: TurnResult) -> Committed | Superseded | RefusedEffect:
        """Apply the turn in one transaction that begins with a conditional UPDATE of the fence."""
        ...

    async def release(self, claim: Claim, retry_in: float) -> None:
        """Give the lease back after a failure; the work is due again in `retry_in` seconds."""
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """One delivery job, claimed. `state` is `claimed` or `unknown` (then only reconciling is allowed)."""

    outbound: Outbound
    inbox: Inbox
    state: str
    attempts: int


class Outbox(Protocol):
    """Delivery jobs: first in, first out per conversation and address."""

    async def claim(self, limit: int = 16) -> Sequence[Job]:
        """Claim due jobs whose lane has nothing older in flight; expired claims come back as `unknown`."""
        ...

    async def sent(self, job: OutboxId, sent: Sent) -> None:
        """Record success."""
        ...

    async def retry(self, job: OutboxId, after: float, error: str) -> None:
        """Queue again in `after` seconds; a bot reply under a person's ownership is dropped instead."""
        ...

    async def unknown(self, job: OutboxId, after: float, error: str) -> None:
        """Mark that the provider may have it: reconcile in `after` seconds."""
        ...

    async def dead(self, job: OutboxId, error: str, reason: str) -> None:
        """Give up: record, and ask for a person (`undeliverable` or `unknown_send`)."""
        ...


class Wakeups(Protocol):
    """Hints that a conversation or the outbox has work. Losing one costs time, never a message."""

    async def wake(self, topic: Literal["turn", "outbox"], key: str, delay: float = 0.0) -> None:
        """Hint that a conversation (`turn`) or the outbox has work in `delay` seconds; never raises."""
        ...

    def listen(self) -> AsyncIterator[tuple[str, str]]:
        """Yield (topic, key) hints for ever; survives an outage."""
        ...


class Fanout(Protocol):
    """Publish/subscribe for sockets and waiting callers; fire and forget."""

    async def publish(self, topic: str, payload: Mapping[str, object]) -> None:
        """Publish JSON; never raises."""
        ...

    def subscribe(self, *topics: str) -> "Subscription":
        """Return an async context manager that yields payloads."""
        ...


class Subscription(Protocol):
    """A running subscription."""

    async def __aenter__(self) -> "Subscription":
        """Start listening; when this returns no later payload is missed."""
        ...

    async def __aexit__(self, *exc: object) -> None:
        """Stop listening."""
        ...

    async def get(self, timeout: float) -> Mapping[str, object] | None:  # noqa: ASYNC109
        """Return the next payload, or None after `timeout` seconds."""
        ...


class Cache(Protocol):
    """Short-lived state in Redis; every method degrades to a sensible answer when Redis is down."""

    async def get(self, key: str) -> str | None:
        """Return the value or None."""
        ...

    async def put(self, key: str, value: str, ttl: float) -> None:
        """Store for `ttl` seconds."""
        ...

    async def drop(self, key: str) -> None:
        """Delete."""
        ...

    async def allow(self, key: str, limit: int, per: float) -> bool:
        """Count one event; False when more than `limit` fell into the last `per` seconds."""
        ...

    async def healthy(self) -> bool:
        """Return whether Redis answers."""
        ...


class Window(Protocol):
    """A short-lived copy of a talk and its running form, for whoever must know it at once."""

    async def put_window(
        self, tenant: TenantId, conversation: ConversationId, talk: Sequence[Said]
    ) -> None:
        """Keep the last utterances, oldest first."""
        ...

    async def put_form(
        self, tenant: TenantId, conversation: ConversationId, form: Mapping[str, object]
    ) -> None:
        """Keep a copy of the running form; an empty one is dropped."""
        ...


class Directory(Protocol):
    """Accounts, contacts, inboxes, people."""

    async def inbox(self, channel: str, address: str) -> Inbox | None:
        """Return the inbox with this address, whichever tenant's it is."""
        ...

    async def inboxes(self, tenant: TenantId | None = None) -> Sequence[Inbox]:
        """Return the configured inboxes."""
        ...

    async def contact(self, tenant: TenantId, contact: ContactId) -> Contact | None:
        """Return one contact with account and identities."""
        ...

    async def account(self, tenant: TenantId, account: AccountId) -> Account | None:
        """Return one account."""
        ...

    async def csm(self, tenant: TenantId, csm: CsmId) -> Csm | None:
        """Return one CSM."""
        ...

    async def policy(self, tenant: TenantId) -> TenantPolicy:
        """Return the tenant's policy."""
        ...


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm that has fired."""

    tenant: str
    key: str
    kind: str
    payload: Mapping[str, str]


class Alarms(Protocol):
    """Times at which the truth is looked at again."""

    async def fire_due(self, limit: int = 50) -> Sequence[Alarm]:
        """Mark what is due as fired, apply what the store itself knows of it, and return it."""
        ...


class Humans(Protocol):
    """What people do in a conversation. Each call is one transaction and one version.

    `event` is the provider's id of a button press: a press that comes again changes and says nothing.
    """

    async def take_over(
        self,
        tenant: TenantId,
        conversation: ConversationId,
        csm: Csm,
        notice: str | None,
        event: str | None = None,
    ) -> tuple[StoredMessage, ...]:
        """Make `csm` the owner; returns bot messages already at a provider (in flight).

        Nothing is said a second time when they own it already.
        Raises ConflictError when another person owns it, NotFoundError.
        """
        ...

    async def reply(
        self,
        tenant: TenantId,
        conversation: ConversationId,
        csm: Csm,
        text: str,
        external_id: str | None = None,
    ) -> StoredMessage | None:
        """Queue the owner's reply; None for a duplicate `external_id`.

        Raises ConflictError when unclaimed, ForbiddenError when somebody else owns it.
        """
        ...

    async def note(
        self,
        tenant: TenantId,
        conversation: ConversationId,
        author_name: str,
        text: str,
        external_id: str | None = None,
    ) -> StoredMessage | None:
        """Keep an internal note; None for a duplicate `external_id`."""
        ...

    async def hand_back(
        self,
        tenant: TenantId,
        conversation: ConversationId,
        csm: Csm,
        notice: str | None,
        event: str | None = None,
    ) -> None:
        """Let the bot resume."""
        ...

    async def resolve(
        self, tenant: TenantId, conversation: ConversationId, csm: Csm, event: str | None = None
    ) -> None:
        """Close the conversation."""
        ...

    async def set_mode(
        self, tenant: TenantId, conversation: ConversationId, mode: Mode | None, csm: Csm
    ) -> None:
        """Set the conversation's own mode; None inherits."""
        ...

    async def decide_draft(
        self, tenant: TenantId, message: str, csm: Csm, action: str, text: str | None
    ) -> StoredMessage:
        """Send, edit (then send) or discard a proposed reply. Raises ConflictError when decided."""
        ...

    async def note_for_team(
        self,
        tenant: TenantId,
        conversation: ConversationId,
        author: str,
        text: str,
        event: str | None = None,
    ) -> None:
        """Write a line under the conversation's alert."""
        ...

    async def by_alert(self, tenant: TenantId, thread: str) -> ConversationId | None:
        """Return the conversation whose alert has this provider thread."""
        ...

    async def owner(self, tenant: TenantId, conversation: ConversationId) -> str | None:
        """Return the owner's id. Raises NotFoundError."""
        ...


class Metrics(Protocol):
    """Counters and timers that /metrics shows. Names are the metric's own, without prefix."""

    def count(self, name: str, amount: float = 1.0, **labels: str) -> None:
        """Add to a counter."""
        ...

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """Record a duration."""
        ...


@dataclass(frozen=True, slots=True)
class TurnView:
    """What a waiting caller gets of the turn that took their message."""

    turn_id: TurnId
    handler: str
    trace: Mapping[str, object]
    replies: tuple[StoredMessage, ...]


class Inline(Protocol):
    """Replies that only their waiting caller delivers."""

    async def take(self, tenant: TenantId, message: MessageId) -> TurnView | None:
        """Return the turn that holds this message with the replies claimed now or before; None while it runs."""
        ...

    async def read(
        self, tenant: TenantId, conversation: ConversationId, after: int, limit: int
    ) -> Sequence[StoredMessage]:
        """Return what the customer may see after a seq, claiming inline replies by reading them."""
        ...
