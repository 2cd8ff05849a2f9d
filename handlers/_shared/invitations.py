"""The mail that carries a booking into the customer's calendar.

Owns finding an address, the mail's words and its attachment. Not here: whether mail can be sent (outbox).
"""

import re
from datetime import datetime
from typing import Literal

from core.bookings import Slot
from core.contracts import Context
from core.effects import Send
from core.messages import Assurance
from core.outcomes import Turn
from handlers._shared.ics import Meeting, calendar_file
from handlers._shared.spoken_times import say_moment, say_zone

Occasion = Literal["book", "move", "cancel"]
_LINES = {
    "book": ("book.mail_subject", "book.mail_text"),
    "move": ("reschedule.move_subject", "reschedule.move_text"),
    "cancel": ("reschedule.cancel_subject", "reschedule.cancel_text"),
}
_EMAIL = re.compile(r"[\w.+'-]{1,64}@[\w-]+(?:\.[\w-]+)*\.[a-zA-Z]{2,24}")


def email_in(text: str) -> str | None:
    """Return the first mail address written in a text."""
    found = _EMAIL.search(text)
    return found[0].strip(".'-") if found else None


def known_email(turn: Turn) -> str | None:
    """Return where an invitation can go without asking: this mail's sender, or an address of the contact's.

    A claimed one will do: it is where the customer said such mail should go.
    """
    if turn.channel == "email":
        return turn.address
    return turn.contact.address("email", Assurance.CLAIMED)


def masked(email: str) -> str:
    """Return "a•••@acme.com": enough to recognise one's own address."""
    name, _, domain = email.partition("@")
    return f"{name[:1]}•••@{domain}"


def invitation(
    turn: Turn,
    context: Context,
    email: str,
    booking_id: str,
    slot: Slot,
    zone: str,
    *,
    occasion: Occasion = "book",
    sequence: int = 0,
) -> Send:
    """Return the mail with its .ics. `sequence` counts the changes made to the booking so far."""
    words = moment_words(context, slot.starts_at, zone, turn.locale)
    subject, text = _LINES[occasion]
    meeting = Meeting(
        uid=booking_id,
        title=slot.title,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        host=slot.host,
        attendee=email,
        host_email=slot.host_email,
        sequence=sequence,
        cancelled=occasion == "cancel",
    )
    return Send(
        channel="email",
        address=email,
        text=context.lines.say(
            text, turn.locale, "email", title=slot.title, host=slot.host, **words
        ),
        subject=context.lines.say(subject, turn.locale, "email", title=slot.title, **words),
        attachments=(calendar_file(meeting, turn.now),),
    )


def moment_words(context: Context, moment: datetime, zone: str, locale: str) -> dict[str, str]:
    """Return the slots `time` and `zone` of a line."""
    return {
        "time": say_moment(context.lines, moment, zone, locale),
        "zone": say_zone(context.lines, moment, zone, locale),
    }
