"""Heads are swapped whole, while they serve."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import MisconfiguredError
from knowledge.linear import ALL_HEADS, LAYERS, LinearHead
from knowledge.shelf import SHADOW, Shelf


def constant(name: str, shelf: Shelf, score: float, version: str) -> LinearHead:
    """Return a head that says the same of every text."""
    head = shelf.current.heads[name]
    bias = np.full(len(head.bias), np.log(score / (1 - score)), np.float32)
    return replace(head, weights=np.zeros_like(head.weights), bias=bias, version=version)


def test_the_packaged_heads_serve_without_a_folder() -> None:
    versions = Shelf().current.versions()
    assert {version.partition("@")[0] for version in versions} == set(ALL_HEADS)


def test_a_dropped_in_head_serves_after_a_reload(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    before = shelf.current
    constant("anger", shelf, 0.9, "mine").save(tmp_path / "anger.npz")
    assert shelf.current is before
    assert "anger@mine" in shelf.reload().versions()
    assert "anger@mine" not in before.versions()


def test_taking_the_file_away_brings_the_packaged_head_back(tmp_path: Path) -> None:
    constant("anger", Shelf(), 0.9, "mine").save(tmp_path / "anger.npz")
    shelf = Shelf(tmp_path)
    (tmp_path / "anger.npz").unlink()
    assert shelf.reload().versions() == Shelf().current.versions()


def test_a_broken_file_changes_nothing(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    before = shelf.current
    (tmp_path / "anger.npz").write_bytes(b"half a file")
    with pytest.raises(MisconfiguredError, match="anger"):
        shelf.reload()
    assert shelf.current is before


def test_a_head_for_other_features_is_refused(tmp_path: Path) -> None:
    LinearHead(np.zeros((1, 12), np.float32), np.zeros(1, np.float32), (LAYERS,), "x").save(
        tmp_path / "anger.npz"
    )
    with pytest.raises(MisconfiguredError, match="anger"):
        Shelf(tmp_path)


def test_a_head_that_looks_at_the_unknown_is_refused(tmp_path: Path) -> None:
    LinearHead(np.zeros((1, 12), np.float32), np.zeros(1, np.float32), ("stars",), "x").save(
        tmp_path / "anger.npz"
    )
    with pytest.raises(MisconfiguredError, match="stars"):
        Shelf(tmp_path)


def test_the_shadow_can_be_switched_off(tmp_path: Path) -> None:
    (tmp_path / SHADOW).mkdir()
    constant("anger", Shelf(), 0.9, "next").save(tmp_path / SHADOW / "anger.npz")
    assert set(Shelf(tmp_path).current.shadow) == {"anger"}
    assert Shelf(tmp_path, shadow=False).current.shadow == {}


def test_agreement_is_counted_by_sides_and_by_distance() -> None:
    shelf = Shelf()
    for served, shadowed in ((0.4, 0.6), (0.6, 0.9), (0.1, 0.2)):
        shelf.count("anger", served, shadowed)
    for served, shadowed in ((-0.9, 0.0), (0.1, 0.3)):
        shelf.count("sentiment", served, shadowed)
    assert (shelf.agreed("anger").seen, shelf.agreed("anger").same) == (3, 2)
    assert (shelf.agreed("sentiment").seen, shelf.agreed("sentiment").same) == (2, 1)
    shelf.reload()
    assert shelf.agreed("anger").seen == 0
