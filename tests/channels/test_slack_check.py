"""`usher channels check slack`: what is right, and for what is wrong the click that puts it right."""

import dataclasses
from collections.abc import AsyncIterator

import pytest
import yaml
from pydantic import SecretStr

from channels._shared.slack_settings import SCOPES
from core.clock import FrozenClock
from tests.channels.serving import ROOT
from tests.channels.slack_rig import ALERTS, AUTO, TOKEN, Rig, make_rig, wired_rig


@pytest.fixture
async def wired(clock: FrozenClock) -> AsyncIterator[Rig]:
    async with wired_rig(clock, app_token="xapp-stand-in") as rig:
        yield rig


async def wrong(rig: Rig) -> list[str]:
    inboxes = (rig.inbox, rig.team)
    found = [f for inbox in inboxes for f in await rig.channel.examine(inbox)]
    assert all(TOKEN not in f.sentence for f in found)
    return [f.sentence for f in found if not f.ok]


def test_the_manifest_asks_for_what_the_code_needs() -> None:
    manifest = yaml.safe_load((ROOT / "docs/channels/slack-manifest.yaml").read_text("utf-8"))
    assert tuple(manifest["oauth_config"]["scopes"]["bot"]) == SCOPES
    wanted = {
        "app_mention", "app_uninstalled", "assistant_thread_started", "message.channels", "message.groups",
        "message.im", "reaction_added", "reaction_removed", "tokens_revoked",
    }  # fmt: skip
    assert set(manifest["settings"]["event_subscriptions"]["bot_events"]) == wanted
    page = (ROOT / "docs/channels/slack.md").read_text("utf-8")
    assert [scope for scope in SCOPES if f"`{scope}`" not in page] == []


async def test_all_is_well(wired: Rig) -> None:
    assert await wrong(wired) == []
    said = " ".join(f.sentence for f in await wired.channel.examine(wired.inbox))
    assert all(part in said for part in ("workspace T0CUSTOM1", "Every scope", AUTO, "Socket Mode"))


async def test_a_wrong_token(wired: Rig) -> None:
    wired.slack.bot_token = "xoxb-another"
    (home, alerts) = await wrong(wired)
    assert "bot token is wrong" in home
    assert "Reinstall" in home
    assert ALERTS in alerts


async def test_a_token_of_another_workspace(wired: Rig) -> None:
    wired.slack.team_id = "T0OTHER"
    (sentence,) = await wrong(wired)
    assert "T0OTHER" in sentence
    assert "USHER_SLACK_TEAM_ID" in sentence


@pytest.mark.parametrize("scope", ["channels:history", "reactions:read", "im:write"])
async def test_a_scope_that_is_missing(wired: Rig, scope: str) -> None:
    wired.slack.scopes = ",".join(s for s in SCOPES if s != scope)
    (sentence,) = await wrong(wired)
    assert scope in sentence
    assert "reinstall the app" in sentence


async def test_a_scope_that_is_only_a_nicety(wired: Rig) -> None:
    wired.slack.scopes = ",".join(s for s in SCOPES if s != "assistant:write")
    assert await wrong(wired) == []
    said = " ".join(f.sentence for f in await wired.channel.examine(wired.inbox))
    assert "assistant:write" in said


@pytest.mark.parametrize("channel", [ALERTS, AUTO])
async def test_a_channel_it_is_not_in(wired: Rig, channel: str) -> None:
    wired.slack.members.discard(channel)
    (sentence,) = await wrong(wired)
    assert channel in sentence
    assert "/invite @usher" in sentence
    del wired.slack.channels[channel]
    (sentence,) = await wrong(wired)
    assert "cannot be seen" in sentence


async def test_no_signing_secret_and_no_socket(wired: Rig) -> None:
    own = wired.inbox.settings
    assert own is not None
    settings = own.model_copy(update={"signing_secret": SecretStr("")})
    wired.inbox = dataclasses.replace(wired.inbox, settings=settings)
    wired.slack.app_token = "xapp-another"
    secret, socket = await wrong(wired)
    assert "Signing Secret" in secret
    assert "App-Level Tokens" in socket


async def test_nobody_there(clock: FrozenClock) -> None:
    rig = make_rig(clock)
    assert any("could not be reached" in sentence for sentence in await wrong(rig))
