"""Twilio WhatsApp: the same webhook and REST call as a text message, with a window, templates, buttons and media.

Owns what WhatsApp is: free text within 24 hours of the person's last message and approved templates after, choices as
buttons where they fit, files as media, WhatsApp's own markup.

Who somebody is: the sender is the phone number (`whatsapp:` cut off) and the identity kind is `phone`, as for SMS.
Twilio vouches for both in the same way (WhatsApp had the number confirmed by a code sent to it), so the same number is
the same contact and both stand in one conversation. Consent stays apart, by channel: a STOP by text message says
nothing of WhatsApp, where no carrier knows of it and only we can honour it.
Not here: whether a reply may be sent (guardrails/consent.py), what a webhook says (_shared/twilio_whatsapp.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from types import ModuleType

from pydantic_settings import SettingsConfigDict

from channels._shared.render import render, words_for
from channels._shared.twilio_content import (
    button_values,
    buttons_content,
    buttons_part,
    media_parts,
    template_part,
)
from channels._shared.twilio_form import is_status, message_sid, parse_form, read_receipt
from channels._shared.twilio_sending import Part, PartSender, access, text_part
from channels._shared.twilio_settings import TwilioFields, is_sid, require_whole
from channels._shared.twilio_webhook import EMPTY_TWIML, addresses, read, verified
from channels._shared.twilio_whatsapp import closes_at, heard, read_message, window_key
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
from core.errors import DeliveryError, MisconfiguredError, PermanentDeliveryError
from core.messages import Attachment, ConsentChange, Event, Inbound, Outbound, Sent
from core.settings import Section

CAPABILITIES = Capabilities(
    buttons=True,
    max_buttons=3,
    markup="whatsapp",
    max_chars=1600,
    receipts=True,
    attachments=True,
    media=("image/jpeg", "image/png", "audio/*", "video/mp4", "application/pdf"),
    media_bytes=5_000_000,
    window_hours=24.0,
    quiet=2.0,
    idle_hours=24.0,
    opt_out_words=True,
)
_NUMBERED = replace(CAPABILITIES, buttons=False)

_MARGIN = timedelta(minutes=2)  # a message takes a while, and clocks differ


class WhatsappSettings(TwilioFields, Section):
    """One WhatsApp sender at Twilio, or the Messaging Service it is in.

    The fields are those of SMS. `templates` is JSON: purpose → ContentSid, or purpose → {locale: ContentSid}, for
    what may be written after the 24-hour window. `buttons`: choices are shown as buttons, by content templates the
    adapter makes itself; without it they are numbered lines.
    """

    model_config = SettingsConfigDict(env_prefix="USHER_WHATSAPP_")

    templates: Mapping[str, str | Mapping[str, str]] = {}
    buttons: bool = True

    def template(self, purpose: str, locale: str) -> str | None:
        """Return the ContentSid for a purpose in a language, its English one, or None."""
        given = self.templates.get(purpose)
        if given is None or isinstance(given, str):
            return given
        return given.get(locale) or given.get(locale[:2]) or given.get("en")

    def named_templates(self) -> Mapping[str, str]:
        """Return every template by a name of its own."""
        named: dict[str, str] = {}
        for purpose, given in self.templates.items():
            by_locale = {"": given} if isinstance(given, str) else given
            named |= {f"{purpose} {locale}".strip(): sid for locale, sid in by_locale.items()}
        return named


def configured(settings: Section) -> list[tuple[str, str]]:
    """Return an inbox per sender: the number, the Messaging Service, or both.

    Raises MisconfiguredError naming what is missing or cannot be right.
    """
    own = _own(settings)
    if not require_whole("whatsapp", own):
        return []
    wrong = [name for name, sid in own.named_templates().items() if not is_sid(sid, "HX")]
    if wrong:
        raise MisconfiguredError(
            f"whatsapp: USHER_WHATSAPP_TEMPLATES: not HX and 32 hex digits: {', '.join(wrong)}"
        )
    senders = [own.messaging_service_sid, own.from_number.removeprefix("whatsapp:")]
    return [(address, "customer") for address in senders if address]


@dataclass(slots=True)
class WhatsappChannel:
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
        """Verify and parse one webhook; hearing from somebody opens their window.

        Raises SignatureError, AnomalousPayloadError.
        """
        event = _event(verified(self.twilio, request, _own(inbox.settings)))
        if isinstance(event, Inbound | ConsentChange):
            await self._hear(event, inbox)
        return Received((event,), EMPTY_TWIML)

    async def read(self, request: WebhookRequest, inbox: Inbox) -> Received:
        """Parse without verifying, for `usher inspect`. Raises AnomalousPayloadError."""
        return Received((_event(read(parse_form(request.body))),), EMPTY_TWIML)

    async def deliver(self, outbound: Outbound, inbox: Inbox) -> Sent:
        """Send the message: freely inside the window, by a template outside it.

        Raises RetryableDeliveryError, PermanentDeliveryError (also for no template), UnknownOutcomeError.
        """
        own = _own(inbox.settings)
        begun = await self._sender().has_begun(outbound)
        parts = await (self._decided if begun else self._decide)(outbound, own)
        return await self._sender().deliver(outbound, own, _to(outbound), parts)

    async def reconcile(self, outbound: Outbound, inbox: Inbox) -> Sent | None:
        """Look for the message at Twilio: the part that got no answer, not counting known ones.

        Raises UnknownOutcomeError when several could be it, RetryableDeliveryError for later.
        """
        own = _own(inbox.settings)
        parts = await self._decided(outbound, own)
        return await self._sender().reconcile(outbound, own, _to(outbound), parts)

    async def fetch(self, attachment: Attachment, inbox: Inbox, limit: int) -> bytes:
        """Return a file somebody sent. Raises TooLargeError and delivery errors."""
        reach = access(self.twilio, _own(inbox.settings))
        return bytes(await self.account.fetch_media(reach, attachment.url or "", limit))

    async def examine(self, inbox: Inbox) -> tuple[Finding, ...]:
        """Say whether credentials, sender, webhook and templates are right."""
        own = _own(inbox.settings)
        found: Sequence[Finding] = await self.account.examine_whatsapp(
            self.twilio, own, own.named_templates()
        )
        return tuple(found)

    async def close(self) -> None:
        """Nothing stays open: every call has its own connection."""

    def _sender(self) -> PartSender:
        return PartSender("whatsapp", self.context, self.twilio)

    # ------------------------------------------------------------ the window

    async def _hear(self, event: Inbound | ConsentChange, inbox: Inbox) -> None:
        key = window_key(event.sender)
        note = await self.context.state.get("whatsapp", inbox.tenant, key)
        fresh = heard(note, event.external_id, self.context.clock.now())
        if fresh is not None:
            await self.context.state.put("whatsapp", inbox.tenant, key, fresh)

    async def _is_open(self, outbound: Outbound) -> bool:
        key = window_key(outbound.address)
        closes = closes_at(await self.context.state.get("whatsapp", outbound.tenant, key))
        return closes is not None and self.context.clock.now() < closes - _MARGIN

    # ------------------------------------------------------------ what goes out

    async def _decide(self, outbound: Outbound, own: WhatsappSettings) -> Sequence[Part]:
        """Return the parts as things stand now, and note which way was taken when it is not the usual one."""
        key = f"plan:{outbound.id}"
        sid = None if await self._is_open(outbound) else _template(outbound, own)
        known = await self.context.state.get("whatsapp", outbound.tenant, key)
        if known is not None or sid is not None:
            await self.context.state.put("whatsapp", outbound.tenant, key, {"template": sid})
        return await self._parts(outbound, own, sid)

    async def _decided(self, outbound: Outbound, own: WhatsappSettings) -> Sequence[Part]:
        """Return the parts of an earlier try.

        A window that closes meanwhile must not turn an answer that may be there already into a second one.
        """
        note = await self.context.state.get("whatsapp", outbound.tenant, f"plan:{outbound.id}")
        sid = (note or {}).get("template")
        return await self._parts(outbound, own, str(sid) if sid else None)

    async def _parts(
        self, outbound: Outbound, own: WhatsappSettings, template: str | None
    ) -> Sequence[Part]:
        if template:
            return [template_part(template, outbound.template)]
        return await self._free(outbound, own)

    async def _free(self, outbound: Outbound, own: WhatsappSettings) -> Sequence[Part]:
        words = words_for(outbound, self.context.lines, CAPABILITIES)
        whole = render(outbound.text, CAPABILITIES, citations=outbound.citations, words=words)
        pressed = await self._pressed(outbound, own, whole)
        numbered = render(
            outbound.text,
            _NUMBERED,
            quick_replies=outbound.quick_replies,
            citations=outbound.citations,
            words=words_for(outbound, self.context.lines, _NUMBERED),
        )
        texts = [text_part(body) for body in numbered]
        if pressed is not None and texts:
            texts = [*texts[:-1], replace(pressed, instead=texts[-1])]
        return [*texts, *media_parts(outbound.attachments, own.public_url, CAPABILITIES)]

    async def _pressed(
        self, outbound: Outbound, own: WhatsappSettings, bodies: Sequence[str]
    ) -> Part | None:
        """Return the message with buttons, or None where it must be numbered lines."""
        choices = outbound.quick_replies
        if not own.buttons or not 0 < len(choices) <= CAPABILITIES.max_buttons or len(bodies) != 1:
            return None
        values = button_values(bodies[0], choices)
        content = await self._content(outbound, own, len(choices)) if values else None
        return buttons_part(content, values) if content and values else None

    async def _content(self, outbound: Outbound, own: WhatsappSettings, count: int) -> str | None:
        """Return the content template for so many buttons, made on first use; None when Twilio makes none."""
        key = f"content:{own.owner_sid}:{count}"
        note = await self.context.state.get("whatsapp", outbound.tenant, key)
        if note:
            return str(note["sid"])
        try:
            sid = await self.twilio.create_content(access(self.twilio, own), buttons_content(count))
        except DeliveryError:
            return None  # numbered lines say the same
        await self.context.state.put("whatsapp", outbound.tenant, key, {"sid": sid})
        return str(sid)


def _template(outbound: Outbound, own: WhatsappSettings) -> str:
    """Return the ContentSid for what is sent after the window. Raises PermanentDeliveryError when there is none."""
    if outbound.template is None:
        raise PermanentDeliveryError(
            "the 24-hour window of WhatsApp is closed, and there is no approved template for this message"
        )
    asked = outbound.template.id
    sid = asked if is_sid(asked, "HX") else own.template(asked, outbound.locale)
    if sid is None:
        raise PermanentDeliveryError(
            f"the 24-hour window of WhatsApp is closed, and USHER_WHATSAPP_TEMPLATES names none for {asked[:40]!r}"
        )
    return sid


def _to(outbound: Outbound) -> str:
    return f"whatsapp:{outbound.address.removeprefix('whatsapp:')}"


def _event(form: Mapping[str, str]) -> Event:
    sid = message_sid(form)
    return read_receipt(form, sid) if is_status(form) else read_message(form, sid)


def _own(settings: Section | None) -> WhatsappSettings:
    if not isinstance(settings, WhatsappSettings):
        raise MisconfiguredError(f"whatsapp: expected its settings, got {type(settings).__name__}")
    return settings


def build(context: ChannelContext) -> Channel:
    """Return the adapter; loads Twilio's SDK."""
    from channels._shared import twilio, twilio_account

    return WhatsappChannel(context, twilio, twilio_account)


CHANNEL = ChannelSpec(
    name="whatsapp",
    identity="phone",
    capabilities=CAPABILITIES,
    settings=WhatsappSettings,
    configured=configured,
    build=build,
    summary="WhatsApp through Twilio: buttons, media, read receipts, templates after 24 hours.",
)
