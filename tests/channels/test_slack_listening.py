"""Whom the Slack adapter answers, whom it leaves to people, and what customers change afterwards."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from core.clock import FrozenClock
from core.ids import TenantId
from core.messages import Correction, Ignored, Inbound, Overheard, Reaction
from tests.channels.serving import webhook
from tests.channels.slack_rig import (
    ALERTS,
    ANNA,
    AUTO,
    BOT,
    DANA,
    SHARED,
    TEAM,
    Rig,
    root_ts,
    wired_rig,
)

DEMO = TenantId("demo")


@pytest.fixture
async def wired(clock: FrozenClock) -> AsyncIterator[Rig]:
    async with wired_rig(clock) as rig:
        yield rig


async def inbound(rig: Rig, *said: Any) -> Inbound:
    events = await rig.events(*rig.slack.say(*said))
    assert isinstance(events[0], Inbound)
    return events[0]


# ---------------------------------------------------------------- left to people first


async def test_in_an_auto_channel_people_have_two_minutes(wired: Rig) -> None:
    first = await inbound(wired, ANNA, AUTO, "How do I export?")
    assert (first.wait, first.shared) == (120.0, True)
    assert first.metadata == {"left_to_people": "1"}
    more = await inbound(wired, ANNA, AUTO, "on Pro", root_ts(wired, AUTO))
    assert (more.wait, more.thread) == (120.0, first.thread)


async def test_how_long_is_a_setting(clock: FrozenClock) -> None:
    async with wired_rig(clock, auto_wait=45) as rig:
        assert (await inbound(rig, ANNA, AUTO, "How do I export?")).wait == 45.0


async def test_a_mention_does_not_wait_and_makes_the_thread_ours(wired: Rig) -> None:
    await inbound(wired, ANNA, AUTO, "How do I export?")
    asked = await inbound(wired, ANNA, AUTO, f"<@{BOT}> do you know?", root_ts(wired, AUTO))
    assert (asked.wait, asked.metadata) == (None, {})
    assert (await inbound(wired, ANNA, AUTO, "hello?", root_ts(wired, AUTO))).wait is None


async def test_a_colleague_who_answers_is_overheard_and_the_thread_is_theirs(wired: Rig) -> None:
    question = await inbound(wired, ANNA, AUTO, "How do I export?")
    root = root_ts(wired, AUTO)
    (heard,) = await wired.events(*wired.slack.say(DANA, AUTO, "Top right, Anna.", root))
    assert isinstance(heard, Overheard)
    assert (heard.thread, heard.text) == (question.thread, "Top right, Anna.")
    assert heard.actor == f"{TEAM}:{DANA}"
    thanks = await inbound(wired, ANNA, AUTO, "found it", root)
    assert thanks.automatic, "kept with the talk, and nobody's bot answers it"
    again = await inbound(wired, ANNA, AUTO, f"<@{BOT}> and as PDF?", root)
    assert (again.automatic, again.wait) == (False, None)


async def test_our_answer_does_not_take_a_thread_back_from_a_colleague(wired: Rig) -> None:
    asked = await inbound(wired, ANNA, SHARED, f"<@{BOT}> how do I export?")
    await wired.events(*wired.slack.say(DANA, SHARED, "I have it", root_ts(wired)))
    await wired.channel.deliver(wired.outbound(thread=asked.thread), wired.inbox)
    assert (await inbound(wired, ANNA, SHARED, "ok", root_ts(wired))).automatic


async def test_a_colleagues_own_message_in_an_auto_channel_is_no_question(wired: Rig) -> None:
    events = await wired.events(*wired.slack.say(DANA, AUTO, "Release tonight, all."))
    assert events == [Ignored("a colleague's message")]


async def test_a_colleague_who_names_us_is_answered(wired: Rig) -> None:
    asked = await inbound(wired, DANA, SHARED, f"<@{BOT}> how do I export?")
    assert (asked.sender, asked.automatic) == (f"{TEAM}:{DANA}", False)


async def test_colleagues_may_be_named_by_setting(clock: FrozenClock) -> None:
    async with wired_rig(clock, staff=ANNA, alert_channel="") as rig:
        events = await rig.events(*rig.slack.say(ANNA, AUTO, "Release tonight."))
        assert events == [Ignored("a colleague's message")]


async def test_colleagues_are_asked_for_once_in_five_minutes(wired: Rig) -> None:
    for text in ("one", "two", "three"):
        await inbound(wired, ANNA, AUTO, text)
    asked = [method for method, _ in wired.slack.calls]
    assert asked == ["conversations.members"]


async def test_without_that_scope_everybody_is_a_customer(wired: Rig) -> None:
    wired.slack.members.discard(ALERTS)
    assert (await inbound(wired, DANA, AUTO, "How do I export?")).wait == 120.0


# ---------------------------------------------------------------- direct messages and the pane


async def test_a_direct_message_is_not_shared_and_does_not_wait(wired: Rig) -> None:
    said = await inbound(wired, ANNA, ANNA, "my invoice?")
    assert (said.shared, said.wait, said.thread) == (False, None, None)
    assert said.reply_to == f"D{ANNA[1:]}"


@pytest.mark.parametrize(("hours", "goes_on"), [(23, True), (25, False)])
async def test_a_private_answer_is_gone_on_with_for_a_day(
    wired: Rig, hours: int, goes_on: bool
) -> None:
    asked = await inbound(wired, ANNA, SHARED, f"<@{BOT}> book a session")
    answer = wired.outbound(
        "Which day?", address=f"{TEAM}:{ANNA}", thread=asked.thread, private=True
    )
    await wired.channel.deliver(answer, wired.inbox)
    wired.clock.advance(timedelta(hours=hours))
    said = await inbound(wired, ANNA, ANNA, "tomorrow at ten")
    assert (said.thread == asked.thread) is goes_on
    assert said.shared is False


async def test_the_assistant_pane_offers_prompts_and_shows_work(wired: Rig) -> None:
    await wired.events(wired.slack.open_assistant(ANNA))
    (offer,) = wired.slack.statuses
    assert [p["message"] for p in offer["prompts"]] == ["Book a session", "Talk to a person"]
    said = await inbound(wired, ANNA, ANNA, "How do I export?", offer["thread_ts"])
    assert said.thread == f"slack:{TEAM}:{offer['channel_id']}:{offer['thread_ts']}"
    assert wired.slack.statuses[1]["status"] == "is looking it up…"


async def test_a_pane_that_cannot_be_dressed_still_talks(wired: Rig) -> None:
    wired.slack.team_id = TEAM
    await wired.events(wired.slack.open_assistant(ANNA))
    ts = wired.slack.statuses[0]["thread_ts"]
    wired.slack.bot_token = "xoxb-another"
    assert (await inbound(wired, ANNA, ANNA, "hello", ts)).text == "hello"


async def test_the_command_is_answered_at_once_and_by_direct_message(wired: Rig) -> None:
    received = await wired.channel.receive(
        webhook(wired.slack.command(ANNA, SHARED, "how do I export?")), wired.inbox
    )
    (event,) = received.events
    assert isinstance(event, Inbound)
    assert (event.reply_to, event.shared) == (ANNA, False)
    assert b"direct message" in received.reply.body
    assert b'"ephemeral"' in received.reply.body


# ---------------------------------------------------------------- afterwards


async def test_an_edit_and_a_deletion_name_the_message_they_change(wired: Rig) -> None:
    asked = await inbound(wired, ANNA, SHARED, f"<@{BOT}> how do I export?")
    ts = root_ts(wired)
    edit = wired.slack.edit(SHARED, ts, f"<@{BOT}> how do I export &amp; import?")
    gone = wired.slack.delete(SHARED, ts)
    edited, deleted = await wired.events(edit, gone)
    assert edited == Correction(
        "slack", asked.external_id, asked.sender, "how do I export & import?"
    )
    assert deleted == Correction("slack", asked.external_id, asked.sender, None)


@pytest.mark.parametrize(
    ("reaction", "value"),
    [
        ("+1", "up"),
        ("thumbsup", "up"),
        ("+1::skin-tone-5", "up"),
        ("thumbsdown::skin-tone-2", "down"),
    ],
)
async def test_a_thumb_names_our_message(wired: Rig, reaction: str, value: str) -> None:
    sent = await wired.channel.deliver(wired.outbound(), wired.inbox)
    ts = sent.provider_id.rsplit(":", 1)[-1]
    up = wired.slack.react(ANNA, SHARED, ts, reaction)
    away = wired.slack.react(ANNA, SHARED, ts, reaction, added=False)
    got, taken = await wired.events(up, away)
    assert isinstance(got, Reaction)
    assert isinstance(taken, Reaction)
    assert (got.provider_id, got.value, taken.value) == (sent.provider_id, value, "")


async def test_a_thumb_under_somebody_elses_message_is_nothing(wired: Rig) -> None:
    await inbound(wired, ANNA, SHARED, f"<@{BOT}> how do I export?")
    (got,) = await wired.events(wired.slack.react(DANA, SHARED, root_ts(wired), "+1"))
    assert isinstance(got, Ignored)


# ---------------------------------------------------------------- a look only


async def test_a_look_verifies_nothing_and_leaves_nothing_behind(wired: Rig) -> None:
    for signed in (
        *wired.slack.say(ANNA, AUTO, "How do I export?"),
        *wired.slack.say(ANNA, SHARED, f"<@{BOT}> export?"),
        wired.slack.open_assistant(ANNA),
        wired.slack.event({"type": "app_uninstalled"}),
    ):
        unsigned = webhook(signed)
        unsigned.headers.pop("x-slack-signature")  # type: ignore[attr-defined]
        assert len((await wired.channel.read(unsigned, wired.inbox)).events) == 1
    assert wired.state.rows == {}
    assert wired.slack.calls == []
