"""WhatsApp in through signed webhooks, out through the real SDK against a stand-in on loopback."""

import dataclasses
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from app.simulator.switches import Failure
from app.simulator.twilio_api import TwilioStandIn
from channels._shared.render import render
from channels.whatsapp import CAPABILITIES, CHANNEL, WhatsappChannel, WhatsappSettings, configured
from core.clock import FrozenClock
from core.conversations import Inbox
from core.errors import (
    AnomalousPayloadError,
    MisconfiguredError,
    PermanentDeliveryError,
    RetryableDeliveryError,
    TooLargeError,
    UnknownOutcomeError,
)
from core.ids import InboxId, OutboxId, TenantId
from core.messages import (
    Attachment,
    Author,
    MessageKind,
    Outbound,
    QuickReply,
    Sent,
    Template,
)
from tests.channels.serving import (
    PAYLOADS,
    MemoryState,
    channel_context,
    payload,
    serve,
    webhook,
)

ACCOUNT = "AC" + "1f" * 16
SERVICE = "MG" + "2e" * 16
TOKEN = "shhh-1234"
OURS, THEIRS = "+15005550100", "+15005550123"
PUBLIC = "https://help.example.com"
URL = f"{PUBLIC}/channels/whatsapp"
CASES = sorted(path.stem for path in (PAYLOADS / "whatsapp").glob("*.json"))
YES_NO = (QuickReply("Yes, please", "yes"), QuickReply("No", "no"))


@dataclass
class Rig:
    """The adapter, its inbox and the stand-in it talks to."""

    channel: WhatsappChannel
    inbox: Inbox
    twilio: TwilioStandIn
    state: MemoryState
    clock: FrozenClock

    def outbound(self, text: str = "You can invite them.", **changes: Any) -> Outbound:
        message = Outbound(
            id=OutboxId("out_1"),
            tenant=TenantId("demo"),
            inbox=self.inbox.id,
            channel="whatsapp",
            address=THEIRS,
            text=text,
            author=Author.BOT,
            kind=MessageKind.REPLY,
            created_at=self.clock.now(),
        )
        return dataclasses.replace(message, **changes)

    async def hear(self, body: str = "Hello") -> None:
        """Let the customer write, which opens the window."""
        request = self.twilio.incoming(f"whatsapp:{THEIRS}", f"whatsapp:{OURS}", body)
        await self.channel.receive(webhook(request), self.inbox)

    async def deliver(self, outbound: Outbound) -> Sent:
        return await self.channel.deliver(outbound, self.inbox)

    def change(self, **settings: Any) -> None:
        own = self.inbox.settings
        assert own is not None
        self.inbox = dataclasses.replace(self.inbox, settings=own.model_copy(update=settings))

    @property
    def sent(self) -> list[Any]:
        return [m for m in self.twilio.messages if m.direction != "inbound"]


def make_rig(clock: FrozenClock, **settings: Any) -> Rig:
    twilio = TwilioStandIn(clock, ACCOUNT, TOKEN, f"{PUBLIC}/channels/sms", {SERVICE: OURS})
    state = MemoryState()
    channel = CHANNEL.build(channel_context(clock, state))
    assert isinstance(channel, WhatsappChannel)
    own = WhatsappSettings(**{**FULL, "timeout": 0.3, **settings})
    inbox = Inbox(InboxId("inb_1"), TenantId("demo"), "whatsapp", OURS, settings=own)
    return Rig(channel, inbox, twilio, state, clock)


FULL: dict[str, Any] = {
    "account_sid": ACCOUNT,
    "auth_token": TOKEN,
    "from_number": OURS,
    "public_url": PUBLIC,
}


@pytest.fixture
def rig(clock: FrozenClock) -> Rig:
    return make_rig(clock)


@pytest.fixture
async def wired(clock: FrozenClock) -> AsyncIterator[Rig]:
    """A rig whose stand-in is served on loopback, to somebody who wrote just now."""
    rig = make_rig(clock)
    async with serve(rig.twilio.app()) as url:
        rig.change(api_base_url=url)
        await rig.hear()
        yield rig
        rig.twilio.switches.release()


def form(name: str = "question") -> list[tuple[str, str]]:
    return [(key, value) for key, value in payload("whatsapp", name)["form"]]


# ---------------------------------------------------------------- payload in, event out


def shown(event: Any, keys: Any) -> dict[str, Any]:
    got = dataclasses.asdict(event)
    told = ("name", "content_type", "size", "url", "refused")
    got["attachments"] = [{k: a[k] for k in told} for a in got.get("attachments", ())]
    return {key: got[key] for key in keys}


@pytest.mark.parametrize("name", CASES)
async def test_each_payload_becomes_its_event(rig: Rig, name: str) -> None:
    case = payload("whatsapp", name)
    request = webhook(rig.twilio.sign(URL, form(name)))
    received = await rig.channel.receive(request, rig.inbox)

    (event,) = received.events
    expected = {**case["event"]}
    assert type(event).__name__ == expected.pop("type")
    assert shown(event, expected) == expected
    assert rig.channel.locate(request) == case["address"]
    assert received.reply.body.endswith(b"<Response/>")


async def test_reading_alone_believes_an_unsigned_capture(rig: Rig) -> None:
    signed = rig.twilio.sign(URL, form())
    capture = dataclasses.replace(webhook(signed), headers={})
    read = await rig.channel.read(capture, rig.inbox)
    assert read.events == (await rig.channel.receive(webhook(signed), rig.inbox)).events
    assert [key for _, _, key in rig.state.rows] != []  # receiving opened a window, reading did not


async def test_a_text_message_at_this_door_is_a_misconfiguration(rig: Rig) -> None:
    fields = [(k, v.removeprefix("whatsapp:")) for k, v in form()]
    with pytest.raises(AnomalousPayloadError, match="text message sender"):
        await rig.channel.receive(webhook(rig.twilio.sign(URL, fields)), rig.inbox)


# ---------------------------------------------------------------- settings


def test_unconfigured_is_off() -> None:
    assert configured(WhatsappSettings(_env_file=None)) == []


@pytest.mark.parametrize(
    ("change", "addresses"),
    [
        ({}, [OURS]),
        ({"from_number": f"whatsapp:{OURS}"}, [OURS]),
        ({"from_number": "", "messaging_service_sid": SERVICE}, [SERVICE]),
        ({"templates": {"reminder": {"en": "HX" + "0" * 32}, "resend": "HX" + "1" * 32}}, [OURS]),
    ],
)
def test_each_sender_is_an_inbox(change: dict[str, Any], addresses: list[str]) -> None:
    assert configured(WhatsappSettings(**{**FULL, **change})) == [
        (a, "customer") for a in addresses
    ]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"auth_token": ""}, "USHER_WHATSAPP_AUTH_TOKEN"),
        ({"templates": {"reminder": {"es": "reminder_es"}}}, "reminder es"),
        ({"subaccount_sid": "AC" + "9" * 32}, "SUBACCOUNT_AUTH_TOKEN"),
        ({"api_key_sid": "SK" + "9" * 32}, "API_KEY_SECRET"),
        ({"api_key_sid": "AC1", "api_key_secret": "x"}, "API_KEY_SID"),
    ],
)
def test_half_configured_names_what_is_wrong(change: dict[str, Any], named: str) -> None:
    with pytest.raises(MisconfiguredError, match=named) as caught:
        configured(WhatsappSettings(**{**FULL, **change}))
    assert TOKEN not in str(caught.value)


# ---------------------------------------------------------------- inside the window


async def test_a_reply_is_whatsapp_markup_from_the_sender_to_the_sender(wired: Rig) -> None:
    sent = await wired.deliver(
        wired.outbound("Open **Settings**, see [the guide](https://d.example/t).")
    )
    (message,) = wired.sent
    assert sent == Sent(message.sid)
    assert (message.to, message.from_) == (f"whatsapp:{THEIRS}", f"whatsapp:{OURS}")
    assert message.body == "Open *Settings*, see the guide (https://d.example/t)."
    assert message.status_callback == URL


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# Title\n\n**bold** *it* `code`", "*Title*\n\n*bold* _it_ `code`"),
        ("- one\n- two\n\n> said", "- one\n- two\n\n> said"),
        ("```\na * b\n```", "```\na * b\n```"),
    ],
)
def test_its_markup(text: str, expected: str) -> None:
    assert render(text, CAPABILITIES) == [expected]


async def test_few_short_choices_are_buttons_of_a_content_made_once(wired: Rig) -> None:
    for number in range(2):
        asked = wired.outbound("A person?", id=OutboxId(f"out_{number}"), quick_replies=YES_NO)
        await wired.deliver(asked)
    first, second = wired.sent
    assert first.body == "A person?"
    assert first.buttons == (("Yes, please", "say:yes"), ("No", "say:no"))
    assert first.content_sid == second.content_sid
    assert len(wired.twilio.holdings.contents) == 1


LONG = QuickReply("Thursday 5 March at 10:00", "slot_1")
NUMBERED = "1. Yes, please\n2. No\nReply with a number."


@pytest.mark.parametrize(
    ("text", "choices", "expected"),
    [
        (
            "Which?",
            (LONG, *YES_NO[1:]),
            "1. Thursday 5 March at 10:00\n2. No\nReply with a number.",
        ),
        ("Two\n\nparagraphs", YES_NO, NUMBERED),
        (
            "Which?",
            tuple(QuickReply(str(n), str(n)) for n in range(4)),
            "4. 3\nReply with a number.",
        ),
        ("Which?", (YES_NO[0], YES_NO[0]), "2. Yes, please\nReply with a number."),
    ],
    ids=["long title", "line break", "four", "twice the same"],
)
async def test_what_does_not_fit_buttons_is_numbered(
    wired: Rig, text: str, choices: tuple[QuickReply, ...], expected: str
) -> None:
    await wired.deliver(wired.outbound(text, quick_replies=choices))
    assert wired.sent[0].body.endswith(expected)
    assert wired.sent[0].buttons == ()


async def test_without_buttons_or_content_choices_are_numbered(wired: Rig) -> None:
    wired.twilio.holdings.accepts_content = False
    await wired.deliver(wired.outbound("A person?", quick_replies=YES_NO))
    wired.change(buttons=False)
    await wired.deliver(wired.outbound("A person?", id=OutboxId("out_2"), quick_replies=YES_NO))
    assert [m.body for m in wired.sent] == [f"A person?\n\n{NUMBERED}"] * 2


async def test_a_content_that_is_gone_is_said_in_numbers_instead(wired: Rig) -> None:
    await wired.deliver(wired.outbound("A person?", quick_replies=YES_NO))
    wired.twilio.holdings.contents.clear()
    await wired.deliver(wired.outbound("A person?", id=OutboxId("out_2"), quick_replies=YES_NO))
    assert wired.sent[1].body == f"A person?\n\n{NUMBERED}"


async def test_files_go_one_each_by_their_public_address(wired: Rig) -> None:
    files = (
        Attachment("plan.pdf", "application/pdf", 900, url="/files/tok-1"),
        Attachment("session.ics", "text/calendar", 300, url="https://cdn.example.com/s.ics"),
        Attachment("huge.png", "image/png", 9_000_000, url="/files/tok-2"),
        Attachment("kept.png", "image/png", 10, id="fil_1"),
    )
    await wired.deliver(wired.outbound("Here you are.", attachments=files))
    assert [(m.body, m.media) for m in wired.sent] == [
        ("Here you are.", ()),
        ("", (f"{PUBLIC}/files/tok-1",)),
        ("session.ics: https://cdn.example.com/s.ics", ()),
        (f"huge.png: {PUBLIC}/files/tok-2", ()),
    ]


async def test_a_messaging_service_picks_the_sender(wired: Rig) -> None:
    wired.change(messaging_service_sid=SERVICE)
    await wired.deliver(wired.outbound())
    assert wired.sent[0].messaging_service_sid == SERVICE


# ---------------------------------------------------------------- outside the window


async def test_who_never_wrote_gets_no_free_text(wired: Rig) -> None:
    with pytest.raises(PermanentDeliveryError, match="24-hour window"):
        await wired.deliver(wired.outbound(address="+15005550177"))
    assert wired.sent == []


async def test_the_window_closes_a_day_after_their_last_message(wired: Rig) -> None:
    wired.clock.advance(timedelta(hours=23))
    await wired.deliver(wired.outbound("one"))
    wired.clock.advance(timedelta(hours=1))
    with pytest.raises(PermanentDeliveryError, match="no approved template"):
        await wired.deliver(wired.outbound("two", id=OutboxId("out_2")))
    await wired.hear("STOP")
    await wired.deliver(wired.outbound("three", id=OutboxId("out_3")))
    assert [m.body for m in wired.sent] == ["one", "three"]


async def test_a_replayed_message_opens_no_window(wired: Rig) -> None:
    request = wired.twilio.incoming(f"whatsapp:{THEIRS}", f"whatsapp:{OURS}", "hi")
    await wired.channel.receive(webhook(request), wired.inbox)
    before = dict(wired.state.rows)
    wired.clock.advance(timedelta(hours=25))
    await wired.channel.receive(webhook(request), wired.inbox)
    assert wired.state.rows == before
    with pytest.raises(PermanentDeliveryError):
        await wired.deliver(wired.outbound())


SPANISH, ENGLISH = (
    "Recordatorio: Training session a las 10:00",
    "Reminder: Training session at 10:00",
)


@pytest.mark.parametrize(
    ("locale", "said"), [("es", SPANISH), ("es-MX", SPANISH), ("en", ENGLISH), ("de", ENGLISH)]
)
async def test_a_purpose_is_sent_by_its_template_in_their_language(
    wired: Rig, locale: str, said: str
) -> None:
    sids = {
        "en": wired.twilio.holdings.template("Reminder: {{1}} at {{2}}"),
        "es": wired.twilio.holdings.template("Recordatorio: {{1}} a las {{2}}"),
    }
    wired.change(templates={"reminder": sids})
    wired.clock.advance(timedelta(days=2))
    template = Template("reminder", {"1": "Training\nsession", "2": "10:00"})
    await wired.deliver(wired.outbound("unused", locale=locale, template=template))
    (message,) = wired.sent
    assert message.content_sid in sids.values()
    assert message.body == said
    assert message.error_code is None  # an approved template is let through


async def test_a_content_sid_needs_no_setting_and_a_purpose_without_one_is_said(wired: Rig) -> None:
    wired.clock.advance(timedelta(days=2))
    sid = wired.twilio.holdings.template("We have an answer for you.")
    await wired.deliver(wired.outbound("unused", template=Template(sid)))
    assert wired.sent[0].body == "We have an answer for you."
    with pytest.raises(
        PermanentDeliveryError, match="USHER_WHATSAPP_TEMPLATES names none for 'nudge'"
    ):
        await wired.deliver(wired.outbound(id=OutboxId("out_2"), template=Template("nudge")))


async def test_inside_the_window_the_words_themselves_are_sent(wired: Rig) -> None:
    sid = wired.twilio.holdings.template("We have an answer for you.")
    await wired.deliver(wired.outbound("The answer.", template=Template(sid)))
    assert (wired.sent[0].body, wired.sent[0].content_sid) == ("The answer.", None)


# ---------------------------------------------------------------- failures


@pytest.mark.parametrize(
    ("failure", "error", "retry_after"),
    [
        (Failure.rate_limited(17), RetryableDeliveryError, 17.0),
        (Failure.refused("63018", 429), RetryableDeliveryError, None),
        (Failure.error(500), UnknownOutcomeError, None),
        (Failure.timeout(accepted=True), UnknownOutcomeError, None),
        (Failure.refused("63003"), PermanentDeliveryError, None),
        (Failure.refused("63007"), PermanentDeliveryError, None),
    ],
)
async def test_what_a_failure_means(
    wired: Rig, failure: Failure, error: type[Exception], retry_after: float | None
) -> None:
    wired.twilio.switches.fail(failure)
    with pytest.raises(error) as caught:
        await wired.deliver(wired.outbound())
    assert getattr(caught.value, "retry_after", None) == retry_after
    assert THEIRS not in str(caught.value)


async def lose(rig: Rig, outbound: Outbound, *, accepted: bool) -> None:
    rig.twilio.switches.fail(Failure.timeout(accepted=accepted))
    with pytest.raises(UnknownOutcomeError):
        await rig.deliver(outbound)
    rig.clock.advance(timedelta(seconds=11))


@pytest.mark.parametrize("accepted", [True, False], ids=["taken", "lost"])
@pytest.mark.parametrize("kind", ["text", "buttons", "file", "template"])
async def test_a_lost_answer_is_looked_for(wired: Rig, kind: str, accepted: bool) -> None:
    sid = wired.twilio.holdings.template("Anything {{1}}")
    # the content is there already: making it is no send
    await wired.deliver(wired.outbound("First?", id=OutboxId("out_0"), quick_replies=YES_NO))
    more: dict[str, dict[str, Any]] = {
        "text": {},
        "buttons": {"quick_replies": YES_NO},
        "file": {"text": "", "attachments": (Attachment("a.png", "image/png", 9, url="/files/t"),)},
        "template": {"template": Template(sid, {"1": "goes"})},
    }
    wired.clock.advance(timedelta(days=2 * (kind == "template")))
    outbound = wired.outbound(**more[kind])
    await lose(wired, outbound, accepted=accepted)
    found = await wired.channel.reconcile(outbound, wired.inbox)
    assert found == (Sent(wired.sent[-1].sid) if accepted else None)
    again = found or await wired.deliver(outbound)
    assert again == Sent(wired.sent[-1].sid)
    assert len(wired.sent) == 2


async def test_a_window_that_closes_meanwhile_makes_no_second_message(wired: Rig) -> None:
    sid = wired.twilio.holdings.template("We have an answer for you.")
    outbound = wired.outbound("The answer.", template=Template(sid))
    await lose(wired, outbound, accepted=True)
    wired.clock.advance(timedelta(days=1))
    assert await wired.channel.reconcile(outbound, wired.inbox) == Sent(wired.sent[0].sid)


async def test_a_long_answer_goes_in_parts_and_a_repeat_goes_on_where_it_stopped(
    wired: Rig,
) -> None:
    outbound = wired.outbound("This is a sentence of the answer. " * 100)
    await lose(wired, outbound, accepted=True)
    assert await wired.channel.reconcile(outbound, wired.inbox) is None
    sent = await wired.deliver(outbound)
    bodies = [m.body for m in wired.sent]
    assert len(bodies) == 3
    assert " ".join(bodies) == outbound.text.strip()
    assert sent.provider_id == wired.sent[-1].sid


# ---------------------------------------------------------------- files in


async def test_a_file_is_fetched_with_the_accounts_credentials(wired: Rig) -> None:
    own = wired.inbox.settings
    assert isinstance(own, WhatsappSettings)
    path, kind = wired.twilio.holdings.file(b"picture", "image/png", ACCOUNT)
    attachment = Attachment("media-1.png", kind, 0, url=f"{own.api_base_url}{path}")
    assert await wired.channel.fetch(attachment, wired.inbox, 100) == b"picture"
    with pytest.raises(TooLargeError):
        await wired.channel.fetch(attachment, wired.inbox, 3)
    gone = dataclasses.replace(attachment, url=f"{attachment.url}0")
    with pytest.raises(PermanentDeliveryError, match="404"):
        await wired.channel.fetch(gone, wired.inbox, 100)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:6379/",
        "https://api.twilio.com.evil.example/x",
        "https://api.twilio.com@evil.example/x",
        "https://evil.example/api.twilio.com",
        "https://s3-external-1.amazonaws.com/other-bucket/x",
        "http://mms.twiliocdn.com/x",
        "https://[oops/x",
        "file:///etc/passwd",
        "",
    ],
)
async def test_a_file_elsewhere_is_not_fetched(rig: Rig, url: str) -> None:
    with pytest.raises(PermanentDeliveryError, match="Twilio's hosts"):
        await rig.channel.fetch(Attachment("x", "image/png", 0, url=url), rig.inbox, 100)


# ---------------------------------------------------------------- usher channels check


async def found(rig: Rig) -> list[tuple[bool, str]]:
    return [(f.ok, f.sentence) for f in await rig.channel.examine(rig.inbox)]


async def test_a_right_set_up_is_said_so(wired: Rig) -> None:
    held = wired.twilio.holdings
    held.senders[f"whatsapp:{OURS}"] = ("ONLINE", URL, "POST")
    wired.change(templates={"reminder": held.template("x")})
    assert await found(wired) == [
        (True, f"the auth token of AC…{ACCOUNT[-4:]} is right"),
        (True, "the number is a WhatsApp sender of this account"),
        (True, f"the sender calls {URL} with POST"),
        (True, "the template reminder is approved"),
    ]


@pytest.mark.parametrize(
    ("senders", "said"),
    [
        ({}, "the number is no WhatsApp sender of this account (FROM_NUMBER)"),
        (
            {f"whatsapp:{OURS}": ("OFFLINE", URL, "POST")},
            "the WhatsApp sender is not online but OFFLINE",
        ),
        (
            {f"whatsapp:{OURS}": ("ONLINE", "https://demo.twilio.com/x", "POST")},
            f"the sender calls another address when a message comes in: set {URL} with HTTP POST",
        ),
        (
            {f"whatsapp:{OURS}": ("ONLINE", URL, "GET")},
            f"the sender calls {URL} with GET: set HTTP POST",
        ),
    ],
    ids=["none", "offline", "elsewhere", "get"],
)
async def test_what_is_wrong_is_said_in_a_sentence(
    wired: Rig, senders: dict[str, tuple[str, str, str]], said: str
) -> None:
    wired.twilio.holdings.senders.update(senders)
    assert (False, said) in await found(wired)


async def test_templates_and_credentials_are_looked_at(wired: Rig) -> None:
    pending = wired.twilio.holdings.template("x", "pending")
    wired.change(templates={"a": pending, "b": "HX" + "0" * 32})
    said = await found(wired)
    assert (False, "the template a is not approved by WhatsApp but pending") in said
    assert any(not ok and s.startswith("the template b cannot be seen") for ok, s in said)
    wired.twilio.auth_token = "another"
    assert [ok for ok, _ in await found(wired)] == [False]


def test_variables_are_json_in_the_order_of_the_content() -> None:
    from channels._shared.twilio_content import button_values, buttons_content

    content = buttons_content(2)
    body = content["types"]["twilio/quick-reply"]
    assert json.dumps(body) == (
        '{"body": "{{1}}", "actions": [{"type": "QUICK_REPLY", "title": "{{2}}", "id": "{{4}}"}, '
        '{"type": "QUICK_REPLY", "title": "{{3}}", "id": "{{5}}"}]}'
    )
    assert button_values("Which?", YES_NO) == {
        "1": "Which?", "2": "Yes, please", "3": "No", "4": "say:yes", "5": "say:no",
    }  # fmt: skip
