from collections.abc import AsyncIterator
from typing import Any

import pytest

from core.clock import FrozenClock
from tests.app.console.office import Office, office


@pytest.fixture
async def desk(database_url: str, redis_url: str, clock: FrozenClock) -> AsyncIterator[Office]:
    """The console over a fresh database, once per engine."""
    async with office(database_url, redis_url, clock) as opened:
        yield opened


@pytest.fixture
async def quick(sqlite_url: str, redis_url: str, clock: FrozenClock) -> AsyncIterator[Any]:
    """The same on SQLite alone, for what has nothing to do with the database."""
    async with office(sqlite_url, redis_url, clock) as opened:
        yield opened
