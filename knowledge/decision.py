"""Answer, ask back or decline: the decision and how sure it is.

Owns the calibrated weights. The weights were fitted by logistic regression (classes balanced) on
MTRAG's development half (IBM, Apache-2.0) and our own handbook questions, by
`python -m benchmarks.retrieval --fit`; docs/decisions/0003-fusion.md shows the figures.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from core.turns import Passage
from knowledge.evidence import Evidence
from knowledge.lexical import terms
from knowledge.retriever import Found

Action = Literal["answer", "ask_back", "decline"]

# feature → (mean, deviation, weight)
WEIGHTS: Mapping[str, tuple[float, float, float]] = {
    "cosine": (0.5298, 0.1466, 0.274),
    "cosine_gap": (0.2294, 0.128, 0.356),
    "unit_cosine": (0.6149, 0.1527, 0.406),
    "unit_score": (0.5641, 0.1854, 0.38),
    "margin": (0.2237, 0.1388, 0.403),
}
INTERCEPT = 0.349
ANSWER_FROM = 0.40
ASK_FROM = 0.30  # below it nothing is near enough to offer as a choice
TIE = 0.9  # topics whose scores are nearer than this share are one choice
MAX_OPTIONS = 3
COVER_ELSEWHERE = 0.6  # share of what was asked that a passage in another language must contain


@dataclass(frozen=True, slots=True)
class Decided:
    """`confidence` is the probability in [0, 1] that the docs answer; `reasons` are codes."""

    action: Action
    confidence: float
    reasons: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


def confidence(features: Mapping[str, float]) -> float:
    """Return the probability that the passages answer the question."""
    total = INTERCEPT + sum(
        weight * (features[name] - mean) / deviation
        for name, (mean, deviation, weight) in WEIGHTS.items()
    )
    return 1.0 / (1.0 + math.exp(-total))


def decide(found: Found, evidence: Evidence) -> Decided:
    """Decide from what was found."""
    if not found.passages:
        return Decided("decline", 0.0, ("nothing_found",))
    sure = confidence(evidence.features)
    if not found.passages[0].locale.startswith("en"):
        # The encoder is English: elsewhere all cosines are high, so the words must carry the answer.
        sure *= min(1.0, evidence.features["cover"] / COVER_ELSEWHERE)
    sure = round(sure, 3)
    options = topics(found.passages)
    if is_empty(found):
        return Decided("ask_back", min(sure, 0.3), ("no_content",), ())
    if sure >= ANSWER_FROM:
        return Decided("answer", sure, ("docs_answer",))
    if sure >= ASK_FROM and len(options) > 1 and is_vague(found):
        return Decided("ask_back", sure, ("several_topics",), options)
    return Decided("decline", sure, ("docs_do_not_answer",))


def is_empty(found: Found) -> bool:
    """Tell whether the message has no content word and nothing earlier to lean on."""
    locales = found.index.lexical.locales or ("en",)
    wordless = not any(terms(found.query.last, locale) for locale in locales)
    return wordless and not found.query.subject


def is_vague(found: Found) -> bool:
    """Tell whether the message is too short to say what is meant."""
    return len(set(terms(found.query.last))) <= 2 and not found.query.subject


def topics(passages: Sequence[Passage]) -> tuple[str, ...]:
    """Return the titles of the topics that nearly tie with the first, at most three."""
    best = passages[0].score
    near = [each for each in passages if best and each.score / best >= TIE]
    near = near if len({each.document for each in near}) > 1 else list(passages[:5])
    titles = [_topic(each) for each in near]
    return tuple(dict.fromkeys(title for title in titles if title))[:MAX_OPTIONS]


def _topic(passage: Passage) -> str:
    heading = passage.section.rsplit(" › ", 1)[-1]
    if not heading:
        return passage.title
    return f"{passage.title}: {heading}" if passage.title else heading
