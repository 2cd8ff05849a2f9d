"""The sentence encoder: texts in, vectors and layer means out, on onnxruntime.

Owns tokens, batching, the memo and the micro-batcher: a message is encoded once, however many parts
ask. Refuses nothing: odd, empty or huge text is encoded as far as its first 256 tokens go.
Not here: the graph (knowledge/graph.py), what the vectors mean (heads, retrieval).
"""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from core.settings import Section
from knowledge.graph import DIMENSIONS, LAYERS, graph_file, model_folder

Floats = npt.NDArray[np.float32]

MAX_TOKENS = 256
MAX_CHARACTERS = 8_000  # far beyond 256 tokens of any language; keeps a 100 kB message cheap
LIVE_BATCH = 32
MEMO_TEXTS = 2048  # 7.7 kB each


class EncoderSettings(Section):
    """Where the built graph is cached and how many threads one pass uses."""

    model_config = SettingsConfigDict(
        env_prefix="USHER_ENCODER_", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    threads: int = Field(default=2, ge=1, le=64)
    cache_dir: Path = Path("var/encoder")


@dataclass(frozen=True, slots=True)
class Encoded:
    """`vectors` float32 [n, 384]; `layers` float32 [n, 4, 384], means of layers 3-6, all unit."""

    vectors: Floats
    layers: Floats


_Row = tuple[Floats, Floats]
_Tokens = tuple[int, ...]


class Encoder:
    """One loaded model; safe to share between tasks and event loops.

    The model loads on first use (0.5 s; 3 s when the graph must be built) or with `load`.
    """

    def __init__(self, settings: EncoderSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._session: Any = None
        self._tokenizer: Any = None
        self._memo: OrderedDict[str, _Row] = OrderedDict()
        self._waiting: list[tuple[str, asyncio.Future[_Row]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def load(self) -> None:
        """Load the model now. Raises MisconfiguredError when its weights are missing or wrong."""
        await asyncio.to_thread(self._load)

    async def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode live texts in order; equal texts cost one pass while the memo remembers them.

        Texts that come while a pass runs share the next one, so that concurrent messages do not
        queue one by one.
        """
        clean = [_clean(text) for text in texts]
        if not clean:
            return Encoded(
                np.zeros((0, DIMENSIONS), np.float32),
                np.zeros((0, len(LAYERS), DIMENSIONS), np.float32),
            )
        found = {text: row for text in set(clean) if (row := self._remembered(text)) is not None}
        missing = [text for text in dict.fromkeys(clean) if text not in found]
        if missing:
            rows = await asyncio.gather(*[self._enqueue(text) for text in missing])
            found.update(zip(missing, rows, strict=True))
        return Encoded(
            np.stack([found[text][0] for text in clean]),
            np.stack([found[text][1] for text in clean]),
        )

    async def encode_batch(
        self,
        texts: Sequence[str],
        progress: Callable[[int, int], None] | None = None,
        batch: int = 16,
    ) -> Floats:
        """Encode many document texts: float32 [n, 384] in the order given, not remembered.

        Sorted by length inside, so little is wasted on padding. `progress(done, total)` is called
        on the event loop after each batch.
        """
        clean = [_clean(text) for text in texts]
        tokens = await asyncio.to_thread(self._tokenize, clean)
        order = sorted(range(len(clean)), key=lambda index: -len(tokens[index]))
        vectors = np.zeros((len(clean), DIMENSIONS), np.float32)
        wanted = ["vector"]
        for start in range(0, len(order), batch):
            part = order[start : start + batch]
            output = await asyncio.to_thread(self._run, [tokens[index] for index in part], wanted)
            vectors[part] = output[0]
            if progress is not None:
                progress(min(start + batch, len(order)), len(order))
        return vectors

    # --- the micro-batcher: everything below `_enqueue` runs on the caller's loop ---------------

    def _remembered(self, text: str) -> _Row | None:
        row = self._memo.get(text)
        if row is not None:
            self._memo.move_to_end(text)
        return row

    def _enqueue(self, text: str) -> asyncio.Future[_Row]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_Row] = loop.create_future()
        self._waiting.append((text, future))
        if self._worker is None or self._worker.done() or self._worker.get_loop() is not loop:
            self._worker = loop.create_task(self._drain())
        return future

    async def _drain(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:LIVE_BATCH], self._waiting[LIVE_BATCH:]
            texts = list(dict.fromkeys(text for text, _ in batch))
            try:
                rows = await asyncio.to_thread(self._encode_rows, texts)
            except Exception as error:  # noqa: BLE001 — handed to whoever waits
                _settle(batch, error)
            else:
                self._remember(rows)
                _settle(batch, rows)

    def _remember(self, rows: dict[str, _Row]) -> None:
        self._memo.update(rows)
        while len(self._memo) > MEMO_TEXTS:
            self._memo.popitem(last=False)

    # --- in a thread -----------------------------------------------------------------------------

    def _load(self) -> None:
        with self._lock:
            if self._session is not None:
                return
            import onnxruntime
            from tokenizers import Tokenizer

            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = self._settings.threads
            options.inter_op_num_threads = 1
            # Spinning threads would take the processor from the workers of this same machine.
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
            options.log_severity_level = 3
            tokenizer = Tokenizer.from_file(str(model_folder() / "tokenizer.json"))
            tokenizer.no_padding()
            tokenizer.enable_truncation(MAX_TOKENS)
            path = graph_file(self._settings.cache_dir)
            self._tokenizer = tokenizer
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )

    def _tokenize(self, texts: Sequence[str]) -> list[_Tokens]:
        self._load()
        return [tuple(encoding.ids) for encoding in self._tokenizer.encode_batch(list(texts))]

    def _encode_rows(self, texts: Sequence[str]) -> dict[str, _Row]:
        tokens = self._tokenize(texts)
        rows: dict[str, _Row] = {}
        for part in _alike(tokens):
            vectors, layers = self._run([tokens[index] for index in part], ["vector", "layers"])
            for row, index in enumerate(part):
                rows[texts[index]] = (vectors[row].copy(), layers[row].copy())
        return rows

    def _run(self, batch: Sequence[_Tokens], outputs: list[str]) -> list[Floats]:
        width = max(len(tokens) for tokens in batch)
        ids = np.zeros((len(batch), width), np.int64)
        mask = np.zeros((len(batch), width), np.int64)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        inputs = {"input_ids": ids, "attention_mask": mask}
        found: list[Floats] = self._session.run(outputs, inputs)
        return found


def _settle(
    batch: Sequence[tuple[str, asyncio.Future[_Row]]], found: dict[str, _Row] | Exception
) -> None:
    """Tell everyone who waits; whoever gave up meanwhile is passed over."""
    for text, future in batch:
        if future.done():
            continue
        if isinstance(found, Exception):
            future.set_exception(found)
        else:
            future.set_result(found[text])


def _clean(text: str) -> str:
    """Cut, and replace lone surrogates, which the tokenizer cannot take."""
    return text[:MAX_CHARACTERS].encode("utf-8", "replace").decode("utf-8")


def _alike(tokens: Sequence[_Tokens]) -> Iterator[list[int]]:
    """Group indices so that no text is padded to much more than its own length."""
    order = sorted(range(len(tokens)), key=lambda index: len(tokens[index]))
    group: list[int] = []
    for index in order:
        if group and len(tokens[index]) > 8 + 1.5 * len(tokens[group[0]]):
            yield group
            group = []
        group.append(index)
    if group:
        yield group
