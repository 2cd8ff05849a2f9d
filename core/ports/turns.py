"""The message path: what comes in, one turn, what its caller reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.conversations import Contact, Conversation, Inbox, Status
from core.effects import Effect, RefusedEffect
from core.ids import (
    ContactId,
    ConversationId,
    InboxId,
    MessageId,
    OutboxId,
    TenantId,
    TurnId,
)
from core.messages import (
    Attachment,
    Author,
    ConsentChange,
    Correction,
    Inbound,
    MessageKind,
    Overheard,
    QuickReply,
    Reaction,
    Receipt,
    StoredMessage,
)
from core.ports.people import TenantPolicy
from core.turns import Citation


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


class Changes(Protocol):
    """What a customer changes after the fact. Returns the conversation it changed, None when it changed none."""

    async def correct(self, inbox: Inbox, change: Correction) -> ConversationId | None:
        """Keep the new text, or that the message was taken back; the sender's own messages only."""
        ...

    async def react(self, inbox: Inbox, reaction: Reaction) -> ConversationId | None:
        """Take a thumb under an answer of the bot's as feedback."""
        ...

    async def overhear(self, inbox: Inbox, heard: Overheard) -> ConversationId | None:
        """Keep what a person of ours wrote beside us; what was left to people first needs no answer of ours now."""
        ...


@dataclass(frozen=True, slots=True)
class Claim:
    """One worker's hold on a conversation, with all a turn needs. `fence` and `version` are checked by the commit.

    `assurance` is how sure we are that all these messages are the contact's own; `opted_out`: who wrote them said STOP.
    """

    conversation: Conversation
    fence: int
    version: int
    messages: tuple[StoredMessage, ...]
    history: tuple[StoredMessage, ...]
    contact: Contact
    inbox: Inbox | None
    policy: TenantPolicy
    assurance: str
    opted_out: bool = False


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
    cc: tuple[str, ...] = ()
    private: bool = False


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

    async def find(self, tenant: TenantId, message: MessageId) -> Accepted | None:
        """Return an inbound message of before, to wait for its turn again."""
        ...

    async def beside(
        self,
        inbox: Inbox,
        conversation: ConversationId,
        address: str,
        text: str,
        since: int | None = None,
    ) -> None:
        """Queue a notice of the conversation to another of the contact's addresses.

        With `since`, only if the same was not queued there after that message: a request may come twice.
        """
        ...

    async def release(self, tenant: TenantId, message: MessageId) -> None:
        """Let the outbox deliver what its caller no longer waits for, said already or still to come."""
        ...

    async def read(
        self, tenant: TenantId, conversation: ConversationId, after: int, limit: int
    ) -> Sequence[StoredMessage]:
        """Return what the customer may see after a seq, claiming inline replies by reading them."""
        ...
