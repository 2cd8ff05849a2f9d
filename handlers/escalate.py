"""Hand the conversation to a person, and tell the customer so honestly.

Owns the sentence, how urgent it is, and the gap that an answer leaves when it is answered by asking for a
person. Not here: deciding that a person is needed
(the pipeline and the other handlers do), alerts and clocks (the commit applies the effect).
"""

import re
from typing import Literal

from core.briefs import summarise
from core.contracts import Context, HandlerSpec
from core.conversations import HandoffReason
from core.effects import Escalate, OpenGap, SetForm, SetNote
from core.escalation import danger_line
from core.messages import MessageKind
from core.outcomes import Outcome, Turn
from core.turns import Decision
from handlers._shared.followups import CHOICES, PENDING

REASON = "escalate_reason"
Severity = Literal["normal", "high", "urgent"]
_DISAPPOINTED = frozenset({HandoffReason.ASKED, HandoffReason.ANGER, HandoffReason.LOW_CONFIDENCE})
_CITES = re.compile(r"\[\d+\]")


async def handle(turn: Turn, context: Context) -> Outcome:
    """Ask for a person and say that one has been asked for; no number of minutes is promised."""
    reason = _reason(turn)
    notes = SetNote({REASON: None, PENDING: None, CHOICES: None, "failed": 0, "asked_back": False})
    if turn.conversation.handoff is not None:
        return _say(turn, context, "handoff.already", reason, notes)
    escalate = Escalate(
        reason=reason,
        severity=_severity(reason),
        summary=_summary(turn, reason),
        sentiment=turn.understanding.sentiment,
    )
    gap = _unhelpful(turn, reason)
    effects = (escalate, SetForm(None), notes, *((gap,) if gap else ()))
    if reason is HandoffReason.SAFETY:
        return _say(turn, context, danger_line(turn.understanding), reason, *effects)
    return _say(turn, context, f"handoff.{reason.value}", reason, *effects)


def _summary(turn: Turn, reason: HandoffReason) -> str:
    """Return why a person is needed, with the language they must speak where that is why."""
    why = summarise(reason, turn.messages, turn.understanding.satisfaction)
    return (
        f"{why} Language: {turn.understanding.language}."
        if reason is HandoffReason.LANGUAGE
        else why
    )


def _unhelpful(turn: Turn, reason: HandoffReason) -> OpenGap | None:
    """Return the gap of a question whose answer, just given, made the customer want a person."""
    asked = turn.conversation.memory.get("last_question")
    said = [each.text for each in turn.talk if each.role == "bot"]
    answered = turn.conversation.memory.get("last_action") == "answer"
    if reason not in _DISAPPOINTED or not answered or not isinstance(asked, str):
        return None
    return OpenGap(asked, "handed_over") if said and _CITES.search(said[-1]) else None


def _say(
    turn: Turn,
    context: Context,
    key: str,
    reason: HandoffReason,
    *effects: Escalate | OpenGap | SetForm | SetNote,
) -> Outcome:
    text = context.lines.say(key, turn.locale, turn.channel)
    if reason is HandoffReason.LANGUAGE and turn.understanding.language != turn.locale:
        own = context.lines.variants("words.unsupported_language").get(turn.understanding.language)
        text = own[0] if own else text
    return Outcome(
        text=text,
        effects=effects,
        decision=Decision(action="handoff", confidence=1.0, reasons=(reason.value,)),
        kind=MessageKind.NOTICE,
    )


def _reason(turn: Turn) -> HandoffReason:
    given = turn.conversation.memory.get(REASON)
    try:
        return HandoffReason(str(given))
    except ValueError:
        return HandoffReason.ASKED


def _severity(reason: HandoffReason) -> Severity:
    match reason:
        case HandoffReason.SAFETY:
            return "urgent"
        case HandoffReason.LEGAL_THREAT | HandoffReason.ANGER | HandoffReason.HANDLER_FAILED:
            return "high"
        case _:
            return "normal"


HANDLER = HandlerSpec(
    name="escalate",
    handle=handle,
    intents=("human",),
    examples={
        "human": (
            "I want to talk to a human",
            "Can I speak to a real person?",
            "Get me an agent",
            "Please connect me with someone from your team",
            "Is there anybody I can talk to?",
            "I'd rather speak with a person",
            "Transfer me to customer support",
            "Let me talk to your manager",
            "Can someone call me back?",
            "I don't want to chat with a bot, give me a human",
            "Quiero hablar con una persona",
            "¿Me pasas con un agente?",
            "Póngame con alguien de su equipo",
            "¿Puedo hablar con un humano?",
            "Prefiero que me atienda una persona",
            "Quiero hablar con el responsable",
            "¿Me puede llamar alguien?",
            "Necesito atención humana",
        )
    },
    summary="Hands the conversation to a person.",
)
