from datetime import UTC, datetime
from typing import Any

import pytest

from core.conversations import Contact
from core.effects import Book, CancelBooking, RefusedEffect, Send, SetForm
from core.ids import ContactId, ConversationId
from handlers.reschedule import HANDLER
from tests.handlers.stand_ins import (
    NOON,
    FakeAnswers,
    FakeCalendar,
    Talk,
    booking,
    effects_of,
    extract,
    labels,
    line,
)

THURSDAY = datetime(2026, 3, 5, 10, 0, tzinfo=UTC)
FRIDAY = datetime(2026, 3, 6, 10, 0, tzinfo=UTC)
ONE = booking("onboarding", THURSDAY, email="kim@acme.example", sequence=2)
OTHER = booking("training", FRIDAY)


def talk(*own: Any, **more: Any) -> Talk:
    contact = Contact(ContactId("con_1"), time_zone="UTC")
    return Talk(HANDLER, contact=contact, calendar=FakeCalendar(own=own), **more)


async def test_shows_the_next_session() -> None:
    outcome = await talk(ONE).says("When is my session?", "my_booking")
    assert "Onboarding session on Thu 5 Mar, 10:00 (UTC) with Ada" in (outcome.text or "")


async def test_shows_several() -> None:
    outcome = await talk(OTHER, ONE).says("When is my session?", "my_booking")
    text = outcome.text or ""
    assert text.index("Onboarding session") < text.index("Team training")


@pytest.mark.parametrize(
    "own",
    [
        (),
        (booking("onboarding", THURSDAY, status="cancelled"),),
        (booking("onboarding", datetime(2026, 3, 3, 10, tzinfo=UTC)),),
    ],
    ids=["none", "cancelled", "past"],
)
async def test_nothing_coming_up(own: tuple[Any, ...]) -> None:
    outcome = await talk(*own).says("Move my session", "reschedule")
    assert outcome.text == line("reschedule.none")


async def test_calling_off_is_confirmed_first() -> None:
    running = talk(ONE)
    first = await running.says("Cancel my session", "cancel_booking")
    assert not effects_of(first, CancelBooking)
    assert labels(first) == [line("reschedule.cancel_yes"), line("reschedule.cancel_no")]
    done = await running.says("yes")
    assert effects_of(done, CancelBooking) == [CancelBooking(ONE.id)]
    (mail,) = effects_of(done, Send)
    assert mail.address == "kim@acme.example"
    data = mail.attachments[0].data or b""
    assert b"METHOD:CANCEL" in data
    assert b"SEQUENCE:3" in data
    assert running.form is None
    assert done.claims == {"cancelled"}


@pytest.mark.parametrize("reply", ["no", "2", "No, keep it", "no, keep it please"])
async def test_it_can_be_kept(reply: str) -> None:
    running = talk(ONE)
    await running.says("Cancel my session", "cancel_booking")
    outcome = await running.says(reply)
    assert not effects_of(outcome, CancelBooking)
    assert "stays as it is" in (outcome.text or "")


async def test_an_unclear_reply_is_asked_once_more_then_a_person() -> None:
    running = talk(ONE)
    await running.says("Cancel my session", "cancel_booking")
    await running.says("hm")
    outcome = await running.says("hm")
    assert outcome.text == line("book.stuck")


async def test_which_of_two() -> None:
    running = talk(ONE, OTHER)
    first = await running.says("Cancel my session", "cancel_booking")
    assert first.text == line("reschedule.which")
    second = await running.says("the second")
    assert "Team training" in (second.text or "")
    done = await running.says("1")
    assert effects_of(done, CancelBooking) == [CancelBooking(OTHER.id)]


async def test_the_kind_names_which_of_two() -> None:
    outcome = await talk(ONE, OTHER).says("Cancel the training", "cancel_booking")
    assert "Team training" in (outcome.text or "")


async def test_moves_in_place() -> None:
    running = talk(ONE)
    first = await running.says("I need to move my session", "reschedule")
    assert first.text == line("reschedule.ask_when")
    second = await running.says("Friday at 15:00")
    assert labels(second)[0] == "Fri 6 Mar, 15:00"
    done = await running.says("yes please")
    (book,) = effects_of(done, Book)
    assert (book.booking_id, book.replaces) == (ONE.id, ONE.id)
    assert book.slot.starts_at == datetime(2026, 3, 6, 15, 0, tzinfo=UTC)
    (mail,) = effects_of(done, Send)
    data = mail.attachments[0].data or b""
    assert ONE.id.encode() in data
    assert b"SEQUENCE:3" in data
    assert effects_of(done, SetForm) == [SetForm(None)]


async def test_the_present_time_is_not_offered_for_a_move() -> None:
    running = talk(ONE)
    outcome = await running.says("Move my session to Thursday at 10:00", "reschedule")
    assert "Thu 5 Mar, 10:00" not in labels(outcome)


async def test_a_refused_move_offers_others() -> None:
    running = talk(ONE)
    await running.says("Move my session to Friday at 15:00", "reschedule")
    form = running.form
    (book,) = effects_of(await running.says("1"), Book)
    running.form = form
    outcome = await running.says("1", refused=(RefusedEffect(book, "slot_taken"),))
    assert (outcome.text or "").startswith("That time is no longer free")
    assert "Fri 6 Mar, 15:00" not in labels(outcome)


async def test_a_side_question_while_moving() -> None:
    running = talk(ONE, answers=FakeAnswers(extract("answer", "Under Settings. [1]")))
    await running.says("Move my session", "reschedule")
    outcome = await running.says("How do I export?", "question")
    assert (outcome.text or "").startswith("Under Settings. [1]")
    assert (outcome.text or "").endswith(line("book.ask_when_again"))


async def test_a_way_out() -> None:
    running = talk(ONE)
    await running.says("Move my session", "reschedule")
    assert (await running.says("never mind")).text == line("reschedule.ended")


@pytest.mark.parametrize(
    ("own", "proven", "shown"),
    [
        (booking("onboarding", THURSDAY, channel="sms"), False, False),
        (booking("onboarding", THURSDAY, channel="sms"), True, True),
        (booking("onboarding", THURSDAY, channel="web"), False, True),
        (
            booking("onboarding", THURSDAY, channel="sms", conversation_id=ConversationId("cnv_1")),
            False,
            True,
        ),
        (booking("onboarding", THURSDAY, channel=None), False, False),
    ],
)
async def test_shown_only_to_the_proven_or_where_it_arose(
    own: Any, proven: bool, shown: bool
) -> None:
    outcome = await talk(own, proven=proven).says("When is my session?", "my_booking")
    assert ("Onboarding" in (outcome.text or "")) is shown
    assert (outcome.next == "identity") is not shown


async def test_a_flagged_message_changes_nothing() -> None:
    running = talk(ONE)
    await running.says("Cancel my session", "cancel_booking")
    outcome = await running.says("yes", limits=frozenset({"no_tools"}))
    assert not effects_of(outcome, CancelBooking)


async def test_now_is_the_turns() -> None:
    outcome = await talk(ONE).says("When is my session?", "my_booking", now=NOON.replace(day=6))
    assert outcome.text == line("reschedule.none")
