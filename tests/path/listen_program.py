"""A process that listens under a lease and writes what it hears down, until it is killed.

Called as `python -m tests.path.listen_program URL FOLDER NAME`; touches FOLDER/NAME.up when it holds the lease.
"""

import asyncio
import sys
from pathlib import Path

from app.listening import Listeners
from app.metrics import PrometheusMetrics
from app.store.database import Database, DatabaseSettings
from app.store.leases import SqlLeases
from core.conversations import Inbox
from core.messages import Event
from tests.path.harness import INBOX

HELD = 2.0


class Marks:
    """A channel that says it is up and then hears nothing for ever."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    async def listen(self, inbox: Inbox, sink: object) -> None:
        await asyncio.to_thread(self.mark.touch)
        await asyncio.Event().wait()


async def main(url: str, folder: str, name: str) -> None:
    database = Database(DatabaseSettings(url=url))
    channel = Marks(Path(folder) / f"{name}.up")

    async def found() -> list[tuple[Inbox, Marks]]:
        return [(INBOX, channel)]

    async def heard(inbox: Inbox, event: Event) -> None:
        pass

    await Listeners(
        SqlLeases(database), found, heard, PrometheusMetrics(), held=HELD, renew=0.3, again=0.2
    ).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
