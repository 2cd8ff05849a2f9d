from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.store.office_hours import Host, cells, is_start, starts

MADRID = ZoneInfo("Europe/Madrid")
ALL_DAY = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}


def host(zone: str = "Europe/Madrid", **hours: list[list[str]]) -> Host:
    return Host("hst_1", "Ada", "ada@lumen.example", zone, hours)


def day(year: int, month: int, number: int, zone: ZoneInfo = MADRID) -> tuple[datetime, datetime]:
    start = datetime(year, month, number, tzinfo=zone)
    end = datetime(year, month, number, tzinfo=zone) + timedelta(days=1)
    return start.astimezone(UTC), end.astimezone(UTC)


def clock(moments: list[datetime], zone: ZoneInfo = MADRID) -> list[str]:
    return [f"{moment.astimezone(zone):%H:%M}" for moment in moments]


def test_starts_leave_room_for_the_session_before_closing() -> None:
    found = list(starts(host(wed=[["09:00", "11:00"]]), 60, *day(2026, 3, 4)))
    assert clock(found) == ["09:00", "09:30", "10:00"]


def test_two_windows_a_day_and_none_on_other_days() -> None:
    ada = host(wed=[["09:10", "10:00"], ["15:00", "16:00"]])
    assert clock(list(starts(ada, 30, *day(2026, 3, 4)))) == ["09:30", "15:00", "15:30"]
    assert not list(starts(ada, 30, *day(2026, 3, 5)))


@pytest.mark.parametrize(
    ("date", "utc"), [((2026, 3, 27), 8), ((2026, 3, 30), 7)], ids=["winter", "summer"]
)
def test_nine_o_clock_stays_nine_o_clock(date: tuple[int, int, int], utc: int) -> None:
    ada = host(mon=[["09:00", "10:00"]], fri=[["09:00", "10:00"]])
    first = next(starts(ada, 30, *day(*date)))
    assert first.hour == utc


@pytest.mark.parametrize(
    ("date", "count"),
    [((2026, 3, 29), 46), ((2026, 10, 25), 50), ((2026, 3, 28), 48)],
    ids=["clocks go forward", "clocks go back", "ordinary"],
)
def test_days_on_which_clocks_change(date: tuple[int, int, int], count: int) -> None:
    ada = Host("hst_1", "Ada", "a@b.c", "Europe/Madrid", ALL_DAY)
    start = datetime(*date, tzinfo=MADRID).astimezone(UTC)
    end = datetime(date[0], date[1], date[2] + 1, tzinfo=MADRID).astimezone(UTC)
    found = list(starts(ada, 30, start, end))
    assert len(found) == len(set(found)) == count


def test_a_zone_with_odd_minutes_keeps_its_own_grid() -> None:
    kathmandu = ZoneInfo("Asia/Kathmandu")
    ada = host("Asia/Kathmandu", wed=[["09:00", "10:00"]])
    found = list(starts(ada, 30, *day(2026, 3, 4, kathmandu)))
    assert clock(found, kathmandu) == ["09:00", "09:30"]
    assert [m.minute for m in found] == [15, 45]


@pytest.mark.parametrize(
    ("moment", "right"),
    [
        (datetime(2026, 3, 4, 9, 0, tzinfo=MADRID), True),
        (datetime(2026, 3, 4, 10, 0, tzinfo=MADRID), True),
        (datetime(2026, 3, 4, 10, 30, tzinfo=MADRID), False),
        (datetime(2026, 3, 4, 9, 15, tzinfo=MADRID), False),
        (datetime(2026, 3, 4, 9, 0, 1, tzinfo=MADRID), False),
        (datetime(2026, 3, 4, 8, 30, tzinfo=MADRID), False),
        (datetime(2026, 3, 5, 9, 0, tzinfo=MADRID), False),
    ],
)
def test_is_start(moment: datetime, right: bool) -> None:
    assert is_start(host(wed=[["09:00", "11:00"]]), 60, moment.astimezone(UTC)) is right


@pytest.mark.parametrize(("minutes", "buffer", "count"), [(60, 0, 4), (60, 15, 6), (50, 10, 5)])
def test_cells_with_buffers(minutes: int, buffer: int, count: int) -> None:
    start = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
    assert len(cells(start, start + timedelta(minutes=minutes), buffer)) == count
