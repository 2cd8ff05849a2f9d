"""Telegram's updates in, its Bot API out over HTTP against a stand-in on loopback."""

import dataclasses
import json
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from app.simulator.switches import Failure
from app.simulator.telegram_api import TelegramStandIn, shown_units
from channels.telegram import CHANNEL, TelegramChannel, TelegramSettings, configured
from core.clock import FrozenClock
from core.contracts import WebhookRequest
from core.conversations import Inbox
from core.errors import (
    AnomalousPayloadError,
    DeliveryError,
    MisconfiguredError,
    PermanentDeliveryError,
    RetryableDeliveryError,
    SignatureError,
    TooLargeError,
    UnknownOutcomeError,
)
from core.ids import InboxId, OutboxId, PassageId, TenantId
from core.messages import Attachment, Author, Inbound, MessageKind, Outbound, QuickReply, Sent
from core.turns import Citation
from tests.channels.serving import PAYLOADS, MemoryState, channel_context, payload, serve, webhook

TOKEN = "7000000001:AAF-abcdefghijklmnopqrstuvwxyz01234"
SECRET, NAME, ANN, GROUP = "0123456789abcdef-_", "lumen_help_bot", "5001", "-1001234"
PUBLIC = "https://help.example.com"
URL = f"{PUBLIC}/channels/telegram?bot=7000000001"
FILE_FIELDS = ("name", "content_type", "size", "data", "url", "id", "refused")
CASES = sorted(path.stem for path in (PAYLOADS / "telegram").glob("*.json"))


@dataclass
class Rig:
    """The adapter, its inbox and the stand-in it talks to."""

    channel: TelegramChannel
    inbox: Inbox
    telegram: TelegramStandIn
    state: MemoryState
    clock: FrozenClock

    def request(self, name: str = "question") -> WebhookRequest:
        return webhook(self.telegram.update(payload("telegram", name)["update"]))

    async def event(self, update: dict[str, Any]) -> Any:
        request = webhook(self.telegram.update(update))
        return (await self.channel.receive(request, self.inbox)).events[0]

    async def send(self, text: str, **changes: Any) -> Sent:
        return await self.channel.deliver(self.outbound(text, **changes), self.inbox)

    def outbound(self, text: str, **changes: Any) -> Outbound:
        message = Outbound(
            id=OutboxId("out_1"),
            tenant=TenantId("demo"),
            inbox=self.inbox.id,
            channel="telegram",
            address=ANN,
            text=text,
            author=Author.BOT,
            kind=MessageKind.REPLY,
            created_at=self.clock.now(),
        )
        return dataclasses.replace(message, **changes)


@pytest.fixture
async def rig(clock: FrozenClock) -> AsyncIterator[Rig]:
    telegram = TelegramStandIn(TOKEN, SECRET, URL, NAME)
    telegram.webhook = {
        "url": URL,
        "allowed_updates": [
            "message", "edited_message", "callback_query", "message_reaction", "my_chat_member",
        ],
    }  # fmt: skip
    state = MemoryState()
    channel = CHANNEL.build(channel_context(clock, state))
    assert isinstance(channel, TelegramChannel)
    async with serve(telegram.app()) as url:
        own = TelegramSettings(
            _env_file=None,
            bot_token=TOKEN,
            webhook_secret=SECRET,
            username=NAME,
            public_url=PUBLIC,
            api_base_url=url,
            timeout=0.3,
        )
        inbox = Inbox(InboxId("inb_1"), TenantId("demo"), "telegram", "7000000001", settings=own)
        yield Rig(channel, inbox, telegram, state, clock)
        telegram.switches.release()


# ---------------------------------------------------------------- updates in


@pytest.mark.parametrize("name", CASES)
async def test_each_update_becomes_its_event(rig: Rig, name: str) -> None:
    case = payload("telegram", name)
    request = rig.request(name)
    received = await rig.channel.receive(request, rig.inbox)
    (event,) = received.events
    expected = {**case["event"]}
    assert type(event).__name__ == expected.pop("type")
    got = dataclasses.asdict(event)
    got["attachments"] = [
        {key: file[key] for key in FILE_FIELDS} for file in got.get("attachments", ())
    ]
    assert {key: got[key] for key in expected} == expected
    assert rig.channel.locate(request) == rig.inbox.address
    assert received.reply.status == 200
    assert (await rig.channel.read(request, rig.inbox)).events == received.events


async def test_a_press_stops_its_button_in_the_reply(rig: Rig) -> None:
    reply = (await rig.channel.receive(rig.request("press"), rig.inbox)).reply
    assert json.loads(reply.body) == {
        "method": "answerCallbackQuery",
        "callback_query_id": "4382bfdwdsb323b2d9",
    }


async def test_a_thousand_wrong_secrets_are_refused_and_nothing_is_kept(rig: Rig) -> None:
    chance = random.Random(7)
    good, refused = rig.request(), 0
    for _ in range(1000):
        at = chance.randrange(len(SECRET))
        other = chance.choice([c for c in "abcdefXYZ0123456789" if c != SECRET[at]])
        wrong = chance.choice(
            (SECRET[:at] + other + SECRET[at + 1 :], SECRET[:-1], SECRET + "x", "", "é\ud800")
        )
        headers = {**good.headers, "x-telegram-bot-api-secret-token": wrong}
        with pytest.raises(SignatureError):
            await rig.channel.receive(dataclasses.replace(good, headers=headers), rig.inbox)
        refused += 1
    assert (refused, rig.state.rows) == (1000, {})


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"update_id": "x"}', b"\xff", b"[" * 9000])
async def test_what_is_no_update_is_anomalous(rig: Rig, body: bytes) -> None:
    with pytest.raises(AnomalousPayloadError):
        await rig.channel.receive(dataclasses.replace(rig.request(), body=body), rig.inbox)


@pytest.mark.parametrize("odd", [None, 7, "x", [], {}, True, -1.5, "\ud800", {"id": True}, [[]]])
async def test_any_field_may_be_anything(rig: Rig, odd: object) -> None:
    for name in CASES:
        update = payload("telegram", name)["update"]
        (kind,) = [key for key in update if key != "update_id"]
        for key in update[kind]:
            await rig.event({**update, kind: {**update[kind], key: odd}})
        await rig.event({**update, kind: odd})


# ---------------------------------------------------------------- messages out


async def test_markdown_becomes_telegrams_html(rig: Rig) -> None:
    text = (
        "**Open** the *board* & `x<y` [here](https://d.example/a?b=1&c=2)\n\n- one\n- two\n\n1. first\n2. second"
        "\n\n> said\n\n```\na < b\n```\n\n# Head"
    )
    assert await rig.send(text) == Sent("5001:101")
    (sent,) = rig.telegram.sent
    assert sent["parse_mode"] == "HTML"
    assert sent["text"] == (
        '<b>Open</b> the <i>board</i> &amp; <code>x&lt;y</code> <a href="https://d.example/a?b=1&amp;c=2">here</a>\n'
        "• one\n• two\n\n1. first\n2. second\n<blockquote>said</blockquote>\n<pre>a &lt; b</pre>\n<b>Head</b>"
    )


async def test_its_author_and_sources_are_shown(rig: Rig) -> None:
    cited = Citation(1, PassageId("p"), "e.md", "Export", "Export", "q", "https://d.example/e")
    await rig.send("Select it [1]", author_name="Usher", citations=(cited,))
    text = rig.telegram.sent[0]["text"]
    assert text.startswith("<b>Usher (assistant)</b>")
    assert text.endswith('Sources: [1] <a href="https://d.example/e">Export</a>')


async def test_choices_are_buttons_and_a_long_value_comes_back_whole(rig: Rig) -> None:
    long = (
        "I'd like the onboarding session on Thursday the fifth of March at three in the afternoon"
    )
    await rig.send("Which?", quick_replies=(QuickReply("Yes", "yes"), QuickReply("L" * 90, long)))
    rows = rig.telegram.sent[0]["reply_markup"]["inline_keyboard"]
    assert rows[0] == [{"text": "Yes", "callback_data": "yes"}]
    data = rows[1][0]["callback_data"]
    assert len(data.encode()) <= 64
    update = payload("telegram", "press")["update"]
    update["callback_query"]["data"] = data
    event = await rig.event(update)
    assert isinstance(event, Inbound)
    assert event.text == long


async def test_a_long_message_goes_in_parts_and_a_repeat_goes_on(rig: Rig) -> None:
    text = "This is a <sentence> & quite **a long** one.\n" * 300
    with pytest.raises(RetryableDeliveryError) as told:
        # the first part goes, the second meets a limit
        await one_then(rig, text, Failure.rate_limited(7))
    assert told.value.retry_after == 7
    assert len(rig.telegram.sent) == 1
    await rig.send(text)
    assert len(rig.telegram.sent) >= 3
    assert max(shown_units(sent["text"], "HTML") for sent in rig.telegram.sent) <= 4096
    said = "".join(sent["text"] for sent in rig.telegram.sent)
    assert said.count("sentence") == 300


async def one_then(rig: Rig, text: str, failure: Failure) -> None:
    """Send, with a failure ordered once the first part is there."""
    taken = rig.telegram.sent

    class Watched(list[dict[str, Any]]):
        def append(self, item: dict[str, Any]) -> None:
            taken.append(item)
            rig.telegram.switches.fail(failure)

    rig.telegram.sent = Watched()
    try:
        await rig.send(text)
    finally:
        rig.telegram.sent = taken


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (Failure.rate_limited(3), RetryableDeliveryError),
        (Failure.error(502), UnknownOutcomeError),
        (Failure.timeout(accepted=True), UnknownOutcomeError),
        (Failure(status=400), PermanentDeliveryError),
        (Failure(status=401), PermanentDeliveryError),
    ],
    ids=["too many", "server error", "no answer", "refused", "wrong token"],
)
async def test_what_a_failure_means(rig: Rig, failure: Failure, error: type[DeliveryError]) -> None:
    rig.telegram.switches.fail(failure)
    with pytest.raises(error) as told:
        await rig.send("Hello")
    assert "AAF-" not in f"{told.value!r} {told.value.__cause__!r}"
    with pytest.raises(UnknownOutcomeError):
        await rig.channel.reconcile(rig.outbound("Hello"), rig.inbox)


async def test_who_blocked_the_bot_is_not_tried_again(rig: Rig) -> None:
    rig.telegram.blocked.add(ANN)
    with pytest.raises(PermanentDeliveryError, match="blocked by the user"):
        await rig.send("Hello")


async def test_nobody_there_is_retried(rig: Rig) -> None:
    own = rig.inbox.settings
    assert own is not None
    away = own.model_copy(update={"api_base_url": "http://127.0.0.1:9"})
    rig.inbox = dataclasses.replace(rig.inbox, settings=away)
    with pytest.raises(RetryableDeliveryError):
        await rig.send("Hello")


async def test_a_group_that_moved_and_html_it_refuses_are_put_right_at_once(rig: Rig) -> None:
    rig.telegram.moved["-55"] = -100777
    assert (await rig.send("Hi", address="-55")).provider_id == "-100777:101"
    rig.telegram.rejects_html = True
    await rig.send("**Hi** & `x<y`", id=OutboxId("out_2"))
    assert rig.telegram.sent[-1]["text"] == "Hi & x<y"


async def test_a_group_is_answered_under_the_message(rig: Rig) -> None:
    await rig.send("Here.", address=GROUP, references=("7000000001:-1001234:24",))
    assert rig.telegram.sent[0]["reply_parameters"]["message_id"] == 24


async def test_private_affairs_go_to_the_member_alone(rig: Rig) -> None:
    here = {"address": GROUP, "private": True, "thread": f"7000000001:{GROUP}:{ANN}"}
    await rig.send("Your session is on Thursday.", **here)
    rig.telegram.blocked.add(ANN)
    await rig.send("Your session is on Friday.", id=OutboxId("out_2"), **here)
    assert [(sent["chat_id"], sent["text"]) for sent in rig.telegram.sent] == [
        (ANN, "Your session is on Thursday."),
        (GROUP, "That is about you alone, so not here. Write to me directly: @lumen_help_bot"),
    ]


async def test_files_go_out_and_come_in(rig: Rig) -> None:
    file = Attachment("a.pdf", "application/pdf", 4, data=b"%PDF")
    await rig.send("Here it is.", attachments=(file,))
    assert [sent.get("document") for sent in rig.telegram.sent] == [None, "a.pdf"]
    rig.telegram.files["BQ"] = b"x" * 100
    there = Attachment("b", "x/y", 0, url="tg://file/BQ")
    assert await rig.channel.fetch(there, rig.inbox, 100) == b"x" * 100
    with pytest.raises(TooLargeError):
        await rig.channel.fetch(there, rig.inbox, 99)
    with pytest.raises(PermanentDeliveryError):
        await rig.channel.fetch(dataclasses.replace(there, url="tg://file/no"), rig.inbox, 99)


async def test_nothing_to_send_is_said_so(rig: Rig) -> None:
    with pytest.raises(PermanentDeliveryError):
        await rig.send(" ")


# ---------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("webhook", "told"),
    [
        ({}, []),
        ({"url": "https://old.example"}, ["Updates go to https://old.example"]),
        ({"allowed_updates": ["message"]}, ["allowed_updates lacks edited_message"]),
        ({"last_error_message": "Wrong response: 403"}, ["last delivery failed: Wrong response: 403"]),
    ],
)  # fmt: skip
async def test_what_is_wrong_at_telegram_is_said(
    rig: Rig, webhook: dict[str, Any], told: list[str]
) -> None:
    rig.telegram.webhook.update(webhook)
    wrong = [f.sentence for f in await rig.channel.examine(rig.inbox) if not f.ok]
    assert len(wrong) == len(told)
    assert all(part in sentence for part, sentence in zip(told, wrong, strict=True))


async def test_another_bots_token_is_noticed(rig: Rig) -> None:
    rig.telegram.username = "other_bot"
    assert (await rig.channel.examine(rig.inbox))[0].sentence.startswith(
        "The token is @other_bot's"
    )
    rig.telegram.token = "1:x"
    (finding,) = await rig.channel.examine(rig.inbox)
    assert not finding.ok
    assert "AAF-" not in finding.sentence


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"bot_token": TOKEN}, "WEBHOOK_SECRET, USHER_TELEGRAM_USERNAME"),
        ({"bot_token": "x", "webhook_secret": SECRET, "username": NAME}, "BOT_TOKEN must"),
        ({"bot_token": TOKEN, "webhook_secret": "short", "username": NAME}, "WEBHOOK_SECRET must"),
        ({"bot_token": TOKEN, "webhook_secret": SECRET, "username": "@x"}, "USERNAME must"),
    ],
)
def test_what_cannot_work_is_named(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(MisconfiguredError, match=named):
        configured(TelegramSettings(_env_file=None, **settings))
