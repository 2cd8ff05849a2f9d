"""How far sources support a text: sentence by sentence, the weakest one decides.

Owns a first grounding score without a model: what is said must be near some source sentence, its
rare words and every number and name must occur there, and it must not negate what the source
affirms. Not here: what happens with a text that is not supported (guardrails).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.encoder import Encoder
from knowledge.lexical import terms
from knowledge.units import cut

MAX_CLAIMS = 30
MAX_SOURCE_UNITS = 120
NEAREST = 3  # source sentences a claim may draw on together

_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_NAME = re.compile(r"(?<![.!?:]\s)(?<!^)\b[A-ZÀ-Þ][\w’'-]+")
_MARKER = re.compile(r"\s*\[\d+\]")
_NEGATION = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|neither|nor|without|cannot|unable|n't|refus\w+|den(?:y|ied"
    r"|ies)|declin\w+|fail\w*|nunca|jamás|ningun\w*|sin)\b|n't\b|n’t\b",
    re.IGNORECASE,
)
_NUMBER_WORDS = {
    word: str(value)
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve".split()  # noqa: SIM905
    )
}


@dataclass(frozen=True, slots=True)
class _Source:
    text: str
    terms: frozenset[str]
    numbers: frozenset[str]
    negated: bool


async def support(encoder: Encoder, text: str, sources: Sequence[str]) -> float:
    """Return in [0, 1] how far the sources support the text; 1.0 for a text that claims nothing."""
    claims = [unit.text for unit in cut(_MARKER.sub("", text)) if terms(unit.text)][:MAX_CLAIMS]
    if not claims:
        return 1.0
    units = [unit.text for source in sources for unit in cut(source)][:MAX_SOURCE_UNITS]
    if not units:
        return 0.0
    known = [_source(unit) for unit in units]
    everywhere = _source(" ".join(sources))
    claimed = (await encoder.encode(claims)).vectors
    near = claimed @ (await encoder.encode(units)).vectors.T
    return min(_claim(claim, near[row], known, everywhere) for row, claim in enumerate(claims))


def _claim(claim: str, near: np.ndarray, known: Sequence[_Source], everywhere: _Source) -> float:
    own = _source(claim)
    covers = np.array([_covered(own.terms, source.terms) for source in known])
    joint = 0.5 * np.clip(near, 0, 1) + 0.5 * covers
    top = np.argsort(-joint)[:NEAREST]
    drawn = frozenset().union(*(known[row].terms for row in top))
    cover = _covered(own.terms, drawn)
    score = 0.45 * float(near[top].max()) + 0.55 * cover
    score *= 0.5 ** len(own.numbers - everywhere.numbers)
    score *= 0.75 ** len(_names(claim) - everywhere.terms)
    if own.negated != known[top[0]].negated:
        score *= 0.85
    return float(np.clip(score, 0.0, 1.0))


def _source(text: str) -> _Source:
    return _Source(text, frozenset(terms(text)), _numbers(text), bool(_NEGATION.search(text)))


def _numbers(text: str) -> frozenset[str]:
    written = {number.replace(",", "").rstrip(".:") for number in _NUMBER.findall(text)}
    words = {_NUMBER_WORDS[word] for word in text.lower().split() if word in _NUMBER_WORDS}
    return frozenset(written | words)


def _names(text: str) -> frozenset[str]:
    return frozenset(term for name in _NAME.findall(text) for term in terms(name))


def _covered(asked: frozenset[str], inside: frozenset[str]) -> float:
    return len(asked & inside) / len(asked) if asked else 1.0
