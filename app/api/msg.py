"""POST /msg: one message in, its reply out; and what came later."""

from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from app.api.deps import IdempotencyKey, Secret, Uses
from app.api.schemas import Body, CitationOut, MessageOut, MessageText, Word
from app.doors import receive
from app.services import Services
from app.traces import exported
from core.conversations import Mode
from core.errors import BadInputError, NotFoundError
from core.ids import ConversationId, TenantId, TurnId
from core.messages import Assurance, Attachment, IdentityClaim, Inbound
from core.ports import Accepted, TurnView
from core.signatures import body_digest

router = APIRouter(tags=["messages"])


class AttachmentIn(Body):
    """A file by address."""

    name: Word
    content_type: Word
    size: int = Field(default=0, ge=0, le=50_000_000)
    url: Annotated[str, Field(max_length=2000, pattern=r"^https?://[^\s\x00]+$")]


class MessageIn(Body):
    """A customer's message. `channel` says how to render and identify; nothing is sent through the provider."""

    channel: Word
    text: MessageText
    customer_id: Word | None = None
    conversation_id: Word | None = None
    locale: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})?$")] | None = None
    attachments: list[AttachmentIn] = Field(default=[], max_length=10)
    metadata: dict[Word, Annotated[str, Field(max_length=1000)]] = Field(default={}, max_length=20)


class ReplyOut(BaseModel):
    """The reply, or null while a person has the conversation or the turn still runs (202)."""

    reply: str | None
    conversation_id: str
    message_id: str
    handler: str | None = None
    citations: list[CitationOut] = []
    suggestions: list[str] = []
    sentiment: float | None = None
    escalated: bool = False
    mode: str = Mode.AUTO
    trace_id: str | None = None


@router.post("/msg", responses={202: {"model": ReplyOut}})
async def post_message(
    body: MessageIn,
    services: Uses,
    who: Secret,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> ReplyOut:
    """Answer a message. With an Idempotency-Key the same message is answered once, however often it comes."""
    if body.channel not in services.plugins.channels:
        raise BadInputError(f"there is no channel {body.channel!r}")
    if not body.text.strip() and not body.attachments:
        raise BadInputError("the message is empty")
    inbox = await services.directory.inbox("api", who.tenant)
    if inbox is None:
        inbox = await services.directory.ensure_inbox(who.tenant, "api", who.tenant, "customer", "")
    accepted = await receive(services, inbox, _inbound(body, idempotency_key))
    view = await services.waiter.wait(accepted, services.settings.reply_wait)
    if view is None:
        response.status_code = 202
        return ReplyOut(
            reply=None,
            conversation_id=accepted.conversation_id,
            message_id=accepted.message_id,
        )
    return _reply(accepted, view)


def _inbound(body: MessageIn, key: str | None) -> Inbound:
    claims = (
        (IdentityClaim("external", body.customer_id, Assurance.PROVEN),) if body.customer_id else ()
    )
    return Inbound(
        channel=body.channel,
        external_id=f"msg:{key or uuid4().hex}",
        sender="",
        text=body.text,
        assurance=Assurance.PROVEN,
        conversation_id=ConversationId(body.conversation_id) if body.conversation_id else None,
        locale=body.locale[:2].lower() if body.locale else None,
        attachments=tuple(
            Attachment(a.name, a.content_type, a.size, url=a.url) for a in body.attachments
        ),
        claims=claims,
        body_hash=body_digest(body.model_dump_json().encode()) if key else None,
        inline=True,
        new_contact=not claims and body.conversation_id is None,
        metadata=body.metadata,
    )


def _reply(accepted: Accepted, view: TurnView) -> ReplyOut:
    trace = view.trace
    understood = trace.get("understanding")
    effects = trace.get("effects")
    last = view.replies[-1] if view.replies else None
    return ReplyOut(
        reply="\n\n".join(m.text for m in view.replies) or None,
        conversation_id=accepted.conversation_id,
        message_id=accepted.message_id,
        handler=view.handler,
        citations=[CitationOut.of(c) for m in view.replies for c in m.citations],
        suggestions=[q.value for q in last.quick_replies] if last else [],
        sentiment=understood.get("sentiment") if isinstance(understood, dict) else None,
        escalated=isinstance(effects, list) and "Escalate" in effects,
        mode=str(trace.get("mode") or Mode.AUTO),
        trace_id=view.turn_id or None,
    )


class MessagesOut(BaseModel):
    """What the customer's side may see, in order. `status` is the conversation's."""

    messages: list[MessageOut]
    status: str
    mode: str
    after: int


@router.get("/conversations/{conversation_id}/messages")
async def messages(
    services: Uses,
    who: Secret,
    conversation_id: Annotated[str, Path(max_length=100)],
    after: Annotated[int, Query(ge=0, le=2_000_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> MessagesOut:
    """Return what came after a seq, a person's reply included."""
    found = await _conversation(services, who.tenant, conversation_id)
    rows = await services.inline.read(who.tenant, found, after, limit)
    state = await services.reads.conversation(who.tenant, found)
    if state is None:
        raise NotFoundError("no such conversation")
    return MessagesOut(
        messages=[MessageOut.of(m) for m in rows],
        status=state.status,
        mode=state.mode or Mode.AUTO,
        after=rows[-1].seq if rows else after,
    )


async def _conversation(services: Services, tenant: TenantId, given: str) -> ConversationId:
    conversation = ConversationId(given.replace("\x00", ""))
    if await services.reads.conversation(tenant, conversation) is None:
        raise NotFoundError("no such conversation")
    return conversation


class TraceOut(BaseModel):
    """A turn, explained."""

    trace_id: str
    conversation_id: str
    handler: str
    state: str
    started_at: str
    milliseconds: float
    trace: dict[str, object]


@router.get("/traces/{trace_id}")
async def trace(
    services: Uses, who: Secret, trace_id: Annotated[str, Path(max_length=100)]
) -> TraceOut:
    """Return what was understood, retrieved, decided and checked for one turn, personal data masked."""
    found = await services.reads.trace(who.tenant, TurnId(trace_id.replace("\x00", "")))
    if found is None:
        raise NotFoundError("no such trace")
    policy = await services.directory.policy(who.tenant)
    return TraceOut(
        trace_id=found.id,
        conversation_id=found.conversation_id,
        handler=found.handler,
        state=found.state,
        started_at=found.started_at.isoformat(),
        milliseconds=(found.ended_at - found.started_at).total_seconds() * 1000,
        trace=exported(found.trace, policy.numbers),
    )
