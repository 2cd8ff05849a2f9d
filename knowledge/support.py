"""How far sources support a text: what in them speaks against it, and whether they are about it at all.

Owns the grounding score without a model. Not here: the signs themselves (knowledge/claims.py), how the
weights were found (knowledge/train_grounding.py), what happens with an unsupported text (guardrails).
"""

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from knowledge.claims import SIGNS, read, signs
from knowledge.encoder import Encoder
from knowledge.lexical import terms
from knowledge.units import cut

WEIGHTS = Path(__file__).parent / "grounding" / "weights.json"
MAX_CLAIMS = 30
MAX_SOURCE_UNITS = 120
NEAREST = 3  # source sentences a claim may draw on together
FEATURES = (*SIGNS, "distance", "uncovered")

Floats = npt.NDArray[np.float64]

_MARKER = re.compile(r"\s*\[\d+\]")


@dataclass(frozen=True, slots=True)
class Weights:
    """A logistic model over FEATURES; no sign can raise the score but `reworded`."""

    bias: float
    weights: Floats

    def score(self, features: Floats) -> float:
        """Return the probability that a text with these features is supported."""
        return float(1 / (1 + np.exp(-np.clip(self.bias + features @ self.weights, -30, 30))))


@lru_cache(maxsize=1)
def shipped() -> Weights:
    """Return the trained weights; the file is read once. Blocking."""
    stored = json.loads(WEIGHTS.read_text("utf-8"))
    return Weights(
        float(stored["bias"]),
        np.array([float(stored["weights"][name]) for name in FEATURES], np.float64),
    )


async def support(encoder: Encoder, text: str, sources: Sequence[str]) -> float:
    """Return in [0, 1] how far the sources support the text; 1.0 for a text that claims nothing."""
    found = await features(encoder, text, sources)
    if found is None:
        return 1.0
    weights = await asyncio.to_thread(shipped)
    return weights.score(found) if len(found) else 0.0


async def features(encoder: Encoder, text: str, sources: Sequence[str]) -> Floats | None:
    """Return FEATURES of a text against its sources: None without a claim, empty without a source."""
    claims = [unit.text for unit in cut(_MARKER.sub("", text)) if terms(unit.text)][:MAX_CLAIMS]
    if not claims:
        return None
    units = [unit.text for source in sources for unit in cut(source)][:MAX_SOURCE_UNITS]
    if not units:
        return np.zeros(0)
    encoded = (await encoder.encode([*claims, *units])).vectors
    cosines = encoded[: len(claims)] @ encoded[len(claims) :].T
    return await asyncio.to_thread(_compared, claims, units, cosines)


def _compared(
    claims: Sequence[str], units: Sequence[str], cosines: npt.NDArray[np.float32]
) -> Floats:
    """Return FEATURES: signs summed over the claims, the worst of their distances. Blocking, once."""
    known = [read(unit) for unit in units]
    counts = np.zeros(len(SIGNS))
    farthest = uncovered = 0.0
    for row, claim in enumerate(claims):
        own = frozenset(terms(claim))
        covers = np.array([len(own & one.stems) / len(own) for one in known])
        top = np.argsort(-(0.5 * np.clip(cosines[row], 0, 1) + 0.5 * covers))[:NEAREST]
        counts += signs(claim, [units[at] for at in top], known)
        drawn: frozenset[str] = frozenset().union(*(known[at].stems for at in top))
        farthest = max(farthest, 1 - float(cosines[row, top].max()))
        uncovered = max(uncovered, 1 - len(own & drawn) / len(own))
    caps = np.array(list(SIGNS.values()), np.float64)
    return np.concatenate([np.minimum(counts, caps), [farthest, uncovered]])
