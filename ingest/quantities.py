"""What a sentence counts: money, shares, spans of time, sizes, dates, hours, plain numbers (en, es).

Owns bringing them to one unit, so that 24 hours is 1 day. Not here: times a customer means
(knowledge/times.py), or whether two sentences disagree (conflicts.py).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_NUMBER = r"\d{1,3}(?:[,. ]\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?"
_CURRENCY = r"US\$|€|\$|£|¥|EUR|USD|GBP|CHF|MXN|euros?|dollars?|pounds?|d[óo]lares|libras|pesos"
_MONEY = {
    "€": "eur", "eur": "eur", "euro": "eur", "$": "usd", "us$": "usd", "usd": "usd", "dollar": "usd",
    "dólare": "usd", "dolare": "usd", "£": "gbp", "gbp": "gbp", "pound": "gbp", "libra": "gbp",
    "¥": "jpy", "chf": "chf", "mxn": "mxn", "peso": "mxn",
}  # fmt: skip
_SPANS: Mapping[str, tuple[str, float]] = {
    "second": ("second", 1), "segundo": ("second", 1), "minute": ("second", 60), "min": ("second", 60),
    "minuto": ("second", 60), "hour": ("second", 3600), "hora": ("second", 3600), "h": ("second", 3600),
    "day": ("second", 86_400), "día": ("second", 86_400), "dia": ("second", 86_400),
    "week": ("second", 604_800), "semana": ("second", 604_800), "month": ("month", 1),
    "mese": ("month", 1), "mes": ("month", 1), "year": ("month", 12), "año": ("month", 12),
}  # fmt: skip
_SIZES = {"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12}
_WORDS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "fourteen": 14, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40,
    "forty-five": 45, "fifty": 50, "sixty": 60, "ninety": 90, "hundred": 100, "dos": 2, "tres": 3,
    "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7, "ocho": 8, "nueve": 9, "diez": 10, "doce": 12,
    "catorce": 14, "quince": 15, "veinte": 20, "treinta": 30, "cuarenta": 40, "cincuenta": 50,
    "sesenta": 60, "noventa": 90, "cien": 100,
}  # fmt: skip
_MONTHS = (
    "january|february|march|april|may|june|july|august|september|october|november|december"
    "|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre"
)
_SPAN = (
    r"seconds?|segundos?|minutes?|min|minutos?|hours?|horas?|h|days?|d[ií]as?|weeks?|semanas?|months?|mes(?:es)?"
    r"|years?|años?"
)
_ANY = rf"(?:{_NUMBER}|{'|'.join(sorted(_WORDS, key=len, reverse=True))})"
# not a count: a name with a number, a place in a list, a version
_LEAD = r"(?<![\w.,/#§-])(?<!step )(?<!paso )(?<!version )(?<!versión )(?<!section )(?<!page )(?<!table )(?<!port )"
_KINDS: tuple[tuple[str, str], ...] = (
    ("date", rf"\d{{4}}-\d\d-\d\d|\d{{1,2}}(?:st|nd|rd|th)?(?: de)? (?:{_MONTHS})(?:,? (?:de )?\d{{4}})?"
             rf"|(?:{_MONTHS}) \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?|\d{{1,2}}/\d{{1,2}}/\d{{2,4}}"),
    ("clock", r"\d{1,2}:\d\d(?: ?[ap]\.?m\.?)?|\d{1,2} ?[ap]\.?m\b\.?"),
    ("money", rf"(?:{_CURRENCY}) ?(?:{_NUMBER})|{_ANY} ?(?:{_CURRENCY})"),
    ("share", rf"{_ANY} ?(?:%|percent\b|per cent\b|por ciento\b)"),
    ("span", rf"{_ANY}[ -]?(?:(?:business|working|calendar|full|h[áa]biles|laborables) )?(?:{_SPAN})\b"
             r"(?: (?:h[áa]biles|laborables|naturales)\b)?"),
    ("size", rf"(?:{_NUMBER}) ?(?:[kmgt]b)\b"),
    ("number", rf"{_ANY}(?![\w-]*\w)(?![.,]\d)"),
)  # fmt: skip
_PATTERN = re.compile(
    _LEAD + "(?:" + "|".join(f"(?P<{name}>{pattern})" for name, pattern in _KINDS) + ")",
    re.IGNORECASE,
)
_FIRST = re.compile(_ANY, re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A count in `unit`; `value` is a number, of dates and hours the text itself."""

    unit: str
    value: float | str
    text: str


def quantities(text: str) -> tuple[tuple[Quantity, ...], str]:
    """Return what the text counts, in order, and the text without it."""
    found = [
        Quantity(*_READ[match.lastgroup or "number"](match.group().lower()), match.group())
        for match in _PATTERN.finditer(text)
    ]
    return tuple(found), _PATTERN.sub(" ", text)


def _value(text: str) -> float:
    found = _FIRST.search(text)
    word = found.group().lower() if found else ""
    if word in _WORDS:
        return float(_WORDS[word])
    whole = re.sub(r"[,. ](?=\d{3}(?:\D|$))", "", word)
    return float(whole.replace(",", ".") or 0)


def _money(text: str) -> tuple[str, float]:
    sign = re.sub(rf"{_ANY}|\s", "", text).rstrip("s")
    return _MONEY.get(sign, sign), _value(text)


def _span(text: str) -> tuple[str, float]:
    unit = next(
        (u for u in sorted(_SPANS, key=len, reverse=True) if re.search(rf"{u}s?\b", text)), "day"
    )
    name, factor = _SPANS[unit]
    if re.search(r"business|working|h[áa]bil|laborable", text):
        name = f"working {name}"
    return name, _value(text) * factor


def _size(text: str) -> tuple[str, float]:
    return "byte", _value(text) * _SIZES[text[-2:]]


def _as_written(unit: str) -> Callable[[str], tuple[str, str]]:
    return lambda text: (unit, re.sub(r"[\s.,]|st|nd|rd|th|de", "", text))


_READ: Mapping[str, Callable[[str], tuple[str, float | str]]] = {
    "date": _as_written("date"),
    "clock": _as_written("clock"),
    "money": _money,
    "share": lambda text: ("share", _value(text)),
    "span": _span,
    "size": _size,
    "number": lambda text: ("number", _value(text)),
}
