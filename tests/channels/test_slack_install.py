"""Installing the app in one more workspace: the sealed link, Slack's consent page, the sealed token."""

import dataclasses
import json
import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.adapters.vault import SealedVault
from channels._shared.slack_install import LINK_PURPOSE
from channels._shared.slack_settings import SCOPES, configured
from core.clock import FrozenClock
from core.contracts import Received, WebhookRequest
from core.conversations import Inbox
from core.errors import MisconfiguredError, PermanentDeliveryError, SignatureError
from core.ids import InboxId, TenantId
from core.messages import Ignored, Joined
from tests.channels.slack_rig import SHARED, TEAM, Rig, wired_rig
from tests.guards import NO_CERTIFICATES

ACME = TenantId("acme")
NEW, NEW_TOKEN = "T0NEWTEAM", "xoxb-of-the-new-team"
PUBLIC = "https://help.example.com"
BY_LINK = {
    "client_id": "1.2",
    "client_secret": "stand-in-client-secret",
    "public_url": f"{PUBLIC}/",
}


@pytest.fixture
async def wired(clock: FrozenClock) -> AsyncIterator[Rig]:
    async with wired_rig(clock, **BY_LINK) as rig:
        yield rig


def nowhere_yet(rig: Rig, tenant: TenantId = ACME) -> Inbox:
    """What the webhook's door makes of a tenant that was named by a sealed link."""
    return dataclasses.replace(rig.inbox, id=InboxId(""), tenant=tenant, address="")


def link(rig: Rig, until: datetime | None = None, purpose: str = LINK_PURPOSE) -> str:
    ends = until or rig.clock.now() + timedelta(days=7)
    return rig.channel.context.vault.seal(
        json.dumps({"tenant": ACME, "until": ends.isoformat()}), purpose
    )


def get(query: str, **headers: str) -> WebhookRequest:
    return WebhookRequest("GET", f"{PUBLIC}/channels/slack?{query}", headers, b"")


async def opened(rig: Rig) -> tuple[str, str]:
    """Open the install link; return the state Slack is given and the cookie the browser keeps."""
    request = get(f"install={link(rig)}")
    assert rig.channel.invited(request) == ACME
    reply = (await rig.channel.receive(request, nowhere_yet(rig))).reply
    assert reply.status == 302
    asked = parse_qs(urlsplit(reply.headers["location"]).query)
    assert asked["scope"] == [",".join(SCOPES)]
    assert asked["redirect_uri"] == [f"{PUBLIC}/channels/slack"]
    cookie = reply.headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "Secure", "SameSite=Lax"))
    (name, morsel), *_ = SimpleCookie(cookie).items()
    return asked["state"][0], f"{name}={morsel.value}"


async def returned(rig: Rig, code: str, state: str, cookie: str) -> Received:
    request = get(f"code={code}&state={state}", cookie=cookie)
    assert rig.channel.invited(request) == ACME
    return await rig.channel.receive(request, nowhere_yet(rig))


async def installed(rig: Rig, **changes: object) -> Received:
    state, cookie = await opened(rig)
    fields = {"access_token": NEW_TOKEN, "team": {"id": NEW, "name": "New <b>"}, **changes}
    return await returned(rig, rig.slack.allow(**fields), state, cookie)


async def test_a_workspace_joins_and_its_token_is_sealed(wired: Rig) -> None:
    received = await installed(wired)
    assert received.events == (Joined(NEW),)
    assert received.reply.status == 200
    assert b"New &lt;b&gt;" in received.reply.body
    kept = wired.state.rows["slack", ACME, f"team:{NEW}"]
    assert NEW_TOKEN not in json.dumps(kept)
    assert kept["bot_user"] == wired.slack.bot_user_id


async def test_each_workspace_is_written_to_with_its_own_token(wired: Rig) -> None:
    await installed(wired)
    new = dataclasses.replace(wired.inbox, tenant=ACME, address=NEW)
    with pytest.raises(PermanentDeliveryError, match="bot token is wrong"):
        await wired.channel.deliver(wired.outbound(), new)  # the stand-in has another token
    await wired.channel.deliver(wired.outbound(), wired.inbox)
    wired.slack.bot_token = NEW_TOKEN
    sent = await wired.channel.deliver(wired.outbound(), new)
    assert sent.provider_id.startswith(f"{NEW}:{SHARED}:")
    with pytest.raises(PermanentDeliveryError, match="bot token is wrong"):
        await wired.channel.deliver(wired.outbound(), wired.inbox)


async def test_another_tenant_has_no_part_in_it(wired: Rig) -> None:
    await installed(wired)
    other = dataclasses.replace(wired.inbox, tenant=TenantId("other"), address=NEW)
    with pytest.raises(PermanentDeliveryError, match="not installed"):
        await wired.channel.deliver(wired.outbound(), other)


@pytest.mark.parametrize(
    "event",
    [
        {"type": "app_uninstalled"},
        {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": ["U0USHER01"]}},
    ],
)
async def test_a_workspace_that_leaves_is_not_written_to(
    wired: Rig, event: dict[str, object]
) -> None:
    await installed(wired)
    new = dataclasses.replace(wired.inbox, tenant=ACME, address=NEW)
    request = wired.slack.event(event)
    unread = WebhookRequest("POST", request.url, request.headers, request.body)
    assert isinstance((await wired.channel.receive(unread, new)).events[0], Ignored)
    assert "token" not in wired.state.rows["slack", ACME, f"team:{NEW}"]
    with pytest.raises(PermanentDeliveryError, match="not installed"):
        await wired.channel.deliver(wired.outbound(), new)
    assert (await installed(wired)).events == (Joined(NEW),)
    wired.slack.bot_token = NEW_TOKEN
    await wired.channel.deliver(wired.outbound(), new)


async def test_a_users_token_revoked_is_nothing_to_us(wired: Rig) -> None:
    await installed(wired)
    new = dataclasses.replace(wired.inbox, tenant=ACME, address=NEW)
    request = wired.slack.event({"type": "tokens_revoked", "tokens": {"oauth": ["U1"]}})
    await wired.channel.receive(
        WebhookRequest("POST", request.url, request.headers, request.body), new
    )
    assert "token" in wired.state.rows["slack", ACME, f"team:{NEW}"]


async def test_a_server_with_another_secret_asks_for_a_new_install(wired: Rig) -> None:
    await installed(wired)
    new = dataclasses.replace(wired.inbox, tenant=ACME, address=NEW)
    vault = SealedVault(lambda: "another secret")
    wired.channel.post.tokens = dataclasses.replace(
        wired.channel.tokens, context=dataclasses.replace(wired.channel.context, vault=vault)
    )
    with pytest.raises(PermanentDeliveryError, match="install the app there again"):
        await wired.channel.deliver(wired.outbound(), new)


# ---------------------------------------------------------------- what does not hold


async def test_a_link_is_good_for_its_days_only(wired: Rig) -> None:
    request = get(f"install={link(wired)}")
    wired.clock.advance(timedelta(days=7, seconds=1))
    assert wired.channel.invited(request) is None
    with pytest.raises(SignatureError):
        await wired.channel.receive(request, nowhere_yet(wired))


async def test_a_state_is_good_for_minutes_and_one_browser(wired: Rig) -> None:
    state, cookie = await opened(wired)
    for headers in ({}, {"cookie": "usher_slack_install=guessed"}, {"cookie": "=;=,;\x00"}):
        with pytest.raises(SignatureError):
            await wired.channel.receive(
                get(f"code={wired.slack.allow()}&state={state}", **headers), nowhere_yet(wired)
            )
    wired.clock.advance(timedelta(minutes=16))
    with pytest.raises(SignatureError):
        await wired.channel.receive(
            get(f"code={wired.slack.allow()}&state={state}", cookie=cookie), nowhere_yet(wired)
        )
    assert wired.slack.calls == []


async def test_one_tenants_link_is_no_other_tenants(wired: Rig) -> None:
    request = get(f"install={link(wired)}")
    with pytest.raises(SignatureError):
        await wired.channel.receive(request, nowhere_yet(wired, TenantId("other")))


@pytest.mark.parametrize(
    "query",
    [
        "",
        "install=",
        "install=v1.AAAA",
        "install=%ff%fe",
        "install=v1.%C3%A9",
        "code=1",
        "code=1&state=",
        "code=1&state=v1.",
        "state=" + "v1." + "A" * 4000,
        "error=access_denied",
    ],
)
async def test_a_made_up_link_names_nobody(wired: Rig, query: str) -> None:
    assert wired.channel.invited(get(query)) is None
    with pytest.raises(SignatureError):
        await wired.channel.receive(get(query), nowhere_yet(wired))


async def test_a_link_is_no_state_and_a_state_no_link(wired: Rig) -> None:
    state, _ = await opened(wired)
    assert wired.channel.invited(get(f"install={state}")) is None
    assert wired.channel.invited(get(f"code=1&state={link(wired)}")) is None
    assert wired.channel.invited(get(f"install={link(wired, purpose='other')}")) is None


async def test_a_get_is_no_event(wired: Rig) -> None:
    with pytest.raises(SignatureError):
        await wired.channel.receive(get(f"team={TEAM}"), wired.inbox)


@pytest.mark.parametrize(
    "changes",
    [
        {"access_token": "xoxp-a-persons"},
        {"access_token": ""},
        {"team": None},
        {"team": {"id": ""}},
    ],
)
async def test_an_answer_without_a_bot_token_keeps_nothing(
    wired: Rig, changes: dict[str, object]
) -> None:
    received = await installed(wired, **changes)
    assert (received.reply.status, len(received.events)) == (400, 1)
    assert isinstance(received.events[0], Ignored)
    assert wired.state.rows == {}


async def test_a_code_works_once_and_a_refusal_is_a_page(wired: Rig) -> None:
    state, cookie = await opened(wired)
    code = wired.slack.allow(team={"id": NEW})
    assert (await returned(wired, code, state, cookie)).reply.status == 200
    assert (await returned(wired, code, state, cookie)).reply.status == 400
    denied = get(f"error=access_denied&state={state}", cookie=cookie)
    assert (await wired.channel.receive(denied, nowhere_yet(wired))).reply.status == 400


async def test_the_browser_is_led_through(wired: Rig) -> None:
    """The stand-in's consent page sends the browser back with a code for our state."""
    reply = (await wired.channel.receive(get(f"install={link(wired)}"), nowhere_yet(wired))).reply
    async with httpx.AsyncClient(trust_env=False, verify=NO_CERTIFICATES) as browser:
        back = await browser.get(reply.headers["location"])
    assert back.status_code == 302
    assert re.match(rf"{PUBLIC}/channels/slack\?code=\w+&state=v1\.", back.headers["location"])


# ---------------------------------------------------------------- settings


def test_an_app_for_others_alone_has_no_inbox_of_its_own(wired: Rig) -> None:
    own = wired.inbox.settings
    assert own is not None
    alone = own.model_copy(update={"team_id": "", "alert_channel": ""})
    with pytest.raises(MisconfiguredError, match="USHER_SLACK_TEAM_ID"):
        configured(alone)  # a bot token of nowhere
    no_token = type(own)(**BY_LINK, signing_secret="s", _env_file=None)  # type: ignore[arg-type]
    assert configured(no_token) == []
    with pytest.raises(MisconfiguredError, match="USHER_SLACK_PUBLIC_URL"):
        configured(no_token.model_copy(update={"public_url": ""}))
