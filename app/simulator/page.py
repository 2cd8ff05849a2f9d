"""The page /simulator, what it asks for, and the socket that says when to ask again.

Owns the routes and what is shown. Only requests of this page are taken: a foreign site in the same browser
could otherwise write as anybody. Not here: who says what (world.py), the page's looks (static/).
"""

import asyncio
import base64
import binascii
import contextlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit

import jwt
from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.simulator import mailbox, people
from app.simulator.calls import PhoneCall
from app.simulator.mailbox import File, Letter
from app.simulator.twilio_api import TextMessage
from app.simulator.world import FAILURES, MAIL_FAILURES, WHATSAPP, World
from core.errors import BadInputError, ForbiddenError, NotFoundError

STATIC = Path(__file__).parent / "static"
LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")
IDENTITY_LIFE = timedelta(hours=12)
MAX_FILE = 10_000_000  # bytes of an attachment written here
_COMMON = "base-uri 'none'; form-action 'none'"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    f"frame-src 'self'; frame-ancestors 'none'; {_COMMON}"
)
# the widget brings its styles in a shadow root
WIDGET_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    f"connect-src 'self'; frame-ancestors 'self'; {_COMMON}"
)
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; "
    "sandbox allow-same-origin allow-popups; form-action 'none'"
)
_WIDGET = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,"><link rel="stylesheet" href="/simulator/static/web.css"></head>
<body><script src="/widget.js" data-key="{key}" data-open{identity}
 data-starters="How do I invite a teammate?|Book a guided session|I want to talk to a person"></script></body></html>
"""


class Text(BaseModel):
    """A text message from a phone."""

    number: str = Field(max_length=20)
    body: str = Field(min_length=1, max_length=1600)


class Whatsapp(BaseModel):
    """A WhatsApp message from a phone; `button` is the id of one of ours that was pressed."""

    number: str = Field(max_length=20)
    body: str = Field(min_length=1, max_length=1600)
    button: str = Field(default="", max_length=256)


class Window(BaseModel):
    """A phone whose WhatsApp window is to close."""

    number: str = Field(max_length=20)


class Phone(BaseModel):
    """A phone, switched on or off."""

    number: str = Field(max_length=20)
    on: bool = True


class Call(BaseModel):
    """Something done with a phone: a call, words, a key."""

    number: str = Field(max_length=20)
    do: str = Field(max_length=20)
    text: str = Field(default="", max_length=1000)


class Attached(BaseModel):
    """A file, base64."""

    name: str = Field(min_length=1, max_length=200)
    type: str = Field(default="application/octet-stream", pattern=r"^[\w.+-]+/[\w.+-]+$")
    data: str = Field(max_length=MAX_FILE * 4 // 3 + 8)

    def file(self) -> File:
        """Return it decoded. Raises BadInputError."""
        try:
            return File(self.name, self.type, base64.b64decode(self.data, validate=True))
        except (binascii.Error, ValueError) as error:
            raise BadInputError("the file is not base64") from error


class Mail(BaseModel):
    """A mail; `answers` is the id of the one it replies to."""

    sender: str = Field(max_length=254)
    subject: str = Field(default="", max_length=400)
    body: str = Field(max_length=100_000)
    answers: str | None = None
    file: Attached | None = None
    authenticated: bool = True


class Say(BaseModel):
    """A message in a channel or a thread."""

    channel: str = Field(max_length=50)
    user: str = Field(max_length=50)
    text: str = Field(min_length=1, max_length=12_000)
    thread: str | None = None


class Press(BaseModel):
    """A press of a button."""

    channel: str = Field(max_length=50)
    ts: str = Field(max_length=50)
    action_id: str = Field(max_length=100)
    user: str = Field(max_length=50)


class React(BaseModel):
    """A thumb under a message."""

    channel: str = Field(max_length=50)
    ts: str = Field(max_length=50)
    user: str = Field(max_length=50)
    reaction: str = Field(pattern="^[+-]1$")


class Fail(BaseModel):
    """A failure to order."""

    channel: str = Field(max_length=20)
    how: str = Field(max_length=30)
    times: int = Field(default=1, ge=1, le=50)


def build_router(world: World) -> APIRouter:
    """Return the routes of one world."""

    def require_own_page(connection: HTTPConnection) -> None:
        hosts = (*LOOPBACK, urlsplit(world.url).hostname)
        origin = connection.headers.get("origin")
        if connection.url.hostname not in hosts:
            raise ForbiddenError("the simulator answers this machine only")
        if origin is not None and urlsplit(origin).netloc != connection.headers.get("host"):
            raise ForbiddenError("the simulator answers its own page only")

    router = APIRouter(
        prefix="/simulator", include_in_schema=False, dependencies=[Depends(require_own_page)]
    )
    _add_pages(router, world)
    _add_mails(router, world)
    _add_phones(router, world)
    _add_actions(router, world)
    return router


def _add_pages(router: APIRouter, world: World) -> None:
    @router.get("")
    async def shell() -> HTMLResponse:
        html = await asyncio.to_thread((STATIC / "simulator.html").read_text, encoding="utf-8")
        return HTMLResponse(html, headers={"content-security-policy": PAGE_POLICY})

    @router.get("/web")
    async def web(who: str = "jordan") -> HTMLResponse:
        signed = who == "jordan"
        identity = f' data-identity="{identity_of_jordan(world)}"' if signed else ""
        title = "Web chat as Jordan Lee" if signed else "Web chat as a visitor"
        page = _WIDGET.format(title=title, key=world.widget_key, identity=identity)
        return HTMLResponse(
            page, headers={"content-security-policy": WIDGET_POLICY, "cache-control": "no-store"}
        )

    @router.get("/state")
    async def state() -> Mapping[str, object]:
        for letter in [letter for letter in world.letters if letter.cards is None]:
            await asyncio.to_thread(letter.read_files)
        return shown(world)

    @router.websocket("/live")
    async def live(socket: WebSocket) -> None:
        await serve_live(socket, world)


def _add_mails(router: APIRouter, world: World) -> None:
    @router.get("/mail/{letter}/page")
    async def mail_page(letter: str) -> HTMLResponse:
        html = world.letter(letter).page
        if html is None:
            raise NotFoundError("this mail has no HTML")
        return HTMLResponse(html, headers={"content-security-policy": MAIL_POLICY})

    @router.get("/mail/{letter}/file/{number}")
    async def mail_file(letter: str, number: int) -> Response:
        files = world.letter(letter).files()
        if not 0 <= number < len(files):
            raise NotFoundError("no such attachment")
        file = files[number]
        headers = {
            "content-disposition": f"attachment; filename*=UTF-8''{quote(file.name)}",
            "x-content-type-options": "nosniff",
            "content-security-policy": "default-src 'none'; sandbox",
        }
        return Response(file.data, media_type=file.content_type, headers=headers)


async def serve_live(socket: WebSocket, world: World) -> None:
    """Say "changed" now and whenever something did, until the page goes."""
    await socket.accept()
    with world.bell.listening() as rings:
        pushing = asyncio.create_task(_push(socket, rings))
        try:
            while True:
                await socket.receive_text()
        except WebSocketDisconnect:
            pass
        finally:
            pushing.cancel()
            await asyncio.gather(pushing, return_exceptions=True)


async def _push(socket: WebSocket, rings: "asyncio.Queue[None]") -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # closed under our hands
        while True:
            await socket.send_text("changed")
            await rings.get()
            await asyncio.sleep(0.05)  # what happens together is shown together


def _add_phones(router: APIRouter, world: World) -> None:
    @router.post("/text", status_code=204)
    async def text(asked: Text) -> None:
        await world.text(asked.number, asked.body)

    @router.post("/whatsapp", status_code=204)
    async def whatsapp(asked: Whatsapp) -> None:
        await world.whatsapp(asked.number, asked.body, asked.button)

    @router.post("/window", status_code=204)
    async def window(asked: Window) -> None:
        world.close_window(asked.number)

    @router.post("/phone", status_code=204)
    async def phone(asked: Phone) -> None:
        world.add_phone(asked.number)
        world.set_phone(asked.number, on=asked.on)

    @router.post("/call", status_code=204)
    async def call(asked: Call) -> None:
        await world.use_phone(asked.number, asked.do, asked.text)


def _add_actions(router: APIRouter, world: World) -> None:
    @router.post("/mail", status_code=204)
    async def mail(asked: Mail) -> None:
        await world.mail(
            asked.sender,
            asked.subject,
            asked.body,
            answers=world.letter(asked.answers) if asked.answers else None,
            file=asked.file.file() if asked.file else None,
            authenticated=asked.authenticated,
        )

    @router.post("/slack/say", status_code=204)
    async def say(asked: Say) -> None:
        await world.slack_say(asked.channel, asked.user, asked.text, asked.thread)

    @router.post("/slack/press", status_code=204)
    async def press(asked: Press) -> None:
        await world.press(asked.channel, asked.ts, asked.action_id, asked.user)

    @router.post("/slack/react", status_code=204)
    async def react(asked: React) -> None:
        await world.react(asked.channel, asked.ts, asked.reaction, asked.user)

    @router.post("/fail", status_code=204)
    async def fail(asked: Fail) -> None:
        world.fail(asked.channel, asked.how, asked.times)


def identity_of_jordan(world: World) -> str:
    """Return a signed identity as the tenant's own server would make for a logged-in Jordan."""
    now = world.clock.now()
    claims = {
        "sub": "jordan",
        "email": people.JORDAN_MAIL,
        "phone": people.JORDAN_PHONE,
        "name": world.phones[people.JORDAN_PHONE].name,
        "iat": int(now.timestamp()),
        "exp": int((now + IDENTITY_LIFE).timestamp()),
    }
    return jwt.encode(claims, world.identity_secret, algorithm="HS256")


# ---------------------------------------------------------------- what is shown


def shown(world: World) -> Mapping[str, object]:
    """Return everything the page shows."""
    return {
        "unused": world.unused,
        "phone": {
            "ours": people.OUR_NUMBER,
            "name": people.OUR_BRAND,
            "failing": world.twilio.switches.waiting,
            "failures": list(FAILURES),
            "phones": [_phone(world, number) for number in world.phones],
        },
        "mail": {
            "ours": people.OUR_ADDRESS,
            "name": people.OUR_BRAND,
            "failing": int(world.mails.trouble is not None),
            "failures": list(MAIL_FAILURES),
            "mailboxes": [_mailbox(world, address) for address in world.mailboxes],
        },
        "slack": _slack(world),
    }


def _phone(world: World, number: str) -> Mapping[str, object]:
    person = world.phones[number]
    return {
        "number": number,
        "name": person.name,
        "about": person.about,
        "on": number not in world.phones_off,
        "messages": [_message(message) for message in world.phone(number)],
        "whatsapp": {
            "messages": [_message(message) for message in world.chat(number)],
            "open_until": _at(world.twilio.open_until(f"{WHATSAPP}{number}")),
        },
        "call": _call(world.phone_call(number)),
    }


def _message(message: TextMessage) -> Mapping[str, object]:
    return {
        "id": message.sid,
        "incoming": message.direction != "inbound",
        "body": message.body,
        "at": message.created_at.isoformat(),
        "status": message.status,
        "error": message.error_code,
        "media": message.media,
        "template": bool(message.content_sid and not message.buttons),
        "buttons": [{"title": title, "id": each} for title, each in message.buttons],
    }


def _at(when: datetime | None) -> str | None:
    return when.isoformat() if when else None


def _call(call: PhoneCall | None) -> Mapping[str, object] | None:
    if call is None:
        return None
    heard = [{"id": at, "who": who, "text": text} for at, (who, text) in enumerate(call.heard)]
    return {"id": call.sid, "doing": call.doing, "busy": call.busy, "heard": heard}


def _mailbox(world: World, address: str) -> Mapping[str, object]:
    letters = world.mailbox(address)
    threads: dict[str, list[Letter]] = {}
    for letter in letters:
        threads.setdefault(mailbox.thread_of(letters, letter), []).append(letter)
    return {
        "address": address,
        "name": world.mailboxes[address].name,
        "about": world.mailboxes[address].about,
        "threads": [
            {
                "id": key,
                "subject": mailbox.bare_subject(thread[0].subject),
                "mails": [mailbox.shown(letter) for letter in thread],
            }
            for key, thread in threads.items()
        ],
    }


def _shown_alone(world: World, channel: str) -> list[Mapping[str, object]]:
    """Return what one person alone sees in a channel."""
    return [
        {**message, "bot_id": world.slack.bot_id, "only": message["user"]}
        for message in world.slack.ephemeral
        if message["channel"] == channel
    ]


def _slack(world: World) -> Mapping[str, object]:
    slack = world.slack
    hidden = ("metadata", "team", "type")
    return {
        "bot": slack.bot_user_id,
        "alerts": people.ALERT_CHANNEL,
        "failing": slack.switches.waiting,
        "failures": list(FAILURES),
        "users": [{"id": m.id, "name": m.name, "role": m.role} for m in people.MEMBERS],
        "channels": [
            {
                "id": channel,
                "name": people.CHANNELS.get(channel, ""),
                "with": f"U{channel[1:]}" if channel.startswith("D") else None,
                "messages": [
                    {k: v for k, v in message.items() if k not in hidden}
                    for message in (*messages, *_shown_alone(world, channel))
                ],
            }
            for channel, messages in slack.channels.items()
        ],
    }
