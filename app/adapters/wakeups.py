"""Redis Streams: which conversation has work. A hint only; the SQL sweep finds whatever a lost one left."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator
from typing import Literal, cast
from uuid import uuid4

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from app.adapters.redis_link import REDIS_DOWN

logger = logging.getLogger(__name__)

STREAM = "usher:wake"
GROUP = "workers"
_KEPT = 10_000
_BLOCK_MS = 1_000  # under the socket's time-out: a command must notice a Redis that hangs


class RedisWakeups:
    """Port `Wakeups`. With Redis gone, hints still reach the worker of this process."""

    def __init__(self, redis: Redis, *, embedded: bool = False) -> None:
        # one process: whoever wakes and whoever listens share this very queue
        self._embedded = embedded
        self._redis = redis
        self._local: asyncio.Queue[tuple[str, str]] = asyncio.Queue(_KEPT)
        self._consumer = f"{socket.gethostname()}-{uuid4().hex[:8]}"
        self._later: set[asyncio.TimerHandle] = set()

    async def wake(self, topic: Literal["turn", "outbox"], key: str, delay: float = 0.0) -> None:
        """See the port."""
        if self._embedded:
            self._offer(topic, key, delay)
            return
        try:
            await self._redis.xadd(
                STREAM, {"topic": topic, "key": key, "delay": delay}, maxlen=_KEPT, approximate=True
            )
        except REDIS_DOWN:
            self._offer(topic, key, delay)

    def _offer(self, topic: str, key: str, delay: float) -> None:
        if delay > 0:
            loop = asyncio.get_running_loop()
            handle = loop.call_later(delay, self._offer, topic, key, 0.0)
            self._later = {h for h in self._later if h.when() > loop.time()} | {handle}
            return
        with contextlib.suppress(asyncio.QueueFull):  # the sweep will find it
            self._local.put_nowait((topic, key))

    async def listen(self) -> AsyncIterator[tuple[str, str]]:
        """See the port."""
        stopping = asyncio.Event()
        reader = asyncio.create_task(self._read(stopping), name="wakeups.read")
        try:
            while True:
                yield await self._local.get()
        finally:
            # the in-process Redis swallows a cancellation in a blocking read: say it in words too
            stopping.set()
            reader.cancel()
            for handle in self._later:
                handle.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reader

    async def _read(self, stopping: asyncio.Event) -> None:
        ready = False
        while not stopping.is_set():
            try:
                if not ready:
                    await self._join()
                    ready = True
                batches = await self._redis.xreadgroup(
                    GROUP, self._consumer, {STREAM: ">"}, count=50, block=_BLOCK_MS, noack=True
                )
                streams = cast("list[tuple[str, list[tuple[str, dict[str, str]]]]]", batches or [])
                for _stream, entries in streams:
                    for _id, fields in entries:
                        self._offer(fields["topic"], fields["key"], float(fields["delay"]))
                if not streams:  # fakeredis answers XREADGROUP at once, whatever BLOCK says
                    await asyncio.sleep(0.05)
            except REDIS_DOWN as error:
                ready = False
                logger.warning("wakeups.redis_down", extra={"error": type(error).__name__})
                await asyncio.sleep(1.0)

    async def _join(self) -> None:
        try:
            await self._redis.xgroup_create(STREAM, GROUP, id="$", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise
