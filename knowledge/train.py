"""Train the heads in knowledge/heads: `python -m knowledge.train --data ../shared/data`.

Owns which texts teach which head, the fit, the calibration and the cards. Texts of others are read from
`--data` and never written anywhere; only weights and figures are. Our own phrases are in knowledge/seeds.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold

from knowledge.encoder import Encoder, EncoderSettings
from knowledge.linear import HEAD_NAMES, SENTIMENT, Floats, LinearHead, flatten
from knowledge.train_cards import write_card

HERE = Path(__file__).parent
CLASSES = ("negative", "neutral", "positive")
FOLDS = 5
# The share of calm customer messages that may score above one half, out of fold.
CALM_ABOVE_HALF = 0.005
STRENGTH = {SENTIMENT: 0.003, "cancel_intent": 0.03, "injection": 0.03}
DEFAULT_STRENGTH = 0.01
SMALLEST_SPREAD = 0.005


@dataclass(slots=True)
class Example:
    """One text with what it teaches. `no` are heads it must not teach; `calm` marks ordinary messages."""

    text: str
    source: str
    weight: float
    yes: frozenset[str] = frozenset()
    no: frozenset[str] = frozenset()
    sentiment: str | None = None
    calm: bool = False


@dataclass(slots=True)
class Figures:
    """What was measured for one head, all out of fold."""

    name: str
    positives: int
    negatives: int
    numbers: dict[str, float] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)


def seeds(folder: Path) -> list[Example]:
    """Return our own phrases from knowledge/seeds/*.yaml."""
    found = []
    for path in sorted(folder.glob("*.yaml")):
        for group in yaml.safe_load(path.read_text(encoding="utf-8")):
            unsure = frozenset(group.get("unsure", ()))
            calm = not group["is"] and group.get("sentiment") == "neutral"
            source = f"own phrases ({path.stem})"
            yes, mood = frozenset(group["is"]), group.get("sentiment")
            found += [
                Example(str(text), source, 3.0, yes, unsure, mood, calm) for text in group["texts"]
            ]
    return found


def published(data: Path) -> list[Example]:
    """Return what the published sets teach: moods from TweetEval, ordinary messages from the intent sets."""
    others = frozenset(HEAD_NAMES)
    found = []
    for row in _rows(data / "mood/emotion.train.jsonl"):
        anger = frozenset({"anger"}) if row["gold"] == "anger" else frozenset[str]()
        found.append(Example(row["input"], "TweetEval emotion", 0.3, anger, others - {"anger"}))
    found += [
        Example(row["input"], "TweetEval sentiment", 1.0, no=others, sentiment=row["gold"])
        for row in _rows(data / "mood/sentiment.dev.jsonl")
    ]
    found += list(_messages(data))
    unsure = others - {"injection"}
    found += [
        Example(row["input"], "NotInject", 1.0, no=unsure)
        for row in _rows(data / "injection/harmless_with_attack_words.dev.jsonl")
    ]
    for row in _rows(data / "injection/mixed.dev.jsonl"):
        yes = frozenset({"injection"}) if row["gold"] == 1 else frozenset[str]()
        found.append(Example(row["input"], "PIGuard", 1.0, yes, others - {"injection"}))
    for row in _rows(data / "injection/safe_and_unsafe_twins.dev.jsonl"):
        teaches = others - {"safety", "injection"}
        found += [Example(row["input"], "XSTest", 1.0, no=teaches)] * (row["gold"] == "safe")
    return found


def _messages(data: Path) -> Iterable[Example]:
    for row in _rows(data / "intents/bank.train.jsonl")[::7]:
        yes = frozenset({"cancel_intent"}) if row["gold"] == "terminate_account" else frozenset()
        yield Example(
            row["input"], "BANKING77", 0.5, yes, frozenset({"not_helped"}), "neutral", calm=True
        )
    for row in _rows(data / "intents/assistant.train.jsonl")[::25]:
        yield Example(
            row["input"],
            "CLINC150",
            0.5,
            no=frozenset({"not_helped"}),
            sentiment="neutral",
            calm=True,
        )


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


async def features_of(texts: Sequence[str], cache: Path | None) -> Floats:
    """Return float32 [n, 1536] in the order given; `cache` keeps them between runs."""
    known: dict[str, Floats] = {}
    if cache is not None:
        known = _cached(cache)
    missing = [text for text in dict.fromkeys(texts) if text not in known]
    encoder = Encoder(EncoderSettings())
    for start in range(0, len(missing), 128):
        part = missing[start : start + 128]
        encoded = await encoder.encode(part)
        known.update(zip(part, flatten(encoded.layers), strict=True))
        _say(f"\rencoded {min(start + 128, len(missing))}/{len(missing)}")
    if cache is not None and missing:
        np.savez(cache, texts=np.array(list(known)), features=np.stack(list(known.values())))
    return np.stack([known[text] for text in texts])


def _cached(cache: Path) -> dict[str, Floats]:
    if not cache.exists():
        return {}
    with np.load(cache, allow_pickle=False) as stored:
        return dict(zip(stored["texts"].tolist(), stored["features"], strict=True))


def fit(features: Floats, labels: npt.NDArray[Any], weights: Floats, strength: float) -> LinearHead:
    """Return a class-balanced logistic regression with the standardisation folded into its weights."""
    mean = features.mean(axis=0)
    # Some dimensions hardly move; dividing by their spread would blow them up.
    scale = np.maximum(features.std(axis=0), SMALLEST_SPREAD)
    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=2000)
    model.fit((features - mean) / scale, labels, sample_weight=weights)
    folded = model.coef_ / scale
    bias = model.intercept_ - folded @ mean
    return LinearHead(folded.astype(np.float32), bias.astype(np.float32))


def out_of_fold(
    features: Floats, labels: npt.NDArray[Any], weights: Floats, strength: float
) -> Floats:
    """Return every example's logits [n, classes] from a head that did not see it."""
    found: Floats | None = None
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=7).split(features, labels):
        head = fit(features[train], labels[train], weights[train], strength)
        part = features[test] @ head.weights.T + head.bias
        if found is None:
            found = np.zeros((len(features), part.shape[1]), np.float32)
        found[test] = part
    if found is None:
        raise ValueError("nothing to fit")
    return found


def calibrate(
    logits: Floats, labels: npt.NDArray[Any], calm: npt.NDArray[Any]
) -> tuple[float, float]:
    """Return (slope, shift) of a Platt curve, shifted so that calm messages stay under one half."""
    curve = LogisticRegression(C=1e3, class_weight="balanced").fit(logits[:, None], labels)
    slope, shift = float(curve.coef_[0, 0]), float(curve.intercept_[0])
    if calm.any():
        highest = float(np.quantile(logits[calm], 1 - CALM_ABOVE_HALF))
        shift = min(shift, -slope * highest)
    return slope, shift


def train_flag(
    name: str, examples: Sequence[Example], features: Floats
) -> tuple[LinearHead, Figures]:
    """Fit, calibrate and measure one yes/no head."""
    keep = [i for i, e in enumerate(examples) if name in e.yes or name not in e.no]
    chosen = [examples[i] for i in keep]
    x = features[keep]
    labels = np.array([name in e.yes for e in chosen], int)
    weights = np.array([e.weight for e in chosen], np.float32)
    calm = np.array([e.calm and name not in e.yes for e in chosen])
    own = np.array([e.source.startswith("own") for e in chosen])
    strength = STRENGTH.get(name, DEFAULT_STRENGTH)
    logits = out_of_fold(x, labels, weights, strength)[:, 0]
    slope, shift = calibrate(logits[own | calm], labels[own | calm], calm[own | calm])
    scores = 1 / (1 + np.exp(-(slope * logits + shift)))
    head = fit(x, labels, weights, strength)
    head = LinearHead(
        head.weights * np.float32(slope), head.bias * np.float32(slope) + np.float32(shift)
    )
    figures = Figures(name, int(labels.sum()), int((1 - labels).sum()), sources=_sources(chosen))
    figures.numbers = {
        "AUROC, all": float(roc_auc_score(labels, logits)),
        "AUROC, own phrases": float(roc_auc_score(labels[own], logits[own])),
        "own positives at 0.5 or more": float((scores[own & (labels == 1)] >= 0.5).mean()),
        "own positives at 0.6 or more": float((scores[own & (labels == 1)] >= 0.6).mean()),
        "own look-alikes at 0.5 or more": float((scores[own & (labels == 0)] >= 0.5).mean()),
        "calm messages at 0.5 or more": float((scores[calm] >= 0.5).mean()),
        "calm messages at 0.6 or more": float((scores[calm] >= 0.6).mean()),
    }
    return head, figures


def train_sentiment(examples: Sequence[Example], features: Floats) -> tuple[LinearHead, Figures]:
    """Fit and measure the three-class sentiment head."""
    keep = [i for i, e in enumerate(examples) if e.sentiment in CLASSES]
    chosen = [examples[i] for i in keep]
    x = features[keep]
    labels = np.array([CLASSES.index(e.sentiment or "neutral") for e in chosen])
    weights = np.array([e.weight for e in chosen], np.float32)
    tweets = np.array([e.source.startswith("Tweet") for e in chosen])
    calm = np.array([e.calm for e in chosen])
    angry = np.array(["anger" in e.yes for e in chosen])
    logits = out_of_fold(x, labels, weights, STRENGTH[SENTIMENT])
    head = fit(x, labels, weights, STRENGTH[SENTIMENT])
    scores = LinearHead(np.eye(3, dtype=np.float32), np.zeros(3, np.float32)).score(logits)
    figures = Figures(SENTIMENT, len(chosen), 0, sources=_sources(chosen))
    figures.numbers = {
        "macro recall, tweets": float(
            recall_score(labels[tweets], logits[tweets].argmax(1), average="macro")
        ),
        "macro recall, own phrases and messages": float(
            recall_score(labels[~tweets], logits[~tweets].argmax(1), average="macro")
        ),
        "angry phrases at -0.6 or less": float((scores[angry] <= -0.6).mean()),
        "calm messages at -0.6 or less": float((scores[calm] <= -0.6).mean()),
        "calm messages, mean": float(scores[calm].mean()),
    }
    return head, figures


def _sources(examples: Sequence[Example]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for example in examples:
        counts[example.source] = counts.get(example.source, 0) + 1
    return counts


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> None:
    """Train every head and write weights and cards."""
    parser = argparse.ArgumentParser(prog="python -m knowledge.train")
    parser.add_argument("--data", type=Path, required=True, help="folder with the published sets")
    parser.add_argument("--out", type=Path, default=HERE / "heads")
    parser.add_argument("--cache", type=Path, help="keep encodings here between runs")
    options = parser.parse_args(arguments)
    examples = seeds(HERE / "seeds") + published(options.data)
    features = asyncio.run(features_of([e.text for e in examples], options.cache))
    options.out.mkdir(parents=True, exist_ok=True)
    for name in (SENTIMENT, *HEAD_NAMES):
        if name == SENTIMENT:
            head, figures = train_sentiment(examples, features)
        else:
            head, figures = train_flag(name, examples, features)
        head.save(options.out / f"{name}.npz")
        write_card(options.out / f"{name}.md", figures.name, figures.numbers, figures.sources)
        _say(f"\n{name}: " + ", ".join(f"{k} {v:.3f}" for k, v in figures.numbers.items()))
    _say("\n")


if __name__ == "__main__":
    main()
