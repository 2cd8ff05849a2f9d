"""Fits and measures the head that notices what is planted in a mail; folds keep kinds and mails apart."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from knowledge.linear import PLANTED, Floats, LinearHead
from knowledge.planted import FEWEST, planted_features
from knowledge.train_data import Example, Mail
from knowledge.train_fits import FOLDS, Figures
from knowledge.windows import windows

STRENGTH = 3.0
VECTOR_SHARE = 2.0
# The share of customers with many questions and of harmless prompts that may be flagged; of mails a little more: a
# third of those here are written to be mistaken.
FLAGGED = 0.03
MAILS_FLAGGED = 0.06
TALK = "talk"
_SOURCES = ("NotInject", "WildGuard", "PIGuard", "XSTest")


class _Texts:
    """Texts as rows of features with labels: 1 planted, 0 not; what is not told is left out."""

    def __init__(self) -> None:
        self.rows: list[Floats] = []
        self.labels: list[npt.NDArray[np.int64]] = []
        self.weights: list[npt.NDArray[np.float64]] = []

    def add(self, features: Floats, labels: npt.NDArray[np.int64], weight: float) -> None:
        told = labels >= 0
        self.rows.append(features[told])
        self.labels.append(labels[told])
        self.weights.append(np.full(int(told.sum()), weight))


def mail_features(text: str, vectors: Mapping[str, Floats]) -> tuple[list[str], Floats]:
    """Return a text's pieces and their features."""
    pieces = windows(text)
    return pieces, planted_features(text, pieces, np.stack([vectors[p] for p in pieces]))


def train_planted(
    mails: Sequence[Mail], examples: Sequence[Example], vectors: Mapping[str, Floats]
) -> tuple[LinearHead, Figures]:
    """Fit on all, calibrate and measure on mails and kinds of attack that the fold's head never saw."""
    dice = np.random.RandomState(5)
    kinds = {k: i % FOLDS for i, k in enumerate(dice.permutation(sorted({m.kind for m in mails})))}
    grounds = dice.permutation(1 + max(m.ground for m in mails)) % FOLDS
    talks = _talks(examples, vectors)
    folds = dice.permutation(len(talks)) % FOLDS
    attacked: list[tuple[str, float]] = []
    clean: list[tuple[bool, float]] = []
    others: list[tuple[str, float]] = []
    for fold in range(FOLDS):
        inside = [
            m for m in mails if grounds[m.ground] != fold and not (m.kind and kinds[m.kind] == fold)
        ]
        head = _fit(inside, [t for t, f in zip(talks, folds, strict=True) if f != fold], vectors)
        for mail in mails:
            if grounds[mail.ground] != fold and not (mail.kind and kinds[mail.kind] == fold):
                continue
            unseen = grounds[mail.ground] == fold and (not mail.kind or kinds[mail.kind] == fold)
            logit = _highest(head, mail_features(mail.text, vectors)[1])
            if mail.kind and kinds[mail.kind] == fold:
                attacked.append((mail.kind, logit))
            elif unseen:
                clean.append((mail.own, logit))
        others += [
            (source, _highest(head, features))
            for (source, features), f in zip(talks, folds, strict=True)
            if f == fold
        ]
    groups = (
        ([v for _, v in clean], MAILS_FLAGGED),
        ([v for source, v in others if source == TALK], FLAGGED),
        ([v for source, v in others if source != TALK], FLAGGED),
    )
    limit = max(float(np.quantile(group, 1 - share)) for group, share in groups if group)
    figures = Figures(PLANTED, sources=_counted(mails, others))
    figures.numbers = _numbers(attacked, clean, others, limit)
    whole = _fit(mails, talks, vectors)
    return LinearHead(whole.weights, whole.bias - np.float32(limit), ()), figures


def _talks(examples: Sequence[Example], vectors: Mapping[str, Floats]) -> list[tuple[str, Floats]]:
    """Return harmless texts of several pieces: prompts from public sets, and customers with many questions."""
    found = []
    for example in examples:
        if example.source in _SOURCES and "injection" not in example.yes:
            pieces = windows(example.text)
            if len(pieces) >= FEWEST and all(piece in vectors for piece in pieces):
                found.append((example.source, mail_features(example.text, vectors)[1]))
    asked = [e.text for e in examples if e.source == "BANKING77" and e.text in vectors]
    dice = np.random.RandomState(6)
    for number in range(200):
        some = [asked[i] for i in dice.choice(len(asked), dice.randint(3, 6), replace=False)]
        text = "\n".join(["Hello,", *some, "Kind regards"] if number % 2 else some)
        found.append((TALK, planted_features(text, some, np.stack([vectors[s] for s in some]))))
    return found


def _fit(
    mails: Sequence[Mail], talks: Sequence[tuple[str, Floats]], vectors: Mapping[str, Floats]
) -> LinearHead:
    texts = _Texts()
    for mail in mails:
        pieces, features = mail_features(mail.text, vectors)
        attack = set(windows(mail.attack)) if mail.attack else set()
        # a mail's own pieces are counted once, where the mail is clean
        labels = [1 if any(a in p for a in attack) else -1 if attack else 0 for p in pieces]
        texts.add(features, np.array(labels), 1.0 if attack else 2.0)
    for _, features in talks:
        texts.add(features, np.zeros(len(features), np.int64), 0.5)
    x = np.vstack(texts.rows)
    factor = np.ones(x.shape[1], np.float32)
    factor[:384] = VECTOR_SHARE
    mean = x.mean(axis=0)
    model = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=400)
    model.fit(
        (x - mean) * factor,
        np.concatenate(texts.labels),
        sample_weight=np.concatenate(texts.weights),
    )
    folded = (model.coef_ * factor).astype(np.float32)
    return LinearHead(folded, np.asarray(model.intercept_ - folded @ mean, np.float32), ())


def _highest(head: LinearHead, features: Floats) -> float:
    return float((features @ head.weights.T + head.bias).max())


def _numbers(
    attacked: Sequence[tuple[str, float]],
    clean: Sequence[tuple[bool, float]],
    others: Sequence[tuple[str, float]],
    limit: float,
) -> dict[str, float]:
    noticed = {
        "noticed, BIPIA kinds not trained on": [
            v >= limit for k, v in attacked if not k.startswith("own")
        ],
        "noticed, own kinds not trained on": [
            v >= limit for k, v in attacked if k.startswith("own")
        ],
        "clean mails flagged, BIPIA": [v >= limit for own, v in clean if not own],
        "clean mails flagged, own": [v >= limit for own, v in clean if own],
    }
    for source in sorted({source for source, _ in others}):
        noticed[f"flagged, {source}"] = [v >= limit for s, v in others if s == source]
    weakest = sorted({k for k, _ in attacked if not k.startswith("own")})
    for kind in weakest:
        noticed[f"noticed, {kind}"] = [v >= limit for k, v in attacked if k == kind]
    return {name: float(np.mean(each)) for name, each in noticed.items() if each}


def _counted(mails: Sequence[Mail], others: Sequence[tuple[str, float]]) -> dict[str, int]:
    own = sum(m.kind.startswith("own") for m in mails)
    counts = {"own mails and sentences": own, "BIPIA": len(mails) - own}
    for source, _ in others:
        name = "BANKING77" if source == TALK else source
        counts[name] = counts.get(name, 0) + 1
    return counts


def pieces_of(mails: Sequence[Mail], examples: Sequence[Example]) -> list[str]:
    """Return every piece whose vector training needs."""
    found: dict[str, None] = {}
    for mail in mails:
        found.update(dict.fromkeys(windows(mail.text)))
    for example in examples:
        if example.source in _SOURCES:
            found.update(dict.fromkeys(windows(example.text)))
    return list(found)
