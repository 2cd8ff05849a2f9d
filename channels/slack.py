"""Slack: events, buttons and commands in, by webhook or socket; threads, answers and the CS team's alerts out.

Owns verifying and sorting what comes in, and binds the parts in _shared/slack_*.py together.
Not here: whom we answer (slack_listening.py), what goes out (slack_posting.py), installing (slack_install.py),
whether a person's reply goes out or stays a note (the service decides by who has claimed).
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from channels._shared import slack_check, slack_install
from channels._shared.slack_access import Tokens, workspace_of
from channels._shared.slack_events import (
    Payload,
    parse_payload,
    require_signature,
    teams_of,
    word,
)
from channels._shared.slack_listening import Ears
from channels._shared.slack_posting import CAPABILITIES, Post
from channels._shared.slack_reading import read_command, read_presses
from channels._shared.slack_settings import SlackSettings, configured, own
from core.contracts import (
    Channel,
    ChannelContext,
    ChannelSpec,
    Finding,
    Received,
    WebhookReply,
    WebhookRequest,
)
from core.conversations import Inbox
from core.errors import AnomalousPayloadError, SignatureError, UnavailableError
from core.ids import TenantId
from core.messages import Attachment, Event, Ignored, Inbound, Outbound, Sent

Sink = Callable[[Event], Awaitable[None]]
_JSON = {"content-type": "application/json"}


@dataclass(slots=True)
class SlackChannel:
    """The adapter. `socket` is channels._shared.slack_socket: `build` loads it, as it loads the SDK."""

    context: ChannelContext
    tokens: Tokens
    post: Post
    socket: ModuleType
    ears: Ears
    onlooker: Ears = field(init=False)

    def __post_init__(self) -> None:
        """Make the ears that only look."""
        self.onlooker = Ears(self.tokens, looks_on=True)

    def locate(self, request: WebhookRequest) -> str | None:
        """Return the workspace; for its address check (url_verification) only `?team=` names one."""
        return next(iter(self.candidates(request)), None)

    def candidates(self, request: WebhookRequest) -> list[str]:
        """Return every workspace the request may be for: a shared channel's press names more than one."""
        try:
            return teams_of(parse_payload(request), request.url)
        except AnomalousPayloadError:
            return []

    def invited(self, request: WebhookRequest) -> TenantId | None:
        """Return the tenant whose sealed install link or OAuth state the request carries."""
        return slack_install.tenant_of(request, self.context.vault, self.context.clock.now())

    async def receive(self, request: WebhookRequest, inbox: Inbox) -> Received:
        """Verify and parse one webhook, or go a step on with an installation.

        Raises SignatureError, AnomalousPayloadError.
        """
        if not inbox.address:
            return await slack_install.receive(self.tokens, request, inbox)
        if request.method != "POST":
            raise SignatureError("Slack posts")
        secret = own(inbox.settings).signing_secret.get_secret_value()
        require_signature(secret, request, self.context.clock.now())
        return await self._understood(parse_payload(request), inbox, self.ears)

    async def read(self, request: WebhookRequest, inbox: Inbox) -> Received:
        """Parse one webhook, unverified; nothing is noted. Raises AnomalousPayloadError."""
        return await self._understood(parse_payload(request), inbox, self.onlooker)

    async def listen(self, inbox: Inbox, sink: Sink) -> None:
        """Hand what comes over Socket Mode to `sink`, for ever; return at once where that is not set up.

        One socket brings the whole app's events, so only the environment's own workspace listens; events of
        others, which need the Request URL, are left unacknowledged.
        """
        settings = own(inbox.settings)
        token = settings.app_token.get_secret_value()
        if not token or inbox.kind != "customer" or inbox.address != settings.team_id:
            return
        access = self.tokens.with_token(settings, token)

        async def open_url() -> str:
            return word(await self.tokens.api.post(access, "apps.connections.open", {}), "url")

        async def take(payload: Payload) -> Mapping[str, Any] | None:
            if inbox.address not in teams_of(payload, ""):
                raise UnavailableError("an event of another workspace: it needs the Request URL")
            received = await self._understood(payload, inbox, self.ears)
            for event in received.events:
                await sink(event)
            return json.loads(received.reply.body) if received.reply.body else None

        await self.socket.run(open_url, take)

    async def _understood(self, payload: Payload, inbox: Inbox, ears: Ears) -> Received:
        place = workspace_of(inbox)
        if payload.kind == "event":
            if word(payload.fields, "type") == "url_verification":
                return _challenge(payload)
            return Received((await ears.event(payload.fields, inbox),))
        if payload.kind == "command":
            event = read_command(payload.fields, place)
            return Received(
                (event,), self._taken() if isinstance(event, Inbound) else WebhookReply()
            )
        presses = read_presses(payload.fields, place)
        return Received(tuple([await ears.pressed(event, inbox) for event in presses]))

    def _taken(self) -> WebhookReply:
        said = self.context.lines.say("slack.command_taken", "en", "slack")
        body = json.dumps({"response_type": "ephemeral", "text": said})
        return WebhookReply(200, _JSON, body.encode())

    async def deliver(self, outbound: Outbound, inbox: Inbox) -> Sent:
        """Post, privately where it must be. See Post.deliver for what it raises."""
        return await self.post.deliver(outbound, inbox)

    async def reconcile(self, outbound: Outbound, inbox: Inbox) -> Sent | None:
        """Look for a message whose outcome is unknown. See Post.reconcile for what it raises."""
        return await self.post.reconcile(outbound, inbox)

    async def fetch(self, attachment: Attachment, inbox: Inbox, limit: int) -> bytes:
        """Return a file that came. See Post.fetch for what it raises."""
        return await self.post.fetch(attachment, inbox, limit)

    async def examine(self, inbox: Inbox) -> tuple[Finding, ...]:
        """Try token, scopes, channels, secret and socket; say what is wrong and what to click."""
        return await slack_check.examine(self.tokens, inbox)

    async def close(self) -> None:
        """Nothing stays open: a session is made per call, and the socket ends with its task."""


def _challenge(payload: Payload) -> Received:
    challenge = word(payload.fields, "challenge")
    if not challenge:
        raise AnomalousPayloadError("url_verification without a challenge")
    body = json.dumps({"challenge": challenge}).encode()
    return Received((Ignored("url_verification"),), WebhookReply(200, _JSON, body))


def build(context: ChannelContext) -> Channel:
    """Return the adapter; loads Slack's SDK."""
    from channels._shared import slack_api, slack_socket

    tokens = Tokens(context, slack_api)
    ears = Ears(tokens)
    return SlackChannel(context, tokens, Post(tokens, ears), slack_socket, ears)


CHANNEL = ChannelSpec(
    name="slack",
    capabilities=CAPABILITIES,
    settings=SlackSettings,
    configured=configured,
    build=build,
    summary="Customers by mention, thread or direct message; the CS team's alerts with buttons.",
)
