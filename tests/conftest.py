"""What every test gets: a frozen clock, real databases and Redis, a browser, and the guards.

Servers are real and shared by the run (tests/services.py); databases are fresh per test
(tests/databases.py); nothing reaches beyond this machine (tests/guards.py).
"""

import asyncio
import gc
import inspect
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest
import redis
from playwright.async_api import BrowserContext, Page, async_playwright

from core.clock import FrozenClock
from tests import databases, guards, services
from tests.live import Live, shared

# The same examples every time, and no opinion on how long one takes on a shared machine.
hypothesis.settings.register_profile("usher", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("usher")

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)  # a Wednesday

FOREIGN_SETTINGS = ("OPENAI_", "LANGCHAIN_", "LANGSMITH_", "TWILIO_", "SLACK_", "SMTP_", "USHER_")

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


# --- the run -----------------------------------------------------------------------------------


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def pytest_configure(config: pytest.Config) -> None:
    if not _is_worker(config):
        services.open_run()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not _is_worker(config):
        services.close_run()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            # First in, so last out: after every other fixture has cleaned up.
            item.fixturenames.insert(0, "no_task_left_over")


def pytest_collection(session: pytest.Session) -> None:
    gc.disable()  # collecting makes millions of objects that stay


def pytest_collection_finish(session: pytest.Session) -> None:
    gc.freeze()  # none of them is garbage, so that no test pays for looking through them
    gc.enable()


# --- guards ------------------------------------------------------------------------------------


@pytest.fixture(scope="session", autouse=True)
def stay_on_this_machine() -> Iterator[None]:
    with guards.no_network():
        yield


@pytest.fixture(autouse=True)
def never_block_the_loop(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.node.get_closest_marker("allow_blocking"):
        yield
        return
    with guards.no_blocking():
        yield


@pytest.fixture
async def no_task_left_over() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    left = await guards.running_tasks(before.__contains__)
    assert not left, "tasks left over:\n" + "\n".join(left)


@pytest.fixture(autouse=True)
def no_settings_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith(FOREIGN_SETTINGS)]:
        if name not in (services.RUN_DIR_VARIABLE, services.OWNER_VARIABLE):
            monkeypatch.delenv(name)


# --- time and state ----------------------------------------------------------------------------


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(NOON)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a fresh, migrated SQLite file."""
    return databases.new_sqlite(tmp_path / "usher.sqlite")


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """The URL of a fresh, migrated PostgreSQL database."""
    with databases.new_postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh, migrated database; the test runs once per engine."""
    fixture = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    return str(request.getfixturevalue(fixture))


@pytest.fixture
def redis_url(worker_id: str) -> str:
    """The URL of an empty Redis, this worker's own (publish/subscribe ignores database numbers)."""
    service = services.ensure("redis", f"redis-{worker_id}")
    with redis.Redis(port=service.port) as client:
        client.flushall()
    return f"redis://127.0.0.1:{service.port}/0"


@pytest.fixture
def redis_service(worker_id: str) -> Iterator[services.Service]:
    """A Redis of this test alone, to pause, stop, and start again on its port (services.ensure)."""
    name = f"redis-alone-{worker_id}"
    service = services.ensure("redis", name)
    yield service
    services.ensure("redis", name, service.port).stop()


# --- browser -----------------------------------------------------------------------------------


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[BrowserContext]:
    """A headless Chromium with an empty profile that reaches nothing but this machine."""
    chromium = shutil.which("chromium")
    assert chromium, "chromium is not installed: run `make test-services`"
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            tmp_path / "chromium",
            executable_path=chromium,
            headless=True,
            args=CHROMIUM_FLAGS,
            viewport={"width": 1280, "height": 900},
        )
        yield context
        await context.close()


@pytest.fixture
async def page(browser: BrowserContext) -> Page:
    """The page such a browser opens with."""
    return browser.pages[0]


@pytest.fixture
def live() -> Live:
    return shared()
