"""Free times: finding three worth offering, and reading which one was chosen.

Owns the search window, the spread of the offers and the choice. Not here: what is said about them
(picking.py), claiming a slot (the commit).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.bookings import Slot
from core.contracts import Context
from core.outcomes import Turn
from core.ports import Lines
from core.zones import zone_info
from handlers._shared.spoken_times import HORIZON, Wanted, is_within, say_moment, soonest
from handlers._shared.wording import agrees, is_only_ordinal, number_in, ordinal_in, plain

OFFERED = 3
_SEARCHED = 400
_APART = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Offers:
    """Up to three slots, in order. `exact`: the first is the very time asked for; `elsewhere`: none was free then."""

    slots: tuple[Slot, ...]
    exact: bool = False
    elsewhere: bool = False


async def find_offers(
    turn: Turn,
    context: Context,
    asset_id: str,
    wanted: Wanted,
    zone: str,
    without: Collection[str] = (),
) -> Offers:
    """Return what to offer for a window: inside it, else the nearest after its start, else nothing."""
    start, end = wanted.between(zone)
    start = max(start, turn.now)
    if wanted.exact:
        # The whole day, so that the neighbours of the time asked for can be offered with it.
        whole = await _free(turn, context, asset_id, start, start + timedelta(days=1), without)
        if any(slot.starts_at == start for slot in whole):
            return Offers(_nearest(whole, start), exact=True)
        end = start + timedelta(days=1)
        found = _nearest(whole, start)
        if found:
            return Offers(found, elsewhere=True)
    elif end > start:
        free = await _free(turn, context, asset_id, start, end, without)
        found = spread([slot for slot in free if is_within(slot.starts_at, wanted, zone)])
        if found:
            return Offers(found)
    later = await _free(turn, context, asset_id, start, start + HORIZON, without)
    return Offers(spread(later), elsewhere=True)


def later_than(moment: datetime, zone: str) -> Wanted:
    """Return the window that begins after a moment: more times than those offered."""
    return soonest(moment + timedelta(minutes=1), zone)


async def _free(
    turn: Turn,
    context: Context,
    asset_id: str,
    start: datetime,
    end: datetime,
    without: Collection[str],
) -> list[Slot]:
    slots = await context.calendar.slots(turn.tenant, asset_id, start, end, limit=_SEARCHED)
    times: dict[datetime, Slot] = {}
    for slot in slots:
        if slot.slot_id not in without:
            times.setdefault(slot.starts_at, slot)  # one host per time is enough
    return [times[moment] for moment in sorted(times)]


def _nearest(slots: Sequence[Slot], moment: datetime) -> tuple[Slot, ...]:
    """Return the slots nearest to a moment, that one first where it is free, the others in order of time."""
    near = sorted(slots, key=lambda slot: abs(slot.starts_at - moment))[:OFFERED]
    return tuple(sorted(near, key=lambda slot: (slot.starts_at != moment, slot.starts_at)))


def spread(slots: Sequence[Slot]) -> tuple[Slot, ...]:
    """Return three slots that leave a real choice: apart where possible, early ones first."""
    chosen: list[Slot] = []
    for slot in slots:
        if not chosen or slot.starts_at - chosen[-1].starts_at >= _APART:
            chosen.append(slot)
        if len(chosen) == OFFERED:
            return tuple(chosen)
    rest = [slot for slot in slots if slot not in chosen]
    chosen += rest[: OFFERED - len(chosen)]
    return tuple(sorted(chosen, key=lambda slot: slot.starts_at))


def choose(
    turn: Turn,
    lines: Lines,
    offers: Sequence[Slot],
    wanted: Wanted | None,
    zone: str,
    *,
    first: bool,
) -> Slot | None:
    """Return the offered slot a message picks, or None.

    A number, a place ("the second"), a label, a time or a day that fits exactly one offer; a plain yes when
    there is one offer or (`first`) the first is the time that was asked for.
    """
    number = number_in(turn.text, len(offers)) or _by_label(turn, lines, offers, zone)
    if number is None and wanted is not None:
        number = _by_time(turn, offers, wanted, zone)
    if number is None and (wanted is None or is_only_ordinal(turn.text, lines)):
        number = ordinal_in(turn.text, lines, len(offers))
    if number is None and (first or len(offers) == 1) and agrees(turn.text, lines):
        number = 1
    return offers[number - 1] if number else None


def _by_label(turn: Turn, lines: Lines, offers: Sequence[Slot], zone: str) -> int | None:
    said = plain(turn.text)
    for place, slot in enumerate(offers, start=1):
        if said == plain(say_moment(lines, slot.starts_at, zone, turn.locale)):
            return place
    return None


def _by_time(turn: Turn, offers: Sequence[Slot], wanted: Wanted, zone: str) -> int | None:
    """Return the only offer that fits the day or time said; a bare clock time may mean any of the days."""
    info = zone_info(zone)
    local = [slot.starts_at.astimezone(info).replace(tzinfo=None) for slot in offers]
    if wanted.exact:
        fits = [n for n, moment in enumerate(local, start=1) if moment == wanted.start]
        if not fits and not _names_a_day(turn):
            fits = [n for n, at in enumerate(local, start=1) if at.time() == wanted.start.time()]
    else:
        fits = [
            n
            for n, (moment, slot) in enumerate(zip(local, offers, strict=True), start=1)
            if wanted.start <= moment < wanted.end and is_within(slot.starts_at, wanted, zone)
        ]
    return fits[0] if len(fits) == 1 else None


def _names_a_day(turn: Turn) -> bool:
    """Return whether a time was said with more than the clock ("tuesday 3pm", not "3pm" or "at 15:00")."""
    words = [w for span in turn.understanding.times for w in plain(span.text).split()]
    return any(w.isalpha() and w not in _CLOCK_WORDS for w in words)


_CLOCK_WORDS = frozenset(
    {"at", "pm", "am", "p.m", "a.m", "o'clock", "h", "hs", "a", "las", "la", "the", "sharp"}
)


def to_json(slots: Sequence[Slot]) -> list[dict[str, object]]:
    """Return plain JSON for the form."""
    return [
        {
            "slot_id": slot.slot_id,
            "asset_id": slot.asset_id,
            "title": slot.title,
            "host_id": slot.host_id,
            "host": slot.host,
            "starts_at": slot.starts_at.isoformat(),
            "ends_at": slot.ends_at.isoformat(),
            "host_email": slot.host_email,
        }
        for slot in slots
    ]


def from_json(rows: Sequence[Mapping[str, object]]) -> list[Slot]:
    """Return the slots `to_json` wrote."""
    return [
        Slot(
            slot_id=str(row["slot_id"]),
            asset_id=str(row["asset_id"]),
            title=str(row["title"]),
            host_id=str(row["host_id"]),
            host=str(row["host"]),
            starts_at=datetime.fromisoformat(str(row["starts_at"])),
            ends_at=datetime.fromisoformat(str(row["ends_at"])),
            host_email=str(row["host_email"]) if row.get("host_email") else None,
        )
        for row in rows
    ]
