"""Inboxes that are pulled: each is listened to by one process at a time, under a lease, and taken over when it dies.

Owns who listens, the lease's renewal and the pause before a listener that ended is started again.
Not here: what a channel hears (its `listen`), what becomes of it (app/doors.py).
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import cast
from uuid import uuid4

from app.doors import take
from app.services import Services
from core.contracts import Listens
from core.conversations import Inbox
from core.errors import UnavailableError
from core.logs import log_context
from core.messages import Event
from core.ports import Leases, Metrics

logger = logging.getLogger(__name__)

HELD = 20.0  # seconds a lease lasts
RENEW = 5.0
TRY = 5.0
AGAIN_AT_MOST = HELD + TRY  # seconds without a listener after a kill −9
LOOK = 30.0  # seconds between looks for inboxes made or removed
_BACKOFF = (1.0, 5.0, 15.0, 60.0)
_NOTHING = 300.0  # a channel whose inbox is not set up for pulling returns at once: it is asked again this late

Heard = Callable[[Inbox, Event], Awaitable[object]]
Found = Callable[[], Awaitable[Sequence[tuple[Inbox, Listens]]]]


class Listeners:
    """Every inbox that can be listened to, in this process's part. `run` returns when cancelled."""

    def __init__(
        self,
        leases: Leases,
        found: Found,
        heard: Heard,
        metrics: Metrics,
        *,
        held: float = HELD,
        renew: float = RENEW,
        again: float = TRY,
        look: float = LOOK,
        pace: float = 1.0,
    ) -> None:
        """Take a lease of `held` seconds, renew it every `renew`, ask for another's every `again`.

        `pace` stretches or shortens the pauses after a listener ended.
        """
        self._pace = pace
        self._leases = leases
        self._found = found
        self._heard = heard
        self._metrics = metrics
        self._held, self._renew, self._again, self._look = held, renew, again, look
        self._me = f"listener-{uuid4().hex[:12]}"
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._giving: set[asyncio.Task[None]] = set()  # leases on their way back

    async def run(self) -> None:
        """Listen until cancelled; leases are given up on the way out."""
        try:
            while True:
                with contextlib.suppress(UnavailableError):
                    await self._start(await self._found())
                await asyncio.sleep(self._look)
        finally:
            tasks = list(self._tasks.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.gather(*self._giving, return_exceptions=True)

    async def _start(self, found: Sequence[tuple[Inbox, Listens]]) -> None:
        wanted = {str(inbox.id): (inbox, channel) for inbox, channel in found}
        for key in [k for k in self._tasks if k not in wanted]:
            gone = self._tasks.pop(key)
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)
        for key, (inbox, channel) in wanted.items():
            if key not in self._tasks or self._tasks[key].done():
                task = asyncio.create_task(self._keep(inbox, channel), name=f"listen:{key}")
                self._tasks[key] = task

    async def _keep(self, inbox: Inbox, channel: Listens) -> None:
        """Wait for the lease, listen, and begin again after a pause, for ever."""
        name, failed = f"listen:{inbox.id}", 0
        with log_context(channel=inbox.channel):
            while True:
                if not await self._take(name):
                    await asyncio.sleep(self._again)
                    continue
                try:
                    state, heard = await self._listen(name, inbox, channel)
                finally:
                    giving = asyncio.create_task(self._give_up(name), name=f"{name}:drop")
                    self._giving.add(giving)
                    giving.add_done_callback(self._giving.discard)
                    await asyncio.shield(giving)
                failed = 1 if heard else failed + 1
                nothing = state == "ended" and not heard
                pause = _NOTHING if nothing else _BACKOFF[min(failed, len(_BACKOFF)) - 1]
                await asyncio.sleep(pause * self._pace)

    async def _listen(self, name: str, inbox: Inbox, channel: Listens) -> tuple[str, int]:
        """Listen as long as the lease is ours; returns how it ended and how much was heard."""
        heard = 0

        async def sink(event: Event) -> None:
            nonlocal heard
            heard += 1
            await self._heard(inbox, event)

        logger.info("listening.started")
        self._metrics.count("listening", channel=inbox.channel, state="started")
        listening: asyncio.Task[None] = asyncio.ensure_future(_whole(channel.listen(inbox, sink)))
        holding = asyncio.create_task(self._hold(name), name=f"{name}:lease")
        state = "ended"
        try:
            done, _ = await asyncio.wait((listening, holding), return_when=asyncio.FIRST_COMPLETED)
            if listening not in done:
                state = "lease_lost"
            elif listening.exception() is not None:
                state = "failed"
                error = listening.exception()
                logger.warning("listening.failed", extra={"kind": type(error).__name__})
        finally:
            for task in (listening, holding):
                task.cancel()
            await asyncio.gather(listening, holding, return_exceptions=True)
            self._metrics.count("listening", channel=inbox.channel, state=state)
            logger.info("listening.stopped", extra={"state": state})
        return state, heard

    async def _hold(self, name: str) -> None:
        """Renew until it is somebody else's, or until nobody can tell any more whose it is."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._held
        while True:
            await asyncio.sleep(self._renew)
            asked = loop.time()
            try:
                # an answer later than the lease's end is none
                async with asyncio.timeout_at(until):
                    ours = await self._leases.take(name, self._me, self._held)
            except (UnavailableError, TimeoutError):
                ours = asked < until - self._renew
            else:
                until = asked + self._held
            if not ours:
                return

    async def _give_up(self, name: str) -> None:
        with contextlib.suppress(UnavailableError):
            await self._leases.drop(name, self._me)

    async def _take(self, name: str) -> bool:
        try:
            return await self._leases.take(name, self._me, self._held)
        except UnavailableError:
            return False


async def _whole(listening: Awaitable[None]) -> None:
    await listening


def listeners(services: Services) -> Listeners:
    """Return the listeners of this server or worker: every customer or team inbox whose channel has `listen`."""

    async def found() -> Sequence[tuple[Inbox, Listens]]:
        names = [n for n in services.plugins.channels if has_listen(services, n)]
        if not names:
            return []
        every = [
            inbox
            for tenant in await services.directory.tenants()
            for inbox in await services.directory.inboxes(tenant.id)
        ]
        return [
            (
                services.inboxes.complete(inbox),
                cast("Listens", services.inboxes.channel(inbox.channel)),
            )
            for inbox in every
            if inbox.channel in names
        ]

    async def heard(inbox: Inbox, event: Event) -> object:
        return await take(services, inbox, event)

    return Listeners(services.leases, found, heard, services.metrics)


def has_listen(services: Services, name: str) -> bool:
    """Tell whether a channel also pulls."""
    return hasattr(services.inboxes.channel(name), "listen")
