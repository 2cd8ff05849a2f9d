"""Book a guided session: what, when, where the customer is; three times are offered, one is booked.

Owns the form around the shared time picker, the choice of session, the confirmation and the invitation's
address, which is asked for only after the booking stands. Not here: free times and claiming them
(Calendar port, the commit), moving and cancelling (reschedule.py).
"""

from collections.abc import Sequence
from dataclasses import replace

from core.bookings import SessionType, Slot
from core.contracts import Context, HandlerSpec
from core.effects import Book, Effect, Identify, SetForm
from core.ids import BookingId, new_id
from core.messages import Assurance, IdentityClaim, QuickReply
from core.outcomes import Outcome, Turn
from core.turns import Decision
from handlers._shared.asides import answer_aside
from handlers._shared.followups import offer_person
from handlers._shared.forms import Draft
from handlers._shared.invitations import (
    email_in,
    invitation,
    known_email,
    masked,
    moment_words,
)
from handlers._shared.picking import (
    absorb,
    asking,
    ended,
    is_given_up,
    learned_zone,
    pick,
    refused_slots,
    stuck,
    zone_of,
)
from handlers._shared.slots import from_json, to_json
from handlers._shared.wording import contains, declines, number_in, opens_with, plain

ASSET, EMAIL = "asset", "email"


async def handle(turn: Turn, context: Context) -> Outcome:
    """Take what the message says, then ask for one thing, offer times, or book."""
    draft = Draft.resume("book", turn.conversation.form)
    if draft.asking == EMAIL:
        return await _email_reply(turn, context, draft)
    if is_given_up(turn, context, draft) or _calls_it_off(turn, draft):
        return ended(turn, context, "book.ended")
    types = await context.calendar.session_types(turn.tenant)
    if not types:
        return offer_person(turn, context, ended(turn, context, "book.none_offered"))
    refused = refused_slots(turn)
    if refused:
        return await _next(turn, context, draft, types, refused)
    learned = _absorb_asset(turn, draft, types) | absorb(turn, context, draft)
    if draft.running and "chosen" not in draft.slots:
        aside = await answer_aside(turn, context, learned=learned)
        if aside is not None:
            _uncount(draft, learned=learned)
            return aside.before(await _next(turn, context, draft, types, refused))
    return await _next(turn, context, draft, types, refused)


def _calls_it_off(turn: Turn, draft: Draft) -> bool:
    """Return whether "cancel my booking" is said while none stands yet."""
    intent = turn.understanding.intent
    return draft.running and intent is not None and intent.name == "cancel_booking"


def _uncount(draft: Draft, *, learned: bool) -> None:
    """Take back one count: a side question is no failed reply."""
    if draft.asking and not learned:
        draft.asked[draft.asking] = max(0, draft.asked.get(draft.asking, 0) - 1)


# ---------------------------------------------------------------- what


def _absorb_asset(turn: Turn, draft: Draft, types: Sequence[SessionType]) -> bool:
    known = draft.text(ASSET)
    if known is None and len(types) == 1:
        draft.slots[ASSET] = types[0].asset_id
        return False
    named = _named(turn.text, types)
    if named is None and draft.asking == ASSET:
        number = number_in(turn.text, len(types))
        named = types[number - 1].asset_id if number else None
    if named is None or named == known:
        return False
    draft.slots[ASSET] = named
    draft.slots.pop("offers", None)
    return True


def _named(text: str, types: Sequence[SessionType]) -> str | None:
    """Return the only session type named: by its id's words or its whole title ("session" alone says nothing)."""
    said = plain(text)
    words = set(said.split())
    hits = [
        t.asset_id
        for t in types
        if words & set(plain(t.asset_id.replace("_", " ")).split()) or plain(t.title) in said
    ]
    return hits[0] if len(hits) == 1 else None


def _ask_asset(turn: Turn, context: Context, draft: Draft, types: Sequence[SessionType]) -> Outcome:
    if draft.is_worn_out(ASSET):
        return stuck(turn, context)
    times = draft.ask(ASSET)
    key = "book.ask_asset" if times == 1 else "book.ask_asset_again"
    replies = tuple(QuickReply(t.title, t.title) for t in types)
    return asking(turn, context, draft, key, replies=replies)


# ---------------------------------------------------------------- when, where, which


async def _next(
    turn: Turn,
    context: Context,
    draft: Draft,
    types: Sequence[SessionType],
    refused: frozenset[str],
) -> Outcome:
    kind = next((t for t in types if t.asset_id == draft.text(ASSET)), None)
    if kind is None:
        return _ask_asset(turn, context, draft, types)
    picked = await pick(
        turn,
        context,
        draft,
        asset_id=kind.asset_id,
        title=kind.title,
        ask_when="book.ask_when",
        without=refused,
    )
    if isinstance(picked, Outcome):
        return picked
    if "no_tools" in turn.limits:
        return offer_person(turn, context, ended(turn, context, "book.not_done"))
    return _book(turn, context, draft, picked)


# ---------------------------------------------------------------- booked


def _book(turn: Turn, context: Context, draft: Draft, slot: Slot) -> Outcome:
    zone = zone_of(turn, draft) or context.time_zone
    booking = BookingId(new_id("bkg", turn.now))
    email = known_email(turn)
    words = moment_words(context, slot.starts_at, zone, turn.locale)
    said = context.lines.say(
        "book.done", turn.locale, turn.channel, title=slot.title, host=slot.host, **words
    )
    effects: list[Effect] = [Book(booking, slot, contact_email=email), *learned_zone(turn, draft)]
    replies: tuple[QuickReply, ...] = ()
    if email:
        effects += [invitation(turn, context, email, booking, slot, zone), SetForm(None)]
        tail = context.lines.say("book.invited", turn.locale, turn.channel, email=masked(email))
    else:
        draft.slots.update(booked=to_json([slot]), booking_id=booking)
        draft.ask(EMAIL)
        effects.append(draft.kept())
        tail = context.lines.say("book.ask_email", turn.locale, turn.channel)
        skip = context.lines.say("book.skip", turn.locale)
        replies = (QuickReply(skip, skip),)
    return Outcome(
        text=f"{said} {tail}",
        effects=tuple(effects),
        quick_replies=replies,
        decision=Decision(action="book", confidence=1.0, reasons=("booked",)),
        claims=frozenset({"booked"}),
    )


async def _email_reply(turn: Turn, context: Context, draft: Draft) -> Outcome:
    """Read where the invitation goes; the session is booked whatever is said."""
    email = email_in(turn.text)
    slots = from_json(draft.rows("booked"))
    booking = draft.text("booking_id")
    if email and slots and booking:
        zone = zone_of(turn, draft) or context.time_zone
        claim = IdentityClaim("email", email, Assurance.CLAIMED)
        return Outcome(
            text=context.lines.say("book.invited", turn.locale, turn.channel, email=masked(email)),
            effects=(
                invitation(turn, context, email, booking, slots[0], zone),
                Identify(claim),
                SetForm(None),
            ),
            decision=Decision(action="book", reasons=("invited",)),
            claims=frozenset({"booked"}),
        )
    if opens_with(turn.text, context.lines, "words.thanks"):
        return Outcome(text=None, effects=(SetForm(None),), next="small_talk")
    aside = await answer_aside(turn, context, learned=False)
    if aside is not None:
        return aside.before(asking(turn, context, draft, "book.ask_email"))
    if _is_skipped(turn, context) or draft.is_worn_out(EMAIL):
        without = ended(turn, context, "book.no_invitation")
        return replace(without, claims=frozenset({"booked"}))
    draft.ask(EMAIL)
    return asking(turn, context, draft, "book.ask_email_again")


def _is_skipped(turn: Turn, context: Context) -> bool:
    lines = context.lines
    return (
        contains(turn.text, lines, "words.skip")
        or declines(turn.text, lines)
        or opens_with(turn.text, lines, "words.cancel_form")
    )


HANDLER = HandlerSpec(
    name="book",
    handle=handle,
    private=True,
    intents=("book",),
    examples={
        "book": (
            "I'd like to book an onboarding session",
            "Can I schedule a training for my team?",
            "Book me a demo",
            "I want to set up a call with your team",
            "Can we get a guided session next week?",
            "Is there a free slot for a review tomorrow?",
            "I need an appointment with a specialist",
            "Please reserve a training session on Tuesday at 3pm",
            "When can somebody walk us through the setup?",
            "Let's arrange a kick-off meeting",
            "Quiero reservar una sesión de formación",
            "¿Puedo agendar una sesión de onboarding?",
            "Resérvame una demo para el jueves",
            "Necesito una cita con un especialista",
            "¿Tenéis hueco mañana para una revisión?",
            "Me gustaría programar una reunión con vuestro equipo",
            "¿Cuándo nos podéis enseñar el producto?",
            "Quisiera concertar una llamada",
        )
    },
    form=True,
    summary="Books a guided session in a short form.",
)
