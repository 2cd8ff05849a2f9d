"""Promises 1 and 2 under `kill -9`: nothing lost, nothing twice, in order, whatever moment the process dies at."""

from dataclasses import replace
from pathlib import Path as FilePath

import pytest

from app.store.models import handoffs, messages, outbox
from app.store.outbox import CLAIM_SECONDS
from app.store.turns import LEASE_SECONDS
from core.conversations import HandoffReason
from tests.path.crash_program import PROVIDER_POINT, Orders
from tests.path.crash_run import program, talks_of
from tests.path.harness import path

pytestmark = pytest.mark.fault

POINTS = (
    "intake.stored",
    "intake.committed",
    "turn.claimed",
    "turn.thought",
    "turn.applied",
    "turn.committed",
    "outbox.claimed",
    PROVIDER_POINT,
    "outbox.delivered",
    "outbox.recorded",
)


async def _seed(url: str) -> None:
    async with path(url):
        pass


@pytest.mark.parametrize("point", POINTS)
async def test_every_life_dies_at_one_point(
    database_url: str, tmp_path: FilePath, point: str
) -> None:
    """Two lives die the first time they come to the point; the third finds everything and finishes it."""
    await _seed(database_url)
    talks = talks_of(3, 3)
    orders = Orders(database_url, str(tmp_path), crash=point, lives=2)
    async with program(orders) as run:
        for said, deaths in enumerate((1, 2, 2)):
            await run.deliver([talk[said : said + 1] for talk in talks])
            await run.died(deaths)
            await run.usher.quiet()
        await run.check_promises(talks)
        run.check_provider(talks)
        assert len(run.lines("one.deaths")) == 2


@pytest.mark.slow
async def test_two_hundred_messages_while_it_dies_anywhere(
    database_url: str, redis_url: str, tmp_path: FilePath
) -> None:
    """200 messages over 20 conversations; every point is armed in every life until all was delivered."""
    await _seed(database_url)
    talks = talks_of(20, 10)
    crash = ",".join(f"{point}:0.015" for point in POINTS)
    orders = Orders(database_url, str(tmp_path), redis_url=redis_url, crash=crash, seed=7)
    async with program(orders) as run:
        await run.deliver(talks)
        await run.usher.quiet()
        await run.check_promises(talks)
        run.check_provider(talks)
        assert len(run.lines("one.deaths")) >= 10


@pytest.mark.parametrize("point", ["outbox.claimed", PROVIDER_POINT, "outbox.delivered"])
async def test_a_send_that_nobody_can_clear_up_goes_to_a_person(
    database_url: str, tmp_path: FilePath, point: str
) -> None:
    """With a provider that cannot say, a doubtful reply is never sent again, and a person is asked for."""
    await _seed(database_url)
    orders = Orders(database_url, str(tmp_path), crash=point, lives=1, can_reconcile=False)
    async with program(orders) as run:
        await run.deliver([["only"]])
        await run.died(1)
        await run.usher.quiet()
        asked = await run.usher.rows(handoffs)
        assert [h["reason"] for h in asked] == [HandoffReason.UNKNOWN_SEND]
        replies = await run.usher.rows(messages, messages.c.kind == "reply")
        assert [r["status"] for r in replies] == ["dead"]
        customer = [line for line in run.lines("sent") if not line["card"]]
        assert len(customer) == {"outbox.claimed": 0}.get(point, 1)
        cards = await run.usher.rows(outbox, outbox.c.kind == "card")
        assert [c["state"] for c in cards] == ["sent"]


@pytest.mark.slow
async def test_two_workers_share_the_work(
    postgres_url: str, redis_url: str, tmp_path: FilePath
) -> None:
    """20 conversations of 10 messages: no conversation is worked on by two at once, all are answered once."""
    await _seed(postgres_url)
    talks = talks_of(20, 10)
    one = Orders(
        postgres_url,
        str(tmp_path),
        redis_url=redis_url,
        think_seconds=0.02,
        lease_seconds=LEASE_SECONDS,
        claim_seconds=CLAIM_SECONDS,
    )
    two = replace(one, name="two")
    async with program(one) as first, program(two) as second:
        await first.deliver([talk[:5] for talk in talks])
        await second.deliver([talk[5:] for talk in talks])
        await first.usher.quiet()
        await first.check_promises(talks)
        first.check_provider(talks)
        assert first.check_one_at_a_time() == 2
