"""POST /channels/{name}: any channel's webhook. Verify, parse, commit, answer; the turn runs after."""

import logging
from typing import Annotated, cast

from fastapi import APIRouter, Path, Request, Response

from app.api.deps import Uses
from app.doors import take
from app.services import Services
from core.contracts import Channel, Converses, Received, WebhookReply, WebhookRequest
from core.conversations import Inbox
from core.errors import (
    AnomalousPayloadError,
    SignatureError,
    TooLargeError,
    UnsupportedEventError,
)
from core.ids import InboxId
from core.ports import Accepted

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
        url=_url(request),
        headers={k.lower(): v for k, v in request.headers.items()},
        body=await _body(request),
    )
    inbox = await _inbox(services, name, channel, asked)
    if inbox is None:
        # no inbox, no secret to check with: the same refusal as a wrong signature
        await services.refusals.note(name, "no_inbox")
        raise SignatureError("this request is for no inbox of ours")
    inbox = services.inboxes.complete(inbox)
    try:
        received = await channel.receive(asked, inbox)
    except SignatureError as refused:
        await services.refusals.note(name, "signature", inbox, refused.detail)
        raise
    except AnomalousPayloadError as refused:
        await services.refusals.note(name, "payload", inbox, refused.detail)
        raise
    except UnsupportedEventError as ignored:
        logger.info("webhook.ignored", extra={"channel": name, "reason": ignored.detail})
        return Response(status_code=200)
    accepted = [await take(services, inbox, event) for event in received.events]
    reply = received.reply
    if received.waits or received.resumes:
        kept = next((a for a in reversed(accepted) if a is not None), None)
        reply = await _held(services, inbox, cast("Converses", channel), asked, received, kept)
    return Response(reply.body, reply.status, dict(reply.headers))


async def _held(
    services: Services,
    inbox: Inbox,
    channel: Converses,
    asked: WebhookRequest,
    received: Received,
    kept: Accepted | None,
) -> WebhookReply:
    """Answer a provider that holds the line with what the turn said, or that it still runs."""
    if kept is None and received.resumes:
        kept = await services.inline.find(inbox.tenant, received.resumes)
    if kept is None:
        return received.reply
    view = await services.waiter.wait(kept, received.wait)
    answered = await channel.answer(asked, inbox, kept.message_id, view)
    for name, address, text in answered.texts:
        talk = kept.conversation_id
        await services.beside.send(inbox.tenant, talk, name, address, text, kept.seq)
    if answered.gone:
        await services.inline.release(inbox.tenant, kept.message_id)
        await services.wakeups.wake("outbox", kept.conversation_id)
    return answered.reply


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
    invited = getattr(channel, "invited", None)  # contracts.Admits
    tenant = invited(asked) if invited else None
    return None if tenant is None else Inbox(InboxId(""), tenant, name, "")


def _url(request: Request) -> str:
    """Return the URL byte for byte as it came: some providers sign it, and a framework would decode it."""
    scope = request.scope
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope.get("query_string", b"")
    host = request.headers.get("host", "")
    whole = raw.partition(b"?")[0] + (b"?" + query if query else b"")
    return f"{scope['scheme']}://{host}{whole.decode('latin-1')}"


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
