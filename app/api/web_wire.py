"""The near end of a widget's socket: a bounded queue of frames, heartbeat, and how a socket ends.

Owns back-pressure: a client too slow to take its frames is asked to come back (1013).
Not here: what the frames say (web_session.py), the socket itself (socket.py).
"""

import asyncio
from collections.abc import Mapping
from typing import Protocol

from channels import web

PATIENCE = 10.0  # seconds one frame may wait before the client counts as slow
QUEUE = 128  # frames
POLICY_VIOLATION, TRY_AGAIN_LATER = 1008, 1013  # RFC 6455 §7.4.1 and its IANA registry


class HangUpError(Exception):
    """Ends the socket with a close code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Wire(Protocol):
    """A socket as a session needs it."""

    async def receive(self) -> str | bytes:
        """Return what comes next. Raises HangUpError when the other side has gone."""
        ...

    async def send(self, frame: Mapping[str, object]) -> None:
        """Send one frame."""
        ...


class Outlet:
    """A bounded queue before the wire, so that a slow client holds up nobody but itself."""

    def __init__(self, wire: Wire, heartbeat: float) -> None:
        self._wire = wire
        self._heartbeat = heartbeat
        self._queue: asyncio.Queue[web.OutFrame] = asyncio.Queue(QUEUE)

    async def put(self, frame: web.OutFrame) -> None:
        """Queue a frame that must arrive. Raises HangUpError when the client is too slow for it."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._queue.put(frame)
        except TimeoutError as error:
            raise HangUpError(TRY_AGAIN_LATER) from error

    def offer(self, frame: web.OutFrame) -> None:
        """Queue a frame that may be lost: a preview."""
        if not self._queue.full():
            self._queue.put_nowait(frame)

    async def run(self) -> None:
        """Send for ever; ping when there is nothing to say."""
        while True:
            try:
                async with asyncio.timeout(self._heartbeat):
                    frame = await self._queue.get()
            except TimeoutError:
                frame = web.PING
            await self._send(frame)

    async def flush(self) -> None:
        """Send what is still queued."""
        while not self._queue.empty():
            await self._send(self._queue.get_nowait())

    async def _send(self, frame: web.OutFrame) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._wire.send(frame)
        except TimeoutError as error:
            raise HangUpError(TRY_AGAIN_LATER) from error
