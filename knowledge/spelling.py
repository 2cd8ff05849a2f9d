"""Slips of the finger: the word of the docs that a customer probably meant.

Owns the neighbourhood of one edit. Refuses to touch short words and numbers, and any word that the
docs or everyday language know.
"""

from collections.abc import Iterable, Mapping

from knowledge.stopwords import STOPWORDS

MIN_CORRECTED = 5  # letters; shorter words have too many neighbours

_COMMON = frozenset().union(*STOPWORDS.values())


class Spelling:
    """The words of one language's passages, found again with one letter wrong."""

    def __init__(self, words: Mapping[str, int]) -> None:
        """Take word → number of passages that have it."""
        self._words = dict(words)
        self._shorter: dict[str, str] = {}
        for word in sorted(words, key=lambda each: (words[each], each)):
            # The most frequent word is written last and stays.
            self._shorter.update(dict.fromkeys(_less_one(word), word))

    def knows(self, word: str) -> bool:
        """Tell whether the word needs no correction."""
        return word in self._words or len(word) < MIN_CORRECTED or not word.isalpha()

    def near(self, word: str) -> str | None:
        """Return the most frequent word one edit away, if any."""
        if self.knows(word) or word in _COMMON:
            return None
        candidates = {self._shorter[word]} if word in self._shorter else set()
        for shorter in _less_one(word):
            if shorter in self._words:
                candidates.add(shorter)
            if shorter in self._shorter:
                candidates.add(self._shorter[shorter])
        close = [each for each in candidates if one_edit(word, each)]
        return max(close, key=lambda each: (self._words[each], each), default=None)


def one_edit(one: str, other: str) -> bool:
    """Tell whether an insertion, deletion, replacement or swap of neighbours joins the words."""
    if one[0] != other[0]:
        return False  # people rarely miss the first letter; other words often differ there
    if abs(len(one) - len(other)) == 1:
        longer, shorter = sorted((one, other), key=len, reverse=True)
        return shorter in _less_one(longer)
    if len(one) != len(other):
        return False
    wrong = [at for at in range(len(one)) if one[at] != other[at]]
    if len(wrong) == 2 and wrong[1] == wrong[0] + 1:
        return one[wrong[0]] == other[wrong[1]] and one[wrong[1]] == other[wrong[0]]
    return len(wrong) <= 1


def _less_one(word: str) -> Iterable[str]:
    return (word[:at] + word[at + 1 :] for at in range(len(word)))
