"""A booking as an iCalendar attachment (RFC 5545, iTIP RFC 5546).

Owns the file. Not here: the mail around it or when it is sent.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from icalendar import Calendar, Event, vCalAddress, vText

from core.messages import Attachment

PRODUCT = "-//usher//guided sessions//EN"


@dataclass(frozen=True, slots=True)
class Meeting:
    """What goes into a calendar. `uid` stays the same over changes, `sequence` counts them from 0.

    Without `host_email` the file is published rather than sent as an invitation: RFC 5546 asks for an
    organizer who can be answered.
    """

    uid: str
    title: str
    starts_at: datetime
    ends_at: datetime
    host: str
    attendee: str
    host_email: str | None = None
    sequence: int = 0
    cancelled: bool = False


def calendar_file(meeting: Meeting, stamp: datetime) -> Attachment:
    """Return the attachment. Times are written in UTC; `stamp` is when this was made."""
    method = _method(meeting)
    event = Event()
    event.add("uid", meeting.uid)
    event.add("sequence", meeting.sequence)
    event.add("dtstamp", stamp.astimezone(UTC))
    event.add("dtstart", meeting.starts_at.astimezone(UTC))
    event.add("dtend", meeting.ends_at.astimezone(UTC))
    event.add("summary", meeting.title)
    event.add("status", "CANCELLED" if meeting.cancelled else "CONFIRMED")
    if meeting.host_email:
        organizer = vCalAddress(f"mailto:{meeting.host_email}")
        organizer.params["CN"] = vText(meeting.host)
        event["organizer"] = organizer
        attendee = vCalAddress(f"mailto:{meeting.attendee}")
        attendee.params["ROLE"] = vText("REQ-PARTICIPANT")
        attendee.params["PARTSTAT"] = vText("NEEDS-ACTION")
        attendee.params["RSVP"] = vText("TRUE")
        event.add("attendee", attendee, encode=False)
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", method)
    calendar.add_component(event)
    data = calendar.to_ical()
    return Attachment(
        name="cancel.ics" if meeting.cancelled else "invite.ics",
        content_type=f"text/calendar; method={method}; charset=utf-8",
        size=len(data),
        data=data,
    )


def _method(meeting: Meeting) -> Literal["REQUEST", "CANCEL", "PUBLISH"]:
    if not meeting.host_email:
        return "PUBLISH"
    return "CANCEL" if meeting.cancelled else "REQUEST"
