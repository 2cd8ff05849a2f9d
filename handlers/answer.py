"""Answer a product question from the docs, with citations, or say honestly that they do not hold it.

Owns the choice between answer, one clarifying question, declining and giving up to a person, and the notes
that keep it from asking back twice in a row or failing twice in silence.
Not here: retrieval and extraction (ports), the grounding check, small talk.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from core.contracts import Context, HandlerSpec
from core.conversations import HandoffReason
from core.effects import OpenGap, SetNote
from core.messages import QuickReply
from core.outcomes import Outcome, Turn
from core.turns import Decision
from handlers._shared.answering import LONGEST, Answered, answer_from_docs
from handlers._shared.followups import (
    CHOICES,
    PENDING,
    as_chosen,
    choices,
    follow_up,
    offer_person,
    to_person,
)
from handlers._shared.wording import contains, plain

SAME = 0.5  # share of words two questions have in common to count as the same one
NEAREST = 3
AT_ONCE = 3  # questions of one message that are looked at (knowledge/extract.py)
COMPLETING = 8  # words; a longer reply to a clarifying question is a question of its own
NOT_HELPED = 0.5
UNSURE = (
    0.3  # confidence under which the best there is is not said even when asking again is no choice
)
_ADDRESS = re.compile(r"\b\w+://\S+|\bwww\.\S+|\S+@\S+")
_WORD = re.compile(r"[^\W\d_]{2,}|\d|[\u3040-\u9fff]")


async def handle(turn: Turn, context: Context) -> Outcome:
    """Answer, ask back once, or decline and offer a person."""
    reply = follow_up(turn, context)
    if reply is not None:
        return reply
    turn = as_chosen(turn)
    # where nothing was answered yet, the sign of "that did not help" is mistaken
    unhelped = turn.understanding.not_helped >= NOT_HELPED and any(
        said.role == "bot" for said in turn.talk
    )
    if unhelped or contains(turn.text, context.lines, "words.not_helped"):
        return _not_helped(turn, context)
    question = _question(turn)
    if not _WORD.search(_ADDRESS.sub(" ", question)):
        empty = Answered("ask_back", reasons=("no_content",))
        return _ask_back(turn, context, question, empty)
    answered = await answer_from_docs(turn, context, question)
    if answered.action == "answer" and answered.citations:
        return _answer(turn, context, question, answered)
    if answered.action == "ask_back" and not _failed(turn) and not _asked_back(turn):
        return _ask_back(turn, context, question, answered)
    if answered.action == "ask_back" and answered.citations and answered.confidence >= UNSURE:
        # never two clarifying questions in a row: what fits best is said
        return _answer(turn, context, question, answered)
    return _decline(turn, context, question, answered)


def _question(turn: Turn) -> str:
    """Return what is asked: an answer to our clarifying question completes the question before it."""
    memory = turn.conversation.memory
    last, offered = memory.get("last_question"), memory.get(CHOICES)
    chosen = isinstance(offered, list) and turn.text in offered
    completes = chosen or len(turn.text.split()) <= COMPLETING
    if _asked_back(turn) and isinstance(last, str) and last and completes:
        return f"{last} {turn.text}"
    return turn.text


def _asked_back(turn: Turn) -> bool:
    return turn.conversation.memory.get("asked_back") is True


def _failed(turn: Turn) -> int:
    failed = turn.conversation.memory.get("failed")
    return failed if isinstance(failed, int) else 0


def _note(
    question: str, action: str, failed: int, confidence: float = 0.0, **more: object
) -> SetNote:
    values: dict[str, object] = {
        "last_question": question,
        "last_action": action,
        "failed": failed,
        "last_confidence": round(confidence, 3),
        "asked_back": action == "ask_back",
        PENDING: None,
        CHOICES: None,
    }
    return SetNote({**values, **more})


def _answer(turn: Turn, context: Context, question: str, answered: Answered) -> Outcome:
    text = answered.text
    locales = {passage.locale for passage in answered.sources}
    lead = _language_lead(turn, context, locales) if not answered.generated else None
    text = "\n".join(part for part in (lead, text, *_left_over(turn, context, answered)) if part)
    gaps = (OpenGap(each, "unanswered") for each in answered.missing)
    return Outcome(
        text=text,
        effects=(*gaps, _note(question, "answer", 0, answered.confidence)),
        citations=answered.citations,
        sources=answered.sources,
        decision=Decision("answer", answered.confidence, answered.reasons),
        generated=answered.generated,
        query=answered.query,
        trace=answered.trace,
    )


def _left_over(turn: Turn, context: Context, answered: Answered) -> list[str]:
    """Return what is said of the questions that were not answered, as far as there is room."""
    said = []
    if answered.missing:
        asked = " / ".join(f"“{each}”" for each in answered.missing)
        said.append(context.lines.say("answer.missing", turn.locale, turn.channel, questions=asked))
    if answered.skipped:
        count = AT_ONCE
        said.append(context.lines.say("answer.skipped", turn.locale, turn.channel, count=count))
    room = (context.max_chars or LONGEST * 2) - len(answered.text)
    return said if sum(map(len, said)) + len(said) <= room else []


def _language_lead(turn: Turn, context: Context, locales: set[str]) -> str | None:
    """Return the line that says the docs' language, when it is another than the customer's."""
    if len(locales) != 1 or turn.locale in locales:
        return None
    key = {"en": "answer.in_english", "es": "answer.in_spanish"}.get(locales.pop())
    return context.lines.say(key, turn.locale, turn.channel) if key else None


def _ask_back(turn: Turn, context: Context, question: str, answered: Answered) -> Outcome:
    replies = tuple(QuickReply(option, option) for option in answered.options)
    return Outcome(
        text=_clarifying(turn, context, answered.options),
        effects=(_note(question, "ask_back", 0, answered.confidence, **choices(*replies)),),
        # titles of pages stand in it: the checks read them as they read an answer
        sources=answered.sources,
        quick_replies=replies,
        decision=Decision("ask_back", answered.confidence, answered.reasons),
        query=answered.query,
    )


def _clarifying(turn: Turn, context: Context, options: Sequence[str]) -> str:
    """Return the question; where replies are shown as a numbered list, the options are not said twice."""
    keys = {2: "answer.ask_back_two", 3: "answer.ask_back_three"}
    named = dict(zip(("first", "second", "third"), options, strict=False))
    if not options:
        return context.lines.say("answer.ask_back_open", turn.locale, turn.channel)
    if len(options) in keys and context.buttons:
        return context.lines.say(keys[len(options)], turn.locale, turn.channel, **named)
    return context.lines.say("answer.ask_back", turn.locale, turn.channel)


def _decline(turn: Turn, context: Context, question: str, answered: Answered) -> Outcome:
    """Say "I don't know" once; the second time for the same question a person is asked for."""
    nearest = tuple(dict.fromkeys(p.document for p in answered.sources))[:NEAREST]
    gap = OpenGap(question, "unanswered", nearest)
    failed = _failed(turn) + 1 if _same_question(turn, question) else 1
    note = _note(question, "decline", failed)
    if failed > 1:
        handed = to_person(HandoffReason.REPEATED_FAILURE, note)
        return replace(handed, effects=(gap, *handed.effects), query=answered.query)
    title = answered.sources[0].title if answered.sources else ""
    outcome = Outcome(
        text=context.lines.say("answer.decline_nearest", turn.locale, turn.channel, title=title)
        if title and answered.action == "decline" and answered.confidence >= UNSURE
        else context.lines.say("answer.decline", turn.locale, turn.channel),
        effects=(gap, note),
        sources=answered.sources,
        decision=Decision("decline", answered.confidence, answered.reasons),
        query=answered.query,
    )
    return offer_person(turn, context, outcome)


def _same_question(turn: Turn, question: str) -> bool:
    """Return whether this is the question of before in other words, or leans on it."""
    last = turn.conversation.memory.get("last_question")
    if not isinstance(last, str) or not _failed(turn):
        return False
    one, other = set(plain(last).split()), set(plain(question).split())
    return len(one & other) >= SAME * max(1, min(len(one), len(other)))


def _not_helped(turn: Turn, context: Context) -> Outcome:
    """Count an answer that did not help as a failure of its question."""
    last = turn.conversation.memory.get("last_question")
    question = last if isinstance(last, str) else turn.text
    failed = _failed(turn) + 1
    gap = OpenGap(question, "disliked")
    note = _note(question, "decline", failed)
    if failed > 1:
        handed = to_person(HandoffReason.REPEATED_FAILURE, note)
        return replace(handed, effects=(gap, *handed.effects))
    outcome = Outcome(
        text=context.lines.say("answer.not_helped", turn.locale, turn.channel),
        effects=(gap, note),
        decision=Decision("decline", reasons=("not_helped",)),
    )
    return offer_person(turn, context, outcome)


HANDLER = HandlerSpec(
    name="answer",
    handle=handle,
    intents=("question",),
    examples={
        "question": (
            "How do I invite a teammate?",
            "What does the Pro plan include?",
            "Where can I find my invoices?",
            "Can I connect this to Slack?",
            "Is there a limit on the number of boards?",
            "How can I export all our data as CSV?",
            "What is the difference between an admin and a member?",
            "My webhook keeps failing with an error, what should I check?",
            "How much does an extra seat cost?",
            "I can't sign in, what do I do?",
            "¿Cómo invito a un compañero?",
            "¿Puede una persona estar en dos equipos?",
            "¿Qué incluye el plan Pro?",
            "¿Dónde veo mis facturas?",
            "¿Se puede conectar con Slack?",
            "¿Por qué no me llegan las notificaciones?",
            "¿Cómo exporto los datos?",
            "Olvidé mi contraseña",
            "¿Quién puede ver mis tableros?",
            "¿Cuánto cuesta un usuario más?",
        )
    },
    summary="Answers product questions from the docs, with citations.",
)
