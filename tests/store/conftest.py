from collections.abc import AsyncIterator

import pytest

from app.store.database import Database, DatabaseSettings
from core.clock import FrozenClock
from tests.store.scene import Scene


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A fresh database, once per engine."""
    opened = Database(DatabaseSettings(url=database_url))
    yield opened
    await opened.close()


@pytest.fixture
async def scene(database: Database, clock: FrozenClock) -> Scene:
    """Two tenants, `demo` and `other`, each with a web and an SMS inbox."""
    made = Scene(database, clock)
    await made.begin()
    return made
