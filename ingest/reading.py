"""Reads a file without trusting it: parsers that can hang run in a process that can be killed.

Owns the limits of time and memory, and the guess of a page's language where nothing declares it.
Not here: what a format means (formats/), which files there are (sources/).
"""

import asyncio
import contextlib
import json
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import IO

from pydantic import TypeAdapter

from ingest.blocks import BlockKind, Page
from ingest.load import formats_of, load_pages
from ingest.spec import Raw
from knowledge.language import Languages

SECONDS = 60.0
START_SECONDS = 60.0
MEMORY = 2 << 30  # bytes of address space
IN_THREAD = 100_000  # bytes; a parser of text cannot do much harm with less
ENOUGH_LETTERS = 60  # of prose; below it the language is not guessed
_SAMPLE = 1_000  # characters
_LENGTH = struct.Struct(">Q")
_ROOT = Path(__file__).resolve().parent.parent

PAGES = TypeAdapter(tuple[Page, ...])


class Reader:
    """Reads files one after the other. Use as an async context manager: it may hold a process."""

    def __init__(
        self, seconds: float = SECONDS, memory: int = MEMORY, *, guess: bool = True
    ) -> None:
        """Give up on a file after `seconds`; `memory` bounds the parsing process, in bytes.

        Without `guess` a page that declares no language has none.
        """
        self._guess = guess
        self._seconds = seconds
        self._memory = memory
        self._languages = Languages()
        self._lock = asyncio.Lock()
        self._child: _Child | None = None

    async def __aenter__(self) -> "Reader":
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the parsing process, if there is one."""
        if self._child is not None:
            child, self._child = self._child, None
            await asyncio.to_thread(child.kill)

    async def read(
        self, path: str, data: bytes, charset: str | None = None, media_type: str | None = None
    ) -> tuple[Page, ...]:
        """Return the pages of a file, none when there is nothing to read in it.

        `path` is relative to its source, or a URL; `charset` and `media_type` are what the carrier
        declared. A page's locale is declared, else guessed, else None. Raises ValueError with a
        sentence when the file cannot be read, takes too long or needs too much memory.
        """
        specs = formats_of(Raw(path, data, charset), media_type)
        if any(spec.isolated for spec in specs) or len(data) > IN_THREAD:
            async with self._lock:
                pages = await self._apart(path, data, charset, media_type)
        else:
            pages = await asyncio.to_thread(_load, path, data, charset, media_type)
        return tuple([await self._with_locale(page) for page in pages]) if self._guess else pages

    async def _with_locale(self, page: Page) -> Page:
        sample = _prose(page)
        if page.locale is not None or sum(map(str.isalpha, sample)) < ENOUGH_LETTERS:
            return page
        return replace(page, locale=await self._languages.of(sample) or None)

    async def _apart(
        self, path: str, data: bytes, charset: str | None, media_type: str | None
    ) -> tuple[Page, ...]:
        if self._child is None:
            self._child = await asyncio.to_thread(_Child, self._memory)
        child = self._child
        header = json.dumps({"path": path, "charset": charset, "media_type": media_type})
        try:
            answer = await asyncio.to_thread(child.ask, header.encode(), data, self._seconds)
        except BaseException:
            # Also when cancelled: an answer that nobody waits for must not meet the next question.
            self._child = None
            child.kill()
            raise
        if not answer.startswith(b"["):
            raise ValueError(json.loads(answer)["error"])
        return PAGES.validate_json(answer)


class _Child:
    """A process that parses one file at a time. Blocking."""

    def __init__(self, memory: int) -> None:
        """Start it and wait until it listens: what that takes is no file's fault."""
        self._late = False
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "ingest.parsing", str(memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_ROOT,
            env={},  # a hostile file must find no secret
        )
        try:
            self._within(START_SECONDS)
        except ValueError:
            self.kill()
            raise

    def ask(self, header: bytes, data: bytes, seconds: float) -> bytes:
        """Return the child's answer. Raises ValueError when it is late or dies."""
        return self._within(seconds, header, data)

    def _within(self, seconds: float, *frames: bytes) -> bytes:
        timer = threading.Timer(seconds, self._too_late)
        timer.start()
        try:
            send(_pipe(self._process.stdin), *frames)
            return receive(_pipe(self._process.stdout))
        except (OSError, EOFError) as error:
            why = "takes too long to parse" if self._late else "breaks the parser, or is too large"
            raise ValueError(why) from error
        finally:
            timer.cancel()

    def kill(self) -> None:
        """End the process and collect it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                _pipe(pipe).close()

    def _too_late(self) -> None:
        self._late = True
        self._process.kill()


def send(pipe: IO[bytes], *frames: bytes) -> None:
    """Write frames, each behind its length."""
    for frame in frames:
        pipe.write(_LENGTH.pack(len(frame)))
        pipe.write(frame)
    pipe.flush()


def receive(pipe: IO[bytes]) -> bytes:
    """Return the next frame. Raises EOFError when the other side is gone."""
    length = pipe.read(_LENGTH.size)
    if len(length) < _LENGTH.size:
        raise EOFError
    (size,) = _LENGTH.unpack(length)
    frame = pipe.read(size)
    if len(frame) < size:
        raise EOFError
    return frame


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise OSError("no pipe")
    return pipe


def _load(path: str, data: bytes, charset: str | None, media_type: str | None) -> tuple[Page, ...]:
    try:
        return load_pages(path, data, charset, media_type)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _prose(page: Page) -> str:
    words: Sequence[str] = [
        block.text or " ".join(block.parts)
        for block in page.blocks
        if block.kind in (BlockKind.PARAGRAPH, BlockKind.LIST)
    ]
    return " ".join(words)[:_SAMPLE]
