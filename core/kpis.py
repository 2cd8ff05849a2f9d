"""What the team's figures mean, and how they are made of conversations. Pure; docs/kpis.md says the same in words.

Every share carries its numerator and denominator, so that a page can show what it stands for. Not here: reading the
conversations (app/store/figures.py), pages (app/console).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import mean, median
from typing import Literal

Band = Literal["green", "yellow", "red"]

DURABLE = timedelta(days=7)
SOLVED_MARKS = frozenset({"up", "4", "5"})
SCORES = frozenset({"1", "2", "3", "4", "5"})

# figure → (green from, yellow from); a first number below the second means that less is better
BANDS: Mapping[str, tuple[float, float]] = {
    "csat": (4.7, 4.5),
    "booking_conversion": (0.80, 0.70),
    "auto_resolution": (0.92, 0.85),
    "sentiment_escalations": (4.0, 7.0),
}


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation, as figures see it.

    `answers` and `people` are replies of the bot and of persons that went out; `asked` that a person was asked for
    (a pause of the bot alone does not count), `angry` that anger was a reason; `booking` that the booking form ran,
    `booked` that a session came of it; `next_at` when the same contact began another conversation; `marks` what the
    customer thought of replies: up, down, 1 to 5.
    """

    id: str
    channel: str
    begun_at: datetime
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    reopened_at: datetime | None = None
    confirmed_at: datetime | None = None
    next_at: datetime | None = None
    answers: int = 0
    people: int = 0
    asked: bool = False
    angry: bool = False
    booking: bool = False
    booked: bool = False
    marks: tuple[str, ...] = ()

    @property
    def contained(self) -> bool:
        """Closed, answered by the bot, and no person was asked for or wrote."""
        return self.closed_at is not None and self.answers > 0 and not (self.asked or self.people)

    @property
    def confirmed(self) -> bool:
        """Contained, and the customer said so: "solved", a thumb up, a 4 or a 5."""
        said = self.confirmed_at is not None or any(m in SOLVED_MARKS for m in self.marks)
        return self.contained and said

    @property
    def durable(self) -> bool:
        """Contained, and neither reopened nor followed by another conversation within seven days."""
        if not self.contained or self.closed_at is None:
            return False
        limit = self.closed_at + DURABLE
        return not (self.reopened_at or (self.next_at is not None and self.next_at <= limit))


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for a person: when, why, and when a person first wrote (None: not yet)."""

    reason: str
    requested_at: datetime
    answered_at: datetime | None = None
    breached: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: `value` is None when nothing tells it; `over` the denominator, 0 where there is none."""

    value: float | None
    count: float
    over: float
    band: Band | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """All of a span. `channels` holds the shares again for each channel; `intents` and `reasons` how often."""

    since: datetime
    until: datetime
    messages: Mapping[str, int]
    figures: Mapping[str, Figure]
    channels: Mapping[str, Mapping[str, Figure]]
    intents: Mapping[str, int]
    reasons: Mapping[str, int]
    gaps: int = 0
    steps: Sequence["Step"] = field(default=())


@dataclass(frozen=True, slots=True)
class Step:
    """One part of a span, for a plot."""

    since: datetime
    until: datetime
    messages: int
    conversations: int
    handoffs: int
    breaches: int


def band(name: str, value: float | None, bands: Mapping[str, tuple[float, float]]) -> Band | None:
    """Return in which band a value is; None for a figure without bands or without a value."""
    limits = {**BANDS, **bands}.get(name)
    if limits is None or value is None:
        return None
    green, yellow = limits
    if green >= yellow:
        return "green" if value >= green else "yellow" if value >= yellow else "red"
    return "green" if value < green else "yellow" if value < yellow else "red"


def compute(
    talks: Sequence[Talk],
    asked: Sequence[Asked],
    since: datetime,
    until: datetime,
    bands: Mapping[str, tuple[float, float]],
) -> dict[str, Figure]:
    """Return the figures of [since, until).

    `talks` must reach back to `since` - 7 days: durable resolution is told of the span seven days earlier, the
    latest of which it can be known.
    """
    begun = [t for t in talks if since <= t.begun_at < until]
    closed = [t for t in begun if t.closed_at is not None]
    earlier = [
        t
        for t in talks
        if since - DURABLE <= t.begun_at < until - DURABLE
        and t.closed_at is not None
        and t.closed_at + DURABLE <= until
    ]
    requests = [a for a in asked if since <= a.requested_at < until]
    forms = [t for t in begun if t.booking]
    angry = sum(t.angry for t in begun)
    scores = [int(m) for t in begun for m in t.marks if m in SCORES]

    def share(name: str, of: Sequence[Talk], holds: Callable[[Talk], bool]) -> Figure:
        count = sum(1 for t in of if holds(t))
        value = count / len(of) if of else None
        return Figure(value, count, len(of), band(name, value, bands))

    csat = mean(scores) if scores else None
    per_thousand = 1000 * angry / len(begun) if begun else None
    return {
        "conversations": Figure(len(begun), len(begun), 0),
        "auto_resolution": share("auto_resolution", closed, lambda t: t.contained),
        "confirmed_resolution": share("confirmed_resolution", closed, lambda t: t.confirmed),
        "durable_resolution": share("durable_resolution", earlier, lambda t: t.durable),
        "handoff_rate": share("handoff_rate", begun, lambda t: t.asked),
        "first_response": _median((t.begun_at, t.answered_at) for t in begun),
        "time_to_human": _median((a.requested_at, a.answered_at) for a in requests),
        "breaches": Figure(
            sum(a.breached for a in requests), sum(a.breached for a in requests), len(requests)
        ),
        "csat": Figure(csat, sum(scores), len(scores), band("csat", csat, bands)),
        "booking_conversion": share("booking_conversion", forms, lambda t: t.booked),
        "sentiment_escalations": Figure(
            per_thousand, angry, len(begun), band("sentiment_escalations", per_thousand, bands)
        ),
    }


def _median(spans: Iterable[tuple[datetime, datetime | None]]) -> Figure:
    """Return the median in seconds; `count` had an end, `over` are all."""
    known = list(spans)
    waits = [(end - start).total_seconds() for start, end in known if end is not None]
    return Figure(median(waits) if waits else None, len(waits), len(known))
