"""Writing: claim, reply, note, drafts, hand back, resolve, mode, pause. A refusal is said in words (409, 403)."""

from dataclasses import replace

from fastapi import APIRouter

from app.console import pictures
from app.console.bodies import DraftIn, ModeIn, PauseIn, ReplyIn, TextIn
from app.console.gate import Id, Uses, Writer
from app.console.inbox import row_of
from app.doors import changed, hand_back, take_over
from core.conversations import Mode
from core.errors import BadInputError
from core.ids import ConversationId

router = APIRouter()


@router.post("/conversations/{conversation}/claim")
async def claim(conversation: Id, services: Uses, who: Writer) -> dict[str, object]:
    """Take the conversation over. Raises ConflictError when another person has it, NotFoundError."""
    in_flight = await take_over(services, who.tenant, ConversationId(conversation), who.csm)
    return {"owner": who.csm.id, "in_flight": in_flight}


@router.post("/conversations/{conversation}/reply")
async def reply(conversation: Id, body: ReplyIn, services: Uses, who: Writer) -> dict[str, object]:
    """Send the owner's words to the customer. Raises ConflictError unclaimed, ForbiddenError for another's."""
    known = ConversationId(conversation)
    message = await services.humans.reply(
        who.tenant,
        known,
        who.csm,
        body.text,
        f"console:{body.key}",
        files=body.files,
        cc=body.cc,
        confirmed=body.confirmed,
    )
    await changed(services, who.tenant, known)
    return {"message": pictures.message(message) if message else None}


@router.post("/conversations/{conversation}/note")
async def note(conversation: Id, body: TextIn, services: Uses, who: Writer) -> dict[str, object]:
    """Keep an internal note. Raises NotFoundError."""
    known = ConversationId(conversation)
    message = await services.humans.note(
        who.tenant, known, who.csm.name, body.text, f"console:{body.key}"
    )
    await changed(services, who.tenant, known)
    return {"message": pictures.message(message) if message else None}


@router.post("/conversations/{conversation}/drafts/{message}")
async def draft(
    conversation: Id, message: Id, body: DraftIn, services: Uses, who: Writer
) -> dict[str, object]:
    """Send, edit (then send) or discard a proposed reply. Raises ConflictError when decided already."""
    if (body.action == "edit") != (body.text is not None):
        raise BadInputError("an edit, and only an edit, comes with the new text")
    row = await row_of(services, who, conversation)
    found = await services.humans.decide_draft(who.tenant, message, who.csm, body.action, body.text)
    await changed(services, who.tenant, row.id)
    return {"message": pictures.message(found)}


@router.post("/conversations/{conversation}/hand_back")
async def give_back(conversation: Id, services: Uses, who: Writer) -> dict[str, object]:
    """Let the bot resume. Raises ConflictError, ForbiddenError, NotFoundError."""
    await hand_back(services, who.tenant, ConversationId(conversation), who.csm)
    return {"owner": None}


@router.post("/conversations/{conversation}/resolve")
async def resolve(conversation: Id, services: Uses, who: Writer) -> dict[str, object]:
    """Close the conversation. Raises ConflictError, ForbiddenError, NotFoundError."""
    known = ConversationId(conversation)
    await services.humans.resolve(who.tenant, known, who.csm)
    await changed(services, who.tenant, known)
    return {"status": "resolved"}


@router.post("/conversations/{conversation}/mode")
async def mode(conversation: Id, body: ModeIn, services: Uses, who: Writer) -> dict[str, object]:
    """Set who answers here. Raises ConflictError while a person has it, NotFoundError."""
    known = ConversationId(conversation)
    wanted = Mode(body.mode) if body.mode else None
    await services.humans.set_mode(who.tenant, known, wanted, who.csm)
    await changed(services, who.tenant, known)
    return {"mode": wanted}


@router.post("/pause")
async def pause(body: PauseIn, services: Uses, who: Writer) -> dict[str, object]:
    """Stop the bot or let it go on, everywhere or on one channel; holds from the next message."""
    policy = await services.directory.policy(who.tenant)
    if body.channel is None:
        policy = replace(policy, paused=body.paused)
    elif body.channel not in services.plugins.channels:
        raise BadInputError(f"there is no channel {body.channel!r}")
    else:
        others = policy.paused_channels - {body.channel}
        policy = replace(policy, paused_channels=others | {body.channel} if body.paused else others)
    await services.directory.set_policy(who.tenant, policy)
    action = "bot.paused" if body.paused else "bot.resumed"
    await services.access.audit(who.tenant, who.csm.id, action, body.channel)
    await services.fanout.publish(f"tenant:{who.tenant}", {"type": "policy"})
    return {"policy": pictures.policy(policy)}
