"""The stand-ins answer the real SDKs as the providers would, beyond what the adapters use."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from app.simulator.slack_api import SlackStandIn
from app.simulator.switches import Failure, Switches, post
from app.simulator.twilio_api import TwilioStandIn
from channels import slack, sms
from channels._shared.slack_settings import SlackSettings
from channels.sms import SmsSettings
from core.clock import FrozenClock
from tests.channels.serving import serve
from tests.guards import NO_CERTIFICATES

TO, FROM = "+15005550123", "+15005550100"


async def twilio_get(twilio: TwilioStandIn, url: str, **query: str) -> Mapping[str, Any]:
    auth = (twilio.account_sid, twilio.auth_token)
    async with httpx.AsyncClient(auth=auth, trust_env=False, verify=NO_CERTIFICATES) as client:
        path = f"/2010-04-01/Accounts/{twilio.account_sid}/Messages.json"
        answer: Mapping[str, Any] = (await client.get(url + path, params=query)).json()
        return answer


async def test_twilio_lists_newest_first_in_pages_and_by_day(clock: FrozenClock) -> None:
    twilio = TwilioStandIn(clock)
    for day in range(5):
        twilio.incoming(TO, FROM, f"day {day}")
        clock.advance(timedelta(days=1))
    async with serve(twilio.app()) as url:
        page = await twilio_get(twilio, url, PageSize="2")
        assert [m["body"] for m in page["messages"]] == ["day 4", "day 3"]
        assert page["next_page_uri"].endswith("PageSize=2&Page=1")
        last = await twilio_get(twilio, url, PageSize="2", Page="2")
        assert (len(last["messages"]), last["next_page_uri"]) == (1, None)
        since = await twilio_get(twilio, url, **{"DateSent>": "2026-03-07"})
        assert [m["body"] for m in since["messages"]] == ["day 4", "day 3"]
        assert (await twilio_get(twilio, url, To=TO))["messages"] == []


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({"To": TO, "From": FROM, "Body": "x"}, 201, None),
        ({"To": "1", "From": FROM, "Body": "x"}, 400, 21211),
        ({"To": TO, "From": FROM}, 400, 21602),
        ({"To": TO, "Body": "x"}, 400, 21603),
        ({"To": TO, "From": FROM, "Body": "x" * 1601}, 400, 21617),
        ({"To": "+15005550199", "From": FROM, "Body": "x"}, 400, 21610),
    ],
)
async def test_twilio_refuses_with_its_codes(
    clock: FrozenClock, form: Mapping[str, str], status: int, code: int | None
) -> None:
    twilio = TwilioStandIn(clock, blocked={"+15005550199"})
    path = f"/2010-04-01/Accounts/{twilio.account_sid}/Messages.json"
    async with (
        serve(twilio.app()) as url,
        httpx.AsyncClient(trust_env=False, verify=NO_CERTIFICATES) as client,
    ):
        auth = (twilio.account_sid, twilio.auth_token)
        answer = await client.post(url + path, data=dict(form), auth=auth)
        assert (answer.status_code, answer.json().get("code")) == (status, code)
        assert (await client.post(url + path, data=dict(form))).status_code == 401


async def test_slack_answers_its_sdk(clock: FrozenClock) -> None:
    slack = SlackStandIn(clock, users={"U1": "anna"})
    slack.add_channel("C1")
    async with serve(slack.app()) as url:
        client = AsyncWebClient(slack.bot_token, base_url=f"{url}/api/")
        assert (await client.auth_test())["user_id"] == slack.bot_user_id
        root = await client.chat_postMessage(channel="C1", text="root")
        for number in range(3):
            await client.chat_postMessage(
                channel="C1", text=f"reply {number}", thread_ts=root["ts"]
            )
        await client.chat_update(channel="C1", ts=root["ts"], text="edited")
        await client.chat_postEphemeral(channel="C1", user="U1", text="psst")
        await client.views_open(trigger_id="1.2", view={"type": "modal"})
        assert (await client.users_info(user="U1"))["user"]["name"] == "anna"
        history = await client.conversations_history(channel="C1")
        assert [m["text"] for m in history["messages"]] == ["edited"]
        first = await client.conversations_replies(channel="C1", ts=root["ts"], limit=3)
        cursor = first["response_metadata"]["next_cursor"]
        rest = await client.conversations_replies(
            channel="C1", ts=root["ts"], limit=3, cursor=cursor
        )
        assert [len(first["messages"]), len(rest["messages"])] == [3, 1]
        assert [slack.ephemeral[0]["text"], slack.views[0]["type"]] == ["psst", "modal"]
        for call in (
            client.chat_postMessage(channel="C9", text="x"),
            client.users_info(user="U9"),
            client.chat_update(channel="C1", ts="1.1", text="x"),
            client.conversations_replies(channel="C1", ts="1.1"),
            client.api_call("chat.delete"),
            AsyncWebClient("xoxb-other", base_url=f"{url}/api/").auth_test(),
        ):
            with pytest.raises(SlackApiError):
                await call


async def test_failures_are_used_up_one_by_one() -> None:
    switches = Switches()
    switches.fail(Failure.error(500), times=2)
    assert [switches.take(), switches.take(), switches.take()] == [Failure.error(500)] * 2 + [None]
    switches.fail(Failure.rate_limited(1))
    switches.clear()
    assert switches.take() is None
    waiting = asyncio.create_task(switches.hang())
    switches.release()
    await waiting


async def test_a_signed_webhook_is_posted_as_it_is() -> None:
    seen: list[tuple[bytes, str]] = []

    async def take(request: Request) -> PlainTextResponse:
        seen.append((await request.body(), request.headers["x-twilio-signature"]))
        return PlainTextResponse("", status_code=204)

    app = Starlette(routes=[Route("/channels/sms", take, methods=["POST"])])
    clock = FrozenClock(datetime(2026, 3, 4, tzinfo=UTC))
    signed = TwilioStandIn(clock, webhook_url="https://help.example.com/channels/sms").incoming(
        TO, FROM, "hi"
    )
    async with serve(app) as url:
        assert await post(signed, f"{url}/channels/sms") == 204
    assert seen == [(signed.body, signed.headers["x-twilio-signature"])]


def test_their_settings_configure_the_channels(clock: FrozenClock) -> None:
    twilio = TwilioStandIn(clock).settings("http://127.0.0.1:1/twilio", FROM)
    assert sms.CHANNEL.configured(SmsSettings.model_validate(twilio)) == [(FROM, "customer")]
    workspace = SlackStandIn(clock).settings("http://127.0.0.1:1/slack/api", "C1")
    assert slack.CHANNEL.configured(SlackSettings.model_validate(workspace)) == [
        ("T0USHER", "customer"),
        ("T0USHER/C1", "team"),
    ]
