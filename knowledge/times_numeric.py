"""Dates and times written in figures, the same in every language: 2027-01-03, 3/1, 23.04.2027, 15:00.

Owns which figures are dates at all; versions, prices, phone numbers, ratios and 24/7 are not.
"""

import re

from knowledge.times_atoms import Atom, ClockTime, Rule, Scene, coming, safe_day

_BEFORE = r"(?<![\w$€£#@/.,:+-])"
_AFTER = r"(?![\w/%€]|[.,:-]\d|-\w)"
_LEADS = re.compile(
    r"\b(?:on|for|by|until|till|from|before|after|since|date|el|del|para|al|hasta|desde|antes|despues"
    r"|de|fecha|due|back|mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun|\w+day|lunes|martes|miercoles|jueves"
    r"|viernes|sabado|domingo|este)\W{0,2}$"
)


def _iso(match: re.Match[str], _: Scene) -> Atom | None:
    day = safe_day(int(match["y"]), int(match["m"]), int(match["d"]))
    if day is None:
        return None
    at = None
    if match["h"]:
        hour, minute = int(match["h"]), int(match["min"])
        if hour > 23 or minute > 59:
            return None
        at = ClockTime(hour, minute, "24", exact=True)
    return Atom(match.start(), match.end(), day=day, at=at)


def _figures(match: re.Match[str], scene: Scene) -> Atom | None:
    first, second = int(match["a"]), int(match["b"])
    day, month = (first, second) if scene.day_first or first > 12 else (second, first)
    if month > 12:
        day, month = month, day
    year = match["y"]
    found = safe_day(int(year), month, day) if year else None
    if not year and 1 <= month <= 12:
        found = coming(scene.today, month, day)
    if found is None:
        return None
    led = bool(_LEADS.search(scene.text, 0, match.start()))
    plain = not year and not led and ((first, second) == (24, 7) or first < second <= 4)
    return Atom(match.start(), match.end(), day=found, weak=plain)


def _clock(match: re.Match[str], _: Scene) -> Atom | None:
    hour, minute = int(match["h"]), int(match["min"])
    half = (match["half"] or "")[:1]
    if hour > 24 or minute > 59 or (half and not 1 <= hour <= 23):
        return None
    meridian = {"a": "am", "p": "pm"}.get(half, "")
    if hour > 12 or hour == 0 or (not half and match["h"].startswith("0")):
        meridian = "24"
    return Atom(match.start(), match.end(), at=ClockTime(hour, minute, meridian, exact=True))


HALF = r"(?:a\.\s?m\.?|p\.\s?m\.?|a\s?m|p\s?m|a|p)"

RULES_NUMERIC: tuple[Rule, ...] = (
    Rule(
        re.compile(
            rf"{_BEFORE}(?P<y>(?:19|20)\d\d)(?P<sep>[-/])(?P<m>\d{{1,2}})(?P=sep)(?P<d>\d{{1,2}})"
            r"(?:[t ](?P<h>\d{2}):(?P<min>\d{2})(?::\d{2}(?:\.\d+)?)?z?)?"
            r"(?![\w/%]|[.,:]\d|-\w)"
        ),
        _iso,
    ),
    Rule(
        re.compile(
            rf"{_BEFORE}(?P<a>\d{{1,2}})(?P<sep>[/.-])(?P<b>\d{{1,2}})(?P=sep)(?P<y>\d{{4}}){_AFTER}"
        ),
        _figures,
    ),
    Rule(re.compile(rf"{_BEFORE}(?P<a>\d{{1,2}})/(?P<b>\d{{1,2}})/(?P<y>\d\d){_AFTER}"), _figures),
    Rule(re.compile(rf"{_BEFORE}(?P<a>\d{{1,2}})/(?P<b>\d{{1,2}})(?P<y>){_AFTER}"), _figures),
    Rule(
        re.compile(
            rf"{_BEFORE}(?P<h>\d{{1,2}}):(?P<min>\d\d)(?::[0-5]\d)?\s?(?P<half>{HALF})?(?![\w%]|[:/]\d)"
        ),
        _clock,
    ),
    Rule(
        re.compile(
            rf"(?<![\w$€£#@/.,:+-])(?P<h>\d{{1,2}})[.](?P<min>\d\d)\s?(?P<half>{HALF})(?!\w)"
        ),
        _clock,
    ),
)
