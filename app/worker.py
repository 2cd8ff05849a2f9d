"""Runs turns, drains the outbox, fires alarms. Hints make it quick; sweeps of the rows make it sure."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from app.outbox import Sender
from app.router import Router
from core.errors import UnavailableError
from core.ids import ConversationId
from core.ports import Alarms, UnitOfWork, Wakeups

logger = logging.getLogger(__name__)

_SWEEP_EVERY = 1.0
_DELIVERIES = 4


class Worker:
    """The tasks of one worker. `run` returns when cancelled, after turns and sends in hand have ended or 5 s."""

    def __init__(
        self,
        turns: UnitOfWork,
        router: Router,
        sender: Sender,
        alarms: Alarms,
        wakeups: Wakeups,
        concurrency: int = 8,
        periodic: tuple[tuple[str, float, Callable[[], Awaitable[object]]], ...] = (),
    ) -> None:
        self._turns = turns
        self._router = router
        self._sender = sender
        self._alarms = alarms
        self._wakeups = wakeups
        self._slots = asyncio.Semaphore(concurrency)
        self._running: dict[ConversationId, asyncio.Task[None]] = {}
        # one token: wakes one idle delivery loop, waits for the next one when all are busy
        self._mail: asyncio.Queue[None] = asyncio.Queue(1)
        self._periodic = periodic
        self._rounds: set[asyncio.Task[object]] = set()
        self._stopping = False

    async def run(self) -> None:
        """Work until cancelled."""
        loops = [
            asyncio.create_task(self._listen(), name="worker.listen"),
            asyncio.create_task(self._every(_SWEEP_EVERY, self._sweep), name="worker.sweep"),
            *(
                # a slow provider holds up one loop, not everybody's mail
                asyncio.create_task(self._deliver(), name=f"worker.outbox-{n}")
                for n in range(_DELIVERIES)
            ),
            asyncio.create_task(
                self._every(_SWEEP_EVERY, self._alarms.fire_due), name="worker.alarms"
            ),
            *(
                asyncio.create_task(self._every(seconds, job), name=f"worker.{name}")
                for name, seconds, job in self._periodic
            ),
        ]
        try:
            await asyncio.gather(*loops)
        finally:
            self._stopping = True
            for task in loops:
                task.cancel()
            for task in loops:
                with contextlib.suppress(asyncio.CancelledError):
                    await task
            await self._finish()

    async def _finish(self) -> None:
        tasks: list[asyncio.Task[Any]] = [*self._running.values(), *self._rounds]
        if tasks:
            _done, late = await asyncio.wait(tasks, timeout=5.0)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _whole(self, job: Callable[[], Awaitable[object]]) -> object:
        """Run a round that being told to stop does not break off: half a send would have to be reconciled."""

        async def one_round() -> object:
            return await job()

        task = asyncio.create_task(one_round(), name="worker.round")
        self._rounds.add(task)
        task.add_done_callback(self._rounds.discard)
        return await asyncio.shield(task)

    async def _listen(self) -> None:
        async for topic, key in self._wakeups.listen():
            if topic == "turn":
                self._start(ConversationId(key))
            else:
                self._notify()

    async def _sweep(self) -> None:
        for conversation in await self._turns.ready():
            self._start(conversation)
        self._notify()

    def _start(self, conversation: ConversationId) -> None:
        if self._stopping or conversation in self._running:
            return
        task = asyncio.create_task(self._work(conversation), name=f"turn:{conversation}")
        self._running[conversation] = task
        task.add_done_callback(lambda _task: self._running.pop(conversation, None))

    async def _work(self, conversation: ConversationId) -> None:
        async with self._slots:
            while not self._stopping and await self._router.run(conversation):
                self._notify()

    def _notify(self) -> None:
        with contextlib.suppress(asyncio.QueueFull):
            self._mail.put_nowait(None)

    async def _deliver(self) -> None:
        while True:
            await self._mail.get()
            try:
                while await self._whole(self._sender.drain):
                    pass
            except UnavailableError:
                logger.warning("outbox.database_down")
                await asyncio.sleep(_SWEEP_EVERY)
            except Exception:
                # one bad job must not end the deliveries of everybody else, nor the worker with them
                logger.exception("outbox.round_failed")
                await asyncio.sleep(_SWEEP_EVERY)

    async def _every(self, seconds: float, job: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await self._whole(job)
            except UnavailableError:
                logger.warning("worker.database_down")
            except Exception:
                # one bad round must not end the loop that finds lost work
                logger.exception("worker.round_failed")
            await asyncio.sleep(seconds)
