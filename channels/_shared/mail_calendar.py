"""What a calendar answered to an invitation (iTIP REPLY, RFC 5546 §3.2.3), read from a text/calendar part.

Owns the few properties that say who will come to what. Not here: invitations we send (mail_writing.py).
"""

import re
from dataclasses import dataclass

_MAX_CHARS = 100_000
_ANSWERS = {
    "ACCEPTED": "accepted",
    "DECLINED": "declined",
    "TENTATIVE": "tentative",
    "DELEGATED": "delegated",
}
_ESCAPED = re.compile(r"\\([\\;,nN])")


@dataclass(frozen=True, slots=True)
class CalendarAnswer:
    """`answer`: accepted | declined | tentative | delegated. `event` is its title, `uid` its id, `comment` theirs."""

    answer: str
    event: str
    uid: str
    comment: str


def read_answer(text: str) -> CalendarAnswer | None:
    """Return the answer in a calendar, or None when it is no REPLY; never raises."""
    unfolded = re.sub(r"\r?\n[ \t]", "", text[:_MAX_CHARS])
    found: dict[str, str] = {}
    answer = ""
    for line in unfolded.splitlines()[:2_000]:
        name, _, value = line.partition(":")
        name, *parameters = name.upper().split(";")
        if name == "ATTENDEE" and not answer:
            stated = next((p[9:] for p in parameters if p.startswith("PARTSTAT=")), "")
            answer = _ANSWERS.get(stated.strip('" '), "")
        elif name in ("METHOD", "SUMMARY", "UID", "COMMENT"):
            found.setdefault(name, _unescaped(value))
    if found.get("METHOD", "").upper() != "REPLY" or not answer:
        return None
    return CalendarAnswer(
        answer,
        found.get("SUMMARY", "")[:300],
        found.get("UID", "")[:300],
        found.get("COMMENT", "")[:2_000],
    )


def _unescaped(value: str) -> str:
    return _ESCAPED.sub(lambda m: "\n" if m[1] in "nN" else m[1], value).strip()
