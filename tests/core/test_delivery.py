"""The one policy on what nobody asked for: pure, over every purpose, zone and hour."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.delivery import (
    CAP,
    WEEKLY_CAP,
    Allowed,
    Later,
    Purpose,
    Refused,
    Situation,
    decide,
    next_hours,
)
from core.zones import ZONES

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
FINE = Situation(Purpose.SURVEY, NOON, "UTC", consent=True)
SALES = (Purpose.NUDGE, Purpose.OFFER)
PEACEFUL = (Purpose.SURVEY, *SALES)
ALWAYS = (Purpose.REMINDER, Purpose.CORRECTION, Purpose.RESEND)


@pytest.mark.parametrize("purpose", list(Purpose))
def test_what_is_wanted_at_a_good_hour_goes(purpose: Purpose) -> None:
    assert decide(replace(FINE, purpose=purpose)) == Allowed()


@pytest.mark.parametrize("purpose", list(Purpose))
def test_nothing_goes_to_who_said_stop(purpose: Purpose) -> None:
    assert decide(replace(FINE, purpose=purpose, consent=False)) == Refused("opted_out")


@pytest.mark.parametrize(
    ("purpose", "decision"),
    [(p, Refused("no_consent") if p in SALES else Allowed()) for p in Purpose],
)
def test_sales_need_a_yes_on_that_channel(purpose: Purpose, decision: Any) -> None:
    assert decide(replace(FINE, purpose=purpose, consent=None)) == decision


@pytest.mark.parametrize(
    ("trouble", "wrong"),
    [
        (replace(FINE, complaint=True), "complaint"),
        (replace(FINE, handoff=True), "handoff"),
        (replace(FINE, crisis=True), "crisis"),
    ],
    ids=["complaint", "handoff", "crisis"],
)
@pytest.mark.parametrize("purpose", list(Purpose))
def test_no_survey_or_sales_while_something_is_wrong(
    purpose: Purpose, trouble: Situation, wrong: str
) -> None:
    case = replace(trouble, purpose=purpose)
    assert decide(case) == (Refused(wrong) if purpose in PEACEFUL else Allowed())


def test_a_resend_is_no_way_around_a_stop_elsewhere() -> None:
    case = replace(FINE, purpose=Purpose.RESEND, stopped_elsewhere=True)
    assert decide(case) == Refused("opted_out")
    assert decide(replace(case, purpose=Purpose.REMINDER)) == Allowed()


@pytest.mark.parametrize(
    ("purpose", "capped"), [(p, p not in (Purpose.REMINDER, Purpose.CORRECTION)) for p in Purpose]
)
def test_a_week_holds_only_so_much(purpose: Purpose, capped: bool) -> None:
    case = replace(FINE, purpose=purpose, sent_this_week=WEEKLY_CAP - 1)
    assert decide(case) == Allowed()
    full = replace(case, sent_this_week=WEEKLY_CAP)
    assert decide(full) == (Refused("weekly_cap") if capped else Allowed())
    assert decide(replace(full, thresholds={CAP: WEEKLY_CAP + 1})) == Allowed()


@pytest.mark.parametrize(
    ("zone", "now", "at"),
    [
        ("Europe/Madrid", "2026-03-04T06:59:59", "2026-03-04T07:00:00"),
        ("Europe/Madrid", "2026-03-04T07:00:00", None),
        ("Europe/Madrid", "2026-03-04T19:59:59", None),
        ("Europe/Madrid", "2026-03-04T20:00:00", "2026-03-05T07:00:00"),
        # the clock goes forward in the night to the 29th: 8:00 comes an hour sooner
        ("Europe/Madrid", "2026-03-28T20:30:00", "2026-03-29T06:00:00"),
        # and back in the night to the 25th of October
        ("Europe/Madrid", "2026-10-24T19:30:00", "2026-10-25T07:00:00"),
        ("America/New_York", "2026-03-08T05:00:00", "2026-03-08T12:00:00"),
        ("Asia/Kolkata", "2026-03-04T16:00:00", "2026-03-05T02:30:00"),
        ("Pacific/Auckland", "2026-03-04T12:00:00", "2026-03-04T19:00:00"),
        # Samoa had no 30th of December 2011
        ("Pacific/Apia", "2011-12-30T08:00:00", "2011-12-30T18:00:00"),
        ("nowhere", "2026-03-04T05:00:00", "2026-03-04T08:00:00"),
    ],
)
def test_quiet_hours_are_the_contacts_own(zone: str, now: str, at: str | None) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    later = datetime.fromisoformat(at).replace(tzinfo=UTC) if at else None
    decision = decide(replace(FINE, now=moment, zone=zone))
    assert decision == (Later(later) if later else Allowed())


def test_what_would_come_too_late_does_not_come() -> None:
    night = replace(FINE, purpose=Purpose.REMINDER, now=NOON.replace(hour=23))
    assert decide(replace(night, until=NOON + timedelta(hours=20))) == Refused("too_late")
    assert decide(replace(night, until=NOON + timedelta(hours=21))) == Later(
        NOON + timedelta(hours=20)
    )


MOMENTS = st.integers(946_684_800, 2_208_988_800).map(lambda s: datetime.fromtimestamp(s, UTC))


@given(MOMENTS, st.sampled_from(sorted(ZONES)))
def test_the_next_good_hour_is_one_and_soon(now: datetime, zone: str) -> None:
    at = next_hours(now, zone)
    local = at.astimezone(ZONES[zone])
    assert time(8) <= local.time() < time(21)
    assert now <= at <= now + timedelta(hours=36)
    assert next_hours(at, zone) == at


@given(
    st.builds(
        Situation,
        purpose=st.sampled_from(list(Purpose)),
        now=MOMENTS,
        zone=st.sampled_from(sorted(ZONES)),
        consent=st.sampled_from([True, False, None]),
        stopped_elsewhere=st.booleans(),
        sent_this_week=st.integers(0, 6),
        complaint=st.booleans(),
        handoff=st.booleans(),
        crisis=st.booleans(),
        until=st.none() | MOMENTS,
    )
)
def test_the_promise_holds_whatever_the_case(case: Situation) -> None:
    decision = decide(case)
    goes = not isinstance(decision, Refused)
    at = decision.at if isinstance(decision, Later) else case.now
    troubled = case.complaint or case.handoff or case.crisis
    assert not (goes and case.consent is False)
    assert not (goes and case.purpose in PEACEFUL and (troubled or case.sent_this_week >= 3))
    assert not (goes and case.purpose in SALES and case.consent is None)
    assert not (goes and case.until is not None and at >= case.until)
    assert not goes or time(8) <= at.astimezone(ZONES[case.zone]).time() < time(21)
    # asked again at the promised time, nothing else having changed, it goes
    again = decide(replace(case, now=at)) if goes else Allowed()
    assert again == Allowed()
