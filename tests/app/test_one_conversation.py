"""A talk over web chat, text and mail as one conversation, with a session booked in it, on both databases."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar

from app.simulator import people
from app.simulator.mailbox import Letter
from app.store import models
from tests.app.app_server import Server, running_app

PHONE, MAIL = "+34910550188", "lena@globex.example"
LENA = {"email": MAIL, "phone": PHONE, "name": "Lena Vidal"}
# "tomorrow at 15:00" said in Madrid on Wednesday the 4th of March
STARTS = datetime(2026, 3, 5, 14, 0, tzinfo=UTC)


async def text(server: Server, said: str) -> str:
    """Send a text from Lena's phone and return what comes back."""
    before = len(received(server))
    await server.simulator.text(PHONE, said)
    await server.until(lambda: len(received(server)) > before)
    return str(received(server)[-1].body)


def received(server: Server) -> list[Any]:
    return [m for m in server.simulator.phone(PHONE) if m.to == PHONE]


def mailbox(server: Server) -> list[Letter]:
    return [letter for letter in server.simulator.mailbox(MAIL) if letter.incoming]


async def start_on_the_web(server: Server) -> dict[str, Any]:
    """Ask and begin to book on web chat; returns the answer that was given from the docs."""
    async with server.tab() as tab:
        who = server.identity("lena", **LENA)
        assert (await tab.hello(server.simulator.widget_key, who))["type"] == "welcome"
        answer = await tab.ask("How do I export a board?")
        asked = await tab.ask("I'd like to book an onboarding session")
        assert "Which day suits you" in asked["text"]
    return answer


async def book_by_text(server: Server) -> str:
    """Go on booking from the phone; returns the confirmation."""
    assert "Which city or time zone" in await text(server, "tomorrow at 15:00 please")
    assert "15:00" in await text(server, "Madrid")
    return await text(server, "yes")


async def test_web_then_text_then_mail_is_one_conversation_with_a_session_in_it(
    database_url: str,
) -> None:
    async with running_app(database_url) as server:
        await whole_talk(server)


async def test_the_same_talk_understood_and_answered_by_the_real_encoder(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with running_app(sqlite_url, knowledge=None, var_dir=tmp_path) as server:
        await server.bring_in_pages()
        await whole_talk(server)


async def whole_talk(server: Server) -> None:
    """Question and booking on the web, the time and the yes by text, thanks and a question by mail."""
    answer = await start_on_the_web(server)
    assert "Open the board and select Export" in answer["text"]
    assert [c["document"] for c in answer["citations"]] == ["boards/export.md"]

    confirmed = await book_by_text(server)
    assert "Booked: Onboarding session" in confirmed
    assert "15:00" in confirmed
    assert {m.from_ for m in received(server)} == {people.OUR_NUMBER}

    (booking,) = await server.rows(models.bookings)
    assert (booking.starts_at, booking.status) == (STARTS, "booked")
    assert booking.ends_at == STARTS + timedelta(minutes=45)
    # a quarter of an hour each, with the buffers before and after
    cells = await server.rows(models.booking_cells, booking_id=booking.id)
    assert len(cells) == 5

    (delivered,) = await server.simulator.mails.wait(MAIL)
    event = await invitation(delivered.message, server)
    assert event["DTSTART"].dt.astimezone(UTC) == STARTS
    assert event["DTEND"].dt.astimezone(UTC) == STARTS + timedelta(minutes=45)
    assert str(event["UID"]).startswith(booking.id)
    assert MAIL in str(event["ATTENDEE"])

    letter = mailbox(server)[0]
    await server.simulator.mail(MAIL, "", "Thank you! How do I invite my team?", answers=letter)
    reply = (await server.simulator.mails.wait(MAIL, 2))[1].message
    assert "choose People, and select Invite" in str(reply.get_body(("plain",)))
    assert reply["To"].addresses[0].addr_spec == MAIL

    await server.settled()
    (conversation,) = await server.rows(models.conversations)
    said = await server.rows(models.messages, direction="in")
    assert [m.channel for m in said] == ["web", "web", "sms", "sms", "sms", "email"]
    assert {m.conversation_id for m in said} == {conversation.id} == {booking.conversation_id}
    assert [m.seq for m in await server.rows(models.messages)] == list(
        range(1, conversation.seq + 1)
    )
    who = await server.rows(models.identities, contact_id=conversation.contact_id)
    proven = {(i.kind, i.value) for i in who if i.assurance == "proven"}
    assert {("phone", PHONE), ("email", MAIL)} <= proven


async def invitation(message: Any, server: Server) -> Any:
    """Return the event of the mail's only calendar file, which asks for an answer."""
    files = [p for p in message.walk() if p.get_content_type() == "text/calendar"]
    assert files, "no calendar file in the mail"
    calendar = Calendar.from_ical(files[0].get_payload(decode=True))
    assert str(calendar["METHOD"]) == "REQUEST"
    assert files[0].get_param("method") in ("REQUEST", None)
    (event,) = calendar.walk("VEVENT")
    return event


@pytest.mark.parametrize("is_known_by_reference", [True, False])
async def test_a_mail_proven_by_its_domain_joins_also_as_a_new_mail(
    database_url: str, is_known_by_reference: bool
) -> None:
    async with running_app(database_url) as server:
        await start_on_the_web(server)
        await book_by_text(server)
        await server.simulator.mails.wait(MAIL)
        answers = [*mailbox(server), None][1 - is_known_by_reference]
        await server.simulator.mail(MAIL, "Inviting", "How do I invite my team?", answers=answers)
        await server.simulator.mails.wait(MAIL, 2)
        assert len(await server.rows(models.conversations)) == 1


async def test_a_mail_nobody_vouches_for_joins_nothing_and_learns_nothing(
    database_url: str,
) -> None:
    async with running_app(database_url) as server:
        await start_on_the_web(server)
        await book_by_text(server)
        await server.simulator.mails.wait(MAIL)
        (real,) = await server.rows(models.conversations)
        before = real.seq
        world = server.simulator
        await world.mail(MAIL, "My session", "What do you know about me?", authenticated=False)
        await world.mails.wait(MAIL, 2)
        await world.mail(MAIL, "My session", "When is my session?", authenticated=False)
        # the thread's ids may have leaked; without our signed address they open nothing
        stranger = Letter(
            "x", MAIL, server.clock.now(), without_reply_address(mailbox(server)[0]), True
        )
        await world.mail(MAIL, "", "Export?", answers=stranger, authenticated=False)
        await world.mails.wait(MAIL, 4)
        await server.settled()

        talks = await server.rows(models.conversations)
        others = [talk for talk in talks if talk.id != real.id]
        assert {talk.contact_id for talk in others}.isdisjoint({real.contact_id})
        (now,) = await server.rows(models.conversations, id=real.id)
        assert now.seq == before
        answers = [
            m.text
            for talk in others
            for m in await server.rows(models.messages, conversation_id=talk.id, direction="out")
        ]
        assert len(answers) == 3
        assert not any("15:00" in answer or "Onboarding" in answer for answer in answers)


def without_reply_address(letter: Letter) -> bytes:
    """Return the mail as somebody might rebuild it who knows its ids only."""
    ids = (
        f"From: {people.OUR_ADDRESS}\r\nMessage-ID: {letter.message_id}\r\nSubject: x\r\n\r\nx\r\n"
    )
    return ids.encode()
