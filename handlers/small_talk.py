"""Greetings, thanks, goodbyes, "are you a bot?" and "that solved it".

Owns these few replies and asking "did that solve it?" at most once per conversation. Not here: anything
about the product.
"""

from dataclasses import replace

from core.contracts import Context, HandlerSpec
from core.effects import Resolve, SetNote
from core.escalation import IN_CRISIS
from core.messages import QuickReply
from core.outcomes import Outcome, Turn
from core.turns import Decision
from handlers._shared.followups import PENDING, choices, follow_up

ASKED_SOLVED = "asked_solved"


async def handle(turn: Turn, context: Context) -> Outcome:
    """Reply in kind; no cheer for somebody unhappy."""
    reply = follow_up(turn, context)
    if reply is not None:
        return reply
    intent = turn.understanding.intent
    match intent.name if intent else "greeting":
        case "thanks":
            return _thanks(turn, context)
        case "goodbye":
            return _say(turn, context, "small_talk.goodbye")
        case "bot":
            outcome = _say(turn, context, "small_talk.bot")
            return replace(outcome, effects=(*outcome.effects, SetNote({"disclosed": True})))
        case "solved":
            outcome = _say(turn, context, "small_talk.solved")
            return replace(outcome, effects=(*outcome.effects, Resolve(confirmed=True)))
        case _:
            unhappy = turn.understanding.sentiment < 0
            return _say(turn, context, f"small_talk.greeting{'_unhappy' if unhappy else ''}")


def _thanks(turn: Turn, context: Context) -> Outcome:
    memory = turn.conversation.memory
    answered = memory.get("last_action") == "answer"
    if not answered or memory.get(ASKED_SOLVED) is True or memory.get(IN_CRISIS):
        return _say(turn, context, "small_talk.thanks")
    labels = (
        context.lines.say(key, turn.locale)
        for key in ("small_talk.solved_yes", "small_talk.solved_no")
    )
    replies = tuple(QuickReply(label, label) for label in labels)
    outcome = _say(turn, context, "small_talk.thanks_solved")
    note = SetNote({ASKED_SOLVED: True, PENDING: "solved", **choices(*replies)})
    return replace(outcome, effects=(note,), quick_replies=replies)


def _say(turn: Turn, context: Context, key: str) -> Outcome:
    return Outcome(
        text=context.lines.say(key, turn.locale, turn.channel),
        decision=Decision(action="small_talk"),
    )


HANDLER = HandlerSpec(
    name="small_talk",
    handle=handle,
    intents=("greeting", "thanks", "goodbye", "bot", "solved"),
    examples={
        "greeting": (
            "Hi",
            "Hello there",
            "Good morning",
            "Hey, anybody home?",
            "Good afternoon",
            "Hi, how are you?",
            "Hola",
            "Buenos días",
            "Buenas tardes",
            "Hola, ¿qué tal?",
        ),
        "thanks": (
            "Thanks",
            "Thank you so much",
            "Great, thanks for your help",
            "Cheers",
            "That's very kind, thank you",
            "Much appreciated",
            "Gracias",
            "Muchas gracias",
            "Genial, gracias por la ayuda",
            "Te lo agradezco",
        ),
        "goodbye": (
            "Bye",
            "Goodbye",
            "See you later",
            "Have a nice day",
            "That's all for today, bye",
            "Talk to you soon",
            "Adiós",
            "Hasta luego",
            "Nos vemos",
            "Que tengas un buen día",
        ),
        "bot": (
            "Are you a bot?",
            "Am I talking to a machine?",
            "Is this a real person or a robot?",
            "Are you human?",
            "Who am I talking to?",
            "Is this automated?",
            "¿Eres un bot?",
            "¿Eres una persona o una máquina?",
            "¿Con quién hablo?",
            "¿Esto es automático?",
        ),
        "solved": (
            "That solved it",
            "It works now",
            "Perfect, that fixed my problem",
            "All good now, it's working",
            "You can close this, it's sorted",
            "Problem solved",
            "Ya está resuelto",
            "Ya funciona",
            "Perfecto, eso lo ha arreglado",
            "Todo en orden, puedes cerrarlo",
        ),
    },
    summary="Greetings, thanks, goodbyes, and the truth about being a bot.",
)
