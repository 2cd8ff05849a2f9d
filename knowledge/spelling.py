"""Slips of the finger: the word of the docs that a customer probably meant.

Owns the neighbourhood of one edit. Refuses to touch short words and numbers, and any word that the
docs or everyday language know.
"""

from collections.abc import Iterator, Mapping

from knowledge.stopwords import STOPWORDS

MIN_CORRECTED = 5  # letters; shorter words have too many neighbours
MAX_CORRECTED = 40

_COMMON = frozenset().union(*STOPWORDS.values())


class Spelling:
    """The words of one language's passages, found again with one letter wrong."""

    def __init__(self, words: Mapping[str, int]) -> None:
        """Take word → number of passages that have it."""
        self._words = dict(words)
        self._letters = "".join(sorted({letter for word in words for letter in word}))

    def knows(self, word: str) -> bool:
        """Tell whether the word needs no correction."""
        return (
            word in self._words
            or not MIN_CORRECTED <= len(word) <= MAX_CORRECTED
            or not word.isalpha()
        )

    def near(self, word: str) -> str | None:
        """Return the most frequent word one edit away, if any."""
        if self.knows(word) or word in _COMMON:
            return None
        close = {each for each in one_edit(word, self._letters) if each in self._words}
        return max(close, key=lambda each: (self._words[each], each), default=None)


def one_edit(word: str, letters: str) -> Iterator[str]:
    """Yield each word that an insertion, deletion, replacement or swap of neighbours makes.

    The first letter stays: people rarely miss it, and other words often differ there. Some hundred
    words; nothing need be kept for every word of the docs to find its neighbours.
    """
    for at in range(1, len(word) + 1):
        head, tail = word[:at], word[at:]
        if tail:
            yield head + tail[1:]
            for letter in letters:
                yield head + letter + tail[1:]
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]
        for letter in letters:
            yield head + letter + tail
