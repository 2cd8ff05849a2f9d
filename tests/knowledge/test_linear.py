from pathlib import Path

import numpy as np
import pytest

from core.errors import MisconfiguredError
from knowledge.linear import HEAD_NAMES, LinearHead, flatten, load_head, load_heads
from knowledge.understanding import HEADS


def test_a_flag_is_a_probability() -> None:
    head = LinearHead(np.array([[100.0, 0.0]], np.float32), np.array([0.0], np.float32))
    scores = head.score(np.array([[1, 0], [0, 1], [-1, 0]], np.float32))
    assert scores == pytest.approx([1.0, 0.5, 0.0], abs=1e-6)


def test_three_classes_are_a_mood() -> None:
    head = LinearHead(np.eye(3, dtype=np.float32) * 50, np.zeros(3, np.float32))
    assert head.score(np.eye(3, dtype=np.float32)) == pytest.approx([-1, 0, 1], abs=1e-6)


def test_a_head_survives_its_file(tmp_path: Path) -> None:
    head = LinearHead(np.array([[0.5, -0.25]], np.float32), np.array([0.1], np.float32))
    head.save(tmp_path / "x.npz")
    again = load_head(tmp_path / "x.npz")
    assert np.array_equal(again.weights, head.weights)
    assert np.array_equal(again.bias, head.bias)


def test_layers_are_laid_end_to_end() -> None:
    layers = np.arange(24, dtype=np.float32).reshape(2, 4, 3)
    assert flatten(layers).tolist() == [list(range(12)), list(range(12, 24))]


def test_a_missing_or_broken_head_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(MisconfiguredError):
        load_heads(tmp_path)
    (tmp_path / "x.npz").write_bytes(b"no")
    with pytest.raises(MisconfiguredError):
        load_head(tmp_path / "x.npz")


@pytest.mark.parametrize("name", [*HEAD_NAMES, "sentiment"])
def test_each_head_has_a_card(name: str) -> None:
    card = (HEADS / f"{name}.md").read_text(encoding="utf-8")
    assert card.startswith(f"# {name}\n")
    assert all(part in card for part in ("## Data", "## Figures", "## Train again"))
