"""BM25 over a tenant's passages, in memory, the same on both databases.

Owns words (stemmed by the passage's own language), field weights and the sparse postings. Built
whole from what it is given and never changed afterwards. Not here: when to rebuild
(knowledge/index.py) or how scores are joined with vectors (knowledge/retriever.py).

BM25 as in Robertson and Zaragoza, The Probabilistic Relevance Framework (2009), with title and
headings counted as extra occurrences in the text (the idea of BM25F, same source).
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import snowballstemmer

from core.turns import Passage
from knowledge.spelling import MIN_CORRECTED, Spelling
from knowledge.stopwords import STOPWORDS

Floats = npt.NDArray[np.float32]

K1 = 1.2
B = 0.75
TITLE_WEIGHT = 2.0
SECTION_WEIGHT = 1.0
MAX_QUERY_CHARACTERS = 20_000

_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_LANGUAGES = {"en": "english", "es": "spanish"}


@lru_cache(maxsize=8)
def _stemmer(language: str) -> Any:
    return snowballstemmer.stemmer(language)


@lru_cache(maxsize=200_000)
def _stem(word: str, language: str) -> str:
    stem = str(_stemmer(language).stemWord(word)) if language else word
    plain = unicodedata.normalize("NFD", stem)
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def terms(text: str, locale: str = "en") -> list[str]:
    """Return the text's words: lower case, stemmed (en, es), without accents and stop words.

    A hyphenated word gives its parts and the parts joined, so "non-profit" meets "nonprofit".
    """
    base = locale[:2].lower()
    stop = STOPWORDS.get(base, frozenset())
    language = _LANGUAGES.get(base, "")
    found: list[str] = []
    for match in _WORD.finditer(text[:MAX_QUERY_CHARACTERS].lower().replace("’", "'")):
        word = match.group().removesuffix("'s")
        if word in stop:
            continue
        parts = re.split(r"[-']", word)
        if len(parts) > 1:
            parts = [part for part in parts if part not in stop and len(part) > 1]
            parts.append(word.replace("-", "").replace("'", ""))
        found.extend(_stem(part, language) for part in parts if part and part not in stop)
    return found


@dataclass(frozen=True, slots=True)
class Entry:
    """A passage read: term → occurrences, title and headings counted by weight; words as written."""

    locale: str
    counts: Mapping[str, float]
    words: frozenset[str]


def read(passage: Passage) -> Entry:
    """Return what the index needs of a passage."""
    counts: Counter[str] = Counter()
    for text, weight in (
        (passage.text, 1.0),
        (passage.title, TITLE_WEIGHT),
        (passage.section, SECTION_WEIGHT),
    ):
        for term in terms(text, passage.locale):
            counts[term] += weight  # type: ignore[assignment] # fractions are meant
    written = f"{passage.title} {passage.section} {passage.text}".lower()
    words = frozenset(word for word in _WORD.findall(written) if len(word) >= MIN_CORRECTED)
    return Entry(passage.locale[:2].lower(), counts, words)


@dataclass(frozen=True, slots=True)
class _Shard:
    """The passages of one language: postings in one flat pair of arrays, `spans` cutting it."""

    locale: str
    rows: npt.NDArray[np.int64]  # shard position → row of the whole index
    spans: Mapping[str, tuple[int, int]]
    places: npt.NDArray[np.int64]
    impacts: Floats
    idf: Mapping[str, float]
    spelling: Spelling


class LexicalIndex:
    """Scores every passage against a query; rows are in the order given at building."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        """Build from one entry a passage; CPU work, some 100 ms a thousand."""
        self._size = len(entries)
        by_locale: dict[str, list[int]] = {}
        for row, entry in enumerate(entries):
            by_locale.setdefault(entry.locale, []).append(row)
        self._shards = [
            _shard(locale, rows, [entries[row] for row in rows])
            for locale, rows in by_locale.items()
        ]

    def __len__(self) -> int:
        return self._size

    @property
    def locales(self) -> tuple[str, ...]:
        """The languages of the passages."""
        return tuple(shard.locale for shard in self._shards)

    def scores(self, query: str) -> Floats:
        """Return a BM25 score ≥ 0 per row, the query stemmed in each passage's language."""
        scores = np.zeros(self._size, np.float32)
        for shard in self._shards:
            weights = Counter(term for term in terms(query, shard.locale) if term in shard.spans)
            if not weights:
                continue
            parts = [(slice(*shard.spans[term]), count) for term, count in weights.items()]
            places = np.concatenate([shard.places[part] for part, _ in parts])
            impacts = np.concatenate(
                [shard.impacts[part] * _query_weight(count) for part, count in parts]
            )
            scores[shard.rows] = np.bincount(places, impacts, minlength=len(shard.rows))
        return scores

    def rarity(self, word_terms: Iterable[str], locale: str) -> Mapping[str, float]:
        """Return idf per term in that language's passages; an unknown term is as rare as can be."""
        shard = next((each for each in self._shards if each.locale == locale[:2].lower()), None)
        if shard is None:
            return dict.fromkeys(word_terms, 1.0)
        unknown = float(np.log1p(2 * len(shard.rows) + 1))
        return {term: shard.idf.get(term, unknown) for term in word_terms}

    def respell(self, text: str) -> str:
        """Return the text with words that no passage has replaced by a near one that some have."""
        found = text
        for match in _WORD.finditer(text.lower()):
            word = match.group()
            if any(shard.spelling.knows(word) for shard in self._shards):
                continue
            near = next(filter(None, (shard.spelling.near(word) for shard in self._shards)), None)
            if near:
                pattern = rf"(?<![^\W_]){re.escape(word)}(?![^\W_])"
                found = re.sub(pattern, near, found, flags=re.IGNORECASE)
        return found


def _query_weight(count: int) -> float:
    """Saturate repetition in long queries: BM25's k3 part with k3 = 1."""
    return 2.0 * count / (1.0 + count)


def _shard(locale: str, rows: list[int], entries: Sequence[Entry]) -> _Shard:
    places: dict[str, list[int]] = {}
    counts: dict[str, list[float]] = {}
    for place, entry in enumerate(entries):
        for term, count in entry.counts.items():
            places.setdefault(term, []).append(place)
            counts.setdefault(term, []).append(count)
    lengths = np.array([sum(entry.counts.values()) for entry in entries], np.float32)
    norm = K1 * (1 - B + B * lengths / max(float(lengths.mean()), 1e-6))
    spans: dict[str, tuple[int, int]] = {}
    idf: dict[str, float] = {}
    impacts: list[Floats] = []
    start = 0
    for term, where in places.items():
        spans[term] = (start, start + len(where))
        start += len(where)
        idf[term] = float(np.log1p((len(rows) - len(where) + 0.5) / (len(where) + 0.5)))
        tf = np.array(counts[term], np.float32)
        impacts.append((idf[term] * tf * (K1 + 1) / (tf + norm[where])).astype(np.float32))
    flat = [place for where in places.values() for place in where]
    return _Shard(
        locale=locale,
        rows=np.array(rows, np.int64),
        spans=spans,
        places=np.array(flat, np.int64),
        impacts=np.concatenate(impacts) if impacts else np.zeros(0, np.float32),
        idf=idf,
        spelling=Spelling(Counter(word for entry in entries for word in entry.words)),
    )
