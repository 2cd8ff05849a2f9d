"""Calls by signed webhooks, TwiML out, and the REST side against a stand-in on loopback."""

import dataclasses
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree.ElementTree import Element, fromstring

import pytest

from app.simulator.calls import CallsStandIn, PhoneCall
from app.simulator.switches import Failure
from app.simulator.twilio_api import TwilioStandIn
from channels._shared.voice_call import STEPS, is_mobile
from channels._shared.voice_settings import VoiceSettings, configured, read_hours, read_menu
from channels.voice import CHANNEL, VoiceChannel
from core.clock import FrozenClock
from core.contracts import ChannelContext, Received, WebhookRequest
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
from core.ids import ConversationId, InboxId, MessageId, OutboxId, PassageId, TenantId, TurnId
from core.messages import (
    Attachment,
    Author,
    Inbound,
    MessageKind,
    Outbound,
    QuickReply,
    Sent,
    StoredMessage,
)
from core.ports import TurnView
from core.turns import Citation
from tests.channels.serving import (
    PAYLOADS,
    MemoryState,
    channel_context,
    payload,
    serve,
    webhook,
)

ACCOUNT, TOKEN = "AC" + "1f" * 16, "shhh-1234"
OURS, THEIRS, OPERATOR = "+15005550100", "+15005550123", "+15005550111"
PUBLIC = "https://help.example.com"
URL = f"{PUBLIC}/channels/voice"
SID = "CA" + "0f" * 16
DEMO = TenantId("demo")
MENU = '{"1": "I want to book a session", "9": "language:es"}'
FILE_FIELDS = ("name", "content_type", "size", "data", "url", "id", "refused")
CASES = sorted(path.stem for path in (PAYLOADS / "voice").glob("*.json"))


@dataclass
class MemoryBeside:
    """Text messages that are queued beside a call."""

    reachable: bool = True
    sent: list[tuple[str, str, str]] = field(default_factory=list)

    async def reaches(self, tenant: TenantId, channel: str, address: str) -> bool:
        return self.reachable

    async def send(
        self,
        tenant: TenantId,
        conversation: ConversationId,
        channel: str,
        address: str,
        text: str,
        since: int,
    ) -> bool:
        self.sent += [(channel, address, text)] * self.reachable
        return self.reachable


@dataclass
class Rig:
    """The adapter, its inbox and the stand-in that calls it."""

    channel: VoiceChannel
    inbox: Inbox
    calls: CallsStandIn
    beside: MemoryBeside
    clock: FrozenClock
    context: ChannelContext

    def request(self, query: str = "", **fields: str) -> WebhookRequest:
        form = {"CallSid": SID, "From": THEIRS, "To": OURS, "CallStatus": "in-progress", **fields}
        url = f"{URL}?{query}" if query else URL
        return webhook(self.calls.twilio.sign(url, list(form.items())))

    async def receive(self, query: str = "", **fields: str) -> Received:
        return await self.channel.receive(self.request(query, **fields), self.inbox)

    async def hear(self, query: str = "", **fields: str) -> "Twiml":
        return Twiml((await self.receive(query, **fields)).reply.body)

    async def answered(self, view: TurnView | None, query: str = "", **fields: str) -> Any:
        request = self.request(query or "at=talk&n=1&locale=en", **fields)
        return await self.channel.answer(request, self.inbox, MessageId("msg_1"), view)

    def outbound(self, text: str = "It is **ready**.", **changes: Any) -> Outbound:
        message = Outbound(
            id=OutboxId("out_1"),
            tenant=DEMO,
            inbox=self.inbox.id,
            channel="voice",
            address=THEIRS,
            text=text,
            author=Author.CSM,
            kind=MessageKind.MESSAGE,
            created_at=self.clock.now(),
            conversation_id=ConversationId("cnv_1"),
            author_name="Maya Okafor",
            seq=4,
        )
        return dataclasses.replace(message, **changes)


class Twiml:
    """A document as a caller meets it."""

    def __init__(self, body: bytes) -> None:
        self.root = fromstring(body)  # noqa: S314 - our own
        self.verbs = [verb.tag for verb in self.root]

    @property
    def said(self) -> str:
        return " ".join("".join(say.itertext()) for say in self.root.iter("Say"))

    def verb(self, name: str) -> Element:
        found = self.root.find(name)
        assert found is not None, self.verbs
        return found

    def place(self, name: str = "Gather") -> Mapping[str, str]:
        verb = self.verb(name)
        url = verb.get("action") or verb.text or ""
        assert url.startswith(f"{URL}?")
        return {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}


def make_rig(clock: FrozenClock, base_url: str | None = None, **settings: Any) -> Rig:
    twilio = TwilioStandIn(clock, ACCOUNT, TOKEN)
    calls = CallsStandIn(clock, twilio, URL, OURS)
    beside = MemoryBeside()
    context = dataclasses.replace(channel_context(clock, MemoryState()), beside=beside)
    channel = CHANNEL.build(context)
    assert isinstance(channel, VoiceChannel)
    own = VoiceSettings(
        _env_file=None,
        **{
            "account_sid": ACCOUNT,
            "auth_token": TOKEN,
            "number": OURS,
            "public_url": PUBLIC,
            "api_base_url": base_url,
            "timeout": 0.3,
            "menu": MENU,
            **settings,
        },
    )
    inbox = Inbox(InboxId("inb_1"), DEMO, "voice", OURS, settings=own)
    return Rig(channel, inbox, calls, beside, clock, context)


@pytest.fixture
def rig(clock: FrozenClock) -> Rig:
    return make_rig(clock)


@pytest.fixture
async def wired(clock: FrozenClock) -> AsyncIterator[Rig]:
    """A rig whose stand-in is served on loopback."""
    rig = make_rig(clock)
    async with serve(rig.calls.app()) as url:
        own = rig.inbox.settings
        assert own is not None
        settings = own.model_copy(update={"api_base_url": url})
        rig.inbox = dataclasses.replace(rig.inbox, settings=settings)
        yield rig
        rig.calls.twilio.switches.release()


def view(text: str = "", action: str = "answer", handler: str = "answer", **more: Any) -> TurnView:
    reply = StoredMessage(
        MessageId("msg_2"),
        ConversationId("cnv_1"),
        2,
        Author.BOT,
        MessageKind.REPLY,
        text,
        more.pop("now"),
        "voice",
        "delivered",
        locale="en",
        inline=True,
        **more,
    )
    replies = (reply,) if text else ()
    return TurnView(TurnId("trn_1"), handler, {"decision": {"action": action}}, replies)


# ---------------------------------------------------------------- payload in, event out


@pytest.mark.parametrize("name", CASES)
async def test_each_payload_becomes_its_event(rig: Rig, name: str) -> None:
    case = payload("voice", name)
    url = f"{URL}?{case['query']}" if case["query"] else URL
    request = webhook(rig.calls.twilio.sign(url, [(k, v) for k, v in case["form"]]))
    received = await rig.channel.receive(request, rig.inbox)

    (event,) = received.events
    expected = {**case["event"]}
    assert type(event).__name__ == expected.pop("type")
    got = dataclasses.asdict(event)
    got["attachments"] = [
        {key: file[key] for key in FILE_FIELDS} for file in got.get("attachments", ())
    ]
    assert {key: got[key] for key in expected} == expected
    assert received.waits is case["waits"]
    assert rig.channel.locate(request) == OURS
    assert received.reply.headers["content-type"].startswith("text/xml")
    assert fromstring(received.reply.body).tag == "Response"  # noqa: S314
    read = await rig.channel.read(request, rig.inbox)
    assert (read.events, read.waits) == (received.events, received.waits)


async def test_a_caller_is_greeted_by_an_assistant_and_may_interrupt(rig: Rig) -> None:
    heard = await rig.hear(CallStatus="ringing")
    assert "AI assistant of Lumen Works" in heard.said
    assert "For I want to book a session, press 1." in heard.said
    assert "Para español, pulsa 9." in heard.said
    gather = heard.verb("Gather")
    expected = {"input": "speech dtmf", "bargeIn": "true", "actionOnEmptyResult": "true"}
    assert {key: gather.get(key) for key in expected} == expected
    assert gather.get("speechTimeout") == "auto"
    assert [say.get("language") for say in gather] == ["en-US", "en-US", "es-US"]
    assert heard.place() == {"at": "talk", "n": "1", "locale": "en"}


async def test_another_language_is_a_key_or_a_word(rig: Rig) -> None:
    for said in ({"Digits": "9"}, {"SpeechResult": "Español."}):
        heard = await rig.hear("at=talk&n=1&locale=en", **said)
        assert heard.said == "De acuerdo, seguimos en español. ¿En qué puedo ayudarte?"
        assert heard.verb("Gather").get("language") == "es-US"
        assert heard.place()["locale"] == "es"


# ---------------------------------------------------------------- silence


async def test_two_silences_offer_other_ways_and_a_third_ends_the_call(rig: Rig) -> None:
    once = await rig.hear("at=talk&n=1&locale=en")
    assert once.said == "I didn't catch that. Please say it once more."
    assert once.place()["misses"] == "1"
    twice = await rig.hear("at=talk&n=2&misses=1&locale=en")
    assert "1 to try again, 2 for a text message" in twice.said
    assert twice.place()["at"] == "offer"
    again = await rig.hear("at=offer&n=3&misses=2&locale=en", Digits="1")
    assert again.place() == {"at": "talk", "n": "4", "locale": "en"}
    last = await rig.hear("at=offer&n=3&misses=2&locale=en")
    assert last.verbs == ["Say", "Hangup"]


async def test_no_text_is_offered_to_who_cannot_have_one(rig: Rig) -> None:
    rig.beside.reachable = False
    heard = await rig.hear("at=talk&n=2&misses=1&locale=en")
    assert "text message" not in heard.said


async def test_words_after_a_silence_count_again_from_none(rig: Rig, clock: FrozenClock) -> None:
    answered = await rig.answered(
        view("Here.", now=clock.now()), "at=talk&n=3&misses=1&locale=en", SpeechResult="Hm?"
    )
    assert "misses" not in Twiml(answered.reply.body).place()


# ---------------------------------------------------------------- the answer


async def test_an_answer_is_said_with_its_page_and_choices(rig: Rig, clock: FrozenClock) -> None:
    cited = Citation(1, PassageId("p"), "e.md", "Export", "Export", "q", "https://d.example/e")
    choices = (QuickReply("Yes, get a person", "yes"), QuickReply("No, thanks", "no"))
    plain = await rig.answered(
        view("Select **Export** [1]", citations=(cited,), now=clock.now()), SpeechResult="Export?"
    )
    heard = Twiml(plain.reply.body)
    assert heard.said == "Select Export. That is from our page Export."
    assert heard.place() == {"at": "talk", "n": "2", "locale": "en", "last": "msg_1"}
    asked = await rig.answered(
        view("Shall I?", quick_replies=choices, now=clock.now()), SpeechResult="x"
    )
    heard = Twiml(asked.reply.body)
    assert heard.said == ("Shall I? Say Yes, get a person, or press 1. Say No, thanks, or press 2.")
    assert heard.place()["pick"] == "1"
    assert heard.verb("Gather").get("hints") == "Yes  get a person, No  thanks"


@pytest.mark.parametrize("reachable", [True, False])
async def test_links_are_texted_and_never_said(
    rig: Rig, clock: FrozenClock, reachable: bool
) -> None:
    rig.beside.reachable = reachable
    answer = view("See [our guide](https://a.example/g).", now=clock.now())
    answered = await rig.answered(answer, SpeechResult="Where?")
    said = Twiml(answered.reply.body).said
    assert "://" not in said
    wanted = {
        True: (
            (("sms", THEIRS, "From your call: our guide: https://a.example/g"),),
            "I've texted you the link.",
        ),
        False: (
            (),
            "There is a page about this, called our guide. I can't send a text message to this number.",
        ),
    }
    assert (answered.texts, said.removeprefix("See our guide. ")) == wanted[reachable]


async def test_a_long_answer_asks_before_it_goes_on(rig: Rig, clock: FrozenClock) -> None:
    long = view("This is a sentence of it, and quite a long one. " * 20, now=clock.now())
    first = Twiml((await rig.answered(long, SpeechResult="Tell me all")).reply.body)
    assert first.said.endswith("Shall I go on, or text you the rest?")
    place = first.place()
    assert (place["more"], place["last"]) == ("1", "msg_1")
    query = "&".join(f"{k}={v}" for k, v in place.items())
    received = await rig.receive(query, SpeechResult="Yes, please.")
    assert (received.resumes, received.waits) == ("msg_1", False)
    second = Twiml((await rig.answered(long, query, SpeechResult="Yes")).reply.body)
    assert "go on" not in second.said
    assert len(first.said) < 700
    texted = await rig.answered(long, query, SpeechResult="Text me the rest")
    assert texted.texts[0][:2] == ("sms", THEIRS)
    assert "I've texted you the answer." in Twiml(texted.reply.body).said
    enough = await rig.hear(query, SpeechResult="no thanks")
    assert enough.said == "What else can I help you with?"


async def test_it_is_said_again_and_slower(rig: Rig, clock: FrozenClock) -> None:
    query = "at=talk&n=3&locale=en&last=msg_1"
    for words in ("Repeat that.", "Slower, please!"):
        assert (await rig.receive(query, SpeechResult=words)).resumes == "msg_1"
    answer = view("Select Export.", now=clock.now())
    again = await rig.answered(answer, query, SpeechResult="Repeat that.")
    assert Twiml(again.reply.body).said == "Select Export."
    slower = Twiml((await rig.answered(answer, query, SpeechResult="slower please")).reply.body)
    prosody = slower.root.find(".//prosody")
    assert prosody is not None
    assert (prosody.get("rate"), prosody.text) == ("slow", "Select Export.")
    assert slower.place()["slow"] == "1"
    assert (await rig.hear("at=talk&n=1&locale=en", SpeechResult="repeat")).said.startswith(
        "There is nothing to repeat"
    )


async def test_what_is_said_is_escaped(rig: Rig, clock: FrozenClock) -> None:
    hostile = view("a</Say><Dial>+1900</Dial> & \x07\ud800 b", now=clock.now())
    heard = Twiml((await rig.answered(hostile, SpeechResult="x")).reply.body)
    assert heard.verbs == ["Gather"]
    assert [child.tag for child in heard.verb("Gather")] == ["Say"]


# ---------------------------------------------------------------- waiting


async def test_a_slow_turn_is_filled_and_at_last_let_go(rig: Rig) -> None:
    first = await rig.answered(None, SpeechResult="Hm")
    heard = Twiml(first.reply.body)
    assert (heard.verbs, first.gone) == (["Say", "Redirect"], False)
    assert heard.place("Redirect") == {
        "at": "wait", "n": "1", "locale": "en", "last": "msg_1", "round": "1",
    }  # fmt: skip
    received = await rig.receive("at=wait&n=1&locale=en&last=msg_1&round=1")
    assert (received.resumes, received.wait) == ("msg_1", 8.0)
    last = await rig.answered(None, "at=wait&n=1&locale=en&last=msg_1&round=2")
    assert last.gone
    assert "I'll text you the answer" in Twiml(last.reply.body).said
    rig.beside.reachable = False
    untextable = Twiml(
        (await rig.answered(None, "at=wait&n=1&locale=en&last=msg_1&round=2")).reply.body
    )
    assert "passed it on to our team" in untextable.said
    assert "Record" in untextable.verbs


async def test_no_request_is_held_beyond_twilios_deadline(rig: Rig) -> None:
    held = [await rig.receive("at=talk&n=1&locale=en", SpeechResult="Hm")]
    held.append(await rig.receive("at=wait&n=1&locale=en&last=msg_1&round=1"))
    held.append(await rig.receive("at=status", CallStatus="completed"))
    assert max(received.wait for received in held if received.waits or received.resumes) <= 10


# ---------------------------------------------------------------- people


async def test_a_handoff_rings_a_person_in_their_hours_else_takes_a_message(
    clock: FrozenClock,
) -> None:
    hours = '{"wed": [["09:00", "17:00"]]}'
    rig = make_rig(clock, operator_number=OPERATOR, operator_hours=hours)
    handoff = view("I've asked a person.", action="handoff", now=clock.now())
    clock.advance(timedelta(days=(2 - clock.now().weekday()) % 7, hours=12 - clock.now().hour))
    ringing = Twiml((await rig.answered(handoff, SpeechResult="operator")).reply.body)
    assert ringing.verbs == ["Say", "Say", "Dial"]
    dial = ringing.verb("Dial")
    assert ("".join(dial.itertext()), dial.get("callerId")) == (OPERATOR, OURS)
    assert ringing.place("Dial")["at"] == "dialed"
    clock.advance(timedelta(hours=10))
    closed = Twiml((await rig.answered(handoff, SpeechResult="operator")).reply.body)
    assert closed.verbs[-3:] == ["Record", "Say", "Hangup"]
    assert "get back to you on this number" in closed.said
    record = closed.verb("Record")
    assert record.get("transcribe") == "true"
    assert "inbox=%2B15005550100" in (record.get("transcribeCallback") or "")


async def test_a_withheld_number_is_told_that_it_is_not_seen(rig: Rig, clock: FrozenClock) -> None:
    handoff = view("I've asked a person.", action="handoff", now=clock.now())
    answered = await rig.answered(handoff, From="Anonymous", SpeechResult="operator")
    assert "I can't see your number" in Twiml(answered.reply.body).said


async def test_spanish_messages_are_not_sent_to_be_written_down(
    rig: Rig, clock: FrozenClock
) -> None:
    # Twilio writes down English alone; a Spanish message is for ears
    handoff = dataclasses.replace(view("x", action="handoff", now=clock.now()), replies=())
    answered = await rig.answered(handoff, "at=talk&n=1&locale=es", SpeechResult="persona")
    assert Twiml(answered.reply.body).verb("Record").get("transcribe") is None


async def test_who_waits_for_the_person_reading_is_asked_to_stay_and_then_to_speak(
    rig: Rig, clock: FrozenClock
) -> None:
    manual = view(action="manual", now=clock.now())
    stay = await rig.answered(manual, SpeechResult="Hello?")
    heard = Twiml(stay.reply.body)
    assert stay.gone
    assert "sees what you say" in heard.said
    place = heard.place()
    for _ in range(3):
        query = "&".join(f"{k}={v}" for k, v in place.items())
        heard = await rig.hear(query)
        place = heard.place("Gather" if "Gather" in heard.verbs else "Record")
    assert "Record" in heard.verbs


async def test_recording_is_asked_for_and_starts_with_a_yes_alone(clock: FrozenClock) -> None:
    rig = make_rig(clock, records=True)
    asked = await rig.hear(CallStatus="ringing")
    assert "May we record this call" in asked.said
    assert asked.place()["at"] == "consent"
    yes = await rig.hear("at=consent&locale=en", SpeechResult="yes")
    assert yes.verbs == ["Start", "Gather"]
    callback = yes.verb("Start")[0].get("recordingStatusCallback") or ""
    assert "at=recording" in callback
    for answer in ({"SpeechResult": "maybe later"}, {}, {"SpeechResult": "no"}):
        assert (await rig.hear("at=consent&locale=en", **answer)).verbs == ["Gather"]
    plain = make_rig(clock)
    assert "record" not in (await plain.hear(CallStatus="ringing")).said
    # the finished recording names nobody: whose call it was is known here
    form = {
        "CallSid": SID,
        "RecordingUrl": "https://api.twilio.com/r/RE1",
        "RecordingStatus": "completed",
    }
    request = webhook(rig.calls.twilio.sign(callback, list(form.items())))
    assert rig.channel.locate(request) == OURS
    (event,) = (await rig.channel.receive(request, rig.inbox)).events
    assert isinstance(event, Inbound)
    assert (event.sender, event.automatic) == (THEIRS, True)


# ---------------------------------------------------------------- hanging up


async def test_an_answer_cut_short_goes_by_text_and_one_heard_does_not(
    rig: Rig, clock: FrozenClock
) -> None:
    answer = view("Select **Export**, then choose CSV and wait.", now=clock.now())
    await rig.answered(answer, SpeechResult="How?")
    ended = await rig.receive("at=status", CallStatus="completed")
    assert (ended.resumes, ended.wait) == ("msg_1", 0.0)
    after = await rig.answered(answer, "at=status", CallStatus="completed")
    assert after.texts == (
        ("sms", THEIRS, "From your call: Select **Export**, then choose CSV and wait."),
    )
    clock.advance(timedelta(seconds=30))
    assert (await rig.receive("at=status", CallStatus="completed")).resumes is None


async def test_a_turn_that_ends_after_the_call_is_let_go(rig: Rig) -> None:
    await rig.answered(None, SpeechResult="How?")
    assert (await rig.receive("at=status", CallStatus="completed")).resumes == "msg_1"
    assert (await rig.answered(None, "at=status", CallStatus="completed")).gone


async def test_whoever_speaks_again_has_heard(rig: Rig, clock: FrozenClock) -> None:
    await rig.answered(view("A long answer. " * 20, now=clock.now()), SpeechResult="How?")
    await rig.receive("at=talk&n=2&locale=en&last=msg_1", SpeechResult="And then?")
    assert (await rig.receive("at=status", CallStatus="completed")).resumes is None


# ---------------------------------------------------------------- messages into a call


async def test_a_persons_words_are_said_in_the_running_call(wired: Rig) -> None:
    await wired.receive(CallStatus="ringing")
    call = await caller(wired)
    sent = await wired.channel.deliver(
        wired.outbound("See https://a.example. **Ready**"), wired.inbox
    )
    assert sent == Sent(f"{SID}:out_1")
    assert call.heard[-1] == ("usher", "Maya from our team says: See the link. Ready.")
    assert "n=4000" in call.action
    assert wired.beside.sent == []


async def caller(rig: Rig) -> Any:
    call = PhoneCall(SID, THEIRS, OURS, rig.clock.now())
    rig.calls.calls.append(call)
    return call


async def test_after_the_call_it_goes_by_text_or_not_at_all(wired: Rig) -> None:
    await wired.channel.deliver(wired.outbound(), wired.inbox)
    assert wired.beside.sent == [("sms", THEIRS, "Maya Okafor (team): It is **ready**.")]
    await wired.receive(CallStatus="ringing")  # a call that Twilio says is over
    await wired.channel.deliver(wired.outbound(), wired.inbox)
    assert len(wired.beside.sent) == 2
    wired.beside.reachable = False
    with pytest.raises(PermanentDeliveryError, match="the call is over"):
        await wired.channel.deliver(wired.outbound(), wired.inbox)
    with pytest.raises(PermanentDeliveryError):
        await wired.channel.deliver(wired.outbound(address=f"anonymous:{SID}"), wired.inbox)


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (Failure.error(500), UnknownOutcomeError),
        (Failure.timeout(accepted=True), UnknownOutcomeError),
        (Failure.rate_limited(3), RetryableDeliveryError),
        (Failure(status=403), PermanentDeliveryError),
    ],
    ids=["server error", "no answer", "busy", "refused"],
)
async def test_what_a_failed_call_of_twilios_means(
    wired: Rig, failure: Failure, error: type[DeliveryError]
) -> None:
    await wired.receive(CallStatus="ringing")
    await caller(wired)
    wired.calls.twilio.switches.fail(failure)
    with pytest.raises(error):
        await wired.channel.deliver(wired.outbound(), wired.inbox)
    with pytest.raises(UnknownOutcomeError):
        await wired.channel.reconcile(wired.outbound(), wired.inbox)


async def test_a_recording_is_fetched_from_twilio_alone_and_no_larger_than_wanted(
    wired: Rig,
) -> None:
    own = wired.inbox.settings
    assert isinstance(own, VoiceSettings)
    there = Attachment("m.mp3", "audio/mpeg", 0, url=f"{own.api_base_url}/recordings/RE1.mp3")
    assert (await wired.channel.fetch(there, wired.inbox, 1000)).startswith(b"ID3")
    with pytest.raises(TooLargeError):
        await wired.channel.fetch(there, wired.inbox, 5)
    elsewhere = dataclasses.replace(there, url="http://169.254.169.254/latest.mp3")
    with pytest.raises(PermanentDeliveryError):
        await wired.channel.fetch(elsewhere, wired.inbox, 1000)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, ()),
        ({"voice_url": "https://demo.twilio.com"}, ("“A call comes in” leads to https://demo.twilio.com",)),
        ({"status_callback": ""}, ("“Call status changes” leads to nowhere",)),
        ({"voice_method": "GET"}, ("by GET",)),
        ({"voice_application_sid": "AP1"}, ("A TwiML App overrides",)),
        ({"capabilities": {"voice": False}}, ("cannot take calls",)),
    ],
)  # fmt: skip
async def test_what_is_wrong_at_twilio_is_said(
    wired: Rig, changed: Mapping[str, object], told: Sequence[str]
) -> None:
    wired.calls.number_settings.update(changed)
    wrong = [f.sentence for f in await wired.channel.examine(wired.inbox) if not f.ok]
    assert len(wrong) == len(told)
    assert all(part in sentence for part, sentence in zip(told, wrong, strict=True))


async def test_wrong_credentials_and_another_number_are_said(wired: Rig) -> None:
    own = wired.inbox.settings
    assert own is not None
    for update, told in (({"number": "+15005550177"}, "not a number of this account"),
                         ({"account_sid": "AC" + "2" * 32}, "does not take")):  # fmt: skip
        inbox = dataclasses.replace(wired.inbox, settings=own.model_copy(update=update))
        findings = await wired.channel.examine(inbox)
        assert told in findings[-1].sentence
        assert not findings[-1].ok


# ---------------------------------------------------------------- the fault table


async def test_a_thousand_mutated_signatures_are_refused_and_nothing_is_kept(rig: Rig) -> None:
    chance = random.Random(7)
    state = rig.context.state
    assert isinstance(state, MemoryState)
    refused = 0
    for _ in range(1000):
        good = rig.request("at=talk&n=1&locale=en", SpeechResult="Hello")
        signature = good.headers["x-twilio-signature"]
        at = chance.randrange(len(signature) - 1)
        other = chance.choice([c for c in "ABCDEFabcdef0123456789+/" if c != signature[at]])
        wrong = chance.choice(
            (signature[:at] + other + signature[at + 1 :], signature[:-2], "", "é", "v0=0")
        )
        request = dataclasses.replace(good, headers={**good.headers, "x-twilio-signature": wrong})
        with pytest.raises(SignatureError):
            await rig.channel.receive(request, rig.inbox)
        refused += 1
    assert (refused, state.rows) == (1000, {})


@pytest.mark.parametrize(
    "query",
    ["at=talk&n=2&locale=en", "at=talk&n=1&locale=en&last=msg_9", "at=status", "at=talk&n=01&locale=en"],
)  # fmt: skip
async def test_a_place_in_the_call_is_signed_too(rig: Rig, query: str) -> None:
    good = rig.request("at=talk&n=1&locale=en", SpeechResult="Hello")
    with pytest.raises(SignatureError):
        await rig.channel.receive(dataclasses.replace(good, url=f"{URL}?{query}"), rig.inbox)


@pytest.mark.parametrize(
    "query",
    ["at=elsewhere", "at=talk&n=x", "at=talk&n=-1", "at=talk&locale=xx", "at=wait&last=%00", "at=talk&n=٣",
     "at=talk&n=9999999999999", "&".join(["a=1"] * 50)],
)  # fmt: skip
async def test_a_query_we_never_wrote_is_anomalous(rig: Rig, query: str) -> None:
    with pytest.raises(AnomalousPayloadError):
        await rig.receive(query, SpeechResult="Hello")


@pytest.mark.parametrize("given", [{"CallSid": ""}, {"CallSid": "../x"}, {"CallSid": "C" * 99}])
async def test_a_form_without_a_call_is_anomalous(rig: Rig, given: dict[str, str]) -> None:
    with pytest.raises(AnomalousPayloadError):
        await rig.receive("at=talk&n=1", **given)


@pytest.mark.parametrize("step", sorted(STEPS))
async def test_odd_words_and_keys_are_taken_at_every_step(rig: Rig, step: str) -> None:
    odd = ("", "\x00", "é🚀" * 3000, "<Say>", "' OR 1=1", "ABCD", "٣", "9" * 400, "\ud7ff")
    for value in odd:
        fields = dict.fromkeys(("SpeechResult", "Digits", "Confidence", "RecordingUrl", "RecordingDuration",
                                "TranscriptionText", "DialCallStatus", "From"), value)  # fmt: skip
        received = await rig.receive(f"at={step}&n=1", **fields)
        assert fromstring(received.reply.body).tag == "Response"  # noqa: S314


# ---------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"number": OURS}, "USHER_VOICE_ACCOUNT_SID"),
        ({"number": "555"}, "USHER_VOICE_NUMBER must be"),
        ({"account_sid": "SK1"}, "must be AC"),
        ({"public_url": "ftp://x"}, "USHER_VOICE_PUBLIC_URL"),
        ({"operator_number": "0800"}, "USHER_VOICE_OPERATOR_NUMBER"),
        ({"locale": "de"}, "USHER_VOICE_LOCALE"),
        ({"time_zone": "Mars/Olympus"}, "USHER_VOICE_TIME_ZONE"),
        ({"menu": "{"}, "USHER_VOICE_MENU is no JSON"),
        ({"menu": '{"0": "x"}'}, "keys are 1 to 9"),
        ({"menu": '{"1": "language:xx"}'}, "key 1"),
        ({"menu": '{"1": 7}'}, "key 1"),
        ({"operator_hours": '{"mon": [["9", "17"]]}'}, "USHER_VOICE_OPERATOR_HOURS"),
        ({"operator_hours": '{"lun": []}'}, "USHER_VOICE_OPERATOR_HOURS"),
        ({"voice_en": "a b"}, "USHER_VOICE_VOICE_EN"),
    ],
)
def test_what_cannot_work_is_named(settings: dict[str, Any], named: str) -> None:
    whole = {
        "account_sid": ACCOUNT,
        "auth_token": TOKEN,
        "number": OURS,
        "public_url": PUBLIC,
    }
    given = (
        settings if len(settings) == 1 and settings.get("number") == OURS else {**whole, **settings}
    )
    with pytest.raises(MisconfiguredError, match=named):
        configured(VoiceSettings(_env_file=None, **given))


def test_menus_and_hours_are_read() -> None:
    menu = read_menu('{"2": {"label": "your bookings", "text": "When is my session?"}}')
    assert (menu["2"].label, menu["2"].text) == ("your bookings", "When is my session?")
    assert read_hours('{"sun": [["00:00", "24:00"]]}')["sun"]
    assert read_menu("") == {}


@pytest.mark.parametrize(
    ("number", "expected"),
    [("+34612345678", True), ("+12025550143", True), ("+34910550123", False), ("+18005550199", False), ("x", False)],
)  # fmt: skip
def test_a_landline_is_not_texted(number: str, expected: bool) -> None:
    assert is_mobile(number) is expected
