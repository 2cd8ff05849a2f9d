"""What is remembered about a contact: shown, added to and forgotten on request.

Owns reading such requests and refusing what may never be kept: health, family, beliefs, mood (design §6).
Only for proven contacts; others are offered a code (identity.py). Not here: storing (the commit), facts inferred by
other handlers.
"""

import hashlib
from collections.abc import Sequence

from core.contracts import Context, HandlerSpec
from core.effects import Forget, Remember
from core.outcomes import Outcome, Turn
from core.ports import Fact
from core.turns import Decision
from handlers._shared.followups import offer_person
from handlers._shared.spoken_times import say_date
from handlers._shared.wording import contains, plain, without_opening

SHOW, REMEMBER, FORGET = "about_me", "remember", "forget"
SURE = 0.8  # confidence from which a fact is said as one
_MOST = 8
_LONGEST = 300
_SAME = 0.5
_KEY_DIGITS = 10


async def handle(turn: Turn, context: Context) -> Outcome:
    """Show, store or forget, for somebody who has proven who they are."""
    if not turn.proven:
        return Outcome(text=None, next="identity")
    intent = turn.understanding.intent
    name = intent.name if intent else SHOW
    if name in (REMEMBER, FORGET) and turn.limits & {"no_memory", "no_tools"}:
        return offer_person(turn, context, _say(turn, context, "memory.not_now"))
    if name == REMEMBER:
        return _remember(turn, context)
    if name == FORGET:
        return await _forget(turn, context)
    return await _show(turn, context)


def _remember(turn: Turn, context: Context) -> Outcome:
    said = without_opening(turn.text, context.lines, "words.remember")
    value = " ".join((turn.text if said is None else said).split())[:_LONGEST].rstrip(" .!")
    if not value:
        return _say(turn, context, "memory.what")
    if contains(value, context.lines, "words.private"):
        return _say(turn, context, "memory.private")
    digest = hashlib.sha256(plain(value).encode()).hexdigest()[:_KEY_DIGITS]
    fact = Remember(f"note.{digest}", value, source=f"customer:{turn.channel}")
    return _say(turn, context, "memory.stored", fact, value=value)


async def _forget(turn: Turn, context: Context) -> Outcome:
    said = without_opening(turn.text, context.lines, "words.forget") or turn.text
    facts = await context.facts.all(turn.tenant, turn.contact.id)
    if contains(turn.text, context.lines, "words.everything"):
        return _say(turn, context, "memory.forgot_all", Forget(None))
    if not facts:
        return _say(turn, context, "memory.nothing")
    fact = await _meant(turn, context, facts, said)
    if fact is None:
        return _say(turn, context, "memory.which")
    return _say(turn, context, "memory.forgot_one", Forget(fact.id), value=fact.value)


async def _meant(turn: Turn, context: Context, facts: Sequence[Fact], said: str) -> Fact | None:
    """Return the fact a request to forget means: the one just noted, or the one in its words."""
    wanted = set(plain(said).split())
    if not wanted or plain(said) in _POINTING:
        return facts[0]
    best = max(facts, key=lambda fact: len(wanted & set(plain(fact.value).split())))
    if len(wanted & set(plain(best.value).split())) >= _SAME * len(wanted):
        return best
    near = await context.recall.recall(turn.tenant, turn.contact.id, said, k=1)
    live = {fact.id for fact in facts}
    return next((fact for fact in near if fact.id in live), None)


_POINTING = frozenset({"that", "it", "this", "eso", "esto", "forget that", "olvida eso"})


async def _show(turn: Turn, context: Context) -> Outcome:
    facts = await context.facts.all(turn.tenant, turn.contact.id)
    if not facts:
        return _say(turn, context, "memory.nothing")
    rows = [context.lines.say("memory.list", turn.locale, turn.channel)]
    rows += [f"- {_item(turn, context, fact)}" for fact in facts[:_MOST]]
    return Outcome(text="\n".join(rows), decision=Decision(action="memory", reasons=("shown",)))


def _item(turn: Turn, context: Context, fact: Fact) -> str:
    zone = turn.contact.time_zone or context.time_zone
    return context.lines.say(
        "memory.item" if fact.confidence >= SURE else "memory.item_inferred",
        turn.locale,
        value=fact.value,
        source=_source(turn, context, fact),
        date=say_date(context.lines, fact.created_at, zone, turn.locale),
    )


def _source(turn: Turn, context: Context, fact: Fact) -> str:
    kind = fact.source.partition(":")[0]
    if kind in ("customer", "csm"):
        return context.lines.say(f"memory.source_{kind}", turn.locale)
    return context.lines.say("memory.source_other", turn.locale, source=fact.source)


def _say(
    turn: Turn,
    context: Context,
    key: str,
    *effects: Remember | Forget,
    **slots: object,
) -> Outcome:
    return Outcome(
        text=context.lines.say(key, turn.locale, turn.channel, **slots),
        effects=effects,
        decision=Decision(action="memory"),
        claims=frozenset({"remembered"}) if effects else frozenset(),
    )


HANDLER = HandlerSpec(
    name="memory",
    handle=handle,
    private=True,
    intents=(SHOW, REMEMBER, FORGET),
    examples={
        SHOW: (
            "What do you know about me?",
            "Which data have you stored about me?",
            "What have you remembered from our chats?",
            "Show me everything you keep on me",
            "Do you remember anything about me?",
            "What information do you have on my profile?",
            "¿Qué sabes de mí?",
            "¿Qué datos tienes guardados sobre mí?",
            "¿Te acuerdas de algo de mí?",
            "Enséñame lo que recuerdas de mí",
        ),
        REMEMBER: (
            "Remember that I prefer mornings",
            "Please keep in mind that we use Salesforce",
            "Make a note that our team is in two countries",
            "Remember I'm the admin of our workspace",
            "Note that I like short answers",
            "Don't forget that our renewal is in June",
            "Recuerda que prefiero por la tarde",
            "Ten en cuenta que usamos Slack",
            "Apunta que somos doce en el equipo",
            "No olvides que soy la administradora",
        ),
        FORGET: (
            "Forget that",
            "Forget everything you know about me",
            "Delete what you have stored about me",
            "Please forget that I prefer mornings",
            "Erase my data from your memory",
            "Stop remembering that about me",
            "Olvida eso",
            "Olvida todo lo que sabes de mí",
            "Borra lo que has guardado sobre mí",
            "Olvida que prefiero por la mañana",
        ),
    },
    summary="Shows, keeps and forgets what is remembered about a proven contact.",
)
