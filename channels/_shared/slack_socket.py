"""Socket Mode: events over a socket that we open, for servers Slack cannot reach. Imported inside `build`.

An envelope is acknowledged only after its events are committed; what was not acknowledged Slack brings again.
slack_sdk's client queues first and acknowledges apart from that, so the loop is our own.
Source: Slack's "Using Socket Mode". Not here: what a payload means (channels/slack.py).
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp

from channels._shared.slack_events import Fields, Payload, part, word
from core.errors import AnomalousPayloadError, DeliveryError, ServiceError

logger = logging.getLogger(__name__)

Take = Callable[[Payload], Awaitable[Mapping[str, Any] | None]]
_KINDS: Mapping[str, Any] = {
    "events_api": "event",
    "interactive": "interaction",
    "slash_commands": "command",
}
_BEAT = 20.0  # seconds between pings; without a pong the socket counts as gone
_WAITS = (1.0, 2.0, 5.0, 15.0, 30.0)  # seconds before the next try to connect


async def run(
    open_url: Callable[[], Awaitable[str]],
    take: Take,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Listen for ever. `take` commits a payload's events and returns what the sender is answered at once.

    A socket that Slack closes (it does so every few hours) is opened again at once, one that fails later and later.
    """
    failed = 0
    while True:
        try:
            url = await open_url()
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(url, heartbeat=_BEAT, max_msg_size=16_000_000) as socket,
            ):
                logger.info("slack.socket_open")
                is_over = await _serve(socket, take)
            failed = 0 if is_over else failed + 1
        except (DeliveryError, aiohttp.ClientError, TimeoutError, OSError) as error:
            logger.warning("slack.socket_failed", extra={"error": type(error).__name__})
            failed += 1
        if failed:
            await sleep(_WAITS[min(failed, len(_WAITS)) - 1])


async def _serve(socket: aiohttp.ClientWebSocketResponse, take: Take) -> bool:
    """Serve one socket; True when Slack said goodbye after having greeted us."""
    greeted = False
    async for frame in socket:
        if frame.type is not aiohttp.WSMsgType.TEXT:
            continue
        envelope = _object(frame.data)
        kind = word(envelope, "type")
        if kind == "hello":
            greeted = True
        elif kind == "disconnect":
            is_off = word(envelope, "reason") == "link_disabled"
            if is_off:
                logger.error("slack.socket_mode_is_off")
            return not is_off
        elif word(envelope, "envelope_id"):
            await _answer(socket, envelope, take)
    return greeted


async def _answer(socket: aiohttp.ClientWebSocketResponse, envelope: Fields, take: Take) -> None:
    answer: Mapping[str, Any] | None = None
    kind = _KINDS.get(word(envelope, "type"))
    if kind is not None:
        try:
            answer = await take(Payload(kind, part(envelope, "payload")))
        except AnomalousPayloadError:
            logger.warning("slack.anomalous_payload")  # would not be better the next time
        except (ServiceError, OSError) as error:
            # not kept: not acknowledged, so that Slack brings it again
            logger.warning("slack.envelope_not_kept", extra={"error": type(error).__name__})
            return
    wants = envelope.get("accepts_response_payload") is True and answer
    done = {"envelope_id": word(envelope, "envelope_id"), **({"payload": answer} if wants else {})}
    await socket.send_str(json.dumps(done))


def _object(text: str) -> Fields:
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return loaded if isinstance(loaded, dict) else {}
