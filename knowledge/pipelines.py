"""A `transformers` text classifier in the place of the sentiment head; needs the extra `[torch]`.

Owns loading it once, off the event loop, running one text at a time in a thread, and reading the labels that
sentiment models use. Not here: what happens when it fails (knowledge/understanding.py falls back to the head).
"""

import asyncio
import importlib
import importlib.util
from collections.abc import Callable, Sequence
from typing import Any

from core.errors import MisconfiguredError, UnavailableError

LONGEST = 2_000
TIMEOUT = 5.0
_EXTRA = ("torch", "transformers")
_WORTH = {
    "negative": -1.0, "neg": -1.0, "label_0": -1.0,
    "neutral": 0.0, "neu": 0.0, "label_1": 0.0,
    "positive": 1.0, "pos": 1.0, "label_2": 1.0,
    "1 star": -1.0, "2 stars": -0.5, "3 stars": 0.0, "4 stars": 0.5, "5 stars": 1.0,
}  # fmt: skip

Pipeline = Callable[[str], Sequence[Any]]


class PipelineSentiment:
    """Implements `knowledge.understanding.SentimentModel` over a text-classification pipeline."""

    def __init__(
        self, model: str, load: Callable[[str], Pipeline] | None = None, timeout: float = TIMEOUT
    ) -> None:
        """Keep the model's name or folder; it loads with `open`.

        Raises MisconfiguredError when the extra is not installed.
        """
        if load is None:
            missing = [name for name in _EXTRA if importlib.util.find_spec(name) is None]
            if missing:
                raise MisconfiguredError(
                    f"the sentiment model {model!r} needs {' and '.join(missing)}:"
                    " install the extra, `uv pip install 'usher[torch]'`"
                )
        self._model = model
        self._load = load or _transformers
        self._timeout = timeout
        self._pipeline: Pipeline | None = None
        self._one = asyncio.Lock()

    async def open(self) -> None:
        """Load the model. Raises MisconfiguredError when it cannot be loaded."""
        try:
            self._pipeline = await asyncio.to_thread(self._load, self._model)
        except Exception as error:
            raise MisconfiguredError(
                f"the sentiment model {self._model!r} cannot be loaded: {error}"
            ) from error

    async def sentiment(self, text: str) -> float:
        """Return in [-1, 1] how the text feels. Raises UnavailableError when late or unreadable."""
        pipeline = self._pipeline
        if pipeline is None:
            raise UnavailableError("the sentiment model is not loaded")
        try:
            async with asyncio.timeout(self._timeout), self._one:
                found = await asyncio.to_thread(pipeline, text[:LONGEST])
        except TimeoutError as error:
            raise UnavailableError("the sentiment model is too slow") from error
        return _read(found)


def _read(found: Sequence[Any]) -> float:
    """Return the expected worth of the labels; pipelines nest one list a text."""
    labels = found[0] if found and isinstance(found[0], list) else found
    try:
        shares = [(_WORTH[str(each["label"]).lower()], float(each["score"])) for each in labels]
    except (KeyError, TypeError, ValueError) as error:
        raise UnavailableError("the sentiment model's labels are not moods") from error
    total = sum(share for _, share in shares)
    if total <= 0:
        raise UnavailableError("the sentiment model said nothing")
    return sum(worth * share for worth, share in shares) / total


def _transformers(model: str) -> Pipeline:
    made = importlib.import_module("transformers").pipeline(
        "text-classification", model=model, top_k=None, truncation=True, device=-1
    )
    pipeline: Pipeline = made
    return pipeline
