"""Which questions are the same one in other words.

Owns how near two questions are and when a new one joins a group. Not here: storing groups (app/store/gaps.py),
who ranks or answers them (app/approving.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knowledge.lexical import terms

# docs/decisions/0024: pairs of 131 questions of our own in the same group, ten orders of arrival each
SAME = 0.575
ALIKE = 0.42  # worth showing to a person as perhaps the same
_MEANING, _WORDS = 0.8, 0.2


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its sentence vector, float32 little-endian of unit length, and its words' stems."""

    vector: npt.NDArray[np.float32]
    words: frozenset[str]

    @classmethod
    def of(cls, text: str, vector: bytes) -> "Question":
        """Return the question as it is compared."""
        return cls(np.frombuffer(vector, "<f4"), frozenset(terms(text)))


def nearness(one: Question, other: Question) -> float:
    """Return how near two questions are, about 0 to 1: mostly meaning, partly shared words."""
    fewer = min(len(one.words), len(other.words))
    shared = len(one.words & other.words) / fewer if fewer else 0.0
    meaning = float(one.vector @ other.vector) if one.vector.size == other.vector.size else 0.0
    return _MEANING * meaning + _WORDS * shared


def place(question: Question, groups: Sequence[Sequence[Question]]) -> int | None:
    """Return which group the question belongs to, by its mean nearness to the members; None for none."""
    means = [float(np.mean([nearness(question, each) for each in group])) for group in groups]
    if not means or max(means) < SAME:
        return None
    return int(np.argmax(means))
