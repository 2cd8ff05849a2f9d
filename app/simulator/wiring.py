"""The simulator as the app sees it: settings that lead to the stand-ins, their life, and their routes.

Not here: who says what (world.py), the page (page.py).
"""

import secrets
import socket
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.staticfiles import StaticFiles

from app.services import Services
from app.settings import ServerSettings
from app.simulator import page, people
from app.simulator.bell import Ringing
from app.simulator.mail_server import HOST
from app.simulator.world import World
from core.clock import Clock

API = "/simulator/api"


class Simulator(World):
    """A phone, a mailbox and a Slack workspace wired to the real adapters. Development only."""

    def __init__(self, settings: ServerSettings, clock: Clock) -> None:
        """Make everything; nothing listens before `open`."""
        super().__init__(settings.url, clock)
        self._smtp_port = free_port()
        self._channel_settings = self._settings()

    def channel_settings(self) -> Mapping[str, Mapping[str, Any]]:
        """Return, per channel, the settings that lead to the stand-ins."""
        return self._channel_settings

    def _settings(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "sms": self.twilio.settings(f"{self.url}{API}/twilio", people.OUR_NUMBER),
            "whatsapp": self.twilio.settings(f"{self.url}{API}/twilio", people.OUR_NUMBER),
            "voice": self.calls.settings(f"{self.url}{API}/voice"),
            "slack": {
                **self.slack.settings(f"{self.url}{API}/slack/api", people.ALERT_CHANNEL),
                "public_url": self.url,
            },
            "email": {
                "address": people.OUR_ADDRESS,
                "display_name": people.OUR_BRAND,
                "webhook_secret": self.mail_secret,
                "smtp_host": HOST,
                "smtp_port": self._smtp_port,
                "smtp_security": "none",
                "authserv_id": people.AUTHSERV,
                "reply_secret": secrets.token_hex(32),
            },
            "web": {"key": self.widget_key, "identity_secret": self.identity_secret},
        }

    async def open(self, services: Services) -> None:
        """Take mail from now on, and see which channels really lead here."""
        await self.mails.start(self._smtp_port)
        twilio = "account_sid"
        marks = {
            "sms": twilio,
            "whatsapp": twilio,
            "voice": twilio,
            "slack": "signing_secret",
            "email": "smtp_port",
        }
        read = {name: services.inboxes.settings(name) for name in marks}
        self.unused = tuple(
            name
            for name, mark in marks.items()
            if _plain(getattr(read[name], mark, None)) != self._channel_settings[name][mark]
        )
        web: Any = services.inboxes.settings("web")
        self.widget_key = str(web.key)
        self.identity_secret = _plain(web.identity_secret) or self.identity_secret

    async def close(self) -> None:
        """Let go of everything that waits, and stop taking mail."""
        for switches in (self.twilio.switches, self.slack.switches):
            switches.release()
        await self.stop_reports()
        await self.mails.stop()

    def router(self) -> APIRouter:
        """Return the page and what it asks for."""
        return page.build_router(self)

    def mount(self, app: FastAPI) -> None:
        """Put the providers' stand-ins and the page's files under the app."""
        app.mount(f"{API}/twilio", Ringing(self.twilio.app(), self.bell))
        app.mount(f"{API}/voice", Ringing(self.calls.app(), self.bell))
        app.mount(f"{API}/slack", Ringing(self.slack.app(), self.bell))
        app.mount("/simulator/static", StaticFiles(directory=page.STATIC, check_dir=False))


def free_port() -> int:
    """Return a loopback port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _plain(value: Any) -> Any:
    return value.get_secret_value() if hasattr(value, "get_secret_value") else value
