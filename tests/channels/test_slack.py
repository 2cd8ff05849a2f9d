"""Slack in through signed webhooks, out through the real SDK against a stand-in on loopback."""

import dataclasses
import json
import random
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from app.simulator.switches import Failure, SignedRequest
from channels._shared.slack_settings import SlackSettings, configured
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
    UnknownOutcomeError,
)
from core.ids import OutboxId, PassageId, TenantId
from core.messages import (
    Author,
    Ignored,
    Inbound,
    Outbound,
    QuickReply,
    Sent,
    TeamAction,
)
from core.turns import Citation
from tests.channels.serving import PAYLOADS, payload, webhook
from tests.channels.slack_rig import (
    ALERTS,
    ANNA,
    BOT,
    CARD,
    DANA,
    SECRET,
    SHARED,
    TEAM,
    TOKEN,
    Rig,
    make_rig,
    root_ts,
    wired_rig,
)

CASES = sorted(path.stem for path in (PAYLOADS / "slack").glob("*.json"))


@pytest.fixture
def rig(clock: FrozenClock) -> Rig:
    return make_rig(clock)


@pytest.fixture
async def wired(clock: FrozenClock) -> AsyncIterator[Rig]:
    async with wired_rig(clock) as rig:
        yield rig


def signed_case(rig: Rig, case: Mapping[str, Any]) -> SignedRequest:
    as_json = json.dumps(case.get("json")).encode()
    as_payload = urlencode({"payload": json.dumps(case.get("payload"))}).encode()
    as_form = urlencode(case.get("form", {})).encode()
    bodies = {
        "json": (as_json, "application/json"),
        "payload": (as_payload, FORM),
        "form": (as_form, FORM),
    }
    (kind,) = bodies.keys() & case.keys()
    return rig.slack.sign(*bodies[kind])


FORM = "application/x-www-form-urlencoded"


# ---------------------------------------------------------------- payload in, event out


@pytest.mark.parametrize("name", CASES)
async def test_each_payload_becomes_its_event(rig: Rig, name: str) -> None:
    case = payload("slack", name)
    for key in case.get("owned", []):
        await rig.state.put("slack", TenantId("demo"), key, {"ours": 1})
    signed = signed_case(rig, case)

    (event,) = await rig.events(signed)
    expected = {**case["event"]}
    assert type(event).__name__ == expected.pop("type")
    got = dataclasses.asdict(event)
    files = zip(got.get("attachments", ()), expected.get("attachments", ()), strict=False)
    got["attachments"] = [{key: file[key] for key in wanted} for file, wanted in files]
    assert {key: got[key] for key in expected} == expected
    assert rig.channel.locate(webhook(signed)) == TEAM


async def test_one_mention_under_two_events_is_one_message(rig: Rig) -> None:
    requests = rig.slack.say(ANNA, SHARED, f"<@{BOT}> how do I export?")
    events = await rig.events(*requests)
    assert [type(e) for e in events] == [Inbound, Inbound]
    assert len({e.external_id for e in events if isinstance(e, Inbound)}) == 1
    assert events[0] == events[1]


async def test_a_retry_is_the_same_message(rig: Rig) -> None:
    signed = rig.slack.say(ANNA, SHARED, f"<@{BOT}> how do I export?")[0]
    retry = {"x-slack-retry-num": "1", "x-slack-retry-reason": "http_timeout"}
    again = dataclasses.replace(signed, headers={**signed.headers, **retry})
    first, second = await rig.events(signed, again)
    assert first == second


async def test_a_mention_makes_the_thread_ours(rig: Rig) -> None:
    root = rig.slack.say(ANNA, SHARED, f"<@{BOT}> how do I export?")
    (reply,) = rig.slack.say(ANNA, SHARED, "and on Pro?", root_ts(rig))
    (before,) = await rig.events(reply)
    assert before == Ignored("not addressed to us")
    opened, _, after = await rig.events(*root, reply)
    assert isinstance(opened, Inbound)
    assert isinstance(after, Inbound)
    assert after.thread == opened.thread
    assert after.external_id != opened.external_id


async def test_address_check_is_answered_and_needs_its_signature(rig: Rig) -> None:
    signed = rig.slack.verification("abc123")
    received = await rig.channel.receive(webhook(signed), rig.inbox)
    assert received.events == (Ignored("url_verification"),)
    assert json.loads(received.reply.body) == {"challenge": "abc123"}
    assert rig.channel.locate(webhook(signed)) is None
    assert rig.channel.locate(webhook(signed, f"{signed.url}?team={TEAM}")) == TEAM
    unsigned = WebhookRequest("POST", signed.url, {}, signed.body)
    with pytest.raises(SignatureError):
        await rig.channel.receive(unsigned, rig.inbox)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/json"),
        (b"[]", "application/json"),
        (b"{", "application/json"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"payload=%7B", FORM),
        (b"payload=[]", FORM),
        (b"payload=null", FORM),
        (b"a=b", FORM),
        (b"command=%2Fusher", FORM),
        (b"&".join([b"a=1"] * 300), FORM),
        (b'{"type":"url_verification"}', "application/json"),
        (b'{"type":"event_callback","event":{"type":"message"}}', "application/json"),
        (b'{"type":"event_callback","event":{"type":"message","user":1}}', "application/json"),
        (urlencode({"payload": '{"type":"block_actions","actions":[{}]}'}).encode(), FORM),
    ],
)
async def test_signed_garbage_is_anomalous(rig: Rig, body: bytes, content_type: str) -> None:
    request = webhook(rig.slack.sign(body, content_type))
    assert rig.channel.locate(request) is None
    own = rig.inbox.settings
    assert own is not None
    known = own.model_copy(update={"bot_user_id": BOT})
    with pytest.raises(AnomalousPayloadError):
        await rig.channel.receive(request, dataclasses.replace(rig.inbox, settings=known))


@pytest.mark.parametrize(
    "event",
    [
        {"type": "event_callback", "event": []},
        {"type": "event_callback", "event": {"type": ["message"]}},
        {"type": "event_callback", "event": None, "authorizations": [1, "x"]},
        {"type": 7},
        {},
    ],
)
async def test_odd_events_are_ignored(rig: Rig, event: Mapping[str, Any]) -> None:
    signed = rig.slack.sign(json.dumps(event).encode(), "application/json")
    (got,) = await rig.events(signed)
    assert isinstance(got, Ignored)


async def test_half_a_surrogate_is_no_text(rig: Rig) -> None:
    body = json.dumps(payload("slack", "direct")["json"]).replace("hi there", "a\\ud83d\\u0000b")
    (event,) = await rig.events(rig.slack.sign(body.encode(), "application/json"))
    assert isinstance(event, Inbound)
    assert event.text == "a?b"


# ---------------------------------------------------------------- signatures


@pytest.mark.parametrize(
    "change",
    [
        {"x-slack-signature": None},
        {"x-slack-signature": ""},
        {"x-slack-signature": "v0=" + "0" * 64},
        {"x-slack-signature": "v0=é\udcff"},
        {"x-slack-request-timestamp": None},
        {"x-slack-request-timestamp": ""},
        {"x-slack-request-timestamp": "yesterday"},
        {"x-slack-request-timestamp": "-1"},
        {"x-slack-request-timestamp": "١٧٧٢٦٢٥٦٠٠"},
        {"x-slack-request-timestamp": "9" * 400},
        {"x-slack-request-timestamp": "1772625601"},
    ],
)
async def test_a_wrong_signature_is_refused(rig: Rig, change: Mapping[str, str | None]) -> None:
    signed = rig.slack.say(ANNA, SHARED, f"<@{BOT}> hi")[0]
    headers = {k: v for k, v in {**signed.headers, **change}.items() if v is not None}
    with pytest.raises(SignatureError):
        await rig.channel.receive(
            WebhookRequest("POST", signed.url, headers, signed.body), rig.inbox
        )


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
async def test_a_stale_request_is_refused(rig: Rig, seconds: int) -> None:
    signed = rig.slack.say(ANNA, SHARED, f"<@{BOT}> hi")[0]
    rig.clock.advance(timedelta(seconds=seconds))
    with pytest.raises(SignatureError, match="stale"):
        await rig.events(signed)


async def test_a_fresh_replay_is_the_same_message(rig: Rig) -> None:
    signed = rig.slack.say(ANNA, SHARED, f"<@{BOT}> hi")[0]
    (first,) = await rig.events(signed)
    rig.clock.advance(timedelta(seconds=299))
    assert await rig.events(signed) == [first]


async def test_mutated_requests_are_refused(rig: Rig) -> None:
    signed = rig.slack.say(ANNA, SHARED, f"<@{BOT}> hi")[0]
    dice = random.Random(7)
    for _ in range(300):
        body = bytearray(signed.body)
        body[dice.randrange(len(body))] ^= 1 << dice.randrange(8)
        request = dataclasses.replace(webhook(signed), body=bytes(body))
        with pytest.raises(SignatureError):
            await rig.channel.receive(request, rig.inbox)


# ---------------------------------------------------------------- settings


FULL = {"bot_token": TOKEN, "signing_secret": SECRET, "team_id": TEAM}


def settings(**values: str) -> SlackSettings:
    return SlackSettings(**values)  # type: ignore[arg-type] # pydantic makes SecretStr of it


def test_unconfigured_is_off() -> None:
    assert configured(settings()) == []


def test_customers_and_the_team_are_inboxes() -> None:
    assert configured(settings(**FULL)) == [(TEAM, "customer")]
    both = configured(settings(**FULL, alert_channel=ALERTS))
    assert both == [(TEAM, "customer"), (f"{TEAM}/{ALERTS}", "team")]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"bot_token": ""}, "USHER_SLACK_BOT_TOKEN"),
        ({"signing_secret": ""}, "USHER_SLACK_SIGNING_SECRET"),
        ({"team_id": ""}, "USHER_SLACK_TEAM_ID"),
        ({"bot_token": "xapp-1"}, "xoxb-"),
        ({"team_id": "acme"}, "USHER_SLACK_TEAM_ID"),
        ({"alert_channel": "#alerts"}, "give the channel's id"),
        ({"auto_channels": "C1, general"}, "give the channel's id"),
    ],
)
def test_half_configured_names_what_is_wrong(change: dict[str, str], named: str) -> None:
    with pytest.raises(MisconfiguredError, match=named) as caught:
        configured(settings(**{**FULL, **change}))
    assert SECRET not in str(caught.value)


def test_auto_channels_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USHER_SLACK_AUTO_CHANNELS", "C1, C2,")
    assert SlackSettings().auto_channels == ("C1", "C2")


# ---------------------------------------------------------------- delivery


async def test_an_answer_goes_into_the_thread(wired: Rig) -> None:
    (question,) = (await wired.events(*wired.slack.say(ANNA, SHARED, f"<@{BOT}> export?")))[:1]
    assert isinstance(question, Inbound)
    outbound = wired.outbound(
        "See **Export**: <b>all</b> & [the guide](https://docs.example.com/x?a=1&b=2) [1]",
        thread=question.thread,
        citations=(
            Citation(1, PassageId("p"), "x.md", "Ex<port>", "CSV", "q", "https://docs.example.com"),
        ),
    )
    sent = await wired.channel.deliver(outbound, wired.inbox)

    posted = wired.slack.channels[SHARED][-1]
    assert sent == Sent(f"{TEAM}:{SHARED}:{posted['ts']}", question.thread)
    assert posted["thread_ts"] == root_ts(wired)
    assert posted["text"] == (
        "See *Export*: &lt;b&gt;all&lt;/b&gt; &amp; "
        "<https://docs.example.com/x?a=1&amp;b=2|the guide> [1]\n\n"
        "Sources: [1] <https://docs.example.com|Ex&lt;port&gt;, CSV>"
    )
    assert posted["metadata"] == {"event_type": "usher", "event_payload": {"id": "out_1"}}


async def test_what_we_post_opens_a_thread_of_ours(wired: Rig) -> None:
    sent = await wired.channel.deliver(wired.outbound(), wired.inbox)
    ts = wired.slack.channels[SHARED][-1]["ts"]
    assert sent.thread == f"slack:{TEAM}:{SHARED}:{ts}"
    (reply,) = await wired.events(*wired.slack.say(ANNA, SHARED, "thanks", ts))
    assert isinstance(reply, Inbound)
    assert reply.thread == sent.thread


@pytest.mark.parametrize("address", [f"{TEAM}:{ANNA}", ANNA, "D0ANNA001"])
async def test_a_person_is_written_to_directly(wired: Rig, address: str) -> None:
    wired.slack.add_channel("D0ANNA001")
    elsewhere = f"slack:{TEAM}:{SHARED}:1.2"
    outbound = wired.outbound("Your plan is Pro.", address=address, thread=elsewhere)
    sent = await wired.channel.deliver(outbound, wired.inbox)
    (posted,) = wired.slack.channels["D0ANNA001"]
    assert "thread_ts" not in posted
    assert sent == Sent(f"{TEAM}:D0ANNA001:{posted['ts']}", None)


async def test_a_persons_answer_says_who_speaks(wired: Rig) -> None:
    await wired.channel.deliver(
        wired.outbound("On it.", author=Author.CSM, author_name="Dana <3"), wired.inbox
    )
    assert wired.slack.channels[SHARED][-1]["text"] == "*Dana &lt;3 (team)*\nOn it."


async def test_quick_replies_are_buttons_that_come_back_as_text(wired: Rig) -> None:
    choices = (QuickReply("Tomorrow 14:00", "tomorrow 14:00"), QuickReply("x" * 90, "later"))
    await wired.channel.deliver(wired.outbound("When?", quick_replies=choices), wired.inbox)
    posted = wired.slack.channels[SHARED][-1]
    press = wired.slack.press(ANNA, SHARED, posted["ts"], "usher_reply_0")
    first, again = await wired.events(press, press)
    assert isinstance(first, Inbound)
    assert first == again
    assert (first.text, first.sender) == ("tomorrow 14:00", f"{TEAM}:{ANNA}")
    assert first.thread == f"slack:{TEAM}:{SHARED}:{posted['ts']}"


async def test_a_very_long_answer_is_one_message(wired: Rig) -> None:
    text = "A sentence & more of it. " * 1200
    await wired.channel.deliver(wired.outbound(text), wired.inbox)
    choices = (QuickReply("Yes", "yes"),)
    await wired.channel.deliver(wired.outbound(text, quick_replies=choices), wired.inbox)
    plain, with_buttons = wired.slack.channels[SHARED]
    assert plain["text"].endswith("it.\n(shortened)")
    assert len(plain["text"]) < 12_100
    assert len(with_buttons["blocks"]) > 4


async def test_an_alert_is_blocks_with_buttons_and_no_markup_of_the_customers(wired: Rig) -> None:
    sent = await wired.channel.deliver(wired.alert(), wired.team)

    posted = wired.slack.channels[ALERTS][-1]
    assert sent.thread == f"slack:{TEAM}:{ALERTS}:{posted['ts']}"
    shown = json.dumps(posted["blocks"][1:]) + posted["text"]
    for injected in ("<!channel>", "<@", "<https", "A<B>"):
        assert injected not in shown
    assert "&lt;!channel&gt; &lt;@U0DANA001&gt;" in shown
    actions = posted["blocks"][-1]["elements"]
    assert [b["action_id"] for b in actions] == [
        "usher_claim",
        "usher_hand_back",
        "usher_resolve",
        "usher_open",
    ]
    assert [b.get("value") for b in actions[:3]] == ["cnv_1"] * 3
    assert actions[0]["style"] == "primary"
    assert "confirm" in actions[2]


async def test_a_giant_alert_keeps_slacks_limits(wired: Rig) -> None:
    card = dataclasses.replace(
        CARD,
        title="<" * 500,
        text="&" * 9000,
        fields=(("&" * 100, "<" * 5000),) * 14,
        transcript=(("customer", "<&>" * 3000),) * 30,
    )
    await wired.channel.deliver(wired.outbound(card=card), wired.team)
    blocks = wired.slack.channels[SHARED][-1]["blocks"]
    texts = [e["text"] for b in blocks for e in b.get("elements", []) if e["type"] == "mrkdwn"]
    assert max(map(len, texts)) <= 3000
    assert len(blocks) == 5


async def test_a_press_on_the_alert_is_an_action_once(wired: Rig) -> None:
    sent = await wired.channel.deliver(wired.alert(), wired.team)
    ts = sent.provider_id.rsplit(":", 1)[-1]
    press = wired.slack.press(DANA, ALERTS, ts, "usher_claim")
    other = wired.slack.press(DANA, ALERTS, ts, "usher_claim")
    first, again, second = await wired.events(press, press, other)
    assert isinstance(first, TeamAction)
    assert isinstance(second, TeamAction)
    assert first == again
    assert second.external_id != first.external_id
    assert (first.kind, first.actor, first.conversation_id) == ("claim", DANA, "cnv_1")
    assert first.thread == sent.thread


async def test_a_reply_under_the_alert_names_its_thread(wired: Rig) -> None:
    sent = await wired.channel.deliver(wired.alert(), wired.team)
    ts = sent.provider_id.rsplit(":", 1)[-1]
    requests = wired.slack.say(DANA, ALERTS, f"<@{BOT}> hi, I can help", ts)
    events = await wired.events(*requests)
    assert len(events) == 2
    assert events[0] == events[1]
    assert isinstance(events[0], TeamAction)
    assert (events[0].kind, events[0].text) == ("reply", "hi, I can help")
    assert events[0].thread == sent.thread


async def test_an_alert_is_edited_in_place(wired: Rig) -> None:
    sent = await wired.channel.deliver(wired.alert(), wired.team)
    claimed = dataclasses.replace(CARD, title="Claimed by Dana", buttons=("hand_back", "resolve"))
    edit = wired.outbound(address=wired.team.address, card=claimed, update_of=sent.provider_id)
    edited = await wired.channel.deliver(edit, wired.team)
    (alert,) = wired.slack.channels[ALERTS]
    assert edited.provider_id == sent.provider_id
    assert alert["blocks"][0]["text"]["text"] == "❗ Claimed by Dana"
    assert await wired.channel.reconcile(edit, wired.team) is None


async def test_a_line_under_the_alert(wired: Rig) -> None:
    sent = await wired.channel.deliver(wired.alert(), wired.team)
    line = wired.outbound("Anna: <b>", address=wired.team.address, thread=sent.provider_id)
    under = await wired.channel.deliver(line, wired.team)
    alert, posted = wired.slack.channels[ALERTS]
    assert posted["thread_ts"] == alert["ts"]
    assert posted["text"] == "Anna: &lt;b&gt;"
    assert under.thread == sent.thread


@pytest.mark.parametrize(
    ("failure", "error", "retry_after"),
    [
        (Failure.rate_limited(31), RetryableDeliveryError, 31.0),
        (Failure.refused("ratelimited", 200), RetryableDeliveryError, None),
        (Failure.refused("service_unavailable", 200), RetryableDeliveryError, None),
        (Failure.error(503), RetryableDeliveryError, None),
        (Failure.error(500), UnknownOutcomeError, None),
        (Failure.error(502), UnknownOutcomeError, None),
        (Failure.error(200), UnknownOutcomeError, None),
        (Failure.refused("fatal_error", 200), UnknownOutcomeError, None),
        (Failure.timeout(accepted=True), UnknownOutcomeError, None),
        (Failure.refused("not_in_channel", 200), PermanentDeliveryError, None),
        (Failure.refused("invalid_auth", 200), PermanentDeliveryError, None),
        (Failure.refused("some_new_code", 200), PermanentDeliveryError, None),
    ],
)
async def test_what_a_failure_means(
    wired: Rig, failure: Failure, error: type[DeliveryError], retry_after: float | None
) -> None:
    wired.slack.switches.fail(failure)
    with pytest.raises(error) as caught:
        await wired.channel.deliver(wired.outbound(), wired.inbox)
    assert type(caught.value) is error
    assert caught.value.retry_after == retry_after
    assert TOKEN not in str(caught.value)
    assert len(wired.slack.calls) == 1  # the SDK's own retries are off


@pytest.mark.parametrize("address", ["C0NOWHERE", "T0/C0NOWHERE", "", "T0:"])
async def test_a_place_that_is_not_there_is_permanent(wired: Rig, address: str) -> None:
    with pytest.raises(PermanentDeliveryError):
        await wired.channel.deliver(wired.outbound(address=address), wired.inbox)


async def test_nobody_there_is_retryable(clock: FrozenClock) -> None:
    rig = make_rig(clock)
    with pytest.raises(RetryableDeliveryError):
        await rig.channel.deliver(rig.outbound(), rig.inbox)


async def test_our_own_user_is_asked_for_when_nobody_says(wired: Rig) -> None:
    case = payload("slack", "own_message")["json"]
    case["event"]["user"] = BOT
    del case["authorizations"]
    signed = wired.slack.sign(json.dumps(case).encode(), "application/json")
    assert await wired.events(signed, signed) == [Ignored("our own message")] * 2
    assert [method for method, _ in wired.slack.calls] == ["auth.test"]


# ---------------------------------------------------------------- reconciliation


async def lose(rig: Rig, outbound: Outbound, inbox: Inbox, *, accepted: bool) -> None:
    rig.slack.switches.fail(Failure.timeout(accepted=accepted))
    with pytest.raises(UnknownOutcomeError):
        await rig.channel.deliver(outbound, inbox)
    rig.settled()


@pytest.mark.parametrize(
    "place",
    [
        {"address": SHARED},
        {"address": SHARED, "thread": "root"},
        {"address": ANNA},
        {"address": f"{TEAM}/{ALERTS}", "card": CARD},
    ],
)
async def test_a_lost_post_is_found_by_its_mark_or_certainly_not_there(
    wired: Rig, place: dict[str, Any]
) -> None:
    wired.slack.say(ANNA, SHARED, "x")
    thread = {"root": f"slack:{TEAM}:{SHARED}:{root_ts(wired)}"}
    place["thread"] = thread.get(place.get("thread", ""))
    twin = wired.outbound(**place)
    await wired.channel.deliver(twin, wired.inbox)  # the same words under another id
    lost = dataclasses.replace(twin, id=OutboxId("out_2"))
    await lose(wired, lost, wired.inbox, accepted=False)
    assert await wired.channel.reconcile(lost, wired.inbox) is None

    await lose(wired, lost, wired.inbox, accepted=True)
    sent = await wired.channel.reconcile(lost, wired.inbox)
    assert sent is not None
    _, channel, ts = sent.provider_id.split(":")
    message = wired.slack.find(channel, ts)
    assert message is not None
    assert message["metadata"]["event_payload"]["id"] == "out_2"


async def test_it_is_not_looked_for_too_early(wired: Rig) -> None:
    outbound = wired.outbound()
    await lose(wired, outbound, wired.inbox, accepted=True)
    wired.clock.advance(timedelta(seconds=-5))
    with pytest.raises(RetryableDeliveryError) as caught:
        await wired.channel.reconcile(outbound, wired.inbox)
    assert caught.value.retry_after == 4.0


async def test_more_than_can_be_read_is_for_a_person(wired: Rig) -> None:
    outbound = wired.outbound()
    await lose(wired, outbound, wired.inbox, accepted=True)
    for _ in range(1100):
        wired.slack.say(ANNA, SHARED, "talk")
    with pytest.raises(UnknownOutcomeError):
        await wired.channel.reconcile(outbound, wired.inbox)


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (Failure.rate_limited(3), RetryableDeliveryError),
        (Failure.error(500), RetryableDeliveryError),
        (Failure.refused("missing_scope", 200), UnknownOutcomeError),
    ],
)
async def test_a_search_that_fails(wired: Rig, failure: Failure, error: type[Exception]) -> None:
    wired.slack.switches.fail(failure)
    with pytest.raises(error):
        await wired.channel.reconcile(wired.outbound(), wired.inbox)


async def test_posted_but_not_noted_is_unknown_and_then_found(wired: Rig) -> None:
    outbound = wired.outbound()
    wired.state.is_down = True
    with pytest.raises(UnknownOutcomeError):
        await wired.channel.deliver(outbound, wired.inbox)
    wired.state.is_down = False
    sent = await wired.channel.reconcile(outbound, wired.inbox)
    assert sent is not None
    assert len(wired.slack.channels[SHARED]) == 1
