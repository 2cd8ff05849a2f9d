import numpy as np
import pytest

from knowledge.linear import HEAD_NAMES
from knowledge.train import CLASSES, HERE, calibrate, fit, out_of_fold, seeds


def test_fit_folds_the_scaling_into_the_weights() -> None:
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1], 60)
    features = rng.normal(0, 0.03, (120, 6)).astype(np.float32)
    features[:, 2] += 0.2 * labels
    features[:, 5] = 0.7  # a dimension that never moves
    head = fit(features, labels, np.ones(120, np.float32), 0.1)
    scores = head.score(features)
    assert np.isfinite(head.weights).all()
    assert scores[labels == 1].min() > scores[labels == 0].max()


def test_out_of_fold_sees_noise_as_noise() -> None:
    rng = np.random.default_rng(2)
    features = rng.normal(0, 0.03, (200, 20)).astype(np.float32)
    labels = rng.integers(0, 2, 200)
    logits = out_of_fold(features, labels, np.ones(200, np.float32), 1.0)[:, 0]
    agreement = float(((logits > 0) == (labels == 1)).mean())
    assert 0.3 < agreement < 0.7


def test_calibration_keeps_calm_messages_under_one_half() -> None:
    rng = np.random.default_rng(3)
    logits = np.concatenate([rng.normal(2, 1, 50), rng.normal(1.5, 1, 500)]).astype(np.float32)
    labels = np.repeat([1, 0], [50, 500])
    slope, shift = calibrate(logits, labels, labels == 0)
    scores = 1 / (1 + np.exp(-(slope * logits + shift)))
    assert (scores[labels == 0] > 0.5).mean() <= 0.01


@pytest.mark.parametrize("name", HEAD_NAMES)
def test_our_phrases_teach_every_head_in_both_languages(name: str) -> None:
    found = seeds(HERE / "seeds")
    assert {e.source for e in found if name in e.yes} == {"own phrases (en)", "own phrases (es)"}
    assert sum(name not in e.yes and name not in e.no for e in found) > 100


def test_seeds_are_whole() -> None:
    found = seeds(HERE / "seeds")
    assert {e.sentiment for e in found} <= {*CLASSES, None}
    assert {name for e in found for name in e.yes} == set(HEAD_NAMES)
    assert not {"True", "False", "None"} & {e.text for e in found}
