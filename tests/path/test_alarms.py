"""The handoff's clocks: alert again at 60 s, breach at 120 s, each once, and never once somebody has come."""

import asyncio
from datetime import timedelta

import pytest

from app.store.alarms import SqlAlarms
from app.store.database import Database, DatabaseSettings
from app.store.models import alarms, handoffs
from core.clock import FrozenClock
from tests.path.harness import MAYA, TENANT, Path, path

pytestmark = pytest.mark.fault

REALERT, BREACH = "handoff.realert", "handoff.breach"


async def _fire_twice_at_once(usher: Path, url: str) -> list[str]:
    """Sweep from two processes' worth of connections at the same moment; return what fired."""
    other = Database(DatabaseSettings(url=url))
    try:
        both = await asyncio.gather(
            usher.alarms.fire_due(), SqlAlarms(other, usher.clock).fire_due()
        )
    finally:
        await other.close()
    await usher.settle()
    return [alarm.kind for fired in both for alarm in fired]


def _alerts(usher: Path) -> list[tuple[str, str]]:
    """Return each alert's state and clock."""
    return [(c.state, dict(c.fields).get("Clock", "")) for c in usher.provider.cards() if c.title]


async def test_each_clock_strikes_once(database_url: str, clock: FrozenClock) -> None:
    async with path(database_url, clock=clock) as usher:
        await usher.say("a", "human")
        await usher.settle()
        asked = [("open", "")]
        assert _alerts(usher) == asked

        clock.advance(timedelta(seconds=59))
        assert await _fire_twice_at_once(usher, database_url) == []
        clock.advance(timedelta(seconds=1))
        assert await _fire_twice_at_once(usher, database_url) == [REALERT]
        again = [*asked, ("open", "still unclaimed after 60 s")]
        assert _alerts(usher) == again

        clock.advance(timedelta(seconds=59))
        assert await _fire_twice_at_once(usher, database_url) == []
        clock.advance(timedelta(seconds=1))
        assert await _fire_twice_at_once(usher, database_url) == [BREACH]
        assert _alerts(usher) == [*again, ("open", "breached at 120 s")]

        clock.advance(timedelta(days=1))
        assert await _fire_twice_at_once(usher, database_url) == []
        (row,) = await usher.rows(handoffs)
        assert row["realerted_at"] - row["requested_at"] == timedelta(seconds=60)
        assert row["breached_at"] - row["requested_at"] == timedelta(seconds=120)


@pytest.mark.parametrize(("claimed_after", "clocks"), [(59, 0), (60, 1)])
async def test_a_claim_silences_the_clocks(
    database_url: str, clock: FrozenClock, claimed_after: int, clocks: int
) -> None:
    async with path(database_url, clock=clock) as usher:
        accepted = await usher.say("b", "human")
        await usher.settle()
        clock.advance(timedelta(seconds=claimed_after))
        await _fire_twice_at_once(usher, database_url)
        await usher.humans.take_over(TENANT, accepted.conversation_id, MAYA, None)
        clock.advance(timedelta(seconds=300))
        await _fire_twice_at_once(usher, database_url)
        assert [state for state, _ in _alerts(usher)] == ["open"] * (1 + clocks) + ["claimed"]
        (row,) = await usher.rows(handoffs)
        assert (row["realerted_at"] is not None, row["breached_at"]) == (clocks == 1, None)
        assert await usher.rows(alarms, alarms.c.fired_at.is_(None)) == []
