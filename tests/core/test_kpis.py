"""What each figure counts and leaves out, case by case."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.kpis import Asked, Band, Figure, Talk, band, compute

DAY = timedelta(days=1)
UNTIL = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)
SINCE = UNTIL - 7 * DAY
MINUTE = timedelta(minutes=1)
SOLVED = Talk("a", "web", SINCE + DAY, SINCE + DAY + MINUTE, SINCE + DAY + 5 * MINUTE, answers=1)
OLD = replace(SOLVED, begun_at=SINCE - DAY, closed_at=SINCE - DAY + MINUTE)


def figures(*talks: Talk, asked: tuple[Asked, ...] = ()) -> dict[str, Figure]:
    return compute(talks, asked, SINCE, UNTIL, {})


@pytest.mark.parametrize(
    ("talk", "contained", "confirmed"),
    [
        pytest.param(SOLVED, True, False, id="closed-by-itself"),
        pytest.param(replace(SOLVED, confirmed_at=SOLVED.closed_at), True, True, id="said-so"),
        pytest.param(replace(SOLVED, marks=("up",)), True, True, id="thumb"),
        pytest.param(replace(SOLVED, marks=("down", "4")), True, True, id="four-of-five"),
        pytest.param(replace(SOLVED, marks=("3",)), True, False, id="three-of-five"),
        pytest.param(
            replace(SOLVED, asked=True, marks=("5",)), False, False, id="person-asked-for"
        ),
        pytest.param(replace(SOLVED, people=1), False, False, id="person-wrote"),
        pytest.param(replace(SOLVED, answers=0), False, False, id="nobody-answered"),
        pytest.param(replace(SOLVED, closed_at=None), False, False, id="still-open"),
    ],
)
def test_who_is_solved_without_a_person(talk: Talk, contained: bool, confirmed: bool) -> None:
    assert (talk.contained, talk.confirmed) == (contained, confirmed)


def test_open_talks_are_left_out_of_resolution() -> None:
    found = figures(SOLVED, replace(SOLVED, closed_at=None), replace(SOLVED, asked=True))
    assert found["auto_resolution"] == Figure(0.5, 1, 2, "red")
    assert found["conversations"].value == 3
    assert found["handoff_rate"] == Figure(1 / 3, 1, 3)


@pytest.mark.parametrize(
    ("talk", "told", "durable"),
    [
        pytest.param(OLD, 1, 1, id="stayed-closed"),
        pytest.param(replace(OLD, reopened_at=SINCE), 1, 0, id="reopened"),
        pytest.param(replace(OLD, next_at=SINCE), 1, 0, id="asked-again"),
        pytest.param(replace(OLD, next_at=UNTIL), 1, 1, id="asked-again-much-later"),
        pytest.param(replace(OLD, closed_at=SINCE + DAY), 0, 0, id="not-known-yet"),
        pytest.param(replace(OLD, begun_at=SINCE - 8 * DAY), 0, 0, id="before-that-span"),
        pytest.param(SOLVED, 0, 0, id="of-this-span"),
    ],
)
def test_durable_is_told_of_the_span_seven_days_before(talk: Talk, told: int, durable: int) -> None:
    found = figures(talk)["durable_resolution"]
    assert (found.count, found.over) == (durable, told)


def test_waits_are_medians_and_say_how_many_still_wait() -> None:
    at = SINCE + DAY
    asked = (
        Asked("anger", at, at + timedelta(seconds=30)),
        Asked("asked", at, at + timedelta(seconds=90), breached=True),
        Asked("asked", at),
        Asked("asked", SINCE - DAY, SINCE),
    )
    found = figures(SOLVED, replace(SOLVED, answered_at=None), asked=asked)
    assert found["time_to_human"] == Figure(60.0, 2, 3)
    assert found["breaches"] == Figure(1, 1, 3)
    assert found["first_response"] == Figure(60.0, 1, 2)


def test_scores_bookings_and_anger() -> None:
    found = figures(
        replace(SOLVED, marks=("5", "up")),
        replace(SOLVED, marks=("4",), booking=True, booked=True),
        replace(SOLVED, booking=True),
        replace(SOLVED, angry=True, booked=True),
    )
    assert found["csat"] == Figure(4.5, 9, 2, "yellow")
    assert found["booking_conversion"] == Figure(0.5, 1, 2, "red")
    assert found["sentiment_escalations"] == Figure(250.0, 1, 4, "red")


def test_nothing_is_said_of_nothing() -> None:
    found = figures()
    assert found["conversations"].value == 0
    assert found["breaches"].value == 0
    rest = {n: f for n, f in found.items() if n not in ("conversations", "breaches")}
    assert {(f.value, f.band) for f in rest.values()} == {(None, None)}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("csat", 4.7, "green"), ("csat", 4.5, "yellow"), ("csat", 4.49, "red"),
        ("auto_resolution", 0.92, "green"), ("auto_resolution", 0.85, "yellow"),
        ("booking_conversion", 0.8, "green"), ("booking_conversion", 0.69, "red"),
        ("sentiment_escalations", 3.9, "green"), ("sentiment_escalations", 4.0, "yellow"),
        ("sentiment_escalations", 7.0, "red"), ("first_response", 1.0, None), ("csat", None, None),
    ],
)  # fmt: skip
def test_bands(name: str, value: float | None, expected: Band | None) -> None:
    assert band(name, value, {}) == expected


def test_a_team_sets_its_own_bands() -> None:
    assert band("csat", 4.2, {"csat": (4.0, 3.0)}) == "green"
    assert band("handoff_rate", 0.2, {"handoff_rate": (0.1, 0.3)}) == "yellow"
