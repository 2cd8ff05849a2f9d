"""Sessions by API: /slots, /book, /resched, over the same code the booking handler uses."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel

from app.api.deps import IdempotencyKey, Secret, Uses
from app.api.schemas import Body, Word
from app.services import Services
from core.bookings import Booking, Slot
from core.effects import Book
from core.errors import BadInputError, NotFoundError, SlotTakenError
from core.ids import BookingId, ContactId, TenantId, new_id
from core.signatures import body_digest
from core.views import SavedResponse
from core.zones import is_zone, zone_info

router = APIRouter(tags=["sessions"])

_HORIZON = timedelta(days=14)
_FAR = timedelta(days=92)


class SlotOut(BaseModel):
    """A free slot."""

    slot_id: str
    starts_at: datetime
    ends_at: datetime
    host: str


class SlotsOut(BaseModel):
    """Free slots, earliest first."""

    slots: list[SlotOut]


class BookIn(Body):
    """What to book. Without `slot_id` the first free slot that fits `SLA_pref` is taken.

    `SLA_pref`: `asap`, `today`, `tomorrow`, `this_week`, `morning`, `afternoon`.
    """

    asset_id: Word
    customer_id: Word
    slot_id: Word | None = None
    SLA_pref: Word | None = None


class MoveIn(Body):
    """Where to move a session to."""

    slot_id: Word | None = None
    SLA_pref: Word | None = None


class BookingOut(BaseModel):
    """A booked session."""

    order_id: str
    slot_id: str
    asset_id: str
    starts_at: datetime
    ends_at: datetime
    host: str
    status: str

    @classmethod
    def of(cls, booking: Booking) -> "BookingOut":
        """Return the public shape."""
        return cls(
            order_id=booking.id,
            slot_id=booking.slot_id,
            asset_id=booking.asset_id,
            starts_at=booking.starts_at,
            ends_at=booking.ends_at,
            host=booking.host,
            status=booking.status,
        )


@router.get("/slots")
async def slots(
    services: Uses,
    who: Secret,
    asset_id: Annotated[str, Query(min_length=1, max_length=200)],
    start: Annotated[datetime | None, Query(alias="from")] = None,
    to: datetime | None = None,
    tz: Annotated[str, Query(max_length=64)] = "UTC",
) -> SlotsOut:
    """Return free slots; times come back in `tz`."""
    if not is_zone(tz):
        raise BadInputError(f"{tz!r} is no IANA time zone")
    zone = zone_info(tz)
    now = services.clock.now()
    begin = max(now, _aware(start, zone) if start else now)
    end = _aware(to, zone) if to else begin + _HORIZON
    if end - begin > _FAR:
        raise BadInputError("ask for at most 92 days")
    found = await services.calendar.slots(
        who.tenant, await _known(services, who.tenant, asset_id), begin, end, 200
    )
    return SlotsOut(
        slots=[
            SlotOut(
                slot_id=s.slot_id,
                starts_at=s.starts_at.astimezone(zone),
                ends_at=s.ends_at.astimezone(zone),
                host=s.host,
            )
            for s in found
        ]
    )


@router.post("/book", status_code=201)
async def book(
    body: BookIn,
    services: Uses,
    who: Secret,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> BookingOut:
    """Book a session. 409 when the slot is taken. An Idempotency-Key makes a repeat return the first booking."""
    digest = body_digest(body.model_dump_json().encode())
    if idempotency_key:
        saved = await services.idempotency.get(who.tenant, f"book:{idempotency_key}", digest)
        if saved is not None:
            response.status_code = saved.status
            return BookingOut.model_validate(saved.body)
    contact = await _contact(services, who.tenant, body.customer_id)
    asset = await _known(services, who.tenant, body.asset_id)
    slot = await _slot(services, who.tenant, asset, body.slot_id, body.SLA_pref)
    fresh = BookingId(new_id("bkg", services.clock.now()))
    booking = await services.calendar.book(who.tenant, contact, Book(fresh, slot))
    out = BookingOut.of(booking)
    if idempotency_key:
        await services.idempotency.put(
            who.tenant,
            f"book:{idempotency_key}",
            digest,
            SavedResponse(201, out.model_dump(mode="json")),
        )
    return out


@router.patch("/resched/{order_id}")
async def reschedule(
    body: MoveIn, services: Uses, who: Secret, order_id: Annotated[str, Path(max_length=100)]
) -> BookingOut:
    """Move a session to another slot. 409 when that is taken."""
    booking = await _booking(services, who.tenant, order_id)
    slot = await _slot(services, who.tenant, booking.asset_id, body.slot_id, body.SLA_pref)
    moved = await services.calendar.book(
        who.tenant, booking.contact_id, Book(booking.id, slot, replaces=booking.id)
    )
    return BookingOut.of(moved)


@router.delete("/book/{order_id}")
async def cancel(
    services: Uses, who: Secret, order_id: Annotated[str, Path(max_length=100)]
) -> BookingOut:
    """Cancel a session and free its time."""
    booking = await _booking(services, who.tenant, order_id)
    return BookingOut.of(await services.calendar.cancel(who.tenant, booking.contact_id, booking.id))


async def _booking(services: Services, tenant: TenantId, order_id: str) -> Booking:
    found = await services.calendar.find(tenant, BookingId(order_id.replace("\x00", "")))
    if found is None:
        raise NotFoundError("no such booking")
    return found


async def _known(services: Services, tenant: TenantId, asset_id: str) -> str:
    kinds = {k.asset_id for k in await services.calendar.session_types(tenant)}
    if asset_id not in kinds:
        raise NotFoundError(f"there is no session type {asset_id!r}")
    return asset_id


async def _contact(services: Services, tenant: TenantId, external_id: str) -> ContactId:
    contact = await services.directory.contact_by_external(tenant, external_id, create=True)
    return contact.id


async def _slot(
    services: Services, tenant: TenantId, asset_id: str, slot_id: str | None, wish: str | None
) -> Slot:
    if slot_id is not None:
        slot = await services.calendar.slot(tenant, slot_id)
        if slot is None or slot.asset_id != asset_id:
            raise NotFoundError(f"there is no slot {slot_id!r}")
        return slot
    now = services.clock.now()
    zone = zone_info((await services.directory.policy(tenant)).time_zone)
    for slot in await services.calendar.slots(tenant, asset_id, now, now + _HORIZON, 200):
        if _fits(slot.starts_at.astimezone(zone), now.astimezone(zone), wish or "asap"):
            return slot
    raise SlotTakenError("no free slot fits")


def _fits(start: datetime, now: datetime, wish: str) -> bool:
    days = (start.date() - now.date()).days
    rules = {
        "asap": True,
        "today": days == 0,
        "tomorrow": days == 1,
        "this_week": start.isocalendar()[:2] == now.isocalendar()[:2],
        "morning": start.hour < 12,
        "afternoon": start.hour >= 12,
    }
    if wish not in rules:
        raise BadInputError(f"SLA_pref is one of {', '.join(rules)}")
    return rules[wish]


def _aware(value: datetime, zone: ZoneInfo) -> datetime:
    return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)
