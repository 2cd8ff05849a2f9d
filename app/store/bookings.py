"""Free times and bookings in SQL: port `Calendar`, and what a commit does with Book and CancelBooking.

A booking or hold claims every 15-minute cell of its host, buffers included; the primary key (host, cell) decides
who was first, and an expired hold is taken over by the very insert. A slot id is checked against the calendar
whenever it is used, so a made-up one books nothing. Not here: working hours (office_hours.py).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy import RowMapping, Select, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import wishes
from app.store.database import Database
from app.store.models import booking_cells, bookings, conversations, hosts, session_types
from app.store.office_hours import Host, cells, is_start, starts
from core.bookings import Booking, SessionType, Slot
from core.clock import Clock
from core.effects import Book, CancelBooking, RefusedEffect
from core.errors import NotFoundError, SlotTakenError
from core.ids import BookingId, ContactId, ConversationId, TenantId

LEAD_TIME = timedelta(minutes=60)
CHOOSING = timedelta(minutes=15)  # how long an offer made at the last minute can be taken
HOLD = timedelta(minutes=10)
LONGEST_SEARCH = timedelta(days=92)
_LARGEST_EPOCH = 4_102_444_800  # the year 2100


class SqlBookings:
    """Port `Calendar`, and the calendar's part of a commit."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    # ------------------------------------------------------------ reading

    async def session_types(self, tenant: TenantId) -> Sequence[SessionType]:
        """See the port."""
        query = select(session_types).where(session_types.c.tenant == tenant)
        async with self._database.read() as connection:
            rows = await connection.execute(query.order_by(session_types.c.asset_id))
            return [_session_type(row) for row in rows.mappings()]

    async def slots(
        self,
        tenant: TenantId,
        asset_id: str,
        start: datetime,
        end: datetime,
        limit: int = 50,
    ) -> Sequence[Slot]:
        """See the port. At most 92 days are searched; an unknown `asset_id` has no slots."""
        now = self._clock.now()
        start = max(start, now + LEAD_TIME)
        end = min(end, start + LONGEST_SEARCH)
        async with self._database.read() as connection:
            kind = await _kind(connection, tenant, asset_id)
            if kind is None or start >= end:
                return []
            staff = await _hosts(connection, tenant)
            taken = await _taken(connection, tenant, kind, start, end, now)
        free = [
            _slot(kind, host, moment)
            for host in staff
            for moment in starts(host, kind.minutes, start, end)
            if taken.isdisjoint((host.id, cell) for cell in _cells(kind, moment))
        ]
        return sorted(free, key=lambda slot: (slot.starts_at, slot.host_id))[:limit]

    async def bookings(self, tenant: TenantId, contact: ContactId) -> Sequence[Booking]:
        """See the port. Holds are not bookings yet."""
        query = _booking_query(tenant).where(
            bookings.c.contact_id == contact, bookings.c.status != "held"
        )
        async with self._database.read() as connection:
            rows = await connection.execute(query.order_by(bookings.c.created_at.desc()))
            return [_booking(row) for row in rows.mappings()]

    async def find(self, tenant: TenantId, booking: BookingId) -> Booking | None:
        """See the port."""
        async with self._database.read() as connection:
            return await _find(connection, tenant, booking)

    async def slot(self, tenant: TenantId, slot_id: str) -> Slot | None:
        """Return the slot an id names if it is on offer (free or not), None for one made up or past."""
        async with self._database.read() as connection:
            found = await _resolve(connection, tenant, slot_id, self._clock.now())
        return found[1] if found else None

    # ------------------------------------------------------------ outside a turn (POST /book)

    async def book(
        self,
        tenant: TenantId,
        contact: ContactId,
        effect: Book,
        conversation: ConversationId | None = None,
    ) -> Booking:
        """Book or move in a transaction of its own. Raises SlotTakenError, NotFoundError."""
        now = self._clock.now()
        async with self._database.write() as connection:
            refused = await self.apply_book(connection, tenant, conversation, contact, effect, now)
            return await _result(connection, tenant, effect.booking_id, refused)

    async def cancel(self, tenant: TenantId, contact: ContactId, booking: BookingId) -> Booking:
        """Cancel in a transaction of its own. Raises NotFoundError."""
        now = self._clock.now()
        async with self._database.write() as connection:
            effect = CancelBooking(booking)
            refused = await self.apply_cancel(connection, tenant, contact, effect, now)
            return await _result(connection, tenant, booking, refused)

    async def hold(
        self, tenant: TenantId, contact: ContactId, effect: Book, lasts: timedelta = HOLD
    ) -> Booking:
        """Keep a slot for a while without booking it. Raises SlotTakenError, NotFoundError."""
        now = self._clock.now()
        async with self._database.write() as connection:
            refused = await _write(connection, tenant, None, contact, effect, now, now + lasts)
            return await _result(connection, tenant, effect.booking_id, refused)

    async def confirm(self, tenant: TenantId, contact: ContactId, booking: BookingId) -> Booking:
        """Make a hold a booking. Raises SlotTakenError when it ran out and somebody took a cell, NotFoundError."""
        now = self._clock.now()
        async with self._database.write() as connection:
            held = await _owned(connection, tenant, contact, booking, "held")
            kind = await _kind(connection, tenant, held.asset_id) if held else None
            if held is None or kind is None:
                raise NotFoundError("no such hold")
            kept = await connection.execute(
                update(booking_cells)
                .where(booking_cells.c.booking_id == booking)
                .values(expires_at=None)
            )
            if kept.rowcount < len(_cells(kind, held.starts_at)):
                raise SlotTakenError("the hold ran out and the time is taken")
            await _set_status(connection, booking, "booked", now)
            await wishes.schedule(connection, tenant, booking, held.starts_at, now)
            return await _result(connection, tenant, booking, None)

    # ------------------------------------------------------------ inside a commit

    async def apply_book(
        self,
        connection: AsyncConnection,
        tenant: str,
        conversation: str | None,
        contact: str,
        effect: Book,
        now: datetime,
    ) -> RefusedEffect | None:
        """Claim cells and write the booking; with `replaces`, free that one first.

        `replaces` equal to `booking_id` moves the booking in place: it keeps its id and counts `sequence` up.
        """
        if effect.replaces is None:
            return await _write(connection, tenant, conversation, contact, effect, now)
        old = await _owned(connection, tenant, contact, effect.replaces, "booked")
        if old is None:
            return RefusedEffect(effect, "not_found", "no such booking to move")
        await _free(connection, effect.replaces)
        if effect.replaces == effect.booking_id:
            return await _move(connection, tenant, effect, now)
        await _set_status(connection, effect.replaces, "cancelled", now)
        await wishes.withdraw(connection, tenant, effect.replaces, now)
        return await _write(connection, tenant, conversation, contact, effect, now)

    async def apply_cancel(
        self,
        connection: AsyncConnection,
        tenant: str,
        contact: str,
        effect: CancelBooking,
        now: datetime,
    ) -> RefusedEffect | None:
        """Free the cells of the contact's own booking and keep its row as cancelled."""
        if await _owned(connection, tenant, contact, effect.booking_id, "booked") is None:
            return RefusedEffect(effect, "not_found", "no such booking")
        await _free(connection, effect.booking_id)
        await _set_status(connection, effect.booking_id, "cancelled", now)
        await wishes.withdraw(connection, tenant, effect.booking_id, now)
        return None

    # ------------------------------------------------------------ setting up

    async def set_up(
        self, tenant: TenantId, staff: Sequence[Host], kinds: Sequence[SessionType]
    ) -> None:
        """Write hosts and session types, replacing those of the same id; idempotent."""
        async with self._database.write() as connection:
            for host in staff:
                row: dict[str, Any] = {
                    "id": host.id,
                    "tenant": tenant,
                    "name": host.name,
                    "email": host.email,
                    "time_zone": host.time_zone,
                    "hours": {day: [list(w) for w in host.hours[day]] for day in host.hours},
                }
                await _upsert(connection, hosts, row, ("id",))
            for kind in kinds:
                row = {
                    "tenant": tenant,
                    "asset_id": kind.asset_id,
                    "title": kind.title,
                    "minutes": kind.minutes,
                    "buffer": kind.buffer,
                }
                await _upsert(connection, session_types, row, ("tenant", "asset_id"))


# ---------------------------------------------------------------- writing


async def _write(
    connection: AsyncConnection,
    tenant: str,
    conversation: str | None,
    contact: str,
    effect: Book,
    now: datetime,
    expires_at: datetime | None = None,
) -> RefusedEffect | None:
    found = await _resolve(connection, tenant, effect.slot.slot_id, now)
    if found is None:
        return RefusedEffect(effect, "not_found", "no such slot")
    kind, slot = found
    if not await _claim(connection, tenant, kind, slot, effect.booking_id, now, expires_at):
        return RefusedEffect(effect, "slot_taken", "the time is taken")
    await connection.execute(
        insert(bookings).values(
            id=effect.booking_id,
            tenant=tenant,
            contact_id=contact,
            conversation_id=conversation,
            status="held" if expires_at else "booked",
            sequence=0,
            email=effect.contact_email,
            created_at=now,
            updated_at=now,
            **_slot_values(slot),
        )
    )
    if not expires_at:
        await wishes.schedule(connection, tenant, effect.booking_id, slot.starts_at, now)
    return None


async def _move(
    connection: AsyncConnection, tenant: str, effect: Book, now: datetime
) -> RefusedEffect | None:
    found = await _resolve(connection, tenant, effect.slot.slot_id, now)
    if found is None:
        return RefusedEffect(effect, "not_found", "no such slot")
    kind, slot = found
    if not await _claim(connection, tenant, kind, slot, effect.booking_id, now, None):
        return RefusedEffect(effect, "slot_taken", "the time is taken")
    values: dict[str, object] = {**_slot_values(slot), "updated_at": now}
    if effect.contact_email:
        values["email"] = effect.contact_email
    await connection.execute(
        update(bookings)
        .where(bookings.c.id == effect.booking_id)
        .values(sequence=bookings.c.sequence + 1, **values)
    )
    await wishes.schedule(connection, tenant, effect.booking_id, slot.starts_at, now)
    return None


async def _claim(
    connection: AsyncConnection,
    tenant: str,
    kind: SessionType,
    slot: Slot,
    booking: str,
    now: datetime,
    expires_at: datetime | None,
) -> bool:
    """Claim all cells of a slot, taking over expired holds; False when any is somebody else's.

    Cells go in ascending order, so that two claims wait for each other and never in a circle.
    """
    wanted = _cells(kind, slot.starts_at)
    rows = [
        {
            "host_id": slot.host_id,
            "cell": cell,
            "tenant": tenant,
            "booking_id": booking,
            "expires_at": expires_at,
        }
        for cell in wanted
    ]
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    claim = dialect.insert(booking_cells).values(rows)
    claim = claim.on_conflict_do_update(
        index_elements=["host_id", "cell"],
        set_={"booking_id": claim.excluded.booking_id, "expires_at": claim.excluded.expires_at},
        where=booking_cells.c.expires_at < now,
    )
    done = await connection.execute(claim.returning(booking_cells.c.cell))
    return len(done.all()) == len(wanted)


async def _free(connection: AsyncConnection, booking: str) -> None:
    await connection.execute(delete(booking_cells).where(booking_cells.c.booking_id == booking))


async def _set_status(
    connection: AsyncConnection, booking: str, status: str, now: datetime
) -> None:
    changed = update(bookings).where(bookings.c.id == booking)
    await connection.execute(
        changed.values(status=status, sequence=bookings.c.sequence + 1, updated_at=now)
    )


async def _upsert(
    connection: AsyncConnection, table: Any, row: Mapping[str, Any], key: tuple[str, ...]
) -> None:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table).values(**row)
    rest = {name: statement.excluded[name] for name in row if name not in key}
    await connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=rest))


# ---------------------------------------------------------------- reading


async def _resolve(
    connection: AsyncConnection, tenant: str, slot_id: str, now: datetime
) -> tuple[SessionType, Slot] | None:
    """Return what a slot id names, if the calendar would offer it: nothing in it is believed."""
    named, _, epoch = slot_id.rpartition(".")
    asset_id, _, host_id = named.rpartition(".")
    if not (epoch.isascii() and epoch.isdigit() and int(epoch) < _LARGEST_EPOCH):
        return None
    moment = datetime.fromtimestamp(int(epoch), UTC)
    kind = await _kind(connection, tenant, asset_id)
    host = next((h for h in await _hosts(connection, tenant) if h.id == host_id), None)
    if kind is None or host is None or moment < now + LEAD_TIME - CHOOSING:
        return None
    if not is_start(host, kind.minutes, moment):
        return None
    return kind, _slot(kind, host, moment)


async def _kind(connection: AsyncConnection, tenant: str, asset_id: str) -> SessionType | None:
    query = select(session_types).where(
        session_types.c.tenant == tenant, session_types.c.asset_id == asset_id
    )
    row = (await connection.execute(query)).mappings().first()
    return _session_type(row) if row else None


async def _hosts(connection: AsyncConnection, tenant: str) -> list[Host]:
    query = select(hosts).where(hosts.c.tenant == tenant).order_by(hosts.c.id)
    rows = (await connection.execute(query)).mappings()
    return [
        Host(row["id"], row["name"], row["email"], row["time_zone"], row["hours"]) for row in rows
    ]


async def _taken(
    connection: AsyncConnection,
    tenant: str,
    kind: SessionType,
    start: datetime,
    end: datetime,
    now: datetime,
) -> set[tuple[str, int]]:
    """Return (host, cell) of everything booked or held in the window, in one query."""
    first = _cells(kind, start).start
    last = _cells(kind, end).stop
    query = select(booking_cells.c.host_id, booking_cells.c.cell).where(
        booking_cells.c.tenant == tenant,
        booking_cells.c.cell >= first,
        booking_cells.c.cell <= last,
        or_(booking_cells.c.expires_at.is_(None), booking_cells.c.expires_at >= now),
    )
    return {(host, cell) for host, cell in (await connection.execute(query)).all()}


async def _owned(
    connection: AsyncConnection, tenant: str, contact: str, booking: str, status: str
) -> Booking | None:
    found = await _find(connection, tenant, booking)
    if found is None or found.contact_id != contact or found.status != status:
        return None
    return found


async def _find(connection: AsyncConnection, tenant: str, booking: str) -> Booking | None:
    query = _booking_query(tenant).where(bookings.c.id == booking)
    row = (await connection.execute(query)).mappings().first()
    return _booking(row) if row else None


async def _result(
    connection: AsyncConnection, tenant: str, booking: str, refused: RefusedEffect | None
) -> Booking:
    """Return the booking as written; raising for a refusal is what rolls the transaction back."""
    if refused is not None and refused.code == "slot_taken":
        raise SlotTakenError(refused.detail)
    found = None if refused else await _find(connection, tenant, booking)
    if found is None:
        raise NotFoundError(refused.detail if refused else "no such booking")
    return found


def _booking_query(tenant: str) -> Select[Any]:
    joined = bookings.join(hosts, hosts.c.id == bookings.c.host_id).outerjoin(
        conversations, conversations.c.id == bookings.c.conversation_id
    )
    columns = (bookings, hosts.c.email.label("host_email"), conversations.c.channel)
    return select(*columns).select_from(joined).where(bookings.c.tenant == tenant)


# ---------------------------------------------------------------- rows and types


def _cells(kind: SessionType, moment: datetime) -> range:
    return cells(moment, moment + timedelta(minutes=kind.minutes), kind.buffer)


def _slot(kind: SessionType, host: Host, moment: datetime) -> Slot:
    return Slot(
        slot_id=f"{kind.asset_id}.{host.id}.{int(moment.timestamp())}",
        asset_id=kind.asset_id,
        title=kind.title,
        host_id=host.id,
        host=host.name,
        starts_at=moment,
        ends_at=moment + timedelta(minutes=kind.minutes),
        host_email=host.email,
    )


def _slot_values(slot: Slot) -> dict[str, object]:
    names = ("slot_id", "asset_id", "title", "host_id", "host", "starts_at", "ends_at")
    return {name: getattr(slot, name) for name in names}


def _session_type(row: RowMapping) -> SessionType:
    return SessionType(row["asset_id"], row["title"], row["minutes"], row["buffer"])


def _booking(row: RowMapping) -> Booking:
    return Booking(
        id=BookingId(row["id"]),
        contact_id=ContactId(row["contact_id"]),
        slot_id=row["slot_id"],
        asset_id=row["asset_id"],
        title=row["title"],
        host_id=row["host_id"],
        host=row["host"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        status=cast("Any", row["status"]),
        created_at=row["created_at"],
        sequence=row["sequence"],
        email=row["email"],
        host_email=row["host_email"],
        conversation_id=ConversationId(row["conversation_id"]) if row["conversation_id"] else None,
        channel=row["channel"],
    )
