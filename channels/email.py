"""Email: raw mail in by webhook, threaded mail out by SMTP.

Owns the webhook's two shapes (our own signed raw MIME, and Mailgun's raw-MIME route), the plus-
address that names a conversation, and what an SMTP answer means for a send. Reading, verdicts,
cutting and writing of mail are in _shared/mail_*.py. Not here: whether a reply may be sent or what
it says; IMAP.
"""

import asyncio
import base64
import hashlib
import hmac
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from channels._shared.mail_delivery import SmtpAccount, hand_over
from channels._shared.mail_form import form_fields, has_form, quick_field
from channels._shared.mail_reading import Mail, header, read_headers, read_mail
from channels._shared.mail_reading import recipients as named_recipients
from channels._shared.mail_reply import cut_reply
from channels._shared.mail_verdicts import assurance, automatic_reason, bounce
from channels._shared.mail_writing import (
    ID_HEADER,
    Letterhead,
    envelope_address,
    message_id,
    plus_address,
    write_mail,
)
from channels._shared.render import render, words_for
from core.contracts import (
    Capabilities,
    Channel,
    ChannelContext,
    ChannelSpec,
    Received,
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
from core.ids import ConversationId
from core.messages import Event, Ignored, Inbound, Outbound, Receipt, Sent
from core.settings import Section

logger = logging.getLogger(__name__)

CAPABILITIES = Capabilities(
    markup="markdown",
    receipts=True,
    attachments=True,
    media=("*/*",),
    threads=True,
    quiet=0.0,
    idle_hours=7 * 24.0,
)
_PLAIN = Capabilities(markup="plain")
_HTML = Capabilities(markup="html")
_WINDOW = timedelta(minutes=5)
_TOKEN_SECONDS = 900.0
_TAG_CHARS = 10
_TAGGED = re.compile(
    r"(?P<local>[^+@]+)\+(?P<id>[a-z0-9_-]{4,48})\.(?P<tag>[a-z2-7]{10})@(?P<domain>.+)"
)
_OWN_ID = re.compile(r"<[a-z]{2,5}_[0-9a-f]{32}@[^<>@]+>")
_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"+]{1,64}@[a-z0-9.-]{1,250}")


class EmailSettings(Section):
    """One mailbox.

    `address` is where customers write, `display_name` the brand they see. `webhook_secret` signs
    our own webhook shape, `mailgun_signing_key` is Mailgun's "HTTP webhook signing key"; one of
    them is needed. `authserv_id` is the name under which our receiving server writes
    Authentication-Results; without it nobody is proven. `reply_secret` signs the plus-address;
    without it there is none.
    """

    model_config = SettingsConfigDict(env_prefix="USHER_EMAIL_")

    address: str = ""
    display_name: str = ""
    webhook_secret: SecretStr = SecretStr("")
    mailgun_signing_key: SecretStr = SecretStr("")
    smtp_host: str = ""
    smtp_port: int | None = Field(default=None, ge=1, le=65_535)
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_timeout: float = Field(default=20.0, gt=0, le=120)
    authserv_id: str = ""
    reply_secret: SecretStr = SecretStr("")


def configured(settings: Section) -> list[tuple[str, str]]:
    """Return the mailbox's address; [] when nothing is set.

    Raises MisconfiguredError naming what is missing or cannot be right.
    """
    own = _own(settings)
    secrets = (own.webhook_secret, own.mailgun_signing_key)
    given = {
        "USHER_EMAIL_ADDRESS": bool(own.address),
        "USHER_EMAIL_WEBHOOK_SECRET or USHER_EMAIL_MAILGUN_SIGNING_KEY": any(
            secret.get_secret_value() for secret in secrets
        ),
        "USHER_EMAIL_SMTP_HOST": bool(own.smtp_host),
    }
    if not any(given.values()):
        return []
    if missing := [name for name, is_given in given.items() if not is_given]:
        raise MisconfiguredError(f"email is half configured; missing: {', '.join(missing)}")
    if not _ADDRESS.fullmatch(own.address.lower()):
        raise MisconfiguredError("email: USHER_EMAIL_ADDRESS must be a plain address without a +")
    if bool(own.smtp_username) != bool(own.smtp_password.get_secret_value()):
        raise MisconfiguredError("email: SMTP_USERNAME and SMTP_PASSWORD go together")
    if own.smtp_security == "none" and own.smtp_username:
        raise MisconfiguredError("email: a password is not sent over an unencrypted connection")
    return [(own.address.lower(), "customer")]


def _own(settings: Section | None) -> EmailSettings:
    if not isinstance(settings, EmailSettings):
        raise MisconfiguredError(f"email: expected EmailSettings, got {type(settings).__name__}")
    return settings


@dataclass(slots=True)
class EmailChannel:
    """The adapter."""

    context: ChannelContext

    # ---------------------------------------------------------------- in

    def locate(self, request: WebhookRequest) -> str | None:
        """Return the likeliest mailbox of ours, without its plus-tag."""
        return next(iter(self.candidates(request)), None)

    def candidates(self, request: WebhookRequest) -> tuple[str, ...]:
        """Return every mailbox the mail may be for, likeliest first.

        The envelope's recipient decides where it is given; a mail lists several, and which of them
        is ours is not known here.
        """
        stated = request.headers.get("x-usher-recipient", "")
        if has_form(request):
            stated = stated or quick_field(request, "recipient")
        if stated:
            return tuple(_untagged(a.strip().lower()) for a in stated.split(",") if "@" in a)
        if has_form(request):
            return ()
        found = named_recipients(read_headers(request.body))
        return tuple(dict.fromkeys(_untagged(address) for address in found))

    async def receive(self, request: WebhookRequest, inbox: Inbox) -> Received:
        """Verify and read one mail. Raises SignatureError, AnomalousPayloadError."""
        settings = _own(inbox.settings)
        if has_form(request):
            fields = await asyncio.to_thread(form_fields, request)
            await self._require_mailgun(fields, settings)
            raw = fields.get("body-mime", b"")
            if not raw:
                raise AnomalousPayloadError("no body-mime: the route's URL must end in /mime")
        else:
            self._require_signature(request, settings)
            raw = request.body
        if not raw.strip():
            raise AnomalousPayloadError("an empty body is not a mail")
        mail = await asyncio.to_thread(read_mail, raw)
        return Received((_event(mail, raw, settings),))

    def _require_signature(self, request: WebhookRequest, settings: EmailSettings) -> None:
        stamp = request.headers.get("x-usher-timestamp", "")
        given = request.headers.get("x-usher-signature", "")
        secret = settings.webhook_secret.get_secret_value()
        self._require_recent(stamp)
        signed = stamp.encode() + b"." + request.body
        expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        offered = [part.strip() for part in given.split(",")]
        if not secret or not any(_same(f"v1={expected}", part) for part in offered):
            raise SignatureError("the mail's signature is missing or wrong")

    async def _require_mailgun(self, fields: Mapping[str, bytes], settings: EmailSettings) -> None:
        """Check Mailgun's signature.

        It covers no body, so a token stays with the first body it came with.
        """
        key = settings.mailgun_signing_key.get_secret_value()
        stamp, token, given = (_text(fields, n) for n in ("timestamp", "token", "signature"))
        self._require_recent(stamp)
        expected = hmac.new(key.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
        if not key or not token or not _same(expected, given):
            raise SignatureError("the form's signature is missing or wrong")
        place = f"email:mailgun:{hashlib.sha256(token.encode()).hexdigest()}"
        body = hashlib.sha256(fields.get("body-mime", b"")).hexdigest()
        before = await self.context.cache.get(place)
        if before is not None and before != body:
            raise SignatureError("the form's token was used for another mail")
        await self.context.cache.put(place, body, _TOKEN_SECONDS)

    def _require_recent(self, stamp: str) -> None:
        if not re.fullmatch(r"[0-9]{9,11}", stamp):
            raise SignatureError("the timestamp is missing or malformed")
        age = abs(self.context.clock.now().timestamp() - int(stamp))
        if age > _WINDOW.total_seconds():
            raise SignatureError("the timestamp is too old or in the future")

    # ---------------------------------------------------------------- out

    async def deliver(self, outbound: Outbound, inbox: Inbox) -> Sent:
        """Send one mail; its Message-ID is the provider id.

        Raises RetryableDeliveryError, PermanentDeliveryError, UnknownOutcomeError.
        """
        settings = _own(inbox.settings)
        mail = self._written(outbound, inbox, settings)
        await hand_over(mail, inbox.address, envelope_address(outbound.address), _account(settings))
        return Sent(message_id(outbound.id, inbox.address))

    def _written(self, outbound: Outbound, inbox: Inbox, settings: EmailSettings) -> bytes:
        words = words_for(outbound, self.context.lines, _PLAIN)
        rendered = [
            render(
                outbound.text,
                capabilities,
                quick_replies=outbound.quick_replies,
                citations=outbound.citations,
                words=words,
            )
            for capabilities in (_PLAIN, _HTML)
        ]
        if not all(rendered):
            raise PermanentDeliveryError("there is nothing to send")
        head = Letterhead(
            inbox.address, settings.display_name, _reply_address(outbound, inbox, settings)
        )
        text, body = ("\n".join(parts) for parts in rendered)
        try:
            return write_mail(outbound, head, text, body, self.context.clock.now()).as_bytes()
        except (ValueError, UnicodeError) as error:
            raise PermanentDeliveryError("no mail can be written to this address") from error

    async def reconcile(self, outbound: Outbound, inbox: Inbox) -> Sent | None:
        """Raise UnknownOutcomeError: SMTP cannot be asked what became of a mail."""
        raise UnknownOutcomeError("a mail server cannot be asked whether it took a mail")

    async def close(self) -> None:
        """Close nothing: connections last one mail."""


def _account(settings: EmailSettings) -> SmtpAccount:
    ports = {"starttls": 587, "tls": 465, "none": 25}
    return SmtpAccount(
        settings.smtp_host,
        settings.smtp_port or ports[settings.smtp_security],
        settings.smtp_security,
        settings.smtp_username,
        settings.smtp_password,
        settings.smtp_timeout,
    )


# ---------------------------------------------------------------- plus-addresses


def _tag(conversation: str, address: str, settings: EmailSettings) -> str | None:
    secret = settings.reply_secret.get_secret_value()
    if not secret:
        return None
    signed = f"{address.lower()}|{conversation}".encode()
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    return base64.b32encode(digest).decode().lower()[:_TAG_CHARS]


def _reply_address(outbound: Outbound, inbox: Inbox, settings: EmailSettings) -> str | None:
    conversation = outbound.conversation_id
    tag = _tag(conversation, inbox.address, settings) if conversation else None
    return plus_address(inbox.address, f"{conversation}.{tag}") if tag else None


def _untagged(address: str) -> str:
    local, at, domain = address.rpartition("@")
    return f"{local.split('+', 1)[0]}{at}{domain}"


def _named_conversation(mail: Mail, settings: EmailSettings) -> ConversationId | None:
    """Return the conversation a plus-address names, if the tag in it is ours."""
    for address in mail.recipients:
        found = _TAGGED.fullmatch(address)
        if found is None or _untagged(address) != settings.address.lower():
            continue
        expected = _tag(found["id"], settings.address, settings)
        if expected and _same(expected, found["tag"]):
            return ConversationId(found["id"])
    return None


# ---------------------------------------------------------------- a mail as an event


def _event(mail: Mail, raw: bytes, settings: EmailSettings) -> Event:
    report = bounce(mail)
    if report is not None and report.message_id and _is_own_id(report.message_id, settings):
        if report.action != "failed":
            return Ignored(f"delivery_{report.action}")
        return Receipt(report.message_id, "failed", report.status or None)
    if _is_own(mail, settings):
        return Ignored("own_mail")
    if not mail.senders:
        return Ignored("mail_without_sender")
    return _inbound(mail, raw, settings)


def _inbound(mail: Mail, raw: bytes, settings: EmailSettings) -> Inbound:
    external_id = mail.message_id or "sha256:" + hashlib.sha256(raw).hexdigest()
    reply = cut_reply(mail.text, is_reply=mail.is_reply, is_forward=mail.is_forward)
    why = automatic_reason(mail)
    conversation = _named_conversation(mail, settings)
    references = mail.references
    if conversation and not references:
        # Marks it as part of a thread, so that a stranger's plus-address opens one of its own.
        references = (external_id,)
    metadata = {
        "signature": reply.signature[:2_000],
        "automatic": why or "",
        "forwarded": "1" if reply.is_forward else "",
        "truncated": "1" if mail.is_truncated else "",
    }
    return Inbound(
        channel="email",
        external_id=external_id,
        sender=mail.senders[0],
        text=reply.text,
        assurance=assurance(mail, settings.authserv_id),
        reply_to=_answer_to(mail, settings),
        conversation_id=conversation,
        references=references,
        subject=mail.subject,
        display_name=mail.name,
        attachments=mail.attachments,
        automatic=why is not None,
        metadata={key: value for key, value in metadata.items() if value},
    )


def _answer_to(mail: Mail, settings: EmailSettings) -> str | None:
    address = mail.reply_to
    is_other = address not in (None, mail.senders[0])
    return address if is_other and _untagged(address or "") != settings.address.lower() else None


def _is_own(mail: Mail, settings: EmailSettings) -> bool:
    """Return whether this is a mail of ours that came back."""
    own_id = bool(mail.message_id and _is_own_id(mail.message_id, settings))
    from_us = any(_untagged(sender) == settings.address.lower() for sender in mail.senders)
    return own_id or from_us or bool(header(mail.message, ID_HEADER))


def _is_own_id(given: str, settings: EmailSettings) -> bool:
    domain = settings.address.rsplit("@", 1)[-1].lower()
    return bool(_OWN_ID.fullmatch(given)) and given[1:-1].rsplit("@", 1)[-1].lower() == domain


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))


def _text(fields: Mapping[str, bytes], name: str) -> str:
    return fields.get(name, b"").decode("utf-8", "replace")


def build(context: ChannelContext) -> Channel:
    """Return the adapter."""
    return EmailChannel(context)


CHANNEL = ChannelSpec(
    name="email",
    capabilities=CAPABILITIES,
    settings=EmailSettings,
    configured=configured,
    build=build,
    summary="Mail in by webhook (raw MIME), out by SMTP, threaded.",
)
