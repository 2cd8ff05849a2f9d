from pathlib import Path

import numpy as np
import pytest

from core.errors import MisconfiguredError
from knowledge.linear import (
    ALL_HEADS,
    GRAMS,
    LAYERS,
    TONE,
    Blocks,
    LinearHead,
    flatten,
    load_head,
    mood_of,
)
from knowledge.shelf import PACKAGED


def test_a_flag_is_a_probability() -> None:
    head = LinearHead(np.array([[100.0, 0.0]], np.float32), np.array([0.0], np.float32))
    scores = head.score(np.array([[1, 0], [0, 1], [-1, 0]], np.float32))
    assert scores == pytest.approx([1.0, 0.5, 0.0], abs=1e-6)


def test_three_classes_are_a_mood() -> None:
    head = LinearHead(np.eye(3, dtype=np.float32) * 50, np.zeros(3, np.float32))
    assert head.score(np.eye(3, dtype=np.float32)) == pytest.approx([-1, 0, 1], abs=1e-6)


def test_the_most_likely_class_decides_the_third() -> None:
    logits = np.random.default_rng(1).normal(0, 2, (500, 3)).astype(np.float32)
    said = np.digitize(mood_of(logits), [-1 / 3, 1 / 3])
    assert (said == logits.argmax(axis=1)).all()


def test_a_clearer_lead_goes_further() -> None:
    moods = mood_of(np.array([[0, 0, x] for x in (0.1, 1, 2, 4)], np.float32))
    assert (np.diff(moods) > 0).all()
    assert moods == pytest.approx(
        -mood_of(np.array([[x, 0, 0] for x in (0.1, 1, 2, 4)], np.float32))
    )


def test_a_head_survives_its_file(tmp_path: Path) -> None:
    weights = np.array([[0.5, -0.25]], np.float32)
    LinearHead(weights, np.array([0.1], np.float32), (TONE, GRAMS), "7").save(tmp_path / "x.npz")
    again = load_head(tmp_path / "x.npz")
    assert np.array_equal(again.weights, weights)
    assert (again.blocks, again.version) == ((TONE, GRAMS), "7")
    assert [path.name for path in tmp_path.iterdir()] == ["x.npz"]


def test_layers_are_laid_end_to_end() -> None:
    layers = np.arange(24, dtype=np.float32).reshape(2, 4, 3)
    assert flatten(layers).tolist() == [list(range(12)), list(range(12, 24))]


def test_blocks_stand_in_the_order_asked_for() -> None:
    blocks = Blocks(["good", "bad"], np.ones((2, 4, 384), np.float32))
    both = blocks.take([TONE, LAYERS])
    assert both.shape == (2, 1536 + blocks.take([TONE]).shape[1])
    assert (both[:, -1536:] == 1).all()
    with pytest.raises(KeyError):
        blocks.take(["stars"])


@pytest.mark.parametrize("content", [b"no", b""])
def test_a_broken_head_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(MisconfiguredError, match=r"x\.npz"):
        load_head(tmp_path / "x.npz")


def test_a_head_of_no_numbers_is_refused(tmp_path: Path) -> None:
    LinearHead(np.array([[np.nan]], np.float32), np.zeros(1, np.float32)).save(tmp_path / "x.npz")
    with pytest.raises(MisconfiguredError, match="no number"):
        load_head(tmp_path / "x.npz")


@pytest.mark.parametrize("name", ALL_HEADS)
def test_each_head_has_a_card_of_its_version(name: str) -> None:
    card = (PACKAGED / f"{name}.md").read_text(encoding="utf-8")
    assert card.startswith(f"# {name}\n")
    assert f"`{name}@{load_head(PACKAGED / f'{name}.npz').version}`" in card
    assert all(part in card for part in ("## Data", "## Figures", "## Train again"))
