"""Which of some intents a message has, or none of these.

Owns the model made of example phrases, in seconds: softmax regression says which, and how near the
message comes to the phrases says whether it is any of them. The limit for that is found on the phrases
themselves (knowledge/intent_limit.py). Not here: which handler an intent leads to (handlers declare it),
whose phrases they are (knowledge/own_intents.py), or the vectors (encoder).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.understanding import Scored
from knowledge.grams import grams
from knowledge.softmax import Softmax, fit_softmax

Floats = npt.NDArray[np.float32]
Halves = npt.NDArray[np.float16]

NONE = ""
# Names by which phrases are marked as nobody's intent.
NONE_NAMES = frozenset({"", "none", "oos", "out_of_scope", "none_of_these"})
# Cosine from which a message is one of the phrases, whatever the rest says: a correction holds at once.
SAME_PHRASE = 0.97
STRENGTH = 30.0
ROUNDS = 40
LAYER_SHARE = 0.7
GRAM_SHARE = 0.7
GRAM_WIDTH = 512
PROJECTED = 256
# How the evidence adds up: cosine to the nearest centroid, to the nearest phrase, the winner's share.
CENTROID, PHRASE, SHARE = 0.5, 1.0, 1.0
# Steepness of the published score around the limit.
STEEP = 6.0
# A single class has no share to speak of; its limit stands for a cosine of about 0.6.
FEWEST_LIMIT = 0.6 * (CENTROID + PHRASE) + SHARE


def _projection() -> Floats:
    # RandomState's stream is frozen by numpy's promise, so a cached model fits for ever
    return np.asarray(
        np.random.RandomState(7).standard_normal((4 * 384, PROJECTED)) / 16, np.float32
    )


_PROJECTION = _projection()


def phrase_rows(vectors: Floats, layers: Floats) -> Halves:
    """Return float16 [n, 640]: unit vectors [n, 384] beside layer means [n, 4, 384], projected to 256."""
    flat = layers.reshape(len(layers), -1)
    return np.hstack([vectors, LAYER_SHARE * (flat @ _PROJECTION)]).astype(np.float16)


def intent_features(rows: Halves, texts: Sequence[str]) -> Floats:
    """Return float32 [n, 1152]: phrase rows beside hashed spelling."""
    return np.hstack([rows.astype(np.float32), GRAM_SHARE * grams(texts, GRAM_WIDTH)])


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a message's best class: its index, how near, and the nearest phrase's owner and cosine."""

    winner: int
    sum: float
    nearest: float
    owner: int


@dataclass(frozen=True, slots=True)
class IntentModel:
    """Softmax over classes with unit centroids [classes, 384] and phrases [n, 384]; class "" is none of these.

    `limit` is the evidence from which a message belongs to any class.
    """

    names: tuple[str, ...]
    softmax: Softmax
    centroids: Floats
    phrases: Floats
    owners: npt.NDArray[np.intp]
    limit: float

    @classmethod
    def fit(
        cls,
        names: Sequence[str],
        features: Floats,
        owners: npt.NDArray[np.intp],
        limit: float,
        rounds: int = ROUNDS,
    ) -> "IntentModel":
        """Fit on features [n, 1152] whose class is `owners` [n], an index into `names`."""
        vectors = np.ascontiguousarray(features[:, :384])
        centroids = np.zeros((len(names), 384), np.float32)
        np.add.at(centroids, owners, vectors)
        centroids /= np.linalg.norm(centroids, axis=1, keepdims=True) + 1e-9
        softmax = fit_softmax(features, owners, len(names), STRENGTH, rounds)
        return cls(tuple(names), softmax, centroids, vectors, owners, float(limit))

    def evidence(self, features: Floats) -> list[Evidence]:
        """Return the evidence for each row of features [n, 1152]."""
        vectors = features[:, :384]
        shares = self.softmax.shares(features)
        winners = shares.argmax(axis=1)
        centroid = (vectors @ self.centroids.T).max(axis=1)
        cosines = vectors @ self.phrases.T
        nearest = cosines.argmax(axis=1)
        rows = np.arange(len(features))
        sums = CENTROID * centroid + PHRASE * cosines[rows, nearest] + SHARE * shares[rows, winners]
        return [
            Evidence(int(w), float(s), float(c), int(o))
            for w, s, c, o in zip(
                winners, sums, cosines[rows, nearest], self.owners[nearest], strict=True
            )
        ]

    def predict(self, features: Floats) -> tuple[Scored | None, float]:
        """Return the intent of one row of features [1152], or None of these, and the nearest phrase's cosine.

        The score is at least 0.5 for what is recognised.
        """
        found = self.evidence(features[None, :])[0]
        if found.nearest >= SAME_PHRASE:
            name, score = self.names[found.owner], 0.99
        else:
            name = self.names[found.winner]
            score = float(1 / (1 + np.exp(-STEEP * (found.sum - self.limit))))
        if name == NONE or score < 0.5:
            return None, found.nearest
        return Scored(name, round(score, 4)), found.nearest

    def save(self, path: Path) -> None:
        """Write the model; nothing of the phrases' texts is in it."""
        draft = path.with_suffix(".new.npz")
        np.savez(
            draft,
            names=np.array(self.names),
            weights=self.softmax.weights,
            bias=self.softmax.bias,
            centroids=self.centroids,
            phrases=self.phrases.astype(np.float16),
            owners=self.owners,
            limit=np.array(self.limit),
        )
        draft.replace(path)

    @classmethod
    def load(cls, path: Path) -> "IntentModel":
        """Read what `save` wrote. Raises OSError, KeyError or ValueError when that is not there or broken."""
        with np.load(path, allow_pickle=False) as kept:
            return cls(
                tuple(kept["names"].tolist()),
                Softmax(kept["weights"], kept["bias"]),
                kept["centroids"],
                kept["phrases"].astype(np.float32),
                kept["owners"].astype(np.intp),
                float(kept["limit"]),
            )


def is_none(name: str) -> bool:
    """Return whether an intent's name says that there is none."""
    return name.strip().lower() in NONE_NAMES


def merged(*sources: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return intent → phrases of all sources, each phrase once."""
    found: dict[str, dict[str, None]] = {}
    for source in sources:
        for name, phrases in source.items():
            found.setdefault(name, {}).update(dict.fromkeys(phrases))
    return {name: list(phrases) for name, phrases in found.items()}
