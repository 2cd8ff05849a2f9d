"""Promise 1 against impatient providers and a Redis that comes and goes: the database alone decides."""

import asyncio
import random
from collections.abc import Sequence

import pytest

from app.store.models import contacts, conversations, messages
from core.messages import Inbound
from core.ports import Accepted
from tests import services
from tests.path.harness import INBOX, FakeProvider, Path, inbound, path

pytestmark = pytest.mark.fault

MESSAGES = [inbound(f"m{n:02}", f"text {n:02}", sender=f"s{n % 10}") for n in range(50)]
DELIVERIES = MESSAGES * 10
AT_ONCE = 40


async def _redeliver(usher: Path) -> list[tuple[Inbound, Accepted]]:
    """Deliver everything ten times, in no order, many at once."""
    gate = asyncio.Semaphore(AT_ONCE)
    shuffled = random.Random(5).sample(DELIVERIES, len(DELIVERIES))

    async def deliver(one: Inbound) -> tuple[Inbound, Accepted]:
        async with gate:
            accepted = await usher.intake.accept(INBOX, one, 0.0)
            await usher.wakeups.wake("turn", accepted.conversation_id)
            return one, accepted

    return list(await asyncio.gather(*(deliver(one) for one in shuffled)))


async def _check(usher: Path, delivered: Sequence[tuple[Inbound, Accepted]]) -> None:
    rows = await usher.rows(messages, messages.c.direction == "in")
    assert sorted(r["external_id"] for r in rows) == [m.external_id for m in MESSAGES]
    assert {(one.external_id, accepted.message_id) for one, accepted in delivered} == {
        (r["external_id"], r["id"]) for r in rows
    }
    assert [accepted.duplicate for _, accepted in delivered].count(False) == len(MESSAGES)
    assert len({r["conversation_id"] for r in rows}) == 10


def _answered(usher: Path) -> list[str]:
    """Return what was answered, message by message, as the provider got it."""
    texts = usher.provider.texts()
    return sorted(line for text in texts for line in text.removeprefix("echo: ").split("\n"))


async def test_five_hundred_redeliveries_of_fifty_messages(
    database_url: str, redis_url: str
) -> None:
    async with path(database_url, redis_url=redis_url) as usher, usher.working():
        delivered = await _redeliver(usher)
        await _check(usher, delivered)
        await usher.quiet()
        assert _answered(usher) == [m.text for m in MESSAGES]


async def test_first_messages_of_many_at_once_open_one_conversation_each(
    database_url: str,
) -> None:
    """Every sender's five first messages at once: one contact and one conversation come of them."""
    async with path(database_url) as usher:
        await asyncio.gather(*(usher.intake.accept(INBOX, one, 0.0) for one in MESSAGES))
        assert len(await usher.rows(contacts)) == 10
        assert len(await usher.rows(conversations)) == 10


async def test_redeliveries_while_redis_is_gone(
    database_url: str, redis_service: services.Service
) -> None:
    redis_service.stop()
    async with path(database_url, redis_url=_url(redis_service)) as usher, usher.working():
        delivered = await _redeliver(usher)
        await _check(usher, delivered)
        await usher.quiet()
        assert _answered(usher) == [m.text for m in MESSAGES]


async def test_without_redis_and_without_a_hint_the_sweep_finds_the_work(
    database_url: str, redis_service: services.Service
) -> None:
    redis_service.stop()
    async with path(database_url, redis_url=_url(redis_service)) as usher, usher.working():
        for one in MESSAGES[:10]:
            await usher.intake.accept(INBOX, one, 0.0)
        await usher.quiet()
        assert _answered(usher) == [m.text for m in MESSAGES[:10]]


async def test_redis_goes_and_comes_back(
    database_url: str, redis_service: services.Service
) -> None:
    provider = FakeProvider()
    url = _url(redis_service)
    async with path(database_url, provider, redis_url=url) as usher, usher.working():
        for n, change in enumerate((_nothing, redis_service.stop, lambda: _start(redis_service))):
            await asyncio.to_thread(change)
            for one in MESSAGES[n * 10 : n * 10 + 10]:
                accepted = await usher.intake.accept(INBOX, one, 0.0)
                await usher.wakeups.wake("turn", accepted.conversation_id)
            await usher.quiet()
        assert _answered(usher) == [m.text for m in MESSAGES[:30]]


async def test_redis_that_hangs_stops_nobody(
    database_url: str, redis_service: services.Service
) -> None:
    async with path(database_url, redis_url=_url(redis_service)) as usher, usher.working():
        await usher.wakeups.wake("turn", "warm")
        redis_service.pause()
        try:
            for one in MESSAGES[:3]:
                accepted = await usher.intake.accept(INBOX, one, 0.0)
                await usher.wakeups.wake("turn", accepted.conversation_id)
            await usher.quiet()
        finally:
            redis_service.resume()
        assert _answered(usher) == [m.text for m in MESSAGES[:3]]


def _url(service: services.Service) -> str:
    return f"redis://127.0.0.1:{service.port}/0"


def _nothing() -> None:
    pass


def _start(service: services.Service) -> None:
    services.ensure("redis", service.name, service.port)
