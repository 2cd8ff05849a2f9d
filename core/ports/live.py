"""Hints, sockets, short-lived state and counters: what may be lost."""

from collections.abc import AsyncIterator, Mapping
from typing import Literal, Protocol


class Wakeups(Protocol):
    """Hints that a conversation or the outbox has work. Losing one costs time, never a message."""

    async def wake(self, topic: Literal["turn", "outbox"], key: str, delay: float = 0.0) -> None:
        """Hint that a conversation (`turn`) or the outbox has work in `delay` seconds; never raises."""
        ...

    def listen(self) -> AsyncIterator[tuple[str, str]]:
        """Yield (topic, key) hints for ever; survives an outage."""
        ...


class Fanout(Protocol):
    """Publish/subscribe for sockets and waiting callers; fire and forget."""

    async def publish(self, topic: str, payload: Mapping[str, object]) -> None:
        """Publish JSON; never raises."""
        ...

    def subscribe(self, *topics: str) -> "Subscription":
        """Return an async context manager that yields payloads."""
        ...


class Subscription(Protocol):
    """A running subscription."""

    async def __aenter__(self) -> "Subscription":
        """Start listening; when this returns no later payload is missed."""
        ...

    async def __aexit__(self, *exc: object) -> None:
        """Stop listening."""
        ...

    async def get(self, timeout: float) -> Mapping[str, object] | None:  # noqa: ASYNC109
        """Return the next payload, or None after `timeout` seconds."""
        ...


class Cache(Protocol):
    """Short-lived state in Redis; every method degrades to a sensible answer when Redis is down."""

    async def get(self, key: str) -> str | None:
        """Return the value or None."""
        ...

    async def put(self, key: str, value: str, ttl: float) -> None:
        """Store for `ttl` seconds."""
        ...

    async def drop(self, key: str) -> None:
        """Delete."""
        ...

    async def allow(self, key: str, limit: int, per: float) -> bool:
        """Count one event; False when more than `limit` fell into the last `per` seconds."""
        ...

    async def healthy(self) -> bool:
        """Return whether Redis answers."""
        ...


class Metrics(Protocol):
    """Counters and timers that /metrics shows. Names are the metric's own, without prefix."""

    def count(self, name: str, amount: float = 1.0, **labels: str) -> None:
        """Add to a counter."""
        ...

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """Record a duration."""
        ...
