"""What the Slack adapter posts: privately where it must be, at the channel's pace, in blocks, with files."""

import dataclasses
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.simulator.switches import Failure
from channels._shared.pace import Pace
from core.clock import FrozenClock
from core.errors import (
    PermanentDeliveryError,
    RetryableDeliveryError,
    TooLargeError,
    UnknownOutcomeError,
)
from core.ids import OutboxId, PassageId
from core.messages import Attachment, Inbound, QuickReply
from core.turns import Citation
from tests.channels.slack_rig import ANNA, BOT, SHARED, TEAM, Rig, root_ts, wired_rig

ROOT = "1772625500.000001"
ASKED = f"slack:{TEAM}:{SHARED}:{ROOT}"
DIRECT = f"D{ANNA[1:]}"
SECRET_WORDS = "Your plan is Pro, 48 seats."


@pytest.fixture
async def wired(clock: FrozenClock) -> AsyncIterator[Rig]:
    async with wired_rig(clock) as rig:
        yield rig


def private(rig: Rig, **changes: Any) -> Any:
    return rig.outbound(
        SECRET_WORDS, address=f"{TEAM}:{ANNA}", thread=ASKED, private=True, **changes
    )


def read_by_all(rig: Rig) -> str:
    """Return all that stands in channels others read."""
    return json.dumps({c: m for c, m in rig.slack.channels.items() if not c.startswith("D")})


# ---------------------------------------------------------------- in private


async def test_a_private_answer_goes_by_direct_message(wired: Rig) -> None:
    sent = await wired.channel.deliver(private(wired), wired.inbox)
    (posted,) = wired.slack.channels[DIRECT]
    assert posted["text"] == SECRET_WORDS
    assert sent.provider_id == f"{TEAM}:{DIRECT}:{posted['ts']}"
    assert SECRET_WORDS not in read_by_all(wired)


async def test_where_no_direct_message_may_go_it_is_shown_to_one_person_alone(wired: Rig) -> None:
    wired.slack.no_direct.add(ANNA)
    choices = (QuickReply("Yes", "yes"),)
    sent = await wired.channel.deliver(private(wired, quick_replies=choices), wired.inbox)
    (shown,) = wired.slack.ephemeral
    assert (shown["user"], shown["channel"], shown["thread_ts"]) == (ANNA, SHARED, ROOT)
    assert shown["text"] == SECRET_WORDS
    assert shown["blocks"][-1]["elements"][0]["value"] == "yes"
    assert sent.provider_id.endswith(":ephemeral")
    assert SECRET_WORDS not in read_by_all(wired)


async def test_a_press_on_what_one_person_sees_goes_on_with_the_thread(wired: Rig) -> None:
    wired.slack.no_direct.add(ANNA)
    choices = (QuickReply("Yes", "yes"),)
    await wired.channel.deliver(private(wired, quick_replies=choices), wired.inbox)
    press = wired.slack.press(ANNA, SHARED, wired.slack.ephemeral[0]["ts"], "usher_reply_0")
    (said,) = await wired.events(press)
    assert isinstance(said, Inbound)
    assert (said.text, said.thread, said.shared) == ("yes", ASKED, True)


@pytest.mark.parametrize("address", [SHARED, f"{TEAM}/{SHARED}", "G0PRIVATE"])
async def test_a_private_answer_never_goes_to_a_channel(wired: Rig, address: str) -> None:
    with pytest.raises(PermanentDeliveryError):
        await wired.channel.deliver(
            dataclasses.replace(private(wired), address=address), wired.inbox
        )
    assert wired.slack.calls == []


async def test_with_neither_way_it_is_refused(wired: Rig) -> None:
    wired.slack.no_direct.add(ANNA)
    with pytest.raises(PermanentDeliveryError):
        await wired.channel.deliver(dataclasses.replace(private(wired), thread=None), wired.inbox)


async def test_a_lost_direct_message_is_found_and_a_lost_ephemeral_one_is_for_a_person(
    wired: Rig,
) -> None:
    wired.slack.switches.fail(Failure.timeout(accepted=True))
    with pytest.raises(UnknownOutcomeError):
        await wired.channel.deliver(private(wired), wired.inbox)
    wired.settled()
    sent = await wired.channel.reconcile(private(wired), wired.inbox)
    assert sent is not None
    assert sent.provider_id.startswith(f"{TEAM}:{DIRECT}:")

    del wired.slack.users[ANNA]  # nobody Slack lets us open a talk with
    with pytest.raises(UnknownOutcomeError, match="cannot look for it"):
        await wired.channel.reconcile(private(wired, id=OutboxId("out_9")), wired.inbox)


# ---------------------------------------------------------------- blocks


CITED = (Citation(1, PassageId("p"), "x.md", "Ex<port>", "CSV", "q", "https://docs.example.com"),)


async def test_sources_stand_in_small_print(wired: Rig) -> None:
    await wired.channel.deliver(wired.outbound("See **Export** [1]", citations=CITED), wired.inbox)
    said, small = wired.slack.channels[SHARED][-1]["blocks"]
    assert said["text"]["text"] == "See *Export* [1]"
    assert small["type"] == "context"
    (element,) = small["elements"]
    assert element["text"] == "Sources: [1] <https://docs.example.com|Ex&lt;port&gt;, CSV>"


@pytest.mark.parametrize("count", [1, 5, 6, 25])
async def test_five_choices_are_buttons_and_the_rest_numbered_lines(wired: Rig, count: int) -> None:
    choices = tuple(QuickReply(f"Choice <{n}>", f"choice {n}") for n in range(1, count + 1))
    await wired.channel.deliver(wired.outbound("Which?", quick_replies=choices), wired.inbox)
    said, actions, *more = wired.slack.channels[SHARED][-1]["blocks"]
    assert said["text"]["text"] == "Which?"
    shown = "\n".join(block["text"]["text"] for block in more)
    assert [b["value"] for b in actions["elements"]] == [c.value for c in choices[:5]]
    wanted = [f"{n}. Choice &lt;{n}&gt;" for n in range(6, count + 1)]
    assert [line for line in shown.splitlines() if ". Choice" in line] == wanted
    assert ("Reply with a number." in shown) is bool(wanted)


# ---------------------------------------------------------------- pace


class Ticking:
    """Time that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.at = 0.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


async def test_one_message_a_second_and_channel_in_order(wired: Rig) -> None:
    time = Ticking()
    wired.channel.post.pace = Pace(lambda: time.at, time.sleep)
    own = wired.inbox.settings
    assert own is not None
    inbox = dataclasses.replace(wired.inbox, settings=own.model_copy(update={"message_gap": 1.0}))
    for n in range(4):
        await wired.channel.deliver(wired.outbound(f"{n}", id=OutboxId(f"out_{n}")), inbox)
    await wired.channel.deliver(wired.outbound("there", address=f"{TEAM}:{ANNA}"), inbox)
    assert time.slept == [1.0, 1.0, 1.0], "another channel waits for nobody"
    assert [m["text"] for m in wired.slack.channels[SHARED]] == ["0", "1", "2", "3"]


async def test_retry_after_holds_for_all_that_goes_there(wired: Rig) -> None:
    time = Ticking()
    wired.channel.post.pace = Pace(lambda: time.at, time.sleep, patience=5.0)
    wired.slack.switches.fail(Failure.rate_limited(30))
    for message in ("out_1", "out_2"):
        with pytest.raises(RetryableDeliveryError) as caught:
            await wired.channel.deliver(wired.outbound(id=OutboxId(message)), wired.inbox)
        assert caught.value.retry_after == 30.0
    assert len(wired.slack.calls) == 1, "the second was not even tried"
    # the one that was told to wait comes when its lane brings it, be that a little early
    wired.slack.switches.fail(Failure.rate_limited(2))
    with pytest.raises(RetryableDeliveryError) as caught:
        await wired.channel.deliver(wired.outbound(), wired.inbox)
    assert caught.value.retry_after == 2.0
    assert len(wired.slack.calls) == 2
    time.at += 30
    await wired.channel.deliver(wired.outbound(id=OutboxId("out_2")), wired.inbox)


async def test_a_long_queue_is_told_when_to_come_again() -> None:
    time = Ticking()
    pace = Pace(lambda: time.at, lambda _s: _nothing(), patience=2.0)
    for _ in range(3):
        await pace.turn("C1", 1.0)
    for comes_again in (3.0, 4.0, 5.0):  # not all at once, to be sent away again
        with pytest.raises(RetryableDeliveryError) as caught:
            await pace.turn("C1", 1.0)
        assert caught.value.retry_after == comes_again
    await pace.turn("C2", 1.0)


async def _nothing() -> None:
    pass


# ---------------------------------------------------------------- files


async def a_file(rig: Rig, data: bytes = b"%PDF-1.7 x") -> Attachment:
    file = rig.slack.add_file("plan.pdf", data, "application/pdf")
    event = {
        "type": "message",
        "subtype": "file_share",
        "user": ANNA,
        "channel": DIRECT,
        "channel_type": "im",
        "ts": "1772625600.000100",
        "text": "",
        "files": [file],
    }
    (said,) = await rig.events(rig.slack.event(event))
    assert isinstance(said, Inbound)
    return said.attachments[0]


async def test_a_file_is_fetched_with_the_token(wired: Rig) -> None:
    attachment = await a_file(wired)
    assert await wired.channel.fetch(attachment, wired.inbox, 100) == b"%PDF-1.7 x"


async def test_a_file_known_by_id_alone_is_asked_for(wired: Rig) -> None:
    attachment = await a_file(wired)
    assert attachment.url is not None
    by_id = dataclasses.replace(attachment, url=f"slack-file:{attachment.url.rsplit('/', 1)[-1]}")
    assert await wired.channel.fetch(by_id, wired.inbox, 100) == b"%PDF-1.7 x"


async def test_a_file_is_cut_off_at_the_limit(wired: Rig) -> None:
    attachment = await a_file(wired, b"x" * 200_000)
    with pytest.raises(TooLargeError):
        await wired.channel.fetch(attachment, wired.inbox, 100_000)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/files/F1",
        "http://files.slack.com/F1",
        "https://files.slack.com.evil.example/F1",
        "https://files.slack.com@evil.example/F1",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "",
        "slack-file:F0NOTHERE",
    ],
)
async def test_the_token_goes_nowhere_else(wired: Rig, url: str) -> None:
    with pytest.raises(PermanentDeliveryError):
        await wired.channel.fetch(Attachment("x", "text/plain", 1, url=url), wired.inbox, 100)


async def test_without_the_scope_slack_shows_a_login_page_and_we_say_so(wired: Rig) -> None:
    attachment = await a_file(wired)
    wired.slack.bot_token = "xoxb-another"
    with pytest.raises(PermanentDeliveryError, match="files:read"):
        await wired.channel.fetch(attachment, wired.inbox, 100)


async def test_a_file_goes_out_as_a_link_that_shares_it(wired: Rig) -> None:
    file = Attachment("in[vite].ics", "text/calendar", 5, data=b"BEGIN")
    await wired.channel.deliver(wired.outbound("Booked.", attachments=(file,)), wired.inbox)
    posted = wired.slack.channels[SHARED][-1]
    assert posted["text"].startswith("Booked.\n<http://127.0.0.1:")
    assert posted["text"].endswith("|in(vite).ics>")
    assert [data for _, data in wired.slack.files.values()] == [b"BEGIN"]


async def test_the_thread_asked_in_is_the_one_answered(wired: Rig) -> None:
    (asked,) = (await wired.events(*wired.slack.say(ANNA, SHARED, f"<@{BOT}> hi")))[:1]
    assert isinstance(asked, Inbound)
    await wired.channel.deliver(wired.outbound("Hello", thread=asked.thread), wired.inbox)
    assert wired.slack.channels[SHARED][-1]["thread_ts"] == root_ts(wired)
