"""What a plug-in file declares and is given.

A channel module ends in `CHANNEL = ChannelSpec(...)`, a handler module in `HANDLER = HandlerSpec(...)`,
a check module in `CHECK = CheckSpec(...)`; the spec's name is the module's name.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from core.clock import Clock
from core.conversations import Inbox
from core.ids import MessageId, TenantId
from core.messages import Attachment, Event, Outbound, Sent
from core.outcomes import CheckContext, Outcome, Turn
from core.ports import (
    Answers,
    Beside,
    Cache,
    Calendar,
    Codes,
    Consents,
    Facts,
    Fanout,
    Features,
    Files,
    Generator,
    Lines,
    Moderator,
    PluginState,
    Preview,
    Recall,
    Retriever,
    TurnView,
    Vault,
)
from core.settings import Section
from core.turns import Verdict

# ---------------------------------------------------------------- channels


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A request as any framework has it. `url` is the full URL as received; header names are lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class WebhookReply:
    """What the provider is answered."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Received:
    """What a webhook meant, and how to answer it once all events are committed.

    `waits`: the provider holds the line; the turn of the last Inbound is awaited, at most `wait` seconds, and
    `Converses.answer` makes the reply. `resumes` names a message whose turn was still running when an earlier
    request was answered.
    """

    events: tuple[Event, ...]
    reply: WebhookReply = WebhookReply()
    waits: bool = False
    wait: float = 8.0
    resumes: MessageId | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """A held line's answer: `reply` to the provider; `texts` are (channel, address, text) sent beside it.

    `gone`: nobody waits for that message any more; what else is said to it goes out by `deliver`.
    """

    reply: WebhookReply
    texts: tuple[tuple[str, str, str], ...] = ()
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing `usher channels check` looked at: `sentence` says what is wrong and where to put it right."""

    ok: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel can show. `max_chars` 0 is unlimited; `quiet` is the burst window in seconds.

    `markup`: plain | markdown | mrkdwn | html | whatsapp. `idle_hours` closes a conversation nobody continues.
    `greets`: its page says that a bot answers before anything is written. `max_buttons` 0 is any number.
    `media` are the content types that may go out (`image/*`), `media_bytes` the size of one. `inline`: the caller
    waits for the reply. `window_hours` after the customer's last message free text is no longer taken, 0 for ever.
    `corrections`: a message sent can be edited and taken back.
    """

    buttons: bool = False
    markup: str = "plain"
    max_chars: int = 0
    typing: bool = False
    receipts: bool = False
    attachments: bool = False
    threads: bool = False
    quiet: float = 0.0
    idle_hours: float = 24.0
    opt_out_words: bool = False
    greets: bool = False
    max_buttons: int = 0
    media: tuple[str, ...] = ()
    media_bytes: int = 0
    inline: bool = False
    window_hours: float = 0.0
    corrections: bool = False

    def shows_buttons(self, count: int) -> bool:
        """Return whether so many choices are buttons here; they are numbered lines of the text otherwise."""
        return self.buttons and (not self.max_buttons or count <= self.max_buttons)


@dataclass(frozen=True, slots=True)
class ChannelContext:
    """Ports a channel may use. `lines_for` gives a tenant's own sentences, brand and bot name."""

    clock: Clock
    fanout: Fanout
    lines: Lines
    state: PluginState
    cache: Cache
    vault: Vault
    files: Files | None = None
    beside: Beside | None = None
    lines_for: Callable[[TenantId], Awaitable[Lines]] | None = None


class Channel(Protocol):
    """One provider. Built once per process; the inbox carries tenant, address and settings."""

    def locate(self, request: WebhookRequest) -> str | None:
        """Return the inbox address this request claims to be for: cheap, unverified, picks tenant and secret."""
        ...

    async def receive(self, request: WebhookRequest, inbox: Inbox) -> Received:
        """Verify and parse. Raises SignatureError, AnomalousPayloadError, UnsupportedEventError."""
        ...

    async def deliver(self, outbound: Outbound, inbox: Inbox) -> Sent:
        """Hand one message to the provider.

        Raises RetryableDeliveryError, PermanentDeliveryError, UnknownOutcomeError.
        """
        ...

    async def reconcile(self, outbound: Outbound, inbox: Inbox) -> Sent | None:
        """Say what became of a send whose outcome is unknown: Sent, or None when it certainly did not happen.

        Raises UnknownOutcomeError when that cannot be decided, RetryableDeliveryError to be asked later.
        """
        ...

    async def close(self) -> None:
        """Close clients."""
        ...


class Converses(Protocol):
    """A channel whose webhook is answered with the reply itself: a phone call."""

    async def answer(
        self, request: WebhookRequest, inbox: Inbox, message: MessageId, view: TurnView | None
    ) -> Answered:
        """Return what the line hears of `message`'s turn; `view` is None while it still runs."""
        ...


class Fetches(Protocol):
    """A channel whose attachments need its credentials to be had."""

    async def fetch(self, attachment: Attachment, inbox: Inbox, limit: int) -> bytes:
        """Return at most `limit` bytes. Raises TooLargeError, RetryableDeliveryError, PermanentDeliveryError."""
        ...


class Reads(Protocol):
    """A channel that can say what a webhook means without verifying it: for `usher inspect` alone."""

    async def read(self, request: WebhookRequest, inbox: Inbox) -> Received:
        """Parse only. Raises AnomalousPayloadError, UnsupportedEventError."""
        ...


class Examines(Protocol):
    """A channel that can try its credentials and webhooks at the provider."""

    async def examine(self, inbox: Inbox) -> tuple[Finding, ...]:
        """Return what was found, right or wrong; raises nothing of the provider's."""
        ...


class Listens(Protocol):
    """A channel that also pulls (IMAP, Socket Mode); one process at a time, under a lease."""

    async def listen(self, inbox: Inbox, sink: Callable[[Event], Awaitable[None]]) -> None:
        """Hand every event to `sink` for ever."""
        ...


class Admits(Protocol):
    """A channel whose places join by a link that we sealed (OAuth): such a request names a tenant, not an inbox."""

    def invited(self, request: WebhookRequest) -> TenantId | None:
        """Return the tenant whose sealed link this request carries; None when it carries none that holds."""
        ...


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """A channel plug-in. `settings` is read per inbox with the inbox's environment prefix.

    `configured(settings)` returns the inboxes (address, kind) these settings make, [] when unconfigured, and
    raises MisconfiguredError with a sentence when half-configured. SDKs are imported inside `build`.
    `identity` is the kind of address its senders have (`phone` for SMS), the channel's own name by default.
    """

    name: str
    capabilities: Capabilities
    settings: type[Section]
    configured: Callable[[Section], list[tuple[str, str]]]
    build: Callable[[ChannelContext], Channel]
    identity: str = ""
    summary: str = ""


# ---------------------------------------------------------------- handlers


@dataclass(frozen=True, slots=True)
class Context:
    """Ports a handler may use; never stores or settings."""

    clock: Clock
    answers: Answers
    retriever: Retriever
    generator: Generator
    calendar: Calendar
    facts: Facts
    recall: Recall
    lines: Lines
    state: PluginState
    preview: Preview | None = None
    max_chars: int = 0
    buttons: bool = False
    markup: str = "plain"
    time_zone: str = "UTC"
    codes: Codes | None = None


class Handle(Protocol):
    """Decide what happens."""

    async def __call__(self, turn: Turn, context: Context) -> Outcome:
        """Return the outcome; raise only what is a fault."""
        ...


@dataclass(frozen=True, slots=True)
class HandlerSpec:
    """A handler plug-in. `examples` are intent → phrases that train the intent head; `form` when it runs one.

    `signals` instead of `intents` for lifecycle handlers. `private`: its replies speak of the contact's own affairs
    (bookings, prices, account facts, memory) and never go where others read along.
    """

    name: str
    handle: Handle
    intents: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    form: bool = False
    private: bool = False
    summary: str = ""


# ---------------------------------------------------------------- checks


@dataclass(frozen=True, slots=True)
class CheckPorts:
    """Ports a check may use. `moderator` is None when none is configured."""

    clock: Clock
    lines: Lines
    answers: Answers
    state: PluginState
    consents: Consents
    features: Features
    moderator: Moderator | None = None


class RunCheck(Protocol):
    """Pass, rewrite or block."""

    async def __call__(self, text: str, context: CheckContext, ports: CheckPorts) -> Verdict:
        """Return the verdict on the text."""
        ...


@dataclass(frozen=True, slots=True)
class CheckSpec:
    """A check plug-in. Lower `order` runs first; `direction` says on which way it runs."""

    name: str
    direction: str  # in | out | both
    order: int
    run: RunCheck
    summary: str = ""


Plugin = ChannelSpec | HandlerSpec | CheckSpec
