import numpy as np
import pytest

from knowledge.intents import Floats, IntentModel, merged

AXES = np.eye(8, dtype=np.float32)


def around(axis: int, n: int, seed: int) -> Floats:
    rows = AXES[axis] + np.random.default_rng(seed).normal(0, 0.08, (n, 8)).astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def model(**sizes: int) -> IntentModel:
    phrases = {name: around(i, n, seed=i) for i, (name, n) in enumerate(sizes.items())}
    fitted = IntentModel.fit(phrases, none=around(6, 8, seed=60))
    assert fitted is not None
    return fitted


@pytest.mark.parametrize(("axis", "name"), [(0, "book"), (1, "human"), (2, "forget")])
def test_the_nearest_class_wins_whatever_its_size(axis: int, name: str) -> None:
    found = model(book=20, human=5, forget=9).predict(around(axis, 1, seed=99)[0])
    assert found is not None
    assert found.name == name
    assert 0.5 < found.score <= 1


@pytest.mark.parametrize("axis", [5, 6, 7])
def test_none_of_these(axis: int) -> None:
    assert model(book=10, human=10).predict(AXES[axis]) is None


def test_halfway_between_two_is_neither() -> None:
    between = (AXES[0] + AXES[1]) / np.sqrt(2).astype(np.float32)
    found, ranked = model(book=10, human=10).explain(between)
    assert {scored.name for scored in ranked} == {"book", "human"}
    assert found is None or found.score < 0.8


def test_a_known_phrase_is_always_recognised() -> None:
    phrases = {"book": around(0, 6, seed=1), "human": around(1, 6, seed=2)}
    fitted = IntentModel.fit(phrases)
    assert fitted is not None
    found = fitted.predict(phrases["human"][3])
    assert found is not None
    assert found.name == "human"


def test_one_intent_alone_still_refuses_strangers() -> None:
    fitted = IntentModel.fit({"book": around(0, 5, seed=1)})
    assert fitted is not None
    assert fitted.predict(AXES[3]) is None
    assert fitted.predict(AXES[0]) is not None


def test_nothing_to_learn_from() -> None:
    assert IntentModel.fit({}) is None
    assert IntentModel.fit({"book": np.zeros((0, 8), np.float32)}) is None


def test_phrases_are_joined_without_doubles() -> None:
    assert merged({"book": ["a", "b"]}, {"book": ["b", "c"], "x": ["d"]}) == {
        "book": ["a", "b", "c"],
        "x": ["d"],
    }
