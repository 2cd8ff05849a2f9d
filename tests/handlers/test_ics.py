from dataclasses import replace
from datetime import UTC, datetime, timedelta

import icalendar
import pytest

from handlers._shared.ics import Meeting, calendar_file

MEETING = Meeting(
    uid="bkg_1",
    title="Onboarding; with, commas",
    starts_at=datetime(2026, 3, 5, 9, 0, tzinfo=UTC),
    ends_at=datetime(2026, 3, 5, 10, 0, tzinfo=UTC),
    host="Ada Löwe",
    attendee="kim@acme.example",
    host_email="ada@lumen.example",
    sequence=1,
)
STAMP = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("meeting", "method", "status"),
    [
        (MEETING, "REQUEST", "CONFIRMED"),
        (replace(MEETING, cancelled=True), "CANCEL", "CANCELLED"),
        (replace(MEETING, host_email=None), "PUBLISH", "CONFIRMED"),
    ],
)
def test_the_method_fits(meeting: Meeting, method: str, status: str) -> None:
    file = calendar_file(meeting, STAMP)
    calendar = icalendar.Calendar.from_ical(file.data or b"")
    (event,) = calendar.walk("VEVENT")
    assert str(calendar["METHOD"]) == method
    assert str(event["STATUS"]) == status
    assert f"method={method}" in file.content_type


def test_what_a_calendar_reads() -> None:
    file = calendar_file(MEETING, STAMP)
    data = file.data or b""
    (event,) = icalendar.Calendar.from_ical(data).walk("VEVENT")
    assert event.decoded("DTEND") - event.decoded("DTSTART") == timedelta(hours=1)
    assert b"DTSTART:20260305T090000Z" in data
    assert str(event["SUMMARY"]) == "Onboarding; with, commas"
    assert str(event["ORGANIZER"]) == "mailto:ada@lumen.example"
    assert event["ORGANIZER"].params["CN"] == "Ada Löwe"
    assert str(event["ATTENDEE"]) == "mailto:kim@acme.example"
    assert (str(event["UID"]), int(str(event["SEQUENCE"]))) == ("bkg_1", 1)
    assert file.size == len(data)
