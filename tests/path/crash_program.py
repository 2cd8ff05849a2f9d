"""The message path as a process that may die at any moment: run, killed and started again by test_crash.py.

The first process only forks lives and counts their deaths (`deaths` in the folder), so that a life starts in
milliseconds. A life serves deliveries as a provider's webhook would (a line in, `ok` back once it is committed)
on a Unix socket, works, and hands replies to a provider that is a file.
"""

import asyncio
import contextlib
import ctypes
import json
import os
import random
import signal
import sys
from dataclasses import asdict, dataclass
from pathlib import Path as FilePath
from typing import Any

from app.adapters.redis_link import RedisSettings, connect
from core import crash
from core.contracts import Context, Handle, HandlerSpec
from core.conversations import Inbox
from core.errors import UnknownOutcomeError
from core.messages import Outbound, Sent
from core.outcomes import Outcome, Turn
from tests.path.harness import INBOX, Path, hand_over, inbound

_PR_SET_PDEATHSIG = 1
PROVIDER_POINT = "provider.received"  # in the stand-in: it has the message, we have no answer yet


@dataclass(frozen=True, slots=True)
class Orders:
    """What a run of the program is to do. `crash` is armed for the first `lives` lives, or for all with None.

    Programs that share a `folder` share the provider; each has a door and deaths under its own `name`.
    """

    url: str
    folder: str
    name: str = "one"
    redis_url: str = ""
    crash: str = ""
    lives: int | None = None
    seed: int = 0
    can_reconcile: bool = True
    lease_seconds: float = 0.5
    claim_seconds: float = 0.5
    think_seconds: float = 0.0

    def to_json(self) -> str:
        """Return what the program takes as its argument."""
        return json.dumps(asdict(self))


class LineFile:
    """A file of JSON lines that several processes append to and that outlives a kill."""

    def __init__(self, path: FilePath) -> None:
        self._path = path

    def add(self, **line: object) -> None:
        """Append a line; it is on disk when this returns."""
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(handle, json.dumps(line).encode() + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)

    def lines(self) -> list[dict[str, Any]]:
        """Return what was appended so far."""
        if not self._path.exists():
            return []
        return [json.loads(line) for line in self._path.read_text().splitlines()]


class FileProvider:
    """A provider whose memory is a file; it answers `reconcile` from it, unless it cannot."""

    def __init__(self, sent: LineFile, *, can_reconcile: bool) -> None:
        self._sent = sent
        self._can_reconcile = can_reconcile

    async def deliver(self, outbound: Outbound, inbox: Inbox) -> Sent:
        """Take it."""
        self._sent.add(
            id=outbound.id,
            conversation=outbound.conversation_id,
            message=outbound.message_id,
            text=outbound.text,
            card=outbound.card is not None,
        )
        crash.crash_point(PROVIDER_POINT)
        return Sent(f"prv-{outbound.id}")

    async def reconcile(self, outbound: Outbound, inbox: Inbox) -> Sent | None:
        """Say whether it came."""
        if not self._can_reconcile:
            raise UnknownOutcomeError("this provider cannot say")
        had = any(line["id"] == outbound.id for line in self._sent.lines())
        return Sent(f"prv-{outbound.id}") if had else None


def recording(work: LineFile, seconds: float) -> Handle:
    """Return an echo that leaves a line when it begins and one when it ends."""

    async def echo(turn: Turn, context: Context) -> Outcome:
        facts = {"conversation": turn.conversation.id, "turn": turn.id, "process": os.getpid()}
        work.add(at="start", **facts)
        await asyncio.sleep(seconds)
        work.add(at="end", **facts)
        return Outcome(f"echo: {turn.text}")

    return echo


async def live(orders: Orders) -> None:
    """Work until killed."""
    folder = FilePath(orders.folder)
    provider = FileProvider(LineFile(folder / "sent"), can_reconcile=orders.can_reconcile)
    echo = recording(LineFile(folder / "work"), orders.think_seconds)
    usher = Path(
        orders.url,
        connect(RedisSettings(url=orders.redis_url)),
        provider,
        handlers={
            "answer": HandlerSpec("answer", echo),
            "escalate": HandlerSpec("escalate", hand_over),
        },
        lease_seconds=orders.lease_seconds,
        claim_seconds=orders.claim_seconds,
    )

    async def webhook(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            given = json.loads(line)
            accepted = await usher.intake.accept(INBOX, inbound(**given), 0.0)
            await usher.wakeups.wake("turn", accepted.conversation_id)
            writer.write(b"ok\n")
            await writer.drain()
        writer.close()

    door = folder / f"{orders.name}.door"
    door.unlink(missing_ok=True)
    async with await asyncio.start_unix_server(webhook, door):
        await usher.worker.run()


def die_with_parent() -> None:
    """Have the kernel kill us when our parent is gone, however it went."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    """Fork lives until told to stop."""
    orders = Orders(**json.loads(sys.argv[1]))
    child = 0

    def stop(*_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    deaths = LineFile(FilePath(orders.folder) / f"{orders.name}.deaths")
    die_with_parent()
    life = 0
    while True:
        child = os.fork()
        if child == 0:
            die_with_parent()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            random.seed(f"{orders.seed}:{life}")  # else every life throws the same dice
            crash.arm(orders.crash if orders.lives is None or life < orders.lives else "")
            asyncio.run(live(orders))
            os._exit(1)
        _pid, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
            sys.exit(f"a life ended by itself: {status}")
        deaths.add(life=life)
        life += 1


if __name__ == "__main__":
    main()
