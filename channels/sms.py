"""Twilio SMS: form-encoded webhook in, REST message out.

Owns the signature over the configured public URL, opt-out words as whole messages, receipts, the
1600-character limit and what became of a send that got no answer.
Not here: whether a reply may be sent (guardrails/consent.py), what it says (handlers/), the Twilio
client itself (_shared/twilio.py).
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import ModuleType
from urllib.parse import urlsplit

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from channels._shared.render import render, words_for
from channels._shared.twilio_form import (
    is_status,
    parse_form,
    public_url,
    read_keyword,
    read_media,
    read_receipt,
)
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
    MisconfiguredError,
    PermanentDeliveryError,
    SignatureError,
    UnknownOutcomeError,
)
from core.messages import (
    ConsentChange,
    Event,
    Ignored,
    Inbound,
    Outbound,
    Sent,
)
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

_EMPTY_TWIML = WebhookReply(
    200,
    {"content-type": "text/xml; charset=utf-8"},
    b'<?xml version="1.0" encoding="UTF-8"?><Response/>',
)
_SENDER = re.compile(r"\+?[0-9]{3,15}")
_SID = re.compile(r"[A-Z]{2}[0-9a-fA-F]{32}")
_SKEW = timedelta(seconds=120)  # between our clock and Twilio's, which lists whole seconds


class SmsSettings(Section):
    """One Twilio number or Messaging Service.

    `public_url` is the server's address as Twilio calls it, without /channels/sms; signatures are
    checked over it. `timeout` in seconds. `twilio_answers_keywords`: the account confirms STOP,
    START and HELP itself, so we do not.
    """

    model_config = SettingsConfigDict(env_prefix="USHER_SMS_")

    account_sid: str = ""
    auth_token: SecretStr = SecretStr("")
    from_number: str = ""
    messaging_service_sid: str = ""
    public_url: str = ""
    api_base_url: str | None = None
    timeout: float = Field(default=15.0, gt=0, le=60)
    twilio_answers_keywords: bool = False


def configured(settings: Section) -> list[tuple[str, str]]:
    """Return an inbox per sender: the number, the Messaging Service, or both.

    Raises MisconfiguredError naming what is missing or cannot be right.
    """
    own = _own(settings)
    given = {
        "USHER_SMS_ACCOUNT_SID": bool(own.account_sid),
        "USHER_SMS_AUTH_TOKEN": bool(own.auth_token.get_secret_value()),
        "USHER_SMS_FROM_NUMBER or USHER_SMS_MESSAGING_SERVICE_SID": bool(
            own.from_number or own.messaging_service_sid
        ),
        "USHER_SMS_PUBLIC_URL": bool(own.public_url),
    }
    missing = [name for name, is_given in given.items() if not is_given]
    # A public URL or a base URL alone configures nothing: other channels' set-ups share them.
    if not any(is_given for name, is_given in given.items() if "PUBLIC_URL" not in name):
        return []
    if missing:
        raise MisconfiguredError(f"sms is half configured; missing: {', '.join(missing)}")
    problems = [
        sentence
        for is_wrong, sentence in (
            (
                not _SID.fullmatch(own.account_sid) or not own.account_sid.startswith("AC"),
                "USHER_SMS_ACCOUNT_SID must be AC and 32 hex digits",
            ),
            (
                bool(own.from_number) and not _SENDER.fullmatch(own.from_number),
                "USHER_SMS_FROM_NUMBER must be a number such as +15550100",
            ),
            (
                bool(own.messaging_service_sid) and not own.messaging_service_sid.startswith("MG"),
                "USHER_SMS_MESSAGING_SERVICE_SID must start with MG",
            ),
            (
                not _is_http(own.public_url),
                "USHER_SMS_PUBLIC_URL must be http(s)://host, without query",
            ),
        )
        if is_wrong
    ]
    if problems:
        raise MisconfiguredError(f"sms: {'; '.join(problems)}")
    addresses = [own.messaging_service_sid, own.from_number]
    return [(address, "customer") for address in addresses if address]


@dataclass(slots=True)
class SmsChannel:
    """The adapter. `twilio` is channels._shared.twilio: `build` loads it, as it loads the SDK."""

    context: ChannelContext
    twilio: ModuleType

    def locate(self, request: WebhookRequest) -> str | None:
        """Return the Messaging Service or number of ours that the form names."""
        return next(iter(self.candidates(request)), None)

    def candidates(self, request: WebhookRequest) -> tuple[str, ...]:
        """Return every address the form may be for, likeliest first.

        A number inside a Messaging Service comes with both; which is configured is not known
        here.
        """
        try:
            form = dict(parse_form(request.body))
        except AnomalousPayloadError:
            return ()
        ours = form.get("From" if is_status(form) else "To", "")
        return tuple(a for a in (form.get("MessagingServiceSid", ""), ours) if a)

    async def receive(self, request: WebhookRequest, inbox: Inbox) -> Received:
        """Verify and parse one webhook.

        Raises SignatureError, AnomalousPayloadError.
        """
        settings = _own(inbox.settings)
        url = public_url(settings.public_url, request.url)
        token = settings.auth_token.get_secret_value()
        signature = request.headers.get("x-twilio-signature")
        if "json" in request.headers.get("content-type", ""):
            body = request.body.decode("utf-8", "replace")
            self.twilio.require_json_signature(token, url, body, signature)
            raise AnomalousPayloadError("text messages come as forms, not as JSON")
        try:
            form = parse_form(request.body)
        except AnomalousPayloadError as error:
            raise SignatureError("what cannot be read cannot be verified") from error
        self.twilio.require_signature(token, url, form, signature)
        return Received((self._event(dict(form), settings),), _EMPTY_TWIML)

    def _event(self, form: Mapping[str, str], settings: SmsSettings) -> Event:
        sid = form.get("MessageSid") or form.get("SmsSid") or form.get("SmsMessageSid") or ""
        if not sid:
            raise AnomalousPayloadError("MessageSid is missing")
        return read_receipt(form, sid) if is_status(form) else _inbound(form, sid, settings)

    async def deliver(self, outbound: Outbound, inbox: Inbox) -> Sent:
        """Send the message, in several texts when it is long; a repeat goes on where it stopped.

        Raises RetryableDeliveryError, PermanentDeliveryError, UnknownOutcomeError.
        """
        settings = _own(inbox.settings)
        bodies = self._bodies(outbound)
        if not bodies:
            raise PermanentDeliveryError("there is nothing to send")
        sids = await self._sent_parts(outbound)
        for body in bodies[len(sids) :]:
            sids = [*sids, await self._send(outbound, settings, body)]
            await self._note_sent(outbound, sids)
        return Sent(sids[-1])

    async def reconcile(self, outbound: Outbound, inbox: Inbox) -> Sent | None:
        """Look for the message at Twilio: the part that got no answer, not counting known ones.

        Raises UnknownOutcomeError when several could be it, RetryableDeliveryError for later.
        """
        await require_settled(self.context, outbound)
        settings = _own(inbox.settings)
        bodies, sids = self._bodies(outbound), await self._sent_parts(outbound)
        if len(sids) < len(bodies):
            found = await self._find(outbound, settings, bodies[len(sids)])
            if found is None:
                return None
            sids = [*sids, found]
            await self._note_sent(outbound, sids)
        # Parts still to come: the next delivery sends just those.
        return Sent(sids[-1]) if len(sids) == len(bodies) else None

    async def close(self) -> None:
        """Nothing stays open: every call has its own connection."""

    # ------------------------------------------------------------ sending

    def _bodies(self, outbound: Outbound) -> list[str]:
        words = words_for(outbound, self.context.lines, CAPABILITIES)
        return render(
            outbound.text,
            CAPABILITIES,
            quick_replies=outbound.quick_replies,
            citations=outbound.citations,
            words=words,
        )

    async def _send(self, outbound: Outbound, settings: SmsSettings, body: str) -> str:
        fields = {
            "to": outbound.address,
            "body": body,
            "status_callback": f"{settings.public_url.rstrip('/')}/channels/sms",
            **_sender(settings, outbound),
        }
        try:
            sid = await self.twilio.create_message(self._access(settings), fields)
        except (UnknownOutcomeError, asyncio.CancelledError):
            # Cancelled: the thread goes on, and so does the request in it.
            await remember_unsure(self.context, outbound)
            raise
        return str(sid)

    async def _find(self, outbound: Outbound, settings: SmsSettings, body: str) -> str | None:
        since = outbound.created_at - _SKEW
        listed = await self.twilio.list_messages(self._access(settings), outbound.address, since)
        # Identical texts happen ("Thanks!"): one that another send answers for is not this one.
        unclaimed = [
            message.sid
            for message in listed
            if message.body.strip() == body and not await self._owner(outbound, message.sid)
        ]
        if len(unclaimed) > 1:
            raise UnknownOutcomeError(f"{len(unclaimed)} identical messages could be this one")
        return unclaimed[0] if unclaimed else None

    def _access(self, settings: SmsSettings) -> object:
        return self.twilio.TwilioAccess(
            settings.account_sid,
            settings.auth_token.get_secret_value(),
            settings.api_base_url,
            settings.timeout,
        )

    async def _sent_parts(self, outbound: Outbound) -> list[str]:
        key = f"parts:{outbound.id}"
        note = await self.context.state.get("sms", outbound.tenant, key) or {}
        sids = note.get("sids", [])
        return [str(sid) for sid in sids] if isinstance(sids, list) else []

    async def _note_sent(self, outbound: Outbound, sids: list[str]) -> None:
        try:
            state, tenant = self.context.state, outbound.tenant
            await state.put("sms", tenant, f"parts:{outbound.id}", {"sids": sids})
            await state.put("sms", tenant, f"sid:{sids[-1]}", {"outbound": str(outbound.id)})
        except Exception as error:
            # Twilio has it and we could not write that down: never "not sent".
            raise UnknownOutcomeError("sent, but that could not be noted") from error

    async def _owner(self, outbound: Outbound, sid: str) -> str | None:
        note = await self.context.state.get("sms", outbound.tenant, f"sid:{sid}")
        return str(note["outbound"]) if note else None


def _sender(settings: SmsSettings, outbound: Outbound) -> dict[str, str]:
    if settings.messaging_service_sid:
        return {"messaging_service_sid": settings.messaging_service_sid}
    if not settings.from_number:
        raise PermanentDeliveryError(f"no sender is configured for {outbound.channel}")
    return {"from_": settings.from_number}


# ---------------------------------------------------------------- reading


def _inbound(form: Mapping[str, str], sid: str, settings: SmsSettings) -> Event:
    sender = form.get("From", "").strip()
    if not sender or "To" not in form:
        raise AnomalousPayloadError("From or To is missing")
    if ":" in sender:
        return Ignored("another of Twilio's channels; not a text message")
    if not _SENDER.fullmatch(sender):
        return Ignored("the sender cannot be answered")
    text = form.get("Body", "").replace("\x00", "").strip()
    opt_out_type = form.get("OptOutType", "").strip().upper()
    if keyword := read_keyword(text, opt_out_type):
        word, granted = keyword
        answered = bool(opt_out_type) or settings.twilio_answers_keywords
        return ConsentChange("sms", sender, sid, word, granted, provider_answered=answered)
    attachments = read_media(form)
    if not text and not attachments:
        return Ignored("an empty message")
    return Inbound(
        channel="sms", external_id=sid, sender=sender, text=text, attachments=attachments
    )


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query
    except ValueError:
        return False


def _own(settings: Section | None) -> SmsSettings:
    if not isinstance(settings, SmsSettings):
        raise MisconfiguredError(f"sms: expected SmsSettings, got {type(settings).__name__}")
    return settings


def build(context: ChannelContext) -> Channel:
    """Return the adapter; loads Twilio's SDK."""
    from channels._shared import twilio

    return SmsChannel(context, twilio)


CHANNEL = ChannelSpec(
    name="sms",
    identity="phone",
    capabilities=CAPABILITIES,
    settings=SmsSettings,
    configured=configured,
    build=build,
    summary="Text messages through Twilio, with receipts and opt-out words.",
)
