"""What speaks for and against an answer: every unit of the best passages scored, and the figures of it.

Owns the features a decision is made of. Not here: the decision (knowledge/decision.py) and the
words of the answer (knowledge/extract.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.turns import Passage
from knowledge.encoder import Encoder
from knowledge.expects import expected, fit
from knowledge.lexical import LexicalIndex, terms
from knowledge.query import Query
from knowledge.retriever import Found
from knowledge.units import Unit, cut

READ_PASSAGES = 5
ENCODED_UNITS = 24
SUBJECT_WEIGHT = 0.5
COMMON_FLOOR = 0.4
LEANING_FLOOR = 0.8  # what little a leaning turn says is what it is about
SECTION_SHARE = 0.8  # what a word counts that stands in the heading and not in the sentence
TITLE_SHARE = 0.5
FIT = 0.1  # for being the kind of thing that was asked for: a duration, an amount, a place


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


@dataclass(frozen=True, slots=True)
class Evidence:
    """All units of the passages read, per passage in order, and the features of a decision."""

    units: tuple[tuple[ScoredUnit, ...], ...]
    asked: Mapping[str, float]
    features: Mapping[str, float]

    @property
    def best(self) -> ScoredUnit | None:
        """The unit that answers best."""
        flat = [each for units in self.units for each in units]
        return max(flat, key=lambda each: each.score, default=None)


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


async def gather(encoder: Encoder, found: Found) -> Evidence:
    """Score the units of the best passages. One encoder batch, some 50-100 ms when all is new."""
    passages = found.passages[:READ_PASSAGES]
    per_locale = {
        locale: asked_terms(found.query, found.index.lexical, locale)
        for locale in {passage.locale for passage in passages} or {"en"}
    }
    cuts = [cut(passage.text) for passage in passages]
    covers = [
        [_coverage(per_locale[passage.locale], passage, unit.text) for unit in units]
        for passage, units in zip(passages, cuts, strict=True)
    ]
    chosen = _to_encode(cuts, covers)
    vectors = (
        await encoder.encode(
            [_framed(passages[passage], cuts[passage][place]) for passage, place in chosen]
        )
    ).vectors
    similar = vectors @ found.vector
    cosines = {each: float(cosine) for each, cosine in zip(chosen, similar, strict=True)}
    wanted = expected(found.query.text)
    scored = tuple(
        tuple(
            _scored(
                unit,
                (number, place),
                cosines.get((number, place), 0.0),
                covers[number][place],
                FIT * fit(wanted, found.query.text, unit.text),
            )
            for place, unit in enumerate(units)
        )
        for number, units in enumerate(cuts)
    )
    main = per_locale[passages[0].locale] if passages else per_locale["en"]
    return Evidence(scored, main, _features(found, scored, main, per_locale))


def _scored(
    unit: Unit, at: tuple[int, int], cosine: float, coverage: float, fit: float
) -> ScoredUnit:
    score = 0.5 * max(cosine, 0.0) + 0.5 * coverage + fit
    return ScoredUnit(unit, at[0], at[1], cosine, coverage, min(score, 1.0))


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


def _coverage(asked: Mapping[str, float], passage: Passage, text: str) -> float:
    total = sum(asked.values())
    if not total:
        return 0.0
    inside = set(terms(text, passage.locale))
    headings = set(terms(passage.section, passage.locale))
    title = set(terms(passage.title, passage.locale))
    mass = sum(weight * _share(term, inside, headings, title) for term, weight in asked.items())
    return mass / total


def _share(term: str, inside: set[str], headings: set[str], title: set[str]) -> float:
    if term in inside:
        return 1.0
    if term in headings:
        return SECTION_SHARE
    return TITLE_SHARE if term in title else 0.0


def _features(
    found: Found,
    scored: Sequence[Sequence[ScoredUnit]],
    asked: Mapping[str, float],
    per_locale: Mapping[str, Mapping[str, float]],
) -> dict[str, float]:
    flat = [each for units in scored for each in units]
    passages = found.passages[:READ_PASSAGES]
    cosines = sorted((found.cosines[each.id] for each in passages), reverse=True)
    covers = [
        _coverage(per_locale[passage.locale], passage, passage.text) for passage in passages[:3]
    ]
    total = sum(asked.values())
    read: set[str] = set()
    for passage in passages:
        read.update(terms(f"{passage.title} {passage.section} {passage.text}", passage.locale))
    missing = {term: weight for term, weight in asked.items() if term not in read}
    scores = np.array([passage.score for passage in passages] or [0.0])
    return {
        "cosine": _at(cosines, 0),
        "cosine_gap": _at(cosines, 0) - _at(cosines, 4),
        "unit_cosine": max((each.cosine for each in flat), default=0.0),
        "unit_score": max((each.score for each in flat), default=0.0),
        "unit_cover": max((each.coverage for each in flat), default=0.0),
        "cover": max(covers, default=0.0),
        "missing": sum(missing.values()) / total if total else 1.0,
        "missing_worst": max(missing.values(), default=0.0)
        / max(max(asked.values(), default=1), 1e-9),
        "margin": float(scores[0] - scores[1:].mean()) if len(scores) > 1 else 0.0,
        "asked": float(np.log1p(len(asked))),
        "short": float(len(set(terms(found.query.last))) <= 2),
        "leans": float(found.query.leans),
        "leans_on_nothing": float(found.query.leans and not found.query.subject),
    }


def _at(values: Sequence[float], place: int) -> float:
    return values[min(place, len(values) - 1)] if values else 0.0


def documents(passages: Iterable[Passage]) -> list[str]:
    """Return the distinct documents, in order."""
    return list(dict.fromkeys(passage.document for passage in passages))
