"""The one rule on everything that nobody asked for: may it go out, when, and if not, why (promise 9).

Pure: a situation in, a decision out. Purposes differ in what they may disturb: a reminder of somebody's own booking is
not a survey. Not here: gathering the situation and sending (app/store/unasked.py, app/unasked.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum

from core.zones import zone_info


class Purpose(StrEnum):
    """Why we would write unasked."""

    SURVEY = "survey"
    REMINDER = "reminder"
    RESEND = "resend"
    NUDGE = "nudge"
    OFFER = "offer"
    CORRECTION = "correction"


FROM, UNTIL = time(8), time(21)  # the contact's own time; a message begins at 8:00 and before 21:00
WEEK = timedelta(days=7)
WEEKLY_CAP = 3  # a tenant's own: threshold `unasked_weekly`
CAP = "unasked_weekly"
_DAYS_AHEAD = 4  # a zone may skip a day, never this many

# said only by who said yes to it on that channel
_NEEDS_CONSENT = frozenset({Purpose.NUDGE, Purpose.OFFER})
# not while something is wrong between us
_NEEDS_PEACE = frozenset({Purpose.SURVEY, Purpose.NUDGE, Purpose.OFFER})
# of their own booking, or of what we told them wrongly: however much we have written
_UNCAPPED = frozenset({Purpose.REMINDER, Purpose.CORRECTION})


@dataclass(frozen=True, slots=True)
class Situation:
    """All that the decision looks at.

    `zone` is the contact's IANA zone, else the tenant's. `consent`: the newest word from this address on this channel,
    None when there is none. `stopped_elsewhere`: STOP stands on another address of theirs. `sent_this_week` counts
    unasked messages of the last seven days that the cap counts. `until`: after that it is of no use.
    """

    purpose: Purpose
    now: datetime
    zone: str
    consent: bool | None = None
    stopped_elsewhere: bool = False
    sent_this_week: int = 0
    complaint: bool = False
    handoff: bool = False
    crisis: bool = False
    until: datetime | None = None
    thresholds: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Allowed:
    """It may go out now."""


@dataclass(frozen=True, slots=True)
class Later:
    """It may go out at `at` (UTC), when all this is looked at again."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """It never goes out. `reason`: opted_out | no_consent | crisis | handoff | complaint | weekly_cap | too_late."""

    reason: str


Decision = Allowed | Later | Refused


def decide(case: Situation) -> Decision:
    """Return whether this may go out. What they want comes first, then how they are, how much, and when."""
    reason = _refusal(case)
    if reason:
        return Refused(reason)
    at = next_hours(case.now, case.zone)
    if case.until is not None and at >= case.until:
        return Refused("too_late")
    return Allowed() if at <= case.now else Later(at)


def _refusal(case: Situation) -> str:
    """Return why it never may, or an empty string."""
    # never after STOP on another channel either: a resend would be a way around it
    if case.consent is False or (case.purpose is Purpose.RESEND and case.stopped_elsewhere):
        return "opted_out"
    if case.purpose in _NEEDS_CONSENT and case.consent is None:
        return "no_consent"
    if case.purpose in _NEEDS_PEACE:
        wrong = {"crisis": case.crisis, "handoff": case.handoff, "complaint": case.complaint}
        found = next((name for name, so in wrong.items() if so), "")
        if found:
            return found
    cap = (case.thresholds or {}).get(CAP, WEEKLY_CAP)
    capped = case.purpose not in _UNCAPPED and case.sent_this_week >= cap
    return "weekly_cap" if capped else ""


def counts(purpose: str) -> bool:
    """Return whether the weekly cap counts messages of this purpose."""
    return Purpose(purpose) not in _UNCAPPED


def next_hours(now: datetime, zone: str) -> datetime:
    """Return `now` when it is between 8:00 and 21:00 in the zone, else the next 8:00 there; aware, in now's zone."""
    place = zone_info(zone)
    local = now.astimezone(place)
    if FROM <= local.time() < UNTIL:
        return now
    for days in range(_DAYS_AHEAD):
        morning = datetime.combine(local.date() + timedelta(days=days), FROM, tzinfo=place)
        at = morning.astimezone(now.tzinfo)
        # a clock put forward may skip 8:00, a zone a whole day
        if at > now and FROM <= at.astimezone(place).time() < UNTIL:
            return at
    raise AssertionError("no zone goes without a morning for this long")
