"""The Slack adapter with its inboxes and the stand-in it talks to, for every test of it."""

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.simulator.slack_workspace import SlackWorkspace
from app.simulator.switches import SignedRequest
from channels._shared.slack_settings import SCOPES, SlackSettings
from channels.slack import CHANNEL, SlackChannel
from core.clock import FrozenClock
from core.conversations import Inbox
from core.ids import ConversationId, InboxId, OutboxId, TenantId
from core.messages import Author, Event, MessageKind, Outbound, TeamCard
from tests.channels.serving import MemoryState, channel_context, serve, webhook

TEAM, SHARED, ALERTS, AUTO = "T0CUSTOM1", "C0SHARED1", "C0ALERTS1", "C0AUTO001"
BOT, ANNA, DANA = "U0USHER01", "U0ANNA001", "U0DANA001"
TOKEN, SECRET = "xoxb-1-secret", "signing-1"


@dataclass
class Rig:
    """The adapter, its two inboxes and the stand-in it talks to."""

    channel: SlackChannel
    inbox: Inbox
    slack: SlackWorkspace
    state: MemoryState
    clock: FrozenClock

    @property
    def team(self) -> Inbox:
        return dataclasses.replace(self.inbox, address=f"{TEAM}/{ALERTS}", kind="team")

    def outbound(self, text: str = "Open *Settings*.", **changes: Any) -> Outbound:
        message = Outbound(
            id=OutboxId("out_1"),
            tenant=TenantId("demo"),
            inbox=self.inbox.id,
            channel="slack",
            address=SHARED,
            text=text,
            author=Author.BOT,
            kind=MessageKind.REPLY,
            created_at=self.clock.now(),
        )
        return dataclasses.replace(message, **changes)

    def alert(self, **changes: Any) -> Outbound:
        return self.outbound("Anna is angry.", address=self.team.address, card=CARD, **changes)

    async def events(self, *requests: SignedRequest) -> list[Event]:
        received = [await self.channel.receive(webhook(r), self.inbox) for r in requests]
        return [event for r in received for event in r.events]

    def settled(self) -> None:
        self.clock.advance(timedelta(seconds=11))


CARD = TeamCard(
    title="Anna <Acme> needs a person",
    text="The customer is angry & said <!channel> <@U0DANA001>",
    conversation_id=ConversationId("cnv_1"),
    severity="high",
    fields=(("Reason", "The customer is angry"), ("Account", "A<B>&C · pro")),
    transcript=(("customer", "<https://evil.example|click>\nnow"), ("bot", "Sorry & bye")),
    link="https://help.example.com/console/cnv_1",
    buttons=("claim", "hand_back", "resolve", "unheard_of"),
)


NOBODY = "http://127.0.0.1:9/api"


def make_rig(clock: FrozenClock, base_url: str = NOBODY, **settings: Any) -> Rig:
    slack = SlackWorkspace(
        clock,
        TEAM,
        TOKEN,
        SECRET,
        BOT,
        "B0USHER01",
        "https://help.example.com/channels/slack",
        users={ANNA: "anna", DANA: "dana"},
        scopes=",".join(SCOPES),
        present={ALERTS: {DANA}},
    )
    for place in (SHARED, ALERTS, AUTO):
        slack.add_channel(place)
    state = MemoryState()
    channel = CHANNEL.build(channel_context(clock, state))
    assert isinstance(channel, SlackChannel)
    own = SlackSettings(
        **{
            "bot_token": TOKEN,
            "signing_secret": SECRET,
            "team_id": TEAM,
            "alert_channel": ALERTS,
            "auto_channels": AUTO,
            "api_base_url": base_url,
            "timeout": 0.3,
            "message_gap": 0,
            **settings,
        }
    )
    inbox = Inbox(InboxId("inb_1"), TenantId("demo"), "slack", TEAM, settings=own)
    return Rig(channel, inbox, slack, state, clock)


@asynccontextmanager
async def wired_rig(clock: FrozenClock, **settings: Any) -> AsyncIterator[Rig]:
    """A rig whose stand-in is served on loopback."""
    rig = make_rig(clock, **settings)
    async with serve(rig.slack.app()) as url:
        own = rig.inbox.settings
        assert own is not None
        rig.slack.base_url = url
        known = own.model_copy(update={"api_base_url": f"{url}/api"})
        rig.inbox = dataclasses.replace(rig.inbox, settings=known)
        yield rig
        rig.slack.switches.release()


def root_ts(rig: Rig, channel: str = SHARED) -> str:
    """Return the ts of a channel's first message."""
    return str(rig.slack.channels[channel][0]["ts"])
