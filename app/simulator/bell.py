"""Tells whoever watches that something changed; never what."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from starlette.types import ASGIApp, Receive, Scope, Send

T = TypeVar("T")
PATIENCE = 60.0  # seconds a request to a stand-in may hang; every caller of ours gives up before


class Bell:
    """Rings in every listener's queue, once for any number of changes not yet looked at."""

    def __init__(self) -> None:
        """Start with nobody listening."""
        self._queues: set[asyncio.Queue[None]] = set()

    def ring(self) -> None:
        """Say that something changed."""
        for queue in self._queues:
            if queue.empty():
                queue.put_nowait(None)

    @contextmanager
    def listening(self) -> Iterator["asyncio.Queue[None]"]:
        """Give a queue that gets an item after each change."""
        queue: asyncio.Queue[None] = asyncio.Queue()
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)


class HeardList(list[T]):
    """A list that tells of what is appended."""

    def __init__(self, heard: Callable[[T], None]) -> None:
        """Start empty; `heard` is called after each append."""
        super().__init__()
        self._heard = heard

    def append(self, item: T) -> None:
        """Append and tell."""
        super().append(item)
        self._heard(item)


class Ringing:
    """An ASGI app that rings after each of its requests, and lets none hang for ever."""

    def __init__(self, inner: ASGIApp, bell: Bell) -> None:
        """Wrap a stand-in's app."""
        self._inner, self._bell = inner, bell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._inner(scope, receive, send)
        except TimeoutError:
            return  # nobody waits for this answer any more
        finally:
            self._bell.ring()
