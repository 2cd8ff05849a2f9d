"""POST /channels/{name}: any channel's webhook. Verify, parse, commit, answer; the turn runs after."""

import logging
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from app.api.deps import Uses
from app.doors import take
from app.services import Services
from core.contracts import Channel, WebhookRequest
from core.conversations import Inbox
from core.errors import (
    SignatureError,
    TooLargeError,
    UnsupportedEventError,
)

logger = logging.getLogger(__name__)

router = APIRouter(tags=["channels"])

MAX_BODY = 40_000_000


@router.post("/channels/{name}")
@router.get("/channels/{name}", include_in_schema=False)
@router.post("/channels/{name}/mime", include_in_schema=False)  # where Mailgun posts raw MIME
async def webhook(
    request: Request, services: Uses, name: Annotated[str, Path(max_length=50)]
) -> Response:
    """Take a provider's webhook. Authenticated by the provider's signature, fail-closed."""
    channel = services.inboxes.channel(name)
    asked = WebhookRequest(
        method=request.method,
        url=str(request.url),
        headers={k.lower(): v for k, v in request.headers.items()},
        body=await _body(request),
    )
    inbox = await _inbox(services, name, channel, asked)
    if inbox is None:
        # no inbox, no secret to check with: the same refusal as a wrong signature
        services.metrics.count("webhooks_refused", channel=name, why="no_inbox")
        raise SignatureError("this request is for no inbox of ours")
    inbox = services.inboxes.complete(inbox)
    try:
        received = await channel.receive(asked, inbox)
    except SignatureError:
        services.metrics.count("webhooks_refused", channel=name, why="signature")
        raise
    except UnsupportedEventError as ignored:
        logger.info("webhook.ignored", extra={"channel": name, "reason": ignored.detail})
        return Response(status_code=200)
    for event in received.events:
        await take(services, inbox, event)
    reply = received.reply
    return Response(reply.body, reply.status, dict(reply.headers))


async def _inbox(
    services: Services, name: str, channel: Channel, asked: WebhookRequest
) -> Inbox | None:
    """Return the inbox a request claims to be for; some providers name it in more than one way."""
    candidates = getattr(channel, "candidates", None)
    first = channel.locate(asked)
    for address in candidates(asked) if candidates else [first] if first else []:
        inbox = await services.directory.inbox(name, address)
        if inbox is not None and inbox.kind == "customer":
            return inbox
    return None


async def _body(request: Request) -> bytes:
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > MAX_BODY:
        raise TooLargeError("the body is too large")
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY:
            raise TooLargeError("the body is too large")
        chunks.append(chunk)
    return b"".join(chunks)
