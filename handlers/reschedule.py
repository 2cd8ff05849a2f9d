"""Show, move or call off a booked session of the customer's own.

Owns which bookings may be shown here, choosing one, the confirmation before one is called off, and moving
one in place (it keeps its id, so the calendar entry moves too). Not here: booking a first one (book.py).
"""

from collections.abc import Sequence

from core.bookings import Booking, Slot
from core.contracts import Context, HandlerSpec
from core.effects import Book, CancelBooking, Effect, SetForm
from core.messages import Assurance, QuickReply
from core.outcomes import Outcome, Turn
from core.turns import Decision
from handlers._shared.asides import answer_aside
from handlers._shared.followups import offer_person
from handlers._shared.forms import Draft
from handlers._shared.invitations import Occasion, invitation, known_email, moment_words
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
from handlers._shared.spoken_times import say_moment
from handlers._shared.wording import agrees, contains, declines, number_in, ordinal_in, plain

WHICH, CONFIRM = "which", "confirm"
MOVE, CANCEL, SHOW = "reschedule", "cancel_booking", "my_booking"


async def handle(turn: Turn, context: Context) -> Outcome:
    """Find the booking meant, then show it, move it or call it off."""
    draft = Draft.resume("reschedule", turn.conversation.form)
    if is_given_up(turn, context, draft):
        return ended(turn, context, "reschedule.ended")
    own, hidden = await _upcoming(turn, context)
    if not own and not hidden and not contains(turn.text, context.lines, "words.session"):
        # nothing of theirs can be meant, and no session is named: "How do I cancel?" asks the docs
        return Outcome(None, effects=(SetForm(None),), next="answer")
    if not own:
        return _none(turn, context, hidden=hidden)
    _read_intent(turn, draft)
    if draft.text("wish") == SHOW:
        return _show(turn, context, draft, own)
    booking = _which(turn, context, draft, own)
    if booking is None:
        return _ask_which(turn, context, draft, own)
    if "no_tools" in turn.limits:
        return offer_person(turn, context, ended(turn, context, "book.not_done"))
    if draft.text("wish") == CANCEL:
        return _cancel(turn, context, draft, booking)
    return await _move(turn, context, draft, booking)


async def _upcoming(turn: Turn, context: Context) -> tuple[list[Booking], bool]:
    """Return the bookings that may be spoken of here, soonest first, and whether there are hidden ones."""
    all_of_them = await context.calendar.bookings(turn.tenant, turn.contact.id)
    coming = [b for b in all_of_them if b.status == "booked" and b.starts_at > turn.now]
    coming.sort(key=lambda booking: booking.starts_at)
    vouched = turn.assurance.rank >= Assurance.CHANNEL.rank
    shown = [b for b in coming if turn.proven or (vouched and _arose_here(turn, b))]
    return shown, len(shown) < len(coming)


def _arose_here(turn: Turn, booking: Booking) -> bool:
    return booking.channel == turn.channel or booking.conversation_id == turn.conversation.id


def _none(turn: Turn, context: Context, *, hidden: bool) -> Outcome:
    if hidden:
        return Outcome(text=None, effects=(SetForm(None),), next="identity")
    label = context.lines.say("reschedule.yes_book", turn.locale)
    outcome = ended(turn, context, "reschedule.none")
    return Outcome(
        text=outcome.text,
        effects=outcome.effects,
        quick_replies=(QuickReply(label, label),),
        decision=Decision(action="reschedule", reasons=("no_booking",)),
    )


def _read_intent(turn: Turn, draft: Draft) -> None:
    """Keep the intent that started the form as the wish; one said later replaces it."""
    intent = turn.understanding.intent
    if intent is not None and intent.name in (MOVE, CANCEL, SHOW):
        draft.slots["wish"] = intent.name
    draft.slots.setdefault("wish", MOVE)


# ---------------------------------------------------------------- which


def _which(turn: Turn, context: Context, draft: Draft, own: Sequence[Booking]) -> Booking | None:
    known = next((b for b in own if b.id == draft.text("booking_id")), None)
    if known is None and len(own) == 1:
        known = own[0]
    if known is None:
        known = _named(turn, context, draft, own)
    if known is not None:
        draft.slots["booking_id"] = known.id
    return known


def _named(turn: Turn, context: Context, draft: Draft, own: Sequence[Booking]) -> Booking | None:
    if draft.asking == WHICH:
        number = number_in(turn.text, len(own)) or ordinal_in(turn.text, context.lines, len(own))
        if number:
            return own[number - 1]
    said = plain(turn.text)
    labelled = [b for b in own if plain(_label(turn, context, draft, b)) == said]
    words = set(said.split())
    titled = [b for b in own if words & set(plain(f"{b.asset_id}").split())]
    return next((found[0] for found in (labelled, titled) if len(found) == 1), None)


def _label(turn: Turn, context: Context, draft: Draft, booking: Booking) -> str:
    zone = zone_of(turn, draft) or context.time_zone
    moment = say_moment(context.lines, booking.starts_at, zone, turn.locale)
    return context.lines.say("reschedule.item", turn.locale, title=booking.title, time=moment)


def _ask_which(turn: Turn, context: Context, draft: Draft, own: Sequence[Booking]) -> Outcome:
    if draft.is_worn_out(WHICH):
        return stuck(turn, context)
    draft.ask(WHICH)
    labels = [_label(turn, context, draft, booking) for booking in own]
    replies = tuple(QuickReply(label, label) for label in labels)
    return asking(turn, context, draft, "reschedule.which", replies=replies)


def _show(turn: Turn, context: Context, draft: Draft, own: Sequence[Booking]) -> Outcome:
    if len(own) == 1:
        text = _say(turn, context, draft, "reschedule.list_one", own[0])
    else:
        labels = "; ".join(_label(turn, context, draft, booking) for booking in own)
        text = context.lines.say("reschedule.list_many", turn.locale, turn.channel, sessions=labels)
    return Outcome(
        text=text, effects=(SetForm(None),), decision=Decision("reschedule", reasons=("shown",))
    )


def _say(turn: Turn, context: Context, draft: Draft, key: str, booking: Booking | Slot) -> str:
    zone = zone_of(turn, draft) or context.time_zone
    words = moment_words(context, booking.starts_at, zone, turn.locale)
    return context.lines.say(
        key, turn.locale, turn.channel, title=booking.title, host=booking.host, **words
    )


# ---------------------------------------------------------------- cancel


def _cancel(turn: Turn, context: Context, draft: Draft, booking: Booking) -> Outcome:
    yes, no = (
        context.lines.say(key, turn.locale)
        for key in ("reschedule.cancel_yes", "reschedule.cancel_no")
    )
    if draft.asking == CONFIRM:
        number = number_in(turn.text, 2)
        if turn.text == no or number == 2 or declines(turn.text, context.lines):
            text = _say(turn, context, draft, "reschedule.kept", booking)
            return Outcome(text, effects=(SetForm(None),), decision=Decision("reschedule"))
        if turn.text == yes or number == 1 or agrees(turn.text, context.lines):
            return _cancelled(turn, context, draft, booking)
        if draft.is_worn_out(CONFIRM):
            return stuck(turn, context)
    draft.ask(CONFIRM)
    zone = zone_of(turn, draft) or context.time_zone
    return asking(
        turn,
        context,
        draft,
        "reschedule.confirm_cancel",
        replies=(QuickReply(yes, yes), QuickReply(no, no)),
        title=booking.title,
        **moment_words(context, booking.starts_at, zone, turn.locale),
    )


def _cancelled(turn: Turn, context: Context, draft: Draft, booking: Booking) -> Outcome:
    mail = _mail(turn, context, draft, booking, _slot_of(booking), "cancel")
    return Outcome(
        text=_say(turn, context, draft, "reschedule.cancelled", booking),
        effects=(CancelBooking(booking.id), SetForm(None), *mail),
        decision=Decision(action="reschedule", confidence=1.0, reasons=("cancelled",)),
        claims=frozenset({"cancelled"}),
    )


# ---------------------------------------------------------------- move


async def _move(turn: Turn, context: Context, draft: Draft, booking: Booking) -> Outcome:
    refused = refused_slots(turn)
    learned = False
    if not refused:
        learned = absorb(turn, context, draft)
        if draft.running and "chosen" not in draft.slots:
            aside = await answer_aside(turn, context, learned=learned)
            if aside is not None:
                return aside.before(await _picked(turn, context, draft, booking, refused))
    return await _picked(turn, context, draft, booking, refused)


async def _picked(
    turn: Turn, context: Context, draft: Draft, booking: Booking, refused: frozenset[str]
) -> Outcome:
    picked = await pick(
        turn,
        context,
        draft,
        asset_id=booking.asset_id,
        title=booking.title,
        ask_when="reschedule.ask_when",
        without=refused | {booking.slot_id},
    )
    if isinstance(picked, Outcome):
        return picked
    mail = _mail(turn, context, draft, booking, picked, "move")
    effects: tuple[Effect, ...] = (
        Book(booking.id, picked, contact_email=booking.email, replaces=booking.id),
        SetForm(None),
        *learned_zone(turn, draft),
        *mail,
    )
    return Outcome(
        text=_say(turn, context, draft, "reschedule.moved", picked),
        effects=effects,
        decision=Decision(action="reschedule", confidence=1.0, reasons=("moved",)),
        claims=frozenset({"booked", "moved"}),
    )


def _mail(
    turn: Turn, context: Context, draft: Draft, booking: Booking, slot: Slot, occasion: Occasion
) -> tuple[Effect, ...]:
    """Return the mail to whoever got the invitation; nobody is told who never had one."""
    email = booking.email or known_email(turn)
    if not email:
        return ()
    zone = zone_of(turn, draft) or context.time_zone
    changes = booking.sequence + 1
    return (
        invitation(
            turn, context, email, booking.id, slot, zone, occasion=occasion, sequence=changes
        ),
    )


def _slot_of(booking: Booking) -> Slot:
    return Slot(
        booking.slot_id,
        booking.asset_id,
        booking.title,
        booking.host_id,
        booking.host,
        booking.starts_at,
        booking.ends_at,
        booking.host_email,
    )


HANDLER = HandlerSpec(
    name="reschedule",
    handle=handle,
    private=True,
    intents=(MOVE, CANCEL, SHOW),
    examples={
        MOVE: (
            "I need to move my session",
            "Can we reschedule the training?",
            "Something came up, can I change my appointment to Friday?",
            "Please push our onboarding call to next week",
            "I can't make it on Tuesday, is another time possible?",
            "Could we shift the meeting to the afternoon?",
            "Change the time of my booking",
            "Quiero cambiar la hora de mi sesión",
            "¿Podemos mover la formación a otro día?",
            "No puedo el martes, ¿hay otro hueco?",
            "Necesito reprogramar mi cita",
            "¿Se puede retrasar la reunión a la semana que viene?",
        ),
        CANCEL: (
            "Please cancel my session",
            "I want to cancel the training on Thursday",
            "I won't be able to attend, cancel my booking",
            "Call off our onboarding appointment",
            "We don't need the review session any more",
            "Can I cancel the meeting I booked?",
            "Drop my reservation for tomorrow",
            "Quiero cancelar mi sesión",
            "Anula la reserva, por favor",
            "Cancela la cita del jueves",
            "Ya no necesitamos la formación que reservamos",
            "¿Puedo anular mi reserva?",
        ),
        SHOW: (
            "When is my session?",
            "What time is our training booked for?",
            "Do I have any upcoming appointments?",
            "Show me my bookings",
            "Which day is my onboarding call?",
            "Who is hosting my session?",
            "Did my booking go through?",
            "Is my appointment confirmed?",
            "¿Cuándo es mi sesión?",
            "¿A qué hora tengo la formación?",
            "¿Tengo alguna cita próximamente?",
            "Enséñame mis reservas",
        ),
    },
    form=True,
    summary="Shows, moves or calls off a booked session.",
)
