"""Mail in as the webhook brings it, mail out to a real SMTP server on loopback."""

import dataclasses
import itertools
import random
import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest

from app.simulator.mail_server import MailServer, Trouble, mailgun_form, signed_mail
from channels.email import CHANNEL, EmailSettings, configured
from core.clock import FrozenClock
from core.contracts import Channel, WebhookRequest
from core.conversations import Inbox
from core.errors import (
    AnomalousPayloadError,
    MisconfiguredError,
    PermanentDeliveryError,
    RetryableDeliveryError,
    SignatureError,
    UnknownOutcomeError,
)
from core.ids import ConversationId, InboxId, OutboxId, TenantId
from core.messages import (
    Assurance,
    Attachment,
    Author,
    Event,
    Ignored,
    Inbound,
    MessageKind,
    Outbound,
    QuickReply,
    Receipt,
)
from tests.channels.serving import MemoryState, channel_context, webhook

MAILS = Path(__file__).parent / "payloads/email"
OURS = "support@lumen.example"
URL = "http://127.0.0.1:8000/channels/email"
OUT = "out_0195a1b2c3d4e5f60718293a4b5c6d7e"
CONVERSATION = ConversationId("cnv_0195a1b2c3d4e5f60718293a4b5c6d7f")
SETTINGS: Mapping[str, object] = {
    "address": OURS,
    "display_name": "Lumen Boards",
    "webhook_secret": "hook-secret",
    "mailgun_signing_key": "gun-key",
    "smtp_host": "127.0.0.1",
    "smtp_port": 25,
    "smtp_security": "none",
    "authserv_id": "mx.lumen.example",
    "reply_secret": "reply-secret",
}


def inbox(**changes: object) -> Inbox:
    settings = EmailSettings.model_validate({**SETTINGS, **changes})
    return Inbox(InboxId("inb_1"), TenantId("ten_1"), "email", OURS, settings=settings)


@pytest.fixture
def channel(clock: FrozenClock) -> Channel:
    return CHANNEL.build(channel_context(clock, MemoryState()))


def mail(name: str) -> bytes:
    return (MAILS / f"{name}.eml").read_bytes()


def signed(raw: bytes, clock: FrozenClock, recipient: str | None = None) -> WebhookRequest:
    return webhook(signed_mail(raw, URL, "hook-secret", clock.now(), recipient))


async def read(channel: Channel, raw: bytes, clock: FrozenClock, **changes: object) -> Event:
    (event,) = (await channel.receive(signed(raw, clock), inbox(**changes))).events
    return event


async def heard(channel: Channel, raw: bytes, clock: FrozenClock, **changes: object) -> Inbound:
    event = await read(channel, raw, clock, **changes)
    assert isinstance(event, Inbound)
    return event


# ---------------------------------------------------------------- reading


async def test_new_question(channel: Channel, clock: FrozenClock) -> None:
    event = await heard(channel, mail("new_question"), clock)
    assert event == Inbound(
        channel="email",
        external_id="<new-1@mail.acme.example>",
        sender="ana@acme.example",
        text="Hi there,\n\nhow do I export a board to CSV?\n\nAna",
        assurance=Assurance.CLAIMED,
        subject="Exporting a board",
        display_name="Ana Ruiz",
        metadata={
            "signature": "--\nAna Ruiz | Operations | Acme\n+1 555 0100",
            "authentication": "none",
        },
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("gmail_reply", "And on the Pro plan?"),
        ("outlook_html_only", "The button is grey.\n\nJosé"),
        (
            "apple_spanish",
            "¿Y en el plan Pro? Es una pregunta larga que el programa parte en dos líneas.",
        ),
        ("thunderbird_inline", "Pro.\n\nFirefox 140."),
        ("attachments", "See the picture."),
    ],
)
async def test_new_text_of_clients(
    channel: Channel, clock: FrozenClock, name: str, text: str
) -> None:
    assert (await heard(channel, mail(name), clock)).text == text


async def test_references_and_subject_of_a_reply(channel: Channel, clock: FrozenClock) -> None:
    event = await heard(channel, mail("apple_spanish"), clock)
    assert event.references == ("<new-1@mail.acme.example>", f"<{OUT}@lumen.example>")
    assert event.subject == "Re: Exportación"
    assert event.metadata["signature"] == "Enviado desde mi iPhone"
    assert not event.automatic


async def test_broken_charset_and_nul(channel: Channel, clock: FrozenClock) -> None:
    event = await heard(channel, mail("broken_charset"), clock)
    assert event.text == "café  closed"


async def test_no_message_id(channel: Channel, clock: FrozenClock) -> None:
    first = await heard(channel, mail("no_message_id"), clock)
    again = await heard(channel, mail("no_message_id"), clock)
    assert re.fullmatch("sha256:[0-9a-f]{64}", first.external_id)
    assert again.external_id == first.external_id


async def test_no_sender_is_ignored(channel: Channel, clock: FrozenClock) -> None:
    assert await read(channel, mail("headerless"), clock) == Ignored("mail_without_sender")


async def test_forward_keeps_the_forwarded(channel: Channel, clock: FrozenClock) -> None:
    event = await heard(channel, mail("forward"), clock)
    assert "What does this mean?" in event.text
    assert "Sync stopped with error 17." in event.text
    assert event.metadata["forwarded"] == "1"


async def test_attachments_have_safe_names_and_hidden_text_is_gone(
    channel: Channel, clock: FrozenClock
) -> None:
    event = await heard(channel, mail("attachments"), clock)
    found = [(a.name, a.content_type, a.size) for a in event.attachments]
    assert found[:2] == [
        ("passwd", "image/png", 8),
        ("photogpj.exe", "application/octet-stream", 2),
    ]
    assert found[2][:2] == ("attachment-3.eml", "message/rfc822")
    assert b"Inner text." in (event.attachments[2].data or b"")
    assert "ignore all rules" not in event.text


async def test_caps_on_attachments(channel: Channel, clock: FrozenClock) -> None:
    part = b'--M\r\nContent-Type: image/png; name="a.png"\r\n\r\n%s\r\n'
    head = b"From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=M\r\n\r\n"
    big = part % (b"x" * 10_000_001)
    event = await heard(channel, head + big + part % b"y" * 40 + b"--M--", clock)
    assert len(event.attachments) == 20
    assert (event.attachments[0].data, event.attachments[0].size) == (None, 10_000_001)
    assert event.attachments[1].data == b"y"


@pytest.mark.parametrize(
    "raw",
    [
        b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
        + b"--x\r\n" * 5000,
        b"From: a@b.example\r\n"
        + b"".join(
            b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n)
            for n in range(1500)
        ),
        b"From: a@b.example\r\nContent-Type: text/plain; charset=\xff\xfe\r\n\r\nwords",
        b"From: a@b.example\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!not base64!!!",
        b"From: a@b.example\r\nDate: never\r\nSubject: =?utf-8?B?////?=\r\n\r\nwords",
        b"From: a@b.example\r\nTo: <<>>,,;@\r\nCc: (((\r\nReferences: <<a> <b\r\n\r\nwords",
        b"From: =?utf-8?q?a?= <a@b.example>\r\nContent-Disposition: attachment; filename*=x''%\r\n\r\nw",
        b"From: a@b.example\r\nContent-Type: a/b/c; ;;=\r\n\r\nwords",
        b"From: a@b.example\r\nReferences: " + b"<x@y> " * 20_000 + b"\r\n\r\nwords",
        b"From: a@b.example\r\nContent-Type: text/html\r\n\r\n" + b"<div>" * 20_000,
        b"From: a@b.example\nno colon here\n\nwords",
        b"From: \xff\xfe <a@b.example>\r\nSubject: \xff\r\nMessage-ID: <\xff@x>\r\n\r\nwords",
        b"From: a@b.example\r\nContent-Type: text/plain; charset=unicode_escape\r\n\r\n\\ud800\\q",
        b"From: a@b.example\r\nContent-Type: text/plain; charset=utf-7\r\n\r\n+2AA-",
        b"From a@b.example Wed Mar  4\r\nFrom: a@b.example\r\n\r\nwords",
    ],
    ids=itertools.count(),
)
async def test_any_broken_mail_is_read(channel: Channel, clock: FrozenClock, raw: bytes) -> None:
    event = await heard(channel, raw, clock)
    assert event.sender == "a@b.example"
    kept = (event.text, event.subject, event.display_name, event.external_id, *event.references)
    assert "\x00" not in "".join(filter(None, kept))
    "".join(filter(None, kept)).encode()


async def test_mutated_mails_are_read(channel: Channel, clock: FrozenClock) -> None:
    names = ["gmail_reply", "outlook_html_only", "attachments", "bounce", "apple_spanish"]
    rng = random.Random(7)
    for name in names * 20:
        raw = bytearray(mail(name))
        for _ in range(30):
            raw[rng.randrange(len(raw))] = rng.randrange(256)
        event = await read(channel, bytes(raw), clock)
        assert isinstance(event, Inbound | Ignored | Receipt)


# ---------------------------------------------------------------- who wrote


PASS = (
    "Authentication-Results: mx.lumen.example; spf=pass; dmarc=pass (p=none) header.from=b.example"
)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (PASS, Assurance.PROVEN),
        (PASS.replace("mx.lumen", "MX.Lumen"), Assurance.PROVEN),
        (PASS.replace("mx.lumen.example;", "mx.lumen.example 1;"), Assurance.PROVEN),
        ("", Assurance.CLAIMED),
        (PASS.replace("dmarc=pass", "dmarc=fail"), Assurance.CLAIMED),
        (PASS.replace("mx.lumen.example", "mx.evil.example"), Assurance.CLAIMED),
        (PASS.replace("header.from=b.example", "header.from=evil.example"), Assurance.CLAIMED),
        (PASS.replace(" header.from=b.example", ""), Assurance.CLAIMED),
        # A forged one below ours counts for nothing, whatever ours says.
        (PASS.replace("dmarc=pass", "dmarc=fail") + "\r\n" + PASS, Assurance.CLAIMED),
        # Ours may stand under other servers' results.
        ("Authentication-Results: list.example; dmarc=fail\r\n" + PASS, Assurance.PROVEN),
        # Inside a comment or a quoted string nothing is a result.
        (
            "Authentication-Results: mx.lumen.example; dmarc=none (; dmarc=pass header.from=b.example)",
            Assurance.CLAIMED,
        ),
        (
            'Authentication-Results: mx.lumen.example; spf=pass smtp.mailfrom="a; dmarc=pass'
            ' header.from=b.example"',
            Assurance.CLAIMED,
        ),
        (PASS + "; dmarc=fail header.from=b.example", Assurance.CLAIMED),
        ("Authentication-Results: ;;;(((", Assurance.CLAIMED),
    ],
)
async def test_assurance(
    channel: Channel, clock: FrozenClock, headers: str, expected: Assurance
) -> None:
    raw = f"{headers}\r\nFrom: Ana <a@b.example>\r\nMessage-ID: <1@b.example>\r\n\r\nHi".lstrip()
    assert (await heard(channel, raw.encode(), clock)).assurance is expected
    unnamed = await heard(channel, raw.encode(), clock, authserv_id="")
    assert unnamed.assurance is Assurance.CLAIMED


@pytest.mark.parametrize(
    "senders",
    [
        "From: Ana <a@b.example>, Eve <e@evil.example>",
        "From: a@b.example\r\nFrom: e@evil.example",
        "From: Eve <e@evil.example>\r\nFrom: a@b.example",
        'From: "a@b.example" <e@evil.example>',
        "From: a@b.example <e@evil.example>",
    ],
)
async def test_several_senders_or_a_posing_one_are_never_proven(
    channel: Channel, clock: FrozenClock, senders: str
) -> None:
    raw = f"{PASS}\r\n{senders}\r\nMessage-ID: <1@b.example>\r\n\r\nHi".encode()
    event = await heard(channel, raw, clock)
    assert event.assurance is Assurance.CLAIMED


async def test_a_name_that_poses_as_an_address_is_dropped(
    channel: Channel, clock: FrozenClock
) -> None:
    event = await heard(channel, mail("posing_name"), clock)
    assert (event.sender, event.display_name) == ("crook@evil.example", None)
    assert event.reply_to == "elsewhere@evil.example"


# ---------------------------------------------------------------- machines


@pytest.mark.parametrize(
    ("name", "reason"), [("out_of_office", "auto_submitted"), ("mailing_list", "precedence")]
)
async def test_automatic_mail(channel: Channel, clock: FrozenClock, name: str, reason: str) -> None:
    event = await heard(channel, mail(name), clock)
    assert event.automatic
    assert event.metadata["automatic"] == reason


@pytest.mark.parametrize(
    ("headers", "is_automatic"),
    [
        ("Auto-Submitted: auto-generated", True),
        ("Auto-Submitted: Auto-Replied; owner=x", True),
        ("Auto-Submitted: no", False),
        ("Precedence: bulk", True),
        ("Precedence: first-class", False),
        ("List-Id: <a.b.example>", True),
        ("Return-Path: <>", True),
        ("Return-Path: <a@b.example>", False),
        ("X-Autoreply: yes", True),
        ("X-Auto-Response-Suppress: All", False),
        ("X-Auto-Response-Suppress: All\r\nSubject: Automatic reply: hello", True),
        ("X-Auto-Response-Suppress: All\r\nSubject: Respuesta automática: hola", True),
        ("Subject: Automatic reply does not work", False),
    ],
)
async def test_automatic_headers(
    channel: Channel, clock: FrozenClock, headers: str, is_automatic: bool
) -> None:
    raw = f"From: a@b.example\r\nMessage-ID: <1@b.example>\r\n{headers}\r\n\r\nHi".encode()
    assert (await heard(channel, raw, clock)).automatic is is_automatic


@pytest.mark.parametrize(
    ("sender", "is_automatic"),
    [
        ("MAILER-DAEMON@b.example", True),
        ("postmaster@b.example", True),
        ("no-reply@b.example", True),
        ("noreply+x@b.example", True),
        ("do_not_reply@b.example", True),
        ("norepl@b.example", False),
        ("ana.noreplyson@b.example", False),
    ],
)
async def test_robots(
    channel: Channel, clock: FrozenClock, sender: str, is_automatic: bool
) -> None:
    raw = f"From: <{sender}>\r\nMessage-ID: <1@b.example>\r\n\r\nHi".encode()
    assert (await heard(channel, raw, clock)).automatic is is_automatic


async def test_bounces(channel: Channel, clock: FrozenClock) -> None:
    failed = await read(channel, mail("bounce"), clock)
    assert failed == Receipt(f"<{OUT}@lumen.example>", "failed", "5.1.1")
    assert await read(channel, mail("delayed"), clock) == Ignored("delivery_delayed")
    assert (await heard(channel, mail("bounce_of_another"), clock)).automatic


async def test_our_own_mail_is_ignored(channel: Channel, clock: FrozenClock) -> None:
    assert await read(channel, mail("own_mail"), clock) == Ignored("own_mail")


# ---------------------------------------------------------------- the doors


async def test_mailgun_shape_reads_the_same(channel: Channel, clock: FrozenClock) -> None:
    form = mailgun_form(mail("attachments"), URL, "gun-key", clock.now(), f"Support+x.y@{OURS[8:]}")
    request = webhook(form)
    assert channel.locate(request) == OURS
    (event,) = (await channel.receive(request, inbox())).events
    assert event == await heard(channel, mail("attachments"), clock)
    assert (await channel.receive(request, inbox())).events == (event,), "a retry is let in"


async def test_mailgun_urlencoded(channel: Channel, clock: FrozenClock) -> None:
    import hashlib
    import hmac

    stamp = str(int(clock.now().timestamp()))
    signature = hmac.new(b"gun-key", f"{stamp}tok".encode(), hashlib.sha256).hexdigest()
    fields = {
        "recipient": OURS, "timestamp": stamp, "token": "tok", "signature": signature,
        "body-mime": mail("new_question").decode("latin-1"),
    }  # fmt: skip
    request = WebhookRequest(
        "POST",
        URL,
        {"content-type": "application/x-www-form-urlencoded"},
        urlencode(fields, encoding="latin-1").encode(),
    )
    assert channel.locate(request) == OURS
    (event,) = (await channel.receive(request, inbox())).events
    assert event == await heard(channel, mail("new_question"), clock)


async def test_mailgun_token_carries_one_mail_only(channel: Channel, clock: FrozenClock) -> None:
    await channel.receive(
        webhook(mailgun_form(mail("new_question"), URL, "gun-key", clock.now(), OURS)), inbox()
    )
    other = mailgun_form(mail("posing_name"), URL, "gun-key", clock.now(), OURS)
    with pytest.raises(SignatureError):
        await channel.receive(webhook(other), inbox())


async def test_mailgun_without_mime_says_what_is_wrong(
    channel: Channel, clock: FrozenClock
) -> None:
    form = mailgun_form(b"", URL, "gun-key", clock.now(), OURS)
    with pytest.raises(AnomalousPayloadError, match="/mime"):
        await channel.receive(webhook(form), inbox())


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
async def test_stale_or_future_is_refused(
    channel: Channel, clock: FrozenClock, seconds: int
) -> None:
    old = FrozenClock(clock.now() + timedelta(seconds=seconds))
    with pytest.raises(SignatureError):
        await channel.receive(signed(mail("new_question"), old), inbox())
    form = mailgun_form(mail("new_question"), URL, "gun-key", old.now(), OURS)
    with pytest.raises(SignatureError):
        await channel.receive(webhook(form), inbox())


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-usher-signature": ""},
        {"x-usher-signature": "v1="},
        {"x-usher-signature": "v1=é☃"},
        {"x-usher-signature": "v0=" + "0" * 64},
        {"x-usher-timestamp": "now"},
        {"x-usher-timestamp": "٣٣٣٣٣٣٣٣٣٣"},
        {"x-usher-timestamp": "9" * 400},
    ],
)
async def test_bad_signatures(
    channel: Channel, clock: FrozenClock, headers: dict[str, str]
) -> None:
    good = signed(mail("new_question"), clock)
    kept = {**good.headers, **headers} if headers else {"content-type": "message/rfc822"}
    with pytest.raises(SignatureError):
        await channel.receive(dataclasses.replace(good, headers=kept), inbox())


async def test_a_thousand_mutated_requests_are_all_refused(
    channel: Channel, clock: FrozenClock
) -> None:
    rng = random.Random(11)
    gun = webhook(mailgun_form(mail("new_question"), URL, "gun-key", clock.now(), OURS))
    own = signed(mail("new_question"), clock)
    signature_at = gun.body.index(b'name="signature"') + 24
    for turn in range(500):
        body = bytearray(own.body)
        body[rng.randrange(len(body))] ^= 1 + rng.randrange(255)
        with pytest.raises(SignatureError):
            await channel.receive(dataclasses.replace(own, body=bytes(body)), inbox())
        form = bytearray(gun.body)
        form[signature_at + turn % 60] ^= 1
        with pytest.raises((SignatureError, AnomalousPayloadError)):
            await channel.receive(dataclasses.replace(gun, body=bytes(form)), inbox())


async def test_an_unset_secret_lets_nobody_in(channel: Channel, clock: FrozenClock) -> None:
    by_empty = webhook(signed_mail(mail("new_question"), URL, "", clock.now()))
    with pytest.raises(SignatureError):
        await channel.receive(by_empty, inbox(webhook_secret=""))
    form = mailgun_form(mail("new_question"), URL, "", clock.now(), OURS)
    with pytest.raises(SignatureError):
        await channel.receive(webhook(form), inbox(mailgun_signing_key=""))


async def test_an_empty_body_is_no_mail(channel: Channel, clock: FrozenClock) -> None:
    with pytest.raises(AnomalousPayloadError):
        await channel.receive(signed(b"  \r\n", clock), inbox())


@pytest.mark.parametrize(
    ("headers", "recipient", "expected"),
    [
        (f"To: Lumen <{OURS.upper()}>", None, OURS),
        ("To: a@x.example\r\nDelivered-To: support+cnv.tag@lumen.example", None, OURS),
        ("To: a@x.example", "Support+tag@Lumen.example", OURS),
        ("Cc: support@lumen.example", None, OURS),
        ("Subject: nobody", None, None),
        ("To: undisclosed-recipients:;", None, None),
    ],
)
async def test_locate(
    channel: Channel,
    clock: FrozenClock,
    headers: str,
    recipient: str | None,
    expected: str | None,
) -> None:
    raw = f"From: a@b.example\r\n{headers}\r\n\r\nHi".encode()
    assert channel.locate(signed(raw, clock, recipient)) == expected


@pytest.mark.parametrize("body", [b"", b"\x00\xff" * 500, b"recipient=", b"--x\r\n"])
@pytest.mark.parametrize(
    "kind", ["", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/é"]
)
async def test_locate_survives_anything(channel: Channel, kind: str, body: bytes) -> None:
    request = WebhookRequest("POST", URL, {"content-type": kind}, body)
    assert channel.locate(request) is None
    with pytest.raises((SignatureError, AnomalousPayloadError)):
        await channel.receive(request, inbox())


# ---------------------------------------------------------------- settings


def test_unconfigured_is_off() -> None:
    assert configured(EmailSettings()) == []
    assert configured(EmailSettings.model_validate(SETTINGS)) == [(OURS, "customer")]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"address": ""}, "USHER_EMAIL_ADDRESS"),
        ({"smtp_host": ""}, "USHER_EMAIL_SMTP_HOST"),
        ({"webhook_secret": "", "mailgun_signing_key": ""}, "USHER_EMAIL_WEBHOOK_SECRET"),
        ({"address": "no address"}, "plain address"),
        ({"address": "a+b@c.example"}, "plain address"),
        ({"smtp_username": "u"}, "go together"),
        ({"smtp_username": "u", "smtp_password": "p"}, "unencrypted"),
    ],
)
def test_half_configured_stops_the_start(changes: dict[str, object], named: str) -> None:
    with pytest.raises(MisconfiguredError, match=named):
        configured(EmailSettings.model_validate({**SETTINGS, **changes}))


# ---------------------------------------------------------------- writing


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    server = MailServer()
    await server.start()
    yield server
    await server.stop()


def outbound(**changes: object) -> Outbound:
    base = Outbound(
        id=OutboxId(OUT),
        tenant=TenantId("ten_1"),
        inbox=InboxId("inb_1"),
        channel="email",
        address="ana@acme.example",
        text="Open the **board** and select [Export](https://lumen.example/x?a=1&b=2) <now>.",
        author=Author.BOT,
        kind=MessageKind.REPLY,
        created_at=datetime(2026, 3, 4, 12, 0, tzinfo=UTC),
        conversation_id=CONVERSATION,
        author_name="Usher",
        subject="Re: RE: [#4] Exporting a board",
        thread="<gm-1@mail.acme.example>",
        references=("<new-1@mail.acme.example>", "sha256:abc", f"<{OUT}@lumen.example>"),
    )
    return dataclasses.replace(base, **changes)  # type: ignore[arg-type]


async def test_a_reply_as_it_arrives(channel: Channel, server: MailServer) -> None:
    sent = await channel.deliver(outbound(), inbox(smtp_port=server.port))
    assert sent.provider_id == f"<{OUT}@lumen.example>"
    (got,) = await server.wait("ana@acme.example")
    mail = got.message
    assert got.sender == OURS
    assert {name: mail[name] for name in ("From", "To", "Subject", "Message-ID", "Date")} == {
        "From": "Usher via Lumen Boards <support@lumen.example>",
        "To": "ana@acme.example",
        "Subject": "Re: [#4] Exporting a board",
        "Message-ID": sent.provider_id,
        "Date": "Wed, 04 Mar 2026 12:00:00 +0000",
    }
    assert mail["In-Reply-To"] == "<gm-1@mail.acme.example>"
    assert mail["References"].split() == [
        "<new-1@mail.acme.example>",
        f"<{OUT}@lumen.example>",
        "<gm-1@mail.acme.example>",
    ]
    assert mail["Auto-Submitted"] == "auto-replied"
    plain = mail.get_body(("plain",))
    rich = mail.get_body(("html",))
    assert plain is not None
    assert rich is not None
    assert "Open the board and select Export (https://lumen.example/x?a=1&b=2) <now>." in (
        plain.get_content()
    )
    content = rich.get_content()
    assert "<strong>board</strong>" in content
    assert 'href="https://lumen.example/x?a=1&amp;b=2"' in content
    assert "&lt;now&gt;" in content


async def test_a_person_is_not_automatic_and_choices_are_numbered(
    channel: Channel, server: MailServer
) -> None:
    message = outbound(
        author=Author.CSM,
        author_name="Zoë “Z” Müller",
        subject=None,
        thread=None,
        references=(),
        quick_replies=(QuickReply("Yes", "yes"), QuickReply("No", "no")),
    )
    await channel.deliver(message, inbox(smtp_port=server.port))
    (got,) = await server.wait("ana@acme.example")
    assert got.message["Auto-Submitted"] is None
    assert got.message["In-Reply-To"] is None
    assert got.message["Subject"] == "Lumen Boards"
    assert got.message["From"].addresses[0].display_name == "Zoë “Z” Müller via Lumen Boards"
    plain = got.message.get_body(("plain",))
    assert plain is not None
    assert "1. Yes\r\n2. No" in plain.get_content()


async def test_the_reply_finds_its_conversation(
    channel: Channel, server: MailServer, clock: FrozenClock
) -> None:
    await channel.deliver(outbound(), inbox(smtp_port=server.port))
    (got,) = await server.wait("ana@acme.example")
    reply_to = got.message["Reply-To"].addresses[0].addr_spec
    assert re.fullmatch(rf"support\+{CONVERSATION}\.[a-z2-7]{{10}}@lumen\.example", reply_to)
    raw = f"From: ana@acme.example\r\nTo: <{reply_to.upper()}>\r\nMessage-ID: <r@x>\r\n\r\nThanks"
    assert channel.locate(signed(raw.encode(), clock)) == OURS
    event = await heard(channel, raw.encode(), clock)
    assert event.conversation_id == CONVERSATION

    forged = raw.replace("CNV_0195", "CNV_0196")
    assert (await heard(channel, forged.encode(), clock)).conversation_id is None
    for changed in ({"reply_secret": "other"}, {"reply_secret": ""}):
        assert (await heard(channel, raw.encode(), clock, **changed)).conversation_id is None


async def test_no_secret_no_plus_address(channel: Channel, server: MailServer) -> None:
    await channel.deliver(outbound(), inbox(smtp_port=server.port, reply_secret=""))
    (got,) = await server.wait("ana@acme.example")
    assert got.message["Reply-To"] is None


async def test_invitation(channel: Channel, server: MailServer) -> None:
    event = b"BEGIN:VCALENDAR\r\nMETHOD:CANCEL\r\nEND:VCALENDAR\r\n"
    files = (
        Attachment("invite.ics", "text/calendar", len(event), event),
        Attachment("../evil\r\nX: y.pdf", "application/pdf", 3, b"pdf"),
        Attachment("elsewhere.bin", "text/html; x", 1, None, "https://x.example"),
    )
    await channel.deliver(outbound(attachments=files), inbox(smtp_port=server.port))
    (got,) = await server.wait("ana@acme.example")
    (calendar,) = [p for p in got.message.walk() if p.get_content_type() == "text/calendar"]
    assert calendar.get_param("method") == "CANCEL"
    assert calendar.get_payload(decode=True) == event
    attached = [(a.get_filename(), a.get_content_type()) for a in got.message.iter_attachments()]
    assert attached == [("invite.ics", "application/ics"), ("evilX y.pdf", "application/pdf")]


@pytest.mark.parametrize(
    "inject", ["\r\nBcc: eve@evil.example", "\nBcc: x", "\u2028Bcc: x", "\x00"]
)
async def test_no_header_can_be_injected(channel: Channel, server: MailServer, inject: str) -> None:
    message = outbound(
        author_name=f"Ana{inject}",
        subject=f"Hi{inject}",
        thread=f"<a@b>{inject}",
        references=(f"<c@d>{inject}",),
        locale=f"en{inject}",
    )
    await channel.deliver(message, inbox(smtp_port=server.port))
    (got,) = await server.wait("ana@acme.example")
    assert got.message["Bcc"] is None
    assert got.recipient == "ana@acme.example"
    assert server.to("eve@evil.example") == []
    with pytest.raises(PermanentDeliveryError):
        await channel.deliver(
            outbound(address=f"ana@acme.example{inject}"), inbox(smtp_port=server.port)
        )


@pytest.mark.parametrize("address", ["", "nobody", "a@", "@b", "a b@c.example", "a@b,c@d"])
async def test_no_address_is_permanent(channel: Channel, address: str) -> None:
    with pytest.raises(PermanentDeliveryError):
        await channel.deliver(outbound(address=address), inbox())


async def test_long_chain_is_shortened_from_the_middle(
    channel: Channel, server: MailServer
) -> None:
    chain = tuple(f"<{n}@x.example>" for n in range(60))
    await channel.deliver(outbound(references=chain, thread=None), inbox(smtp_port=server.port))
    (got,) = await server.wait("ana@acme.example")
    references = got.message["References"].split()
    assert len(references) == 20
    assert (references[0], references[-1]) == (chain[0], chain[-1])
    assert got.message["In-Reply-To"] == chain[-1]


async def test_a_retry_is_the_same_mail(channel: Channel, server: MailServer) -> None:
    for attempt in (1, 2):
        await channel.deliver(outbound(attempt=attempt), inbox(smtp_port=server.port))
    first, second = await server.wait("ana@acme.example", 2)
    assert first.message["Message-ID"] == second.message["Message-ID"]


# ---------------------------------------------------------------- failures


@pytest.mark.parametrize(
    ("trouble", "reply", "error"),
    [
        (
            Trouble.REFUSE_RECIPIENT,
            "550 5.1.1 no such user ana@acme.example",
            PermanentDeliveryError,
        ),
        (Trouble.REFUSE_RECIPIENT, "450 4.2.1 try later", RetryableDeliveryError),
        (Trouble.REFUSE_SENDER, "553 5.1.8 no", PermanentDeliveryError),
        (Trouble.REFUSE_SENDER, "530 5.7.0 authentication required", RetryableDeliveryError),
        (Trouble.REFUSE_SENDER, "421 4.3.2 closing", RetryableDeliveryError),
        (Trouble.REFUSE_TEXT, "554 5.7.1 spam", PermanentDeliveryError),
        (Trouble.REFUSE_TEXT, "452 4.3.1 full", RetryableDeliveryError),
        (Trouble.DROP_AFTER_TAKING, "", UnknownOutcomeError),
        (Trouble.DROP_BEFORE_ANSWER, "", UnknownOutcomeError),
    ],
)
async def test_what_a_failure_means(
    channel: Channel,
    server: MailServer,
    trouble: Trouble,
    reply: str,
    error: type[Exception],
) -> None:
    server.fail(trouble, reply)
    with pytest.raises(error) as caught:
        await channel.deliver(outbound(), inbox(smtp_port=server.port))
    assert "ana@" not in str(caught.value)
    server.recover()
    await channel.deliver(outbound(), inbox(smtp_port=server.port))


async def test_a_server_that_hangs_before_the_text_may_be_retried(
    channel: Channel, server: MailServer
) -> None:
    server.fail(Trouble.HANG)
    with pytest.raises(RetryableDeliveryError):
        await channel.deliver(outbound(), inbox(smtp_port=server.port, smtp_timeout=0.2))
    assert server.to("ana@acme.example") == []


async def test_no_server_may_be_retried(channel: Channel, server: MailServer) -> None:
    port = server.port
    await server.stop()
    with pytest.raises(RetryableDeliveryError):
        await channel.deliver(outbound(), inbox(smtp_port=port))


async def test_never_falls_back_to_an_open_line(channel: Channel, server: MailServer) -> None:
    settings = inbox(
        smtp_port=server.port,
        smtp_security="starttls",
        smtp_username="u",
        smtp_password="hush-hush",
    )
    with pytest.raises(RetryableDeliveryError) as caught:
        await channel.deliver(outbound(), settings)
    assert "hush" not in str(caught.value)
    assert server.to("ana@acme.example") == []


async def test_smtp_cannot_be_asked(channel: Channel) -> None:
    with pytest.raises(UnknownOutcomeError):
        await channel.reconcile(outbound(), inbox())
    await channel.close()
