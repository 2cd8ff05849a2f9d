"""A model's streamed text to whole sentences, each with the numbers of the passages it leans on.

Pure: text in, sentences out. A marker is never shown half: a sentence is given out only when what
follows it is known to be no marker. Numbers outside the passages are dropped; so are the markers
themselves.
"""

import re
from dataclasses import dataclass

_NUMBERS = r"\d{1,3}(?:\s*(?:[,;&]|–|-|and|y)\s*\d{1,3})*"
_MARKER = re.compile(rf"[\[【]\s*(?P<numbers>{_NUMBERS})(?:†[^\[\]【】\n]{{0,40}})?\s*[\]】]")
_MARKERS = re.compile(rf"[^\S\n]*{_MARKER.pattern}")
# What may still become a marker when more arrives.
_BEGUN = re.compile(r"[\[【]\s*(?:\d[\d\s,;&–\-andy]{0,40}(?:†[^\[\]【】\n]{0,40})?)?")
_UNFINISHED = re.compile(rf"\s*(?:{_BEGUN.pattern})$")
_END = re.compile(r"[.!?…]+[\"'”’»)*_`]*|[。！？]|\n")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|approx|incl|fig|inc|ltd|dr|mr|mrs|ms|sr|sra|ud|uds|p\. ?ej|núm|no)"
    r"|^\s*\d{1,3})\.$",
    re.IGNORECASE | re.MULTILINE,
)
_MAX_RANGE = 10

Part = tuple[str, tuple[int, ...]]


def numbers_in(text: str, count: int) -> tuple[int, ...]:
    """Return the passage numbers that the markers in a text name, in order, those up to `count`."""
    found: list[int] = []
    for marker in _MARKER.finditer(text):
        for item in re.split(r"[,;&]|and|y", marker["numbers"]):
            ends = [int(number) for number in re.findall(r"\d+", item)]
            last = min(ends[-1], ends[0] + _MAX_RANGE)
            found.extend(range(ends[0], last + 1))
    return tuple(dict.fromkeys(number for number in found if 1 <= number <= count))


def without_markers(text: str) -> str:
    """Return the text without its markers, and without the gaps they leave."""
    bare = _MARKERS.sub("", text).strip()
    return re.sub(r"[^\S\n]+([.,;:!?])", r"\1", bare)


@dataclass(slots=True)
class CitationStream:
    """Takes the text as it streams. `count` is how many passages there are, numbered from 1."""

    count: int
    held: str = ""

    def feed(self, delta: str) -> list[Part]:
        """Take more text; return the sentences that are now whole."""
        self.held += delta
        parts: list[Part] = []
        while (end := self._end_of_sentence()) is not None:
            parts.extend(self._take(end))
        return parts

    def finish(self) -> list[Part]:
        """Return what is left when nothing more comes; a marker cut off in the middle is dropped."""
        self.held = _UNFINISHED.sub("", self.held)
        parts: list[Part] = []
        while (end := self._end_of_sentence(is_last=True)) is not None:
            parts.extend(self._take(end))
        return [*parts, *self._take(len(self.held))]

    def _take(self, end: int) -> list[Part]:
        sentence, self.held = self.held[:end], self.held[end:]
        text = without_markers(sentence)
        return [(text, numbers_in(sentence, self.count))] if text else []

    def _end_of_sentence(self, *, is_last: bool = False) -> int | None:
        for stop in _END.finditer(self.held):
            end = self._after_markers(stop.end())
            if end is None:
                if is_last:
                    continue
                return None
            if self._ends_here(stop, end):
                return end
        return None

    def _after_markers(self, at: int) -> int | None:
        """Return where the markers that follow end; None while that cannot be told."""
        while True:
            following = self.held[at:].lstrip(" \t")
            start = len(self.held) - len(following)
            if not following or _BEGUN.fullmatch(following):
                return None
            marker = _MARKER.match(self.held, start)
            if marker is None:
                return at
            at = marker.end()

    def _ends_here(self, stop: re.Match[str], end: int) -> bool:
        before = self.held[: stop.end()]
        if not without_markers(before):
            return False
        if end > stop.end() or stop[0] in "\n。！？":
            return True
        if not self.held[end].isspace():
            return False  # 2.5, lumen.example
        if _ABBREVIATION.search(before):
            return False
        following = self.held[end:].lstrip()
        return not (stop[0] == "." and following[:1].islower())
