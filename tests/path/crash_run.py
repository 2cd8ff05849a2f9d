"""Drives crash_program.py from a test: starts it, delivers to it as a provider would, waits, looks at what is left."""

import asyncio
import contextlib
import json
import signal
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from pathlib import Path as FilePath
from typing import Any

from app.adapters.redis_link import RedisSettings, connect
from app.store.models import conversations, messages, outbox, turns
from tests.path.crash_program import LineFile, Orders
from tests.path.harness import PATIENCE, Path

ROOT = FilePath(__file__).parents[2]


class Run:
    """One program on one database, and a second connection to look from outside."""

    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self.folder = FilePath(orders.folder)
        self.usher = Path(orders.url, connect(RedisSettings(url=orders.redis_url)), None)

    def lines(self, name: str) -> list[dict[str, Any]]:
        """Return the lines of one of the program's files."""
        return LineFile(self.folder / name).lines()

    async def deliver(self, talks: Sequence[Sequence[str]]) -> None:
        """Deliver every talk's messages, each talk in order, all talks at once, each until it was taken."""
        await asyncio.gather(*(self._talk(f"c{n:02}", texts) for n, texts in enumerate(talks)))

    async def _talk(self, sender: str, texts: Sequence[str]) -> None:
        for text in texts:
            given = {"external_id": text, "text": text, "sender": sender}
            while not await self._taken(given):  # noqa: ASYNC110 - a provider tries again
                await asyncio.sleep(0.02)

    async def _taken(self, given: dict[str, str]) -> bool:
        try:
            reader, writer = await asyncio.open_unix_connection(
                self.folder / f"{self.orders.name}.door"
            )
        except OSError:
            return False
        with contextlib.suppress(OSError):
            writer.write(json.dumps(given).encode() + b"\n")
            answer = await reader.readline()
            writer.close()
            return answer == b"ok\n"
        return False

    async def died(self, times: int) -> None:
        """Wait until that many lives have ended."""
        async with asyncio.timeout(PATIENCE):
            while len(self.lines(f"{self.orders.name}.deaths")) < times:  # noqa: ASYNC110 - a process
                await asyncio.sleep(0.02)

    async def check_promises(self, talks: Sequence[Sequence[str]]) -> None:
        """Check promises 1 and 2 over everything that was said: once each, in order, nothing left behind."""
        said = [text for talk in talks for text in talk]
        inbound = await self.usher.rows(messages, messages.c.direction == "in")
        assert sorted(m["text"] for m in inbound) == sorted(said)
        assert {m["status"] for m in inbound} == {"handled"}

        committed = await self.usher.rows(turns, turns.c.state == "committed")
        assert {m["turn_id"] for m in inbound} == {t["id"] for t in committed}

        replies = await self.usher.rows(messages, messages.c.direction == "out")
        answered = [part for reply in replies for part in heard(reply["text"])]
        assert sorted(answered) == sorted(said)
        assert {r["status"] for r in replies} == {"sent"}
        assert {j["state"] for j in await self.usher.rows(outbox)} == {"sent"}
        held = conversations.c.work_at.is_not(None)
        assert await self.usher.rows(conversations, held) == []

    def check_provider(self, talks: Sequence[Sequence[str]]) -> None:
        """Check that the provider got every answer exactly once and each talk in order."""
        got: dict[str, list[str]] = defaultdict(list)
        for line in self.lines("sent"):
            got[line["conversation"]].extend(heard(line["text"]))
        assert sorted(got.values()) == sorted(list(talk) for talk in talks)

    def check_one_at_a_time(self) -> int:
        """Check that no conversation was thought about twice at once; return by how many processes."""
        work = self.lines("work")
        by_talk: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for line in work:
            by_talk[line["conversation"]].append((line["at"], line["turn"]))
        for steps in by_talk.values():
            for (start, turn), (end, same) in zip(steps[::2], steps[1::2], strict=True):
                assert (start, end) == ("start", "end")
                assert turn == same
        return len({line["process"] for line in work})


def heard(reply: str) -> list[str]:
    """Return the messages an echo answers."""
    return reply.removeprefix("echo: ").split("\n")


def talks_of(count: int, length: int) -> list[list[str]]:
    """Return that many talks of that many messages, every text its own."""
    return [[f"c{talk:02}-m{n:02}" for n in range(length)] for talk in range(count)]


@contextlib.asynccontextmanager
async def program(orders: Orders) -> AsyncIterator[Run]:
    """Run the program; the database has been seeded by the caller."""
    errors = FilePath(orders.folder) / f"{orders.name}.errors"
    with errors.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.path.crash_program", orders.to_json(),
            cwd=ROOT, stdout=log, stderr=log,
        )  # fmt: skip
    run = Run(orders)
    try:
        yield run
        assert process.returncode is None, errors.read_text()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        await process.wait()
        await run.usher.close()
