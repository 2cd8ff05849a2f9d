"""Spanish words for dates and times, as rules over text without accents ("mañana" is "manana").

Owns vocabulary and patterns; "mañana" is tomorrow unless it is "la mañana" or "por la mañana". Not here:
joining and resolving (times.py).
"""

# ruff: noqa: E501 - patterns are easier to check unbroken

import re
from datetime import timedelta

from knowledge.times_atoms import (
    Atom,
    ClockTime,
    Rule,
    Scene,
    coming,
    coming_month,
    coming_month_day,
    coming_weekday,
    month_period,
    period_of,
    rule,
    safe_day,
    shifted,
    weekday_in,
    working_day,
)
from knowledge.times_numeric import HALF, RULES_NUMERIC

_MONTHS = {
    **dict.fromkeys(("enero", "ene"), 1),
    **dict.fromkeys(("febrero", "feb"), 2),
    "marzo": 3,
    **dict.fromkeys(("abril", "abr"), 4),
    **dict.fromkeys(("mayo", "may"), 5),
    **dict.fromkeys(("junio", "jun"), 6),
    **dict.fromkeys(("julio", "jul"), 7),
    **dict.fromkeys(("agosto", "ago"), 8),
    **dict.fromkeys(("septiembre", "setiembre", "sept", "sep"), 9),
    **dict.fromkeys(("octubre", "oct"), 10),
    **dict.fromkeys(("noviembre", "nov"), 11),
    **dict.fromkeys(("diciembre", "dic"), 12),
}
_DAYS = {
    **dict.fromkeys(("lunes", "lun"), 0),
    **dict.fromkeys(("martes", "mart"), 1),
    **dict.fromkeys(("miercoles", "mierc", "mie"), 2),
    **dict.fromkeys(("jueves", "juev", "jue"), 3),
    **dict.fromkeys(("viernes", "vier", "vie"), 4),
    **dict.fromkeys(("sabado", "sab"), 5),
    **dict.fromkeys(("domingo", "dom"), 6),
}
_ONES = [
    "cero",
    "uno",
    "dos",
    "tres",
    "cuatro",
    "cinco",
    "seis",
    "siete",
    "ocho",
    "nueve",
    "diez",
    "once",
    "doce",
    "trece",
    "catorce",
    "quince",
    "dieciseis",
    "diecisiete",
    "dieciocho",
    "diecinueve",
    "veinte",
    "veintiuno",
    "veintidos",
    "veintitres",
    "veinticuatro",
    "veinticinco",
    "veintiseis",
    "veintisiete",
    "veintiocho",
    "veintinueve",
    "treinta",
]
_NUMBERS = {word: value for value, word in enumerate(_ONES)}
_NUMBERS |= {
    f"{ten} y {_ONES[one]}": value + one
    for ten, value in (("treinta", 30), ("cuarenta", 40), ("cincuenta", 50))
    for one in range(1, 10)
}
_NUMBERS |= {"cuarenta": 40, "cincuenta": 50, "un": 1, "una": 1, "un par de": 2, "unos": 3}
_DAY_WORDS = {w: n for w, n in _NUMBERS.items() if 2 <= n <= 31 and " de" not in w}
_DAY_WORDS |= {"primero": 1, "primer": 1, "uno": 1}


def _any(words: dict[str, int]) -> str:
    return "(?:" + "|".join(sorted(map(re.escape, words), key=len, reverse=True)) + ")"


_MONTH = rf"(?:{_any(_MONTHS)})\.?"
_WEEKDAY = rf"(?:{_any(_DAYS)})\.?"
_COUNT = rf"(?:\d{{1,3}}|{_any(_NUMBERS)})"
_UNIT = r"(?:minutos?|mins?|horas?|dias?|semanas?|mes(?:es)?|anos?)"
_HOUR_WORD = r"(?:una|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce)"
_DAY_NUMBER = rf"(?:\d{{1,2}}(?:\.?[ºo°]|ro|er)?|{_any(_DAY_WORDS)})"
_YEAR = r"(?:,?\s*(?:del?\s+|en\s+)?(?P<y>(?:19|20)\d\d)(?![\d:]))?"
_PARTS = {
    "manana": (8, 12),
    "tarde": (12, 20),
    "noche": (20, 24),
    "madrugada": (0, 6),
    "mediodia": (12, 14),
}
_PART = r"(?P<part>manana|tarde|noche|madrugada|mediodia)"
_OPEN_END = (
    r"(?=\s*(?:$|[.,;!?)\n](?!\d)|(?:y|o|u|de|del|el|la|en|por|para|si|es|a|hasta|que|esta|este|manana|hoy|va|viene"
    rf"|me|nos|estaria|seria|puede|mejor|gracias|pero|con|ayer|proximo|-|{_WEEKDAY}|{_MONTH})(?!\w)))"
)
_TAIL = rf"(?:\s?(?:{HALF})|\s?h(?:rs?|oras?)?\.?)?"
_MINUTES = r"(?:\s(?:y|menos)\s(?:media|cuarto|(?:veinte|veinticinco|diez|cinco|quince|veintidos|uno|treinta|\d{1,2})))"
_T = rf"(?:\d{{1,2}}(?:[:.h]\d\d)?|{_HOUR_WORD}){_MINUTES}?(?:\sen punto)?{_TAIL}{_MINUTES}?"
_OF_DAY = r"(?:\sde la (?P<half>manana|tarde|noche|madrugada))?"


def _number(word: str) -> int:
    return int(word) if word.isdigit() else _NUMBERS[re.sub(r"\s+", " ", word)]


def _day_number(word: str) -> int:
    figures = re.match(r"\d+", word)
    return int(figures[0]) if figures else _DAY_WORDS[re.sub(r"\s+", " ", word)]


def _month_of(match: re.Match[str]) -> int:
    word = match["m"].rstrip(".")
    return int(word) if word.isdigit() else _MONTHS[word]


def _relative_day(match: re.Match[str], scene: Scene) -> Atom:
    word = re.sub(r"\s+", " ", match[0])
    days = {"hoy": 0, "ayer": -1, "anteayer": -2, "pasado manana": 2}
    return Atom(match.start(), match.end(), day=scene.today + timedelta(days=days.get(word, 1)))


def _tonight(match: re.Match[str], scene: Scene) -> Atom:
    if match[0] == "anoche":
        day = scene.today - timedelta(days=1)
        return Atom(match.start(), match.end(), day=day, part=_PARTS["noche"])
    return Atom(match.start(), match.end(), day=scene.today, part=_PARTS[match["part"]])


def _weekday(match: re.Match[str], scene: Scene) -> Atom:
    name = match["day"]
    number = _DAYS[name.rstrip(".")]
    which = f"{match['which'] or ''} {match['after'] or ''}".strip()
    begin, end = match.start(), match.end()
    if re.search(r"pasado|ultimo|anterior", which):
        back = (scene.today.weekday() - number) % 7 or 7
        return Atom(begin, end, day=scene.today - timedelta(days=back), weekday=number)
    if re.fullmatch(r"proximo|siguiente", which):
        return Atom(begin, end, day=weekday_in(scene.today, number, 1), weekday=number)
    if which == "este":
        return Atom(begin, end, day=weekday_in(scene.today, number, 0), weekday=number)
    weak = len(name) <= 3
    day = coming_weekday(scene.today, number)
    return Atom(begin, end, day=day, weekday=number, flexible=True, weak=weak)


def _calendar_day(match: re.Match[str], scene: Scene) -> Atom | None:
    month, number = _month_of(match), _day_number(match["d"])
    day = (
        safe_day(int(match["y"]), month, number)
        if match["y"]
        else coming(scene.today, month, number)
    )
    return Atom(match.start(), match.end(), day=day) if day else None


def _month_day(match: re.Match[str], scene: Scene) -> Atom | None:
    number = _day_number(match["d"])
    day = coming_month_day(scene.today, number) if 1 <= number <= 31 else None
    return Atom(match.start(), match.end(), day=day, month_day=number) if day else None


def _bare_day(match: re.Match[str], scene: Scene) -> Atom | None:
    atom = _month_day(match, scene)
    return atom and Atom(atom.start, atom.end, day=atom.day, month_day=atom.month_day, weak=True)


def _month(match: re.Match[str], scene: Scene) -> Atom:
    number, year = _month_of(match), match["y"]
    period = month_period(int(year), number) if year else coming_month(scene.today, number)
    return Atom(match.start(), match.end(), period=period)


_PERIOD_UNITS = {"semana": "week", "mes": "month", "ano": "year", "fin de semana": "weekend"}


def _period(match: re.Match[str], scene: Scene) -> Atom:
    which = f"{match['which'] or ''} {match.groupdict().get('after') or ''}"
    ahead = 0 if re.search(r"est[ea]|resto", which) else 1
    if re.search(r"pasad|ultim|anterior", which):
        ahead = -1
    period = period_of(scene.today, _PERIOD_UNITS[match["unit"]], ahead)
    return Atom(match.start(), match.end(), period=period)


def _unit(word: str) -> str:
    starts = {"mi": "minute", "h": "hour", "d": "day", "s": "week", "me": "month", "a": "year"}
    return next(unit for start, unit in starts.items() if word.startswith(start))


def _offset(match: re.Match[str], scene: Scene) -> Atom | None:
    amount = 0.5 if match["n"].startswith("media") else float(_number(match["n"]))
    back = match[0].startswith("hace")
    unit = "hour" if match["n"] == "media" else _unit(match["u"])
    moved = shifted(scene.now, -amount if back else amount, unit)
    if moved is None:
        return None
    if moved[1] == "day":
        return Atom(match.start(), match.end(), day=moved[0].date())
    return Atom(match.start(), match.end(), moment=moved[0], grain=moved[1])


def _working_days(match: re.Match[str], scene: Scene) -> Atom:
    day = working_day(scene.today, _number(match["n"]))
    return Atom(match.start(), match.end(), day=day)


def _next_days(match: re.Match[str], scene: Scene) -> Atom | None:
    moved = shifted(scene.now, _number(match["n"]), _unit(match["u"]))
    if moved is None:
        return None
    if moved[1] != "day":
        return Atom(match.start(), match.end(), moment=scene.now, until=moved[0], grain=moved[1])
    first = scene.today + timedelta(days=1)
    period = (first, moved[0].date() + timedelta(days=1), "day")
    return Atom(match.start(), match.end(), period=period)


def _part_only(match: re.Match[str], scene: Scene) -> Atom:
    return Atom(match.start(), match.end(), part=_PARTS[match["part"]], weak=True)


def _now(match: re.Match[str], scene: Scene) -> Atom:
    return Atom(match.start(), match.end(), moment=scene.now, grain="minute")


# ---------------------------------------------------------------- times of day


def _read_time(said: str, half: str | None) -> ClockTime | None:
    """Return the time of day a phrase names, or None."""
    said = re.sub(r"\sen punto", "", said.strip())
    meridian = {"manana": "am", "madrugada": "am", "tarde": "pm", "noche": "pm"}.get(half or "", "")
    tail = re.search(rf"(?<=[\d\s\w])\s?({HALF})(?=\s(?:y|menos)\s|$)", said)
    if tail and re.search(r"[\d\s]$", said[: tail.start(1)]):
        meridian = "pm" if tail[1].startswith("p") else "am"
        said = (said[: tail.start(1)].strip() + said[tail.end(1) :]).strip()
    said = re.sub(r"(?<=\d)\s?h(?:rs?|oras?)?\.?$", "", said)
    shape = re.fullmatch(r"(\d{1,2}|[a-z]+)(?:[:.h](\d\d))?(?:\s(y|menos)\s(.+))?", said)
    if shape is None:
        return None
    hour = int(shape[1]) if shape[1].isdigit() else _NUMBERS.get(shape[1], 99)
    minute = int(shape[2] or 0)
    if shape[3]:
        named = {"media": 30, "cuarto": 15}.get(shape[4])
        minute = named if named is not None else _spoken_minutes(shape[4])
        if shape[3] == "menos":
            hour, minute = (hour - 1 or 12), 60 - minute
    return _checked(
        hour,
        minute,
        meridian,
        sure=shape[2] is not None and shape[1].startswith("0"),
        exact=bool(shape[2] or shape[3]),
    )


def _spoken_minutes(word: str) -> int:
    return int(word) if word.isdigit() else _NUMBERS.get(word, 99)


def _checked(hour: int, minute: int, meridian: str, *, sure: bool, exact: bool) -> ClockTime | None:
    if hour > 24 or not 0 <= minute < 60:
        return None
    if hour > 12 or hour == 0 or (sure and not meridian):
        meridian = "24"
    return ClockTime(hour, minute, meridian, exact=exact)


_BOUNDS = {"antes": "before", "despues": "after", "a partir": "after", "hasta": "before"}


def _time(match: re.Match[str], _: Scene) -> Atom | None:
    at = _read_time(match["t"], match.groupdict().get("half"))
    if at is None:
        return None
    said = match.groupdict().get("bound") or ""
    bound = next((value for word, value in _BOUNDS.items() if said.startswith(word)), "")
    return Atom(match.start(), match.end(), at=at, bound=bound)


def _fixed_time(match: re.Match[str], _: Scene) -> Atom:
    hour = 24 if "noche" in match[0] else 12
    return Atom(match.start(), match.end(), at=ClockTime(hour, 0, "24"))


def _time_range(match: re.Match[str], _: Scene) -> Atom | None:
    half = match.groupdict().get("half")
    at, to = _read_time(match["t"], None), _read_time(match["t2"], half)
    if at is None or to is None:
        return None
    certain = at.exact or to.exact or at.meridian or to.meridian or " las " in f" {match[0]} "
    return Atom(match.start(), match.end(), at=at, to=to, weak=not certain)


_BOUND = r"(?:(?P<bound>antes de|despues de|a partir de|hasta)\s+)"

RULES_ES: tuple[Rule, ...] = (
    *RULES_NUMERIC,
    rule(
        r"(?:pasado manana|(?<!la )(?<!esta )(?<!de la )manana(?! por)|hoy|ayer|anteayer)",
        _relative_day,
    ),
    rule(r"manana(?= por la )", _relative_day),
    rule(rf"(?:esta {_PART}|anoche)", _tonight),
    rule(
        r"(?:el\s+)?(?:(?P<which>este proximo|este|proximo|pasado)\s+)?"
        rf"(?P<day>{_WEEKDAY})(?:\s+(?P<after>proximo|siguiente|que viene|pasado|anterior))?",
        _weekday,
    ),
    rule(
        rf"(?:el\s+)?(?:dia\s+)?(?P<d>{_DAY_NUMBER})(?:\s+del?)?(?:\s+mes)?(?:\s+de)?[\s/-](?P<m>{_MONTH})[/-]?{_YEAR}",
        _calendar_day,
    ),
    rule(rf"(?P<m>{_any(_MONTHS)})\s(?P<d>\d{{1,2}})(?![:\d%]|\.\d){_YEAR}", _calendar_day),
    rule(rf"(?P<y>20\d\d)[-/](?P<m>{_MONTH})[-/](?P<d>\d{{1,2}})", _calendar_day),
    rule(
        r"(?:el\s+)?(?P<d>\d{1,2}) del? (?P<m>1[0-2]|[1-9])(?: del? (?P<y>(?:19|20)\d\d))?",
        _calendar_day,
    ),
    rule(rf"el\s+dia\s+(?P<d>{_DAY_NUMBER})", _month_day),
    rule(rf"el\s+(?P<d>\d{{1,2}}){_OPEN_END}", _month_day),
    rule(
        rf"(?:el\s+)?(?P<d>{_any({w: n for w, n in _DAY_WORDS.items() if n > 12})}|1[3-9]|2\d|3[01])",
        _bare_day,
    ),
    rule(rf"(?P<m>{_MONTH})(?:\s+del?)?,?\s+(?P<y>20\d\d)", _month),
    rule(rf"(?:en|este|proximo|desde|hasta)\s+(?P<m>{_any(_MONTHS)})(?P<y>)(?!\s+\d)", _month),
    rule(
        r"(?:(?:la|el)\s+)?(?P<which>esta|este|proxim[ao]|pasad[ao]|ultim[ao]|resto de la|resto del)\s+"
        r"(?P<unit>semana|fin de semana|mes|ano)",
        _period,
    ),
    rule(
        r"(?P<which>la|el)?\s*(?P<unit>fin de semana|semana|mes|ano)\s+(?P<after>que viene|proxim[ao]|siguiente"
        r"|pasad[ao]|anterior|que entra)",
        _period,
    ),
    rule(rf"(?:en|dentro de)\s+(?P<n>media|{_COUNT})\s*(?P<u>{_UNIT})", _offset),
    rule(rf"hace\s+(?P<n>{_COUNT})\s*(?P<u>{_UNIT})", _offset),
    rule(rf"(?P<n>{_COUNT})\s*(?P<u>{_UNIT})\s+(?:despues|a partir de ahora|mas tarde)", _offset),
    rule(rf"(?:en|dentro de)\s+(?P<n>{_COUNT}) dias (?:laborables|habiles)", _working_days),
    rule(
        rf"(?:en |durante )?(?:los |las )?proxim[oa]s (?P<n>{_COUNT})\s*(?P<u>{_UNIT})", _next_days
    ),
    rule(r"(?:por|en|a|de) la (?P<part>manana|tarde|noche|madrugada)", _part_only),
    rule(r"(?<!buenas )(?<!mas )(?P<part>tarde|noche|madrugada)(?<!\bnoche s)", _part_only),
    rule(r"(?:la|una) (?P<part>manana|tarde|noche)", _part_only),
    rule(r"(?:ahora mismo|ahora(?=\s*(?:$|[.,;!?]|o |por favor)))", _now),
    rule(r"(?:al?|el|del)?\s?mediodia|(?:a )?medianoche", _fixed_time),
    rule(
        rf"{_BOUND}?(?:sobre |alrededor de |cerca de )?(?:a|de)?\s?las?\s(?P<t>{_T}){_OF_DAY}{_OPEN_END}",
        _time,
    ),
    rule(rf"{_BOUND}?(?P<t>\d{{1,2}}(?:[:.]\d\d)?\s?{HALF}{_MINUTES}?)", _time),
    rule(r"(?P<t>\d{1,2}(?::\d\d|\s?h\s?\d\d)?\s?h(?:rs|oras)?\.?)(?<!\w\w h)", _time),
    rule(
        rf"(?P<t>(?:\d{{1,2}}(?:[:.]\d\d)?|{_HOUR_WORD})(?:{_MINUTES}|\sen punto)?) de la (?P<half>manana|tarde|noche|madrugada)",
        _time,
    ),
    rule(rf"(?P<t>{_HOUR_WORD}{_MINUTES}?\s(?:a\.?\s?m\.?|p\.?\s?m\.?))", _time),
    rule(rf"(?P<t>{_HOUR_WORD}\s(?:y|menos)\s(?:media|cuarto))", _time),
    rule(
        rf"(?:(?:desde|entre|de)\s)?las?\s(?P<t>{_T})(?: de la (?:manana|tarde|noche))?\s?(?:-|a|y|hasta)\s?(?:las?\s)?(?P<t2>{_T}){_OF_DAY}",
        _time_range,
    ),
    rule(
        rf"(?:(?:desde|entre|de)\s)?(?P<t>{_T})\s?(?:-|a|y|hasta)\s?(?:las?\s)?(?P<t2>{_T}){_OF_DAY}{_OPEN_END}",
        _time_range,
    ),
)

JOIN_ES = re.compile(
    r"\s*(?:[,(@:-]|\)|a|al|en|el|la|las|de|del|por|para|sobre|entre|desde|\s)*\s*", re.ASCII
)
