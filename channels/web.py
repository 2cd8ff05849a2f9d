"""Web chat: core types to WebSocket frames, and delivery by publishing what stands in SQL.

Owns the frames that go out (welcome, stored, draft, draft_end, message, typing, status, error,
ping), as pure functions, and the widget's files beside it (static/). For this channel the row is
the delivery: `deliver` only tells sockets that there is one more.
Not here: sockets, rate limits (app/api/socket.py); frames that come in, tokens, origins (_shared/).
"""

import re
from collections.abc import Mapping, Sequence

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from core.contracts import (
    Capabilities,
    ChannelContext,
    ChannelSpec,
    Received,
    WebhookRequest,
)
from core.conversations import Inbox
from core.errors import (
    MisconfiguredError,
    PermanentDeliveryError,
    ServiceError,
    UnsupportedEventError,
)
from core.messages import Author, Outbound, QuickReply, Sent, StoredMessage
from core.settings import Section

MIN_SECRET = 32  # bytes an HS256 key must have (RFC 7518 §3.2)

_KEY = re.compile(r"[A-Za-z0-9_.-]{1,120}")


class WebSettings(Section):
    """Web chat of one tenant.

    `key` is the publishable data-key: it opens the widget and nothing else. `identity_secret` signs
    identities (JWT, HS256) on the tenant's own server; without it nobody is proven.
    """

    model_config = SettingsConfigDict(env_prefix="USHER_WEB_")

    enabled: bool = True
    key: str = "demo-widget"
    identity_secret: SecretStr | None = Field(default=None)


def configured(settings: Section) -> list[tuple[str, str]]:
    """Return the one inbox these settings make: the data-key is its address.

    Raises MisconfiguredError for a key that does not fit an attribute or a secret too short.
    """
    if not isinstance(settings, WebSettings):
        raise MisconfiguredError(f"web: expected WebSettings, got {type(settings).__name__}")
    if not settings.enabled:
        return []
    if not _KEY.fullmatch(settings.key):
        raise MisconfiguredError("USHER_WEB_KEY: letters, digits, '.', '_' and '-' only")
    secret = settings.identity_secret
    if secret is not None and len(secret.get_secret_value().encode()) < MIN_SECRET:
        raise MisconfiguredError(f"USHER_WEB_IDENTITY_SECRET: at least {MIN_SECRET} bytes")
    return [(settings.key, "customer")]


# ---------------------------------------------------------------- frames out

OutFrame = dict[str, object]


def welcome(
    token: str,
    conversation_id: str | None,
    seq: int,
    *,
    brand: str,
    bot_name: str,
    locale: str,
    greeting: str | None = None,
    quick_replies: Sequence[QuickReply] = (),
    files: bool = False,
) -> OutFrame:
    """Say hello back: `token` is to be kept, `seq` is where the conversation stands; `files` may be sent."""
    frame: OutFrame = {"type": "welcome", "visitor": token, "conversation_id": conversation_id}
    frame |= {"seq": seq, "brand": brand, "bot_name": bot_name, "locale": locale}
    frame |= {"files": True} if files else {}
    frame |= {"quick_replies": _choices(quick_replies)} if quick_replies else {}
    return frame | ({"greeting": greeting} if greeting else {})


def _choices(quick_replies: Sequence[QuickReply]) -> list[dict[str, str]]:
    return [{"label": q.label, "value": q.value} for q in quick_replies]


def stored(client_id: str, conversation_id: str, seq: int) -> OutFrame:
    """Say that a message is committed and will not be lost."""
    return {
        "type": "stored",
        "client_id": client_id,
        "conversation_id": conversation_id,
        "seq": seq,
    }


def message(row: StoredMessage, urls: Mapping[str, str] | None = None) -> OutFrame:
    """Render a row. A customer's own carries the `client_id` it was sent with.

    `urls` are where its files may be fetched, by their ids.
    """
    frame: OutFrame = {
        "type": "message",
        "id": row.id,
        "conversation_id": row.conversation_id,
        "turn_id": row.turn_id,
        "seq": row.seq,
        "author": row.author.value,
        "author_name": row.author_name,
        "kind": row.kind.value,
        "channel": row.channel,
        "text": row.text,
        "citations": [
            {
                "number": c.number,
                "document": c.document,
                "title": c.title,
                "section": c.section,
                "quote": c.quote,
                "url": c.url,
            }
            for c in row.citations
        ],
        "quick_replies": _choices(row.quick_replies),
        "at": row.created_at.isoformat(),
    }
    if row.author is Author.CUSTOMER and row.channel == "web" and row.external_id:
        frame["client_id"] = row.external_id.rpartition(":")[2]
    if row.attachments:
        frame["files"] = [
            {"name": a.name, "size": a.size, "url": (urls or {}).get(a.id or "") or None}
            | ({"refused": a.refused} if a.refused else {})
            for a in row.attachments
        ]
    return frame


def status(
    mode: str | None, state: str, owner_name: str | None, ask: Sequence[str] = ()
) -> OutFrame:
    """Say who answers now and where the conversation stands.

    `ask` names the channels to ask about once: where may an answer go when the chat is closed?
    """
    frame: OutFrame = {"type": "status", "mode": mode or "auto", "status": state}
    return frame | {"owner_name": owner_name} | ({"ask": list(ask)} if ask else {})


def error(fault: ServiceError, client_id: str | None = None) -> OutFrame:
    """Say what is wrong. The widget shows its own words for `code`; `message` is for developers."""
    frame: OutFrame = {"type": "error", "code": fault.code, "message": fault.detail}
    return frame | ({"client_id": client_id} if client_id else {})


def preview(payload: Mapping[str, object]) -> OutFrame | None:
    """Pass on a draft, draft_end or typing with its known fields; None for all else."""
    match payload.get("type"):
        case "draft":
            wanted: dict[str, type] = {"turn_id": str, "n": int, "text": str}
        case "draft_end":
            wanted = {"turn_id": str, "reason": str}
        case "typing" if payload.get("author") != Author.CUSTOMER.value:
            wanted = {}
        case _:
            return None
    if not all(isinstance(payload.get(name), kind) for name, kind in wanted.items()):
        return None
    shown = (*wanted, "author", "author_name")
    return {"type": payload["type"]} | {n: payload[n] for n in shown if n in payload}


PING: OutFrame = {"type": "ping"}


# ---------------------------------------------------------------- the channel


def topic(conversation_id: str) -> str:
    """Return the fan-out topic of a conversation."""
    return f"conv:{conversation_id}"


class WebChannel:
    """Delivery by hint: the row is what the widget gets, its ack is the receipt."""

    def __init__(self, context: ChannelContext) -> None:
        self._fanout = context.fanout

    def locate(self, request: WebhookRequest) -> str | None:
        """Return None: web chat has no webhook."""
        del request
        return None

    async def receive(self, request: WebhookRequest, inbox: Inbox) -> Received:
        """Raise UnsupportedEventError: web chat comes through the socket."""
        raise UnsupportedEventError("web chat comes through the socket at /ws, not a webhook")

    async def deliver(self, outbound: Outbound, inbox: Inbox) -> Sent:
        """Tell the conversation's sockets that there is one more row.

        Raises PermanentDeliveryError for a message that stands in no conversation.
        """
        if outbound.conversation_id is None or outbound.seq is None or not outbound.message_id:
            raise PermanentDeliveryError("web chat delivers only messages of a conversation")
        await self._fanout.publish(
            topic(outbound.conversation_id), {"type": "message", "seq": outbound.seq}
        )
        return Sent(provider_id=f"web:{outbound.message_id}")

    async def reconcile(self, outbound: Outbound, inbox: Inbox) -> Sent | None:
        """Hint again: the row stands, and the widget drops a seq it already shows."""
        return await self.deliver(outbound, inbox)

    async def close(self) -> None:
        """Do nothing: there is no client."""


CHANNEL = ChannelSpec(
    name="web",
    capabilities=Capabilities(
        buttons=True,
        markup="markdown",
        typing=True,
        receipts=True,
        attachments=True,
        media=("*/*",),  # the row names them, and the widget is given links
        media_bytes=10_000_000,
        idle_hours=0.5,
        greets=True,
    ),
    settings=WebSettings,
    configured=configured,
    build=WebChannel,
    summary="Widget and WebSocket; resumes by seq, signed or anonymous visitors.",
)
