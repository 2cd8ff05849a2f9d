"""English words for dates and times, as rules.

Owns vocabulary and patterns; what may stand after a bare number decides whether it is an hour ("at 5",
"at 5 tomorrow") or a count ("at 5 sites"). Not here: joining and resolving (times.py).
"""

# ruff: noqa: E501 - patterns are easier to check unbroken

import re
from datetime import timedelta

from knowledge.times_atoms import (
    Atom,
    ClockTime,
    Rule,
    Scene,
    add_months,
    coming,
    coming_month,
    coming_month_day,
    coming_weekday,
    month_period,
    period_of,
    rule,
    safe_day,
    shifted,
    week_of,
    weekday_in,
    working_day,
)
from knowledge.times_numeric import HALF, RULES_NUMERIC

_MONTHS = {
    **dict.fromkeys(("january", "jan"), 1),
    **dict.fromkeys(("february", "feb"), 2),
    **dict.fromkeys(("march", "mar"), 3),
    **dict.fromkeys(("april", "apr"), 4),
    "may": 5,
    **dict.fromkeys(("june", "jun"), 6),
    **dict.fromkeys(("july", "jul"), 7),
    **dict.fromkeys(("august", "aug"), 8),
    **dict.fromkeys(("september", "sept", "sep"), 9),
    **dict.fromkeys(("october", "oct"), 10),
    **dict.fromkeys(("november", "nov"), 11),
    **dict.fromkeys(("december", "dec"), 12),
}
_DAYS = {
    **dict.fromkeys(("monday", "mon"), 0),
    **dict.fromkeys(("tuesday", "tues", "tue"), 1),
    **dict.fromkeys(("wednesday", "weds", "wed"), 2),
    **dict.fromkeys(("thursday", "thurs", "thur", "thu"), 3),
    **dict.fromkeys(("friday", "fri"), 4),
    **dict.fromkeys(("saturday", "sat"), 5),
    **dict.fromkeys(("sunday", "sun"), 6),
}
_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50}
_ORDINALS = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
]
_NUMBERS = {word: value for value, word in enumerate(_ONES)} | _TENS
_NUMBERS |= {
    f"{ten}{gap}{_ONES[one]}": value + one
    for ten, value in _TENS.items()
    for gap in (" ", "-")
    for one in range(1, 10)
}
_NUMBERS |= {"a": 1, "an": 1, "a couple of": 2, "couple of": 2, "a few": 3, "one": 1}
_DAY_WORDS = {word: value for value, word in enumerate(_ORDINALS, start=1)}
_DAY_WORDS |= {
    f"{ten}{gap}{_ORDINALS[one - 1]}": value + one
    for ten, value in (("twenty", 20), ("thirty", 30))
    for gap in (" ", "-")
    for one in range(1, 10)
} | {"thirtieth": 30}


def _any(words: dict[str, int]) -> str:
    return "(?:" + "|".join(sorted(map(re.escape, words), key=len, reverse=True)) + ")"


_MONTH = rf"(?:{_any(_MONTHS)})\.?"
_WEEKDAY = rf"(?:{_any(_DAYS)})\.?"
_COUNT = rf"(?:\d{{1,3}}|{_any(_NUMBERS)})"
_HOUR_WORD = r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_MINUTE_WORD = rf"(?:oh {_HOUR_WORD}|{_any({w: v for w, v in _NUMBERS.items() if 10 <= v < 60})})"
_UNIT = r"(?:minutes?|mins?|hours?|hrs?|days?|weeks?|months?|years?)"
_ORD_DAY = rf"(?:\d{{1,2}}\s?(?:st|nd|rd|th)|{_any(_DAY_WORDS)})"
_DAY_NUMBER = rf"(?:\d{{1,2}}\s?(?:st|nd|rd|th)?|{_any(_DAY_WORDS)})"
_YEAR = r"(?:,?\s*(?:of\s+)?(?P<y>(?:19|20)\d\d)(?![\d:]))?"
# After a bare number these words keep it a time; any other noun makes it a count.
_OPEN_END = (
    r"(?=\s*(?:$|[.,;!?)\n](?!\d)|(?:and|or|on|at|in|to|till|until|from|for|if|is|are|was|would|will|works?|please|pls"
    r"|thanks|thank|tomorrow|today|tonight|this|next|the|with|then|so|but|when|because|sharp|exactly|instead"
    rf"|would|we|i|my|our|-|{_WEEKDAY}|{_MONTH})(?!\w)))"
)
_PARTS = {
    "morning": (8, 12),
    "afternoon": (12, 17),
    "evening": (17, 21),
    "night": (20, 24),
    "lunchtime": (12, 14),
    "lunch time": (12, 14),
}
_PART = r"(?P<part>morning|afternoon|evening|night|lunch\s?time)"


def _number(word: str) -> int:
    return int(word) if word.isdigit() else _NUMBERS[re.sub(r"\s+", " ", word)]


def _day_number(word: str) -> int:
    figures = re.match(r"\d+", word)
    return int(figures[0]) if figures else _DAY_WORDS[re.sub(r"\s+", " ", word)]


def _month_of(word: str) -> int:
    return _MONTHS[word.rstrip(".")]


def _weekday_of(word: str) -> int:
    return _DAYS[word.rstrip(".")]


def _relative_day(match: re.Match[str], scene: Scene) -> Atom:
    word = match[0]
    offset = -1 if word.startswith("y") else 2 if "after" in word else 0 if word == "today" else 1
    return Atom(match.start(), match.end(), day=scene.today + timedelta(days=offset))


def _tonight(match: re.Match[str], scene: Scene) -> Atom:
    day = scene.today - timedelta(days=match[0].startswith("last"))
    return Atom(match.start(), match.end(), day=day, part=_PARTS["night"])


def _weekday(match: re.Match[str], scene: Scene) -> Atom:
    name, which = match["day"], match["which"] or ""
    number = _weekday_of(name)
    begin, end = match.start(), match.end()
    if which in ("next", "following"):
        return Atom(begin, end, day=weekday_in(scene.today, number, 1), weekday=number)
    if which == "this":
        return Atom(begin, end, day=weekday_in(scene.today, number, 0), weekday=number)
    if which in ("last", "previous", "past"):
        back = (scene.today.weekday() - number) % 7 or 7
        return Atom(begin, end, day=scene.today - timedelta(days=back), weekday=number)
    written = scene.written[match.start("day") : match.start("day") + 1]
    led = bool(
        re.search(r"\b(?:on|by|until|till|from|for|or|and|before|after)\s$", scene.text[:begin])
    )
    weak = name in ("sat", "sun", "mon", "wed") and not (led or (written.isupper() and begin > 0))
    day = coming_weekday(scene.today, number)
    return Atom(begin, end, day=day, weekday=number, flexible=True, weak=weak)


def _calendar_day(match: re.Match[str], scene: Scene) -> Atom | None:
    month, number = _month_of(match["m"]), _day_number(match["d"])
    day = (
        safe_day(int(match["y"]), month, number)
        if match["y"]
        else coming(scene.today, month, number)
    )
    return Atom(match.start(), match.end(), day=day) if day else None


def _month_day(match: re.Match[str], scene: Scene) -> Atom | None:
    number = _day_number(match["d"] or match["d2"])
    day = coming_month_day(scene.today, number) if 1 <= number <= 31 else None
    return Atom(match.start(), match.end(), day=day, month_day=number) if day else None


def _bare_day(match: re.Match[str], scene: Scene) -> Atom | None:
    atom = _month_day(match, scene)
    return atom and Atom(atom.start, atom.end, day=atom.day, month_day=atom.month_day, weak=True)


def _month(match: re.Match[str], scene: Scene) -> Atom:
    number, year = _month_of(match["m"]), match["y"]
    period = month_period(int(year), number) if year else coming_month(scene.today, number)
    return Atom(match.start(), match.end(), period=period)


def _period(match: re.Match[str], scene: Scene) -> Atom:
    ahead = {"this": 0, "the": 0, "rest of the": 0, "later this": 0}.get(match["which"], 1)
    if match["which"] in ("last", "past", "previous"):
        ahead = -1
    period = period_of(scene.today, match["unit"].replace("working ", ""), ahead)
    return Atom(match.start(), match.end(), period=period)


def _week_after_next(match: re.Match[str], scene: Scene) -> Atom:
    return Atom(match.start(), match.end(), period=period_of(scene.today, "week", 2))


def _week_of(match: re.Match[str], scene: Scene) -> Atom | None:
    inner = _calendar_day(match, scene)
    if inner is None or inner.day is None:
        return None
    first = week_of(inner.day)
    return Atom(match.start(), match.end(), period=(first, first + timedelta(weeks=1), "week"))


def _end_of(match: re.Match[str], scene: Scene) -> Atom:
    unit = match["unit"]
    if unit == "day":
        return Atom(match.start(), match.end(), day=scene.today, at=ClockTime(17, 0, "24"))
    first, last, _ = period_of(scene.today, unit, int(match["which"] == "next"))
    days = {"week": 4, "month": 3, "year": 31}[unit]
    begin = first + timedelta(days=days) if unit == "week" else last - timedelta(days=days)
    return Atom(match.start(), match.end(), period=(begin, last, "day"))


def _unit(word: str) -> str:
    return (
        {"m": "minute", "h": "hour", "d": "day", "w": "week", "y": "year"}[word[0]]
        if not (word.startswith("mo"))
        else "month"
    )


def _offset(match: re.Match[str], scene: Scene) -> Atom | None:
    amount = 0.5 if "half" in match["n"] else float(_number(match["n"]))
    if re.search(r"half$", match["n"]):
        amount = 1.5
    groups = match.groupdict()
    sign = -1 if (groups.get("dir") or "").endswith("ago") else 1
    moved = shifted(scene.now, sign * amount, _unit(match["u"]))
    if moved is None:
        return None
    value, grain = moved
    base = groups.get("base") or ""
    value += timedelta(days=1 if base == "tomorrow" else 0)
    if grain == "day":
        return Atom(match.start(), match.end(), day=value.date())
    return Atom(match.start(), match.end(), moment=value, grain=grain)


def _working_days(match: re.Match[str], scene: Scene) -> Atom:
    day = working_day(scene.today, _number(match["n"]))
    return Atom(match.start(), match.end(), day=day)


def _within(match: re.Match[str], scene: Scene) -> Atom | None:
    unit = _unit(match["u"])
    moved = shifted(scene.now, _number(match["n"]), unit)
    if moved is None:
        return None
    if unit in ("hour", "minute"):
        return Atom(match.start(), match.end(), moment=scene.now, until=moved[0], grain=unit)
    first = scene.today + timedelta(days=int("next" in match[0]))
    last = moved[0].date() + timedelta(days=1)
    if unit == "month":
        last = add_months(first, _number(match["n"]))
    return Atom(match.start(), match.end(), period=(first, last, "day"))


def _part_only(match: re.Match[str], scene: Scene) -> Atom:
    which = match.groupdict().get("which") or ""
    part = _PARTS[re.sub(r"\s", " ", match["part"])]
    day = scene.today if which == "this" else None
    if which == "tomorrow":
        day = scene.today + timedelta(days=1)
    return Atom(match.start(), match.end(), day=day, part=part, weak=not which)


def _now(match: re.Match[str], scene: Scene) -> Atom:
    return Atom(match.start(), match.end(), moment=scene.now, grain="minute")


# ---------------------------------------------------------------- times of day

_T = (
    rf"(?:\d{{1,2}}(?:[:.]\d\d)?(?:\s?{HALF})?|(?:noon|midday|midnight)"
    rf"|(?:(?:half|quarter|{_COUNT})\s?(?:min(?:ute)?s?)?\s?-?past|(?:quarter|{_COUNT}\s?min(?:ute)?s?)\s?-?to)[\s-](?:\d{{1,2}}|{_HOUR_WORD})(?:\s?{HALF})?"
    rf"|{_HOUR_WORD}(?:[\s-]{_MINUTE_WORD})?(?:\s?{HALF})?)(?:\s?o'?\s?clock)?(?!\w)"
)


def _read_time(said: str) -> ClockTime | None:
    """Return the time of day a phrase names, or None."""
    said = re.sub(r"\s?o'?\s?clock$", "", said.strip())
    fixed = {"noon": ClockTime(12, 0, "24"), "midday": ClockTime(12, 0, "24")}
    fixed["midnight"] = ClockTime(24, 0, "24")
    if said in fixed:
        return fixed[said]
    half = re.search(rf"(?<=[\d\s.a-z])\s?({HALF})$", said)
    meridian = ""
    if half and not re.search(rf"{_HOUR_WORD}$", said):
        meridian = "pm" if half[1].startswith("p") else "am"
        said = said[: half.start(1)].strip(" .")
    relative = re.fullmatch(r"(.+?)\s?(?:min(?:ute)?s?)?\s?-?(past|to)[\s-](\d{1,2}|\w+)", said)
    if relative:
        return _relative_time(relative[1].strip(" -"), relative[2], relative[3], meridian)
    return _plain_time(said, meridian)


def _relative_time(count: str, way: str, hour_word: str, meridian: str) -> ClockTime | None:
    minutes = {"half": 30, "quarter": 15, "a quarter": 15}.get(count)
    hour = _number(hour_word)
    minutes = _number(count) if minutes is None else minutes
    if not 1 <= hour <= 12 or not 0 < minutes < 60:
        return None
    if way == "to":
        hour, minutes = hour - 1 or 12, 60 - minutes
    return ClockTime(hour, minutes, meridian, exact=True)


def _plain_time(said: str, meridian: str) -> ClockTime | None:
    figures = re.fullmatch(r"(\d{1,2})(?:[:.](\d\d))?", said)
    if figures:
        hour, minute = int(figures[1]), int(figures[2] or 0)
        certain = figures[2] is not None and (figures[1].startswith("0") or hour > 12)
        exact = figures[2] is not None
    else:
        words = re.split(r"[\s-]", said, maxsplit=1)
        hour = _NUMBERS.get(words[0], 99)
        tail = words[1].removeprefix("oh ") if len(words) > 1 else "zero"
        minute, certain, exact = _NUMBERS.get(re.sub(r"\s+", " ", tail), 99), False, len(words) > 1
    if hour > 24 or minute > 59 or (meridian and not 1 <= hour <= 12):
        return None
    return ClockTime(hour, minute, meridian or ("24" if certain or hour > 12 else ""), exact=exact)


def _time(match: re.Match[str], _: Scene) -> Atom | None:
    at = _read_time(match["t"])
    if at is None:
        return None
    bound = match.groupdict().get("bound") or ""
    bound = {"by": "before", "until": "before", "till": "before"}.get(bound, bound)
    return Atom(match.start(), match.end(), at=at, bound=bound)


def _weak_time(match: re.Match[str], scene: Scene) -> Atom | None:
    atom = _time(match, scene)
    return atom and Atom(atom.start, atom.end, at=atom.at, weak=True)


def _time_range(match: re.Match[str], _: Scene) -> Atom | None:
    at, to = _read_time(match["t"]), _read_time(match["t2"])
    if at is None or to is None:
        return None
    lead = match["lead"] or ""
    certain = at.exact or to.exact or at.meridian or to.meridian or lead == "between"
    return Atom(match.start(), match.end(), at=at, to=to, weak=not certain)


def _meridian_time(match: re.Match[str], scene: Scene) -> Atom | None:
    said = re.fullmatch(rf"(\d{{1,2}})(?:[:.]?(\d\d))?(?::\d\d)?\s?({HALF})", match["t"])
    if said is None or int(said[1]) > 12 or int(said[1]) == 0 or int(said[2] or 0) > 59:
        return None
    short = said[3] in ("a", "p")
    if short and said[2] is None:
        return None
    bound = {"by": "before", "until": "before", "till": "before"}.get(
        match["bound"] or "", match["bound"] or ""
    )
    half = "pm" if said[3].startswith("p") else "am"
    at = ClockTime(int(said[1]), int(said[2] or 0), half, exact=said[2] is not None)
    return Atom(match.start(), match.end(), at=at, bound=bound)


def _holiday(match: re.Match[str], scene: Scene) -> Atom | None:
    month, day = next(value for name, value in _HOLIDAYS.items() if match[0].startswith(name))
    found = coming(scene.today, month, day)
    return Atom(match.start(), match.end(), day=found) if found else None


_HOLIDAYS = {
    "christmas eve": (12, 24),
    "christmas": (12, 25),
    "new year's eve": (12, 31),
    "new year": (1, 1),
    "halloween": (10, 31),
    "valentine's": (2, 14),
}
_BOUND = r"(?:(?P<bound>after|before|by|until|till)\s+)"
_SOFT = r"(?:(?:at|around|about|@)\s+)?"

RULES_EN: tuple[Rule, ...] = (
    *RULES_NUMERIC,
    rule(r"(?:the )?day after (?:tomorrow|tmrw)", _relative_day),
    rule(r"(?:today|tomm?orr?ow|tomoz|tmrw|tmr|yesterday)", _relative_day),
    rule(r"(?:tonight|tonite|last night)", _tonight),
    rule(
        rf"(?:(?P<which>this|next|following|last|previous|past)\s+)?(?P<day>{_WEEKDAY})", _weekday
    ),
    rule(
        rf"(?P<m>{_MONTH})\s?,?[\s/-]?(?:the\s+)?(?P<d>{_DAY_NUMBER})(?![:\d%]|\.\d|\s?{HALF}(?!\w)){_YEAR}",
        _calendar_day,
    ),
    rule(
        rf"(?:the\s+)?(?P<d>{_DAY_NUMBER})(?:\s+of)?[\s,/-]\s?(?P<m>{_MONTH})[-/]?{_YEAR}",
        _calendar_day,
    ),
    rule(rf"(?P<y>20\d\d)[-/](?P<m>{_MONTH})[-/](?P<d>\d{{1,2}})", _calendar_day),
    rule(rf"(?P<m>{_MONTH})-(?P<d>\d{{1,2}})-(?P<y>20\d\d)", _calendar_day),
    rule(rf"the\s+(?P<d>{_ORD_DAY})(?<!second){_OPEN_END}", _month_day),
    rule(rf"(?<=on )(?P<d>\d{{1,2}}(?:st|nd|rd|th)){_OPEN_END}", _month_day),
    rule(rf"(?P<d>\d{{1,2}}(?:st|nd|rd|th))|the\s+(?P<d2>{_ORD_DAY})", _bare_day),
    rule(r"(?:the\s+)(?P<d>[12]\d|3[01]|[4-9])" + _OPEN_END, _bare_day),
    rule(r"(?P<d>1[3-9]|2\d|3[01])", _bare_day),
    rule(rf"(?P<m>{_MONTH})(?:\s+of)?,?\s+(?P<y>20\d\d)", _month),
    rule(rf"(?<=\bin )(?P<m>{_MONTH})(?P<y>)", _month),
    rule(
        rf"(?:this|next|until|since|by|before|after)\s+(?P<m>{_any(_MONTHS)})(?P<y>)(?!\s+(?:\d|or\b|be\b|not\b))",
        _month,
    ),
    rule(
        r"(?P<which>this|next|coming|following|last|past|previous|rest of the|later this)\s+"
        r"(?P<unit>week|working week|weekend|month|year)",
        _period,
    ),
    rule(r"(?:over |at |on )(?P<which>the)\s+(?P<unit>weekend)", _period),
    rule(r"the week after next|(?:in )?two weeks' time", _week_after_next),
    rule(
        rf"the week (?:of|beginning|starting|commencing)(?: on)? (?P<m>{_MONTH}) (?P<d>{_DAY_NUMBER}){_YEAR}",
        _week_of,
    ),
    rule(r"(?:the )?end of (?:the |this )?(?P<which>next )?(?P<unit>day|week|month|year)", _end_of),
    rule(
        rf"in\s+(?:about\s+|like\s+)?(?P<n>half an|an? hour and a half|{_COUNT})\s*(?P<u>{_UNIT})(?:' time)?",
        _offset,
    ),
    rule(
        rf"(?P<n>{_COUNT})\s+(?P<u>{_UNIT})\s+(?P<dir>(?:from|after)\s+(?P<base>now|today|tomorrow)|later|ago)",
        _offset,
    ),
    rule(rf"(?:in\s+)?(?P<n>{_COUNT})\s+(?:business|working) days(?: from now)?", _working_days),
    rule(rf"(?:with)?in (?:the )?next\s+(?P<n>{_COUNT})\s+(?P<u>{_UNIT})", _within),
    rule(rf"(?:within|(?:the )?next|coming)\s+(?P<n>{_COUNT})\s+(?P<u>{_UNIT})", _within),
    rule(rf"(?P<which>this)\s+(?:early\s+|late\s+)?{_PART}", _part_only),
    rule(rf"(?P<which>in the|during the|at|after) (?:early |late )?{_PART}", _part_only),
    rule(rf"(?<!good )(?:early |late )?{_PART}s?", _part_only),
    rule(r"(?:right now|(?<=\w )now(?=\s*(?:$|[.,;!?]|or|please)))", _now),
    rule(
        r"christmas(?: eve| day)?|new year'?s? (?:eve|day)|halloween|valentine's(?: day)?", _holiday
    ),
    rule(rf"{_BOUND}?{_SOFT}(?P<t>\d{{1,4}}(?:[:.]\d\d)?(?::\d\d)?\s?{HALF})", _meridian_time),
    rule(rf"{_BOUND}?{_SOFT}(?P<t>noon|midday|midnight)", _time),
    rule(
        rf"{_SOFT}(?P<t>(?:(?:half|(?:a )?quarter|{_COUNT})\s?(?:min(?:ute)?s?)?[\s-]past|(?:(?:a )?quarter|{_COUNT}\s?min(?:ute)?s?)[\s-]to)[\s-](?:\d{{1,2}}|{_HOUR_WORD})(?:\s?{HALF})?)(?:\s?o'?\s?clock)?(?![:.]\d)",
        _time,
    ),
    rule(rf"{_SOFT}(?P<t>(?:\d{{1,2}}|{_HOUR_WORD}))\s?o'?\s?clock", _time),
    rule(r"(?P<t>\d{1,2})[\s-]?ish", _time),
    rule(
        rf"(?P<t>{_HOUR_WORD}(?:[\s-]{_MINUTE_WORD})?\s?(?:am|pm|a\.m\.|p\.m\.|p \. m \.|a \. m \.))",
        _time,
    ),
    rule(
        rf"(?:at|around|@)\s+(?P<t>\d{{1,2}}(?:[:.][0-5]\d)?|{_HOUR_WORD}(?:[\s-]{_MINUTE_WORD})?){_OPEN_END}",
        _time,
    ),
    rule(rf"{_BOUND}(?P<t>\d{{1,2}}:[0-5]\d)", _time),
    rule(rf"{_BOUND}(?P<t>\d{{1,2}}|{_HOUR_WORD}){_OPEN_END}", _weak_time),
    rule(rf"(?P<t>{_HOUR_WORD}[\s-]{_MINUTE_WORD}){_OPEN_END}", _weak_time),
    rule(rf"(?P<t>[1-9]|1[0-2]){_OPEN_END}", _weak_time),
    rule(
        rf"(?:(?P<lead>from|between|at)\s+)(?P<t>{_T})\s?(?:-|to|till|until|and|through)\s?(?P<t2>{_T}){_OPEN_END}",
        _time_range,
    ),
    rule(rf"(?P<lead>)(?P<t>{_T})\s?(?:-|to|till|until)\s?(?P<t2>{_T}){_OPEN_END}", _time_range),
)


JOIN_EN = re.compile(
    r"\s*(?:[,(@:-]|\)|at|on|of|in|the|for|from|around|about|by|between|\s)*\s*", re.ASCII
)
