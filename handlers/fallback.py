"""Say that the message was not understood, ask one question, offer a person.

Owns nothing else: it is where a turn ends that no other handler could take.
"""

from core.contracts import Context, HandlerSpec
from core.conversations import HandoffReason
from core.effects import SetNote
from core.messages import QuickReply
from core.outcomes import Outcome, Turn
from core.turns import Decision
from handlers._shared.followups import CHOICES, PENDING, choices, follow_up, offer_person, to_person

COUNT = "not_understood"


async def handle(turn: Turn, context: Context) -> Outcome:
    """Ask once what is meant; offer a person the second time; hand over the third."""
    reply = follow_up(turn, context)
    if reply is not None:
        return reply
    before = turn.conversation.memory.get(COUNT)
    count = before + 1 if isinstance(before, int) else 1
    if count == 1:
        return _ask(turn, context)
    if count == 2:
        outcome = Outcome(
            text=context.lines.say("fallback.again", turn.locale, turn.channel),
            effects=(SetNote({COUNT: count}),),
            decision=Decision(action="decline", reasons=("not_understood",)),
        )
        return offer_person(turn, context, outcome)
    return to_person(HandoffReason.REPEATED_FAILURE, SetNote({COUNT: None}))


def _ask(turn: Turn, context: Context) -> Outcome:
    labels = (
        context.lines.say(key, turn.locale)
        for key in ("fallback.question", "fallback.book", "fallback.person")
    )
    replies = tuple(QuickReply(label, label) for label in labels)
    return Outcome(
        text=context.lines.say("fallback.ask", turn.locale, turn.channel),
        effects=(SetNote({COUNT: 1, PENDING: None, CHOICES: None, **choices(*replies)}),),
        quick_replies=replies,
        decision=Decision(action="ask_back", reasons=("not_understood",)),
    )


HANDLER = HandlerSpec(
    name="fallback",
    handle=handle,
    summary="Says that it did not understand, asks one question, offers a person.",
)
