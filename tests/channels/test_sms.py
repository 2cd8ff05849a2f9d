"""Texts in through signed webhooks, out through the real SDK against a stand-in on loopback."""

import asyncio
import base64
import dataclasses
import hashlib
import hmac
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from app.simulator.switches import Failure
from app.simulator.twilio_api import TwilioStandIn
from channels._shared.twilio import retry_after
from channels.sms import CHANNEL, SmsChannel, SmsSettings, configured
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
from core.ids import InboxId, OutboxId, PassageId, TenantId
from core.messages import (
    Attachment,
    Author,
    ConsentChange,
    Inbound,
    MessageKind,
    Outbound,
    QuickReply,
    Sent,
)
from core.turns import Citation
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
CASES = sorted(path.stem for path in (PAYLOADS / "sms").glob("*.json"))


@dataclass
class Rig:
    """The adapter, its inbox and the stand-in it talks to."""

    channel: SmsChannel
    inbox: Inbox
    twilio: TwilioStandIn
    state: MemoryState
    clock: FrozenClock

    def outbound(self, text: str = "You can invite them.", **changes: Any) -> Outbound:
        message = Outbound(
            id=OutboxId("out_1"),
            tenant=TenantId("demo"),
            inbox=self.inbox.id,
            channel="sms",
            address=THEIRS,
            text=text,
            author=Author.BOT,
            kind=MessageKind.REPLY,
            created_at=self.clock.now(),
        )
        return dataclasses.replace(message, **changes)

    def settled(self) -> None:
        self.clock.advance(timedelta(seconds=11))

    def change(self, **settings: Any) -> None:
        own = self.inbox.settings
        assert own is not None
        self.inbox = dataclasses.replace(self.inbox, settings=own.model_copy(update=settings))


def make_rig(clock: FrozenClock, base_url: str | None = None, **settings: Any) -> Rig:
    twilio = TwilioStandIn(clock, ACCOUNT, TOKEN, f"{PUBLIC}/channels/sms", {SERVICE: OURS})
    state = MemoryState()
    channel = CHANNEL.build(channel_context(clock, state))
    assert isinstance(channel, SmsChannel)
    own = SmsSettings(
        **{
            "account_sid": ACCOUNT,
            "auth_token": TOKEN,
            "from_number": OURS,
            "public_url": PUBLIC,
            "api_base_url": base_url,
            "timeout": 0.3,
            **settings,
        }
    )
    inbox = Inbox(InboxId("inb_1"), TenantId("demo"), "sms", OURS, settings=own)
    return Rig(channel, inbox, twilio, state, clock)


@pytest.fixture
def rig(clock: FrozenClock) -> Rig:
    return make_rig(clock)


@pytest.fixture
async def wired(clock: FrozenClock) -> AsyncIterator[Rig]:
    """A rig whose stand-in is served on loopback."""
    rig = make_rig(clock)
    async with serve(rig.twilio.app()) as url:
        own = rig.inbox.settings
        assert own is not None
        settings = own.model_copy(update={"api_base_url": url})
        rig.inbox = dataclasses.replace(rig.inbox, settings=settings)
        yield rig
        rig.twilio.switches.release()


def form(name: str = "question") -> list[tuple[str, str]]:
    return [(key, value) for key, value in payload("sms", name)["form"]]


# ---------------------------------------------------------------- payload in, event out


@pytest.mark.parametrize("name", CASES)
async def test_each_payload_becomes_its_event(rig: Rig, name: str) -> None:
    case = payload("sms", name)
    request = webhook(rig.twilio.sign(f"{PUBLIC}/channels/sms", form(name)))
    received = await rig.channel.receive(request, rig.inbox)

    (event,) = received.events
    expected = {**case["event"]}
    assert type(event).__name__ == expected.pop("type")
    got = dataclasses.asdict(event)
    told = ("name", "content_type", "size", "url", "refused")
    got["attachments"] = [{k: a[k] for k in told} for a in got.get("attachments", ())]
    assert {key: got[key] for key in expected} == expected
    assert rig.channel.locate(request) == case["address"]
    assert received.reply.status == 200
    assert received.reply.headers["content-type"].startswith("text/xml")
    assert received.reply.body.endswith(b"<Response/>")


@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        ("question", (OURS,)),
        ("question_messaging_service", (SERVICE, OURS)),
        ("status_delivered", (OURS,)),
        ("status_delivered_messaging_service", (SERVICE, OURS)),
    ],
)
def test_every_address_the_form_may_mean_is_named(
    rig: Rig, name: str, addresses: tuple[str, ...]
) -> None:
    request = webhook(rig.twilio.sign(f"{PUBLIC}/channels/sms", form(name)))
    assert rig.channel.candidates(request) == addresses


@pytest.mark.parametrize(
    ("word", "granted"),
    [
        *(
            (word, False)
            for word in ("STOP", "stopall", "Unsubscribe", " cancel. ", "END!", "quit")
        ),
        *((word, False) for word in ("Revoke", "OPTOUT")),
        *((word, True) for word in ("START", "unstop")),
        ("Help?", None),
    ],
)
async def test_opt_out_words_are_whole_messages(rig: Rig, word: str, granted: bool | None) -> None:
    request = rig.twilio.incoming(THEIRS, OURS, word)
    (event,) = (await rig.channel.receive(webhook(request), rig.inbox)).events
    assert isinstance(event, ConsentChange)
    assert (event.granted, event.provider_answered) == (granted, False)


@pytest.mark.parametrize(
    "text",
    [
        "please cancel my booking", "stop by at ten?", "the end", "help me invite", "start a trial", "yes", "CANCEL 12",
        "don't stop", "unsubscribed yesterday", "quit my job, need to hand over",
    ],
)  # fmt: skip
async def test_a_sentence_with_such_a_word_is_a_message(rig: Rig, text: str) -> None:
    request = rig.twilio.incoming(THEIRS, OURS, text)
    (event,) = (await rig.channel.receive(webhook(request), rig.inbox)).events
    assert isinstance(event, Inbound)


async def test_an_account_may_answer_keywords_itself(clock: FrozenClock) -> None:
    rig = make_rig(clock, twilio_answers_keywords=True)
    request = rig.twilio.incoming(THEIRS, OURS, "stop")
    (event,) = (await rig.channel.receive(webhook(request), rig.inbox)).events
    assert isinstance(event, ConsentChange)
    assert event.provider_answered


@pytest.mark.parametrize(
    "fields",
    [
        [("Body", "hi"), ("From", THEIRS), ("To", OURS)],
        [("MessageSid", "SM1"), ("Body", "hi"), ("To", OURS)],
        [("MessageSid", "SM1"), ("Body", "hi"), ("From", THEIRS)],
        [],
    ],
)
async def test_a_signed_form_that_is_no_message_is_anomalous(
    rig: Rig, fields: list[tuple[str, str]]
) -> None:
    with pytest.raises(AnomalousPayloadError):
        await rig.channel.receive(
            webhook(rig.twilio.sign(f"{PUBLIC}/channels/sms", fields)), rig.inbox
        )


# ---------------------------------------------------------------- signatures


@pytest.mark.parametrize(
    "received_at",
    [
        "https://help.example.com/channels/sms",
        "http://10.0.0.7:8000/channels/sms",
        "http://help.example.com:80/channels/sms",
    ],
)
async def test_the_public_url_is_checked_whatever_the_proxy_made_of_it(
    rig: Rig, received_at: str
) -> None:
    signed = rig.twilio.sign(f"{PUBLIC}/channels/sms", form())
    received = await rig.channel.receive(webhook(signed, received_at), rig.inbox)
    assert len(received.events) == 1


@pytest.mark.parametrize("query", ["?a=1&a=2", "?note=caf%C3%A9+au%20lait", "?x=&y", "?a=%2f%2F"])
async def test_the_query_counts_as_it_was_sent(rig: Rig, query: str) -> None:
    signed = rig.twilio.sign(f"{PUBLIC}/channels/sms{query}", form())
    behind = f"http://127.0.0.1:8000/channels/sms{query}"
    assert (await rig.channel.receive(webhook(signed, behind), rig.inbox)).events
    with pytest.raises(SignatureError):
        await rig.channel.receive(webhook(signed, behind.partition("?")[0]), rig.inbox)


async def test_a_port_in_the_public_url_may_be_signed_or_not(clock: FrozenClock) -> None:
    rig = make_rig(clock, public_url="https://help.example.com:443")
    for url in (f"{PUBLIC}/channels/sms", f"{PUBLIC}:443/channels/sms"):
        signed = rig.twilio.sign(url, form())
        assert (await rig.channel.receive(webhook(signed), rig.inbox)).events


@pytest.mark.parametrize("query", ["?", "?a=1&a=1&=&b", "?%41=%2B&x=a+b%20c", "?a=1;b=2&c#"])
async def test_the_address_is_signed_to_the_letter(rig: Rig, query: str) -> None:
    signed = rig.twilio.sign(f"{PUBLIC}/channels/sms{query}", form())
    behind = f"http://127.0.0.1:8000/channels/sms{query}"
    assert (await rig.channel.receive(webhook(signed, behind), rig.inbox)).events


@pytest.mark.parametrize("received", ["/channels/sms", "/front/door/channels/sms"])
async def test_a_proxy_may_take_its_prefix_off_or_leave_it_on(
    clock: FrozenClock, received: str
) -> None:
    rig = make_rig(clock, public_url=f"{PUBLIC}/front/door/")
    signed = rig.twilio.sign(f"{PUBLIC}/front/door/channels/sms", form())
    behind = f"http://127.0.0.1:8000{received}"
    assert (await rig.channel.receive(webhook(signed, behind), rig.inbox)).events


@pytest.mark.parametrize("name", ["repeated_key", "empty"])
async def test_repeated_keys_and_blank_values_are_signed(rig: Rig, name: str) -> None:
    fields = [*form(name), ("Empty", ""), ("Twice", "b"), ("Twice", "a"), ("Twice", "b")]
    signed = rig.twilio.sign(f"{PUBLIC}/channels/sms", fields)
    assert (await rig.channel.receive(webhook(signed), rig.inbox)).events
    fewer = rig.twilio.sign(f"{PUBLIC}/channels/sms", fields[:-2])
    mixed = dataclasses.replace(webhook(signed), headers=fewer.headers)
    with pytest.raises(SignatureError):
        await rig.channel.receive(mixed, rig.inbox)


SUB, SUB_TOKEN = "AC" + "3d" * 16, "sub-5678"
KEY, KEY_SECRET = "SK" + "4c" * 16, "key-9012"


async def test_a_subaccount_signs_with_its_own_token(clock: FrozenClock) -> None:
    own = {"subaccount_sid": SUB, "subaccount_auth_token": SUB_TOKEN}
    rig, without = make_rig(clock, **own), make_rig(clock)
    for each in (rig, without):
        each.twilio.accounts[SUB] = SUB_TOKEN
    for signer in (SUB, ""):  # the main account's own numbers go on
        rig.twilio.signs_as = signer
        request = webhook(rig.twilio.incoming(THEIRS, OURS, "hello"))
        assert (await rig.channel.receive(request, rig.inbox)).events
    without.twilio.signs_as = SUB
    request = webhook(without.twilio.incoming(THEIRS, OURS, "hello"))
    with pytest.raises(SignatureError, match="a subaccount signs with its own auth token"):
        await without.channel.receive(request, without.inbox)


async def test_a_form_that_only_names_a_subaccount_is_not_believed(clock: FrozenClock) -> None:
    own = {"subaccount_sid": SUB, "subaccount_auth_token": SUB_TOKEN}
    rig = make_rig(clock, **own)
    rig.twilio.signs_as = SUB  # signed by somebody who knows the SID alone
    rig.twilio.accounts[SUB] = "guessed"
    with pytest.raises(SignatureError):
        await rig.channel.receive(webhook(rig.twilio.incoming(THEIRS, OURS, "x")), rig.inbox)


async def test_a_signing_key_signs_in_place_of_the_token(clock: FrozenClock) -> None:
    rig = make_rig(clock, signing_key_secret="signs-1")
    url = f"{PUBLIC}/channels/sms"
    plain = webhook(rig.twilio.sign(url, form()))
    mac = hmac.new(b"signs-1", (url + "".join(k + v for k, v in sorted(form()))).encode(), "sha256")
    headers = {
        **plain.headers,
        "x-twilio-signature": base64.b64encode(mac.digest()).decode(),
        "x-twilio-webhooks-signature-settings": "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256",
    }
    by_key = dataclasses.replace(plain, headers=headers)
    assert (await rig.channel.receive(by_key, rig.inbox)).events
    assert (await rig.channel.receive(plain, rig.inbox)).events
    unset = make_rig(clock)
    with pytest.raises(SignatureError, match="signing key"):
        await unset.channel.receive(by_key, unset.inbox)
    odd = {**headers, "x-twilio-webhooks-signature-settings": "key=k,algorithm=NONE"}
    with pytest.raises(SignatureError):
        await rig.channel.receive(dataclasses.replace(plain, headers=odd), rig.inbox)


@pytest.mark.parametrize(
    "signature",
    [None, "", "x", "é" * 28, "\udcff" * 28, "A" * 27 + "=", "A" * 28, "AAAA\r\nX: y"],
)
async def test_a_wrong_signature_is_refused(rig: Rig, signature: str | None) -> None:
    signed = rig.twilio.sign(f"{PUBLIC}/channels/sms", form())
    headers = {k: v for k, v in signed.headers.items() if k != "x-twilio-signature"}
    headers |= {"x-twilio-signature": signature} if signature is not None else {}
    request = WebhookRequest("POST", signed.url, headers, signed.body)
    with pytest.raises(SignatureError):
        await rig.channel.receive(request, rig.inbox)


async def test_mutated_requests_are_refused_and_never_an_exception_page(rig: Rig) -> None:
    signed = rig.twilio.sign(f"{PUBLIC}/channels/sms", form("repeated_key"))
    dice = random.Random(7)
    for _ in range(300):
        body = bytearray(signed.body)
        body[dice.randrange(len(body))] ^= 1 << dice.randrange(8)
        same = dict(_parsed(bytes(body))) == dict(_parsed(signed.body))
        request = dataclasses.replace(webhook(signed), body=bytes(body) + b"&x=y" * same)
        with pytest.raises(SignatureError):
            await rig.channel.receive(request, rig.inbox)


def _parsed(body: bytes) -> list[tuple[str, str]]:
    from urllib.parse import parse_qsl

    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe\x00", b"{}", b"&".join([b"a=1"] * 600), b"MessageSid", b"\x00=\x00&" * 9],
)
async def test_garbage_is_refused(rig: Rig, body: bytes) -> None:
    signed = rig.twilio.sign(f"{PUBLIC}/channels/sms", form())
    request = WebhookRequest("POST", signed.url, signed.headers, body)
    assert rig.channel.candidates(request) == ()
    with pytest.raises(SignatureError):
        await rig.channel.receive(request, rig.inbox)


async def test_json_needs_a_signed_body_hash(rig: Rig) -> None:
    body = b'{"MessageSid": "SM1"}'
    json_type = {"content-type": "application/json"}
    digest = hashlib.sha256(body).hexdigest()
    covered = rig.twilio.sign(f"{PUBLIC}/channels/sms?bodySHA256={digest}", [])
    bare = rig.twilio.sign(f"{PUBLIC}/channels/sms", [])
    for signed, data, error in (
        (covered, body, AnomalousPayloadError),  # Twilio said it; but texts are forms
        (covered, body + b" ", SignatureError),
        (bare, body, SignatureError),
        (bare, b"", SignatureError),
    ):
        request = WebhookRequest("POST", signed.url, {**signed.headers, **json_type}, data)
        with pytest.raises(error):
            await rig.channel.receive(request, rig.inbox)


async def test_a_replay_has_the_same_external_id(rig: Rig) -> None:
    request = webhook(rig.twilio.incoming(THEIRS, OURS, "hello"))
    first = await rig.channel.receive(request, rig.inbox)
    rig.clock.advance(timedelta(days=3))
    assert (await rig.channel.receive(request, rig.inbox)).events == first.events


# ---------------------------------------------------------------- settings


def settings(**values: str) -> SmsSettings:
    return SmsSettings(**values)  # type: ignore[arg-type] # pydantic makes SecretStr of it


FULL = {
    "account_sid": ACCOUNT,
    "auth_token": TOKEN,
    "from_number": OURS,
    "public_url": PUBLIC,
}


def test_unconfigured_is_off() -> None:
    assert configured(settings()) == []
    assert configured(settings(public_url=PUBLIC)) == []


@pytest.mark.parametrize(
    ("change", "addresses"),
    [
        ({}, [OURS]),
        ({"from_number": "", "messaging_service_sid": SERVICE}, [SERVICE]),
        ({"messaging_service_sid": SERVICE}, [SERVICE, OURS]),
    ],
)
def test_each_sender_is_an_inbox(change: dict[str, str], addresses: list[str]) -> None:
    expected = [(address, "customer") for address in addresses]
    assert configured(settings(**{**FULL, **change})) == expected


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"account_sid": ""}, "USHER_SMS_ACCOUNT_SID"),
        ({"auth_token": ""}, "USHER_SMS_AUTH_TOKEN"),
        ({"from_number": ""}, "USHER_SMS_FROM_NUMBER or USHER_SMS_MESSAGING_SERVICE_SID"),
        ({"public_url": ""}, "USHER_SMS_PUBLIC_URL"),
        ({"account_sid": "SK" + "1f" * 16}, "must be AC"),
        ({"from_number": "our number"}, "USHER_SMS_FROM_NUMBER"),
        ({"messaging_service_sid": "PN1"}, "start with MG"),
        ({"public_url": "help.example.com"}, "USHER_SMS_PUBLIC_URL"),
        ({"public_url": "https://[oops"}, "USHER_SMS_PUBLIC_URL"),
    ],
)
def test_half_configured_names_what_is_wrong(change: dict[str, str], named: str) -> None:
    with pytest.raises(MisconfiguredError, match=named) as caught:
        configured(settings(**{**FULL, **change}))
    assert TOKEN not in str(caught.value)


# ---------------------------------------------------------------- delivery


async def test_a_message_goes_out_with_a_status_callback(wired: Rig) -> None:
    sent = await wired.channel.deliver(wired.outbound(), wired.inbox)

    (message,) = wired.twilio.messages
    assert sent == Sent(message.sid)
    assert (message.to, message.from_, message.body) == (THEIRS, OURS, "You can invite them.")
    callback = wired.twilio.status(message.sid, "delivered")
    assert callback is not None
    (receipt,) = (await wired.channel.receive(webhook(callback), wired.inbox)).events
    assert dataclasses.asdict(receipt) == {
        "provider_id": sent.provider_id,
        "status": "delivered",
        "error": None,
    }


async def test_a_messaging_service_picks_the_number(wired: Rig) -> None:
    own = wired.inbox.settings
    assert own is not None
    with_service = own.model_copy(update={"messaging_service_sid": SERVICE})
    inbox = dataclasses.replace(wired.inbox, settings=with_service)
    await wired.channel.deliver(wired.outbound(), inbox)
    assert wired.twilio.messages[0].messaging_service_sid == SERVICE
    assert wired.twilio.messages[0].from_ == OURS


async def test_choices_sources_and_author_are_text(wired: Rig) -> None:
    outbound = wired.outbound(
        "Open **Settings**, see [the guide](https://docs.example.com/team) [1].",
        author=Author.CSM,
        author_name="Dana",
        quick_replies=(QuickReply("Yes, please", "yes"), QuickReply("No", "no")),
        citations=(
            Citation(1, PassageId("pas_1"), "team/invite.md", "Invite", "By mail", "Open Settings"),
        ),
    )
    await wired.channel.deliver(outbound, wired.inbox)
    assert wired.twilio.messages[0].body == (
        "Dana (team): Open Settings, see the guide (https://docs.example.com/team) [1].\n\n"
        "1. Yes, please\n2. No\nReply with a number.\n\n"
        "Sources: 1 Invite, By mail"
    )


async def test_a_long_answer_goes_in_parts_and_a_repeat_goes_on_where_it_stopped(
    wired: Rig,
) -> None:
    outbound = wired.outbound("This is a sentence of the answer. " * 100)
    wired.twilio.switches.fail(Failure.error(200))  # the first part: an answer that is no JSON
    with pytest.raises(UnknownOutcomeError):
        await wired.channel.deliver(outbound, wired.inbox)
    wired.twilio.switches.clear()
    wired.settled()
    assert await wired.channel.reconcile(outbound, wired.inbox) is None

    part = wired.channel.deliver(outbound, wired.inbox)
    sent = await part
    bodies = [m.body for m in wired.twilio.messages]
    assert len(bodies) == 3
    assert max(map(len, bodies)) <= 1600
    assert all(body.endswith(".") for body in bodies)
    assert " ".join(bodies) == outbound.text.strip()
    assert sent.provider_id == wired.twilio.messages[-1].sid
    assert await wired.channel.deliver(outbound, wired.inbox) == sent
    assert len(wired.twilio.messages) == 3


@pytest.mark.parametrize(
    ("failure", "error", "retry_after"),
    [
        (Failure.rate_limited(17), RetryableDeliveryError, 17.0),
        (Failure.error(503), RetryableDeliveryError, None),
        (Failure.refused("21611", 429), RetryableDeliveryError, None),
        (Failure.refused("14107"), RetryableDeliveryError, None),
        (Failure.error(500), UnknownOutcomeError, None),
        (Failure.error(502), UnknownOutcomeError, None),
        (Failure.error(504), UnknownOutcomeError, None),
        (Failure.error(200), UnknownOutcomeError, None),
        (Failure.timeout(accepted=True), UnknownOutcomeError, None),
        (Failure.timeout(accepted=False), UnknownOutcomeError, None),
        (Failure.refused("21610"), PermanentDeliveryError, None),
        (Failure.refused("20003", 401), PermanentDeliveryError, None),
        (Failure.refused("20404", 404), PermanentDeliveryError, None),
    ],
)
async def test_what_a_failure_means(
    wired: Rig, failure: Failure, error: type[DeliveryError], retry_after: float | None
) -> None:
    wired.twilio.switches.fail(failure)
    with pytest.raises(error) as caught:
        await wired.channel.deliver(wired.outbound(), wired.inbox)
    assert type(caught.value) is error
    assert caught.value.retry_after == retry_after
    assert THEIRS not in str(caught.value)
    assert TOKEN not in str(caught.value)


SUBACCOUNT = {"subaccount_sid": SUB, "subaccount_auth_token": SecretStr(SUB_TOKEN)}
API_KEY = {"api_key_sid": KEY, "api_key_secret": SecretStr(KEY_SECRET)}


@pytest.mark.parametrize(
    "shape",
    [{}, SUBACCOUNT, API_KEY, {**SUBACCOUNT, **API_KEY}],
    ids=["token", "subaccount", "key", "both"],
)
async def test_every_shape_of_credentials_sends(wired: Rig, shape: dict[str, Any]) -> None:
    wired.twilio.accounts[SUB], wired.twilio.keys[KEY] = SUB_TOKEN, KEY_SECRET
    wired.change(**shape)
    await wired.channel.deliver(wired.outbound(), wired.inbox)
    assert [m.body for m in wired.twilio.messages] == ["You can invite them."]


async def test_a_wrong_api_key_is_refused_for_good(wired: Rig) -> None:
    wired.change(**API_KEY)
    with pytest.raises(PermanentDeliveryError, match="20003"):
        await wired.channel.deliver(wired.outbound(), wired.inbox)


async def test_files_go_as_links(wired: Rig) -> None:
    file = Attachment("session.ics", "text/calendar", 300, url="/files/tok-1")
    await wired.channel.deliver(wired.outbound("Booked.", attachments=(file,)), wired.inbox)
    bodies = [m.body for m in wired.twilio.messages]
    assert bodies == ["Booked.", f"session.ics: {PUBLIC}/files/tok-1"]


async def test_marks_are_spelled_plainly_where_that_saves_a_segment(wired: Rig) -> None:
    text = "Open “Settings” – then “People” … " * 4
    outbound = wired.outbound(text)
    await lose(wired, outbound, accepted=True)
    assert wired.twilio.messages[0].body == ('Open "Settings" - then "People" ... ' * 4).strip()
    wired.settled()
    found = await wired.channel.reconcile(outbound, wired.inbox)
    assert found == Sent(wired.twilio.messages[0].sid)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "17"}, 17.0),
        ({"Retry-After": " 0 "}, 0.0),
        ({"Retry-After": "99999999999999999999"}, 86_400.0),
        (
            {
                "Date": "Wed, 04 Mar 2026 12:00:00 GMT",
                "Retry-After": "Wed, 04 Mar 2026 12:00:30 GMT",
            },
            30.0,
        ),
        ({"Retry-After": "Wed, 04 Mar 2026 12:00:30 GMT"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-1"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


# ---------------------------------------------------------------- usher channels check

HOOK = f"{PUBLIC}/channels/sms"


async def found(rig: Rig) -> list[tuple[bool, str]]:
    return [(f.ok, f.sentence) for f in await rig.channel.examine(rig.inbox)]


async def test_a_right_set_up_is_said_so(wired: Rig) -> None:
    wired.twilio.holdings.numbers[OURS] = (HOOK, "POST")
    wired.twilio.keys[KEY] = KEY_SECRET
    wired.change(**API_KEY)
    assert await found(wired) == [
        (True, f"the auth token of AC…{ACCOUNT[-4:]} is right"),
        (True, f"the API key SK…{KEY[-4:]} is right"),
        (True, "the sender number is this account's"),
        (True, f"the number calls {HOOK} with POST"),
    ]


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({}, "the sender number is not this account's (FROM_NUMBER)"),
        ({OURS: ("", "POST")}, f"the number calls nothing when a message comes in: set {HOOK}"),
        ({OURS: ("https://demo.twilio.com/x", "POST")}, "the number calls another address"),
        ({OURS: (HOOK, "GET")}, f"the number calls {HOOK} with GET: set HTTP POST"),
    ],
    ids=["none", "nothing", "elsewhere", "get"],
)
async def test_a_wrong_number_is_said_so(
    wired: Rig, numbers: dict[str, tuple[str, str]], said: str
) -> None:
    wired.twilio.holdings.numbers.update(numbers)
    (last,) = [sentence for ok, sentence in await found(wired) if not ok]
    assert last.startswith(said)


@pytest.mark.parametrize(
    ("service", "said"),
    [
        (
            {SERVICE: {"inbound_request_url": HOOK, "inbound_method": "POST"}},
            f"calls {HOOK} with POST",
        ),
        ({SERVICE: {"inbound_request_url": None, "inbound_method": "POST"}}, "calls nothing"),
        ({SERVICE: {"use_inbound_webhook_on_number": True}}, "defers to each sender's own webhook"),
        ({}, "cannot be seen"),
    ],
    ids=["right", "dropped", "deferred", "unknown"],
)
async def test_a_messaging_service_is_looked_at(
    wired: Rig, service: dict[str, Any], said: str
) -> None:
    held = wired.twilio.holdings
    held.services.update(service)
    wired.change(messaging_service_sid=SERVICE, from_number="")
    assert said in (await found(wired))[-1][1]


async def test_a_rotated_token_is_said_so_and_nothing_else_is_asked(wired: Rig) -> None:
    wired.twilio.auth_token = "another"
    ((ok, sentence),) = await found(wired)
    assert not ok
    assert sentence.startswith(f"the auth token of AC…{ACCOUNT[-4:]} does not open the account")
    assert TOKEN not in sentence


async def test_a_suspended_account_and_plain_http_are_said(wired: Rig) -> None:
    wired.twilio.holdings.status = "suspended"
    wired.change(public_url="http://help.example.com")
    said = [sentence for ok, sentence in await found(wired) if not ok]
    assert any("PUBLIC_URL is http" in s for s in said)
    assert any("the account is suspended" in s for s in said)


async def test_nobody_there_is_a_finding_too(clock: FrozenClock) -> None:
    rig = make_rig(clock, "http://127.0.0.1:9")
    assert [ok for ok, _ in await found(rig)] == [False]


async def test_a_file_and_a_capture_are_read(wired: Rig) -> None:
    own = wired.inbox.settings
    assert isinstance(own, SmsSettings)
    path, kind = wired.twilio.holdings.file(b"picture", "image/png", ACCOUNT)
    attachment = Attachment("media-1.png", kind, 0, url=f"{own.api_base_url}{path}")
    assert await wired.channel.fetch(attachment, wired.inbox, 100) == b"picture"
    capture = WebhookRequest("POST", HOOK, {}, wired.twilio.sign(HOOK, form()).body)
    (event,) = (await wired.channel.read(capture, wired.inbox)).events
    assert isinstance(event, Inbound)


async def test_a_whatsapp_message_at_this_door_is_a_misconfiguration(rig: Rig) -> None:
    fields = [(k, f"whatsapp:{v}" if k in ("From", "To") else v) for k, v in form()]
    with pytest.raises(AnomalousPayloadError, match="/channels/whatsapp"):
        await rig.channel.receive(webhook(rig.twilio.sign(HOOK, fields)), rig.inbox)


@pytest.mark.parametrize("address", ["+1", "somebody", "+1500555012345678901"])
async def test_an_impossible_number_is_refused_for_good(wired: Rig, address: str) -> None:
    with pytest.raises(PermanentDeliveryError, match="21211"):
        await wired.channel.deliver(wired.outbound(address=address), wired.inbox)


async def test_nobody_there_is_retryable(clock: FrozenClock) -> None:
    rig = make_rig(clock, "http://127.0.0.1:9")
    with pytest.raises(RetryableDeliveryError):
        await rig.channel.deliver(rig.outbound(), rig.inbox)


@pytest.mark.parametrize("text", ["", " \n "])
async def test_nothing_is_not_sent(rig: Rig, text: str) -> None:
    with pytest.raises(PermanentDeliveryError):
        await rig.channel.deliver(rig.outbound(text), rig.inbox)


# ---------------------------------------------------------------- reconciliation


async def lose(rig: Rig, outbound: Outbound, *, accepted: bool) -> None:
    rig.twilio.switches.fail(Failure.timeout(accepted=accepted))
    with pytest.raises(UnknownOutcomeError):
        await rig.channel.deliver(outbound, rig.inbox)


async def test_a_lost_answer_is_found(wired: Rig) -> None:
    outbound = wired.outbound()
    await lose(wired, outbound, accepted=True)
    wired.settled()
    sent = await wired.channel.reconcile(outbound, wired.inbox)
    assert sent == Sent(wired.twilio.messages[0].sid)
    assert len(wired.twilio.messages) == 1


async def test_a_lost_request_is_certainly_not_there(wired: Rig) -> None:
    outbound = wired.outbound()
    await lose(wired, outbound, accepted=False)
    wired.settled()
    assert await wired.channel.reconcile(outbound, wired.inbox) is None


async def test_it_is_not_looked_for_too_early(wired: Rig) -> None:
    outbound = wired.outbound()
    await lose(wired, outbound, accepted=False)
    with pytest.raises(RetryableDeliveryError) as caught:
        await wired.channel.reconcile(outbound, wired.inbox)
    assert caught.value.retry_after == 10.0


async def test_a_send_that_was_cut_off_is_unsure_too(wired: Rig) -> None:
    outbound = wired.outbound()
    wired.twilio.switches.fail(Failure.timeout(accepted=True))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await wired.channel.deliver(outbound, wired.inbox)
    with pytest.raises(RetryableDeliveryError):
        await wired.channel.reconcile(outbound, wired.inbox)
    wired.settled()
    sent = await wired.channel.reconcile(outbound, wired.inbox)
    assert sent == Sent(wired.twilio.messages[0].sid)


async def test_an_identical_text_of_another_send_is_not_this_one(wired: Rig) -> None:
    await wired.channel.deliver(wired.outbound("Thanks!"), wired.inbox)
    twin = wired.outbound("Thanks!", id=OutboxId("out_2"))
    await lose(wired, twin, accepted=False)
    wired.settled()
    assert await wired.channel.reconcile(twin, wired.inbox) is None


async def test_two_that_nobody_answers_for_are_for_a_person(wired: Rig) -> None:
    outbound = wired.outbound("Thanks!")
    await lose(wired, outbound, accepted=True)
    wired.twilio.messages.append(dataclasses.replace(wired.twilio.messages[0], sid="SM2"))
    wired.settled()
    with pytest.raises(UnknownOutcomeError):
        await wired.channel.reconcile(outbound, wired.inbox)


async def test_what_they_wrote_to_us_is_not_ours(wired: Rig) -> None:
    outbound = wired.outbound("Thanks!")
    await lose(wired, outbound, accepted=False)
    wired.twilio.incoming(OURS, THEIRS, "Thanks!")
    wired.settled()
    assert await wired.channel.reconcile(outbound, wired.inbox) is None


async def test_an_old_identical_text_is_not_this_one(wired: Rig) -> None:
    old = wired.outbound("Thanks!")
    await lose(wired, old, accepted=True)
    wired.clock.advance(timedelta(minutes=5))
    new = wired.outbound("Thanks!", id=OutboxId("out_2"))
    await lose(wired, new, accepted=False)
    wired.settled()
    assert await wired.channel.reconcile(new, wired.inbox) is None


async def test_too_many_to_look_through_are_for_a_person(wired: Rig) -> None:
    outbound = wired.outbound("Thanks!")
    await lose(wired, outbound, accepted=True)
    first = wired.twilio.messages[0]
    others = [dataclasses.replace(first, sid=f"SM{n}", body=f"Other {n}") for n in range(150)]
    wired.twilio.messages.extend(others)
    wired.settled()
    with pytest.raises(UnknownOutcomeError):
        await wired.channel.reconcile(outbound, wired.inbox)


@pytest.mark.parametrize(
    "failure", [Failure.error(500), Failure.rate_limited(3), Failure.refused("20003", 401)]
)
async def test_a_list_that_fails_is_asked_for_later(wired: Rig, failure: Failure) -> None:
    wired.twilio.switches.fail(failure)
    with pytest.raises(RetryableDeliveryError):
        await wired.channel.reconcile(wired.outbound(), wired.inbox)


async def test_sent_but_not_noted_is_unknown_and_then_found(wired: Rig) -> None:
    outbound = wired.outbound()
    wired.state.is_down = True
    with pytest.raises(UnknownOutcomeError):
        await wired.channel.deliver(outbound, wired.inbox)
    wired.state.is_down = False
    sent = await wired.channel.reconcile(outbound, wired.inbox)
    assert sent == Sent(wired.twilio.messages[0].sid)
