"""Find the dates and times a customer speaks of, in English and Spanish, leaning to the future.

Owns joining pieces ("Tuesday" + "at 3" + "next week") and turning them into moments in the customer's zone.
Not here: the words of a language (times_en.py, times_es.py); durations and repetitions ("for an hour",
"every Monday") are not times and are not returned.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from core.understanding import TimeSpan
from core.zones import zone_info
from knowledge.times_atoms import (
    Atom,
    ClockTime,
    Rule,
    Scene,
    coming_month_day,
)
from knowledge.times_en import JOIN_EN, RULES_EN
from knowledge.times_es import JOIN_ES, RULES_ES

_LONGEST = 4000
_MONTH_FIRST = {"en", "en-us", "en-ca", "en-ph"}


def find_times(text: str, now: datetime, time_zone: str, locale: str) -> tuple[TimeSpan, ...]:
    """Return the dates and times in the text, in order of appearance.

    `now` is aware (a naive one is taken as local); `time_zone` an IANA name, UTC when unknown; `locale` decides
    the language tried first and whether 3/1 is 3 January. Values are aware, in that zone; offsets are
    characters of `text`, the end exclusive. Texts are read up to 4 000 characters.
    """
    zone = zone_info(time_zone)
    local = now.replace(tzinfo=zone) if now.tzinfo is None else now.astimezone(zone)
    tag = locale.lower().replace("_", "-") or "en"
    scene = Scene(local, _normalise(text[:_LONGEST]), text, day_first=tag not in _MONTH_FIRST)
    english, spanish = (RULES_EN, JOIN_EN), (RULES_ES, JOIN_ES)
    order = (spanish, english) if tag.startswith("es") else (english, spanish)
    for rules, join in order:
        found = _spans(scene, rules, join)
        if found:
            return found
    return ()


def _normalise(text: str) -> str:
    """Return lower case without accents, the same length as given."""
    return "".join(_plain(char) for char in text)


def _plain(char: str) -> str:
    if char in "’‘`´":
        return "'"
    if char in "–—−":
        return "-"
    lower = unicodedata.normalize("NFD", char.lower())[:1]
    return lower if len(lower) == 1 else char


def _spans(scene: Scene, rules: Sequence[Rule], join: re.Pattern[str]) -> tuple[TimeSpan, ...]:
    whole = scene.text.strip(" .,!?¡¿")
    spans = []
    for atom in _merge(_scan(scene, rules), scene, join):
        if atom.weak and scene.text[atom.start : atom.end].strip() != whole:
            continue
        span = _resolve(atom, scene)
        if span is not None:
            spans.append(span)
    return tuple(spans)


def _scan(scene: Scene, rules: Sequence[Rule]) -> list[Atom]:
    """Return the pieces, longest first where they overlap, in order."""
    found: list[Atom] = []
    for entry in rules:
        for match in entry.pattern.finditer(scene.text):
            atom = entry.build(match, scene)
            if atom is not None:
                found.append(atom)
    found.sort(key=lambda atom: (atom.start - atom.end, atom.weak, atom.start))
    taken: list[Atom] = []
    for atom in found:
        if all(atom.end <= other.start or atom.start >= other.end for other in taken):
            taken.append(atom)
    return sorted(taken, key=lambda atom: atom.start)


def _merge(atoms: list[Atom], scene: Scene, join: re.Pattern[str]) -> list[Atom]:
    merged: list[Atom] = []
    for atom in atoms:
        if merged and join.fullmatch(scene.text[merged[-1].end : atom.start]):
            both = _joined(merged[-1], atom, scene.today)
            if both is not None:
                merged[-1] = both
                continue
        merged.append(atom)
    return merged


def _joined(left: Atom, right: Atom, today: date) -> Atom | None:
    """Return both pieces as one, or None when they do not complete each other."""
    if left.moment or right.moment:
        return None
    whole = _days_joined(left, right, today)
    if whole is None or (left.at and right.at) or (left.part and right.part):
        return None
    timed = left if left.at else right
    part = left.part or right.part
    return replace(
        whole,
        start=left.start,
        end=right.end,
        at=timed.at,
        to=timed.to,
        bound=timed.bound,
        part=part,
        weak=left.weak and right.weak,
    )


def _days_joined(left: Atom, right: Atom, today: date) -> Atom | None:
    """Return an atom that carries the day both speak of; None when they speak of different ones."""
    if not _has_day(left) or not _has_day(right):
        return left if _has_day(left) else right
    named, other = (left, right) if left.weekday is not None else (right, left)
    if named.weekday is None or other.weekday is not None:
        return None
    if other.month_day is not None:
        day = coming_month_day(today, other.month_day, named.weekday)
        return replace(other, day=day or other.day, month_day=None)
    if other.period is not None and other.period[2] == "week":
        return replace(named, day=other.period[0] + timedelta(days=named.weekday), flexible=False)
    return other if other.day is not None else None


def _has_day(atom: Atom) -> bool:
    return atom.day is not None or atom.period is not None


# ---------------------------------------------------------------- resolving


def _resolve(atom: Atom, scene: Scene) -> TimeSpan | None:
    text = scene.written[atom.start : atom.end]

    def span(value: datetime, grain: str, until: datetime | None = None) -> TimeSpan:
        return TimeSpan(text, atom.start, atom.end, value, grain, until)

    if atom.moment is not None:
        return span(atom.moment, atom.grain, atom.until)
    if atom.at is not None:
        return span(*_timed(atom, atom.at, scene.now))
    if atom.part is not None:
        return span(*_part(atom, atom.part, scene.now))
    if atom.day is not None:
        return span(_midnight(atom.day, scene.now), "day")
    if atom.period is not None:
        first, last, grain = atom.period
        return span(_midnight(first, scene.now), grain, _midnight(last, scene.now))
    return None


def _midnight(day: date, now: datetime) -> datetime:
    return datetime.combine(day, time.min, now.tzinfo)


def _on(day: date, clock: tuple[int, int], now: datetime) -> datetime:
    """Return the wall-clock time on the day; 24:00 is the next midnight."""
    moment = _midnight(day + timedelta(days=clock[0] // 24), now)
    return moment.replace(hour=clock[0] % 24, minute=clock[1])


def _first_day(atom: Atom) -> date | None:
    return atom.day or (atom.period[0] if atom.period else None)


def _timed(atom: Atom, at: ClockTime, now: datetime) -> tuple[datetime, str, datetime | None]:
    begin = _clock(at, atom.part)
    end = None
    if atom.to is not None:
        begin, end = _clock_range(at, atom.to, atom.part)
    day = _first_day(atom) or now.date()
    value = _on(day, begin, now)
    if value <= now:
        day, begin = _later(atom, at, day, begin, now)
        value = _on(day, begin, now)
    grain = "minute" if at.minute or at.exact else "hour"
    if atom.bound == "before":
        return max(_midnight(day, now), min(now, value)), grain, value
    if atom.bound == "after":
        return value, grain, _midnight(day + timedelta(days=1), now)
    if end is None:
        return value, grain, None
    until = _on(day, end, now)
    return value, grain, until if until > value else until + timedelta(days=1)


def _later(
    atom: Atom, at: ClockTime, day: date, begin: tuple[int, int], now: datetime
) -> tuple[date, tuple[int, int]]:
    """Return a future reading of a time that has passed, where the words allow one."""
    if atom.day is None and atom.period is None:
        return day + timedelta(days=1), begin
    if atom.flexible:
        return day + timedelta(days=7), begin
    if day == now.date() and not at.meridian and atom.to is None and begin[0] < 12:
        return day, (begin[0] + 12, begin[1])
    return day, begin


def _clock(at: ClockTime, part: tuple[int, int] | None) -> tuple[int, int]:
    """Return hour and minute on the 24-hour clock; unsaid halves of the day follow `part`, else office hours."""
    hour = at.hour
    if at.meridian == "24" or hour > 12:
        return hour, at.minute
    if at.meridian:
        return hour % 12 + (12 if at.meridian == "pm" else 0), at.minute
    if part is not None:
        afternoon = part[0] >= 12 and hour < 12
        # "One at night" is after midnight, "one in the afternoon" is not.
        if part[0] >= 20 and hour < 5:
            afternoon = False
        return (hour + 12 if afternoon else hour), at.minute
    return (hour + 12 if 1 <= hour <= 6 else hour), at.minute


def _clock_range(
    at: ClockTime, to: ClockTime, part: tuple[int, int] | None
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return both ends; one that says am or pm speaks for the other as far as order allows."""
    end = _clock(to, part)
    if at.meridian or part is not None or not to.meridian:
        begin = _clock(at, part)
        if not to.meridian and part is None and to.hour <= 12:
            end = next(
                (
                    c
                    for c in ((to.hour % 12, to.minute), (to.hour % 12 + 12, to.minute))
                    if c > begin
                ),
                end,
            )
        return begin, end
    halves = ((at.hour % 12, at.minute), (at.hour % 12 + 12, at.minute))
    fitting = [clock for clock in halves if clock < end] if at.hour <= 12 else []
    return (fitting[-1] if fitting else (at.hour, at.minute)), end


def _part(
    atom: Atom, part: tuple[int, int], now: datetime
) -> tuple[datetime, str, datetime | None]:
    day = _first_day(atom)
    if day is None:
        day = now.date()
        if _on(day, (part[1], 0), now) <= now:
            day += timedelta(days=1)
    elif atom.flexible and _on(day, (part[1], 0), now) <= now:
        day += timedelta(days=7)
    return _on(day, (part[0], 0), now), "part", _on(day, (part[1], 0), now)
