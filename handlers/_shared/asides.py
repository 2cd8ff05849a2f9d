"""A question asked in the middle of a form: answered, then the form goes on.

Owns telling such a question from a reply, and putting answer and re-ask together. Not here: the form.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.contracts import Context
from core.effects import Effect, OpenGap
from core.outcomes import Outcome, Turn
from core.turns import Citation, Passage
from handlers._shared.answering import answer_from_docs
from handlers._shared.wording import contains, is_question

_TIME_TALK = ("words.soonest", "words.other_times")


@dataclass(frozen=True, slots=True)
class Aside:
    """What is said to the side question before the form goes on."""

    text: str
    citations: tuple[Citation, ...] = ()
    sources: tuple[Passage, ...] = ()
    generated: bool = False
    query: str | None = None
    effects: tuple[Effect, ...] = ()

    def before(self, outcome: Outcome) -> Outcome:
        """Return the form's outcome with this said first."""
        return replace(
            outcome,
            text=f"{self.text}\n\n{outcome.text}" if outcome.text else self.text,
            citations=self.citations,
            sources=self.sources,
            generated=self.generated,
            fixed=outcome.text or "",
            query=self.query,
            effects=(*outcome.effects, *self.effects),
        )


async def answer_aside(
    turn: Turn, context: Context, *, learned: bool, intents: Sequence[str] = ("question",)
) -> Aside | None:
    """Return the answer to a side question; None when the message is none.

    `learned`: the form took something from the message too, so that an unanswered question is let pass.
    """
    intent = turn.understanding.intent
    if turn.understanding.times or (intent is not None and intent.name not in intents):
        return None
    if any(contains(turn.text, context.lines, key) for key in _TIME_TALK):
        return None
    if not is_question(turn.text, context.lines):
        return None
    answered = await answer_from_docs(turn, context, turn.text)
    if answered.action == "answer" and answered.citations:
        return Aside(
            answered.text,
            answered.citations,
            answered.sources,
            answered.generated,
            answered.query,
        )
    if learned:
        return None
    nearest = tuple(dict.fromkeys(p.document for p in answered.sources))[:3]
    return Aside(
        context.lines.say("answer.decline_short", turn.locale, turn.channel),
        query=answered.query,
        effects=(OpenGap(turn.text, "unanswered", nearest),),
    )
