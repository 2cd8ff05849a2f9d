"""What a CSM reads when asked to take over: built from facts, never from prose a model made up."""

from collections.abc import Sequence

from core.conversations import Contact, Conversation, Csm, Handoff, HandoffReason
from core.messages import Author, MessageKind, StoredMessage, TeamCard
from core.understanding import Satisfaction

REASONS = {
    HandoffReason.ANGER: "The customer is angry",
    HandoffReason.LEGAL_THREAT: "The customer mentions legal steps",
    HandoffReason.SAFETY: "Somebody's safety may be at risk",
    HandoffReason.ASKED: "The customer asked for a person",
    HandoffReason.REPEATED_FAILURE: "The same question could not be answered twice",
    HandoffReason.BLOCKED_TWICE: "The bot's replies were blocked twice",
    HandoffReason.HANDLER_FAILED: "The bot failed",
    HandoffReason.LOW_CONFIDENCE: "The answer did not help and the bot is unsure",
    HandoffReason.UNDELIVERABLE: "A message could not be delivered",
    HandoffReason.UNKNOWN_SEND: "It is not known whether a message was delivered",
    HandoffReason.EFFECT_REFUSED: "What the customer wanted could not be done",
    HandoffReason.PAUSED: "The bot is paused and a customer is waiting",
    HandoffReason.LANGUAGE: "The customer writes a language the bot does not speak",
    HandoffReason.OPTED_OUT: "The customer wrote after STOP: nothing is sent here until they write START",
}
_SHOWN = 6
_CLIP = 300


def summarise(
    reason: HandoffReason,
    messages: Sequence[StoredMessage],
    satisfaction: Satisfaction | None = None,
) -> str:
    """Return up to three sentences: why, how the mood moved if it did, and what the customer last said."""
    said = [m.text for m in messages if m.author is Author.CUSTOMER and m.text.strip()]
    last = f" Last: “{clip(said[-1], 200)}”" if said else ""
    moved = ""
    if satisfaction is not None and satisfaction.trend != "steady":
        moved = f" Mood {satisfaction.trend}, now {satisfaction.last:+.1f}."
    return f"{REASONS[reason]}.{moved}{last}"


def clip(text: str, limit: int = _CLIP) -> str:
    """Return the text on one line, cut at `limit` characters with an ellipsis."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else f"{flat[: limit - 1].rstrip()}…"


def alert(
    conversation: Conversation,
    contact: Contact,
    handoff: Handoff,
    messages: Sequence[StoredMessage],
    link: str | None,
    claimed_by: Csm | None = None,
) -> TeamCard:
    """Return the alert for a handoff, as it stands now."""
    account = contact.account
    who = contact.name or contact.external_id or f"Visitor {contact.id[-4:]}"
    fields = [("Reason", REASONS[HandoffReason(handoff.reason)]), ("Channel", conversation.channel)]
    if account is not None:
        fields.append(("Account", f"{account.name} · {account.edition} · {account.tier}"))
        if account.arr:
            fields.append(("ARR", f"{account.arr:,.0f}"))
    fields.append(("Sentiment", f"{handoff.sentiment:+.2f}"))
    if claimed_by is not None:
        fields.append(("Claimed by", claimed_by.name))
    if handoff.breached_at is not None:
        fields.append(("Clock", "breached at 120 s"))
    elif handoff.realerted_at is not None:
        fields.append(("Clock", "still unclaimed after 60 s"))
    state = "open" if handoff.state == "requested" else handoff.state
    buttons = {"open": ("claim",), "claimed": ("hand_back", "resolve")}.get(state, ())
    return TeamCard(
        title=f"{who} needs a person" if state == "open" else f"{who}: {state.replace('_', ' ')}",
        text=handoff.summary,
        conversation_id=conversation.id,
        state=state,
        severity=handoff.severity,
        fields=tuple(fields),
        transcript=tuple(_transcript(messages)),
        link=link,
        buttons=buttons,
    )


def _transcript(messages: Sequence[StoredMessage]) -> list[tuple[str, str]]:
    spoken = [m for m in messages if m.kind is not MessageKind.NOTE and m.text.strip()]
    return [(m.author_name or m.author.value, clip(m.text)) for m in spoken[-_SHOWN:]]


def follow_up(conversation: Conversation, author: str, text: str) -> TeamCard:
    """Return a line to write under the alert: what was said since."""
    return TeamCard(
        title="", text=clip(text, 2000), conversation_id=conversation.id, fields=((author, ""),)
    )
