"""Linear heads over what one encoder pass and a look at the bare words give: kept as .npz, versioned.

Owns the file format and the arithmetic. Not here: how weights are found (knowledge/train.py), which heads
serve (knowledge/shelf.py) or what a score leads to (core, handlers).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import MisconfiguredError
from core.understanding import SafetyKind
from knowledge.grams import grams
from knowledge.tone import tones

Floats = npt.NDArray[np.float32]

# Heads that become a score of their own in `Understanding`.
HEAD_NAMES = (
    "anger",
    "abuse",
    "legal_threat",
    "cancel_intent",
    "urgency",
    "safety",
    "injection",
    "not_helped",
)
SENTIMENT, INJECTION = "sentiment", "injection"
# Which kind of danger, asked when `safety` says there is one.
KINDS: tuple[SafetyKind, ...] = ("self_harm", "threat", "danger")
# An instruction planted in somebody else's text; becomes part of `injection` (knowledge/planted.py).
PLANTED = "planted"
ALL_HEADS = (SENTIMENT, *HEAD_NAMES, *KINDS, PLANTED)
GRAM_WIDTH = 4096
# About five words; below, spelling counts less.
GRAM_LEAST = 10.0
LAYERS, TONE, GRAMS = "layers", "tone", "grams"


class Blocks:
    """What heads may look at for some texts, each block made once and only when a head asks for it."""

    def __init__(self, texts: Sequence[str], layers: Floats) -> None:
        """Keep texts and their layer means float32 [n, 4, 384]."""
        self._makers: Mapping[str, Callable[[], Floats]] = {
            LAYERS: lambda: flatten(layers),
            TONE: lambda: tones(texts),
            GRAMS: lambda: grams(texts, GRAM_WIDTH, (2, 3, 4, 5), GRAM_LEAST),
        }
        self._made: dict[str, Floats] = {}

    def take(self, names: Sequence[str]) -> Floats:
        """Return the blocks side by side, float32 [n, features]. Raises KeyError for an unknown one."""
        for name in names:
            if name not in self._made:
                self._made[name] = self._makers[name]()
        return np.hstack([self._made[name] for name in names])


@dataclass(frozen=True, slots=True)
class LinearHead:
    """One head: `weights` float32 [classes, features], `bias` float32 [classes], over the blocks it names.

    One class gives a probability by the logistic function, three (negative, neutral, positive) a mood.
    """

    weights: Floats
    bias: Floats
    blocks: tuple[str, ...] = (LAYERS,)
    version: str = "0"

    def score(self, features: Floats) -> Floats:
        """Return float32 [n] for features float32 [n, features]."""
        logits = features @ self.weights.T + self.bias
        if len(self.bias) == 1:
            return np.asarray(1 / (1 + np.exp(-np.clip(logits[:, 0], -30, 30))), np.float32)
        return mood_of(logits)

    def save(self, path: Path) -> None:
        """Write the weights: 6 kB a class, 16 kB more with spelling."""
        draft = path.with_suffix(".new.npz")
        np.savez_compressed(
            draft,
            weights=self.weights,
            bias=self.bias,
            blocks=np.array(self.blocks),
            version=np.array(self.version),
        )
        draft.replace(path)


def mood_of(logits: Floats) -> Floats:
    """Return moods float32 [n] in [-1, 1] for logits [n, 3] of negative, neutral, positive.

    The most likely class decides whether the mood is below -1/3, between, or above 1/3; how clearly it leads
    decides how far.
    """
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    low, middle, high = shares.T
    between = (high - low) / (3 * np.maximum(middle, 1e-9))
    above = 1 / 3 + 2 / 3 * (1 - np.maximum(middle, low) / np.maximum(high, 1e-9))
    below = -1 / 3 - 2 / 3 * (1 - np.maximum(middle, high) / np.maximum(low, 1e-9))
    outside = np.where(high >= low, above, below)
    neutral = (middle >= high) & (middle >= low)
    return np.asarray(np.clip(np.where(neutral, between, outside), -1, 1), np.float32)


def flatten(layers: Floats) -> Floats:
    """Return layer means float32 [n, 4, 384] as features float32 [n, 1536]."""
    return np.asarray(layers.reshape(len(layers), -1), np.float32)


def load_head(path: Path) -> LinearHead:
    """Read one head. Raises MisconfiguredError when the file is missing or not a head."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            head = LinearHead(
                np.asarray(stored["weights"], np.float32),
                np.asarray(stored["bias"], np.float32),
                tuple(stored["blocks"].tolist()),
                str(stored["version"]),
            )
    except (OSError, KeyError, ValueError, EOFError) as error:
        raise MisconfiguredError(f"head {path.name!r} cannot be read") from error
    if (
        head.weights.ndim != 2
        or len(head.weights) != len(head.bias)
        or len(head.bias) not in (1, 3)
    ):
        raise MisconfiguredError(f"head {path.name!r} has shape {head.weights.shape!r}")
    if not np.isfinite(head.weights).all() or not np.isfinite(head.bias).all():
        raise MisconfiguredError(f"head {path.name!r} holds what is no number")
    return head
