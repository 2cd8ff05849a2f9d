"""How well one sentence, step, item or table row answers: a few figures and their weights.

Owns the features of a unit and the logistic regression over them. The weights were fitted on our own
handbook questions (the half that is not held out) by `python -m benchmarks.deciding --fit`;
docs/decisions/0028-deciding.md shows the figures. Not here: which passages are read (evidence.py).
"""

import math
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from core.turns import Passage
from knowledge import gloss
from knowledge.asks import Ask
from knowledge.expects import Kind, fit, points_elsewhere, says_yes_or_no
from knowledge.lexical import terms
from knowledge.units import Unit

# feature → weight, on the features' own scale
WEIGHTS: Mapping[str, float] = {
    "cosine": 3.491,
    "coverage": 0.661,
    "both": 2.394,
    "passage": 4.233,
    "fit": 0.506,
    "points": -1.0,
    "verdict": 0.796,
    "listed": 1.93,
    "asked_step": 1.329,
    "step": -0.079,
    "row": -0.028,
    "code": -0.5,
    "words": 2.655,
}
INTERCEPT = -6.732
SECTION_SHARE = 0.8  # what a word counts that stands in the heading and not in the sentence
TITLE_SHARE = 0.5
LONG = 40  # words


# The words of a question, each as all that it may mean, with how much it matters.
Meant = Sequence[tuple[Set[str], float]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What units are measured against. `weights`: locale → term → how much it matters.

    `meant`: locale → the question's words read in English; empty where nothing is Spanish.
    """

    text: str
    ask: Ask
    kind: Kind
    weights: Mapping[str, Mapping[str, float]]
    meant: Mapping[str, Meant] = field(default_factory=dict)


def coverage(asked: Asked, passage: Passage, text: str) -> float:
    """Return in [0, 1] the share of what was asked that a text with its headings contains.

    Where question or passage is Spanish, both are also compared in English, and the better counts.
    """
    fields = (text, passage.section, passage.title)
    said = [({term}, weight) for term, weight in asked.weights[passage.locale].items()]
    own = _covered(said, fields, passage.locale)
    meant = asked.meant.get(passage.locale)
    if not meant:
        return own
    read = fields if passage.locale[:2].lower() != "es" else tuple(map(gloss.translated, fields))
    return max(own, _covered(meant, read, "en"))


def _covered(asked: Iterable[tuple[Set[str], float]], fields: Sequence[str], locale: str) -> float:
    inside, headings, title = (set(terms(each, locale)) for each in fields)
    total = mass = 0.0
    for words, weight in asked:
        total += weight
        mass += weight * max(_share(word, inside, headings, title) for word in words)
    return mass / total if total else 0.0


def _share(term: str, inside: set[str], headings: set[str], title: set[str]) -> float:
    if term in inside:
        return 1.0
    if term in headings:
        return SECTION_SHARE
    return TITLE_SHARE if term in title else 0.0


def features(
    asked: Asked, passage: Passage, units: Sequence[Unit], place: int, cosine: float, covered: float
) -> dict[str, float]:
    """Return the figures of one unit; `cosine` in [-1, 1] with the query, `covered` in [0, 1]."""
    unit = units[place]
    heading = set(terms(passage.section.rsplit(" › ", 1)[-1] or passage.title, passage.locale))
    lists = unit.kind in ("item", "row", "step")
    near = max(cosine, 0.0)
    return {
        "cosine": near,
        "coverage": covered,
        "both": near * covered,
        "passage": passage.score,
        "fit": fit(asked.kind, asked.text, unit.text),
        "points": float(points_elsewhere(unit.text)),
        "verdict": float(asked.ask.yes_no and says_yes_or_no(unit.text)),
        "listed": float(bool(asked.ask.listed) and lists and asked.ask.listed[-1] in heading),
        "asked_step": float(unit.kind == "step" and asked.ask.steps),
        "step": float(unit.kind == "step"),
        "row": float(unit.kind == "row"),
        "code": float(unit.kind == "code"),
        "words": min(len(unit.text.split()), LONG) / LONG,
    }


def score(figures: Mapping[str, float]) -> float:
    """Return in [0, 1] how likely it is that a unit with these features answers."""
    total = INTERCEPT + sum(weight * figures[name] for name, weight in WEIGHTS.items())
    return 1.0 / (1.0 + math.exp(-total))
