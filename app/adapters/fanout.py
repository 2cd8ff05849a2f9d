"""Publish/subscribe over Redis for sockets and waiting callers.

One pattern subscription per process, dispatched locally: a socket costs a queue, not a connection. With Redis
gone, what this process publishes still reaches its own subscribers.
"""

import asyncio
import contextlib
import json
import logging
from collections import defaultdict
from collections.abc import Mapping

from redis.asyncio import Redis

from app.adapters.redis_link import REDIS_DOWN

logger = logging.getLogger(__name__)

PREFIX = "usher:fan:"
_QUEUE = 256


class LocalSubscription:
    """Port `Subscription`: a bounded queue; the oldest payload goes when a reader is too slow."""

    def __init__(self, owner: "RedisFanout", topics: tuple[str, ...]) -> None:
        self._owner = owner
        self._topics = topics
        self._queue: asyncio.Queue[Mapping[str, object]] = asyncio.Queue(_QUEUE)

    async def __aenter__(self) -> "LocalSubscription":
        """Start listening."""
        await self._owner.ready()
        self._owner.attach(self, self._topics)
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Stop listening."""
        self._owner.detach(self, self._topics)

    def offer(self, payload: Mapping[str, object]) -> None:
        """Queue a payload, dropping the oldest when full: the rows in SQL are the truth."""
        if self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(payload)

    async def get(self, timeout: float) -> Mapping[str, object] | None:  # noqa: ASYNC109 - a port
        """See the port."""
        try:
            async with asyncio.timeout(timeout):  # wait_for may swallow a cancellation (3.11)
                return await self._queue.get()
        except TimeoutError:
            return None


class RedisFanout:
    """Port `Fanout`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._subscribers: dict[str, set[LocalSubscription]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None
        self._up = asyncio.Event()
        self._linked = False

    async def publish(self, topic: str, payload: Mapping[str, object]) -> None:
        """See the port."""
        if self._linked:
            try:
                await self._redis.publish(PREFIX + topic, json.dumps(payload, default=str))
            except REDIS_DOWN:
                self._dispatch(topic, payload)
        else:
            self._dispatch(topic, payload)
            with contextlib.suppress(*REDIS_DOWN):  # other processes may be listening
                await self._redis.publish(PREFIX + topic, json.dumps(payload, default=str))

    def subscribe(self, *topics: str) -> LocalSubscription:
        """See the port."""
        return LocalSubscription(self, topics)

    async def ready(self) -> None:
        """Start the process's one subscription; returns when it stands or Redis proved absent."""
        if self._task is None:
            self._task = asyncio.create_task(self._read(), name="fanout.read")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._up.wait(), 3.0)

    def attach(self, subscription: LocalSubscription, topics: tuple[str, ...]) -> None:
        """Add a subscriber."""
        for topic in topics:
            self._subscribers[topic].add(subscription)

    def detach(self, subscription: LocalSubscription, topics: tuple[str, ...]) -> None:
        """Remove a subscriber."""
        for topic in topics:
            self._subscribers[topic].discard(subscription)
            if not self._subscribers[topic]:
                del self._subscribers[topic]

    async def close(self) -> None:
        """Stop reading."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def _dispatch(self, topic: str, payload: Mapping[str, object]) -> None:
        for subscription in tuple(self._subscribers.get(topic, ())):
            subscription.offer(payload)

    async def _read(self) -> None:
        while True:
            pubsub = self._redis.pubsub()
            try:
                await pubsub.psubscribe(PREFIX + "*")
                await pubsub.get_message(timeout=2.0)  # the confirmation
                self._linked = True
                self._up.set()
                while True:
                    message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=5.0)
                    if message is not None:
                        topic = str(message["channel"]).removeprefix(PREFIX)
                        self._dispatch(topic, json.loads(message["data"]))
            except REDIS_DOWN as error:
                logger.warning("fanout.redis_down", extra={"error": type(error).__name__})
                self._linked = False
                self._up.set()
                await asyncio.sleep(1.0)
            finally:
                with contextlib.suppress(*REDIS_DOWN):
                    await pubsub.aclose()  # type: ignore[no-untyped-call]
