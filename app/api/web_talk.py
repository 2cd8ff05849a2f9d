"""One talk over one wire, whatever the wire is: hello, session, and how it ends.

Owns who may say hello how often, and turning faults of ours into "come back" (1013).
Not here: sockets (socket.py), streams (web_stream.py), who is let in (web_chat.py).
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from app.api.web_chat import WebChat, admit
from app.api.web_session import Session
from app.api.web_wire import POLICY_VIOLATION, TRY_AGAIN_LATER, HangUpError, Outlet, Wire
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

HELLO_WAIT = 10.0  # seconds a fresh wire may stay silent
HELLOS_PER_MINUTE = 120  # from one address; offices share one
UNAUTHENTICATED, FORBIDDEN = 4401, 4403  # private use, RFC 6455 §7.4.2


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end of a wire: their address, and the page's origin and our host as headers say."""

    address: str
    origin: str | None
    host: str


async def talk(wire: Wire, chat: WebChat, peer: Callable[[], Peer]) -> int:
    """Serve one wire until either side ends it; returns the close code, 0 when the other side has gone.

    `peer` is asked after hello has come. A fault of ours ends it with 1013.
    """
    code = 1000
    try:
        await _serve(wire, chat, peer)
    except* HangUpError as group:
        code = _code_of(group)
    except* Exception:
        # The edge: whatever broke inside, the widget is told to come back.
        logger.exception("web.socket_failed")
        code = TRY_AGAIN_LATER
    return code


def _code_of(group: BaseExceptionGroup[HangUpError]) -> int:
    """Return the close code, 0 when the other side has gone already."""
    codes = [e.code for e in group.exceptions if isinstance(e, HangUpError)]
    return min(codes, default=0)


async def _serve(wire: Wire, chat: WebChat, peer: Callable[[], Peer]) -> None:
    outlet = Outlet(wire, chat.heartbeat)
    try:
        hello = await _hello(wire)
        who = peer()
        if not await chat.cache.allow(f"web:hello:{who.address}", HELLOS_PER_MINUTE, 60.0):
            raise RateLimitedError("too many connections in a minute")
        guest = await admit(chat, hello, who.origin, who.host)
    except ServiceError as fault:
        await outlet.put(web.error(fault))
        await outlet.flush()
        raise HangUpError(_refusal(fault)) from fault
    await Session(wire, chat, outlet, guest).run(hello)


async def _hello(wire: Wire) -> Hello:
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
