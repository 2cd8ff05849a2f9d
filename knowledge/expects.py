"""The kind of thing a question asks for, and whether a sentence has one.

Owns patterns for durations, amounts, counts, ways and places, in English and Spanish. A hint for
the order of sentences, never a condition.
"""

import re
from typing import Literal

Kind = Literal["duration", "money", "number", "way", "place", ""]

_NUMBER = (
    r"(?:\d[\d.,]*|one|two|three|four|five|six|seven|eight|nine|ten|twelve|once|twice"
    r"|un[ao]?|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez)"
)
_TIME = (
    r"(?:second|minute|hour|day|night|week|month|quarter|year|segundo|minuto|hora|d[ií]a|semana|mes"
    r"|a[nñ]o)"
)

_ASKED: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        "money",
        re.compile(
            r"\b(?:how much|price[sd]?|pricing|costs?|fees?|charge[sd]?|cu[aá]nto (?:cuesta|vale|es)"
            r"|precios?|tarifas?)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "duration",
        re.compile(
            r"\b(?:how (?:long|often|soon|fast|quickly|late|early|many (?:days|hours|weeks|months))"
            r"|when|what time|until when|deadline|cu[aá]ndo|cu[aá]nto (?:tiempo|tarda|dura)"
            r"|a qu[eé] hora|cada cu[aá]nto)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "number",
        re.compile(
            r"\b(?:how (?:many|big|large|much)|max(?:imum)?|min(?:imum)?|limits?|most|at least"
            r"|cu[aá]nt[oa]s|m[aá]ximo|m[ií]nimo|l[ií]mites?)\b",
            re.IGNORECASE,
        ),
    ),
    ("place", re.compile(r"\b(?:where|wheres|d[oó]nde)\b", re.IGNORECASE)),
    (
        "way",
        re.compile(r"\b(?:how (?:do|can|to|would|should|does)|steps?|c[oó]mo)\b", re.IGNORECASE),
    ),
)

_HAS: dict[Kind, re.Pattern[str]] = {
    "money": re.compile(
        r"[$€£]\s?\d|\d\s?(?:[$€£]|USD|EUR|dollars?|euros?)|\bfree\b|\bgratis\b", re.I
    ),
    "duration": re.compile(
        rf"\b{_NUMBER}\s+(?:(?:business|working|calendar|full)\s+)?{_TIME}|\b\d{{1,2}}:\d\d\b"
        rf"|\bat once\b|\bimmediately\b|\bevery\s+{_TIME}|\b\d+\s?(?:am|pm|h|min)\b",
        re.I,
    ),
    "number": re.compile(rf"\b{_NUMBER}\b|\bunlimited\b|\bany number\b|\bilimitad", re.I),
    "place": re.compile(
        r"\s>\s|›|https?://|\b(?:under|in the|at the|select|open|menu|page|en el)\b", re.I
    ),
    "way": re.compile(
        r"\s>\s|\b(?:select|open|click|choose|enter|go to|add|press|abre|elige|pulsa)\b", re.I
    ),
}


# "How long is X?" asks how long X lasts: not any sentence of X that names a time.
_ASKS_SPAN = re.compile(r"\bhow long\b|\bcu[aá]nto (?:dura|tarda|tiempo)\b", re.IGNORECASE)
_TELLS_SPAN = re.compile(
    r"\b(?:lasts?|takes?|runs?|stays?|remains?|long|dura|tardan?|durante|valid for|works? for|open for|kept for"
    r"|available for|(?:is|are|stays?) \w+ for|within|for)\b"
    rf"[^.;]{{0,30}}?\b{_NUMBER}[\s-]+(?:(?:business|working|calendar|full)\s+)?{_TIME}",
    re.IGNORECASE,
)
# sentences that only point elsewhere
_POINTS = re.compile(
    r"^(?:see|read|compare|véase|consulta|más información)\b|^to [^,.]{1,40}, (?:read|see)\b"
    r"|\b(?:is|are|be) (?:\w+ ){0,2}?(?:described|explained|listed|shown|found|covered|documented) (?:in|on|under|at)\b"
    r"|^for [^.]{1,60}\bsee\b",
    re.IGNORECASE,
)
_VERDICT = re.compile(
    r"\b(?:not|no|cannot|only|never|without|none|can|yes|available|includ\w+|supported|offered|possible|allowed|free"
    r"|solo|sí|sin|nunca|puede[ns]?|incluye[n]?)\b|n't\b",
    re.IGNORECASE,
)


def expected(question: str) -> Kind:
    """Return what kind of thing is asked for, "" when it cannot be told."""
    return next((kind for kind, pattern in _ASKED if pattern.search(question)), "")


def fit(kind: Kind, question: str, text: str) -> float:
    """Return in [0, 2] how far the text has the kind of thing asked for.

    1 when it has one, 2 when it says how long to a question of how long.
    """
    if not kind or not _HAS[kind].search(text):
        return 0.0
    if kind == "duration" and _ASKS_SPAN.search(question):
        return 2.0 if _TELLS_SPAN.search(text) else 0.5
    return 1.0


def points_elsewhere(text: str) -> bool:
    """Tell whether a sentence only points to another page."""
    return bool(_POINTS.search(text.strip()))


def says_yes_or_no(text: str) -> bool:
    """Tell whether a sentence allows, refuses or limits something."""
    return bool(_VERDICT.search(text))
