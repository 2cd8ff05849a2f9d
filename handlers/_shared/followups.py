"""The short replies to what the bot itself asked: a person? solved? which of these.

Owns offering a person, the notes that remember the offer, and reading the reply. Every handler that may
be given a bare "yes" or "2" asks `follow_up` first. Not here: forms, which read their own replies.
"""

from collections.abc import Mapping
from dataclasses import replace

from core.contracts import Context
from core.conversations import HandoffReason
from core.effects import Resolve, SetNote
from core.messages import QuickReply
from core.outcomes import Outcome, Turn
from core.turns import Decision
from handlers._shared.wording import agrees, declines, number_in

PENDING = "pending"  # what a "yes" would mean: "person" | "solved"
CHOICES = "choices"  # values of the quick replies shown last


def choices(*replies: QuickReply) -> dict[str, object]:
    """Return the note that lets a bare number stand for a quick reply."""
    return {CHOICES: [reply.value for reply in replies]}


def chosen_text(turn: Turn) -> str:
    """Return what was said, a bare number replaced by the choice it stands for."""
    values = turn.conversation.memory.get(CHOICES)
    if not isinstance(values, list) or not values:
        return turn.text
    number = number_in(turn.text, len(values))
    return str(values[number - 1]) if number else turn.text


def as_chosen(turn: Turn) -> Turn:
    """Return the turn with a bare number replaced by the choice it stands for."""
    return replace(turn, text=chosen_text(turn))


def person_replies(turn: Turn, context: Context) -> tuple[QuickReply, QuickReply]:
    """Return the two quick replies that go with every offer of a person."""
    yes = context.lines.say("person.yes", turn.locale)
    no = context.lines.say("person.no", turn.locale)
    return QuickReply(yes, yes), QuickReply(no, no)


def offer_person(turn: Turn, context: Context, outcome: Outcome) -> Outcome:
    """Return the outcome with the offer's quick replies and the note that remembers it."""
    replies = person_replies(turn, context)
    note = SetNote({PENDING: "person", **choices(*replies)})
    return replace(outcome, quick_replies=replies, effects=(*outcome.effects, note))


def to_person(reason: HandoffReason, *effects: SetNote) -> Outcome:
    """Return the outcome that hands this turn to the escalate handler with a reason."""
    note = SetNote({"escalate_reason": reason.value, PENDING: None, CHOICES: None})
    return Outcome(
        text=None,
        effects=(*effects, note),
        decision=Decision(action="handoff", reasons=(reason.value,)),
        next="escalate",
        trace={"escalate_reason": reason.value},
    )


def follow_up(turn: Turn, context: Context) -> Outcome | None:
    """Answer a reply to our own question; None when the message is not one."""
    pending = turn.conversation.memory.get(PENDING)
    text = chosen_text(turn)
    said_no = declines(text, context.lines) or _is_label(text, turn, context, "no")
    said_yes = agrees(text, context.lines) or _is_label(text, turn, context, "yes")
    if pending == "person" and said_yes and not said_no:
        return to_person(_offered_because(turn))
    if pending == "person" and said_no:
        return _plain_reply(turn, context, "person.declined")
    if pending == "solved" and said_yes and not said_no:
        outcome = _plain_reply(turn, context, "small_talk.solved")
        return replace(outcome, effects=(*outcome.effects, Resolve(confirmed=True)))
    if pending == "solved" and said_no:
        outcome = _plain_reply(turn, context, "small_talk.not_solved")
        return offer_person(turn, context, outcome)
    return None


def _is_label(text: str, turn: Turn, context: Context, which: str) -> bool:
    keys = {
        "yes": ("person.yes", "small_talk.solved_yes"),
        "no": ("person.no", "small_talk.solved_no"),
    }
    return any(text == context.lines.say(key, turn.locale) for key in keys[which])


def _offered_because(turn: Turn) -> HandoffReason:
    failed: Mapping[str, object] = turn.conversation.memory
    return HandoffReason.LOW_CONFIDENCE if failed.get("failed") else HandoffReason.ASKED


def _plain_reply(turn: Turn, context: Context, key: str) -> Outcome:
    return Outcome(
        text=context.lines.say(key, turn.locale, turn.channel),
        effects=(SetNote({PENDING: None, CHOICES: None}),),
        decision=Decision(action="small_talk"),
    )
