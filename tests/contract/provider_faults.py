"""How each provider says no for good, says later, and says nothing. A new channel with a provider adds a line.

A stand-in answers every request of a channel's client the same way, and keeps what was asked.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.simulator.mail_server import MailServer, Trouble
from channels._shared.twilio_whatsapp import heard, window_key
from tests.channels.serving import serve

LATER = 7.0  # seconds a Retry-After asks for
TIMEOUT = 0.3


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer in the provider's shape."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


def _twilio(code: int, status: int, **headers: str) -> Answer:
    return Answer(
        status, {"code": code, "message": "no", "more_info": "", "status": status}, headers
    )


TWILIO = (_twilio(21211, 400), _twilio(20429, 429, **{"retry-after": "7"}))
# channel → (refused for good, later), as the provider's documentation has them
ANSWERS: Mapping[str, tuple[Answer, Answer]] = {
    "sms": TWILIO,
    "whatsapp": TWILIO,
    "slack": (
        Answer(200, {"ok": False, "error": "channel_not_found"}),
        Answer(429, {"ok": False, "error": "ratelimited"}, {"retry-after": "7"}),
    ),
    "telegram": (
        Answer(400, {"ok": False, "error_code": 400, "description": "Bad Request: chat not found"}),
        Answer(
            429,
            {"ok": False, "error_code": 429, "description": "Too Many Requests: retry after 7",
             "parameters": {"retry_after": 7}},
            {"retry-after": "7"},
        ),
    ),
}  # fmt: skip
# Web chat's delivery is the row itself; a call is spoken in the webhook's answer and sends nothing by itself.
WITHOUT_PROVIDER = frozenset({"web", "voice"})
# Where a message goes, in the channel's own shape.
ADDRESSES: Mapping[str, str] = {
    "sms": "+15005550123",
    "whatsapp": "+15005550123",
    "slack": "D0CUSTOMER",
    "telegram": "4711",
    "email": "ana@acme.example",
}


def remembered(channel: str, address: str, now: datetime) -> dict[tuple[str, str, str], Any]:
    """Return what a channel remembers of somebody who wrote a moment ago: a window stays open a while only."""
    if channel != "whatsapp":
        return {}
    return {("whatsapp", "demo", window_key(address)): heard(None, "SM1", now)}


class HttpProvider:
    """Answers every request alike. `asked` are (method, path) of each, oldest first."""

    def __init__(self, answers: tuple[Answer, Answer]) -> None:
        self._refused, self._later = answers
        self._say: Answer | None = None
        self.asked: list[tuple[str, str]] = []
        self.released = asyncio.Event()
        self.settings: dict[str, Any] = {"timeout": TIMEOUT}
        self.later: float | None = LATER

    def refuse(self) -> None:
        self._say = self._refused

    def busy(self) -> None:
        self._say = self._later

    def hang(self) -> None:
        self._say = None

    async def answer(self, request: Request) -> Response:
        await request.body()
        self.asked.append((request.method, request.url.path))
        if self._say is None:
            await self.released.wait()
            return Response(status_code=500)
        content = json.dumps(self._say.body)
        return Response(
            content, self._say.status, dict(self._say.headers), media_type="application/json"
        )

    @property
    def sends(self) -> int:
        """How often the message itself was sent: the first request, and those like it."""
        return self.asked.count(self.asked[0]) if self.asked else 0


class SmtpProvider:
    """A mail server; every session is an attempt."""

    later: float | None = None  # SMTP names no time

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self.settings: dict[str, Any] = {
            "smtp_port": server.port,
            "smtp_security": "none",
            "smtp_timeout": 2.0,
        }

    def refuse(self) -> None:
        self._server.fail(Trouble.REFUSE_RECIPIENT, "550 5.1.1 no such mailbox")

    def busy(self) -> None:
        self._server.fail(Trouble.REFUSE_RECIPIENT, "450 4.2.1 later")

    def hang(self) -> None:
        self._server.fail(Trouble.DROP_AFTER_TAKING)

    @property
    def sends(self) -> int:
        return self._server.sessions


Provider = HttpProvider | SmtpProvider


@asynccontextmanager
async def provider(channel: str) -> AsyncIterator[Provider]:
    """Yield the stand-in of a channel's provider."""
    if channel == "email":
        server = MailServer()
        await server.start()
        try:
            yield SmtpProvider(server)
        finally:
            await server.stop()
        return
    made = HttpProvider(ANSWERS[channel])
    routes = [Route("/{path:path}", made.answer, methods=["GET", "POST", "PUT", "DELETE"])]
    async with serve(Starlette(routes=routes)) as url:
        made.settings["api_base_url"] = url
        try:
            yield made
        finally:
            made.released.set()
