"""Postings: where each term stands in the passages of one language, and what it weighs there.

Owns the sparse arrays and their building from what was read of each passage. Knows no text.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge.spelling import Spelling

Floats = npt.NDArray[np.float32]
Keys = npt.NDArray[np.int64]

K1 = 1.2
B = 0.75
EVERY_PAIR_UP_TO = 10_000  # passages; in larger indexes a pair that only one has is left out


@dataclass(frozen=True, slots=True)
class Entry:
    """A passage read; keys are hashes of terms and of pairs, good within this process only.

    `keys` int64 [n], ascending; `counts` float32 [n], occurrences with title and headings by weight;
    `said` uint8 [n], occurrences in the text alone; `pair` bool [n]; `words` as they are written.
    """

    locale: str
    keys: Keys
    counts: Floats
    said: npt.NDArray[np.uint8]
    pair: npt.NDArray[np.bool_]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shard:
    """The passages of one language: postings in one flat pair of arrays, `starts` cutting it."""

    locale: str
    rows: npt.NDArray[np.int64]  # shard position → row of the whole index
    keys: Keys  # ascending
    starts: npt.NDArray[np.int64]  # [keys + 1]
    places: npt.NDArray[np.int32]
    impacts: Floats
    idf: Floats
    spread: Floats  # residual idf, ≥ 0
    spelling: Spelling

    def find(self, keys: Keys) -> npt.NDArray[np.int64]:
        """Return the place of each key in `keys`, -1 for one that is not there."""
        if not len(self.keys):
            return np.full(len(keys), -1, np.int64)
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[at] == keys, at, -1)


def shard_of(
    locale: str, rows: list[int], entries: Sequence[Entry], documents: npt.NDArray[np.int64]
) -> Shard:
    """Return the postings of one language; `documents` int64, the number of each entry's page."""
    sizes = [len(entry.keys) for entry in entries]
    keys = _joined([entry.keys for entry in entries], np.int64)
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    places = np.repeat(np.arange(len(entries), dtype=np.int32), sizes)[order]
    tf = _joined([entry.counts for entry in entries], np.float32)[order]
    said = _joined([entry.said for entry in entries], np.uint8)[order]
    pair = _joined([entry.pair for entry in entries], np.bool_)[order]
    lengths = np.array([float(entry.counts.sum()) for entry in entries], np.float32)
    norm = K1 * (1 - B + B * lengths / max(float(lengths.mean()), 1e-6))
    if len(entries) > EVERY_PAIR_UP_TO:
        alone = np.ones(len(keys), np.bool_)
        alone[1:] &= keys[1:] != keys[:-1]
        alone[:-1] &= keys[:-1] != keys[1:]
        keep = ~(pair & alone)
        keys, places, tf, said = keys[keep], places[keep], tf[keep], said[keep]
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]]) if len(keys) else np.zeros(0, int)
    ends = np.r_[starts, len(keys)]
    number = np.diff(ends)
    idf = np.log1p((len(rows) - number + 0.5) / (number + 0.5)).astype(np.float32)
    return Shard(
        locale=locale,
        rows=np.array(rows, np.int64),
        keys=keys[starts],
        starts=ends,
        places=places,
        impacts=np.repeat(idf, number) * tf * np.float32(K1 + 1) / (tf + norm[places]),
        idf=idf,
        spread=_spread(said, documents[places], starts, ends),
        spelling=Spelling(Counter(word for entry in entries for word in entry.words)),
    )


def _spread(
    said: npt.NDArray[np.uint8],
    documents: npt.NDArray[np.int64],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
) -> Floats:
    """Return residual idf per key: idf over documents less what chance would make of its number."""
    if not len(starts):
        return np.zeros(0, np.float32)
    # Passages of a document stand together, so a document begins where its number changes.
    new = np.r_[True, documents[1:] != documents[:-1]]
    new[starts] = True
    having = np.add.reduceat(new, starts, dtype=np.int64)
    total = len(np.unique(documents))
    mean = np.add.reduceat(said, starts, dtype=np.int64) / total
    expected = -np.log(np.maximum(1 - np.exp(-mean), 1e-9))
    spread: Floats = np.maximum(np.log(total / having) - expected, 0).astype(np.float32)
    return spread


def _joined(parts: Sequence[npt.NDArray[Any]], kind: type) -> npt.NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, kind)
