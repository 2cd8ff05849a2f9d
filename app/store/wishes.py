"""Wishes to write unasked, inside somebody else's transaction: a booking's reminder, word that an answer waits.

Owns the rows as they are made and withdrawn, and where a contact can be reached. Not here: whether and when they go
out (unasked.py), the rule (core/delivery.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import alarm_rows
from app.store.models import alarms, bookings, identities, inboxes, unasked
from core.conversations import Contact
from core.delivery import Purpose
from core.effects import SetAlarm
from core.ids import ContactId, ConversationId, TenantId, new_id
from core.messages import Assurance

REMINDER = "booking.reminder"  # the kind of alarm
BEFORE = timedelta(hours=24)
_ORDER = ("email", "sms", "whatsapp", "slack")  # what is least of a nuisance comes first
_NOWHERE = ("web", "visitor", "external", "api")


@dataclass(frozen=True, slots=True)
class Wish:
    """What should go out. `line` and `slots` are rendered in the contact's language when it does.

    `key` is unique per tenant: the same wish twice is one. Without `channel` and `address` the surest place of the
    contact's is taken; `not_by` names a channel that has failed.
    """

    purpose: Purpose
    contact: ContactId
    key: str
    line: str
    slots: Mapping[str, str]
    conversation: ConversationId | None = None
    channel: str | None = None
    address: str | None = None
    until: datetime | None = None
    due: datetime | None = None


async def wish(
    connection: AsyncConnection, tenant: TenantId | str, wished: Wish, now: datetime
) -> str:
    """Write a wish. Raises IntegrityError when its key was used."""
    fresh = new_id("una", now)
    await connection.execute(
        insert(unasked).values(
            id=fresh,
            tenant=tenant,
            contact_id=wished.contact,
            conversation_id=wished.conversation,
            purpose=wished.purpose,
            key=wished.key,
            state="waiting",
            line=wished.line,
            slots=dict(wished.slots),
            channel=wished.channel,
            address=wished.address,
            until=wished.until,
            due_at=wished.due or now,
            created_at=now,
        )
    )
    return fresh


async def verified(
    connection: AsyncConnection,
    tenant: str,
    contact: Contact,
    kinds: Mapping[str, str],
    failed: tuple[str | None, str | None] = (None, None),
) -> list[tuple[str, str]]:
    """Return (channel, address) of the contact's own that a provider vouches for and we can write to.

    Web visitors are not among them: nobody is told to look there.
    """
    found = await connection.execute(
        select(inboxes.c.channel).where(inboxes.c.tenant == tenant, inboxes.c.kind == "customer")
    )
    ours = set(found.scalars())
    places = [
        (channel, identity.value)
        for channel in _ORDER
        if channel in ours
        for identity in contact.identities
        if identity.kind == kinds.get(channel, channel)
        and identity.assurance.rank >= Assurance.CHANNEL.rank
    ]
    return [place for place in places if place != failed]


async def remind(connection: AsyncConnection, tenant: str, booking: str, now: datetime) -> None:
    """Turn a booking's alarm into a wish, if the booking still stands and is still to come."""
    row = (
        (
            await connection.execute(
                select(bookings).where(bookings.c.id == booking, bookings.c.tenant == tenant)
            )
        )
        .mappings()
        .one_or_none()
    )
    if row is None or row["status"] != "booked" or row["starts_at"] <= now:
        return
    key = f"reminder:{booking}:{row['sequence']}"
    before = select(unasked.c.id).where(unasked.c.tenant == tenant, unasked.c.key == key)
    if (await connection.execute(before)).first() is not None:
        return
    slots = {
        "title": row["title"],
        "host": row["host"],
        "starts_at": row["starts_at"].isoformat(),
    }
    wished = Wish(
        Purpose.REMINDER,
        ContactId(row["contact_id"]),
        key,
        "reminder.booking",
        slots,
        ConversationId(row["conversation_id"]) if row["conversation_id"] else None,
        # where the invitation went, they want to hear of the session
        channel="email" if row["email"] else None,
        address=row["email"],
        until=row["starts_at"],
    )
    await wish(connection, tenant, wished, now)


async def withdraw(connection: AsyncConnection, tenant: str, booking: str, now: datetime) -> None:
    """Take back what would be said of a booking that was moved or called off."""
    await connection.execute(
        delete(alarms).where(
            alarms.c.tenant == tenant,
            alarms.c.key == f"{REMINDER}:{booking}",
            alarms.c.fired_at.is_(None),
        )
    )
    await connection.execute(
        update(unasked)
        .where(
            unasked.c.tenant == tenant,
            unasked.c.key.startswith(f"reminder:{booking}:", autoescape=True),
            unasked.c.state == "waiting",
        )
        .values(state="refused", reason="booking_changed", decided_at=now)
    )


async def schedule(
    connection: AsyncConnection, tenant: str, booking: str, starts_at: datetime, now: datetime
) -> None:
    """Set the alarm of a booking a day before it, or none when it is sooner; what waited for the old time goes."""
    await withdraw(connection, tenant, booking, now)
    at = starts_at - BEFORE
    if at > now:
        effect = SetAlarm(f"{REMINDER}:{booking}", at, REMINDER, {"booking": booking})
        await alarm_rows.set_alarm(connection, tenant, effect)


async def reachable_elsewhere(
    connection: AsyncConnection, tenant: str, contact: str, failed: str
) -> bool:
    """Return whether a provider vouches for another address of the contact's. The policy decides what of it."""
    found = select(identities.c.id).where(
        identities.c.tenant == tenant,
        identities.c.contact_id == contact,
        identities.c.assurance.in_((Assurance.CHANNEL, Assurance.PROVEN)),
        identities.c.value != failed,
        identities.c.kind.not_in(_NOWHERE),
        identities.c.kind.not_like("%:claimed"),
    )
    return (await connection.execute(found.limit(1))).first() is not None
