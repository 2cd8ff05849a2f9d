"""Doors of the web chat: the WebSocket at /ws, the widget's script, and the demo page.

Owns accepting and closing a socket, hello, and turning faults of ours into "come back" (1013).
Not here: who is let in (web_chat.py), what is said inside (web_session.py).
"""

import asyncio
import hashlib
import json
import logging
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from fastapi import APIRouter
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

import channels
from app.api.web_chat import WebChat, admit
from app.api.web_session import Session
from app.api.web_wire import POLICY_VIOLATION, TRY_AGAIN_LATER, HangUpError, Outlet
from channels import web
from channels._shared.web_frames import Hello, parse_frame
from core.errors import (
    BadInputError,
    ForbiddenError,
    RateLimitedError,
    ServiceError,
    UnauthenticatedError,
)

logger = logging.getLogger(__name__)

HELLO_WAIT = 10.0  # seconds a fresh socket may stay silent
HELLOS_PER_MINUTE = 120  # from one address; offices share one
UNAUTHENTICATED, FORBIDDEN = 4401, 4403  # private use, RFC 6455 §7.4.2
STATIC = Path(channels.__file__).parent / "static"
WIDGET_HEADERS = {
    "cache-control": "public, max-age=300",
    "cross-origin-resource-policy": "cross-origin",
    "x-content-type-options": "nosniff",
}
# Comments at the start or end of a line, block comments of their own, empty lines, indentation.
_NOT_SERVED = re.compile(
    r"^[ \t]*(?://[^\n]*\n|/\*(?:(?!\*/).)*\*/[ \t]*\n|\n|(?=\S))|[ \t]+// [^\n]*$",
    re.MULTILINE | re.DOTALL,
)
_IDLE_BREAK = re.compile(r"(?<=[,;{(\[])\n")  # where a statement goes on or has ended
DEMO_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


def widget_script() -> str:
    """Return the widget as it is served: without comments, indentation and idle line breaks."""
    source = (STATIC / "widget.js").read_text(encoding="utf-8")
    return _IDLE_BREAK.sub("", _NOT_SERVED.sub("", source))


class _SocketWire:
    """A starlette socket as a session needs it."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def receive(self) -> str | bytes:
        event = await self._socket.receive()
        if event["type"] == "websocket.disconnect":
            raise HangUpError(0)
        text, data = event.get("text"), event.get("bytes")
        return str(text) if text is not None else bytes(data or b"")

    async def send(self, frame: Mapping[str, object]) -> None:
        try:
            await self._socket.send_text(json.dumps(frame, ensure_ascii=False))
        except (WebSocketDisconnect, RuntimeError) as error:  # closed under our hands
            raise HangUpError(0) from error


async def serve(socket: WebSocket, chat: WebChat) -> None:
    """Serve one socket until either side ends it. A fault of ours closes it with 1013."""
    await socket.accept()
    code = 1000
    try:
        await _serve(socket, chat)
    except* HangUpError as group:
        code = _code_of(group)
    except* Exception:
        # The edge: whatever broke inside, the widget is told to come back.
        logger.exception("web.socket_failed")
        code = TRY_AGAIN_LATER
    if code and socket.client_state is socket.application_state is WebSocketState.CONNECTED:
        await socket.close(code)


def _code_of(group: BaseExceptionGroup[HangUpError]) -> int:
    """Return the close code, 0 when the other side has gone already."""
    codes = [e.code for e in group.exceptions if isinstance(e, HangUpError)]
    return min(codes, default=0)


async def _serve(socket: WebSocket, chat: WebChat) -> None:
    wire = _SocketWire(socket)
    outlet = Outlet(wire, chat.heartbeat)
    try:
        hello = await _hello(wire)
        host = socket.client.host if socket.client else "unknown"
        if not await chat.cache.allow(f"web:hello:{host}", HELLOS_PER_MINUTE, 60.0):
            raise RateLimitedError("too many connections in a minute")
        headers = socket.headers
        guest = await admit(chat, hello, headers.get("origin"), headers.get("host", ""))
    except ServiceError as fault:
        await outlet.put(web.error(fault))
        await outlet.flush()
        raise HangUpError(_refusal(fault)) from fault
    await Session(wire, chat, outlet, guest).run(hello)


async def _hello(wire: _SocketWire) -> Hello:
    try:
        async with asyncio.timeout(HELLO_WAIT):
            frame = parse_frame(await wire.receive())
    except TimeoutError as error:
        raise BadInputError("nobody said hello") from error
    if not isinstance(frame, Hello):
        raise BadInputError("the first frame is hello")
    return frame


def _refusal(fault: ServiceError) -> int:
    match fault:
        case UnauthenticatedError():
            return UNAUTHENTICATED
        case ForbiddenError():
            return FORBIDDEN
        case BadInputError():
            return POLICY_VIOLATION
        case _:
            return TRY_AGAIN_LATER


def build_router(chat_of: Callable[[HTTPConnection], WebChat]) -> APIRouter:
    """Return the routes; `chat_of` finds the ports of the running app."""
    router = APIRouter()

    @router.websocket("/ws")
    async def ws(socket: WebSocket) -> None:
        await serve(socket, chat_of(socket))

    @router.get("/widget.js", include_in_schema=False)
    async def widget(request: Request) -> Response:
        script = await asyncio.to_thread(widget_script)
        tag = f'"{hashlib.sha256(script.encode()).hexdigest()[:32]}"'
        headers = WIDGET_HEADERS | {"etag": tag}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(script, media_type="text/javascript; charset=utf-8", headers=headers)

    @router.get("/", include_in_schema=False)
    async def demo(request: Request) -> Response:
        key = chat_of(request).demo_key
        if key is None:
            return RedirectResponse("/docs")
        page = await asyncio.to_thread((STATIC / "demo.html").read_text, encoding="utf-8")
        # The key holds only letters, digits, '.', '_' and '-' (channels/web.py).
        return HTMLResponse(
            page.replace("{{key}}", key), headers={"content-security-policy": DEMO_POLICY}
        )

    return router
