"""The webhooks of SendGrid, Postmark and Amazon: the same mail as from our own, and nothing without proof."""

import base64
import dataclasses
import json
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from app.simulator.mail_posts import CERTIFICATE_URL, TOPIC, Amazon, SendGrid, postmark_post
from app.simulator.mail_server import mailgun_form, signed_mail
from app.simulator.switches import SignedRequest
from channels._shared.mail_sns import is_amazon
from channels.email import CHANNEL, EmailChannel
from core.clock import FrozenClock
from core.contracts import WebhookRequest
from core.errors import AnomalousPayloadError, SignatureError
from core.messages import Event, Ignored
from tests.channels.serving import MemoryState, channel_context, webhook
from tests.channels.test_email import OURS, URL, inbox, mail, signed

GRID = SendGrid()
CREDENTIALS = "usher:pm-secret"
KEYS = {
    "sendgrid_public_key": GRID.public_key, "postmark_credentials": CREDENTIALS, "ses_topic_arn": TOPIC,
}  # fmt: skip
RAW = mail("new_question")
Post = Callable[[bytes], SignedRequest]


@pytest.fixture
def amazon(clock: FrozenClock) -> Amazon:
    return Amazon(clock.now())


@pytest.fixture
def channel(clock: FrozenClock, amazon: Amazon) -> EmailChannel:
    return EmailChannel(channel_context(clock, MemoryState()), fetch=amazon.fetch)


@pytest.fixture
def posts(clock: FrozenClock, amazon: Amazon) -> dict[str, Post]:
    now, to = clock.now(), f"Support+x.y@{OURS[8:]}"
    return {
        "own": lambda raw: signed_mail(raw, URL, "hook-secret", now, to),
        "mailgun": lambda raw: mailgun_form(raw, URL, "gun-key", now, to),
        "sendgrid": lambda raw: GRID.post(raw, URL, now, to),
        "postmark": lambda raw: postmark_post(raw, URL, CREDENTIALS, to),
        "ses": lambda raw: amazon.notice(raw, URL, now, to),
        "ses version 1": lambda raw: amazon.notice(raw, URL, now, to, version="1"),
        "ses in plain": lambda raw: amazon.notice(raw, URL, now, to, coded=False),
    }


SHAPES = ["own", "mailgun", "sendgrid", "postmark", "ses", "ses version 1", "ses in plain"]


async def read(channel: EmailChannel, request: SignedRequest, **changes: object) -> Event:
    received = await channel.receive(webhook(request), inbox(**{**KEYS, **changes}))
    (event,) = received.events
    return event


@pytest.mark.parametrize("shape", SHAPES)
async def test_every_shape_reads_the_same_mail(
    channel: EmailChannel, posts: dict[str, Post], clock: FrozenClock, shape: str
) -> None:
    request = posts[shape](RAW)
    assert channel.locate(webhook(request)) == OURS
    expected = (await channel.receive(signed(RAW, clock), inbox())).events
    assert (await read(channel, request),) == expected
    assert (await read(channel, request),) == expected, "a retry is let in"
    assert (await channel.read(webhook(request), inbox(**KEYS))).events == expected


@pytest.mark.parametrize("shape", SHAPES)
async def test_without_its_key_a_door_is_shut(
    channel: EmailChannel, posts: dict[str, Post], shape: str
) -> None:
    shut = {
        "webhook_secret": "", "mailgun_signing_key": "", "sendgrid_public_key": "",
        "postmark_credentials": "", "ses_topic_arn": "",
    }  # fmt: skip
    with pytest.raises(SignatureError):
        await read(channel, posts[shape](RAW), **shut)


def _bent(text: str, rng: random.Random) -> str:
    """The text with one character of it another one."""
    at = rng.randrange(len(text))
    return (
        text[:at] + rng.choice("Qq7_") + text[at + 1 :]
        if text[at] not in "Qq7_"
        else text[:at] + "z" + text[at + 1 :]
    )


def _bend_header(name: str) -> Callable[[SignedRequest, random.Random], WebhookRequest]:
    def bend(request: SignedRequest, rng: random.Random) -> WebhookRequest:
        headers = {**request.headers, name: _bent(request.headers[name], rng)}
        return dataclasses.replace(webhook(request), headers=headers)

    return bend


def _bend_mailgun(request: SignedRequest, rng: random.Random) -> WebhookRequest:
    body = bytearray(request.body)
    body[request.body.index(b'name="signature"') + 20 + rng.randrange(64)] ^= 1
    return dataclasses.replace(webhook(request), body=bytes(body))


def _bend_ses(request: SignedRequest, rng: random.Random) -> WebhookRequest:
    said = json.loads(request.body)
    name = rng.choice(
        ("Signature", "Message", "Timestamp", "TopicArn", "MessageId", "Type", "SignatureVersion")
    )
    said[name] = _bent(said[name], rng)
    return dataclasses.replace(webhook(request), body=json.dumps(said).encode())


BENDS = {
    "own": _bend_header("x-usher-signature"),
    "mailgun": _bend_mailgun,
    "sendgrid": _bend_header("x-twilio-email-event-webhook-signature"),
    "postmark": _bend_header("authorization"),
    "ses": _bend_ses,
}


@pytest.mark.parametrize("shape", BENDS)
async def test_a_thousand_bent_signatures_are_all_refused(
    channel: EmailChannel, posts: dict[str, Post], shape: str
) -> None:
    rng = random.Random(5)
    request = posts[shape](RAW)
    own = inbox(**KEYS)
    for _ in range(1000):
        with pytest.raises(SignatureError) as refused:
            await channel.receive(BENDS[shape](request, rng), own)
        assert refused.value.status in (401, 403)


@pytest.mark.parametrize("shape", SHAPES)
async def test_five_hundred_replays_are_one_message(
    channel: EmailChannel, posts: dict[str, Post], shape: str
) -> None:
    request = webhook(posts[shape](RAW))
    own = inbox(**KEYS)
    seen = {
        getattr((await channel.receive(request, own)).events[0], "external_id", None)
        for _ in range(500)
    }
    assert seen == {"<new-1@mail.acme.example>"}


@pytest.mark.parametrize(
    ("shape", "seconds"), [("sendgrid", 301), ("sendgrid", -301), ("ses", 90_000), ("ses", -90_000)]
)
async def test_old_ones_are_refused(
    channel: EmailChannel, posts: dict[str, Post], clock: FrozenClock, shape: str, seconds: int
) -> None:
    request = posts[shape](RAW)
    clock.advance(timedelta(seconds=seconds))
    with pytest.raises(SignatureError):
        await read(channel, request)


# ---------------------------------------------------------------- Amazon alone


async def test_the_certificate_is_fetched_once(
    channel: EmailChannel, posts: dict[str, Post], amazon: Amazon
) -> None:
    for _ in range(3):
        await read(channel, posts["ses"](RAW))
    assert amazon.fetched == [CERTIFICATE_URL]


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/a.pem",
        "https://evil.example/sns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/a.pem",
        "https://user@sns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/a.pem",
        "https://s3.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com/a.txt",
        "https://169.254.169.254/a.pem",
        "file:///etc/a.pem",
        "https://[::1/a.pem",
        "",
    ],
)
async def test_a_certificate_from_elsewhere_is_never_fetched(
    channel: EmailChannel, posts: dict[str, Post], amazon: Amazon, url: str
) -> None:
    assert not is_amazon(url, ".pem")
    request = posts["ses"](RAW)
    said = {**json.loads(request.body), "SigningCertURL": url}
    with pytest.raises(SignatureError):
        await read(channel, dataclasses.replace(request, body=json.dumps(said).encode()))
    assert amazon.fetched == []


async def test_a_subscription_is_confirmed_once_it_is_proven(
    channel: EmailChannel, amazon: Amazon, clock: FrozenClock
) -> None:
    url = f"https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37"
    request = amazon.confirmation(f"{URL}?inbox={OURS}", clock.now(), url)
    assert channel.locate(webhook(request)) == OURS
    assert await read(channel, request) == Ignored("sns_subscription")
    assert amazon.fetched == [CERTIFICATE_URL, url]


async def test_a_confirmation_that_leads_elsewhere_is_refused(
    channel: EmailChannel, amazon: Amazon, clock: FrozenClock
) -> None:
    request = amazon.confirmation(
        URL, clock.now(), "https://evil.example/?Action=ConfirmSubscription"
    )
    with pytest.raises(SignatureError):
        await read(channel, request)
    assert amazon.fetched == [CERTIFICATE_URL]


async def test_anothers_key_signs_nothing(
    channel: EmailChannel, clock: FrozenClock, amazon: Amazon
) -> None:
    with pytest.raises(SignatureError):
        await read(channel, Amazon(clock.now()).notice(RAW, URL, clock.now(), OURS))
    with pytest.raises(SignatureError):
        await read(channel, SendGrid().post(RAW, URL, clock.now(), OURS))


# ---------------------------------------------------------------- proven, and still no mail


def _ses_without(amazon: Amazon, clock: FrozenClock, message: object) -> SignedRequest:
    said = json.loads(amazon.notice(RAW, URL, clock.now(), OURS).body)
    kept = {k: v for k, v in said.items() if not k.startswith("Sign")}
    return amazon.signed({**kept, "Message": json.dumps(message)}, URL, "2")


@pytest.mark.parametrize(
    "message",
    [
        None, [], {}, {"content": ""}, {"content": 3}, {"content": "x", "receipt": []},
        {"content": "x", "receipt": {"action": 1}},
    ],
)  # fmt: skip
async def test_a_notification_without_a_mail(
    channel: EmailChannel, amazon: Amazon, clock: FrozenClock, message: object
) -> None:
    with pytest.raises(AnomalousPayloadError):
        await read(channel, _ses_without(amazon, clock, message))


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"RawEmail": 3}', b'{"RawEmail": ""}', b"\xff", b"[" * 9_000]
)
async def test_postmark_without_a_mail_says_what_is_missing(
    channel: EmailChannel, body: bytes
) -> None:
    request = dataclasses.replace(postmark_post(RAW, URL, CREDENTIALS, OURS), body=body)
    with pytest.raises(AnomalousPayloadError):
        await read(channel, request)


async def test_sendgrid_without_a_mail_says_what_to_tick(
    channel: EmailChannel, clock: FrozenClock
) -> None:
    with pytest.raises(AnomalousPayloadError, match="raw, full MIME"):
        await read(channel, GRID.post(b"", URL, clock.now(), OURS))


@pytest.mark.parametrize("key", ["", "no base64", base64.b64encode(b"no key").decode()])
async def test_a_key_that_is_none_lets_nobody_in(
    channel: EmailChannel, clock: FrozenClock, key: str
) -> None:
    with pytest.raises(SignatureError):
        await read(channel, GRID.post(RAW, URL, clock.now(), OURS), sendgrid_public_key=key)


@pytest.mark.parametrize("header", ["", "Basic", "Basic !!!", "Bearer x", "Basic é"])
async def test_postmark_with_other_credentials(channel: EmailChannel, header: str) -> None:
    request: Any = postmark_post(RAW, URL, CREDENTIALS, OURS)
    changed = dataclasses.replace(request, headers={**request.headers, "authorization": header})
    with pytest.raises(SignatureError):
        await read(channel, changed)


def test_the_channel_is_built_with_the_real_fetch(clock: FrozenClock) -> None:
    built = CHANNEL.build(channel_context(clock, MemoryState()))
    assert isinstance(built, EmailChannel)
    assert built.fetch.__name__ == "fetch_amazon"
