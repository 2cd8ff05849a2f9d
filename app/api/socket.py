"""Doors of the web chat: the WebSocket at /ws, and all its other routes under one router.

Owns accepting and closing a socket, hello, and turning faults of ours into "come back" (1013).
Not here: who is let in (web_chat.py), what is said inside (web_session.py), pages and scripts (web_pages.py),
uploads (web_files.py), the way without WebSockets (web_stream.py).
"""

import json
from collections.abc import Callable, Mapping

from fastapi import APIRouter
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from app.api import web_files, web_pages, web_stream
from app.api.web_chat import WebChat
from app.api.web_talk import Peer, talk
from app.api.web_wire import HangUpError


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
    wire = _SocketWire(socket)
    peer = Peer(
        socket.client.host if socket.client else "unknown",
        socket.headers.get("origin"),
        socket.headers.get("host", ""),
    )
    code = await talk(wire, chat, lambda: peer)
    if code and socket.client_state is socket.application_state is WebSocketState.CONNECTED:
        await socket.close(code)


def build_router(chat_of: Callable[[HTTPConnection], WebChat]) -> APIRouter:
    """Return the routes; `chat_of` finds the ports of the running app."""
    router = APIRouter()

    @router.websocket("/ws")
    async def ws(socket: WebSocket) -> None:
        await serve(socket, chat_of(socket))

    for part in (web_pages, web_files, web_stream):
        router.include_router(part.build_router(chat_of))
    return router
