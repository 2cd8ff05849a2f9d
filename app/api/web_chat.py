"""Who may use the web chat, and what its sockets may call.

Owns admission: key, origin, visitor token and signed identity become a `Guest`, or an error.
Not here: sockets and sessions (socket.py, web_session.py), signing (channels/_shared/).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from channels._shared.web_frames import Hello
from channels._shared.web_token import (
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
from core.errors import UnauthenticatedError
from core.ids import ConversationId, TenantId
from core.messages import StoredMessage
from core.ports import Cache, Directory, Fanout, Intake, Lines, TenantPolicy, Wakeups


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


@dataclass(frozen=True, slots=True)
class WebChat:
    """What sockets may call.

    `visitor_secret` signs visitor tokens. `demo_key` is the data-key of the page at `/`, None for
    no such page. `poll` seconds bound how late a row is when its hint was lost; `heartbeat` seconds
    of silence are broken by a ping.
    """

    clock: Clock
    intake: Intake
    fanout: Fanout
    wakeups: Wakeups
    directory: Directory
    cache: Cache
    lines_for: Callable[[TenantPolicy], Lines]
    transcript: Transcript
    visitor_secret: str
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

    @property
    def tenant(self) -> TenantId:
        """The tenant whose widget it is."""
        return self.inbox.tenant


async def admit(chat: WebChat, hello: Hello, origin: str | None, host: str) -> Guest:
    """Decide who says hello.

    Raises UnauthenticatedError for an unknown key or a bad identity, ForbiddenError for the origin.
    """
    now = chat.clock.now()
    known = read_visitor(hello.token, chat.visitor_secret, now) if hello.token else None
    key = hello.key or (known.key if known else None)
    inbox = await chat.directory.inbox("web", key) if key else None
    if inbox is None or inbox.kind != "customer":
        raise UnauthenticatedError("no widget has this key")
    policy = await chat.directory.policy(inbox.tenant)
    require_origin(origin, host, policy.widget_origins, development=chat.development)
    identity = None
    if hello.identity:
        settings = inbox.settings
        secret = settings.identity_secret if isinstance(settings, WebSettings) else None
        if secret is None:
            raise UnauthenticatedError("this widget takes no identities: no secret is configured")
        identity = read_identity(hello.identity, secret.get_secret_value(), now)
    visitor = settle(known, identity, inbox.tenant, inbox.address, now)
    return Guest(visitor, identity, inbox, policy, hello.locale or policy.locale)
