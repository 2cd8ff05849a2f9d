"""What a customer wants and is told about time: windows to search in, and moments said aloud.

Owns turning the spans the understanding found into a window of wall-clock time (the zone may be learned
later), and naming moments and zones from the catalogue. Not here: finding spans in text (knowledge), free
slots (slots.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from core.outcomes import Turn
from core.ports import Lines
from core.zones import zone_info
from handlers._shared.places import city_of
from handlers._shared.wording import contains

HORIZON = timedelta(days=14)
_PARTS = {"words.morning": (8, 12), "words.afternoon": (12, 18), "words.evening": (17, 21)}
_LENGTHS = {
    "day": timedelta(days=1),
    "part": timedelta(hours=4),
    "week": timedelta(days=7),
    "month": timedelta(days=31),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Wall-clock times, naive, in the customer's zone whichever that is. `exact`: a start, not a range.

    `hours` narrows every day of the window to [from, to) o'clock.
    """

    start: datetime
    end: datetime
    exact: bool = False
    hours: tuple[int, int] | None = None

    def as_json(self) -> dict[str, object]:
        """Return plain JSON for the form."""
        return {
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "exact": self.exact,
            "hours": list(self.hours) if self.hours else None,
        }

    @classmethod
    def from_json(cls, value: object) -> "Wanted | None":
        """Return what `as_json` made; None for anything else."""
        if not isinstance(value, Mapping):
            return None
        hours = value.get("hours")
        return cls(
            datetime.fromisoformat(str(value["start"])),
            datetime.fromisoformat(str(value["end"])),
            bool(value["exact"]),
            (int(hours[0]), int(hours[1])) if hours else None,
        )

    def between(self, zone: str) -> tuple[datetime, datetime]:
        """Return the window as UTC moments, read in the zone."""
        info = zone_info(zone)
        start, end = self.start.replace(tzinfo=info), self.end.replace(tzinfo=info)
        return start.astimezone(UTC), end.astimezone(UTC)


def wanted_in(turn: Turn, lines: Lines, parsed_in: str, zone: str | None) -> Wanted | None:
    """Return the window a message names, or None when it names none.

    `parsed_in` is the zone the understanding read the words in; the wall clock is taken as spoken.
    """
    spans = turn.understanding.times
    hours = _part_of_day(turn.text, lines)
    if not spans:
        if contains(turn.text, lines, "words.soonest") or hours:
            return _soonest(turn.now, zone or parsed_in, hours)
        return None
    span = next((s for s in spans if s.grain in ("hour", "minute")), spans[0])
    value = span.value
    start = value.astimezone(zone_info(parsed_in)).replace(tzinfo=None) if value.tzinfo else value
    if span.grain in ("hour", "minute") and span.until is None:
        return Wanted(start, start + timedelta(hours=1), exact=True)
    length = span.until - span.value if span.until else _LENGTHS.get(span.grain, timedelta(days=1))
    if span.grain == "part" or span.grain in ("hour", "minute"):
        hours = None
    return Wanted(start, start + length, hours=hours)


def soonest(now: datetime, zone: str) -> Wanted:
    """Return the window from now over the horizon."""
    return _soonest(now, zone, None)


def _soonest(now: datetime, zone: str, hours: tuple[int, int] | None) -> Wanted:
    local = now.astimezone(zone_info(zone)).replace(tzinfo=None)
    return Wanted(local, local + HORIZON, hours=hours)


def _part_of_day(text: str, lines: Lines) -> tuple[int, int] | None:
    return next((hours for key, hours in _PARTS.items() if contains(text, lines, key)), None)


def is_within(moment: datetime, wanted: Wanted, zone: str) -> bool:
    """Return whether a moment falls into the hours of the day that were asked for."""
    if wanted.hours is None:
        return True
    clock = moment.astimezone(zone_info(zone)).time()
    return time(wanted.hours[0]) <= clock < time(min(wanted.hours[1], 23))


def say_moment(lines: Lines, moment: datetime, zone: str, locale: str) -> str:
    """Return "Tue 24 Nov, 15:00" in the zone and language."""
    local = moment.astimezone(zone_info(zone))
    return lines.say(
        "time.moment",
        locale,
        weekday=_name(lines, "words.weekdays", locale, local.weekday()),
        day=local.day,
        month=_name(lines, "words.months", locale, local.month - 1),
        clock=f"{local:%H:%M}",
    )


def say_date(lines: Lines, moment: datetime, zone: str, locale: str) -> str:
    """Return "24 Nov 2026" in the zone and language."""
    local = moment.astimezone(zone_info(zone))
    month = _name(lines, "words.months", locale, local.month - 1)
    return lines.say("time.date", locale, day=local.day, month=month, year=local.year)


def say_zone(lines: Lines, moment: datetime, zone: str, locale: str) -> str:
    """Return "Madrid time, UTC+1": the offset is the one at that moment."""
    offset = moment.astimezone(zone_info(zone)).utcoffset() or timedelta()
    minutes = int(offset.total_seconds()) // 60
    if zone == "UTC":
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    text = f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02d}" if rest else "")
    if zone.startswith("Etc/"):
        return text
    return lines.say("time.zone", locale, city=city_of(zone), offset=text)


def _name(lines: Lines, key: str, locale: str, index: int) -> str:
    names = lines.variants(key)
    return names.get(locale, names["en"])[index]
