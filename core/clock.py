"""Time, always aware, always UTC. The only place that reads the system clock."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - the one place that may


class FrozenClock:
    """A clock that moves only when told to; for tests."""

    def __init__(self, at: datetime) -> None:
        """Stop the clock at `at`, an aware datetime."""
        self._now = at.astimezone(UTC)

    def now(self) -> datetime:
        """Return the time the clock stands at."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move the clock forward."""
        self._now += by

    def set(self, at: datetime) -> None:
        """Move the clock to `at`, an aware datetime."""
        self._now = at.astimezone(UTC)
