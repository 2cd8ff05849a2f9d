"""Free slots and bookings."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from core.bookings import Booking, SessionType, Slot
from core.ids import (
    BookingId,
    ContactId,
    TenantId,
)


class Calendar(Protocol):
    """Free slots and bookings."""

    async def session_types(self, tenant: TenantId) -> Sequence[SessionType]:
        """Return what can be booked."""
        ...

    async def slots(
        self,
        tenant: TenantId,
        asset_id: str,
        start: datetime,
        end: datetime,
        limit: int = 50,
    ) -> Sequence[Slot]:
        """Return free slots in [start, end), earliest first, inside working hours, buffers kept."""
        ...

    async def bookings(self, tenant: TenantId, contact: ContactId) -> Sequence[Booking]:
        """Return the contact's bookings, newest first."""
        ...

    async def find(self, tenant: TenantId, booking: BookingId) -> Booking | None:
        """Return one booking."""
        ...
