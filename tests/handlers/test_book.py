from datetime import UTC, datetime
from typing import Any

import icalendar
import pytest

from core.conversations import Contact
from core.effects import Book, Identify, OpenGap, RefusedEffect, Send, SetForm, SetTimeZone
from core.ids import ContactId
from core.messages import Assurance, IdentityClaim
from handlers.book import HANDLER
from tests.handlers.stand_ins import (
    FakeAnswers,
    FakeCalendar,
    Talk,
    effects_of,
    extract,
    labels,
    line,
    with_email,
)

THURSDAY_14 = datetime(2026, 3, 5, 14, 0, tzinfo=UTC)


def talk(**more: Any) -> Talk:
    return Talk(HANDLER, **more)


async def offered(**more: Any) -> Talk:
    """A talk in which three times on Thursday stand to choose from, 09:00, 11:00 and 13:00 UTC."""
    running = talk(contact=with_email(), **more)
    outcome = await running.says("Book an onboarding session on Thursday", "book")
    assert labels(outcome) == ["Thu 5 Mar, 10:00", "Thu 5 Mar, 12:00", "Thu 5 Mar, 14:00"]
    return running


async def test_asks_one_thing_per_message_then_books() -> None:
    running = talk()
    first = await running.says("I'd like to book a session", "book")
    assert first.text == line("book.ask_asset")
    assert labels(first) == ["Onboarding session", "Team training", "Success review"]

    second = await running.says("Team training")
    assert second.text == line("book.ask_when")

    third = await running.says("tomorrow afternoon")
    assert third.text == line("book.ask_zone")

    fourth = await running.says("I'm in Madrid")
    assert labels(fourth) == ["Thu 5 Mar, 12:00", "Thu 5 Mar, 14:00", "Thu 5 Mar, 16:00"]
    assert effects_of(fourth, SetTimeZone) == [SetTimeZone("Europe/Madrid")]

    fifth = await running.says("2")
    (book,) = effects_of(fifth, Book)
    assert book.slot.starts_at == datetime(2026, 3, 5, 13, 0, tzinfo=UTC)
    assert "Thu 5 Mar, 14:00 (Madrid time, UTC+1)" in (fifth.text or "")
    assert fifth.claims == {"booked"}


async def test_never_asks_what_the_first_message_said() -> None:
    running = talk()
    outcome = await running.says("Book a training tomorrow at 3pm, I'm in Berlin", "book")
    assert labels(outcome)[0] == "Thu 5 Mar, 15:00"
    assert "is free" in (outcome.text or "")


async def test_knows_the_zone_of_the_contact() -> None:
    running = talk(contact=with_email())
    outcome = await running.says("Book an onboarding tomorrow", "book")
    assert "Madrid time" in (outcome.text or "")


@pytest.mark.parametrize(
    ("reply", "hour"),
    [
        ("1", 9),
        ("#2", 11),
        ("option 3", 13),
        ("the second one please", 11),
        ("the last one", 13),
        ("Thu 5 Mar, 12:00", 11),
        ("at 2pm", 13),
        ("Thursday 10:00", 9),
        ("3rd", 13),
    ],
)
async def test_understands_a_choice(reply: str, hour: int) -> None:
    running = await offered()
    (book,) = effects_of(await running.says(reply), Book)
    assert book.slot.starts_at == datetime(2026, 3, 5, hour, 0, tzinfo=UTC)


@pytest.mark.parametrize("reply", ["0", "4", "hmm", "yes", "99", "-1"])
async def test_what_is_no_choice_books_nothing_and_is_asked_again_once(reply: str) -> None:
    running = await offered()
    outcome = await running.says(reply)
    assert not effects_of(outcome, Book)
    assert len(labels(outcome)) == 3
    stuck = await running.says(reply)
    assert stuck.text == line("book.stuck")
    assert running.memory["pending"] == "person"
    assert running.form is None


async def test_another_time_is_offered_before_it_is_booked() -> None:
    running = await offered()
    outcome = await running.says("Friday at 11:00 instead")
    assert labels(outcome)[0] == "Fri 6 Mar, 11:00"
    assert not effects_of(outcome, Book)
    (book,) = effects_of(await running.says("yes"), Book)
    assert book.slot.starts_at == datetime(2026, 3, 6, 10, 0, tzinfo=UTC)


async def test_none_of_these_leads_to_later_ones() -> None:
    running = await offered()
    outcome = await running.says("none of these")
    assert labels(outcome)[0] == "Thu 5 Mar, 14:30"


async def test_booking_sends_an_invitation_to_the_known_address() -> None:
    running = await offered()
    outcome = await running.says("1")
    (book,) = effects_of(outcome, Book)
    (mail,) = effects_of(outcome, Send)
    assert (mail.channel, mail.address) == ("email", "kim@acme.example")
    assert book.contact_email == "kim@acme.example"
    assert "k•••@acme.example" in (outcome.text or "")
    assert "kim@" not in (outcome.text or "")
    assert effects_of(outcome, SetForm) == [SetForm(None)]
    (event,) = icalendar.Calendar.from_ical(mail.attachments[0].data or b"").walk("VEVENT")
    assert str(event["UID"]) == book.booking_id
    assert event.decoded("DTSTART") == datetime(2026, 3, 5, 9, 0, tzinfo=UTC)
    assert b"METHOD:REQUEST" in (mail.attachments[0].data or b"")


async def test_an_address_given_before_is_not_asked_for_again() -> None:
    running = talk(contact=with_email(Assurance.CLAIMED))
    await running.says("Book an onboarding session on Thursday", "book")
    (mail,) = effects_of(await running.says("1"), Send)
    assert mail.address == "kim@acme.example"


async def test_a_mail_is_answered_with_the_invitation_to_its_sender() -> None:
    contact = Contact(ContactId("con_1"), time_zone="UTC")
    running = talk(contact=contact, channel="email", address="kim@acme.example")
    await running.says("Book an onboarding session on Thursday", "book")
    (mail,) = effects_of(await running.says("1"), Send)
    assert mail.address == "kim@acme.example"


async def test_without_an_address_the_session_is_booked_first_and_the_address_asked() -> None:
    running = talk(contact=Contact(ContactId("con_1"), time_zone="UTC"))
    await running.says("Book an onboarding session on Thursday", "book")
    booked = await running.says("1")
    (book,) = effects_of(booked, Book)
    assert (booked.text or "").endswith(line("book.ask_email"))

    outcome = await running.says("it's kim@acme.example, thanks")
    (mail,) = effects_of(outcome, Send)
    assert mail.address == "kim@acme.example"
    assert book.booking_id.encode() in (mail.attachments[0].data or b"")
    claim = IdentityClaim("email", "kim@acme.example", Assurance.CLAIMED)
    assert effects_of(outcome, Identify) == [Identify(claim)]
    assert not effects_of(outcome, Book)
    assert running.form is None


@pytest.mark.parametrize("reply", ["skip", "no thanks", "Skip", "never mind", "no email needed"])
async def test_the_address_can_be_skipped(reply: str) -> None:
    running = talk(contact=Contact(ContactId("con_1"), time_zone="UTC"))
    await running.says("Book an onboarding session on Thursday", "book")
    await running.says("1")
    outcome = await running.says(reply)
    assert outcome.text == line("book.no_invitation")
    assert running.form is None
    assert not effects_of(outcome, Send)


async def test_thanks_instead_of_an_address_is_answered_as_thanks() -> None:
    running = talk(contact=Contact(ContactId("con_1"), time_zone="UTC"))
    await running.says("Book an onboarding session on Thursday", "book")
    await running.says("1")
    outcome = await running.says("thanks")
    assert outcome.next == "small_talk"
    assert running.form is None


async def test_a_taken_slot_is_said_and_others_offered() -> None:
    running = await offered()
    form = running.form
    (book,) = effects_of(await running.says("1"), Book)
    running.form = form  # the commit was rolled back
    running.calendar.taken.add(book.slot.starts_at)
    outcome = await running.says("1", refused=(RefusedEffect(book, "slot_taken"),))
    assert (outcome.text or "").startswith("That time is no longer free")
    assert "Thu 5 Mar, 10:00" not in labels(outcome)
    assert not effects_of(outcome, Book)
    (again,) = effects_of(await running.says("1"), Book)
    assert again.slot != book.slot


async def test_a_slot_gone_before_it_shows_in_the_calendar_is_not_offered_again() -> None:
    running = await offered()
    form = running.form
    (book,) = effects_of(await running.says("1"), Book)
    running.form = form
    outcome = await running.says("1", refused=(RefusedEffect(book, "slot_taken"),))
    assert "Thu 5 Mar, 10:00" not in labels(outcome)


@pytest.mark.parametrize("word", ["cancel", "never mind", "Forget it.", "cancela"])
async def test_a_way_out_at_every_step(word: str) -> None:
    running = talk()
    await running.says("I'd like to book a session", "book")
    outcome = await running.says(word)
    assert outcome.text == line("book.ended")
    assert running.form is None


async def test_calling_off_what_is_not_booked_yet_ends_the_form() -> None:
    running = await offered()
    outcome = await running.says("please cancel that booking", "cancel_booking")
    assert outcome.text == line("book.ended")


async def test_a_side_question_is_answered_and_the_form_goes_on() -> None:
    running = await offered(answers=FakeAnswers(extract("answer", "Under Settings. [1]")))
    for _ in range(3):
        outcome = await running.says("How do I export my boards?", "question")
        assert (outcome.text or "").startswith("Under Settings. [1]\n\n")
        assert [c.number for c in outcome.citations] == [1]
        assert len(labels(outcome)) == 3
    (book,) = effects_of(await running.says("1"), Book)
    assert book.slot.asset_id == "onboarding"


async def test_a_side_question_nobody_can_answer_is_said_so_and_opens_a_gap() -> None:
    running = talk()
    await running.says("I'd like to book a session", "book")
    outcome = await running.says("What is the airspeed of a swallow?")
    assert (outcome.text or "").startswith(line("answer.decline_short"))
    assert (outcome.text or "").endswith(line("book.ask_asset"))
    assert len(effects_of(outcome, OpenGap)) == 1


async def test_each_thing_is_asked_twice_at_most() -> None:
    running = talk()
    await running.says("I'd like to book a session", "book")
    again = await running.says("dunno")
    assert again.text == line("book.ask_asset_again")
    stuck = await running.says("dunno")
    assert stuck.text == line("book.stuck")
    assert labels(stuck) == [line("person.yes"), line("person.no")]


async def test_a_day_nobody_can_make_out_leads_to_the_next_free_times() -> None:
    running = talk(contact=with_email())
    await running.says("Book an onboarding session", "book")
    again = await running.says("whatever suits the moon")
    assert again.text == line("book.ask_when_again")
    outcome = await running.says("the moon, I said")
    assert len(labels(outcome)) == 3


async def test_an_unknown_place_leads_to_choices() -> None:
    running = talk(time_zone="Europe/Madrid")
    await running.says("Book an onboarding session on Thursday", "book")
    outcome = await running.says("Atlantis")
    assert outcome.text == line("book.ask_zone_again")
    assert labels(outcome)[0] == "Madrid"
    third = await running.says("3")
    assert "New York" in (third.text or "")


async def test_a_wide_country_is_asked_about() -> None:
    running = talk()
    await running.says("Book an onboarding session on Thursday", "book")
    outcome = await running.says("USA")
    assert outcome.text == line("book.ask_zone_country")
    assert labels(outcome) == ["New York", "Chicago", "Denver", "Los Angeles"]


async def test_times_are_meant_in_the_customers_zone_though_it_is_learned_later() -> None:
    running = talk(time_zone="Europe/Madrid")
    await running.says("Book an onboarding session Thursday at 10:00", "book")
    outcome = await running.says("New York")
    assert labels(outcome)[0] == "Thu 5 Mar, 10:00"
    (book,) = effects_of(await running.says("yes"), Book)
    assert book.slot.starts_at == datetime(2026, 3, 5, 15, 0, tzinfo=UTC)


async def test_nothing_free_then_leads_to_the_nearest() -> None:
    running = talk(contact=with_email())
    outcome = await running.says("Book an onboarding session on Saturday", "book")
    assert (outcome.text or "").startswith("Nothing is free")
    assert labels(outcome)[0] == "Mon 9 Mar, 10:00"


async def test_nothing_free_at_all_leads_to_a_person() -> None:
    running = talk(contact=with_email(), calendar=FakeCalendar(nothing=True))
    outcome = await running.says("Book an onboarding session on Thursday", "book")
    assert labels(outcome) == [line("person.yes"), line("person.no")]
    assert running.form is None


async def test_no_session_types_leads_to_a_person() -> None:
    running = talk(calendar=FakeCalendar(types=()))
    outcome = await running.says("Book a session", "book")
    assert outcome.text == line("book.none_offered")


async def test_a_flagged_message_books_nothing() -> None:
    running = await offered()
    outcome = await running.says("1", limits=frozenset({"no_tools"}))
    assert not effects_of(outcome, Book)
    assert not effects_of(outcome, Send)


async def test_in_spanish() -> None:
    running = talk(locale="es", contact=Contact(ContactId("con_1"), time_zone="Europe/Madrid"))
    first = await running.says("Quiero reservar una sesión de onboarding", "book")
    assert first.text == line("book.ask_when", "es")
    outcome = await running.says("el jueves por la mañana")
    assert labels(outcome)[0] == "jue 5 mar, 10:00"
    booked = await running.says("la segunda")
    assert (booked.text or "").startswith("Reservado: Onboarding session el jue 5 mar, ")
