"""BM25 as everybody has it, to stand beside our figures: no stemming, no titles, no pairs (k1 1.2, b 0.75)."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping

K1 = 1.2
B = 0.75

_WORD = re.compile(r"\w+")


class Bm25:
    """Ranks documents for a query; built from id → text."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._postings: dict[str, list[tuple[str, int]]] = defaultdict(list)
        self._lengths: dict[str, int] = {}
        for name, text in texts.items():
            words = _WORD.findall(text.lower())
            self._lengths[name] = len(words)
            for word, times in Counter(words).items():
                self._postings[word].append((name, times))
        self._mean = sum(self._lengths.values()) / max(1, len(self._lengths))

    def rank(self, query: str) -> list[str]:
        """Return the ids of the documents that share a word with the query, best first."""
        scores: Counter[str] = Counter()
        for word, asked in Counter(_WORD.findall(query.lower())).items():
            having = self._postings.get(word, ())
            idf = math.log1p((len(self._lengths) - len(having) + 0.5) / (len(having) + 0.5))
            for name, times in having:
                norm = K1 * (1 - B + B * self._lengths[name] / self._mean)
                scores[name] += asked * idf * times * (K1 + 1) / (times + norm)  # type: ignore[assignment] # fractions
        return [name for name, _ in scores.most_common()]
