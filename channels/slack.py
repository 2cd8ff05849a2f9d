"""Slack: events, buttons and commands in; threads, answers and the CS team's alerts out.

Owns whom we answer (mentions, direct messages, threads of ours, auto channels), one conversation per
(team, channel, thread), the alert channel's replies and buttons, and what became of a lost send.
Not here: whether a person's reply goes out or stays a note (the service decides by who has claimed),
signatures and bodies (_shared/slack_events.py), blocks (_shared/slack_blocks.py).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import ModuleType
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from channels._shared import slack_blocks
from channels._shared.render import render, words_for
from channels._shared.slack_events import (
    Fields,
    Payload,
    files_of,
    first,
    parse_payload,
    part,
    require_signature,
    team_of,
    word,
)
from channels._shared.slack_reading import (
    Said,
    Workspace,
    read_command,
    read_presses,
    read_team_reply,
    sender_of,
    thread_key,
    why_not_spoken,
)
from channels._shared.slack_text import decode_text
from channels._shared.unsure import remember_unsure, require_settled
from core.contracts import (
    Capabilities,
    Channel,
    ChannelContext,
    ChannelSpec,
    Received,
    WebhookReply,
    WebhookRequest,
)
from core.conversations import Inbox
from core.errors import (
    AnomalousPayloadError,
    DeliveryError,
    MisconfiguredError,
    PermanentDeliveryError,
    UnknownOutcomeError,
)
from core.messages import Event, Ignored, Inbound, Outbound, Sent
from core.settings import Section

CAPABILITIES = Capabilities(
    buttons=True,
    markup="mrkdwn",
    max_chars=12_000,  # all text blocks of one message together
    attachments=True,
    threads=True,
    quiet=3.0,
    idle_hours=72.0,
)

_SKEW = timedelta(seconds=120)  # between our clock and Slack's


class SlackSettings(Section):
    """One workspace and its app.

    `alert_channel` is the CS team's channel id, `auto_channels` (ids, comma-separated) those where
    every new message is for us; `bot_user_id` is asked for when not given. `timeout` in seconds.
    """

    model_config = SettingsConfigDict(env_prefix="USHER_SLACK_")

    bot_token: SecretStr = SecretStr("")
    signing_secret: SecretStr = SecretStr("")
    team_id: str = ""
    bot_user_id: str = ""
    alert_channel: str = ""
    auto_channels: Annotated[tuple[str, ...], NoDecode] = ()
    public_url: str = ""
    api_base_url: str | None = None
    timeout: float = Field(default=10.0, gt=0, le=60)

    @field_validator("auto_channels", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(piece.strip() for piece in value.split(",") if piece.strip())
        return value


def configured(settings: Section) -> list[tuple[str, str]]:
    """Return the workspace as customers' inbox and, if there is one, the alert channel as the team's.

    Raises MisconfiguredError naming what is missing or cannot be right.
    """
    own = _own(settings)
    token, secret = own.bot_token.get_secret_value(), own.signing_secret.get_secret_value()
    given = {
        "USHER_SLACK_BOT_TOKEN": token,
        "USHER_SLACK_SIGNING_SECRET": secret,
        "USHER_SLACK_TEAM_ID": own.team_id,
    }
    if not any(given.values()) and not own.alert_channel:
        return []
    if missing := [name for name, value in given.items() if not value]:
        raise MisconfiguredError(f"slack is half configured; missing: {', '.join(missing)}")
    if not token.startswith("xoxb-"):
        raise MisconfiguredError(
            "slack: USHER_SLACK_BOT_TOKEN must be the bot token (xoxb-…), not a user or app token"
        )
    if not own.team_id.startswith("T") and not own.team_id.startswith("E"):
        raise MisconfiguredError("slack: USHER_SLACK_TEAM_ID must be an id such as T0123ABCD")
    named = [c for c in (own.alert_channel, *own.auto_channels) if c and c[0] not in "CG"]
    if named:
        raise MisconfiguredError(f"slack: {named[0]!r} is a name; give the channel's id (C…)")
    team = [(f"{own.team_id}/{own.alert_channel}", "team")] if own.alert_channel else []
    return [(own.team_id, "customer"), *team]


@dataclass(slots=True)
class SlackChannel:
    """The adapter. `api` is channels._shared.slack_api: `build` loads it, as it loads the SDK."""

    context: ChannelContext
    api: ModuleType
    bot_users: dict[str, str] = field(default_factory=dict)

    def locate(self, request: WebhookRequest) -> str | None:
        """Return the workspace; for its address check (url_verification) only `?team=` names one."""
        try:
            return team_of(parse_payload(request), request.url)
        except AnomalousPayloadError:
            return None

    async def receive(self, request: WebhookRequest, inbox: Inbox) -> Received:
        """Verify and parse one webhook.

        Raises SignatureError, AnomalousPayloadError.
        """
        settings = _own(inbox.settings)
        secret = settings.signing_secret.get_secret_value()
        require_signature(secret, request, self.context.clock.now())
        payload = parse_payload(request)
        if payload.kind == "event":
            if word(payload.fields, "type") == "url_verification":
                return _challenge(payload)
            return Received((await self._event(payload.fields, settings, inbox),))
        place = Workspace(settings.team_id, settings.alert_channel)
        if payload.kind == "command":
            return Received((read_command(payload.fields, place),))
        return Received(tuple(read_presses(payload.fields, place)))

    # ------------------------------------------------------------ events

    async def _event(self, outer: Fields, settings: SlackSettings, inbox: Inbox) -> Event:
        event = part(outer, "event")
        kind = word(event, "type")
        if word(outer, "type") != "event_callback" or kind not in ("message", "app_mention"):
            return Ignored(f"event {kind or word(outer, 'type')!r}")
        if reason := why_not_spoken(event):
            return Ignored(reason)
        said = Said(
            team=settings.team_id,
            channel=word(event, "channel"),
            ts=word(event, "ts"),
            thread_ts=word(event, "thread_ts"),
            user=word(event, "user"),
            text=word(event, "text"),
            event=event,
            bot_user=await self._bot_user(outer, settings),
        )
        if not (said.channel and said.ts and said.user):
            raise AnomalousPayloadError("a message without channel, ts or user")
        if said.user == said.bot_user:
            return Ignored("our own message")
        if said.channel == settings.alert_channel:
            return read_team_reply(said)
        return await self._customer(said, settings, inbox)

    async def _customer(self, said: Said, settings: SlackSettings, inbox: Inbox) -> Event:
        if not await self._is_for_us(said, settings, inbox):
            return Ignored("not addressed to us")
        root = said.thread_ts or ("" if said.is_direct else said.ts)
        if root and not said.is_direct:
            await self._own_thread(inbox, said.channel, root)
        files = files_of(said.event)
        text = decode_text(said.text, said.bot_user)
        if not text and not files:
            # Only our name was called: that is still somebody waiting for an answer.
            text = decode_text(said.text)
        if not text and not files:
            return Ignored("an empty message")
        return Inbound(
            channel="slack",
            external_id=said.external_id,
            sender=sender_of(said.event, said.team, said.user),
            text=text,
            reply_to=said.channel,
            thread=thread_key(said.team, said.channel, root) if root else None,
            display_name=word(part(said.event, "user_profile"), "real_name") or None,
            attachments=files,
        )

    async def _is_for_us(self, said: Said, settings: SlackSettings, inbox: Inbox) -> bool:
        if said.is_direct or said.is_mention:
            return True
        if said.thread_ts and said.thread_ts != said.ts:
            key = f"thread:{said.channel}:{said.thread_ts}"
            return await self.context.state.get("slack", inbox.tenant, key) is not None
        return said.channel in settings.auto_channels

    async def _own_thread(self, inbox: Inbox, channel: str, root: str) -> None:
        await self.context.state.put("slack", inbox.tenant, f"thread:{channel}:{root}", {"ours": 1})

    async def _bot_user(self, outer: Fields, settings: SlackSettings) -> str:
        if settings.bot_user_id:
            return settings.bot_user_id
        authorization = first(outer, "authorizations")
        if authorization.get("is_bot") is True and word(authorization, "user_id"):
            return word(authorization, "user_id")
        if settings.team_id not in self.bot_users:
            try:
                known = await self.api.post(self._access(settings), "auth.test", {})
            except DeliveryError:
                return ""  # app_mention still says when we are meant
            self.bot_users[settings.team_id] = word(known, "user_id")
        return self.bot_users[settings.team_id]

    # ------------------------------------------------------------ sending

    async def deliver(self, outbound: Outbound, inbox: Inbox) -> Sent:
        """Post the message, or edit the alert that `update_of` names.

        Raises RetryableDeliveryError, PermanentDeliveryError, UnknownOutcomeError.
        """
        settings = _own(inbox.settings)
        channel, root = _place(outbound)
        body = {"channel": channel, **self._content(outbound), "metadata": _mark(outbound)}
        method = "chat.update" if outbound.update_of else "chat.postMessage"
        if outbound.update_of:
            body["ts"] = outbound.update_of.rsplit(":", 1)[-1]
        else:
            body |= {"unfurl_links": False, "unfurl_media": False}
            body |= {"thread_ts": root} if root else {}
        try:
            answer = await self.api.post(self._access(settings), method, body)
        except UnknownOutcomeError:
            await remember_unsure(self.context, outbound)
            raise
        posted = word(answer, "channel") or channel
        return await self._sent(inbox, settings, posted, root, word(answer, "ts"))

    async def reconcile(self, outbound: Outbound, inbox: Inbox) -> Sent | None:
        """Look for the message by the mark in its metadata. An edit is simply made again.

        Raises UnknownOutcomeError when it cannot be looked for, RetryableDeliveryError for later.
        """
        if outbound.update_of:
            return None
        await require_settled(self.context, outbound)
        settings = _own(inbox.settings)
        access = self._access(settings)
        channel, root = _place(outbound)
        try:
            if channel[:1] in ("U", "W"):
                opened = await self.api.post(access, "conversations.open", {"users": channel})
                channel = word(part(opened, "channel"), "id") or channel
            query = {
                "channel": channel,
                "oldest": f"{(outbound.created_at - _SKEW).timestamp():.6f}",
                "include_all_metadata": True,
                "limit": 200,
                **({"ts": root} if root else {}),
            }
            method = "conversations.replies" if root else "conversations.history"
            ts = await self.api.find_marked(access, method, query, str(outbound.id))
        except PermanentDeliveryError as error:
            raise UnknownOutcomeError(f"cannot look for it: {error.detail}") from error
        return await self._sent(inbox, settings, channel, root, ts) if ts else None

    async def close(self) -> None:
        """Nothing stays open: the SDK opens a session per call."""

    async def _sent(
        self, inbox: Inbox, settings: SlackSettings, channel: str, root: str, ts: str
    ) -> Sent:
        if not ts:
            raise UnknownOutcomeError("Slack's answer names no message")
        has_thread = bool(root) or not channel.startswith("D")
        try:
            if inbox.kind == "customer" and has_thread and not channel.startswith("D"):
                await self._own_thread(inbox, channel, root or ts)
        except Exception as error:
            # Slack has it and we could not write that down: never "not sent".
            raise UnknownOutcomeError("sent, but that could not be noted") from error
        thread = thread_key(settings.team_id, channel, root or ts) if has_thread else None
        return Sent(f"{settings.team_id}:{channel}:{ts}", thread)

    def _content(self, outbound: Outbound) -> dict[str, object]:
        if outbound.card is not None:
            return {
                "text": slack_blocks.card_text(outbound.card),
                "blocks": slack_blocks.card_blocks(outbound.card),
            }
        parts = render(
            outbound.text,
            CAPABILITIES,
            citations=outbound.citations,
            words=words_for(outbound, self.context.lines, CAPABILITIES),
        )
        if not parts:
            raise PermanentDeliveryError("there is nothing to send")
        text = parts[0]
        if len(parts) > 1:
            shortened = self.context.lines.say("channel.truncated", outbound.locale, "slack")
            text = f"{text}\n{shortened}"
        if not outbound.quick_replies:
            return {"text": text}
        return {"text": text, "blocks": slack_blocks.reply_blocks(text, outbound.quick_replies)}

    def _access(self, settings: SlackSettings) -> object:
        return self.api.SlackAccess(
            settings.bot_token.get_secret_value(), settings.api_base_url, settings.timeout
        )


def _challenge(payload: Payload) -> Received:
    challenge = word(payload.fields, "challenge")
    if not challenge:
        raise AnomalousPayloadError("url_verification without a challenge")
    body = json.dumps({"challenge": challenge}).encode()
    reply = WebhookReply(200, {"content-type": "application/json"}, body)
    return Received((Ignored("url_verification"),), reply)


# ---------------------------------------------------------------- places


def _place(outbound: Outbound) -> tuple[str, str]:
    """Return (channel, thread ts or ""). Addresses are `C1`, `T1/C1` or `T1:U1`.

    A thread of another channel is not followed: what goes by direct message stays there.
    """
    channel = outbound.address.rsplit("/", 1)[-1].rsplit(":", 1)[-1]
    if not channel:
        raise PermanentDeliveryError("the address names no channel")
    pieces = (outbound.thread or "").split(":")
    is_here = len(pieces) < 2 or pieces[-2] == channel
    return channel, pieces[-1] if is_here else ""


def _mark(outbound: Outbound) -> Mapping[str, object]:
    return {"event_type": "usher", "event_payload": {"id": str(outbound.id)}}


def _own(settings: Section | None) -> SlackSettings:
    if not isinstance(settings, SlackSettings):
        raise MisconfiguredError(f"slack: expected SlackSettings, got {type(settings).__name__}")
    return settings


def build(context: ChannelContext) -> Channel:
    """Return the adapter; loads Slack's SDK."""
    from channels._shared import slack_api

    return SlackChannel(context, slack_api)


CHANNEL = ChannelSpec(
    name="slack",
    capabilities=CAPABILITIES,
    settings=SlackSettings,
    configured=configured,
    build=build,
    summary="Customers by mention, thread or direct message; the CS team's alerts with buttons.",
)
