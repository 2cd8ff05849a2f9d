"""Answer, ask back or decline: the decision and how sure it is.

Owns two calibrated logistic models over the evidence: whether the docs answer, and whether the message
leaves open what it is about. Fitted on MTRAG's development half (IBM, Apache-2.0) and our own English and
Spanish questions (the half that is not held out) by `python -m benchmarks.deciding --fit`;
docs/decisions/0028-deciding.md shows the figures.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from core.turns import Passage
from knowledge.evidence import Evidence
from knowledge.lexical import terms
from knowledge.retriever import Found

Action = Literal["answer", "ask_back", "decline"]

Weights = Mapping[str, tuple[float, float, float]]  # feature → (mean, deviation, weight)

ANSWERS: Weights = {
    "cosine": (0.5066, 0.1471, 0.372),
    "unit_cosine": (0.5539, 0.1467, 0.471),
    "unit_both": (0.5162, 0.1874, 0.009),
    "entropy": (1.4069, 0.4403, -0.550),
    "unknown": (0.1259, 0.2051, -0.232),
}
ANSWERS_INTERCEPT = 0.6181
OPEN: Weights = {
    "head_docs": (0.0903, 0.2210, 0.311),
    "open_the": (0.2494, 0.4326, 0.489),
    "entropy": (1.4584, 0.4348, 1.093),
    "titles": (0.8118, 0.1773, 0.057),
    "unit_cosine": (0.5905, 0.1422, -0.529),
    "full_docs": (0.7169, 1.1505, -0.502),
    "few": (0.1517, 0.3587, 1.059),
    "few2": (0.1080, 0.3103, -0.193),
    "pron": (0.2879, 0.4528, 0.322),
    "pron_few": (0.0386, 0.1925, 0.437),
    "last_cos": (0.5016, 0.1560, 0.418),
    "cover": (0.6339, 0.2736, 0.522),
    "unknown": (0.0563, 0.1334, -0.600),
}
OPEN_INTERCEPT = -2.3369
ANSWER_FROM = 0.52
OPEN_FROM = 0.40
SURE = 0.85  # an answer this sure is given, however open the message is
NEAR = 0.10  # below it nothing is near enough to offer as a choice
TIE = 0.75  # passages whose scores are nearer than this share are one choice
MAX_OPTIONS = 3
COVER_ELSEWHERE = 0.6  # share of what was asked that a passage in another language must contain
READ = ("en", "es")  # what the encoder can read, Spanish by its lexicon
DOUBTED = 0.4  # the most an answer is worth that never names the code that is asked about

_CODE = re.compile(
    r"(?<![\w-])(?:[A-Z]{1,6}[-_]?\d{2,8}|0x[0-9A-Fa-f]{2,8})(?![\w-])"
    r"|(?i:\b(?:errors?|codes?|status|c[oó]digos?)) #?(\d{2,6})\b(?! (?:times|veces))"
)
_JOINTS = re.compile(r"[\s_-]+")
_OWN_NUMBER = re.compile(
    r"(?:order|invoice|ticket|case|booking|reference|request|account|ref|no|number|pedido|factura|reserva|caso)"
    r"\W*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Decided:
    """`confidence` is the probability in [0, 1] that the docs answer; `reasons` are codes."""

    action: Action
    confidence: float
    reasons: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


def confidence(features: Mapping[str, float]) -> float:
    """Return the probability that the passages answer the question."""
    return _logistic(features, ANSWERS, ANSWERS_INTERCEPT)


def left_open(features: Mapping[str, float]) -> float:
    """Return the probability that the message leaves open what it is about."""
    return _logistic(features, OPEN, OPEN_INTERCEPT)


def decide(found: Found, evidence: Evidence) -> Decided:
    """Decide from what was found."""
    if is_empty(found):
        return Decided("ask_back", 0.0, ("no_content",))
    if not found.passages:
        return Decided("decline", 0.0, ("nothing_found",))
    sure = confidence(evidence.features)
    if not found.passages[0].locale.startswith(READ):
        # The encoder is English: elsewhere all cosines are high, so the words must carry the answer.
        sure *= min(1.0, evidence.features["cover"] / COVER_ELSEWHERE)
    sure = round(sure, 3)
    if codes_missing(found.query.last, found.passages):
        return Decided("decline", min(sure, DOUBTED), ("code_not_in_docs",))
    if left_open(evidence.features) >= OPEN_FROM and NEAR <= sure < SURE:
        return Decided("ask_back", sure, ("left_open",), topics(found.passages))
    if sure >= ANSWER_FROM:
        return Decided("answer", sure, ("docs_answer",))
    return Decided("decline", sure, ("docs_do_not_answer",))


def is_empty(found: Found) -> bool:
    """Tell whether the message has no content word and nothing earlier to lean on."""
    locales = found.index.lexical.locales or ("en",)
    wordless = not any(terms(found.query.last, locale) for locale in locales)
    return wordless and not found.query.subject


def codes_missing(question: str, passages: Sequence[Passage]) -> tuple[str, ...]:
    """Return the codes that are asked about and stand in no passage read, such as an error's.

    A number of the customer's own (an order's, an invoice's) is none of these.
    """
    codes = {
        (match[1] or match[0]).lower()
        for match in _CODE.finditer(question)
        if not _OWN_NUMBER.search(question[: match.start()])
    }
    if not codes:
        return ()
    text = " ".join(f"{p.title} {p.section} {p.text} {p.document}" for p in passages)
    written = _JOINTS.sub("", text.lower())
    return tuple(sorted(code for code in codes if _JOINTS.sub("", code) not in written))


def topics(passages: Sequence[Passage]) -> tuple[str, ...]:
    """Return what the best passages are about, at most three different things, in few words.

    Passages of one page are told apart by their headings, those of several pages by their titles.
    """
    best = passages[0].score
    near = [each for each in passages if best and each.score / best >= TIE]
    if len({_name(each) for each in near}) < 2:
        near = list(passages[:5])
    many = len({each.title for each in near}) >= MAX_OPTIONS
    names = [each.title if many else _name(each) for each in near]
    options = tuple(dict.fromkeys(name for name in names if name))[:MAX_OPTIONS]
    return options if len(options) > 1 else ()


def _name(passage: Passage) -> str:
    return passage.section.rsplit(" › ", 1)[-1] or passage.title


def _logistic(features: Mapping[str, float], weights: Weights, intercept: float) -> float:
    total = intercept + sum(
        weight * (features[name] - mean) / deviation
        for name, (mean, deviation, weight) in weights.items()
    )
    return 1.0 / (1.0 + math.exp(-total))
