"""Garbage that is rightly signed: what a provider, or whoever has its secret, may send us next year."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from app import describe
from core.clock import FrozenClock
from core.contracts import Received, WebhookRequest
from core.conversations import Inbox
from core.errors import AnomalousPayloadError, SignatureError, UnsupportedEventError
from core.ids import InboxId, TenantId
from core.messages import (
    ConsentChange,
    Correction,
    Ignored,
    Inbound,
    Overheard,
    Reaction,
    Receipt,
    TeamAction,
)
from tests.channels.serving import MemoryState, channel_context
from tests.contract.channel_settings import WORKING, working

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
STAMP = str(int(NOON.timestamp()))
EVENTS = (
    Inbound,
    Receipt,
    TeamAction,
    ConsentChange,
    Ignored,
    Correction,
    Reaction,
    Overheard,
)
REFUSALS = (SignatureError, AnomalousPayloadError, UnsupportedEventError)

ODD = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ("", "0", "-1", "+15550100", "whatsapp:+1555", "\x00", "é🚀", "T0LUMEN", "C0ALERTS", "U0BOT", "<@U0BOT> hi",
         "1772625600.000100", "message", "app_mention", "event_callback", "block_actions", "view_submission",
         "url_verification", "STOP", "delivered", "SM" + "0" * 32, "bot_message", "//x", "reaction_added",
         "reaction_removed", "message_changed", "message_deleted", "+1", "-1::skin-tone-2", "assistant_thread_started")
    ),
)  # fmt: skip


def _form(pairs: Sequence[tuple[str, str]], channel: str = "sms") -> WebhookRequest:
    url = f"{WORKING[channel]['public_url']}/channels/{channel}"
    by_key: dict[str, str] = dict(pairs)
    signature = RequestValidator(WORKING[channel]["auth_token"]).compute_signature(url, by_key)
    headers = {
        "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
        "x-twilio-signature": signature,
    }
    return WebhookRequest("POST", url, headers, urlencode(by_key).encode())


def _call(place: str, pairs: Sequence[tuple[str, str]]) -> WebhookRequest:
    url = f"{WORKING['voice']['public_url']}/channels/voice{place}"
    by_key: dict[str, str] = dict(pairs)
    signature = RequestValidator(WORKING["voice"]["auth_token"]).compute_signature(url, by_key)
    headers = {
        "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
        "x-twilio-signature": signature,
    }
    return WebhookRequest("POST", url, headers, urlencode(by_key).encode())


def _telegram(update: object) -> WebhookRequest:
    headers = {"x-telegram-bot-api-secret-token": WORKING["telegram"]["webhook_secret"]}
    url = "https://h.example/channels/telegram?bot=7000000001"
    return WebhookRequest("POST", url, headers, json.dumps(update).encode())


def _slack(value: object) -> WebhookRequest:
    body = json.dumps(value).encode()
    kind = "application/json"
    return _slack_signed(body, kind)


def _slack_press(value: object) -> WebhookRequest:
    return _slack_signed(
        urlencode({"payload": json.dumps(value)}).encode(), "application/x-www-form-urlencoded"
    )


def _slack_signed(body: bytes, kind: str) -> WebhookRequest:
    secret = WORKING["slack"]["signing_secret"].encode()
    digest = hmac.new(secret, b"v0:" + STAMP.encode() + b":" + body, hashlib.sha256).hexdigest()
    headers = {
        "content-type": kind,
        "x-slack-request-timestamp": STAMP,
        "x-slack-signature": f"v0={digest}",
    }
    return WebhookRequest("POST", "https://h.example/channels/slack?team=T0LUMEN", headers, body)


def _mail(body: bytes) -> WebhookRequest:
    secret = WORKING["email"]["webhook_secret"].encode()
    digest = hmac.new(secret, STAMP.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {
        "content-type": "message/rfc822",
        "x-usher-timestamp": STAMP,
        "x-usher-signature": f"v1={digest}",
        "x-usher-recipient": WORKING["email"]["address"],
    }
    return WebhookRequest("POST", "https://h.example/channels/email", headers, body)


TWILIO_KEYS = (
    "To", "From", "Body", "MessageSid", "SmsSid", "AccountSid", "MessagingServiceSid", "MessageStatus", "SmsStatus",
    "NumMedia", "MediaUrl0", "MediaContentType0", "OptOutType", "ErrorCode", "FromCountry", "x",
)  # fmt: skip
WHATSAPP_KEYS = (
    *TWILIO_KEYS, "ProfileName", "WaId", "MessageType", "ButtonText", "ButtonPayload", "ListId", "ListTitle",
    "Latitude", "Longitude", "Label", "Address", "OriginalRepliedMessageSid", "Forwarded", "EventType",
    "ChannelMetadata",
)  # fmt: skip
WHATSAPP_ODD = st.one_of(
    ODD,
    st.sampled_from(("whatsapp:+15550100", "whatsapp:", "reaction", "interactive", "location", "say:", "say:x", "👍")),
)  # fmt: skip
CALL_KEYS = (
    "To", "From", "CallSid", "CallStatus", "SpeechResult", "Confidence", "Digits", "RecordingUrl", "RecordingDuration",
    "TranscriptionText", "TranscriptionStatus", "DialCallStatus", "StirVerstat", "Direction", "x",
)  # fmt: skip
CALL_PLACES = (
    "", "?at=talk&n=1", "?at=talk&n=1&more=1&last=m", "?at=offer", "?at=wait&last=m", "?at=dialed", "?at=left",
    "?at=transcript", "?at=status", "?at=recording", "?at=consent&locale=es", "?at=x", "?n=-1", "?&&=",
)  # fmt: skip
SLACK_KEYS = (
    "type", "subtype", "team_id", "team", "event", "event_id", "user", "bot_id", "channel", "channel_type", "text",
    "ts", "thread_ts", "client_msg_id", "files", "blocks", "actions", "action_id", "value", "message", "view", "state",
    "previous_message", "container", "challenge", "authorizations", "user_id", "trigger_id", "api_app_id", "edited",
    "item", "item_user", "reaction", "deleted_ts", "assistant_thread", "channel_id", "tokens",
)  # fmt: skip
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), ODD),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(SLACK_KEYS), inner, max_size=8)
    ),
    max_leaves=25,
)
TELEGRAM_BODY = st.fixed_dictionaries(
    {"from": st.just({"id": 5, "is_bot": False}), "chat": st.sampled_from(({"id": 5, "type": "private"}, {"id": -5}))},
    optional={"text": ODD, "message_id": st.one_of(st.integers(), ODD), "photo": JSON, "document": JSON, "id": ODD,
              "message": JSON, "data": ODD, "new_reaction": JSON, "user": JSON, "new_chat_member": JSON},
)  # fmt: skip
MESSAGE = st.fixed_dictionaries(
    {"type": st.just("message"), "user": ODD, "ts": ODD, "channel": ODD},
    optional={"text": JSON, "thread_ts": JSON, "files": JSON, "channel_type": ODD, "blocks": JSON},
)
# An envelope that is let in, with anything inside.
SLACK_EVENT = st.builds(
    lambda event, more: {"type": "event_callback", "team_id": "T0LUMEN", **more, "event": event},
    st.one_of(JSON, MESSAGE),
    st.dictionaries(
        st.sampled_from(("event_id", "authorizations", "event_time")), JSON, max_size=2
    ),
)
SLACK_PRESS = st.builds(
    lambda kind, team, more: {"type": kind, "team": team, **more},
    st.sampled_from(("block_actions", "view_submission", "shortcut")),
    st.sampled_from(({"id": "T0LUMEN"}, "T0LUMEN", None)),
    st.dictionaries(st.sampled_from(SLACK_KEYS), JSON, max_size=6),
)
MAIL_HEADERS = (
    b"From", b"To", b"Cc", b"Subject", b"Date", b"Message-ID", b"In-Reply-To", b"References", b"Content-Type",
    b"Content-Transfer-Encoding", b"MIME-Version", b"Authentication-Results", b"Auto-Submitted", b"Reply-To",
    b"Delivered-To", b"List-Id", b"Precedence", b"X-Failed-Recipients", b"Return-Path",
)  # fmt: skip
MAIL_VALUES = st.one_of(
    st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b" ").replace(b"\r", b" ")),
    st.sampled_from(
        (b"<>", b"a@b", b"support@lumen.example", b"Kim <kim@acme.example>", b"=?x?q?=FF?=", b"=?utf-8?b?////?=",
         b"multipart/mixed; boundary=b", b"text/html; charset=nope", b"message/rfc822", b"base64", b"multipart/report",
         b"text/calendar; charset=\"", b"<a@b> <c", b"auto-replied", b"mx; dmarc=pass header.from=acme.example")
    ),
)  # fmt: skip
MAIL = st.builds(
    lambda head, body: b"".join(n + b": " + v + b"\r\n" for n, v in head) + b"\r\n" + body,
    st.lists(st.tuples(st.sampled_from(MAIL_HEADERS), MAIL_VALUES), max_size=10),
    st.one_of(
        st.binary(max_size=200),
        st.sampled_from(
            (b"--b\r\nContent-Type: text/html\r\n\r\n<p>hi<div hidden>x", b"--b--", b"--b\r\n\r\n--b\r\n\r\n--b--")
        ),
    ),
)  # fmt: skip

SIGNED: Mapping[str, tuple[str, st.SearchStrategy[WebhookRequest]]] = {
    "sms form": (
        "sms",
        st.lists(st.tuples(st.sampled_from(TWILIO_KEYS), ODD), max_size=10).map(_form),
    ),
    "whatsapp form": (
        "whatsapp",
        st.lists(st.tuples(st.sampled_from(WHATSAPP_KEYS), WHATSAPP_ODD), max_size=14).map(
            partial(_form, channel="whatsapp")
        ),
    ),
    "call": (
        "voice",
        st.builds(
            _call,
            st.sampled_from(CALL_PLACES),
            st.lists(st.tuples(st.sampled_from(CALL_KEYS), ODD), max_size=10).map(
                lambda pairs: [("CallSid", "CA1"), *pairs]
            ),
        ),
    ),
    "telegram": (
        "telegram",
        st.builds(
            lambda kind, body: _telegram({"update_id": 1, kind: body}),
            st.sampled_from(
                (
                    "message",
                    "edited_message",
                    "callback_query",
                    "message_reaction",
                    "my_chat_member",
                    "x",
                )
            ),
            st.one_of(JSON, TELEGRAM_BODY),
        ),
    ),
    "slack anything": ("slack", JSON.map(_slack)),
    "slack event": ("slack", SLACK_EVENT.map(_slack)),
    "slack press": ("slack", SLACK_PRESS.map(_slack_press)),
    "mail bytes": ("email", st.binary(max_size=400).map(_mail)),
    "mail": ("email", MAIL.map(_mail)),
}


@pytest.mark.parametrize("kind", SIGNED)
def test_signed_garbage_is_understood_or_refused(kind: str) -> None:
    name, requests = SIGNED[kind]
    spec = describe.channels()[name]
    section = working(spec)
    channel = spec.build(channel_context(FrozenClock(NOON), MemoryState()))
    address = next(address for address, use in spec.configured(section) if use == "customer")
    inbox = Inbox(InboxId("ibx_1"), TenantId("demo"), name, address, settings=section)
    seen: list[Received] = []
    refused: list[str] = []

    async def knock(request: WebhookRequest) -> None:
        try:
            seen.append(await channel.receive(request, inbox))
        except REFUSALS as refusal:
            refused.append(type(refusal).__name__)

    with asyncio.Runner() as runner:

        @settings(max_examples=250)
        @given(requests)
        def receive(request: WebhookRequest) -> None:
            runner.run(knock(request))

        receive()
        runner.run(channel.close())
    assert "SignatureError" not in refused, "the test signs wrongly"
    assert seen or refused
    assert all(isinstance(event, EVENTS) for received in seen for event in received.events)
