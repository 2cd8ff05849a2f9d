"""Runs backtests beside the server's work: a few questions at a time, with progress kept in the row.

Owns the tasks. A run that dies with the server is told as stopped; its file can be run again.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from app.backtest.judging import Judge
from app.backtest.questions import PastQuestion
from app.backtest.summing import summarise
from core.errors import BadInputError, ConflictError
from core.ids import TenantId
from core.views import BacktestRow

if TYPE_CHECKING:
    from app.store.backtests import SqlBacktests

logger = logging.getLogger(__name__)

AT_ONCE = 4
MOST_RUNS = 2  # of one process
_NOTED_EVERY = 1.0  # seconds

Encode = Callable[[Sequence[str]], Awaitable[Any]]
Summary = Mapping[str, object]


@dataclass(slots=True)
class _Run:
    tenant: TenantId
    backtest: str
    summary: dict[str, object]


class Backtester:
    """Starts runs and keeps their tasks until they end."""

    def __init__(self, store: "SqlBacktests", encode: Encode) -> None:
        """Keep runs in `store`; `encode` gives unit vectors, float32 [n, dimensions]."""
        self._store = store
        self._encode = encode
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def start(
        self, tenant: TenantId, name: str, questions: Sequence[PastQuestion], judge: Judge
    ) -> str:
        """Begin a run and return its id. Raises BadInputError, and ConflictError when too many run."""
        if not questions:
            raise BadInputError("there are no questions")
        if len(self._tasks) >= MOST_RUNS:
            raise ConflictError("two backtests are running already; wait for one to end")
        summary: dict[str, object] = {"status": "running", "done": 0, "questions": len(questions)}
        backtest = await self._store.start(tenant, name, summary)
        run = _Run(tenant, backtest, summary)
        task = asyncio.create_task(self._work(run, questions, judge), name=f"backtest {backtest}")
        self._tasks[backtest] = task
        task.add_done_callback(lambda _task: self._tasks.pop(backtest, None))
        return backtest

    def status(self, row: BacktestRow) -> Summary:
        """Return how a run stands: one that says it runs but does not was cut short."""
        if row.summary.get("status") == "running" and row.id not in self._tasks:
            return {**row.summary, "status": "stopped"}
        return row.summary

    async def wait(self, backtest: str) -> None:
        """Return when the run has ended."""
        if (task := self._tasks.get(backtest)) is not None:
            await asyncio.wait([task])

    async def close(self) -> None:
        """Stop what runs."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, run: _Run, questions: Sequence[PastQuestion], judge: Judge) -> None:
        try:
            await self._judge_all(run, questions, judge)
        except asyncio.CancelledError:
            run.summary["status"] = "stopped"
            with contextlib.suppress(Exception):
                await asyncio.shield(self._store.note(run.tenant, run.backtest, run.summary))
            raise
        except Exception:
            logger.exception("backtest.failed", extra={"backtest": run.backtest})
            run.summary["status"] = "failed"
            with contextlib.suppress(Exception):
                await self._store.note(run.tenant, run.backtest, run.summary)

    async def _judge_all(self, run: _Run, questions: Sequence[PastQuestion], judge: Judge) -> None:
        rows: list[dict[str, Any]] = [{} for _ in questions]
        waiting = iter(enumerate(questions))
        begun = noted = time.perf_counter()
        done = 0

        async def worker() -> None:
            nonlocal done, noted
            for n, question in waiting:
                rows[n] = await judge.row(n + 1, question)
                done += 1
                if time.perf_counter() - noted > _NOTED_EVERY:
                    noted = time.perf_counter()
                    run.summary["done"] = done
                    await self._store.note(run.tenant, run.backtest, run.summary)

        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(worker())
        vectors = np.asarray(await self._encode([q.gist for q in questions]), "<f4")
        report = await asyncio.to_thread(summarise, rows, questions, vectors)
        report["seconds"] = round(time.perf_counter() - begun, 1)
        run.summary.update(
            status="done",
            done=len(questions),
            totals=report["totals"],
            agreement=report["agreement"],
            gaps=len(report["gaps"]),
            seconds=report["seconds"],
        )
        await self._store.note(run.tenant, run.backtest, run.summary, report)
