"""A pace that a provider asks for: so many seconds between two messages to one place, in the order they came.

Of this process alone: with several workers the provider's Retry-After does the rest.
"""

import asyncio
from collections.abc import Awaitable, Callable

from core.errors import RetryableDeliveryError

_FORGET_OVER = 2_000  # places remembered before old ones are let go


class Pace:
    """Lets one message after the other through to a place. `now` in seconds, running; `sleep` takes seconds."""

    def __init__(
        self,
        now: Callable[[], float] | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        patience: float = 5.0,
    ) -> None:
        self._now = now or (lambda: asyncio.get_running_loop().time())
        self._sleep = sleep
        self._patience = patience
        self._free: dict[str, float] = {}
        self._held_by: dict[str, str] = {}
        self._told: dict[str, float] = {}  # when those sent away will be back, one after the other

    async def turn(self, place: str, gap: float, message: str = "") -> None:
        """Return when it is this message's turn; the one that was told to wait may ask the provider at any time.

        Raises RetryableDeliveryError, saying when, rather than wait longer than `patience` seconds.
        """
        now = self._now()
        if message and self._held_by.get(place) == message:
            return
        at = max(now, self._free.get(place, now))
        if at - now > self._patience:
            again = max(at, self._told.get(place, at))
            self._told[place] = again + gap
            raise RetryableDeliveryError("the place takes no more now", retry_after=again - now)
        self._free[place] = at + gap
        self._forget(now)
        if at > now:
            await self._sleep(at - now)

    def hold(self, place: str, seconds: float, message: str = "") -> None:
        """Let nothing else through to a place for so long: the provider said so to this message."""
        self._held_by[place] = message
        self._free[place] = max(self._free.get(place, 0.0), self._now() + seconds)

    def _forget(self, now: float) -> None:
        if len(self._free) > _FORGET_OVER:
            self._held_by.clear()
            self._free = {place: at for place, at in self._free.items() if at > now}
            self._told = {place: at for place, at in self._told.items() if at > now}
