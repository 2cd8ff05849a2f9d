"""The web chat where WebSockets are blocked: server-sent events one way, small POSTs the other.

Owns the stream's name and the way of a POST to the process that holds the stream: through the fan-out, so that
any server may take it. What is lost on that way the widget sends again, as it does after a lost socket.
Same session as over a socket; not here: anything it says (web_session.py).
"""

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator, Callable, Mapping

from fastapi import APIRouter
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response, StreamingResponse

from app.api.web_chat import WebChat
from app.api.web_talk import HELLO_WAIT, Peer, talk
from channels._shared.web_frames import MAX_FRAME
from core.errors import BadInputError, RateLimitedError, TooLargeError
from core.ports import Subscription

FRAMES_PER_MINUTE = 240  # of one stream: typing, acks and messages together
STREAMS_PER_MINUTE = 60  # from one address
_NAME = re.compile(r"[0-9a-f]{32}")
HEADERS = {
    "cache-control": "no-store",
    "x-accel-buffering": "no",  # nginx would keep events until there are many
    "access-control-allow-origin": "*",  # nothing here goes by cookies; who may talk is decided at hello
}


class _StreamWire:
    """A wire whose one half is a stream being answered and whose other half is posted."""

    def __init__(self, posted: Subscription) -> None:
        self._posted = posted
        self.events: asyncio.Queue[str | None] = asyncio.Queue()
        self.peer = Peer("unknown", None, "")

    async def receive(self) -> str | bytes:
        """Return the next frame posted; the peer is whoever posted it."""
        while True:
            post = await self._posted.get(HELLO_WAIT)
            if post is None:
                continue
            self.peer = Peer(
                str(post.get("address")),
                str(post["origin"]) if post.get("origin") else None,
                str(post.get("host")),
            )
            return str(post.get("raw"))

    async def send(self, frame: Mapping[str, object]) -> None:
        """Queue one event."""
        self.events.put_nowait(f"data: {json.dumps(frame, ensure_ascii=False)}\n\n")


async def _events(chat: WebChat, name: str) -> AsyncIterator[str]:
    async with chat.fanout.subscribe(f"stream:{name}") as posted:
        wire = _StreamWire(posted)
        yield f"event: open\ndata: {name}\n\n"
        serving = asyncio.create_task(_serve(wire, chat), name="web.stream")
        try:
            while (event := await wire.events.get()) is not None:
                yield event
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


async def _serve(wire: _StreamWire, chat: WebChat) -> None:
    code = await talk(wire, chat, lambda: wire.peer)
    wire.events.put_nowait(f"event: end\ndata: {code}\n\n")
    wire.events.put_nowait(None)


def build_router(chat_of: Callable[[HTTPConnection], WebChat]) -> APIRouter:
    """Return the routes; `chat_of` finds the ports of the running app."""
    router = APIRouter()

    @router.get("/web/stream", include_in_schema=False)
    async def stream(request: Request) -> Response:
        chat = chat_of(request)
        host = request.client.host if request.client else "unknown"
        if not await chat.cache.allow(f"web:stream:{host}", STREAMS_PER_MINUTE, 60.0):
            raise RateLimitedError("too many streams in a minute")
        events = _events(chat, secrets.token_hex(16))
        return StreamingResponse(events, media_type="text/event-stream", headers=HEADERS)

    @router.post("/web/stream/{name}", include_in_schema=False)
    async def post(name: str, request: Request) -> Response:
        chat = chat_of(request)
        if not _NAME.fullmatch(name):
            raise BadInputError("this is no stream's name")
        if not await chat.cache.allow(f"web:frames:{name}", FRAMES_PER_MINUTE, 60.0):
            raise RateLimitedError("too many frames in a minute", retry_after=10.0)
        raw = await _limited(request, MAX_FRAME)
        await chat.fanout.publish(
            f"stream:{name}",
            {
                "raw": raw.decode("utf-8", "replace"),
                "address": request.client.host if request.client else "unknown",
                "origin": request.headers.get("origin"),
                "host": request.headers.get("host", ""),
            },
        )
        return Response(status_code=204, headers=HEADERS)

    return router


async def _limited(request: Request, limit: int) -> bytes:
    """Read a body of at most `limit` bytes."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise TooLargeError(f"a frame holds at most {limit} bytes")
    return bytes(body)
