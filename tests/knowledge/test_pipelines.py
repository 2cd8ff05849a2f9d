"""A larger sentiment model in the head's place, scripted; and plain words when it cannot be had."""

import importlib.util
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from core.errors import MisconfiguredError, UnavailableError
from knowledge.pipelines import PipelineSentiment


class Scripted:
    """A text-classification pipeline that says what it was told to."""

    def __init__(self, *labels: tuple[str, float], nested: bool = True) -> None:
        self._found = [{"label": label, "score": score} for label, score in labels]
        self._nested = nested
        self.asked: list[str] = []
        self.thread: int | None = None

    def __call__(self, text: str) -> Sequence[Any]:
        self.asked.append(text)
        self.thread = threading.get_ident()
        return [self._found] if self._nested else self._found


async def opened(pipeline: Any, patience: float = 5.0) -> PipelineSentiment:
    model = PipelineSentiment("some/model", lambda _name: pipeline, patience)
    await model.open()
    return model


@pytest.mark.parametrize(
    ("labels", "mood"),
    [
        ((("negative", 1.0), ("neutral", 0.0), ("positive", 0.0)), -1.0),
        ((("LABEL_0", 0.1), ("LABEL_1", 0.2), ("LABEL_2", 0.7)), 0.6),
        ((("POSITIVE", 0.75), ("NEGATIVE", 0.25)), 0.5),
        ((("1 star", 0.5), ("2 stars", 0.5)), -0.75),
    ],
)
@pytest.mark.parametrize("nested", [True, False])
async def test_the_usual_labels_are_a_mood(
    labels: tuple[tuple[str, float], ...], mood: float, *, nested: bool
) -> None:
    model = await opened(Scripted(*labels, nested=nested))
    assert await model.sentiment("fine") == pytest.approx(mood)


async def test_it_runs_off_the_loop_on_a_bounded_text() -> None:
    scripted = Scripted(("positive", 1.0))
    await (await opened(scripted)).sentiment("x" * 50_000)
    assert scripted.thread != threading.get_ident()
    assert [len(text) for text in scripted.asked] == [2_000]


@pytest.mark.parametrize("labels", [(), (("spam", 1.0),), (("positive", 0.0),)])
async def test_labels_that_are_no_moods_are_refused(labels: tuple[tuple[str, float], ...]) -> None:
    with pytest.raises(UnavailableError):
        await (await opened(Scripted(*labels))).sentiment("fine")


async def test_a_slow_model_is_given_up() -> None:
    gate = threading.Event()
    model = await opened(lambda _text: gate.wait(5) and [], patience=0.01)
    with pytest.raises(UnavailableError, match="slow"):
        await model.sentiment("fine")
    gate.set()


async def test_a_model_that_does_not_load_is_named() -> None:
    def broken(name: str) -> Any:
        raise OSError(f"no file {name}")

    with pytest.raises(MisconfiguredError, match="some/model"):
        await PipelineSentiment("some/model", broken).open()


async def test_without_loading_it_is_unavailable() -> None:
    with pytest.raises(UnavailableError):
        await PipelineSentiment("some/model", lambda _name: Scripted()).sentiment("fine")


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(MisconfiguredError, match=r"torch and transformers.*usher\[torch\]"):
        PipelineSentiment("some/model")
