"""Linear heads over the encoder's layer means: a few thousand numbers each, kept as .npz.

Owns the file format and the arithmetic. Not here: how weights are found (knowledge/train.py) or what a
score leads to (core, handlers).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import MisconfiguredError

Floats = npt.NDArray[np.float32]

HEAD_NAMES = (
    "anger",
    "abuse",
    "legal_threat",
    "cancel_intent",
    "safety",
    "injection",
    "not_helped",
)
SENTIMENT = "sentiment"


@dataclass(frozen=True, slots=True)
class LinearHead:
    """One head: `weights` float32 [classes, features], `bias` float32 [classes].

    One class gives a probability by the logistic function; three (negative, neutral, positive) give
    positive minus negative, in [-1, 1].
    """

    weights: Floats
    bias: Floats

    def score(self, features: Floats) -> Floats:
        """Return float32 [n] for features float32 [n, features]."""
        logits = features @ self.weights.T + self.bias
        if len(self.bias) == 1:
            return np.asarray(1 / (1 + np.exp(-np.clip(logits[:, 0], -30, 30))), np.float32)
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        return np.asarray(shares[:, 2] - shares[:, 0], np.float32)

    def save(self, path: Path) -> None:
        """Write the weights, about 6 kB a class."""
        np.savez_compressed(path, weights=self.weights, bias=self.bias)


def flatten(layers: Floats) -> Floats:
    """Return layer means float32 [n, 4, 384] as features float32 [n, 1536]."""
    return np.asarray(layers.reshape(len(layers), -1), np.float32)


def load_head(path: Path) -> LinearHead:
    """Read one head. Raises MisconfiguredError when the file is missing or not a head."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            weights = np.asarray(stored["weights"], np.float32)
            bias = np.asarray(stored["bias"], np.float32)
    except (OSError, KeyError, ValueError) as error:
        raise MisconfiguredError(f"head {path.name!r} cannot be read") from error
    if weights.ndim != 2 or len(weights) != len(bias) or len(bias) not in (1, 3):
        raise MisconfiguredError(f"head {path.name!r} has shape {weights.shape!r}")
    return LinearHead(weights, bias)


def load_heads(folder: Path) -> dict[str, LinearHead]:
    """Return name → head for sentiment and every yes/no head. Raises MisconfiguredError."""
    return {name: load_head(folder / f"{name}.npz") for name in (SENTIMENT, *HEAD_NAMES)}
