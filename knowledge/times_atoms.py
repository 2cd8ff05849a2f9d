"""The pieces a spoken date or time is made of, and the calendar arithmetic under them.

Owns `Atom`, the rule type both grammars are written in, and day arithmetic that leans to the future.
Not here: words of any language (times_en.py, times_es.py) or how pieces join (times.py).
"""

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta


@dataclass(frozen=True, slots=True)
class ClockTime:
    """A time of day as spoken. `meridian` is `am`, `pm`, `24` (certain as it stands) or "" (unsaid)."""

    hour: int
    minute: int = 0
    meridian: str = ""
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Atom:
    """One piece found in the text, `start` and `end` being character offsets.

    A piece fills some of these: a `day` (`weekday` when only the name was said, `flexible` when it may move
    a week on), a `period` of days [first, past the last) with its grain, a time of day `at` (`to` ends a
    range; `bound` is `after`/`before`), a `part` of a day in hours, or a whole `moment`. A `weak` piece
    counts only beside another or as the whole message.
    """

    start: int
    end: int
    day: date | None = None
    weekday: int | None = None
    flexible: bool = False
    month_day: int | None = None
    period: tuple[date, date, str] | None = None
    at: ClockTime | None = None
    to: ClockTime | None = None
    bound: str = ""
    part: tuple[int, int] | None = None
    moment: datetime | None = None
    until: datetime | None = None
    grain: str = ""
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """What a rule may look at: the local time now, the normalised text, the text as written, field order."""

    now: datetime
    text: str
    written: str
    day_first: bool

    @property
    def today(self) -> date:
        """The local date."""
        return self.now.date()


Build = Callable[[re.Match[str], Scene], Atom | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern over normalised text and what to make of a match."""

    pattern: re.Pattern[str]
    build: Build


def rule(pattern: str, build: Build) -> Rule:
    """Return a rule; the pattern is bounded so that it never starts or ends inside a word or number."""
    return Rule(re.compile(rf"(?<![\w$€£#@/]){pattern}(?!\w)"), build)


def safe_day(year: int, month: int, day: int) -> date | None:
    """Return the date, or None where the calendar has none."""
    if year < 100:
        year += 2000 if year < 70 else 1900
    try:
        return date(year, month, day)
    except ValueError:
        return None


def coming(today: date, month: int, day: int) -> date | None:
    """Return the next such day from today on, within eight years (29 February)."""
    years = (safe_day(today.year + ahead, month, day) for ahead in range(9))
    return next((found for found in years if found and found >= today), None)


def coming_month_day(today: date, day: int, weekday: int | None = None) -> date | None:
    """Return the next date with this day of the month (and weekday), from today on, within two years."""
    for ahead in range(25):
        year, month = divmod(today.year * 12 + today.month - 1 + ahead, 12)
        found = safe_day(year, month + 1, day)
        if found and found >= today and weekday in (None, found.weekday()):
            return found
    return None


def coming_weekday(today: date, weekday: int) -> date:
    """Return the next such weekday, today included."""
    return today + timedelta(days=(weekday - today.weekday()) % 7)


def week_of(day: date) -> date:
    """Return the Monday of the day's week."""
    return day - timedelta(days=day.weekday())


def weekday_in(today: date, weekday: int, weeks: int) -> date:
    """Return the weekday in the week that lies `weeks` from this one."""
    return week_of(today) + timedelta(weeks=weeks, days=weekday)


def add_months(day: date, months: int) -> date:
    """Return the day `months` later, at most the month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def month_period(year: int, month: int) -> tuple[date, date, str]:
    """Return the month as a period."""
    first = date(year, month, 1)
    return first, add_months(first, 1), "month"


def coming_month(today: date, month: int) -> tuple[date, date, str]:
    """Return the next such month, the running one included."""
    return month_period(today.year + (month < today.month), month)


def period_of(today: date, unit: str, ahead: int) -> tuple[date, date, str]:
    """Return the calendar week, weekend, month or year that lies `ahead` from the present one."""
    if unit == "week":
        first = week_of(today) + timedelta(weeks=ahead)
        return first, first + timedelta(weeks=1), "week"
    if unit == "weekend":
        first = week_of(today) + timedelta(weeks=ahead, days=5)
        return first, first + timedelta(days=2), "day"
    if unit == "month":
        first = add_months(today.replace(day=1), ahead)
        return first, add_months(first, 1), "month"
    return date(today.year + ahead, 1, 1), date(today.year + ahead + 1, 1, 1), "month"


def shifted(now: datetime, amount: float, unit: str) -> tuple[datetime, str] | None:
    """Return now moved by so many minutes, hours, days, weeks, months or years, and the grain; None when absurd."""
    if abs(amount) > 1000:
        return None
    if unit in ("minute", "hour"):
        return now + timedelta(**{f"{unit}s": amount}), unit
    if unit in ("day", "week"):
        moved: date = now.date() + timedelta(**{f"{unit}s": amount})
    else:
        months = int(amount * (12 if unit == "year" else 1))
        if abs(months) > 12 * 50:
            return None
        moved = add_months(now.date(), months)
    return datetime.combine(moved, datetime.min.time(), now.tzinfo), "day"


def working_day(today: date, ahead: int) -> date:
    """Return the day that lies so many Mondays-to-Fridays ahead."""
    day = today
    for _ in range(min(ahead, 500)):
        day += timedelta(days=3 if day.weekday() == 4 else 2 if day.weekday() == 5 else 1)
    return day
