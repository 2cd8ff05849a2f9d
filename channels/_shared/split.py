"""Cut long text into parts a channel can carry: on sentence ends, never in a link or a grapheme.

Lengths are UTF-16 code units, as SMS and most chat APIs count them (3GPP TS 23.038 §6.2.3).
Not here: markup (render.py).
"""

import re
from bisect import bisect_right
from itertools import accumulate

import regex

FENCE = "```"

_STRONG = re.compile(r"\n+|[.!?…]+[\"'”’»)\]*_]*(?=\s)|[。！？]")
_WEAK = re.compile(r"\s+")
_URL = r"https?://[^\s<>]+"
_ATOMS = {
    "plain": re.compile(rf"[^\s()]{{1,100}} \({_URL}\)|{_URL}"),
    "markdown": re.compile(rf"\[[^\]\n]{{1,500}}\]\([^)\s]*\)|`[^`\n]+`|{_URL}"),
    "whatsapp": re.compile(rf"[^\s()]{{1,100}} \({_URL}\)|`[^`\n]+`|\*[^*\n]{{1,200}}\*|{_URL}"),
    "mrkdwn": re.compile(rf"<[^<>\n]+>|&(?:amp|lt|gt);|`[^`\n]+`|\*[^*\n]{{1,200}}\*|{_URL}"),
}

_GRAPHEME = regex.compile(r"\X")  # UAX #29: a whole flag, family or syllable


def units(text: str) -> int:
    """Return the length in UTF-16 code units."""
    return len(text) + sum(1 for c in text if ord(c) > 0xFFFF)


def split(text: str, limit: int, markup: str = "plain") -> list[str]:
    """Return the text in parts of at most `limit` UTF-16 code units (0: one part, however long).

    Cuts after a sentence or line where there is one, else between words, else between graphemes.
    A link is broken only when longer than a whole part. Code fences are closed and opened again.
    """
    text = _trimmed(text)
    if not text:
        return []
    if limit <= 0 or units(text) <= limit:
        return [text]
    fenced = markup != "plain" and FENCE in text
    room = max(limit - 2 * (len(FENCE) + 1), 16) if fenced else limit
    parts = _cut_all(text, room, _ATOMS.get(markup, _ATOMS["plain"]))
    return _rebalance(parts) if fenced else parts


def is_boundary(text: str, at: int) -> bool:
    """Tell whether a cut before index `at` tears no grapheme (UAX #29, extended clusters)."""
    return at <= 0 or at >= len(text) or at in _boundaries(text)


def _boundaries(text: str) -> set[int]:
    return {match.end() for match in _GRAPHEME.finditer(text)}


def _trimmed(text: str) -> str:
    """Return the text without white space around it; a space that carries an accent is none."""
    if text.isascii():
        return text.strip()
    graphemes = _GRAPHEME.findall(text)
    start, end = 0, len(graphemes)
    while start < end and graphemes[start].isspace():
        start += 1
    while end > start and graphemes[end - 1].isspace():
        end -= 1
    return "".join(graphemes[start:end])


def _cut_all(text: str, limit: int, atoms: re.Pattern[str]) -> list[str]:
    widths = [0, *accumulate(2 if ord(c) > 0xFFFF else 1 for c in text)]
    spans = [match.span() for match in atoms.finditer(text)]
    whole = _boundaries(text)
    inside = {i for start, end in spans for i in range(start + 1, end)}
    inside |= set(range(len(text))) - whole - {0}
    strong = sorted({m.end() for m in _STRONG.finditer(text)} - inside)
    weak = sorted({m.end() for m in _WEAK.finditer(text)} - inside)
    parts, at = [], 0
    while at < len(text):
        end = bisect_right(widths, widths[at] + limit) - 1
        cut = (
            len(text) if end >= len(text) else _find_cut(text, at, end, strong, weak, inside, whole)
        )
        parts.append(_trimmed(text[at:cut]))
        at = cut
    return [part for part in parts if part]


def _find_cut(
    text: str,
    at: int,
    end: int,
    strong: list[int],
    weak: list[int],
    inside: set[int],
    graphemes: set[int],
) -> int:
    # One more: the white space that a cut falls on is dropped, so it needs no room.
    reach = end + 1 if text[end].isspace() else end
    for cuts in (strong, weak):
        index = bisect_right(cuts, reach) - 1
        if index >= 0 and cuts[index] > at:
            return cuts[index]
    whole = (i for i in range(end, at, -1) if i not in inside)
    torn = (i for i in range(end, at, -1) if i in graphemes)
    return next(whole, 0) or next(torn, 0) or max(end, at + 1)


def _rebalance(parts: list[str]) -> list[str]:
    balanced, is_open = [], False
    for part in parts:
        body = f"{FENCE}\n{part}" if is_open else part
        is_open = body.count(FENCE) % 2 == 1
        balanced.append(f"{body}\n{FENCE}" if is_open else body)
    return balanced
