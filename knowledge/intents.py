"""Which of a tenant's intents a message has, or none of these.

Owns the small model trained from example phrases: nearest class centroid, checked by a logistic regression
and by phrases that are nobody's intent. Fits in well under a second. Not here: which handler an intent leads
to (handlers declare it), or the vectors (encoder).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from core.understanding import Scored

Floats = npt.NDArray[np.float32]

NONE = ""
# Cosine to the nearest centroid under which nothing is recognised, and how far it must lead the next class.
NEAREST = 0.42
MARGIN = 0.04
# Cosine to the single nearest phrase that is enough by itself.
SAME_PHRASE = 0.86
SURE = 0.5


@dataclass(frozen=True, slots=True)
class IntentModel:
    """Centroids float32 [classes, 384] with a linear check over the same classes; class "" is none of these."""

    names: tuple[str, ...]
    centroids: Floats
    phrases: Floats
    owners: npt.NDArray[np.intp]
    weights: Floats
    bias: Floats

    @classmethod
    def fit(cls, phrases: Mapping[str, Floats], none: Floats | None = None) -> "IntentModel | None":
        """Return a model from intent → unit vectors float32 [n, 384]; None with no phrases at all.

        `none` are vectors of phrases that belong to no intent.
        """
        known = {name: rows for name, rows in phrases.items() if len(rows)}
        if not known:
            return None
        if none is not None and len(none):
            known[NONE] = none
        names = tuple(known)
        rows = np.concatenate([known[name] for name in names]).astype(np.float32)
        owners = np.repeat(np.arange(len(names)), [len(known[name]) for name in names])
        centroids = np.stack([known[name].mean(axis=0) for name in names]).astype(np.float32)
        centroids /= np.linalg.norm(centroids, axis=1, keepdims=True) + 1e-9
        if len(names) == 1:
            zeros = np.zeros((1, rows.shape[1]), np.float32)
            return cls(names, centroids, rows, owners, zeros, np.zeros(1, np.float32))
        model = LogisticRegression(C=30.0, class_weight="balanced", max_iter=500)
        model.fit(rows, owners)
        weights, bias = model.coef_, model.intercept_
        if len(names) == 2:
            weights, bias = np.vstack([-weights, weights]), np.array([-bias[0], bias[0]])
        return cls(
            names, centroids, rows, owners, weights.astype(np.float32), bias.astype(np.float32)
        )

    def predict(self, vector: Floats) -> Scored | None:
        """Return the intent of a unit vector float32 [384] with a score in [0, 1], or None of these."""
        return self.explain(vector)[0]

    def explain(self, vector: Floats) -> tuple[Scored | None, tuple[Scored, ...]]:
        """Return the decision and every intent's cosine, nearest first."""
        near = self.phrases @ vector
        best_phrase = np.full(len(self.names), -1.0, np.float32)
        np.maximum.at(best_phrase, self.owners, near)
        # A class of unlike phrases has a centroid near nothing; its nearest phrase speaks for it too.
        cosines = 0.5 * (self.centroids @ vector) + 0.5 * best_phrase
        logits = self.weights @ vector + self.bias
        shares = np.exp(logits - logits.max())
        shares /= shares.sum()
        ranked = tuple(
            Scored(self.names[i], round(float(np.clip(cosines[i], 0, 1)), 4))
            for i in np.argsort(-cosines)
            if self.names[i] != NONE
        )
        winner = int(np.argmax(cosines + 0.5 * shares))
        name = self.names[winner]
        if name == NONE or not self._clear(winner, cosines, best_phrase, shares):
            return None, ranked
        return Scored(name, round(float(np.clip(cosines[winner], 0, 1)), 4)), ranked

    def _clear(self, winner: int, cosines: Floats, best_phrase: Floats, shares: Floats) -> bool:
        """Return whether the winner is near enough and ahead of the others."""
        if best_phrase[winner] >= SAME_PHRASE:
            return True
        others = np.delete(cosines, winner)
        lead = float(cosines[winner] - others.max()) if len(others) else 1.0
        near = float(cosines[winner]) >= NEAREST
        return near and (lead >= MARGIN or float(shares[winner]) >= SURE)


def merged(*sources: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return intent → phrases of all sources, each phrase once."""
    found: dict[str, dict[str, None]] = {}
    for source in sources:
        for name, phrases in source.items():
            found.setdefault(name, {}).update(dict.fromkeys(phrases))
    return {name: list(phrases) for name, phrases in found.items()}
