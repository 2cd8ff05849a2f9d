"""Train the grounding score: `python -m knowledge.train_grounding --data ../shared/data`.

Reads SummEdits (Laban et al. 2023, Apache-2.0; its texts are not in this repository) and our own pairs, and
writes knowledge/grounding/weights.json with the figures reached on documents it was not trained on.
"""

import argparse
import asyncio
import json
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import yaml
from scipy.optimize import minimize
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import GroupKFold

from knowledge.encoder import Encoder, EncoderSettings
from knowledge.support import FEATURES, WEIGHTS, Weights, features

Floats = npt.NDArray[np.float64]

PAIRS = WEIGHTS.with_name("pairs.yaml")
RAISES = frozenset(
    {"reworded"}
)  # the one sign that speaks for a text; all others may only lower it
FOLDS = 16
RIDGE = 0.001
SHARE_OWN, SHARE_FOREIGN = 0.4, 0.15  # beside the edits' 1.0


@dataclass(frozen=True, slots=True)
class _Rows:
    """Features float [n, features], gold [n], the document each belongs to [n], and a weight each."""

    features: Floats
    gold: npt.NDArray[np.int64]
    group: npt.NDArray[np.int64]
    weight: Floats

    def of(self, rows: npt.NDArray[np.bool_]) -> "_Rows":
        return _Rows(self.features[rows], self.gold[rows], self.group[rows], self.weight[rows])


def fit(rows: _Rows) -> Weights:
    """Return the ridge-regularised logistic weights, the signs of the coefficients held."""
    scale = rows.features.std(axis=0) + 1e-6
    scaled = rows.features / scale
    sign = np.where(rows.gold == 1, 1.0, -1.0)
    weight = rows.weight / rows.weight.sum()

    def loss(point: Floats) -> tuple[float, Floats]:
        logits = sign * (point[0] + scaled @ point[1:])
        pull = -weight * sign / (1 + np.exp(logits))
        ridge = RIDGE * float((point[1:] ** 2).sum())
        slope = np.concatenate([[pull.sum()], scaled.T @ pull + 2 * RIDGE * point[1:]])
        return float((weight * np.logaddexp(0, -logits)).sum()) + ridge, slope

    bounds = [(None, None), *((0, None) if n in RAISES else (None, 0) for n in FEATURES)]
    start = np.zeros(len(FEATURES) + 1)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return Weights(float(found[0]), found[1:] / scale)


async def gather(data: Path, cache: Path) -> tuple[_Rows, _Rows]:
    """Return (edits, own and foreign): foreign are summaries beside another document, never supported."""
    encoder = Encoder(EncoderSettings(cache_dir=cache))
    lines = (data / "grounding" / "edits.dev.jsonl").read_text("utf-8").splitlines()
    raw = [(r["input"]["document"], r["input"]["reply"], r["gold"]) for r in map(json.loads, lines)]
    groups = {document: at for at, document in enumerate(dict.fromkeys(r[0] for r in raw))}
    edits = await _rows(encoder, raw, [groups[r[0]] for r in raw], 1.0)
    own = [
        (pair["source"], claim, int(kind == "supported"))
        for pair in yaml.safe_load(PAIRS.read_text("utf-8"))
        for kind in ("supported", "unsupported")
        for claim in pair[kind]
    ]
    pick = random.Random(7)  # noqa: S311 - not a secret
    foreign = [
        (pick.choice([other for other in groups if other != document]), reply, 0)
        for document, reply, _ in raw[::4]
    ]
    ours = await _rows(encoder, own, [-1] * len(own), SHARE_OWN)
    theirs = await _rows(encoder, foreign, [groups[r[0]] for r in raw[::4]], SHARE_FOREIGN)
    return edits, _join(ours, theirs)


async def _rows(
    encoder: Encoder, raw: Sequence[tuple[str, str, int]], group: Sequence[int], share: float
) -> _Rows:
    found = [await features(encoder, reply, [document]) for document, reply, _ in raw]
    gold = np.array([gold for _, _, gold in raw])
    kept = np.array([one is not None and len(one) > 0 for one in found])
    counts = np.bincount(gold[kept], minlength=2)
    weight = share / max(1, (counts > 0).sum()) / counts[gold[kept]]
    stacked = np.stack([one for one in found if one is not None and len(one)])
    return _Rows(stacked, gold[kept], np.array(group)[kept], weight)


def _join(one: _Rows, other: _Rows) -> _Rows:
    return _Rows(
        np.concatenate([one.features, other.features]),
        np.concatenate([one.gold, other.gold]),
        np.concatenate([one.group, other.group]),
        np.concatenate([one.weight, other.weight]),
    )


def crossed(edits: _Rows, more: _Rows) -> Floats:
    """Return a score per edited summary by weights that saw neither its document nor a twin of it."""
    scores = np.zeros(len(edits.gold))
    folds = GroupKFold(FOLDS).split(edits.features, edits.gold, edits.group)
    for train, test in folds:
        seen = np.isin(np.arange(len(edits.gold)), train)
        fresh = ~np.isin(more.group, edits.group[test])
        weights = fit(_join(edits.of(seen), more.of(fresh)))
        scores[test] = [weights.score(row) for row in edits.features[test]]
    return scores


def main() -> None:
    """Train, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, default=Path("var/encoder"))
    arguments = parser.parse_args()
    edits, more = asyncio.run(gather(arguments.data, arguments.cache))
    scores = crossed(edits, more)
    weights = fit(_join(edits, more))
    own = np.array([weights.score(row) for row in more.features])
    figures = {
        "edits_balanced_accuracy_cross_validated": balanced_accuracy_score(
            edits.gold, scores >= 0.5
        ),
        "edits_auroc_cross_validated": roc_auc_score(edits.gold, scores),
        "own_and_foreign_right_in_sample": float(((own >= 0.5) == (more.gold == 1)).mean()),
    }
    stored = {
        "bias": round(weights.bias, 4),
        "weights": {n: round(float(w), 4) for n, w in zip(FEATURES, weights.weights, strict=True)},
        "figures": {name: round(float(value), 4) for name, value in figures.items()},
    }
    WEIGHTS.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(WEIGHTS.read_text("utf-8"))


if __name__ == "__main__":
    main()
