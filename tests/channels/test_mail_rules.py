"""Every rule for mail in, each with mails crafted for it (issue "Email", in its order)."""

import base64

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels._shared.mail_events import Mailbox, event_of
from channels._shared.mail_inspect import describe_mail
from channels._shared.mail_reading import read_mail
from channels._shared.mail_tnef import read_tnef
from channels._shared.mail_tokens import Signer
from core.messages import Assurance, ConsentChange, Event, Ignored, Inbound, Receipt
from tests.channels.mails import OURS, OWN_ID, calendar, mail, parts, winmail, winmail_part

SIGNER = Signer(OURS, "reply-secret")
BOX = Mailbox(OURS, "mx.lumen.example", SIGNER)
TEXT = "Content-Type: text/plain; charset=utf-8\n\n"


def what(raw: bytes) -> Event:
    return event_of(read_mail(raw), raw, BOX)


def heard(raw: bytes) -> Inbound:
    event = what(raw)
    assert isinstance(event, Inbound)
    return event


# ---------------------------------------------------------------- parsing survives anything


@pytest.mark.parametrize(
    ("charset", "data", "text"),
    [
        ("x-unknown-99", "año".encode(), "año"),
        ("us-ascii", "año".encode(), "año"),
        ("utf-8", "año".encode("latin-1"), "año"),
        ("iso-8859-1", "“año”".encode("cp1252"), "“año”"),
        ("gb2312", "镕基".encode("gbk"), "镕基"),
        ("ks_c_5601-1987", "똠방".encode("cp949"), "똠방"),
        ("shift_jis", "①号".encode("cp932"), "①号"),
        ("unicode_escape", b"caf\\u00e9", "caf\\u00e9"),
        ("utf-16", "café".encode("utf-16"), "café"),
        ("", b"\x00\xff", "ÿ"),
    ],
)
def test_charsets_that_lie(charset: str, data: bytes, text: str) -> None:
    head = f"From: a@b.example\r\nContent-Type: text/plain; charset={charset}\r\n".encode()
    coded = b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(data)
    assert heard(head + coded).text == text


@pytest.mark.parametrize(
    "head",
    [
        "From: a@b.example",
        "Date: Thirtieth of Never\r\nFrom: a@b.example",
        "Date: \r\nFrom: a@b.example",
        "From: a@b.example\r\nFrom: c@d.example",
        "From: a@b.example, c@d.example",
        "Sender: a@b.example",
        "From: =?utf-8?Q?Ana?= <a@b.example>\r\nSubject: =?utf-8?B?w6",
    ],
)
def test_no_date_and_two_senders(head: str) -> None:
    event = heard(f"{head}\r\n\r\nHello".encode())
    assert (event.sender, event.text) == ("a@b.example", "Hello")


@pytest.mark.parametrize("name", ["winmail.dat", "WINMAIL.DAT"])
def test_winmail_dat_gives_its_text_and_files(name: str) -> None:
    data = winmail("The plan is attached.", {"../Plan Q3.pdf": b"%PDF-1.7", "b.png": b"\x89PNG"})
    raw = parts("mixed", winmail_part(data).replace("winmail.dat", name))
    event = heard(raw)
    assert event.text == "The plan is attached."
    assert [(a.name, a.content_type, a.data) for a in event.attachments] == [
        ("Plan Q3.pdf", "application/pdf", b"%PDF-1.7"),
        ("b.png", "image/png", b"\x89PNG"),
    ]


def test_a_text_beside_winmail_dat_counts_and_a_broken_one_stays_a_file() -> None:
    event = heard(parts("mixed", f"{TEXT}Beside.", winmail_part(b"no winmail")))
    assert event.text == "Beside."
    assert [(a.name, a.data) for a in event.attachments] == [("winmail.dat", b"no winmail")]


@pytest.mark.parametrize("cut", range(0, 400, 7))
def test_winmail_dat_cut_anywhere(cut: int) -> None:
    data = winmail("The plan.", {"a.pdf": b"%PDF" * 20})
    assert len(read_tnef(data[:cut]).files) <= 1


@given(st.binary(max_size=600))
def test_any_bytes_behind_the_mark_of_winmail_dat(tail: bytes) -> None:
    read_tnef(b"\x78\x9f\x3e\x22\x01\x00" + tail)


def test_a_nested_mail_is_a_file_and_its_text_is_not_the_senders() -> None:
    inner = "From: boss@b.example\nSubject: Inner\n\nPay the invoice."
    event = heard(parts("mixed", f"{TEXT}See below.", f"Content-Type: message/rfc822\n\n{inner}"))
    assert event.text == "See below."
    (file,) = event.attachments
    assert (file.name, file.content_type) == ("attachment-1.eml", "message/rfc822")
    assert b"Pay the invoice." in (file.data or b"")


@pytest.mark.parametrize(
    ("part", "text", "answer", "is_automatic"),
    [
        (calendar("ACCEPTED"), "Accepted: Onboarding, part 1", "accepted", True),
        (calendar("DECLINED"), "Declined: Onboarding, part 1", "declined", True),
        (calendar("TENTATIVE"), "Tentative: Onboarding, part 1", "tentative", True),
        (
            calendar("DECLINED", "Can we do Friday?"),
            "Declined: Onboarding, part 1\n\nCan we do Friday?",
            "declined",
            False,
        ),
    ],
)
def test_calendar_replies(part: str, text: str, answer: str, is_automatic: bool) -> None:
    event = heard(parts("alternative", f"{TEXT}", part))
    assert (event.text, event.automatic) == (text, is_automatic)
    assert event.metadata["calendar"] == answer
    assert event.metadata["calendar_uid"] == "ord_1@lumen.example"


def test_words_beside_a_calendar_reply_are_answered() -> None:
    event = heard(parts("alternative", f"{TEXT}Sorry, I am ill. Friday?", calendar("DECLINED")))
    assert event.text == "Declined: Onboarding, part 1\n\nSorry, I am ill. Friday?"
    assert not event.automatic


def test_an_invitation_is_no_answer() -> None:
    event = heard(parts("mixed", f"{TEXT}Join us.", calendar("NEEDS-ACTION", method="REQUEST")))
    assert (event.text, event.automatic) == ("Join us.", False)
    assert "calendar" not in event.metadata


def test_inline_images_are_kept_and_marked() -> None:
    image = "Content-Type: image/png; name=shot.png\nContent-ID: <shot@x>\n{}\n\nPNG"
    event = heard(
        parts(
            "related",
            "Content-Type: text/html\n\n<p>Look: <img src='cid:shot@x'></p>",
            image.format("Content-Disposition: inline; filename=shot.png"),
            image.format("Content-Disposition: attachment; filename=other.png"),
            "Content-Type: application/pdf; name=a.pdf\nContent-ID: <a@x>\n\n%PDF",
        )
    )
    assert event.text == "Look:"
    assert [(a.name, a.inline) for a in event.attachments] == [
        ("shot.png", True),
        ("other.png", False),
        ("a.pdf", False),
    ]


# ---------------------------------------------------------------- who wrote


def authentic(*results: str) -> tuple[str, ...]:
    return tuple(f"Authentication-Results: {result}" for result in results)


@pytest.mark.parametrize(
    ("headers", "assurance", "authentication"),
    [
        (authentic("mx.lumen.example; dmarc=pass header.from=b.example"), "proven", "pass"),
        (authentic("mx.lumen.example; dmarc=fail header.from=b.example"), "claimed", "fail"),
        (authentic("mx.lumen.example; dkim=pass header.d=b.example"), "proven", "pass"),
        (
            authentic("mx.lumen.example; dkim=pass header.d=b.example; dmarc=none"),
            "proven",
            "pass",
        ),
        (authentic("mx.lumen.example; dkim=pass header.d=esp.example"), "claimed", "none"),
        (authentic("mx.lumen.example; dkim=pass header.d=evilb.example"), "claimed", "none"),
        (authentic("mx.lumen.example; dkim=fail header.d=b.example"), "claimed", "none"),
        (
            authentic(
                "mx.lumen.example; dkim=pass header.d=b.example; dmarc=fail header.from=b.example"
            ),
            "claimed",
            "fail",
        ),
        (authentic("mx.lumen.example; spf=pass smtp.mailfrom=b.example"), "claimed", "none"),
        (
            authentic("mx.lumen.example; dmarc=temperror header.from=b.example"),
            "claimed",
            "none",
        ),
        # another server's word, above or below ours
        (authentic("mx.evil.example; dmarc=pass header.from=b.example"), "claimed", "none"),
        (
            authentic(
                "mx.lumen.example; dmarc=fail header.from=b.example",
                "mx.lumen.example; dmarc=pass header.from=b.example",
            ),
            "claimed",
            "fail",
        ),
        (
            authentic(
                "relay.example; dmarc=fail header.from=b.example",
                "mx.lumen.example; dmarc=pass header.from=b.example",
            ),
            "proven",
            "pass",
        ),
        # what a chain of forwarders says (ARC) is not our server's word
        (
            (
                "ARC-Authentication-Results: i=1; mx.lumen.example; dmarc=pass header.from=b.example",
                "ARC-Seal: i=1; cv=none; a=rsa-sha256; d=evil.example; b=AA==",
            ),
            "claimed",
            "none",
        ),
        # alignment: the domain that passed must be the sender's
        (authentic("mx.lumen.example; dmarc=pass header.from=evil.example"), "claimed", "none"),
        (authentic("mx.lumen.example; dmarc=pass header.from=mail.b.example"), "claimed", "none"),
        (authentic("mx.lumen.example; dmarc=pass"), "claimed", "none"),
        (
            authentic("mx.lumen.example.evil.example; dmarc=pass header.from=b.example"),
            "claimed",
            "none",
        ),
        (authentic("mx.lumen.example/x; dmarc=pass header.from=b.example"), "claimed", "none"),
    ],
)
def test_only_our_own_servers_verdict_counts(
    headers: tuple[str, ...], assurance: str, authentication: str
) -> None:
    event = heard(mail("Hi", *headers))
    assert event.assurance is Assurance(assurance)
    assert event.metadata["authentication"] == authentication


NAMED = SIGNER.reply_address("cnv_1234abcd") or ""
PASS = "Authentication-Results: mx.lumen.example; dmarc=pass header.from=b.example"
FAIL = "Authentication-Results: mx.lumen.example; dmarc=fail header.from=b.example"


@pytest.mark.parametrize(
    ("verdict", "conversation", "reply_to"),
    [
        (PASS, "cnv_1234abcd", "else@where.example"),
        ("X-Nothing: 1", "cnv_1234abcd", None),
        (FAIL, None, "else@where.example"),
    ],
)
def test_a_failing_mail_is_anonymous(
    verdict: str, conversation: str | None, reply_to: str | None
) -> None:
    event = heard(mail("Hi", verdict, f"Delivered-To: {NAMED}", "Reply-To: else@where.example"))
    assert (event.conversation_id, event.reply_to) == (conversation, reply_to)


# ---------------------------------------------------------------- machines


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        (("Auto-Submitted: auto-replied",), "auto_submitted"),
        (("Auto-Submitted: auto-generated (cron)",), "auto_submitted"),
        (("X-Auto-Response-Suppress: All",), None),
        (("X-Auto-Response-Suppress: OOF", "Subject: A question"), None),
        (("X-Auto-Response-Suppress: All", "Subject: Abwesenheitsnotiz: Hallo"), "suppress"),
        (("List-Id: <x.b.example>",), "list"),
        (("List-Unsubscribe: <mailto:u@b.example>",), "list"),
        (("List-Unsubscribe: <mailto:u@b.example>", f"References: {OWN_ID}"), None),
        (("Precedence: list",), "precedence"),
        (("Precedence: first-class",), None),
        (("X-Autoresponder: yes",), "auto_reply"),
        (("Delivered-To: Autoresponder",), "auto_reply"),
        (("Return-Path: <>",), "no_return"),
        (("X-Failed-Recipients: c@d.example",), "failed_recipients"),
    ],
)
def test_machines_are_recorded_and_never_answered(
    headers: tuple[str, ...], reason: str | None
) -> None:
    event = heard(mail("Hi", *headers))
    assert event.metadata.get("automatic") == reason
    assert event.automatic is (reason is not None)


@pytest.mark.parametrize("sender", [OURS, "Support+x@Lumen.Example"])
def test_a_mail_under_our_own_address_is_recorded(sender: str) -> None:
    event = heard(mail("A colleague wrote this by hand.", sender=sender))
    assert (event.automatic, event.metadata["automatic"]) == (True, "own_address")


def test_our_own_mail_that_comes_back_is_known_already() -> None:
    raw = mail("x").replace(b"<1@b.example>", OWN_ID.encode())
    assert what(raw) == Ignored("own_mail")


def report(*blocks: str, to: str = "ana@acme.example", original: str = OWN_ID) -> bytes:
    status = "Reporting-MTA: dns; mx.acme.example\n\n" + "\n\n".join(blocks)
    return parts(
        "report; report-type=delivery-status",
        f"{TEXT}Your mail had no luck.",
        f"Content-Type: message/delivery-status\n\n{status}",
        f"Content-Type: text/rfc822-headers\n\nFrom: {OURS}\nTo: {to}\nMessage-ID: {original}",
        headers="Return-Path: <>\nAuto-Submitted: auto-replied\n",
    )


def block(action: str, status: str, recipient: str = "ana@acme.example") -> str:
    return f"Final-Recipient: rfc822; {recipient}\nAction: {action}\nStatus: {status}"


@pytest.mark.parametrize(
    ("raw", "event"),
    [
        (report(block("failed", "5.1.1")), Receipt(OWN_ID, "failed", "5.1.1")),
        (report(block("delayed", "4.4.1")), Ignored("delivery_delayed")),
        (report(block("delivered", "2.0.0")), Receipt(OWN_ID, "delivered")),
        (report(block("relayed", "2.0.0")), Ignored("delivery_relayed")),
        (
            report(block("delivered", "2.0.0", "bo@acme.example"), block("failed", "5.2.2")),
            Receipt(OWN_ID, "failed", "5.2.2"),
        ),
        # only the copy of somebody in Cc was lost
        (report(block("failed", "5.1.1", "bo@acme.example")), Ignored("delivery_failed_copy")),
    ],
)
def test_delivery_reports_are_delivery_status(raw: bytes, event: Event) -> None:
    assert what(raw) == event


QMAIL = (
    "Hi. This is the qmail-send program at mx.acme.example.\nI'm afraid I wasn't able to deliver your message.\n\n"
    "<ana@acme.example>:\n192.0.2.1 failed after I sent the message.\nRemote host said: 550 5.1.1 no such user\n\n"
    f"--- Below this line is a copy of the message.\n\nReturn-Path: <{OURS}>\nMessage-ID: {{}}\n\nText"
)


@pytest.mark.parametrize(
    ("subject", "body", "event"),
    [
        ("failure notice", QMAIL.format(OWN_ID), Receipt(OWN_ID, "failed", "5.1.1")),
        (
            "Mail delivery failed: returning message to sender",
            f"Message-ID: {OWN_ID}",
            Receipt(OWN_ID, "failed"),
        ),
        ("Unzustellbar: Re: Export", f"Message-ID: {OWN_ID}", Receipt(OWN_ID, "failed")),
        (
            "Warning: could not send message for past 4 hours",
            f"Will keep trying. {OWN_ID}",
            Ignored("delivery_delayed"),
        ),
    ],
)
def test_bounces_without_a_form_are_known_by_our_message_id(
    subject: str, body: str, event: Event
) -> None:
    raw = mail(body, f"Subject: {subject}", sender="MAILER-DAEMON@mx.acme.example")
    assert what(raw) == event


@pytest.mark.parametrize(
    ("headers", "sender"),
    [
        (("Subject: failure notice",), "ana@acme.example"),
        (("Subject: Automatic reply: Export", "Return-Path: <>"), "ana@acme.example"),
    ],
)
def test_nobody_else_can_fail_a_mail_of_ours(headers: tuple[str, ...], sender: str) -> None:
    assert isinstance(what(mail(f"Message-ID: {OWN_ID}", *headers, sender=sender)), Inbound)


def test_a_bounce_of_anothers_mail_is_only_recorded() -> None:
    raw = mail(
        QMAIL.format("<x@elsewhere.example>"),
        "Subject: failure notice",
        sender="mailer-daemon@b.example",
    )
    assert heard(raw).automatic


# ---------------------------------------------------------------- to be left alone


@pytest.mark.parametrize(("sender", "granted"), [("a@b.example", False), ("eve@b.example", None)])
def test_a_mail_to_the_stop_address_ends_mails_to_its_owner_only(
    sender: str, granted: bool | None
) -> None:
    address = SIGNER.stop_address("A@b.example")
    event = what(mail("", f"Delivered-To: {address}", "Subject: unsubscribe", sender=sender))
    assert getattr(event, "granted", None) is granted
    assert isinstance(event, Inbound | ConsentChange)


# ---------------------------------------------------------------- others who read along


def test_who_else_got_it() -> None:
    raw = mail("Hi", "Cc: Bo <bo@acme.example>, support+x@lumen.example, a@b.example").replace(
        f"To: {OURS}".encode(), f"To: {OURS}, cy@else.example".encode()
    )
    assert heard(raw).cc == ("cy@else.example", "bo@acme.example")


# ---------------------------------------------------------------- whatever comes


PIECES = [
    b"From: a@b.example\r\n", b"To: x@y.example\r\n", b"Content-Type: multipart/mixed; boundary=E\r\n",
    b"Content-Type: message/rfc822\r\n", b"Content-Type: text/html; charset=utf-16\r\n", b"\r\n", b"--E\r\n", b"--E--",
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=E\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Type: message/delivery-status\r\n", b"Action: failed\r\n", b"Authentication-Results: mx.lumen.example; ",
    b"dmarc=pass header.from=", b"((((", b"=?utf-8?Q?", b"\x00\xff", b"Content-Type: text/calendar\r\n",
    b"METHOD:REPLY\r\n",
    b"Content-Type: application/ms-tnef\r\n", b"\x78\x9f\x3e\x22", b"Subject: Re:", b"> ",
    b"On 1.1.2026 10:00 x@y.z wrote:\r\n",
    b"Content-Disposition: attachment; filename*0*=utf-8''%ff\r\n", b"<div style='display:none'><blockquote type=cite>",
]  # fmt: skip


@settings(max_examples=300, deadline=2_000, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=40), max_size=40))
def test_no_mail_breaks_the_reading(pieces: list[bytes]) -> None:
    raw = b"".join(pieces)
    assert isinstance(what(raw), Inbound | Ignored | Receipt | ConsentChange)
    assert describe_mail(raw, "mx.lumen.example", OURS, "s")["external_id"]


# ---------------------------------------------------------------- looking from outside


def test_a_mail_described() -> None:
    raw = mail(
        "And on Pro?\n\n-- \nAna\n\nOn Wed, Mar 4, 2026 at 12:01 PM Usher <support@lumen.example> wrote:\n> Yes.",
        PASS, f"References: {OWN_ID}", "Subject: Re: Export", f"Delivered-To: {NAMED}",
    )  # fmt: skip
    found = describe_mail(raw, "mx.lumen.example", OURS, "reply-secret")
    assert {
        key: found[key]
        for key in ("text", "signature", "thread", "sender", "automatic", "attachments", "becomes")
    } == {
        "text": "And on Pro?",
        "signature": "--\nAna",
        "thread": {"references": [OWN_ID], "conversation": "cnv_1234abcd"},
        "sender": {"assurance": "proven", "authentication": "pass"},
        "automatic": {"is_automatic": False, "reason": None},
        "attachments": [],
        "becomes": "Inbound",
    }


FROM = b"From: a@b.example\r\nMessage-ID: <1@b.example>\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        FROM + b"To: " + b"a@b.example, " * 40_000 + b"\r\n\r\nwords",
        FROM + b"To: a@b.example\r\n" * 20_000 + b"\r\nwords",
        FROM + b"Subject: " + b"=?utf-8?q?a?= " * 40_000 + b"\r\n\r\nwords",
        FROM + b"References: " + b"<a@b> " * 100_000 + b"\r\n\r\nwords",
        FROM + b"Content-Type: text/plain; " + b"a=b; " * 50_000 + b"\r\n\r\nwords",
        FROM + b"Content-Type: multipart/mixed; boundary=E\r\n\r\n" + b"--E\r\n\r\nx\r\n" * 100_000,
    ],
    ids=["recipients", "headers", "encoded words", "references", "parameters", "parts"],
)
def test_what_takes_the_standard_parser_minutes_is_cut_short(raw: bytes) -> None:
    """Each of these costs it the square of its length; the run's own time limit is the check."""
    assert heard(raw).sender == "a@b.example"
