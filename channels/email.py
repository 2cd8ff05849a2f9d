"""Email: raw mail in by webhook or IMAP, threaded mail out by SMTP.

Owns the settings, and which part answers what. Reading, verdicts, cutting and writing of mail, the webhooks' shapes and
IMAP are in _shared/mail_*.py. Not here: whether a reply may be sent or what it says.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qs, urlencode, urlsplit

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from channels._shared.mail_cap import MAX_A_DAY, DailyCap
from channels._shared.mail_delivery import SmtpAccount, hand_over
from channels._shared.mail_doors import DoorKeys, mailboxes, open_mail, read_mail_of
from channels._shared.mail_events import Mailbox, event_of
from channels._shared.mail_examine import examine_mail
from channels._shared.mail_imap import ImapAccount, ImapSession, Place, place_of
from channels._shared.mail_page import Frame, page, plain
from channels._shared.mail_reading import read_mail
from channels._shared.mail_sns import (
    Fetch,
    fetch_amazon,
    is_sns,
    mail_in,
    open_sns,
    read_envelope,
)
from channels._shared.mail_stops import stop_reply
from channels._shared.mail_tokens import Signer
from channels._shared.mail_writing import (
    Letterhead,
    copies_of,
    envelope_address,
    language_of,
    message_id,
    write_mail,
)
from channels._shared.render import Words, render, words_for
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
from core.errors import (
    AnomalousPayloadError,
    MisconfiguredError,
    PermanentDeliveryError,
    UnknownOutcomeError,
)
from core.messages import Author, Event, Ignored, Outbound, Sent
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
    media_bytes=10_000_000,
)
_PLAIN = Capabilities(markup="plain")
_HTML = Capabilities(markup="html")
_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"+]{1,64}@[a-z0-9.-]{1,250}")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
# answers, and what stands in for an answer
_NOTHING_TO_END = ("", "resend", "correction")
_DOORS = (
    "USHER_EMAIL_WEBHOOK_SECRET, USHER_EMAIL_MAILGUN_SIGNING_KEY, USHER_EMAIL_SENDGRID_PUBLIC_KEY,"
    " USHER_EMAIL_POSTMARK_CREDENTIALS, USHER_EMAIL_SES_TOPIC_ARN or USHER_EMAIL_IMAP_HOST"
)


class EmailSettings(Section):
    """One mailbox.

    `address` is where customers write, `display_name` the brand they see, `accent` its colour. One way in is needed:
    `webhook_secret` signs our own webhook shape, `mailgun_signing_key` is Mailgun's "HTTP webhook signing key",
    `sendgrid_public_key` the key of SendGrid's security policy (base64), `postmark_credentials` the `user:password` in
    the webhook's URL, `ses_topic_arn` the topic SES publishes to; `imap_host` pulls the mailbox instead.
    `authserv_id` is the name under which our receiving server writes Authentication-Results; without it nobody is
    proven. `reply_secret` signs the plus-address; without it there is none. `public_url` is where this server is
    reached from outside, for the unsubscribe link of mails sent unasked.
    """

    model_config = SettingsConfigDict(env_prefix="USHER_EMAIL_")

    address: str = ""
    display_name: str = ""
    accent: str = "#2f5bd3"
    webhook_secret: SecretStr = SecretStr("")
    mailgun_signing_key: SecretStr = SecretStr("")
    sendgrid_public_key: str = ""
    postmark_credentials: SecretStr = SecretStr("")
    ses_topic_arn: str = ""
    imap_host: str = ""
    imap_port: int | None = Field(default=None, ge=1, le=65_535)
    imap_username: str = ""
    imap_password: SecretStr = SecretStr("")
    imap_security: Literal["tls", "starttls", "none"] = "tls"
    imap_folder: str = "INBOX"
    imap_timeout: float = Field(default=30.0, gt=0, le=120)
    smtp_host: str = ""
    smtp_port: int | None = Field(default=None, ge=1, le=65_535)
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_timeout: float = Field(default=20.0, gt=0, le=120)
    authserv_id: str = ""
    reply_secret: SecretStr = SecretStr("")
    public_url: str = ""


def configured(settings: Section) -> list[tuple[str, str]]:
    """Return the mailbox's address; [] when nothing is set.

    Raises MisconfiguredError naming what is missing or cannot be right.
    """
    own = _own(settings)
    keys = _keys(own)
    ways_in = (
        keys.own,
        keys.mailgun,
        keys.sendgrid,
        keys.postmark,
        own.ses_topic_arn,
        own.imap_host,
    )
    given = {
        "USHER_EMAIL_ADDRESS": bool(own.address),
        f"a way in ({_DOORS})": any(ways_in),
        "USHER_EMAIL_SMTP_HOST": bool(own.smtp_host),
    }
    if not any(given.values()):
        return []
    if missing := [name for name, is_given in given.items() if not is_given]:
        raise MisconfiguredError(f"email is half configured; missing: {', '.join(missing)}")
    if wrong := _wrong(own):
        raise MisconfiguredError(f"email: {wrong}")
    return [(own.address.lower(), "customer")]


def _wrong(own: EmailSettings) -> str | None:
    """Return what cannot be right in settings that are complete."""
    imap_password = own.imap_password.get_secret_value()
    wrongs = {
        "USHER_EMAIL_ADDRESS must be a plain address without a +": not _ADDRESS.fullmatch(
            own.address.lower()
        ),
        "SMTP_USERNAME and SMTP_PASSWORD go together": bool(own.smtp_username)
        != bool(own.smtp_password.get_secret_value()),
        "IMAP_HOST needs IMAP_USERNAME and IMAP_PASSWORD": bool(own.imap_host)
        and not (own.imap_username and imap_password),
        "a password is not sent over an unencrypted connection": (
            own.smtp_security == "none" and bool(own.smtp_username)
        )
        or (
            own.imap_security == "none" and bool(own.imap_host) and not _is_loopback(own.imap_host)
        ),
        "POSTMARK_CREDENTIALS must be user:password": ":"
        not in (own.postmark_credentials.get_secret_value() or ":"),
        "PUBLIC_URL must begin with https://": bool(own.public_url)
        and not own.public_url.startswith("https://"),
        "ACCENT must be a colour such as #2f5bd3": not _COLOUR.fullmatch(own.accent),
    }
    return next((wrong for wrong, holds in wrongs.items() if holds), None)


def _is_loopback(host: str) -> bool:
    return host in ("127.0.0.1", "::1", "localhost")


def _own(settings: Section | None) -> EmailSettings:
    if not isinstance(settings, EmailSettings):
        raise MisconfiguredError(f"email: expected EmailSettings, got {type(settings).__name__}")
    return settings


def _keys(settings: EmailSettings) -> DoorKeys:
    return DoorKeys(
        own=settings.webhook_secret.get_secret_value(),
        mailgun=settings.mailgun_signing_key.get_secret_value(),
        sendgrid=settings.sendgrid_public_key,
        postmark=settings.postmark_credentials.get_secret_value(),
    )


def _box(settings: EmailSettings) -> Mailbox:
    address = settings.address.lower()
    signer = Signer(address, settings.reply_secret.get_secret_value())
    return Mailbox(address, settings.authserv_id, signer)


@dataclass(slots=True)
class EmailChannel:
    """The adapter. `fetch` gets Amazon's certificate."""

    context: ChannelContext
    fetch: Fetch = fetch_amazon
    _cap: DailyCap = field(init=False)

    def __post_init__(self) -> None:
        """Make the daily count."""
        self._cap = DailyCap(self.context.state, self.context.clock)

    # ---------------------------------------------------------------- in

    def locate(self, request: WebhookRequest) -> str | None:
        """Return the likeliest mailbox of ours, without its plus-tag."""
        return next(iter(self.candidates(request)), None)

    def candidates(self, request: WebhookRequest) -> tuple[str, ...]:
        """Return every mailbox the mail may be for, likeliest first."""
        return mailboxes(request)

    async def receive(self, request: WebhookRequest, inbox: Inbox) -> Received:
        """Verify and read one mail, or take a press on the unsubscribe link.

        Raises SignatureError, AnomalousPayloadError, UnavailableError.
        """
        settings = _own(inbox.settings)
        if token := _stop_token(request):
            box, brand = _box(settings), settings.display_name or settings.address
            return stop_reply(request, token, box.signer, brand, self.context.lines)
        if is_sns(request):
            raw = await open_sns(
                request, settings.ses_topic_arn, self.context.clock, self._certificate
            )
            if raw is None:
                return Received((Ignored("sns_subscription"),))
        else:
            raw = await open_mail(request, _keys(settings), self.context)
        return await _received(raw, settings)

    async def read(self, request: WebhookRequest, inbox: Inbox) -> Received:
        """Read a mail without asking for proof. Raises AnomalousPayloadError."""
        if is_sns(request):
            raw = mail_in(read_envelope(request.body))
        else:
            raw = await asyncio.to_thread(read_mail_of, request)
        return await _received(raw, _own(inbox.settings))

    async def _certificate(self, url: str) -> bytes:
        """Return what stands at an address of Amazon's, certificates from the cache."""
        place = f"email:sns:{url}"
        known = await self.context.cache.get(place) if url.endswith(".pem") else None
        if known is not None:
            return known.encode()
        found = await self.fetch(url)
        if url.endswith(".pem"):
            await self.context.cache.put(place, found.decode("ascii", "replace"), 3_600.0)
        return found

    async def listen(self, inbox: Inbox, sink: Callable[[Event], Awaitable[None]]) -> None:
        """Hand every mail of the IMAP folder to `sink`, for ever. Raises UnavailableError.

        Without an IMAP server in the settings there is nothing to hear: it returns.
        """
        settings = _own(inbox.settings)
        if not settings.imap_host:
            return
        key = f"imap:{settings.imap_host}:{settings.imap_username}:{settings.imap_folder}"[:200]

        async def take(raw: bytes) -> None:
            for event in (await _received(raw, settings)).events:
                await sink(event)

        async def keep(place: Place) -> None:
            row = {"validity": place.validity, "last": place.last}
            await self.context.state.put("email", inbox.tenant, key, row)

        known = place_of(await self.context.state.get("email", inbox.tenant, key))
        await ImapSession(_imap(settings)).follow(known, take, keep)

    async def examine(self, inbox: Inbox) -> tuple[Finding, ...]:
        """Try SMTP and IMAP, and say what of the settings will not do."""
        settings = _own(inbox.settings)
        imap = _imap(settings) if settings.imap_host else None
        return await examine_mail(
            _smtp(settings),
            imap,
            has_authserv=bool(settings.authserv_id),
            has_reply_secret=bool(settings.reply_secret.get_secret_value()),
            address=settings.address.lower(),
        )

    # ---------------------------------------------------------------- out

    async def deliver(self, outbound: Outbound, inbox: Inbox) -> Sent:
        """Send one mail; its Message-ID is the provider id.

        Raises RetryableDeliveryError, PermanentDeliveryError, UnknownOutcomeError.
        """
        settings = _own(inbox.settings)
        mail = self._written(outbound, inbox, settings)
        if not await self._cap.allows(outbound, inbox.address):
            raise PermanentDeliveryError(
                f"{MAX_A_DAY} automatic mails went to this address today; a person must go on"
            )
        recipients = [envelope_address(a) for a in (outbound.address, *copies_of(outbound))]
        await hand_over(mail, inbox.address, recipients, _smtp(settings))
        return Sent(message_id(outbound.id, inbox.address))

    def _written(self, outbound: Outbound, inbox: Inbox, settings: EmailSettings) -> bytes:
        said = words_for(outbound, self.context.lines, _PLAIN)
        words = Words(sources=said.sources, choose=said.choose)  # who writes stands in the frame
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
        text, body = ("\n".join(parts) for parts in rendered)
        head = _letterhead(outbound, inbox, settings)
        frame = self._frame(outbound, head, settings)
        try:
            return write_mail(
                outbound,
                head,
                plain(text, frame),
                page(body, text, frame),
                self.context.clock.now(),
            )
        except (ValueError, UnicodeError) as error:
            raise PermanentDeliveryError("no mail can be written to this address") from error

    def _frame(self, outbound: Outbound, head: Letterhead, settings: EmailSettings) -> Frame:
        brand = head.brand or head.address
        name = outbound.author_name or brand

        def say(key: str) -> str:
            return self.context.lines.say(key, outbound.locale, "email", name=name, brand=brand)

        match outbound.author:
            case Author.BOT:
                by, foot = say("mail.by_bot"), say("mail.foot_bot")
            case Author.CSM:
                by, foot = name, say("mail.foot_person")
            case _:
                by, foot = "", say("mail.foot_system")
        way_out = head.stop_link or (f"mailto:{head.stop_address}" if head.stop_address else None)
        no_more = (say("mail.no_more"), way_out) if way_out else None
        return Frame(language_of(outbound), brand, by, foot, settings.accent, no_more)

    async def reconcile(self, outbound: Outbound, inbox: Inbox) -> Sent | None:
        """Raise UnknownOutcomeError: SMTP cannot be asked what became of a mail."""
        raise UnknownOutcomeError("a mail server cannot be asked whether it took a mail")

    async def close(self) -> None:
        """Close nothing: connections last one mail."""


async def _received(raw: bytes, settings: EmailSettings) -> Received:
    if not raw.strip():
        raise AnomalousPayloadError("an empty body is not a mail")
    event = await asyncio.to_thread(lambda: event_of(read_mail(raw), raw, _box(settings)))
    return Received((event,))


def _stop_token(request: WebhookRequest) -> str:
    try:
        query = parse_qs(urlsplit(request.url).query, max_num_fields=50)
    except ValueError:
        return ""
    return query.get("no_more", [""])[0]


def _letterhead(outbound: Outbound, inbox: Inbox, settings: EmailSettings) -> Letterhead:
    signer = _box(settings).signer
    reply_to = signer.reply_address(outbound.conversation_id) if outbound.conversation_id else None
    if outbound.purpose in _NOTHING_TO_END:
        return Letterhead(inbox.address, settings.display_name, reply_to)
    token = signer.stop_token(outbound.id, outbound.address.lower())
    link = None
    if token and settings.public_url:
        query = urlencode({"inbox": inbox.address, "no_more": token})
        link = f"{settings.public_url.rstrip('/')}/channels/email?{query}"
    stop_address = signer.stop_address(outbound.address)
    return Letterhead(inbox.address, settings.display_name, reply_to, stop_address, link)


def _smtp(settings: EmailSettings) -> SmtpAccount:
    ports = {"starttls": 587, "tls": 465, "none": 25}
    return SmtpAccount(
        settings.smtp_host,
        settings.smtp_port or ports[settings.smtp_security],
        settings.smtp_security,
        settings.smtp_username,
        settings.smtp_password,
        settings.smtp_timeout,
    )


def _imap(settings: EmailSettings) -> ImapAccount:
    return ImapAccount(
        settings.imap_host,
        settings.imap_port or (993 if settings.imap_security == "tls" else 143),
        settings.imap_security,
        settings.imap_username,
        settings.imap_password,
        settings.imap_folder,
        settings.imap_timeout,
    )


def build(context: ChannelContext) -> Channel:
    """Return the adapter."""
    return EmailChannel(context)


CHANNEL = ChannelSpec(
    name="email",
    capabilities=CAPABILITIES,
    settings=EmailSettings,
    configured=configured,
    build=build,
    summary="Mail in by webhook (raw MIME) or IMAP, out by SMTP, threaded.",
)
