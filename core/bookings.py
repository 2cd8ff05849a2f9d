"""Guided sessions: what can be booked, with whom, when."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from core.ids import BookingId, ContactId, ConversationId


@dataclass(frozen=True, slots=True)
class SessionType:
    """A kind of session: public name, length in minutes, minutes kept free on both sides."""

    asset_id: str
    title: str
    minutes: int
    buffer: int = 0


@dataclass(frozen=True, slots=True)
class Slot:
    """A bookable time with one host. `slot_id` encodes asset, host and start; it is not a promise."""

    slot_id: str
    asset_id: str
    title: str
    host_id: str
    host: str
    starts_at: datetime
    ends_at: datetime
    host_email: str | None = None


@dataclass(frozen=True, slots=True)
class Booking:
    """A booked session. `order_id` in the public API is `id`.

    `sequence` counts changes from 0 (RFC 5545 §3.8.7.4); `channel` is where it was made; `email` got the
    invitation.
    """

    id: BookingId
    contact_id: ContactId
    slot_id: str
    asset_id: str
    title: str
    host_id: str
    host: str
    starts_at: datetime
    ends_at: datetime
    status: Literal["held", "booked", "cancelled"]
    created_at: datetime
    sequence: int = 0
    email: str | None = None
    host_email: str | None = None
    conversation_id: ConversationId | None = None
    channel: str | None = None
