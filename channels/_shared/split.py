"""Cut long text into parts a channel can carry: on sentence ends, never in a link or a grapheme.

Lengths are UTF-16 code units, as SMS and most chat APIs count them (3GPP TS 23.038 §6.2.3).
Not here: markup (render.py).
"""

import re
import unicodedata
from bisect import bisect_right
from itertools import accumulate

FENCE = "```"

_STRONG = re.compile(r"\n+|[.!?…]+[\"'”’»)\]*_]*(?=\s)|[。！？]")
_WEAK = re.compile(r"\s+")
_URL = r"https?://[^\s<>]+"
_ATOMS = {
    "plain": re.compile(rf"[^\s()]{{1,100}} \({_URL}\)|{_URL}"),
    "markdown": re.compile(rf"\[[^\]\n]{{1,500}}\]\([^)\s]*\)|`[^`\n]+`|{_URL}"),
    "mrkdwn": re.compile(rf"<[^<>\n]+>|&(?:amp|lt|gt);|`[^`\n]+`|\*[^*\n]{{1,200}}\*|{_URL}"),
}

_ZWJ = "\u200d"
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_TAGS = range(0xE0020, 0xE0080)
_FLAGS = range(0x1F1E6, 0x1F200)
_LETTERS_THAT_EXTEND = frozenset("\u0e33\u0eb3\u200c\uff9e\uff9f")
_LEADING = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\u0d4e")
_VIRAMA = 9  # canonical combining class


def units(text: str) -> int:
    """Return the length in UTF-16 code units."""
    return len(text) + sum(1 for c in text if ord(c) > 0xFFFF)


def split(text: str, limit: int, markup: str = "plain") -> list[str]:
    """Return the text in parts of at most `limit` UTF-16 code units (0: one part, however long).

    Cuts after a sentence or line where there is one, else between words, else between graphemes.
    A link is broken only when longer than a whole part. Code fences are closed and opened again.
    """
    text = text.strip()
    if not text:
        return []
    if limit <= 0 or units(text) <= limit:
        return [text]
    fenced = markup != "plain" and FENCE in text
    room = max(limit - 2 * (len(FENCE) + 1), 16) if fenced else limit
    parts = _cut_all(text, room, _ATOMS.get(markup, _ATOMS["plain"]))
    return _rebalance(parts) if fenced else parts


def is_boundary(text: str, at: int) -> bool:
    """Tell whether a cut before index `at` tears no grapheme (UAX #29, on the safe side)."""
    if at <= 0 or at >= len(text):
        return True
    before, after = text[at - 1], text[at]
    if before + after == "\r\n" or before == _ZWJ or before in _LEADING:
        return False
    if _extends(after) or unicodedata.combining(before) == _VIRAMA:
        return False
    if ord(before) in _FLAGS and ord(after) in _FLAGS:
        run = 0
        while run < at and ord(text[at - 1 - run]) in _FLAGS:
            run += 1
        return run % 2 == 0
    return not _same_syllable(before, after)


def _extends(character: str) -> bool:
    code = ord(character)
    return (
        unicodedata.category(character) in ("Mn", "Me", "Mc")
        or character == _ZWJ
        or character in _LETTERS_THAT_EXTEND
        or code in _SKIN_TONES
        or code in _TAGS
    )


def _same_syllable(before: str, after: str) -> bool:
    """Tell whether two Hangul characters may belong to one syllable block."""
    return _is_hangul(before) and (_is_vowel_or_tail(after) or _is_lead(before))


def _is_lead(c: str) -> bool:
    return "\u1100" <= c <= "\u115f" or "\ua960" <= c <= "\ua97c"


def _is_vowel_or_tail(c: str) -> bool:
    return "\u1160" <= c <= "\u11ff" or "\ud7b0" <= c <= "\ud7fb"


def _is_hangul(c: str) -> bool:
    return _is_lead(c) or _is_vowel_or_tail(c) or "\uac00" <= c <= "\ud7a3"


def _cut_all(text: str, limit: int, atoms: re.Pattern[str]) -> list[str]:
    widths = [0, *accumulate(2 if ord(c) > 0xFFFF else 1 for c in text)]
    spans = [match.span() for match in atoms.finditer(text)]
    inside = {i for start, end in spans for i in range(start + 1, end)}
    strong = sorted({m.end() for m in _STRONG.finditer(text)} - inside)
    weak = sorted({m.end() for m in _WEAK.finditer(text)} - inside)
    parts, at = [], 0
    while at < len(text):
        end = bisect_right(widths, widths[at] + limit) - 1
        cut = len(text) if end >= len(text) else _find_cut(text, at, end, strong, weak, inside)
        parts.append(text[at:cut].strip())
        at = cut
    return [part for part in parts if part]


def _find_cut(
    text: str, at: int, end: int, strong: list[int], weak: list[int], inside: set[int]
) -> int:
    # One more: the white space that a cut falls on is dropped, so it needs no room.
    reach = end + 1 if text[end].isspace() else end
    for cuts in (strong, weak):
        index = bisect_right(cuts, reach) - 1
        if index >= 0 and cuts[index] > at:
            return cuts[index]
    whole = (i for i in range(end, at, -1) if i not in inside and is_boundary(text, i))
    torn = (i for i in range(end, at, -1) if is_boundary(text, i))
    return next(whole, 0) or next(torn, 0) or max(end, at + 1)


def _rebalance(parts: list[str]) -> list[str]:
    balanced, is_open = [], False
    for part in parts:
        body = f"{FENCE}\n{part}" if is_open else part
        is_open = body.count(FENCE) % 2 == 1
        balanced.append(f"{body}\n{FENCE}" if is_open else body)
    return balanced
