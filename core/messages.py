"""What crosses a channel: inbound and outbound messages, receipts and the people's button presses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from core.ids import ConversationId, InboxId, MessageId, OutboxId, TenantId, TurnId
from core.turns import Citation


class Assurance(StrEnum):
    """How sure we are that an address belongs to the contact, weakest first."""

    CLAIMED = "claimed"
    CHANNEL = "channel"
    PROVEN = "proven"

    @property
    def rank(self) -> int:
        """0 for claimed, 1 for channel, 2 for proven."""
        return list(Assurance).index(self)


class Author(StrEnum):
    """Who speaks."""

    CUSTOMER = "customer"
    BOT = "bot"
    CSM = "csm"
    SYSTEM = "system"


class MessageKind(StrEnum):
    """A reply may be dropped by a takeover, a notice never; a note never leaves the house."""

    MESSAGE = "message"
    REPLY = "reply"
    NOTICE = "notice"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came or goes with a message. `size` in bytes; `data` is None when only a URL is known.

    `id` names the stored file (port `Files`). `refused` is why its bytes are not kept: too_large | too_many |
    not_allowed | not_what_it_says | unreachable. Going out it carries both, the bytes and a link that ends.
    `inline`: shown within the text, not beside it.
    """

    name: str
    content_type: str
    size: int
    data: bytes | None = None
    url: str | None = None
    id: str | None = None
    refused: str = ""
    inline: bool = False


@dataclass(frozen=True, slots=True)
class QuickReply:
    """A choice offered to the customer: `label` is shown, `value` is what comes back as text."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class IdentityClaim:
    """Another address the sender says (or proves) is theirs. `kind` is a channel name, `external` or `visitor`."""

    kind: str
    value: str
    assurance: Assurance


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message from a customer, as a channel understood it.

    `external_id` is unique per (tenant, channel); `body_hash` tells a reused key with another body.
    `sender` is the channel's address for the person. `thread` is an explicit conversation key, or None
    to join the contact's latest. `conversation_id` names the conversation outright (widget, /msg).
    `reply_to` is where the answer goes when that is not `sender` (Slack channel, mail Reply-To). `references`
    are provider message ids of earlier mails. `automatic` mail is recorded and never answered. `inline`: the
    caller waits for the reply and is its delivery. `new_contact`: never look for an existing person.
    `cc` are others the message went to; `shared`: others read where it was written. `wait` seconds the bot leaves
    it to people first, None for the channel's own quiet window. `opening` is what our page said first.
    """

    channel: str
    external_id: str
    sender: str
    text: str
    assurance: Assurance = Assurance.CHANNEL
    reply_to: str | None = None
    thread: str | None = None
    conversation_id: ConversationId | None = None
    references: tuple[str, ...] = ()
    subject: str | None = None
    display_name: str | None = None
    locale: str | None = None
    attachments: tuple[Attachment, ...] = ()
    claims: tuple[IdentityClaim, ...] = ()
    body_hash: str | None = None
    automatic: bool = False
    inline: bool = False
    new_contact: bool = False
    cc: tuple[str, ...] = ()
    shared: bool = False
    wait: float | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    opening: "Opening | None" = None


@dataclass(frozen=True, slots=True)
class Opening:
    """What our own page said before the customer wrote: stored as the first message of a new conversation.

    `form` is the form this began (name, slots, asking, asked), for the answer to go on with; plain JSON.
    """

    text: str
    author_name: str = ""
    quick_replies: tuple[QuickReply, ...] = ()
    form: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """The customer changed a message of theirs (`text`), or took it back (None). `external_id` is that message's."""

    channel: str
    external_id: str
    sender: str
    text: str | None


@dataclass(frozen=True, slots=True)
class Reaction:
    """A thumb under a message of ours, named by its provider id. `value` "" takes the thumb away."""

    channel: str
    provider_id: str
    sender: str
    value: Literal["up", "down", ""]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a provider says became of an outbound message. Ranks never go backwards."""

    provider_id: str
    status: Literal["sent", "delivered", "read", "failed"]
    error: str | None = None


@dataclass(frozen=True, slots=True)
class TeamAction:
    """Something a CSM did outside the console: a button, a modal or a thread reply.

    `actor` is the address of the person on that channel (Slack user id); the service maps it to a CSM.
    `thread` names the alert's thread when `conversation_id` is not in the payload. `external_id` makes a
    redelivered press a duplicate.
    """

    kind: Literal["claim", "reply", "note", "hand_back", "resolve"]
    actor: str
    external_id: str
    conversation_id: ConversationId | None = None
    thread: str | None = None
    text: str = ""
    actor_name: str | None = None


UNASKED_ONLY = (
    "list-unsubscribe"  # the keyword of a no to unasked mail: answers and codes still go there
)


@dataclass(frozen=True, slots=True)
class ConsentChange:
    """An opt-out, opt-in or help keyword. `granted` None means HELP: answer, change nothing.

    `provider_answered` is True where the provider has already sent the confirmation itself.
    """

    channel: str
    sender: str
    external_id: str
    keyword: str
    granted: bool | None
    provider_answered: bool = False


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that needs nothing; `reason` is logged and counted."""

    reason: str


@dataclass(frozen=True, slots=True)
class Overheard:
    """A person of ours wrote to the customer beside us, in the customer's own `thread`.

    It is kept with the conversation, and what the customer wrote that was left to people first
    (`Inbound.metadata["left_to_people"]`) is theirs to answer now.
    """

    channel: str
    external_id: str
    thread: str
    actor: str
    text: str
    actor_name: str | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """A place of the provider's let us in: `address` becomes an inbox of the tenant."""

    address: str


Event = (
    Inbound
    | Correction
    | Reaction
    | Receipt
    | TeamAction
    | ConsentChange
    | Ignored
    | Overheard
    | Joined
)


@dataclass(frozen=True, slots=True)
class Template:
    """A message the provider has approved beforehand: its id there (`ContentSid`) and what fills its gaps."""

    id: str
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TeamCard:
    """What the CS team sees about a conversation, independent of the channel that shows it.

    `state` is `open|claimed|handed_back|resolved`; `fields` are (label, value) pairs; `transcript` the last
    messages as (author, text); `severity` `normal|high|urgent`. `update_of` is the provider id of the alert
    to edit in place; `thread` the alert to write under.
    """

    title: str
    text: str
    conversation_id: ConversationId
    state: str = "open"
    severity: str = "normal"
    fields: tuple[tuple[str, str], ...] = ()
    transcript: tuple[tuple[str, str], ...] = ()
    link: str | None = None
    buttons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outbound:
    """One message to hand to a provider.

    `id` is stable over retries: channels use it as idempotency key or to reconcile. `address` is where it
    goes; `thread` the provider's thread (mail Message-ID to answer, Slack thread_ts). `references` is the
    mail chain, oldest first. `author`/`author_name` say who speaks. `card` is set on team alerts only.
    `update_of` is a provider id to edit instead of posting anew. `cc` get it too; `private`: it speaks of the
    contact's own affairs and never goes where others read along. `template` is sent in place of the text where
    the channel may not write freely. `purpose` is why it is sent unasked (survey, reminder, offer …), "" for answers.
    """

    id: OutboxId
    tenant: TenantId
    inbox: InboxId
    channel: str
    address: str
    text: str
    author: Author
    kind: MessageKind
    created_at: datetime
    conversation_id: ConversationId | None = None
    message_id: MessageId | None = None
    turn_id: TurnId | None = None
    seq: int | None = None
    author_name: str | None = None
    subject: str | None = None
    thread: str | None = None
    references: tuple[str, ...] = ()
    locale: str = "en"
    quick_replies: tuple[QuickReply, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    citations: tuple[Citation, ...] = ()
    card: TeamCard | None = None
    update_of: str | None = None
    cc: tuple[str, ...] = ()
    private: bool = False
    template: Template | None = None
    purpose: str = ""
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider has it. `thread` is the provider's thread it opened, when it opened one."""

    provider_id: str
    thread: str | None = None


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as it stands in the conversation. `seq` counts within the conversation from 1.

    `status`: inbound `received|handled|recorded`; outbound `proposed|queued|claimed|sent|delivered|read|
    unknown|dead|dropped|discarded|expired`.
    """

    id: MessageId
    conversation_id: ConversationId
    seq: int
    author: Author
    kind: MessageKind
    text: str
    created_at: datetime
    channel: str
    status: str
    address: str | None = None
    inbox: InboxId | None = None
    author_name: str | None = None
    turn_id: TurnId | None = None
    external_id: str | None = None
    subject: str | None = None
    thread: str | None = None
    locale: str | None = None
    inline: bool = False
    citations: tuple[Citation, ...] = ()
    quick_replies: tuple[QuickReply, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)

    def reply_thread(self) -> str | None:
        """Return the provider's thread an answer belongs to: the explicit one, else this very message."""
        return self.thread or self.external_id

    def reply_references(self) -> tuple[str, ...]:
        """Return the chain of provider message ids an answer refers to, oldest first."""
        earlier = self.metadata.get("references", "").split()
        own = [self.external_id] if self.external_id else []
        return tuple(dict.fromkeys([*earlier, *own]))
