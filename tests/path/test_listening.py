"""Inboxes that are pulled: one process at a time, begun again after a failure, taken over after a death."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path as FilePath

import pytest

from app.listening import AGAIN_AT_MOST, Listeners
from app.metrics import PrometheusMetrics
from app.store.database import Database, DatabaseSettings
from app.store.leases import SqlLeases
from core.conversations import Inbox
from core.errors import UnavailableError
from core.messages import Event, Ignored
from tests.path.harness import INBOX, PATIENCE, TEAM
from tests.path.listen_program import HELD

Sink = Callable[[Event], Awaitable[None]]
ROOT = FilePath(__file__).parents[2]


@dataclass
class Bell:
    """A channel that hears what the test rings, and knows how many listen to it at once."""

    rung: asyncio.Queue[Event | Exception] = field(default_factory=asyncio.Queue)
    listening: int = 0
    most: int = 0
    started: int = 0

    async def listen(self, inbox: Inbox, sink: Sink) -> None:
        self.listening += 1
        self.started += 1
        self.most = max(self.most, self.listening)
        try:
            while True:
                match await self.rung.get():
                    case Exception() as error:
                        raise error
                    case event:
                        await sink(event)
        finally:
            self.listening -= 1


@dataclass
class Desk:
    """Two processes' worth of listeners over one database and one bell."""

    database: Database
    bell: Bell
    heard: list[str] = field(default_factory=list)
    inboxes: list[Inbox] = field(default_factory=lambda: [INBOX])

    def listeners(self, leases: SqlLeases | None = None) -> Listeners:
        async def found() -> list[tuple[Inbox, Bell]]:
            return [(inbox, self.bell) for inbox in self.inboxes]

        async def take(inbox: Inbox, event: Event) -> None:
            assert isinstance(event, Ignored)
            self.heard.append(event.reason)

        return Listeners(
            leases or SqlLeases(self.database),
            found,
            take,
            PrometheusMetrics(),
            held=1.0,
            renew=0.2,
            again=0.1,
            look=0.2,
            pace=0.01,
        )

    @contextlib.asynccontextmanager
    async def running(self, *runners: Listeners) -> AsyncIterator[list[asyncio.Task[None]]]:
        tasks = [asyncio.create_task(runner.run()) for runner in runners]
        try:
            yield tasks
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def until(self, what: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not what():  # noqa: ASYNC110 - others do the work
                await asyncio.sleep(0.01)


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    database = Database(DatabaseSettings(url=database_url))
    yield Desk(database, Bell())
    await database.close()


async def test_of_two_processes_one_listens_and_the_other_takes_over(desk: Desk) -> None:
    async with desk.running(desk.listeners(), desk.listeners()) as tasks:
        for n in range(3):
            desk.bell.rung.put_nowait(Ignored(f"a{n}"))
        await desk.until(lambda: len(desk.heard) == 3)
        await asyncio.sleep(0.5)  # some renewals
        assert (desk.bell.started, desk.bell.most) == (1, 1)
        for task in tasks:  # whichever listens gives its lease up
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert desk.bell.most == 1
        assert desk.bell.listening == 0
    async with desk.running(desk.listeners()):
        desk.bell.rung.put_nowait(Ignored("b"))
        await desk.until(lambda: desk.heard[-1] == "b")


async def test_a_listener_that_fails_begins_again(desk: Desk) -> None:
    async with desk.running(desk.listeners()):
        for n in range(4):
            desk.bell.rung.put_nowait(ConnectionError("gone"))
            desk.bell.rung.put_nowait(Ignored(f"a{n}"))
        await desk.until(lambda: len(desk.heard) == 4)
    assert (desk.bell.started, desk.bell.most) == (5, 1)


async def test_what_cannot_be_kept_ends_the_listening_for_a_while(desk: Desk) -> None:
    """The channel must not acknowledge what our database did not take."""
    taken = desk.listeners()
    refused = [UnavailableError("down")]

    async def take(inbox: Inbox, event: Event) -> None:
        if refused:
            desk.bell.rung.put_nowait(event)  # the provider sends it again
            raise refused.pop()
        desk.heard.append("kept")

    taken._heard = take
    async with desk.running(taken):
        desk.bell.rung.put_nowait(Ignored("a"))
        await desk.until(lambda: desk.heard == ["kept"])
    assert desk.bell.started == 2


class Faint(SqlLeases):
    """Leases of a database that stops answering."""

    down = False

    async def take(self, name: str, holder: str, seconds: float) -> bool:
        if self.down:
            raise UnavailableError("the database does not answer")
        return await super().take(name, holder, seconds)


async def test_without_the_database_nobody_goes_on_listening(desk: Desk) -> None:
    leases = Faint(desk.database)
    async with desk.running(desk.listeners(leases)):
        await desk.until(lambda: desk.bell.listening == 1)
        leases.down = True
        await desk.until(lambda: desk.bell.listening == 0)
        leases.down = False
        await desk.until(lambda: desk.bell.listening == 1)


async def test_inboxes_come_and_go(desk: Desk) -> None:
    async with desk.running(desk.listeners()):
        await desk.until(lambda: desk.bell.listening == 1)
        desk.inboxes.append(TEAM)
        await desk.until(lambda: desk.bell.listening == 2)
        desk.inboxes.clear()
        await desk.until(lambda: desk.bell.listening == 0)


@pytest.mark.fault
async def test_after_kill_9_another_process_listens(database_url: str, tmp_path: FilePath) -> None:
    async def start(name: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.path.listen_program", database_url, str(tmp_path), name,
            cwd=ROOT,
        )  # fmt: skip

    async def up(name: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while not await asyncio.to_thread((tmp_path / f"{name}.up").exists):  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    first = await start("first")
    second = None
    try:
        await up("first")
        second = await start("second")
        await asyncio.sleep(HELD * 1.5)  # longer than a lease: it is renewed
        assert not await asyncio.to_thread((tmp_path / "second.up").exists)
        first.send_signal(signal.SIGKILL)
        await first.wait()
        killed = asyncio.get_running_loop().time()
        await up("second")
        # two seconds of lease here, twenty in earnest: there it is half a minute at most
        assert asyncio.get_running_loop().time() - killed < HELD + 5
    finally:
        for process in (first, second):
            if process is not None and process.returncode is None:
                process.kill()
                await process.wait()


def test_in_earnest_it_is_half_a_minute_at_most() -> None:
    assert AGAIN_AT_MOST <= 30
