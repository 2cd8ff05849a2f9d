"""When a host works, and the 15-minute cells a session takes. Pure arithmetic, no database.

Owns the hours JSON (`{"mon": [["09:00", "17:00"]], …}`, wall clock in the host's zone), the grid of starts and
the cells. Steps are taken in real time between opening and closing, so a day on which clocks change has
neither missing nor doubled starts. Not here: who has booked what (bookings.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.zones import zone_info

CELL = 900  # seconds
GRID = timedelta(minutes=30)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Hours = Mapping[str, Sequence[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Host:
    """Somebody who gives sessions. `hours` in `time_zone`, an IANA name."""

    id: str
    name: str
    email: str
    time_zone: str
    hours: Hours


def starts(host: Host, minutes: int, begin: datetime, end: datetime) -> Iterator[datetime]:
    """Yield the UTC starts in [begin, end) from which a session of `minutes` ends within working hours."""
    zone = zone_info(host.time_zone)
    day = begin.astimezone(zone).date() - timedelta(days=1)
    last = end.astimezone(zone).date()
    while day <= last:
        for opens, closes in _windows(host, day, zone):
            moment = _on_grid(opens, zone)
            while moment + timedelta(minutes=minutes) <= closes:
                if begin <= moment < end:
                    yield moment
                moment += GRID
        day += timedelta(days=1)


def is_start(host: Host, minutes: int, moment: datetime) -> bool:
    """Return whether a session of `minutes` may begin at exactly this moment."""
    return moment in starts(host, minutes, moment, moment + timedelta(seconds=1))


def cells(start: datetime, end: datetime, buffer: int) -> range:
    """Return the cells (epoch / 900) a session takes, `buffer` minutes kept on both sides."""
    margin = buffer * 60
    first = int(start.timestamp() - margin) // CELL
    last = -(-int(end.timestamp() + margin) // CELL)
    return range(first, last)


def _windows(host: Host, day: date, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    for opens, closes in host.hours.get(DAYS[day.weekday()], ()):
        yield _at(day, opens, zone), _at(day, closes, zone)


def _at(day: date, clock: str, zone: ZoneInfo) -> datetime:
    if clock == "24:00":
        day, clock = day + timedelta(days=1), "00:00"
    return datetime.combine(day, time.fromisoformat(clock), zone).astimezone(UTC)


def _on_grid(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment or the next one whose local minutes are on the grid."""
    local = moment.astimezone(zone)
    over = timedelta(minutes=local.minute, seconds=local.second) % GRID
    return moment + (GRID - over if over else timedelta())
