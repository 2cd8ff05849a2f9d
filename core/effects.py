"""What a handler may want done: values applied together with the turn, in one transaction, or not at all.

A new kind of effect is a class here and its application in app/store/effects.py; mypy's exhaustiveness
check there fails until both exist.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from core.bookings import Slot
from core.conversations import Form, HandoffReason
from core.ids import BookingId, FactId
from core.messages import Attachment, IdentityClaim, TeamCard


@dataclass(frozen=True, slots=True)
class Escalate:
    """Ask for a person: handoff row, alert to the team, clocks at 60 s and 120 s."""

    reason: HandoffReason
    severity: Literal["normal", "high", "urgent"] = "normal"
    summary: str = ""
    sentiment: float = 0.0


@dataclass(frozen=True, slots=True)
class Book:
    """Claim the slot's cells and write the booking row; refused as `slot_taken` when any cell is held."""

    booking_id: BookingId
    slot: Slot
    contact_email: str | None = None
    note: str = ""
    replaces: BookingId | None = None


@dataclass(frozen=True, slots=True)
class CancelBooking:
    """Free the cells of a booking; refused as `not_found` when it is not this contact's."""

    booking_id: BookingId


@dataclass(frozen=True, slots=True)
class Remember:
    """Store a fact about the contact. `confidence` in [0, 1]; `source` says where from."""

    key: str
    value: str
    source: str
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Forget:
    """Forget one fact, or all of the contact's when `fact_id` is None."""

    fact_id: FactId | None = None


@dataclass(frozen=True, slots=True)
class OpenGap:
    """A question nobody could answer well: `handed_over` right after an answer, `blocked` by a check."""

    question: str
    kind: Literal["unanswered", "disliked", "handed_over", "blocked"] = "unanswered"
    nearest: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SetForm:
    """Replace the running form, or end it with None."""

    form: Form | None


@dataclass(frozen=True, slots=True)
class SetNote:
    """Keep small facts about the running conversation (last question, failures) for its next turns."""

    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SetLocale:
    """The customer's language for this conversation, ISO 639-1."""

    locale: str


@dataclass(frozen=True, slots=True)
class SetTimeZone:
    """The contact's IANA time zone."""

    time_zone: str


@dataclass(frozen=True, slots=True)
class Identify:
    """The customer states an address of theirs: kept as a claimed identity, never a join."""

    claim: IdentityClaim


CODE_GAP = "{code}"  # where the commit writes a one-time code: nobody before it ever knows one


@dataclass(frozen=True, slots=True)
class SendCode:
    """Send a one-time code to an address somebody says is theirs, by `channel`; it need not be of any contact.

    `text` holds CODE_GAP where the code goes. Refused as `cap_reached` (too many codes to this address or from this
    conversation) or `no_channel` (nothing of ours sends there).
    """

    channel: str
    kind: str
    value: str
    text: str
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Prove:
    """The code came back: the address it went to is the customer's, and so is this conversation's sender.

    `typed` is the seal of what was typed; the commit compares it once more. Refused as `not_found` (used, expired, too
    many attempts) or `both_known` (two contacts the tenant knows by name are never made one).
    """

    code: str
    typed: str


@dataclass(frozen=True, slots=True)
class CountMiss:
    """A wrong code was typed: one attempt less for the code that was sent."""

    code: str


@dataclass(frozen=True, slots=True)
class SetAlarm:
    """Wake something at a time; `key` is unique per tenant, a second one with the same key moves it."""

    key: str
    at: datetime
    kind: str
    payload: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Send:
    """A further message of this turn to another address of the same contact (an .ics by mail). Never a reply."""

    channel: str
    address: str
    text: str
    subject: str | None = None
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class TellTeam:
    """A card for the CS team, under the conversation's alert if there is one."""

    card: TeamCard


@dataclass(frozen=True, slots=True)
class Resolve:
    """Close the conversation. `confirmed`: the customer said it is solved."""

    confirmed: bool = False


Effect = (
    Escalate
    | Book
    | CancelBooking
    | Remember
    | Forget
    | OpenGap
    | SetForm
    | SetNote
    | SetLocale
    | SetTimeZone
    | Identify
    | SetAlarm
    | Send
    | TellTeam
    | Resolve
    | SendCode
    | Prove
    | CountMiss
)


@dataclass(frozen=True, slots=True)
class RefusedEffect:
    """An effect the commit would not do; the turn runs again knowing it.

    `code`: slot_taken | not_found | cap_reached | no_channel | both_known | sensitive.
    """

    effect: Effect
    code: str
    detail: str = ""
