"""Who may use the web chat, and what its sockets may call.

Owns admission: key, origin, visitor token and signed identity become a `Guest`, or an error.
Not here: sockets and sessions (socket.py, web_session.py), signing (channels/_shared/).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from channels._shared.web_frames import Hello
from channels._shared.web_links import Link, Resume, read_link, read_resume
from channels._shared.web_token import (
    SESSION_LIFE,
    SignedIdentity,
    Visitor,
    read_identity,
    read_visitor,
    require_origin,
    settle,
)
from channels.web import WebSettings
from core.clock import Clock
from core.conversations import Conversation, Inbox
from core.errors import ForbiddenError, UnauthenticatedError
from core.ids import ConversationId, TenantId
from core.messages import Attachment, StoredMessage
from core.ports import (
    Cache,
    Calendar,
    Directory,
    Fanout,
    Intake,
    Lines,
    PluginState,
    Reaches,
    TenantPolicy,
    Wakeups,
)


class Transcript(Protocol):
    """What a visitor may read of a conversation, and the marks they leave on it."""

    async def find(
        self,
        tenant: TenantId,
        conversation: ConversationId | None,
        visitor: str,
        external: str | None,
    ) -> Conversation | None:
        """Return that conversation if this visitor, or the proven contact `external`, owns it.

        Without an id: their latest one that a new message would join. None when there is none.
        """
        ...

    async def messages_after(
        self, tenant: TenantId, conversation: ConversationId, seq: int, limit: int
    ) -> Sequence[StoredMessage]:
        """Return what the customer may see with a greater seq, in order of seq.

        Never notes, nor what is proposed, queued, dropped, discarded, expired or dead.
        """
        ...

    async def unacked(
        self, tenant: TenantId, conversation: ConversationId, upto: int
    ) -> Sequence[StoredMessage]:
        """Return web rows for the customer with seq ≤ `upto` that no widget acknowledged yet."""
        ...

    async def ack(self, tenant: TenantId, conversation: ConversationId, seq: int) -> None:
        """Record that the row with exactly this seq was delivered; never backwards."""
        ...

    async def feedback(
        self, tenant: TenantId, conversation: ConversationId, message_id: str, value: str
    ) -> None:
        """Record `up`, `down` or `1`-`5`. Raises NotFoundError for a message not of it."""
        ...


class Uploads(Protocol):
    """Where visitors' files are kept (port `Files`)."""

    async def put(self, tenant: TenantId, name: str, content_type: str, data: bytes) -> Attachment:
        """Keep a file; one that may not be kept comes back `refused`, or BadInputError, TooLargeError."""
        ...

    async def link(self, tenant: TenantId, file: str, until: datetime) -> str:
        """Return a signed URL of a file. Raises NotFoundError."""
        ...


@dataclass(frozen=True, slots=True)
class WebChat:
    """What sockets may call.

    `visitor_secret` signs visitor tokens. `demo_key` is the data-key of the page at `/`, None for
    no such page. `poll` seconds bound how late a row is when its hint was lost; `heartbeat` seconds
    of silence are broken by a ping. `files` None: nothing can be uploaded.
    `base_url` is where this server is reached, "" for the address it was asked at.
    """

    clock: Clock
    intake: Intake
    fanout: Fanout
    wakeups: Wakeups
    directory: Directory
    cache: Cache
    lines_for: Callable[[TenantPolicy], Lines]
    transcript: Transcript
    reaches: Reaches
    state: PluginState
    calendar: Calendar
    visitor_secret: str
    base_url: str = ""
    files: Uploads | None = None
    development: bool = False
    demo_key: str | None = None
    poll: float = 10.0
    heartbeat: float = 25.0


@dataclass(frozen=True, slots=True)
class Guest:
    """Who sits at the socket, and where."""

    visitor: Visitor
    identity: SignedIdentity | None
    inbox: Inbox
    policy: TenantPolicy
    locale: str
    link: Link | None = None
    zone: str | None = None

    @property
    def tenant(self) -> TenantId:
        """The tenant whose widget it is."""
        return self.inbox.tenant


async def admit(chat: WebChat, hello: Hello, origin: str | None, host: str) -> Guest:
    """Decide who says hello.

    Raises UnauthenticatedError for an unknown key, a bad identity or none where the tenant requires one, and
    for a link that is over; ForbiddenError for the origin.
    """
    now = chat.clock.now()
    known = read_visitor(hello.token, chat.visitor_secret, now) if hello.token else None
    link, back = _links(chat, hello, now)
    key = hello.key or (link or back or known or _NOBODY).key
    inbox = await chat.directory.inbox("web", key) if key else None
    if inbox is None or inbox.kind != "customer":
        raise UnauthenticatedError("no widget has this key")
    if any(said is not None and said.tenant != inbox.tenant for said in (link, back)):
        raise UnauthenticatedError("this link belongs to another widget")
    policy = await chat.directory.policy(inbox.tenant)
    require_origin(origin, host, _origins(policy, link or back), development=chat.development)
    identity = _identity(inbox, hello.identity, now) if hello.identity else None
    if back is not None and not (known and known.id == back.visitor and known.floor is None):
        known = back.visitor_of()  # a browser that is theirs already is shown all as before
    visitor = settle(known, identity, inbox.tenant, inbox.address, now)
    if policy.widget_identity == "required" and identity is None and not (back and back.proven):
        raise UnauthenticatedError("this chat is for people who are signed in")
    locale = hello.locale or (link.locale if link else "") or policy.locale
    return Guest(visitor, identity, inbox, policy, locale, link, hello.zone)


_NOBODY = Visitor("", TenantId(""), "")


def _links(chat: WebChat, hello: Hello, now: datetime) -> tuple[Link | None, Resume | None]:
    link = read_link(hello.link, chat.visitor_secret, now) if hello.link else None
    back = read_resume(hello.resume, chat.visitor_secret, now) if hello.resume else None
    # a talk begun by a link outlives it; a way back ends with its token
    over = (hello.link and link is None and not hello.token) or (hello.resume and back is None)
    if over:
        raise UnauthenticatedError("this link has expired or is not ours")
    return link, back


def _origins(policy: TenantPolicy, said: Link | Resume | None) -> tuple[str, ...]:
    """Return who may embed: links open on our own pages, whatever pages the tenant has listed."""
    return () if said is not None else policy.widget_origins


def _identity(inbox: Inbox, token: str, now: datetime) -> SignedIdentity:
    settings = inbox.settings
    secret = settings.identity_secret if isinstance(settings, WebSettings) else None
    if secret is None:
        raise UnauthenticatedError("this widget takes no identities: no secret is configured")
    return read_identity(token, secret.get_secret_value(), now, inbox.address)


async def admit_upload(
    chat: WebChat, token: str | None, origin: str | None, host: str
) -> tuple[Visitor, TenantPolicy]:
    """Return whose file this is. Raises UnauthenticatedError, ForbiddenError for the origin."""
    now = chat.clock.now()
    visitor = read_visitor(token, chat.visitor_secret, now) if token else None
    if visitor is None:
        raise UnauthenticatedError("a file needs the token of its visitor")
    policy = await chat.directory.policy(visitor.tenant)
    own = f"{origin}".endswith(f"//{host}")
    require_origin(origin, host, () if own else policy.widget_origins, development=chat.development)
    fresh = visitor.proven_at is not None and now - visitor.proven_at < SESSION_LIFE
    if policy.widget_identity == "required" and not fresh and visitor.floor is None:
        raise ForbiddenError("this chat is for people who are signed in")
    return visitor, policy
