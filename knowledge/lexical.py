"""Words in memory: BM25 over a tenant's passages, the same on both databases.

Owns words (stemmed by the passage's own language), pairs of neighbouring words, field weights and what
a query's words weigh. Built whole from what it is given and never changed afterwards. Not here: the
sparse arrays (knowledge/postings.py), when to rebuild (knowledge/index.py), how scores are joined
with vectors (knowledge/fusion.py).

BM25 as in Robertson and Zaragoza, The Probabilistic Relevance Framework (2009), with title and
headings counted as extra occurrences in the text (the idea of BM25F, same source). Residual idf as in
Church and Gale, Inverse Document Frequency: A Measure of Deviations from Poisson (1995): a word
that comes in bursts says what a page is about, one that is spread evenly does not.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from core.turns import Passage
from knowledge import gloss
from knowledge.postings import Entry, Floats, Keys, Shard, shard_of
from knowledge.spelling import MIN_CORRECTED
from knowledge.stemming import stem, unaccented
from knowledge.stopwords import STOPWORDS

K3 = 8.0  # how soon a word repeated in the query stops counting more
GLOSS_WEIGHT = 0.5  # of a Spanish passage's words in English, beside its own
TITLE_WEIGHT = 2.0
SECTION_WEIGHT = 1.0
PAIR_WEIGHT = 0.5  # of two neighbouring words, beside each of the two
STORY_WORDS = 60  # from here on how a word is spread counts in full
SPREAD_FLOOR = 0.2
MAX_QUERY_CHARACTERS = 20_000

_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_JOINT = re.compile(r"[-']")
_LANGUAGES = {"en": "english", "es": "spanish"}
_MIX = np.int64(0x1E3779B97F4A7C15)


@lru_cache(maxsize=200_000)
def _stem(word: str, language: str) -> str:
    return stem(word, language) if language else unaccented(word)


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
        if "-" not in word and "'" not in word:
            if word:
                found.append(_stem(word, language))
            continue
        parts = [part for part in _JOINT.split(word) if part not in stop and len(part) > 1]
        parts.append(word.replace("-", "").replace("'", ""))
        found.extend(_stem(part, language) for part in parts if part and part not in stop)
    return found


def _keys(words: Sequence[str]) -> Keys:
    return np.fromiter(map(hash, words), np.int64, len(words))


def _pairs(keys: Keys) -> Keys:
    """Return a key for each two neighbours that differ."""
    left, right = keys[:-1], keys[1:]
    # the multiplication wraps around, which is what a hash wants
    mixed = (left * _MIX) ^ (right >> 1)
    return np.asarray(mixed[left != right], np.int64)


def read(passage: Passage) -> Entry:
    """Return what the index needs of a passage."""
    keys: list[Keys] = []
    weights: list[Floats] = []
    said: list[npt.NDArray[np.uint8]] = []
    pair: list[npt.NDArray[np.bool_]] = []
    fields = (
        (passage.text, 1.0),
        (passage.title, TITLE_WEIGHT),
        (passage.section, SECTION_WEIGHT),
    )
    for place, (text, weight) in enumerate(fields):
        single = _keys(terms(text, passage.locale))
        meant = _keys(_meant(text, passage.locale))
        for some, share in ((single, 1.0), (_pairs(single), 1.0), (meant, GLOSS_WEIGHT)):
            keys.append(some)
            weights.append(np.full(len(some), weight * share, np.float32))
            said.append(np.full(len(some), place == 0, np.uint8))
            pair.append(np.full(len(some), some is not single))
    found, first, inverse = np.unique(np.concatenate(keys), return_index=True, return_inverse=True)
    times = np.bincount(inverse, np.concatenate(said), minlength=len(found))
    written = f"{passage.title} {passage.section} {passage.text}".lower()
    return Entry(
        passage.locale[:2].lower(),
        found,
        np.bincount(inverse, np.concatenate(weights), minlength=len(found)).astype(np.float32),
        np.minimum(times, 255).astype(np.uint8),
        np.concatenate(pair)[first],
        tuple({_same(word) for word in _WORD.findall(written) if len(word) >= MIN_CORRECTED}),
    )


def _meant(text: str, locale: str) -> list[str]:
    """Return the terms of a Spanish text in English, so that both languages find each other."""
    return terms(gloss.translated(text)) if locale[:2].lower() == "es" else []


def _asked(query: str, locale: str) -> list[str]:
    """Return the query's terms as a shard of that language has them."""
    if locale == "en":
        return terms(gloss.english(query))
    own = terms(query, locale)
    return own + terms(gloss.english(query)) if locale == "es" else own


@lru_cache(maxsize=200_000)
def _same(word: str) -> str:
    """Return one object for equal words, so that a word is kept once and not once a passage."""
    return word


class LexicalIndex:
    """Scores every passage against a query; rows are in the order given at building."""

    def __init__(self, entries: Sequence[Entry], documents: Sequence[int] | None = None) -> None:
        """Build from one entry a passage and the number of its document (each its own by default)."""
        gloss.lexicon()  # read here, on the builder's thread, and not by the first search
        self._size = len(entries)
        numbers = np.asarray(range(len(entries)) if documents is None else documents, np.int64)
        by_locale: dict[str, list[int]] = {}
        for row, entry in enumerate(entries):
            by_locale.setdefault(entry.locale, []).append(row)
        self._shards = [
            shard_of(locale, rows, [entries[row] for row in rows], numbers[rows])
            for locale, rows in by_locale.items()
        ]

    def __len__(self) -> int:
        return self._size

    @property
    def locales(self) -> tuple[str, ...]:
        """The languages of the passages."""
        return tuple(shard.locale for shard in self._shards)

    def scores(self, query: str) -> Floats:
        """Return a score ≥ 0 per row, the query stemmed in each passage's language.

        BM25, but a query word counts by the root of its idf: in what customers write, names and
        asides are the rarest words. The longer the message, the more it counts as well whether
        a word comes in bursts (docs/decisions/0026).
        """
        scores = np.zeros(self._size, np.float32)
        power = 0.5 * min(1.0, len(query.split()) / STORY_WORDS)
        for shard in self._shards:
            at, weights = _weigh(shard, _asked(query, shard.locale), power)
            if not len(at):
                continue
            parts = [slice(shard.starts[each], shard.starts[each + 1]) for each in at]
            places = np.concatenate([shard.places[part] for part in parts])
            impacts = np.concatenate([shard.impacts[part] for part in parts])
            impacts *= np.repeat(weights, shard.starts[at + 1] - shard.starts[at])
            scores[shard.rows] = np.bincount(places, impacts, minlength=len(shard.rows))
        return scores

    def rarity(self, word_terms: Iterable[str], locale: str) -> Mapping[str, float]:
        """Return idf per term in that language's passages; an unknown term is as rare as can be."""
        wanted = list(word_terms)
        shard = next((each for each in self._shards if each.locale == locale[:2].lower()), None)
        if shard is None:
            return dict.fromkeys(wanted, 1.0)
        unknown = float(np.log1p(2 * len(shard.rows) + 1))
        at = shard.find(_keys(wanted))
        return {
            term: float(shard.idf[place]) if place >= 0 else unknown
            for term, place in zip(wanted, at, strict=True)
        }

    def respell(self, text: str) -> str:
        """Return the text with words that no passage has replaced by a near one that some have."""
        found = text
        spanish = gloss.is_spanish(text)
        for match in _WORD.finditer(text.lower()):
            word = match.group()
            if any(shard.spelling.knows(word) for shard in self._shards):
                continue
            if spanish and gloss.knows(word):
                continue
            near = next(filter(None, (shard.spelling.near(word) for shard in self._shards)), None)
            if near:
                pattern = rf"(?<![^\W_]){re.escape(word)}(?![^\W_])"
                found = re.sub(pattern, near, found, flags=re.IGNORECASE)
        return found


def _weigh(
    shard: Shard, words: Sequence[str], power: float
) -> tuple[npt.NDArray[np.int64], Floats]:
    """Return the places of the query's keys and their weights: BM25's k3 part, rarity, spread."""
    single = _keys(words)
    pairs = _pairs(single)
    at = shard.find(np.concatenate([single, pairs]))
    kind = np.repeat(np.array([1.0, PAIR_WEIGHT], np.float32), [len(single), len(pairs)])[at >= 0]
    found, first, times = np.unique(at[at >= 0], return_index=True, return_counts=True)
    weights = kind[first] * (1 + K3) * times / (K3 + times)
    spread = (shard.spread[found] + SPREAD_FLOOR) ** power
    return found, np.asarray(weights * spread / np.sqrt(shard.idf[found]), np.float32)
