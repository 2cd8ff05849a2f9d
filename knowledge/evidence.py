"""What speaks for and against an answer: every unit of the best passages scored, and the figures of it.

Owns which passages are read, the vectors of their units, and the features a decision is made of.
Not here: a unit's score (knowledge/ranking.py), the decision (knowledge/decision.py), the words of
the answer (knowledge/extract.py).
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from core.turns import Passage
from core.understanding import Said
from knowledge import gloss
from knowledge.asks import Ask, read_ask
from knowledge.encoder import Encoder
from knowledge.expects import expected
from knowledge.lexical import LexicalIndex, terms
from knowledge.openness import openness
from knowledge.query import Query
from knowledge.ranking import Asked, Meant, coverage, features, score
from knowledge.retriever import Found
from knowledge.units import Unit, cut

Floats = npt.NDArray[np.float32]

SEARCHED_PASSAGES = 24
READ_PASSAGES = 8
FIGURED_PASSAGES = 5  # of which the features speak
ENCODED_UNITS = 40
SUBJECT_WEIGHT = 0.5
COMMON_FLOOR = 0.4
LEANING_FLOOR = 0.8  # what little a leaning turn says is what it is about
KEPT_VECTORS = 20_000  # of 768 B: 15 MB


@dataclass(frozen=True, slots=True)
class ScoredUnit:
    """A unit with how well it answers. `passage` counts in `Found.passages`, `place` in its units.

    `cosine` in [-1, 1]; `coverage`, `score` in [0, 1]: `coverage` is the share of what was asked,
    by rarity of the words, that the unit and its headings contain.
    """

    unit: Unit
    passage: int
    place: int
    cosine: float
    coverage: float
    score: float
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Evidence:
    """All units of the passages read, per passage in order, and the features of a decision."""

    units: tuple[tuple[ScoredUnit, ...], ...]
    ask: Ask
    features: Mapping[str, float]

    @property
    def best(self) -> ScoredUnit | None:
        """The unit that answers best."""
        flat = [each for units in self.units for each in units]
        return max(flat, key=lambda each: each.score, default=None)


class UnitVectors:
    """Vectors of units, the most used ones kept: the same passages answer again and again."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._kept: OrderedDict[str, npt.NDArray[np.float16]] = OrderedDict()

    async def of(self, texts: Sequence[str]) -> Floats:
        """Return float32 [n, 384]; what is not kept costs one batch of the encoder."""
        missing = [text for text in dict.fromkeys(texts) if text not in self._kept]
        if missing:
            vectors = (await self._encoder.encode(missing)).vectors
            self._kept.update(zip(missing, vectors.astype(np.float16), strict=True))
        for text in texts:
            self._kept.move_to_end(text)
        found = np.array([self._kept[text] for text in texts], np.float32).reshape(len(texts), -1)
        while len(self._kept) > KEPT_VECTORS:
            self._kept.popitem(last=False)
        return found


def nearest(found: Found) -> Found:
    """Return what was found with the passages that score best alone.

    A search varies its pages for a reader of lists; an answer is best where the scores are.
    """
    best = sorted(found.passages, key=lambda each: -each.score)[:READ_PASSAGES]
    return replace(found, passages=tuple(best))


def asked_terms(query: Query, index: LexicalIndex, locale: str) -> dict[str, float]:
    """Return term → weight: how rare it is, less when it comes from the earlier turn leant on.

    Frequent words keep a floor: they are often what tells one answer from its neighbour ("Pro").
    """
    own = dict(index.rarity(terms(query.last, locale), locale))
    floor = COMMON_FLOOR * max(own.values(), default=0.0)
    weights = {term: max(rarity, floor) for term, rarity in own.items()}
    if query.leans and query.subject:
        before = index.rarity(terms(query.subject, locale), locale)
        top = max(before.values(), default=0.0)
        weights = {term: max(weight, LEANING_FLOOR * top) for term, weight in weights.items()}
        for term, rarity in before.items():
            weights.setdefault(term, SUBJECT_WEIGHT * max(rarity, COMMON_FLOOR * top))
    return weights


def meant_terms(query: Query, index: LexicalIndex, locale: str) -> Meant:
    """Return the question's words in English, each as all that it may mean, with how rare they are.

    Empty where neither the question nor the docs are Spanish.
    """
    if locale[:2].lower() != "es" and not gloss.is_spanish(query.last):
        return ()
    found: list[tuple[frozenset[str], float]] = []
    for share, text in ((1.0, query.last), (SUBJECT_WEIGHT, query.subject if query.leans else "")):
        meanings = {frozenset(terms(word)) for word in gloss.readings(text)}
        for meaning in sorted(filter(None, meanings), key=sorted):
            rarity = index.rarity(meaning, locale)
            found.append((meaning, share * min(rarity.values())))
    top = max((weight for _, weight in found), default=0.0)
    return tuple((meaning, max(weight, COMMON_FLOOR * top)) for meaning, weight in found)


async def gather(vectors: UnitVectors, found: Found, talk: Sequence[Said] = ()) -> Evidence:
    """Score the units of the passages of `nearest`; what is new to `vectors` costs one encoder batch."""
    passages = found.passages
    locales = {passage.locale for passage in passages} or {"en"}
    asked = Asked(
        text=found.query.text,
        ask=read_ask(found.query.last),
        kind=expected(found.query.text),
        weights={each: asked_terms(found.query, found.index.lexical, each) for each in locales},
        meant={each: meant_terms(found.query, found.index.lexical, each) for each in locales},
    )
    cuts = [cut(passage.text) for passage in passages]
    covers = [
        [coverage(asked, passage, unit.text) for unit in units]
        for passage, units in zip(passages, cuts, strict=True)
    ]
    chosen = _to_encode(cuts, covers)
    texts = [_framed(passages[passage], cuts[passage][place]) for passage, place in chosen]
    encoded = await vectors.of([found.query.last, *texts])
    similar = encoded[1:] @ found.vector
    cosines = {each: float(cosine) for each, cosine in zip(chosen, similar, strict=True)}
    scored: list[tuple[ScoredUnit, ...]] = []
    for number, units in enumerate(cuts):
        row = []
        for place, unit in enumerate(units):
            cosine, covered = cosines.get((number, place), 0.0), covers[number][place]
            figures = features(asked, passages[number], units, place, cosine, covered)
            row.append(ScoredUnit(unit, number, place, cosine, covered, score(figures), figures))
        scored.append(tuple(row))
    return Evidence(
        tuple(scored),
        asked.ask,
        {
            **_features(found, scored, asked),
            **openness(found, talk, _last_cosine(found, encoded[0])),
        },
    )


def _last_cosine(found: Found, last: Floats) -> float:
    """Return the best passage's cosine with the last turn alone; 0 where vectors are not in memory."""
    index = found.index
    if index.matrix is None or not found.passages:
        return max(found.cosines.values(), default=0.0)
    rows = [index.rows[each.id] for each in found.passages]
    return float((index.matrix[rows] @ last).max())


def _framed(passage: Passage, unit: Unit) -> str:
    heading = passage.section.rsplit(" › ", 1)[-1] or passage.title
    return f"{heading}. {unit.text}" if heading else unit.text


def _to_encode(
    cuts: Sequence[Sequence[Unit]], covers: Sequence[Sequence[float]]
) -> list[tuple[int, int]]:
    """Return (passage, place) of the units worth encoding: those that share words, early ones first."""
    places = [(number, place) for number, units in enumerate(cuts) for place in range(len(units))]
    ranked = sorted(places, key=lambda at: (at[0] * 0.05 - covers[at[0]][at[1]], at))
    return sorted(ranked[:ENCODED_UNITS])


def _features(
    found: Found, scored: Sequence[Sequence[ScoredUnit]], asked: Asked
) -> dict[str, float]:
    flat = [each for units in scored[:FIGURED_PASSAGES] for each in units]
    passages = found.passages[:FIGURED_PASSAGES]
    cosines = [found.cosines[each.id] for each in passages]
    covers = [coverage(asked, passage, passage.text) for passage in passages[:3]]
    return {
        "cosine": max(cosines, default=0.0),
        "unit_cosine": max((each.cosine for each in flat), default=0.0),
        "unit_both": max(
            (0.5 * max(each.cosine, 0) + 0.5 * each.coverage for each in flat), default=0.0
        ),
        "cover": max(covers, default=0.0),
    }
