import numpy as np
import pytest

from knowledge.intent_limit import find_limit
from knowledge.intents import NONE, IntentModel, intent_features, is_none, merged, phrase_rows
from knowledge.linear import Floats
from knowledge.softmax import fit_softmax

CLASSES = 8


def around(axis: int, n: int, seed: int) -> Floats:
    """Return rows like phrases of one class: near an axis."""
    dice = np.random.default_rng(seed)
    rows = dice.normal(0, 0.02, (n, 1152)).astype(np.float32)
    rows[:, axis] += 1
    rows[:, :384] /= np.linalg.norm(rows[:, :384], axis=1, keepdims=True)
    return rows


def taught(n: int) -> tuple[list[str], Floats, "np.ndarray[tuple[int], np.dtype[np.intp]]"]:
    names = [f"intent {number}" for number in range(CLASSES)]
    rows = np.vstack([around(axis, n, axis) for axis in range(CLASSES)])
    return names, rows, np.repeat(np.arange(CLASSES), n).astype(np.intp)


@pytest.mark.parametrize("axis", range(0, CLASSES, 3))
def test_the_limit_found_on_phrases_lets_them_in_and_strangers_not(axis: int) -> None:
    names, rows, owners = taught(10)
    limit = find_limit(names, rows, owners, around(30, 4, 30))
    model = IntentModel.fit(names, rows, owners, limit)
    found, near = model.predict(around(axis, 1, 99)[0])
    assert found is not None
    assert found.name == names[axis]
    assert near > 0.7
    assert model.predict(around(40 + axis, 1, 98)[0])[0] is None


def test_a_phrase_of_nobody_stays_nobodys() -> None:
    names, rows, owners = taught(6)
    model = IntentModel.fit([NONE, *names[1:]], rows, owners, 0.0)
    assert model.predict(rows[0])[0] is None
    assert model.predict(rows[-1])[0] is not None


def test_the_same_phrases_give_the_same_model() -> None:
    names, rows, owners = taught(6)
    limits = {find_limit(names, rows, owners, rows[:2]) for _ in range(2)}
    assert len(limits) == 1


def test_softmax_balances_classes() -> None:
    rows = np.vstack([around(0, 60, 1), around(1, 4, 2)])
    model = fit_softmax(rows, np.repeat([0, 1], [60, 4]).astype(np.intp), 2, 30.0, 40)
    shares = model.shares(np.vstack([around(0, 5, 3), around(1, 5, 4)]))
    assert shares.argmax(axis=1).tolist() == [0] * 5 + [1] * 5
    assert shares.sum(axis=1) == pytest.approx(np.ones(10), abs=1e-5)


def test_spelling_is_part_of_the_features() -> None:
    rows = phrase_rows(np.zeros((2, 384), np.float32), np.zeros((2, 4, 384), np.float32))
    first, second = intent_features(rows, ["refund", "warranty"])
    assert first.shape == (1152,)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("name", ["none", "OOS", " none_of_these ", "", "out_of_scope"])
def test_names_of_nobody(name: str) -> None:
    assert is_none(name)
    assert not is_none(f"{name}x")


def test_phrases_are_joined_without_doubles() -> None:
    assert merged({"book": ["a", "b"]}, {"book": ["b", "c"], "x": ["d"]}) == {
        "book": ["a", "b", "c"],
        "x": ["d"],
    }
