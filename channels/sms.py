"""Twilio SMS: form-encoded webhook in, REST message out.

Owns what a text message is: opt-out words as whole messages, the 1600-character limit, spellings that cost fewer
segments, files as links.
Not here: whether a reply may be sent (guardrails/consent.py), what it says (handlers/), signatures, parts and the
Twilio client (_shared/twilio*.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Literal

from pydantic_settings import SettingsConfigDict

from channels._shared.render import render, words_for
from channels._shared.segments import cheaper
from channels._shared.split import units
from channels._shared.twilio_form import (
    is_status,
    message_sid,
    parse_form,
    read_keyword,
    read_media,
    read_receipt,
)
from channels._shared.twilio_sending import Part, PartSender, access, public_link, text_part
from channels._shared.twilio_settings import NUMBER, TwilioFields, require_whole
from channels._shared.twilio_webhook import EMPTY_TWIML, addresses, read, verified
from core.contracts import (
    Capabilities,
    Channel,
    ChannelContext,
    ChannelSpec,
    Finding,
    Received,
    WebhookRequest,
)
from core.conversations import Inbox
from core.errors import AnomalousPayloadError, MisconfiguredError
from core.messages import Attachment, ConsentChange, Event, Ignored, Inbound, Outbound, Sent
from core.settings import Section

CAPABILITIES = Capabilities(
    markup="plain",
    max_chars=1600,
    receipts=True,
    attachments=True,
    quiet=2.0,
    idle_hours=24.0,
    opt_out_words=True,
)


class SmsSettings(TwilioFields, Section):
    """One Twilio number or Messaging Service.

    `public_url` is the server's address as Twilio calls it, without /channels/sms; signatures are
    checked over it. `timeout` in seconds. `twilio_answers_keywords`: the account confirms STOP,
    START and HELP itself, so we do not. `transliterate`: marks | letters | off, what may be spelled plainer where
    that saves a segment. A sender of a subaccount needs `subaccount_sid` and that account's own auth token; an API
    key, when given, makes the calls while the auth token goes on verifying webhooks; `signing_key_secret` is the
    secret of a webhook signing key, where the account signs with one.
    """

    model_config = SettingsConfigDict(env_prefix="USHER_SMS_")

    twilio_answers_keywords: bool = False
    transliterate: Literal["marks", "letters", "off"] = "marks"


def configured(settings: Section) -> list[tuple[str, str]]:
    """Return an inbox per sender: the number, the Messaging Service, or both.

    Raises MisconfiguredError naming what is missing or cannot be right.
    """
    own = _own(settings)
    if not require_whole("sms", own):
        return []
    senders = [own.messaging_service_sid, own.from_number]
    return [(address, "customer") for address in senders if address]


@dataclass(slots=True)
class SmsChannel:
    """The adapter. `twilio` and `account` are the _shared modules that load the SDK, as `build` does."""

    context: ChannelContext
    twilio: ModuleType
    account: ModuleType

    def locate(self, request: WebhookRequest) -> str | None:
        """Return the Messaging Service or number of ours that the form names."""
        return next(iter(self.candidates(request)), None)

    def candidates(self, request: WebhookRequest) -> tuple[str, ...]:
        """Return every address the form may be for, likeliest first."""
        return addresses(request)

    async def receive(self, request: WebhookRequest, inbox: Inbox) -> Received:
        """Verify and parse one webhook.

        Raises SignatureError, AnomalousPayloadError.
        """
        own = _own(inbox.settings)
        return Received((_event(verified(self.twilio, request, own), own),), EMPTY_TWIML)

    async def read(self, request: WebhookRequest, inbox: Inbox) -> Received:
        """Parse without verifying, for `usher inspect`. Raises AnomalousPayloadError."""
        form = read(parse_form(request.body))
        return Received((_event(form, _own(inbox.settings)),), EMPTY_TWIML)

    async def deliver(self, outbound: Outbound, inbox: Inbox) -> Sent:
        """Send the message, in several texts when it is long; a repeat goes on where it stopped.

        Raises RetryableDeliveryError, PermanentDeliveryError, UnknownOutcomeError.
        """
        own = _own(inbox.settings)
        parts = self._parts(outbound, own)
        return await self._sender().deliver(outbound, own, outbound.address, parts)

    async def reconcile(self, outbound: Outbound, inbox: Inbox) -> Sent | None:
        """Look for the message at Twilio: the part that got no answer, not counting known ones.

        Raises UnknownOutcomeError when several could be it, RetryableDeliveryError for later.
        """
        own = _own(inbox.settings)
        parts = self._parts(outbound, own)
        return await self._sender().reconcile(outbound, own, outbound.address, parts)

    async def fetch(self, attachment: Attachment, inbox: Inbox, limit: int) -> bytes:
        """Return a file somebody texted. Raises TooLargeError and delivery errors."""
        reach = access(self.twilio, _own(inbox.settings))
        return bytes(await self.account.fetch_media(reach, attachment.url or "", limit))

    async def examine(self, inbox: Inbox) -> tuple[Finding, ...]:
        """Say whether credentials, sender and webhook are right."""
        own = _own(inbox.settings)
        found: Sequence[Finding] = await self.account.examine_texts(self.twilio, own)
        return tuple(found)

    async def close(self) -> None:
        """Nothing stays open: every call has its own connection."""

    def _sender(self) -> PartSender:
        return PartSender("sms", self.context, self.twilio)

    def _parts(self, outbound: Outbound, own: SmsSettings) -> list[Part]:
        words = words_for(outbound, self.context.lines, CAPABILITIES)
        bodies = render(
            outbound.text,
            CAPABILITIES,
            quick_replies=outbound.quick_replies,
            citations=outbound.citations,
            words=words,
        )
        links = [
            f"{file.name}: {link}"
            for file in outbound.attachments
            if (link := public_link(file, own.public_url))
        ]
        return [text_part(_spelled(body, own)) for body in (*bodies, *links)]


def _spelled(body: str, own: SmsSettings) -> str:
    plain = cheaper(body, own.transliterate)
    return plain if units(plain) <= CAPABILITIES.max_chars else body


# ---------------------------------------------------------------- reading


def _event(form: Mapping[str, str], own: SmsSettings) -> Event:
    sid = message_sid(form)
    return read_receipt(form, sid) if is_status(form) else _inbound(form, sid, own)


def _inbound(form: Mapping[str, str], sid: str, own: SmsSettings) -> Event:
    sender = form.get("From", "").strip()
    if not sender or "To" not in form:
        raise AnomalousPayloadError("From or To is missing")
    if sender.startswith("whatsapp:"):
        # a 4xx, so that Twilio's debugger shows it: kept silent, a customer would wait for ever
        raise AnomalousPayloadError(
            "a WhatsApp message: its sender's webhook is /channels/whatsapp"
        )
    if ":" in sender:
        return Ignored("another of Twilio's channels; not a text message")
    if not NUMBER.fullmatch(sender):
        return Ignored("the sender cannot be answered")
    text = form.get("Body", "").strip()
    opt_out_type = form.get("OptOutType", "").strip().upper()
    if keyword := read_keyword(text, opt_out_type):
        word, granted = keyword
        answered = bool(opt_out_type) or own.twilio_answers_keywords
        return ConsentChange("sms", sender, sid, word, granted, provider_answered=answered)
    attachments = read_media(form)
    if not text and not attachments:
        return Ignored("an empty message")
    return Inbound(
        channel="sms", external_id=sid, sender=sender, text=text, attachments=attachments
    )


def _own(settings: Section | None) -> SmsSettings:
    if not isinstance(settings, SmsSettings):
        raise MisconfiguredError(f"sms: expected SmsSettings, got {type(settings).__name__}")
    return settings


def build(context: ChannelContext) -> Channel:
    """Return the adapter; loads Twilio's SDK."""
    from channels._shared import twilio, twilio_account

    return SmsChannel(context, twilio, twilio_account)


CHANNEL = ChannelSpec(
    name="sms",
    identity="phone",
    capabilities=CAPABILITIES,
    settings=SmsSettings,
    configured=configured,
    build=build,
    summary="Text messages through Twilio, with receipts and opt-out words.",
)
