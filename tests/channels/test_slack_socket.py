"""Socket Mode against a real socket on loopback: acknowledged once it is kept, opened again when it ends."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.simulator.switches import Failure
from channels._shared import slack_socket
from core.clock import FrozenClock
from core.errors import UnavailableError
from core.messages import Event, Ignored, Inbound
from tests.channels.slack_rig import ANNA, BOT, SHARED, TEAM, Rig, wired_rig

PATIENCE = 10.0


class Sink:
    """What `listen` hands events to; `refusals` says how often it cannot keep one."""

    def __init__(self) -> None:
        self.kept: list[Event] = []
        self.refusals = 0
        self.changed = asyncio.Event()

    async def __call__(self, event: Event) -> None:
        self.changed.set()
        if self.refusals:
            self.refusals -= 1
            raise UnavailableError("the database is down")
        self.kept.append(event)


class Sleeps:
    """Notes how long is waited, and does not wait."""

    def __init__(self) -> None:
        self.waited: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.waited.append(seconds)
        await asyncio.sleep(0)


@pytest.fixture
async def wired(clock: FrozenClock) -> AsyncIterator[Rig]:
    async with wired_rig(clock, app_token="xapp-stand-in") as rig:
        yield rig


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> Sleeps:
    noted = Sleeps()
    run = slack_socket.run
    monkeypatch.setattr(slack_socket, "run", lambda open_url, take: run(open_url, take, noted))
    return noted


@asynccontextmanager
async def listening(rig: Rig, sink: Sink) -> AsyncIterator[None]:
    task = asyncio.create_task(rig.channel.listen(rig.inbox, sink))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(met: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not met():  # noqa: ASYNC110 - the stand-in has no event for it
            await asyncio.sleep(0.005)


def mention(rig: Rig) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(
        rig.slack.say(ANNA, SHARED, f"<@{BOT}> how do I export?")[0].body
    )
    return loaded


async def test_an_event_is_acknowledged_after_it_is_kept(wired: Rig) -> None:
    sink = Sink()
    async with listening(wired, sink):
        envelope = wired.slack.bring("events_api", mention(wired))
        await until(lambda: wired.slack.acknowledged)
    (event,) = sink.kept
    assert isinstance(event, Inbound)
    assert event.text == "how do I export?"
    assert wired.slack.acknowledged == [{"envelope_id": envelope}]


async def test_what_cannot_be_kept_is_not_acknowledged_and_comes_again(wired: Rig) -> None:
    sink = Sink()
    sink.refusals = 1
    async with listening(wired, sink):
        wired.slack.bring("events_api", mention(wired))
        async with asyncio.timeout(PATIENCE):
            await sink.changed.wait()
        assert wired.slack.acknowledged == []
    # the socket ended without an acknowledgement: Slack brings it over the next one
    async with listening(wired, sink):
        await until(lambda: wired.slack.acknowledged)
    assert len(sink.kept) == 1


async def test_a_command_is_answered_in_the_acknowledgement(wired: Rig) -> None:
    sink = Sink()
    form = {
        "command": "/usher",
        "text": "how do I export?",
        "team_id": TEAM,
        "user_id": ANNA,
        "channel_id": SHARED,
        "trigger_id": "1.2.3",
    }
    async with listening(wired, sink):
        wired.slack.bring("slash_commands", form)
        await until(lambda: wired.slack.acknowledged)
    (done,) = wired.slack.acknowledged
    assert done["payload"]["response_type"] == "ephemeral"
    assert isinstance(sink.kept[0], Inbound)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("events_api", {"team_id": TEAM, "type": "event_callback", "event": {"type": "message"}}),
        ("interactive", {"team": {"id": TEAM}, "type": "block_actions", "actions": [{}]}),
        ("slash_commands", {"team_id": TEAM}),
        ("a_kind_of_next_year", {"team_id": TEAM}),
    ],
)
async def test_what_cannot_be_understood_is_acknowledged_and_passed_over(
    wired: Rig, kind: str, payload: dict[str, Any]
) -> None:
    sink = Sink()
    async with listening(wired, sink):
        odd = wired.slack.bring(kind, payload)
        good = wired.slack.bring("events_api", mention(wired))
        await until(lambda: len(wired.slack.acknowledged) == 2)
    assert [done["envelope_id"] for done in wired.slack.acknowledged] == [odd, good]
    assert len([e for e in sink.kept if not isinstance(e, Ignored)]) == 1


async def test_another_workspaces_event_is_left_to_the_request_url(wired: Rig) -> None:
    sink = Sink()
    other = json.loads(json.dumps(mention(wired)).replace(TEAM, "T0OTHER"))
    async with listening(wired, sink):
        wired.slack.bring("events_api", other)
        await until(lambda: wired.slack.sockets)
        await asyncio.sleep(0.05)
    assert (sink.kept, wired.slack.acknowledged) == ([], [])


async def test_a_socket_slack_renews_is_opened_again_at_once(wired: Rig, sleeps: Sleeps) -> None:
    sink = Sink()
    async with listening(wired, sink):
        for _ in range(3):
            wired.slack.goodbye()
            wired.slack.bring("events_api", mention(wired))
        await until(lambda: len(wired.slack.acknowledged) == 3)
    assert wired.slack.sockets == 4
    assert sleeps.waited == []


async def test_a_socket_that_fails_is_tried_later_and_later(wired: Rig, sleeps: Sleeps) -> None:
    wired.slack.switches.fail(Failure.error(503), 7)
    sink = Sink()
    async with listening(wired, sink):
        wired.slack.bring("events_api", mention(wired))
        await until(lambda: wired.slack.acknowledged)
    assert sleeps.waited == [1.0, 2.0, 5.0, 15.0, 30.0, 30.0, 30.0]


async def test_a_socket_mode_switched_off_is_not_knocked_at_without_pause(
    wired: Rig, sleeps: Sleeps
) -> None:
    sink = Sink()
    async with listening(wired, sink):
        for _ in range(2):
            wired.slack.goodbye("link_disabled")
        await until(lambda: wired.slack.sockets == 3)
    assert sleeps.waited[:2] == [1.0, 2.0]


@pytest.mark.parametrize(
    "changes",
    [{"address": "T0INSTALLED"}, {"kind": "team"}],
)
async def test_only_the_workspace_at_home_listens(wired: Rig, changes: dict[str, Any]) -> None:
    import dataclasses

    other = dataclasses.replace(wired.inbox, **changes)
    await wired.channel.listen(other, Sink())
    assert wired.slack.calls == []


async def test_without_an_app_token_it_does_not_listen(clock: FrozenClock) -> None:
    async with wired_rig(clock) as rig:
        await rig.channel.listen(rig.inbox, Sink())
        assert rig.slack.calls == []
