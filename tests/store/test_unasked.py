"""What nobody asked for, against both databases: decided, sent or refused, each a row with its reason."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.store import wishes
from app.store.alarms import SqlAlarms
from app.store.bookings import SqlBookings
from app.store.demo import seed_demo
from app.store.models import alarms, consents, handoffs, outbox, unasked
from app.store.unasked import SqlUnasked
from app.store.wishes import Wish
from core.bookings import Slot
from core.conversations import Contact, HandoffReason
from core.delivery import Allowed, Later, Purpose, Refused
from core.effects import Book, Escalate
from core.ids import BookingId, ContactId, ConversationId
from core.messages import Author, ConsentChange, MessageKind
from core.ports import TenantPolicy
from tests.store.scene import DEMO, KINDS, OTHER, Scene

PHONE = "+34600111222"
BOOKING = BookingId("bkg_0123")


def say(
    policy: TenantPolicy,
    contact: Contact,
    line: str,
    locale: str,
    channel: str,
    slots: Mapping[str, str],
) -> str:
    return f"[{line}:{locale}:{channel}]"


async def rows(scene: Scene, table: Any, *where: Any) -> list[Any]:
    async with scene.database.read() as connection:
        return list((await connection.execute(select(table).where(*where))).mappings().all())


async def written(scene: Scene) -> list[tuple[str, str]]:
    """Return (text, where) of what was queued unasked."""
    jobs = await rows(scene, outbox)
    return [(j["payload"]["text"], j["address"]) for j in jobs if j["payload"].get("unasked")]


async def texts(scene: Scene) -> ContactId:
    """Let somebody write from a phone; returns who they are."""
    return (await scene.says("hello", PHONE, "sms")).contact_id


async def wishes_for(scene: Scene, contact: ContactId, key: str = "k", **more: Any) -> Any:
    """Wish for a survey, or what `more` says, and have it decided."""
    store = SqlUnasked(scene.database, scene.clock, KINDS)
    given: dict[str, Any] = {"purpose": Purpose.SURVEY, "line": "survey.ask", "slots": {}, **more}
    made = await store.wish(DEMO, Wish(contact=contact, key=key, **given))
    return await store.settle(made, say) if made else None


async def test_what_may_go_goes_as_a_notice_of_their_conversation(scene: Scene) -> None:
    contact = await texts(scene)
    assert await wishes_for(scene, contact) == Allowed()
    (job,) = [j for j in await rows(scene, outbox) if j["payload"].get("unasked")]
    assert (job["payload"]["unasked"], job["address"], job["channel"]) == ("survey", PHONE, "sms")
    assert (job["author"], job["message_kind"]) == (Author.SYSTEM, MessageKind.NOTICE)
    (row,) = await rows(scene, unasked)
    assert (row["state"], row["reason"], row["outbox_id"]) == ("sent", None, job["id"])


async def test_the_same_wish_twice_is_one(scene: Scene) -> None:
    contact = await texts(scene)
    assert [await wishes_for(scene, contact), await wishes_for(scene, contact)] == [Allowed(), None]
    assert len(await written(scene)) == 1


async def test_a_refusal_is_a_row_with_its_reason(scene: Scene) -> None:
    contact = await texts(scene)
    stop = ConsentChange("sms", PHONE, "SM-stop", "STOP", granted=False)
    await scene.intake.consent(scene.inboxes["demo:sms"], stop, None)
    assert await wishes_for(scene, contact) == Refused("opted_out")
    store = SqlUnasked(scene.database, scene.clock, KINDS)
    (row,) = await store.listed(DEMO)
    assert (row["state"], row["reason"], row["purpose"]) == ("refused", "opted_out", "survey")
    assert PHONE not in repr(row)
    assert (await store.listed(OTHER), await written(scene)) == ([], [])


@pytest.mark.parametrize(
    ("reason", "refusal"),
    [(HandoffReason.ASKED, "handoff"), (HandoffReason.SAFETY, "handoff")],
)
async def test_no_survey_while_a_person_is_asked_for(
    scene: Scene, reason: HandoffReason, refusal: str
) -> None:
    accepted = await scene.says("help", PHONE, "sms")
    await scene.answers(accepted, effects=(Escalate(reason),))
    assert await wishes_for(scene, accepted.contact_id) == Refused(refusal)
    assert await wishes_for(scene, accepted.contact_id, "r", purpose=Purpose.REMINDER) == Allowed()


async def test_a_weeks_worth_asked_for_at_once_is_a_weeks_worth(scene: Scene) -> None:
    contact = await texts(scene)
    done = await asyncio.gather(*(wishes_for(scene, contact, f"k{n}") for n in range(6)))
    assert sorted(type(d).__name__ for d in done) == ["Allowed"] * 3 + ["Refused"] * 3
    scene.clock.advance(timedelta(days=7, minutes=1))
    assert await wishes_for(scene, contact, "next week") == Allowed()


async def test_what_came_at_night_goes_in_the_morning(scene: Scene) -> None:
    contact = await texts(scene)
    night = scene.clock.now().replace(hour=23)
    scene.clock.set(night)
    morning = night + timedelta(hours=9)
    assert await wishes_for(scene, contact) == Later(morning)
    store = SqlUnasked(scene.database, scene.clock, KINDS)
    assert (await store.due(), await written(scene)) == ([], [])
    scene.clock.set(morning)
    (due,) = await store.due()
    assert await store.settle(due, say) == Allowed()
    assert await store.settle(due, say) is None
    assert len(await written(scene)) == 1


async def test_who_can_be_reached_nowhere_is_not_written_to(scene: Scene) -> None:
    accepted = await scene.says("hello")
    assert await wishes_for(scene, accepted.contact_id) == Refused("nowhere")


# ---------------------------------------------------------------- reminders


async def free(scene: Scene, calendar: SqlBookings, days: int) -> Slot:
    start = scene.clock.now() + timedelta(days=days)
    return (await calendar.slots(DEMO, "onboarding", start, start + timedelta(days=5)))[0]


async def booked(scene: Scene, days: int = 3) -> tuple[SqlBookings, ContactId, Slot]:
    calendar = SqlBookings(scene.database, scene.clock)
    await seed_demo(scene.directory, calendar, scene.access)
    contact = await texts(scene)
    slot = await free(scene, calendar, days)
    await calendar.book(DEMO, contact, Book(BOOKING, slot))
    return calendar, contact, slot


async def a_day_before(scene: Scene, slot: Slot) -> list[Any]:
    """Let the clock stand a day before the session, fire what is due, and settle it."""
    scene.clock.set(slot.starts_at - timedelta(hours=24))
    await SqlAlarms(scene.database, scene.clock).fire_due()
    store = SqlUnasked(scene.database, scene.clock, KINDS)
    return [await store.settle(due, say) for due in await store.due()]


async def test_a_session_is_reminded_of_a_day_before(scene: Scene) -> None:
    _calendar, _contact, slot = await booked(scene)
    (alarm,) = await rows(scene, alarms, alarms.c.kind == wishes.REMINDER)
    assert alarm["at"] == slot.starts_at - timedelta(hours=24)
    assert await a_day_before(scene, slot) == [Allowed()]
    assert await written(scene) == [("[reminder.booking:en:sms]", PHONE)]
    assert await a_day_before(scene, slot) == []


async def test_a_session_tomorrow_needs_no_reminder(scene: Scene) -> None:
    calendar, contact, _slot = await booked(scene)
    await calendar.cancel(DEMO, contact, BOOKING)
    soon = await free(scene, calendar, 0)
    assert soon.starts_at - scene.clock.now() < timedelta(hours=24)
    await calendar.book(DEMO, contact, Book(BookingId("bkg_soon"), soon))
    assert await rows(scene, alarms, alarms.c.kind == wishes.REMINDER) == []


async def test_a_session_called_off_is_not_reminded_of(scene: Scene) -> None:
    calendar, contact, slot = await booked(scene)
    await calendar.cancel(DEMO, contact, BOOKING)
    assert await a_day_before(scene, slot) == []
    assert await written(scene) == []


async def test_a_reminder_follows_a_move(scene: Scene) -> None:
    calendar, contact, slot = await booked(scene)
    later = await free(scene, calendar, 6)
    await calendar.book(DEMO, contact, Book(BOOKING, later, replaces=BOOKING))
    assert await a_day_before(scene, slot) == []
    assert await a_day_before(scene, later) == [Allowed()]


async def test_a_reminder_that_waits_for_morning_goes_with_the_move(scene: Scene) -> None:
    calendar, contact, slot = await booked(scene)
    await scene.directory.put_contact(DEMO, "kim", {"phone": PHONE, "time_zone": "Asia/Tokyo"})
    (decision,) = await a_day_before(scene, slot)
    later = await free(scene, calendar, 6)
    known = await scene.directory.contact_by_external(DEMO, "kim", create=True)
    await calendar.book(DEMO, known.id, Book(BOOKING, later, replaces=BOOKING))
    (first,) = await rows(scene, unasked)
    assert isinstance(decision, Later | Allowed)
    assert first["state"] != "waiting"
    assert contact != known.id


# ---------------------------------------------------------------- dead letters


async def dies(scene: Scene, **known: str) -> ConversationId:
    """Let an answer to a text die; `known` are other addresses of theirs."""
    if known:
        await scene.directory.put_contact(DEMO, "kim", {"phone": PHONE, **known})
    accepted = await scene.says("how do I export?", PHONE, "sms")
    await scene.answers(accepted, "Like this.")
    (job,) = await scene.take_jobs()
    await scene.outbox.dead(job.outbound.id, "30003", "undeliverable")
    return accepted.conversation_id


async def settled(scene: Scene) -> list[Any]:
    store = SqlUnasked(scene.database, scene.clock, KINDS)
    return [await store.settle(due, say) for due in await store.due()]


async def by_mail(scene: Scene) -> None:
    await scene.directory.ensure_inbox(DEMO, "email", "help@lumen.example", "customer", "")


async def test_a_dead_letter_without_another_address_ends_with_a_person(scene: Scene) -> None:
    await dies(scene)
    (handoff,) = await rows(scene, handoffs)
    assert handoff["reason"] == HandoffReason.UNDELIVERABLE
    assert await rows(scene, unasked) == []


async def test_a_dead_letter_is_announced_on_another_verified_channel(scene: Scene) -> None:
    await by_mail(scene)
    await dies(scene, email="kim@acme.example")
    assert await settled(scene) == [Allowed()]
    announced = ("[pipeline.we_have_an_answer:en:email]", "kim@acme.example")
    assert await written(scene) == [announced]  # never what the answer says
    assert await rows(scene, handoffs) == []
    (job,) = await scene.take_jobs()
    await scene.outbox.dead(job.outbound.id, "550", "undeliverable")
    (handoff,) = await rows(scene, handoffs)  # an announcement that dies is not announced again
    assert handoff["reason"] == HandoffReason.UNDELIVERABLE


@pytest.mark.parametrize(
    ("hour", "stopped", "reason"), [(12, True, "opted_out"), (23, False, "quiet_hours")]
)
async def test_an_announcement_that_may_not_go_ends_with_a_person(
    scene: Scene, hour: int, stopped: bool, reason: str
) -> None:
    await by_mail(scene)
    scene.clock.set(scene.clock.now().replace(hour=hour))
    await dies(scene, email="kim@acme.example")
    stop = ConsentChange("sms", PHONE, "SM-stop", "STOP", granted=not stopped)
    await scene.intake.consent(scene.inboxes["demo:sms"], stop, None)
    assert await settled(scene) == [Refused(reason)]
    (handoff,) = await rows(scene, handoffs)
    assert handoff["reason"] == HandoffReason.UNDELIVERABLE
    assert await written(scene) == []


async def test_an_unknown_send_goes_to_a_person_at_once(scene: Scene) -> None:
    await by_mail(scene)
    await scene.directory.put_contact(DEMO, "kim", {"phone": PHONE, "email": "kim@acme.example"})
    accepted = await scene.says("how do I export?", PHONE, "sms")
    await scene.answers(accepted, "Like this.")
    (job,) = await scene.take_jobs()
    await scene.outbox.dead(job.outbound.id, "timed out", "unknown_send")
    (handoff,) = await rows(scene, handoffs)
    assert handoff["reason"] == HandoffReason.UNKNOWN_SEND


async def test_consent_is_looked_up_as_it_stands_when_it_goes(scene: Scene) -> None:
    contact = await texts(scene)
    scene.clock.set(scene.clock.now().replace(hour=23))
    await wishes_for(scene, contact)
    stop = ConsentChange("sms", PHONE, "SM-stop", "STOP", granted=False)
    await scene.intake.consent(scene.inboxes["demo:sms"], stop, None)
    scene.clock.advance(timedelta(hours=12))
    assert await settled(scene) == [Refused("opted_out")]
    assert len(await rows(scene, consents)) == 1


async def test_a_channel_is_told_why_it_sends_unasked(scene: Scene) -> None:
    await wishes_for(scene, await texts(scene))
    purposes = [job.outbound.purpose for job in await scene.take_jobs()]
    assert [purpose for purpose in purposes if purpose] == ["survey"]
