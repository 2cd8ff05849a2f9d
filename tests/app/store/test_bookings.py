import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, insert, select, update

from app.store.bookings import SqlBookings
from app.store.database import Database, DatabaseSettings
from app.store.models import booking_cells, bookings, contacts, tenants
from app.store.office_hours import Host
from core.bookings import Booking, SessionType, Slot
from core.clock import FrozenClock
from core.effects import Book
from core.errors import NotFoundError, SlotTakenError
from core.ids import BookingId, ContactId, TenantId

DEMO, OTHER = TenantId("demo"), TenantId("other")
KIM, LEE = ContactId("con_kim"), ContactId("con_lee")
WEEKDAYS = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
ADA = Host("hst_ada", "Ada", "ada@lumen.example", "UTC", WEEKDAYS)
BOB = Host("hst_bob", "Bob", "bob@lumen.example", "America/New_York", WEEKDAYS)
ONBOARDING = SessionType("onboarding", "Onboarding session", 60, 15)
REVIEW = SessionType("review", "Success review", 30)


@pytest.fixture
async def database(database_url: str, clock: FrozenClock) -> AsyncIterator[Database]:
    opened = Database(DatabaseSettings(url=database_url))
    now = clock.now()
    async with opened.write() as connection:
        for tenant in (DEMO, OTHER):
            row = {"id": tenant, "name": tenant, "policy": {}, "widget_secret": "s"}
            await connection.execute(insert(tenants).values(**row, created_at=now))
        for contact in (KIM, LEE):
            await connection.execute(
                insert(contacts).values(id=contact, tenant=DEMO, created_at=now, updated_at=now)
            )
    yield opened
    await opened.close()


@pytest.fixture
async def store(database: Database, clock: FrozenClock) -> SqlBookings:
    made = SqlBookings(database, clock)
    await made.set_up(DEMO, (ADA,), (ONBOARDING, REVIEW))
    return made


async def free(store: SqlBookings, clock: FrozenClock, asset_id: str = "onboarding") -> list[Slot]:
    """The free slots of the next 24 hours; it is Wednesday noon."""
    start = clock.now()
    return list(await store.slots(DEMO, asset_id, start, start + timedelta(days=1), 200))


def effect(slot: Slot, name: str = "bkg_1", **more: object) -> Book:
    return replace(Book(BookingId(name), slot), **more)  # type: ignore[arg-type]


async def cells_of(database: Database, booking: str) -> int:
    query = select(func.count()).where(booking_cells.c.booking_id == booking)
    async with database.read() as connection:
        return int(await connection.scalar(query) or 0)


def clocks(slots: list[Slot]) -> list[str]:
    return [f"{slot.starts_at:%d %H:%M}" for slot in slots]


# ---------------------------------------------------------------- slots


async def test_slots_keep_the_lead_time_and_the_hours(
    store: SqlBookings, clock: FrozenClock
) -> None:
    clock.advance(timedelta(minutes=1))
    found = clocks(await free(store, clock))
    assert found[0] == "04 13:30"
    assert "04 16:00" in found
    assert "04 16:30" not in found
    assert "05 09:00" in found


async def test_several_hosts_each_in_their_zone(store: SqlBookings, clock: FrozenClock) -> None:
    await store.set_up(DEMO, (BOB,), ())
    found = await free(store, clock)
    late = [slot for slot in found if slot.starts_at.hour == 20]
    assert {slot.host for slot in late} == {"Bob"}
    assert [s.starts_at for s in found] == sorted(s.starts_at for s in found)


async def test_limit_window_and_unknown_kinds(store: SqlBookings, clock: FrozenClock) -> None:
    start = clock.now()
    assert len(await store.slots(DEMO, "onboarding", start, start + timedelta(days=9), 3)) == 3
    assert not await store.slots(DEMO, "onboarding", start, start)
    assert not await store.slots(DEMO, "nothing", start, start + timedelta(days=9))
    assert not await store.slots(OTHER, "onboarding", start, start + timedelta(days=9))
    assert not await store.slots(DEMO, "review", start - timedelta(days=9), start)


async def test_session_types(store: SqlBookings) -> None:
    assert await store.session_types(DEMO) == [ONBOARDING, REVIEW]
    assert await store.session_types(OTHER) == []


async def test_setting_up_again_replaces(store: SqlBookings) -> None:
    await store.set_up(DEMO, (replace(ADA, name="Ada L."),), (replace(REVIEW, minutes=45),))
    assert [t.minutes for t in await store.session_types(DEMO)] == [60, 45]


# ---------------------------------------------------------------- booking


async def test_a_booking_takes_its_cells_buffers_included(
    store: SqlBookings, clock: FrozenClock, database: Database
) -> None:
    (slot,) = [
        s for s in await free(store, clock) if s.starts_at.hour == 14 and not s.starts_at.minute
    ]
    booked = await store.book(DEMO, KIM, effect(slot, contact_email="kim@acme.example"))
    assert (booked.status, booked.host, booked.sequence) == ("booked", "Ada", 0)
    assert (booked.email, booked.host_email) == ("kim@acme.example", "ada@lumen.example")
    assert await cells_of(database, "bkg_1") == 6
    left = clocks(await free(store, clock))
    assert "04 13:00" not in left  # would end at 14:00, into the buffer
    assert "04 15:00" not in left
    assert "04 15:30" in left
    # a review has no buffer of its own: free where the onboarding's ends
    reviews = clocks(await free(store, clock, "review"))
    assert "04 15:00" not in reviews
    assert "04 15:30" in reviews
    assert await store.bookings(DEMO, KIM) == [booked]
    assert await store.find(DEMO, booked.id) == booked
    assert await store.find(OTHER, booked.id) is None


async def test_the_second_gets_slot_taken_and_leaves_nothing(
    store: SqlBookings, clock: FrozenClock, database: Database
) -> None:
    first, second, *_ = await free(store, clock)
    await store.book(DEMO, KIM, effect(first))
    for slot in (first, second):
        with pytest.raises(SlotTakenError):
            await store.book(DEMO, LEE, effect(slot, "bkg_2"))
    assert await cells_of(database, "bkg_2") == 0
    assert await store.bookings(DEMO, LEE) == []


async def test_twenty_at_once_one_wins(
    store: SqlBookings, clock: FrozenClock, database: Database
) -> None:
    slots = (await free(store, clock))[:4]  # overlapping ones, too
    tries = [store.book(DEMO, KIM, effect(slots[n % 4], f"bkg_{n}"), None) for n in range(20)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    won = [r for r in results if isinstance(r, Booking)]
    assert {type(r) for r in results} == {Booking, SlotTakenError}
    taken = sorted(
        (b.starts_at - timedelta(minutes=15), b.ends_at + timedelta(minutes=15)) for b in won
    )
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(taken))
    async with database.read() as connection:
        rows = await connection.scalar(select(func.count()).select_from(bookings))
        cells = await connection.scalar(select(func.count()).select_from(booking_cells))
    assert (rows, cells) == (len(won), 6 * len(won))


@pytest.mark.parametrize(
    "forged",
    [
        "onboarding.hst_ada.1772715601",  # Thursday 13:00:01
        "onboarding.hst_ada.1772716500",  # Thursday 13:15
        "onboarding.hst_ada.1772728200",  # Thursday 16:30, would end after closing
        "onboarding.hst_ada.1772740800",  # Thursday 20:00
        "onboarding.hst_ada.1772884800",  # Saturday noon
        "onboarding.hst_ada.1772614800",  # this morning
        "onboarding.hst_ada.1772627400",  # in half an hour
        "onboarding.hst_ada.99999999999999999999",
        "onboarding.hst_ada.²",
        "onboarding.hst_ada.-1",
        "onboarding.hst_eve.1772715600",
        "nothing.hst_ada.1772715600",
        "onboarding..1772715600",
        "..",
        "",
        "x",
    ],
)
async def test_a_made_up_slot_books_nothing(
    store: SqlBookings, clock: FrozenClock, forged: str
) -> None:
    slot = replace((await free(store, clock))[0], slot_id=forged)
    with pytest.raises(NotFoundError):
        await store.book(DEMO, KIM, effect(slot))
    assert await store.slot(DEMO, forged) is None


async def test_a_slot_offered_a_while_ago_can_still_be_taken(
    store: SqlBookings, clock: FrozenClock
) -> None:
    first = (await free(store, clock))[0]
    assert first.starts_at == clock.now() + timedelta(hours=1)
    clock.advance(timedelta(minutes=10))
    assert (await store.book(DEMO, KIM, effect(first))).starts_at == first.starts_at


async def test_only_the_id_of_a_slot_is_believed(store: SqlBookings, clock: FrozenClock) -> None:
    real = (await free(store, clock))[0]
    lying = replace(
        real, starts_at=real.starts_at + timedelta(days=1), host="Eve", title="Free lunch"
    )
    booked = await store.book(DEMO, KIM, effect(lying))
    assert (booked.starts_at, booked.host, booked.title) == (real.starts_at, "Ada", real.title)
    assert await store.slot(DEMO, real.slot_id) == real


async def test_another_tenants_slot_is_made_up(store: SqlBookings, clock: FrozenClock) -> None:
    slot = (await free(store, clock))[0]
    with pytest.raises(NotFoundError):
        await store.book(OTHER, KIM, effect(slot))


# ---------------------------------------------------------------- cancelling and moving


async def test_cancelling_frees_the_time(
    store: SqlBookings, clock: FrozenClock, database: Database
) -> None:
    before = await free(store, clock)
    booked = await store.book(DEMO, KIM, effect(before[0]))
    cancelled = await store.cancel(DEMO, KIM, booked.id)
    assert (cancelled.status, cancelled.sequence) == ("cancelled", 1)
    assert await free(store, clock) == before
    assert await cells_of(database, booked.id) == 0
    with pytest.raises(NotFoundError):
        await store.cancel(DEMO, KIM, booked.id)


@pytest.mark.parametrize(("tenant", "contact"), [(DEMO, LEE), (OTHER, KIM)])
async def test_nobody_else_cancels_or_moves(
    store: SqlBookings, clock: FrozenClock, tenant: TenantId, contact: ContactId
) -> None:
    first, *_, last = await free(store, clock)
    booked = await store.book(DEMO, KIM, effect(first))
    with pytest.raises(NotFoundError):
        await store.cancel(tenant, contact, booked.id)
    with pytest.raises(NotFoundError):
        await store.book(tenant, contact, effect(last, booked.id, replaces=booked.id))
    assert await store.find(DEMO, booked.id) == booked


async def test_moving_keeps_the_id_and_may_overlap_itself(
    store: SqlBookings, clock: FrozenClock, database: Database
) -> None:
    first, second, *_ = await free(store, clock)
    booked = await store.book(DEMO, KIM, effect(first, contact_email="kim@acme.example"))
    moved = await store.book(DEMO, KIM, effect(second, booked.id, replaces=booked.id))
    assert (moved.id, moved.starts_at, moved.sequence) == (booked.id, second.starts_at, 1)
    assert (moved.status, moved.email) == ("booked", "kim@acme.example")
    assert await cells_of(database, booked.id) == 6
    assert len(await store.bookings(DEMO, KIM)) == 1


async def test_a_move_to_a_taken_time_leaves_the_booking_as_it_was(
    store: SqlBookings, clock: FrozenClock, database: Database
) -> None:
    first, *_, last = await free(store, clock)
    booked = await store.book(DEMO, KIM, effect(first))
    await store.book(DEMO, LEE, effect(last, "bkg_2"))
    with pytest.raises(SlotTakenError):
        await store.book(DEMO, KIM, effect(last, booked.id, replaces=booked.id))
    assert await store.find(DEMO, booked.id) == booked
    assert await cells_of(database, booked.id) == 6


async def test_replacing_by_a_new_booking_cancels_the_old(
    store: SqlBookings, clock: FrozenClock
) -> None:
    first, *_, last = await free(store, clock)
    old = await store.book(DEMO, KIM, effect(first))
    await store.book(DEMO, KIM, effect(last, "bkg_2", replaces=old.id))
    statuses = {b.id: b.status for b in await store.bookings(DEMO, KIM)}
    assert statuses == {"bkg_1": "cancelled", "bkg_2": "booked"}


# ---------------------------------------------------------------- holds


async def test_a_hold_keeps_the_time_until_it_runs_out(
    store: SqlBookings, clock: FrozenClock, database: Database
) -> None:
    slot = (await free(store, clock))[-1]
    held = await store.hold(DEMO, KIM, effect(slot), timedelta(minutes=10))
    assert held.status == "held"
    assert slot not in await free(store, clock)
    assert await store.bookings(DEMO, KIM) == []
    with pytest.raises(SlotTakenError):
        await store.book(DEMO, LEE, effect(slot, "bkg_2"))

    clock.advance(timedelta(minutes=11))
    assert slot in await free(store, clock)
    taken = await store.book(DEMO, LEE, effect(slot, "bkg_2"))
    assert taken.status == "booked"
    assert (await cells_of(database, "bkg_1"), await cells_of(database, "bkg_2")) == (0, 6)
    with pytest.raises(SlotTakenError):
        await store.confirm(DEMO, KIM, held.id)


@pytest.mark.parametrize("late", [0, 30])
async def test_a_hold_is_confirmed_even_late_if_nobody_came(
    store: SqlBookings, clock: FrozenClock, late: int
) -> None:
    slot = (await free(store, clock))[-1]
    held = await store.hold(DEMO, KIM, effect(slot))
    clock.advance(timedelta(minutes=late))
    assert (await store.confirm(DEMO, KIM, held.id)).status == "booked"
    clock.advance(timedelta(hours=1))
    with pytest.raises(SlotTakenError):
        await store.book(DEMO, LEE, effect(slot, "bkg_2"))


async def test_only_ones_own_hold_is_confirmed(store: SqlBookings, clock: FrozenClock) -> None:
    held = await store.hold(DEMO, KIM, effect((await free(store, clock))[-1]))
    for contact, booking in ((LEE, held.id), (KIM, BookingId("bkg_9"))):
        with pytest.raises(NotFoundError):
            await store.confirm(DEMO, contact, booking)


async def test_a_partly_expired_overlap_is_taken_whole_or_not_at_all(
    store: SqlBookings, clock: FrozenClock, database: Database
) -> None:
    slots = await free(store, clock, "review")
    day = [s for s in slots if s.starts_at.day == 5]
    await store.hold(DEMO, KIM, effect(day[0], "bkg_hold"), timedelta(minutes=5))
    await store.book(DEMO, KIM, effect(day[1], "bkg_real"))
    clock.advance(timedelta(minutes=6))
    wide = [s for s in await _all(store, clock) if s.starts_at == day[0].starts_at]
    assert not wide  # an hour from there runs into the booked half hour
    made_up = Slot(f"onboarding.hst_ada.{int(day[0].starts_at.timestamp())}", *_rest(day[0]))
    with pytest.raises(SlotTakenError):
        await store.book(DEMO, LEE, effect(made_up, "bkg_2"))
    assert await cells_of(database, "bkg_hold") == 2


async def _all(store: SqlBookings, clock: FrozenClock) -> list[Slot]:
    return await free(store, clock)


def _rest(slot: Slot) -> tuple[str, str, str, str, datetime, datetime]:
    return slot.asset_id, slot.title, slot.host_id, slot.host, slot.starts_at, slot.ends_at


async def test_cells_hold_one_row_each(
    database: Database, store: SqlBookings, clock: FrozenClock
) -> None:
    await store.book(DEMO, KIM, effect((await free(store, clock))[0]))
    async with database.write() as connection:
        await connection.execute(update(bookings).values(status="booked"))
        query = select(booking_cells.c.host_id, booking_cells.c.cell)
        rows = (await connection.execute(query)).all()
    assert len(rows) == len(set(rows)) == 6
