"""The doors whose own tests do not knock over HTTP: a thousand bent signatures and five hundred replays each.

Twilio's message doors and Slack's have theirs in test_twilio_doors.py and test_slack_customers.py; Amazon's, whose
certificate would have to be fetched from Amazon, in tests/channels/test_email_doors.py.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from app.simulator.mail_posts import SendGrid, postmark_post
from app.simulator.mail_server import mailgun_form, signed_mail
from app.simulator.switches import SignedRequest
from app.simulator.telegram_api import TelegramStandIn
from app.simulator.twilio_api import TwilioStandIn
from core.contracts import WebhookRequest
from tests.app.app_server import PUBLIC, Server, running_app
from tests.channels.serving import payload
from tests.channels.test_email import mail
from tests.channels.test_email_doors import BENDS
from tests.guards import NO_CERTIFICATES

GRID = SendGrid()
MAILBOX, HOOK, GUN, POSTMARK = "support@lumen.example", "hook-secret", "gun-key", "usher:pm-secret"
ACCOUNT, TOKEN, NUMBER = "AC" + "1f" * 16, "shhh-1234", "+15005550100"
BOT, SECRET = "7000000001:AAF-abcdefghijklmnopqrstuvwxyz01234", "0123456789abcdef-_"
MAIL_URL, VOICE_URL = f"{PUBLIC}/channels/email", f"{PUBLIC}/channels/voice"
BOT_URL = f"{PUBLIC}/channels/telegram?bot=7000000001"
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "email": {
        "address": MAILBOX,
        "webhook_secret": HOOK,
        "mailgun_signing_key": GUN,
        "sendgrid_public_key": GRID.public_key,
        "postmark_credentials": POSTMARK,
    },
    "voice": {
        "account_sid": ACCOUNT, "auth_token": TOKEN, "number": NUMBER, "public_url": PUBLIC,
    },
    "telegram": {
        "bot_token": BOT, "webhook_secret": SECRET, "username": "lumen_bot", "public_url": PUBLIC,
    },
}  # fmt: skip
RAW = mail("new_question")
Bend = Callable[[SignedRequest, random.Random], WebhookRequest]


def _calling(server: Server) -> SignedRequest:
    twilio = TwilioStandIn(server.clock, ACCOUNT, TOKEN, VOICE_URL, {})
    form = {"CallSid": "CA" + "3c" * 16, "From": "+15005550123", "To": NUMBER}
    said = {"CallStatus": "in-progress", "SpeechResult": "Hello"}
    return twilio.sign(f"{VOICE_URL}?at=talk&n=1&locale=en", list({**form, **said}.items()))


def _updated(_server: Server) -> SignedRequest:
    telegram = TelegramStandIn(BOT, SECRET, BOT_URL)
    return telegram.update(payload("telegram", "question")["update"])


def _bent(name: str) -> Bend:
    """Return what gives a request another signature in this header."""

    def bend(request: SignedRequest, rng: random.Random) -> WebhookRequest:
        good = request.headers[name]
        at = rng.randrange(len(good) - 1)
        other = rng.choice([c for c in "abcdefXYZ0123456789" if c != good[at]])
        wrong = rng.choice((good[:at] + other + good[at + 1 :], good[:-2], good + "x", "", "v0=0"))
        headers = {**request.headers, name: wrong}
        return WebhookRequest(request.method, request.url, headers, request.body)

    return bend


DOORS: Mapping[str, tuple[Callable[[Server], SignedRequest], Bend]] = {
    "own": (lambda s: signed_mail(RAW, MAIL_URL, HOOK, s.clock.now(), MAILBOX), BENDS["own"]),
    "mailgun": (
        lambda s: mailgun_form(RAW, MAIL_URL, GUN, s.clock.now(), MAILBOX),
        BENDS["mailgun"],
    ),
    "sendgrid": (lambda s: GRID.post(RAW, MAIL_URL, s.clock.now(), MAILBOX), BENDS["sendgrid"]),
    "postmark": (lambda _: postmark_post(RAW, MAIL_URL, POSTMARK, MAILBOX), BENDS["postmark"]),
    "voice": (_calling, _bent("x-twilio-signature")),
    "telegram": (_updated, _bent("x-telegram-bot-api-secret-token")),
}
every_door = pytest.mark.parametrize("door", DOORS)


@asynccontextmanager
async def knocking(url: str) -> AsyncIterator[tuple[Server, httpx.AsyncClient]]:
    async with (
        running_app(url, settings=SETTINGS, worker=False) as server,
        httpx.AsyncClient(base_url=server.url, trust_env=False, verify=NO_CERTIFICATES) as client,
    ):
        yield server, client


async def post(client: httpx.AsyncClient, sent: SignedRequest | WebhookRequest) -> int:
    path = httpx.URL(sent.url).raw_path.decode()
    answer = await client.request(
        sent.method, path, headers=dict(sent.headers), content=sent.body, timeout=30
    )
    return answer.status_code


@every_door
async def test_a_thousand_bent_signatures_are_refused_and_nothing_is_kept(
    sqlite_url: str, door: str
) -> None:
    made, bend = DOORS[door]
    async with knocking(sqlite_url) as (server, client):
        good, rng, before = made(server), random.Random(9), await server.counts()
        codes: list[int] = []
        for _ in range(20):
            codes += await asyncio.gather(*[post(client, bend(good, rng)) for _ in range(50)])
        assert len(codes) == 1000
        assert set(codes) <= {401, 403}
        assert await server.counts() == before
        # and it was nothing else that kept them out
        assert await post(client, made(server)) == 200


@pytest.mark.parametrize("door", [name for name in DOORS if name != "voice"])
async def test_five_hundred_replays_have_no_new_effect(sqlite_url: str, door: str) -> None:
    made, _ = DOORS[door]
    async with knocking(sqlite_url) as (server, client):
        good = made(server)
        assert await post(client, good) == 200
        before = await server.counts()
        assert before["messages"] == 1
        codes: list[int] = []
        for _ in range(10):
            codes += await asyncio.gather(*[post(client, good) for _ in range(50)])
        assert set(codes) == {200}
        assert await server.counts() == before
