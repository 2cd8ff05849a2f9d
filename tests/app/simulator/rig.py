"""The simulator beside the real adapters, behind a door that verifies webhooks and notes their events."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI, Request, Response

from app.api import errors
from app.settings import ServerSettings
from app.simulator import people
from app.simulator.wiring import Simulator, free_port
from channels import email, slack, sms, voice, web, whatsapp
from core.clock import FrozenClock
from core.contracts import Channel, WebhookRequest
from core.conversations import Inbox
from core.ids import ConversationId, InboxId, OutboxId, TenantId
from core.messages import (
    Author,
    Event,
    MessageKind,
    Outbound,
)
from core.settings import Section
from tests.channels.serving import MemoryState, channel_context
from tests.guards import NO_CERTIFICATES

TENANT = TenantId("demo")
REAL = (sms.CHANNEL, whatsapp.CHANNEL, voice.CHANNEL, slack.CHANNEL, email.CHANNEL, web.CHANNEL)
SPECS = {spec.name: spec for spec in REAL}
JORDAN, MAIL = people.JORDAN_PHONE, people.JORDAN_MAIL
HELP, ALERTS = people.HELP_CHANNEL, people.ALERT_CHANNEL


@dataclass
class Rig:
    """The simulator beside the real adapters behind a door that only verifies and notes."""

    simulator: Simulator
    url: str
    channels: Mapping[str, Channel]
    settings: Mapping[str, Section]
    events: list[Event] = field(default_factory=list)
    refuse: int = 0

    def inbox(self, name: str, address: str) -> Inbox:
        return Inbox(
            id=InboxId(f"inb_{name}"),
            tenant=TENANT,
            channel=name,
            address=address,
            settings=self.settings[name],
        )

    async def take(self, request: Request, name: str) -> Response:
        asked = WebhookRequest(
            request.method,
            str(request.url),
            {k.lower(): v for k, v in request.headers.items()},
            await request.body(),
        )
        address = self.channels[name].locate(asked)
        assert address == SPECS[name].configured(self.settings[name])[0][0]
        received = await self.channels[name].receive(asked, self.inbox(name, address))
        self.events += received.events
        return Response(status_code=self.refuse or received.reply.status)

    async def send(self, name: str, address: str, text: str, **more: Any) -> str:
        """Send as the outbox would; returns the provider's id."""
        own = SPECS[name].configured(self.settings[name])[0][0]
        outbound = Outbound(
            id=OutboxId(f"out_{len(self.events)}_{name}"),
            tenant=TENANT,
            conversation_id=more.pop("conversation_id", ConversationId("cnv_1")),
            inbox=InboxId(f"inb_{name}"),
            channel=name,
            address=address,
            text=text,
            author=Author.BOT,
            kind=MessageKind.REPLY,
            created_at=self.simulator.clock.now(),
            **more,
        )
        return str((await self.channels[name].deliver(outbound, self.inbox(name, own))).provider_id)

    async def until(self, met: Callable[[], object]) -> None:
        with self.simulator.bell.listening() as rings:
            async with asyncio.timeout(10):
                while not met():
                    await rings.get()


async def _no_widget() -> Response:
    return Response("", media_type="text/javascript")


@asynccontextmanager
async def running(clock: FrozenClock) -> AsyncIterator[Rig]:
    port = free_port()
    server_settings = ServerSettings(environment="development", port=port, _env_file=None)
    simulator = Simulator(server_settings, clock)
    simulator.pace = 0
    context = channel_context(clock, MemoryState())
    given = simulator.channel_settings()
    rig = Rig(
        simulator,
        server_settings.url,
        {name: spec.build(context) for name, spec in SPECS.items()},
        {name: spec.settings(_env_file=None, **given[name]) for name, spec in SPECS.items()},
    )
    app = FastAPI()
    errors.install(app)
    app.add_api_route("/channels/{name}", rig.take, methods=["POST"])
    app.add_api_route("/widget.js", _no_widget)
    app.include_router(simulator.router())
    simulator.mount(app)
    config = uvicorn.Config(app, port=port, log_config=None, lifespan="off", ws="websockets-sansio")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.005)
    inboxes = SimpleNamespace(settings=rig.settings.__getitem__)
    await simulator.open(SimpleNamespace(inboxes=inboxes))  # type: ignore[arg-type] # all it asks for
    try:
        yield rig
    finally:
        await simulator.close()
        server.should_exit = True
        await serving


async def get(rig: Rig, path: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, verify=NO_CERTIFICATES) as client:
        return await client.get(f"{rig.url}/simulator{path}", headers=headers)


async def ask(rig: Rig, path: str, body: Mapping[str, Any], **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, verify=NO_CERTIFICATES) as client:
        return await client.post(f"{rig.url}/simulator{path}", json=body, headers=headers)
