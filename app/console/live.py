"""The console's socket: hints that something changed, and who is looking at or writing in what.

Carries no content: the pages fetch what they show, so that rights are checked in one place.
"""

import asyncio
import json
import logging
import re

from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from app.console.gate import Seat, from_our_pages, seat_of, services_of
from app.services import Services
from core.ports import Subscription

logger = logging.getLogger(__name__)

router = APIRouter()

UNAUTHENTICATED, FORBIDDEN, TRY_AGAIN_LATER = 4401, 4403, 1013
_BEAT = 20.0
_FRAME = 500  # characters
_FRAMES_PER_MINUTE = 120
_ID = re.compile(r"^[A-Za-z0-9_-]{1,80}$")


@router.websocket("/ws")
async def ws(socket: WebSocket) -> None:
    """Serve one page until it goes or its session ends."""
    services = services_of(socket)
    await socket.accept()
    code = TRY_AGAIN_LATER
    try:
        code = await _serve(socket, services)
    except WebSocketDisconnect:
        return
    except Exception:
        # the edge: whatever broke inside, the page is told to come back
        logger.exception("console.socket_failed")
    if socket.client_state is socket.application_state is WebSocketState.CONNECTED:
        await socket.close(code)


async def _serve(socket: WebSocket, services: Services) -> int:
    if not from_our_pages(socket, services):
        return FORBIDDEN
    seat = await seat_of(socket, services)
    if seat is None:
        return UNAUTHENTICATED
    async with services.fanout.subscribe(f"tenant:{seat.tenant}") as hints:
        await socket.send_text('{"type": "welcome"}')
        tasks = [
            asyncio.create_task(_hear(socket, services, seat), name="console.hear"),
            asyncio.create_task(_speak(socket, services, seat, hints), name="console.speak"),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return max(task.result() for task in done)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _speak(socket: WebSocket, services: Services, seat: Seat, hints: Subscription) -> int:
    while True:
        hint = await hints.get(_BEAT)
        if hint is None:
            if await seat_of(socket, services) is None:
                return UNAUTHENTICATED
            hint = {"type": "beat"}
        if hint.get("csm_id") != seat.csm.id:
            await socket.send_text(json.dumps(dict(hint)))


async def _hear(socket: WebSocket, services: Services, seat: Seat) -> int:
    """Tell the others where this person looks and writes."""
    while True:
        text = await socket.receive_text()
        if not await services.cache.allow(f"console:ws:{seat.csm.id}", _FRAMES_PER_MINUTE, 60.0):
            continue
        where = _where(text)
        if where is not None:
            await services.fanout.publish(
                f"tenant:{seat.tenant}",
                {"type": "presence", "csm_id": seat.csm.id, "csm": seat.csm.name, **where},
            )


def _where(text: str) -> dict[str, object] | None:
    try:
        frame = json.loads(text[:_FRAME])
    except ValueError:
        return None
    if not isinstance(frame, dict) or frame.get("type") != "here":
        return None
    conversation = frame.get("conversation_id")
    if not isinstance(conversation, str) or not _ID.match(conversation):
        return None
    return {"conversation_id": conversation, "writing": frame.get("writing") is True}
