"""What a webhook of a phone call says: who calls, what was heard, and where in the call we are.

Where we are stands in the query of the URLs we give out (`Place`). Twilio signs the whole URL, so nobody else can
write one, and a request that comes twice gets the same answer. Not here: what is answered (voice_desk.py), signatures.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from urllib.parse import parse_qsl, urlencode, urlsplit

import phonenumbers

from core.errors import AnomalousPayloadError
from core.ids import MessageId

LOCALES = ("en", "es")
FINAL = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
STEPS = frozenset(
    {
        "start", "consent", "talk", "offer", "wait", "dialed", "left", "transcript", "status",
        "recording",
    }
)  # fmt: skip
# What Twilio gives for a withheld number: the letters of the reason on a keypad.
_WITHHELD = frozenset(
    {"", "anonymous", "restricted", "unavailable", "unknown", "private", "withheld",
     "+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253", "+464", "+1000000000"}
)  # fmt: skip
_FIXED = frozenset(
    {
        phonenumbers.PhoneNumberType.FIXED_LINE,
        phonenumbers.PhoneNumberType.TOLL_FREE,
        phonenumbers.PhoneNumberType.PREMIUM_RATE,
        phonenumbers.PhoneNumberType.SHARED_COST,
        phonenumbers.PhoneNumberType.UAN,
        phonenumbers.PhoneNumberType.VOICEMAIL,
        phonenumbers.PhoneNumberType.PAGER,
    }
)
_NUMBER = re.compile(r"\+[1-9]\d{6,14}")
_SID = re.compile(r"[A-Za-z0-9]{2,64}")
_MESSAGE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_COUNT = re.compile(r"\d{1,12}")
_MAX_SPEECH = 4000


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a call we are.

    `at` is the step; `n` counts the caller's turns; `misses` those in a row without a word; `last` is the message
    whose answer was said last, `part` the part of it; `more`: another part is to come; `pick`: choices were offered
    by digit; `round` counts fillers, or waits for a person when `hold`; `slow`: said slowly.
    """

    at: str = "start"
    n: int = 0
    misses: int = 0
    locale: str = ""
    slow: bool = False
    last: str = ""
    part: int = 0
    more: bool = False
    pick: bool = False
    round: int = 0
    hold: bool = False

    def query(self) -> str:
        """Return the place as a query; what is as at the start is left out."""
        given: dict[str, str] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if value != each.default:
                given[each.name] = str(int(value)) if isinstance(value, bool | int) else value
        return urlencode(given)

    @property
    def message(self) -> MessageId | None:
        """The message whose answer was said last, or is waited for."""
        return MessageId(self.last) if self.last else None


@dataclass(frozen=True, slots=True)
class Call:
    """One webhook of a call. `caller` is E.164, or `anonymous:CallSid` when the number is withheld.

    `confidence` is Twilio's, in [0, 1] as text, "" without speech. `doubted`: the carrier says the number is forged.
    """

    sid: str
    caller: str
    ours: str
    status: str
    speech: str = ""
    digits: str = ""
    confidence: str = ""
    doubted: bool = False

    @property
    def withheld(self) -> bool:
        """Whether there is no number to call or text back."""
        return not _NUMBER.fullmatch(self.caller)

    @property
    def ended(self) -> bool:
        """Whether nobody is on the line any more."""
        return self.status in FINAL


def read_place(url: str, default: str) -> Place:
    """Return where in the call a URL of ours stands; `default` is the locale at the start.

    Raises AnomalousPayloadError for a query we never wrote.
    """
    try:
        found = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True, max_num_fields=40))
    except ValueError as error:
        raise AnomalousPayloadError("the query cannot be read") from error
    place = Place(at=found.get("at", "start"), locale=found.get("locale", default))
    if place.at not in STEPS or place.locale not in LOCALES:
        raise AnomalousPayloadError("no step of a call is called that")
    if not _MESSAGE.fullmatch(found.get("last", "x")):
        raise AnomalousPayloadError("that is no message")
    counts: dict[str, int] = {}
    for name in ("n", "misses", "part", "round", "slow", "more", "pick", "hold"):
        value = found.get(name, "0")
        if not value.isascii() or not _COUNT.fullmatch(value):
            raise AnomalousPayloadError(f"{name} is no count")
        counts[name] = int(value)
    return replace(
        place,
        last=found.get("last", ""),
        n=counts["n"],
        misses=counts["misses"],
        part=counts["part"],
        round=counts["round"],
        slow=bool(counts["slow"]),
        more=bool(counts["more"]),
        pick=bool(counts["pick"]),
        hold=bool(counts["hold"]),
    )


def read_call(form: Mapping[str, str]) -> Call:
    """Return who calls and what was heard. Raises AnomalousPayloadError without a call."""
    sid = form.get("CallSid", "")
    if not _SID.fullmatch(sid):
        raise AnomalousPayloadError("CallSid is missing")
    given = form.get("From", "").strip()
    known = given.casefold() not in _WITHHELD and _NUMBER.fullmatch(given)
    return Call(
        sid=sid,
        caller=given if known else f"anonymous:{sid}",
        ours=form.get("To", "").strip(),
        status=form.get("CallStatus", ""),
        speech=_words(form.get("SpeechResult", "")),
        digits=re.sub(r"[^0-9*#]", "", form.get("Digits", ""))[:20],
        confidence=_confidence(form.get("Confidence", "")),
        # https://www.twilio.com/docs/voice/trusted-calling-with-shakenstir
        doubted=form.get("StirVerstat", "").startswith("TN-Validation-Failed"),
    )


def _words(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())[:_MAX_SPEECH]


def _confidence(value: str) -> str:
    return value if re.fullmatch(r"[01](?:\.\d{1,20})?", value) else ""


def is_mobile(number: str) -> bool:
    """Tell whether a text message may arrive: a number not known to be a landline or a service's."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.number_type(parsed) not in _FIXED
