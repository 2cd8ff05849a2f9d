"""Our own mails as they leave: headers, frame, copies, the way out of unasked ones, three automatic ones a day."""

import asyncio
import html
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

import pytest

from app.simulator.mail_server import MailServer, Trouble
from channels.email import CHANNEL
from core.clock import FrozenClock
from core.contracts import Channel, WebhookRequest
from core.errors import PermanentDeliveryError, RetryableDeliveryError
from core.ids import OutboxId
from core.messages import Author, ConsentChange, MessageKind, Outbound
from tests.channels.mails import mail
from tests.channels.serving import MemoryState, channel_context
from tests.channels.test_email import OURS, inbox, outbound, signed

ANA, BO = "ana@acme.example", "bo@acme.example"


@pytest.fixture
def state() -> MemoryState:
    return MemoryState()


@pytest.fixture
def channel(clock: FrozenClock, state: MemoryState) -> Channel:
    return CHANNEL.build(channel_context(clock, state))


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    server = MailServer()
    await server.start()
    yield server
    await server.stop()


async def sent(
    channel: Channel, server: MailServer, message: Outbound, **changes: object
) -> EmailMessage:
    await channel.deliver(message, inbox(smtp_port=server.port, **changes))
    return server.to(message.address)[-1].message


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def numbered(number: int, **changes: object) -> Outbound:
    return outbound(id=OutboxId(f"out_{number:032x}"), **changes)


# ---------------------------------------------------------------- who writes, and that a machine does


@pytest.mark.parametrize(
    ("changes", "header", "by", "foot"),
    [
        ({}, "auto-replied", "Usher · AI assistant", "Usher is the AI assistant of Lumen Boards"),
        ({"locale": "es"}, "auto-replied", "Usher · asistente de IA", "Usher es el asistente de IA de Lumen Boards"),
        (
            {"author": Author.SYSTEM, "author_name": None, "thread": None, "references": ()},
            "auto-generated", "", "Lumen Boards sent this mail automatically",
        ),
        ({"author": Author.CSM, "author_name": "Maya"}, None, "Maya", "Maya writes for Lumen Boards"),
    ],
    ids=["bot", "spanish", "system", "person"],
)  # fmt: skip
async def test_every_mail_says_who_wrote_it(
    channel: Channel,
    server: MailServer,
    changes: dict[str, object],
    header: str | None,
    by: str,
    foot: str,
) -> None:
    got = await sent(channel, server, outbound(**changes))
    assert got["Auto-Submitted"] == header
    assert got["List-Unsubscribe"] is None, "an answer is nothing to unsubscribe from"
    plain, page = body(got, "plain"), body(got, "html")
    assert foot in plain.partition("\n-- \n")[2]
    assert html.escape(foot) in page
    assert by in page


async def test_the_page_is_tables_with_styles_in_place(
    channel: Channel, server: MailServer
) -> None:
    page = body(
        await sent(channel, server, outbound(text="Do **this**:\n\n- one\n- two\n\n`x` <b>")),
        "html",
    )
    assert '<html lang="en">' in page
    assert 'name="color-scheme" content="light dark"' in page
    assert "prefers-color-scheme:dark" in page
    assert page.count('<table role="presentation"') == page.count("<table")
    assert "<script" not in page
    assert "&lt;b&gt;" in page
    assert re.search(r'<li style="[^"]+">one', page)
    assert re.search(r"display:none[^>]*>Do this:", page), "the line clients show under the subject"
    assert not re.search(r'(?:src|background)="?https?:', page), "nothing is fetched from anywhere"


async def test_a_hostile_brand_or_name_is_only_text(channel: Channel, server: MailServer) -> None:
    got = await sent(
        channel,
        server,
        outbound(author_name='<img src=x onerror="1">'),
        display_name='"><script>alert(1)</script>',
    )
    page = body(got, "html")
    assert "<script" not in page
    assert "<img" not in page


# ---------------------------------------------------------------- copies


async def test_copies_go_to_each_and_stand_in_cc(channel: Channel, server: MailServer) -> None:
    got = await sent(channel, server, outbound(cc=(BO, ANA, BO.upper())))
    assert (got["To"], got["Cc"], got["Bcc"]) == (ANA, BO, None)
    assert [m.message["Message-ID"] for m in server.to(BO)] == [got["Message-ID"]]


async def test_what_is_private_has_no_copies(channel: Channel, server: MailServer) -> None:
    got = await sent(channel, server, outbound(cc=(BO,), private=True))
    assert got["Cc"] is None
    assert server.to(BO) == []


async def test_a_refused_copy_does_not_hold_up_the_mail(
    channel: Channel, server: MailServer
) -> None:
    server.refuse = {BO}
    await sent(channel, server, outbound(cc=(BO, "cy@acme.example")))
    assert [len(server.to(a)) for a in (ANA, BO, "cy@acme.example")] == [1, 0, 1]


# ---------------------------------------------------------------- three a day


async def test_the_fourth_automatic_mail_of_a_day_goes_to_a_person(
    channel: Channel, server: MailServer, clock: FrozenClock
) -> None:
    for number in range(3):
        await sent(channel, server, numbered(number))
    with pytest.raises(PermanentDeliveryError, match="a person must go on"):
        await sent(channel, server, numbered(3))
    await sent(channel, server, numbered(4, author=Author.CSM))
    await sent(channel, server, numbered(5, address=BO))
    assert (len(server.to(ANA)), len(server.to(BO))) == (4, 1)
    clock.advance(timedelta(hours=24))
    await sent(channel, server, numbered(6))


async def test_a_repeated_attempt_counts_once(channel: Channel, server: MailServer) -> None:
    server.fail(Trouble.REFUSE_TEXT, "451 4.3.0 later")
    for _ in range(5):
        with pytest.raises(RetryableDeliveryError):
            await sent(channel, server, numbered(1))
    server.recover()
    for number in (1, 2, 3):
        await sent(channel, server, numbered(number))
    with pytest.raises(PermanentDeliveryError):
        await sent(channel, server, numbered(4))


@pytest.mark.parametrize(
    "changes",
    [{"thread": None, "references": ()}, {"purpose": "reminder"}],
    ids=["an invitation", "unasked"],
)
async def test_what_answers_no_mail_is_not_counted(
    channel: Channel, server: MailServer, changes: dict[str, object]
) -> None:
    for number in range(5):
        await sent(channel, server, numbered(number, **changes))
    assert len(server.to(ANA)) == 5


async def test_the_count_outlives_a_restart_and_a_rush(
    clock: FrozenClock, state: MemoryState, server: MailServer
) -> None:
    first, second = (CHANNEL.build(channel_context(clock, state)) for _ in range(2))
    await sent(first, server, numbered(0))
    rush = (sent(second, server, numbered(number)) for number in range(1, 9))
    ended = await asyncio.gather(*rush, return_exceptions=True)
    assert sum(isinstance(end, PermanentDeliveryError) for end in ended) == 6
    assert len(server.to(ANA)) == 3
    assert "ana@" not in repr(state.rows)


# ---------------------------------------------------------------- the way out of unasked mail

UNASKED = {
    "purpose": "survey",
    "thread": None,
    "references": (),
    "kind": MessageKind.NOTICE,
    "author": Author.SYSTEM,
}


def unasked(**changes: object) -> Outbound:
    return outbound(**{**UNASKED, **changes})


def opened(link: str, method: str, **headers: str) -> WebhookRequest:
    form = {"content-type": "application/x-www-form-urlencoded"}
    return WebhookRequest(method, link, {**form, **headers}, b"List-Unsubscribe=One-Click")


async def link_of(channel: Channel, server: MailServer) -> tuple[str, EmailMessage]:
    got = await sent(channel, server, unasked(), public_url="https://help.lumen.example")
    found = re.match(
        r"<(https://[^>]+)>, <mailto:([^?>]+)\?subject=unsubscribe>$", got["List-Unsubscribe"]
    )
    assert found is not None
    return found[1], got


async def test_unasked_mail_can_be_ended_with_one_click(
    channel: Channel, server: MailServer
) -> None:
    link, got = await link_of(channel, server)
    assert got["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link.replace("&", "&amp;") in body(got, "html")
    assert "ana" not in link, "the link says nothing about whom it was sent to"
    request = opened(link, "POST")
    assert channel.locate(request) == OURS
    received = await channel.receive(request, inbox())
    (change,) = received.events
    assert isinstance(change, ConsentChange)
    assert (change.sender, change.granted, change.provider_answered) == (ANA, False, True)
    assert received.reply.status == 200
    assert b"no more mails like this" in received.reply.body


async def test_opening_the_link_changes_nothing(channel: Channel, server: MailServer) -> None:
    link, _ = await link_of(channel, server)
    received = await channel.receive(opened(link, "GET", **{"accept-language": "es-ES"}), inbox())
    assert received.events == ()
    assert b'<form method="post">' in received.reply.body
    assert "¿Quieres".encode() in received.reply.body


async def test_a_link_that_is_not_ours_ends_nothing(channel: Channel, server: MailServer) -> None:
    link, _ = await link_of(channel, server)
    parts = urlsplit(link)
    token = parts.query.rpartition("=")[2]
    for at in range(0, len(token), 7):
        bent = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        request = opened(link.replace(token, bent), "POST")
        received = await channel.receive(request, inbox())
        assert (received.events, received.reply.status) == ((), 403)
    other = await channel.receive(opened(link, "POST"), inbox(reply_secret="another"))
    assert (other.events, other.reply.status) == ((), 403)


async def test_long_ids_and_links_stay_what_they_are_on_the_wire(
    channel: Channel, server: MailServer
) -> None:
    """Outlook's Message-IDs are longer than a line; a client reads them as they stand or not at all."""
    ids = [f"<{'AM0PR05MB' * 9}{n}@AM0PR05MB4545.eurprd05.prod.outlook.com>" for n in (1, 2)]
    message = outbound(thread=ids[1], references=(ids[0],), purpose="survey")
    await sent(channel, server, message, public_url="https://help.lumen.example")
    raw = server.to(ANA)[-1].raw
    assert f"In-Reply-To: {ids[1]}\r\n".encode() in raw
    assert f"References: {ids[0]}\r\n {ids[1]}\r\n".encode() in raw
    assert re.search(rb"\r\nList-Unsubscribe: <https://[^>\s]+>,\r\n <mailto:[^>\s]+>\r\n", raw)
    assert max(map(len, raw.split(b"\r\n"))) < 998


async def test_the_stop_address_works_without_a_public_url(
    channel: Channel, server: MailServer, clock: FrozenClock
) -> None:
    got = await sent(channel, server, unasked())
    found = re.fullmatch(r"<mailto:([^?>]+)\?subject=unsubscribe>", got["List-Unsubscribe"])
    assert found is not None
    assert got["List-Unsubscribe-Post"] is None
    raw = mail("", "Subject: unsubscribe", f"Delivered-To: {found[1]}", sender=ANA)
    (event,) = (await channel.receive(signed(raw, clock), inbox())).events
    assert isinstance(event, ConsentChange)
    assert (event.sender, event.granted) == (ANA, False)


@pytest.mark.parametrize("purpose", ["resend", "correction"])
async def test_what_stands_in_for_an_answer_cannot_be_ended(
    channel: Channel, server: MailServer, purpose: str
) -> None:
    got = await sent(
        channel, server, unasked(purpose=purpose), public_url="https://help.lumen.example"
    )
    assert got["List-Unsubscribe"] is None


async def test_without_a_secret_there_is_no_way_out_to_forge(
    channel: Channel, server: MailServer
) -> None:
    got = await sent(channel, server, unasked(), reply_secret="")
    assert got["List-Unsubscribe"] is None


# ---------------------------------------------------------------- examined


async def test_smtp_examined(channel: Any, server: MailServer) -> None:
    (good, *_) = await channel.examine(inbox(smtp_port=server.port))
    assert good.ok
    server.fail(Trouble.REFUSE_SENDER, "553 5.1.8 not yours")
    (refused, *_) = await channel.examine(inbox(smtp_port=server.port))
    assert (refused.ok, "(553)" in refused.sentence) == (False, True)
    port = server.port
    await server.stop()
    (gone, *rest) = await channel.examine(inbox(smtp_port=port, authserv_id="", reply_secret=""))
    assert not gone.ok
    assert [finding.ok for finding in rest] == [False, False, True]
