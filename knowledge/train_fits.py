"""Fits, calibrates and measures heads. Everything measured is out of fold.

Not here: which texts teach what (knowledge/train_data.py), cards (knowledge/train_cards.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve, recall_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold

from knowledge.linear import (
    GRAMS,
    KINDS,
    LAYERS,
    SENTIMENT,
    TONE,
    Blocks,
    Floats,
    LinearHead,
    mood_of,
)
from knowledge.train_data import EMOTIONS, MOODS, Example

FOLDS = 5
# The share of calm customer messages that may score above one half, out of fold.
CALM_ABOVE_HALF = 0.005
# The share of our own plain questions, which were written to be hard, and of our look-alikes and harmless prompts.
PLAIN_ABOVE_HALF = 0.015
ALIKE_ABOVE_HALF = 0.03
# Precision of anger among tweets at one half, a little more than asked.
ANGER_PRECISION = 0.81
SPREAD = {LAYERS: 1e-3, TONE: 1e-2}
# How far each block may speak: layers standardised count 1.
SHARES = {LAYERS: 1.0, TONE: 3.0, GRAMS: 60.0}
FLAG_BLOCKS = (LAYERS, TONE, GRAMS)
MOOD_BLOCKS = (LAYERS, TONE)
STRENGTH = 0.001
MOOD_STRENGTH = 0.0004
OWN_IN_MOOD = 0.08
CALM_IN_MOOD = 0.05
EMOTION_SHARE = 4.0
PROMPTS = frozenset({"NotInject", "WildGuard", "PIGuard"})


@dataclass(slots=True)
class Figures:
    """What was measured for one head."""

    name: str
    numbers: dict[str, float] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scaling:
    """How features are shifted and stretched before a fit: float32 [features] each."""

    mean: Floats
    factor: Floats

    @classmethod
    def of(cls, features: Floats, sizes: Sequence[tuple[str, int]]) -> "Scaling":
        """Standardise layers and tone; spelling only stretched: its zeros mean something."""
        mean, spread = features.mean(axis=0), features.std(axis=0)
        start, factors = 0, []
        for block, size in sizes:
            part = slice(start, start + size)
            if block == GRAMS:
                mean[part] = 0
                factors.append(np.full(size, SHARES[block], np.float32))
            else:
                factors.append(SHARES[block] / np.maximum(spread[part], SPREAD[block]))
            start += size
        return cls(mean, np.concatenate(factors).astype(np.float32))

    def apply(self, features: Floats) -> Floats:
        """Return the features as a fit sees them."""
        return np.asarray((features - self.mean) * self.factor, np.float32)

    def fold(self, weights: Floats, bias: Floats) -> tuple[Floats, Floats]:
        """Return weights and bias that do the same to features as they are."""
        folded = weights * self.factor
        return folded, np.asarray(bias - folded @ self.mean, np.float32)


def sizes_of(blocks: Blocks, names: Sequence[str]) -> list[tuple[str, int]]:
    """Return each block's width."""
    return [(name, blocks.take([name]).shape[1]) for name in names]


def fit(
    features: Floats,
    labels: npt.NDArray[Any],
    weights: Floats,
    strength: float,
    sizes: Sequence[tuple[str, int]],
) -> LinearHead:
    """Return a class-balanced logistic regression with the scaling folded into its weights."""
    scaling = Scaling.of(features, sizes)
    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=300, tol=1e-3)
    model.fit(scaling.apply(features), labels, sample_weight=weights)
    folded, bias = scaling.fold(model.coef_, model.intercept_)
    return LinearHead(folded.astype(np.float32), bias.astype(np.float32))


def out_of_fold(
    features: Floats,
    labels: npt.NDArray[Any],
    weights: Floats,
    strength: float,
    sizes: Sequence[tuple[str, int]],
) -> Floats:
    """Return every example's logits [n, classes] from a head that did not see it."""
    found: Floats | None = None
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=7).split(features, labels):
        head = fit(features[train], labels[train], weights[train], strength, sizes)
        part = features[test] @ head.weights.T + head.bias
        if found is None:
            found = np.zeros((len(features), part.shape[1]), np.float32)
        found[test] = part
    if found is None:
        raise ValueError("nothing to fit")
    return found


def calibrate(
    logits: Floats,
    labels: npt.NDArray[Any],
    under: Sequence[tuple[npt.NDArray[Any], float]],
) -> tuple[float, float]:
    """Return (slope, shift) of a Platt curve, shifted until few of some groups stay above one half.

    `under` holds (which [n] bool, the share that may be above) for each group.
    """
    curve = LogisticRegression(C=1e3, class_weight="balanced").fit(logits[:, None], labels)
    slope, shift = float(curve.coef_[0, 0]), float(curve.intercept_[0])
    for which, share in under:
        if which.any():
            shift = min(shift, -slope * float(np.quantile(logits[which], 1 - share)))
    return slope, shift


def precise_shift(logits: Floats, labels: npt.NDArray[Any], slope: float) -> float:
    """Return the shift that puts one half where precision first holds at ANGER_PRECISION."""
    precision, _, limits = precision_recall_curve(labels, logits)
    enough = np.flatnonzero(precision[:-1] >= ANGER_PRECISION)
    return -slope * float(limits[enough[0]]) if len(enough) else -np.inf


def train_flag(
    name: str, examples: Sequence[Example], blocks: Blocks
) -> tuple[LinearHead, Figures]:
    """Fit, calibrate and measure one yes/no head."""
    chosen, at = _teaching(name, examples)
    x = blocks.take(FLAG_BLOCKS)[at]
    sizes = sizes_of(blocks, FLAG_BLOCKS)
    labels = np.array([name in e.yes for e in chosen], int)
    weights = np.array([e.weight for e in chosen], np.float32)
    calm = np.array([e.calm and name not in e.yes for e in chosen])
    own = np.array([e.source.startswith("own") for e in chosen])
    logits = out_of_fold(x, labels, weights, STRENGTH, sizes)[:, 0]
    prompts = np.array([e.source in PROMPTS for e in chosen]) & (labels == 0)
    told = own | calm | prompts
    slope, shift = calibrate(
        logits[told],
        labels[told],
        (
            ((calm & ~own)[told], CALM_ABOVE_HALF),
            ((calm & own)[told], PLAIN_ABOVE_HALF),
            ((own & (labels == 0))[told], ALIKE_ABOVE_HALF),
            (prompts[told], ALIKE_ABOVE_HALF),
        ),
    )
    tweets = np.array([e.emotion is not None for e in chosen])
    if tweets.any():
        shift = min(shift, precise_shift(logits[tweets], labels[tweets], slope))
    scores = 1 / (1 + np.exp(-(slope * logits + shift)))
    head = fit(x, labels, weights, STRENGTH, sizes)
    head = LinearHead(
        head.weights * np.float32(slope),
        head.bias * np.float32(slope) + np.float32(shift),
        FLAG_BLOCKS,
    )
    figures = Figures(name, sources=_sources(chosen))
    figures.numbers = {
        "AUROC, all": float(roc_auc_score(labels, logits)),
        "AUROC, own phrases": float(roc_auc_score(labels[own], logits[own])),
        "own positives at 0.5 or more": float((scores[own & (labels == 1)] >= 0.5).mean()),
        "own look-alikes at 0.5 or more": float((scores[own & (labels == 0)] >= 0.5).mean()),
    }
    spanish = np.array([e.source == "own phrases (es)" for e in chosen])
    figures.numbers["own Spanish positives at 0.5 or more"] = float(
        (scores[spanish & (labels == 1)] >= 0.5).mean()
    )
    for source in sorted({e.source for e in chosen if not e.source.startswith("own")}):
        here = np.array([e.source == source for e in chosen])
        figures.numbers |= _by_source(source, labels[here], scores[here])
    return head, figures


def _teaching(name: str, examples: Sequence[Example]) -> tuple[list[Example], list[int]]:
    """Return the examples that teach a head, and where they stand.

    A kind of danger is told from the other kinds only: `safety` has said that there is one.
    """
    at = [i for i, e in enumerate(examples) if name in e.yes or name not in e.no]
    if name in KINDS:
        at = [i for i in at if "safety" in examples[i].yes or examples[i].calm]
    return [examples[i] for i in at], at


def _by_source(source: str, labels: npt.NDArray[Any], scores: Floats) -> dict[str, float]:
    found = {}
    if labels.any():
        found[f"recall at 0.5, {source}"] = float((scores[labels == 1] >= 0.5).mean())
    if (scores >= 0.5).any() and labels.mean() > 0.1:
        found[f"precision at 0.5, {source}"] = float(labels[scores >= 0.5].mean())
    if not labels.all():
        found[f"others at 0.5 or more, {source}"] = float((scores[labels == 0] >= 0.5).mean())
    return found


def train_sentiment(examples: Sequence[Example], blocks: Blocks) -> tuple[LinearHead, Figures]:
    """Fit, calibrate and measure the mood: tweets, our own phrases, and what emotions of tweets say of them."""
    features = blocks.take(MOOD_BLOCKS)
    sizes = sizes_of(blocks, MOOD_BLOCKS)
    emotion = _emotion_head(examples, features, sizes)
    at = [i for i, e in enumerate(examples) if e.sentiment in MOODS]
    chosen, x = [examples[i] for i in at], features[at]
    labels = np.array([MOODS.index(e.sentiment or "neutral") for e in chosen])
    tweets = np.array([e.source == "TweetEval sentiment" for e in chosen])
    published = np.array([e.calm and not e.source.startswith("own") for e in chosen])
    weights = np.where(tweets, 1.0, np.where(published, CALM_IN_MOOD, OWN_IN_MOOD))
    weights = weights.astype(np.float32)
    logits = np.zeros((len(x), 3), np.float32)
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=7).split(x, labels):
        part = _fit_mood(x[train], labels[train], weights[train], sizes, emotion)
        logits[test] = x[test] @ part.weights.T + part.bias
    head = _fit_mood(x, labels, weights, sizes, emotion)
    head = LinearHead(head.weights, head.bias, MOOD_BLOCKS)
    scores = mood_of(logits)
    said = np.digitize(scores, [-1 / 3, 1 / 3])
    angry = np.array(["anger" in e.yes for e in chosen])
    calm = np.array([e.calm for e in chosen])
    figures = Figures(SENTIMENT, sources=_sources(chosen))
    figures.numbers = {
        "macro recall, tweets, cut at ±1/3": _macro(labels[tweets], said[tweets]),
        "macro recall, own phrases and messages": _macro(labels[~tweets], said[~tweets]),
        "angry phrases at -0.6 or less": float((scores[angry] <= -0.6).mean()),
        "calm messages at -0.6 or less": float((scores[calm] <= -0.6).mean()),
        "calm messages, mean": float(scores[calm].mean()),
    }
    return head, figures


def _emotion_head(
    examples: Sequence[Example], features: Floats, sizes: Sequence[tuple[str, int]]
) -> LinearHead:
    at = [i for i, e in enumerate(examples) if e.emotion in EMOTIONS]
    labels = np.array([EMOTIONS.index(examples[i].emotion or "") for i in at])
    return fit(features[at], labels, np.ones(len(at), np.float32), 0.003, sizes)


def _fit_mood(
    features: Floats,
    labels: npt.NDArray[Any],
    weights: Floats,
    sizes: Sequence[tuple[str, int]],
    emotion: LinearHead,
) -> LinearHead:
    """Fit on features and the emotions they give; both are linear, so one head does both at once."""
    scaling = Scaling.of(features, sizes)
    felt = features @ emotion.weights.T + emotion.bias
    middle, spread = felt.mean(axis=0), felt.std(axis=0)
    x = np.hstack([scaling.apply(features), EMOTION_SHARE * (felt - middle) / spread])
    model = LogisticRegression(C=MOOD_STRENGTH, class_weight="balanced", max_iter=300, tol=1e-3)
    model.fit(x, labels, sample_weight=weights)
    width = features.shape[1]
    folded, bias = scaling.fold(model.coef_[:, :width], model.intercept_)
    through = model.coef_[:, width:] * EMOTION_SHARE / spread
    return LinearHead(
        np.asarray(folded + through @ emotion.weights, np.float32),
        np.asarray(bias + through @ (emotion.bias - middle), np.float32),
    )


def _macro(labels: npt.NDArray[Any], said: npt.NDArray[Any]) -> float:
    return float(recall_score(labels, said, average="macro"))


def _sources(examples: Sequence[Example]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for example in examples:
        counts[example.source] = counts.get(example.source, 0) + 1
    return counts
