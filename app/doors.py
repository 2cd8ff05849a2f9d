"""What becomes of the events a channel has verified: committed before the provider gets its 2xx."""

import contextlib
import logging

from app.hearing import is_one_of
from app.services import Services
from core.conversations import Csm, Inbox
from core.errors import ConflictError, ForbiddenError, NotFoundError
from core.ids import ConversationId, TenantId
from core.messages import (
    ConsentChange,
    Correction,
    Event,
    Ignored,
    Inbound,
    Joined,
    Overheard,
    Reaction,
    Receipt,
    TeamAction,
)
from core.ports import Accepted
from guardrails._shared.naming import neutral

logger = logging.getLogger(__name__)

_LONGEST_WORD = 40


async def take(services: Services, inbox: Inbox, event: Event) -> Accepted | None:
    """Commit one event; returns what became of a message.

    Raises UnavailableError when it cannot be kept: the provider must send it again.
    """
    services.metrics.count("events", channel=inbox.channel, kind=type(event).__name__)
    match event:
        case Inbound():
            return await _written(services, inbox, event)
        case Receipt():
            await services.intake.receipt(inbox, event)
        case ConsentChange():
            await _consent(services, inbox, event)
        case TeamAction():
            await team_action(services, inbox, event)
        case Correction() | Reaction() | Overheard():
            await _after_the_fact(services, inbox, event)
        case Joined(address):
            await _joined(services, inbox, address)
        case Ignored(reason):
            logger.info("event.ignored", extra={"channel": inbox.channel, "reason": reason})
    return None


async def receive(services: Services, inbox: Inbox, inbound: Inbound) -> Accepted:
    """Commit a customer's message, wake a worker and tell who watches."""
    quiet = services.plugins.channels[inbound.channel].capabilities.quiet
    quiet = 0.0 if inbound.inline else quiet
    quiet = quiet if inbound.wait is None else inbound.wait
    accepted = await services.intake.accept(inbox, neutral(inbound), quiet)
    if not accepted.duplicate:
        await services.wakeups.wake("turn", accepted.conversation_id, quiet)
        await changed(services, accepted.tenant, accepted.conversation_id)
    return accepted


async def changed(
    services: Services, tenant: TenantId, conversation: ConversationId, kind: str = "status"
) -> None:
    """Hint that a conversation changed: the customer's sockets and the console look again."""
    await services.fanout.publish(
        f"conv:{conversation}", {"type": kind, "conversation_id": conversation}
    )
    await services.fanout.publish(
        f"tenant:{tenant}", {"type": "conversation", "conversation_id": conversation}
    )
    await services.wakeups.wake("outbox", conversation)


async def _after_the_fact(
    services: Services, inbox: Inbox, event: Correction | Reaction | Overheard
) -> None:
    match event:
        case Correction():
            changed_one = await services.changes.correct(inbox, event)
        case Reaction():
            changed_one = await services.changes.react(inbox, event)
        case Overheard():
            changed_one = await services.changes.overhear(inbox, event)
    await _changed(services, inbox, changed_one)


async def _joined(services: Services, inbox: Inbox, address: str) -> None:
    """Make a place an inbox of the tenant that invited it. Raises ConflictError when it is another tenant's."""
    tenant, channel = inbox.tenant, inbox.channel
    await services.directory.ensure_inbox(tenant, channel, address, "customer", "")
    await services.access.audit(tenant, "system", "inbox.joined", f"{channel}:{address}")


async def _changed(services: Services, inbox: Inbox, conversation: ConversationId | None) -> None:
    if conversation is not None:
        await changed(services, inbox.tenant, conversation)


async def _written(services: Services, inbox: Inbox, inbound: Inbound) -> Accepted | None:
    said = await _word_of_consent(services, inbox, inbound)
    if said is None:
        return await receive(services, inbox, inbound)
    await _consent(services, inbox, said)
    return None


async def _word_of_consent(
    services: Services, inbox: Inbox, inbound: Inbound
) -> ConsentChange | None:
    """Return the opt-out or opt-in that a whole message is, in a language the provider has no words of."""
    channel = services.plugins.channels[inbound.channel]
    if not channel.capabilities.opt_out_words or inbound.inline or inbound.automatic:
        return None
    lines = services.lines_for(await services.directory.policy(inbox.tenant))
    for key, granted in (("words.stop", False), ("words.start", True)):
        if is_one_of(inbound.text, lines.variants(key)):
            word = inbound.text.strip()[:_LONGEST_WORD].upper()
            return ConsentChange(
                inbound.channel, inbound.sender, inbound.external_id, word, granted
            )
    return None


async def _consent(services: Services, inbox: Inbox, change: ConsentChange) -> None:
    key = {True: "consent.started", False: "consent.stopped", None: "consent.help"}[change.granted]
    policy = await services.directory.policy(inbox.tenant)
    notice = services.lines_for(policy).say(key, policy.locale, change.channel)
    await services.intake.consent(inbox, change, notice)
    await services.wakeups.wake("outbox", inbox.tenant)


async def team_action(services: Services, inbox: Inbox, action: TeamAction) -> str:
    """Do what a CSM pressed or wrote on their own channel; returns what became of it.

    A person we do not know cannot act: their words stay notes. A reply by anyone but the owner is a note too.
    """
    tenant = inbox.tenant
    conversation = action.conversation_id
    if conversation is None and action.thread:
        conversation = await services.humans.by_alert(tenant, action.thread)
    if conversation is None:
        return "unknown_conversation"
    csm = await services.access.by_slack(tenant, action.actor.rpartition(":")[2])
    try:
        done = await _act(services, tenant, conversation, csm, action)
    except (ConflictError, ForbiddenError, NotFoundError) as error:
        # two people pressed at once, or an old button: the alert says how it stands now
        done = error.code
        # a conversation that is gone, or never was ours, has no alert to say it under
        with contextlib.suppress(NotFoundError):
            await services.humans.note_for_team(
                tenant, conversation, "usher", error.detail, action.external_id
            )
    await changed(services, tenant, conversation)
    return done


async def _act(
    services: Services,
    tenant: TenantId,
    conversation: ConversationId,
    csm: Csm | None,
    action: TeamAction,
) -> str:
    name = csm.name if csm else action.actor_name or action.actor
    if action.kind == "note" or (action.kind == "reply" and csm is None):
        await services.humans.note(tenant, conversation, name, action.text, action.external_id)
        return "noted"
    if csm is None or csm.role == "viewer":
        raise ForbiddenError(f"{name} is not known as a CSM here and cannot do that")
    if action.kind == "reply":
        return await reply(services, tenant, conversation, csm, action.text, action.external_id)
    if action.kind == "claim":
        await take_over(services, tenant, conversation, csm, action.external_id)
    elif action.kind == "hand_back":
        await hand_back(services, tenant, conversation, csm, action.external_id)
    else:
        await services.humans.resolve(tenant, conversation, csm, action.external_id)
    return action.kind


async def reply(
    services: Services,
    tenant: TenantId,
    conversation: ConversationId,
    csm: Csm,
    text: str,
    external_id: str | None = None,
) -> str:
    """Send the owner's words to the customer; anybody else's stay a note."""
    try:
        await services.humans.reply(tenant, conversation, csm, text, external_id)
    except (ConflictError, ForbiddenError):
        await services.humans.note(tenant, conversation, csm.name, text, external_id)
        return "noted"
    await changed(services, tenant, conversation)
    return "sent"


async def take_over(
    services: Services,
    tenant: TenantId,
    conversation: ConversationId,
    csm: Csm,
    event: str | None = None,
) -> int:
    """Make a CSM the owner and say so to the customer; returns bot messages already at a provider."""
    say = await _line(services, tenant, conversation, "takeover.joined", csm)
    in_flight = await services.humans.take_over(tenant, conversation, csm, say, event)
    await services.fanout.publish(
        f"conv:{conversation}", {"type": "draft_end", "turn_id": "", "reason": "takeover"}
    )
    await changed(services, tenant, conversation)
    return len(in_flight)


async def hand_back(
    services: Services,
    tenant: TenantId,
    conversation: ConversationId,
    csm: Csm,
    event: str | None = None,
) -> None:
    """Let the bot resume and say so to the customer."""
    say = await _line(services, tenant, conversation, "takeover.left", csm)
    await services.humans.hand_back(tenant, conversation, csm, say, event)
    await changed(services, tenant, conversation)


async def _line(
    services: Services, tenant: TenantId, conversation: ConversationId, key: str, csm: Csm
) -> str:
    found = await services.reads.conversation(tenant, conversation)
    if found is None:
        raise NotFoundError("no such conversation")
    policy = await services.directory.policy(tenant)
    return services.lines_for(policy).say(
        key, found.locale or policy.locale, found.channel, name=csm.name.split()[0]
    )
