"""The part of a form that finds a time: when, where the customer is, which of three.

Owns asking for each at most twice, reading the replies, and offering. Used to book and to move a session.
Not here: what is booked, and what happens once a time is chosen (book.py, reschedule.py).
"""

from collections.abc import Collection
from dataclasses import replace

from core.bookings import Slot
from core.contracts import Context
from core.effects import Book, Effect, SetForm, SetTimeZone
from core.messages import QuickReply
from core.outcomes import Outcome, Turn
from core.turns import Decision
from core.zones import is_zone
from handlers._shared.followups import offer_person
from handlers._shared.forms import Draft
from handlers._shared.places import city_of, find_zone, zones_of_country
from handlers._shared.slots import Offers, choose, find_offers, from_json, later_than, to_json
from handlers._shared.spoken_times import Wanted, say_moment, say_zone, soonest, wanted_in
from handlers._shared.wording import bare_number, contains, declines, is_said, number_in

WHEN, ZONE, CHOICE = "when", "zone", "choice"
_COMMON_ZONES = ("Europe/London", "Europe/Madrid", "America/New_York", "America/Los_Angeles")


def zone_of(turn: Turn, draft: Draft) -> str | None:
    """Return the customer's zone as far as it is known."""
    account = turn.contact.account
    known = (draft.text(ZONE), turn.contact.time_zone, account.time_zone if account else None)
    return next((zone for zone in known if zone and is_zone(zone)), None)


def refused_slots(turn: Turn) -> frozenset[str]:
    """Return the slots this turn tried to book and was denied."""
    return frozenset(r.effect.slot.slot_id for r in turn.refused if isinstance(r.effect, Book))


def absorb(turn: Turn, context: Context, draft: Draft) -> bool:
    """Take from the message whatever it says about zone, time and choice; return whether it said any."""
    learned = _absorb_zone(turn, draft)
    zone = zone_of(turn, draft)
    wanted = wanted_in(turn, context.lines, context.time_zone, zone)
    offers = from_json(draft.rows("offers"))
    if draft.asking == CHOICE and offers and zone:
        # "4" among three offers is a slip, not four o'clock
        wanted = None if bare_number(turn.text) is not None else wanted
        exact = draft.slots.get("exact") is True
        chosen = choose(turn, context.lines, offers, wanted, zone, first=exact)
        if chosen is not None:
            draft.slots["chosen"] = chosen.slot_id
            return True
        if wanted is None and _wants_others(turn, context):
            wanted = later_than(offers[-1].starts_at, zone)
    if wanted is not None:
        draft.slots["wanted"] = wanted.as_json()
        draft.slots.pop("offers", None)
    return learned or wanted is not None


def _wants_others(turn: Turn, context: Context) -> bool:
    lines = context.lines
    return contains(turn.text, lines, "words.other_times") or declines(turn.text, lines)


def _absorb_zone(turn: Turn, draft: Draft) -> bool:
    shown = draft.slots.get("zones")
    if draft.asking == ZONE and isinstance(shown, list):
        number = number_in(turn.text, len(shown))
        if number:
            draft.slots[ZONE] = str(shown[number - 1])
            return True
    found = find_zone(turn.text, whole=draft.asking == ZONE)
    if found is None:
        return False
    draft.slots[ZONE] = found
    return True


async def pick(
    turn: Turn,
    context: Context,
    draft: Draft,
    *,
    asset_id: str,
    title: str,
    ask_when: str,
    without: Collection[str] = (),
) -> Slot | Outcome:
    """Return the slot chosen, or the outcome that asks for what is still missing."""
    if draft.slots.get("wanted") is None:
        if not draft.is_worn_out(WHEN):
            return _ask_when(turn, context, draft, ask_when)
        known = zone_of(turn, draft) or context.time_zone
        draft.slots["wanted"] = soonest(turn.now, known).as_json()
    zone = zone_of(turn, draft)
    if zone is None:
        return _ask_zone(turn, context, draft)
    offers = from_json(draft.rows("offers"))
    chosen = next((slot for slot in offers if slot.slot_id == draft.slots.get("chosen")), None)
    if chosen is not None and chosen.slot_id not in without:
        return chosen
    return await _offer(turn, context, draft, asset_id, title, zone, without)


def _ask_when(turn: Turn, context: Context, draft: Draft, key: str) -> Outcome:
    times = draft.ask(WHEN)
    return asking(turn, context, draft, key if times == 1 else "book.ask_when_again")


def _ask_zone(turn: Turn, context: Context, draft: Draft) -> Outcome:
    if draft.is_worn_out(ZONE):
        return stuck(turn, context)
    times = draft.ask(ZONE)
    several = zones_of_country(turn.text)
    if times == 1 and not several:
        return asking(turn, context, draft, "book.ask_zone")
    zones = several or tuple(dict.fromkeys((context.time_zone, *_COMMON_ZONES)))
    draft.slots["zones"] = list(zones)
    key = "book.ask_zone_country" if several else "book.ask_zone_again"
    cities = tuple(QuickReply(city_of(zone), city_of(zone)) for zone in zones)
    return asking(turn, context, draft, key, replies=cities)


async def _offer(
    turn: Turn,
    context: Context,
    draft: Draft,
    asset_id: str,
    title: str,
    zone: str,
    without: Collection[str],
) -> Outcome:
    wanted = Wanted.from_json(draft.slots.get("wanted")) or soonest(turn.now, zone)
    again = draft.asking == CHOICE and bool(draft.rows("offers")) and not without
    offers = (
        Offers(tuple(from_json(draft.rows("offers"))), draft.slots.get("exact") is True)
        if again
        else await find_offers(turn, context, asset_id, wanted, zone, without)
    )
    if not offers.slots:
        said = context.lines.say("book.none_free", turn.locale, turn.channel, title=title)
        return offer_person(turn, context, _ended(said))
    if again and draft.is_worn_out(CHOICE):
        return stuck(turn, context)
    if not again:
        draft.asked.pop(CHOICE, None)
    draft.ask(CHOICE)
    draft.slots.update(offers=to_json(offers.slots), exact=offers.exact)
    draft.slots.pop("chosen", None)
    labels = [say_moment(context.lines, s.starts_at, zone, turn.locale) for s in offers.slots]
    return asking(
        turn,
        context,
        draft,
        _offer_key(offers, again=again, taken=bool(without)),
        replies=tuple(QuickReply(label, label) for label in labels),
        title=title,
        time=labels[0],
        zone=say_zone(context.lines, offers.slots[0].starts_at, zone, turn.locale),
    )


def _offer_key(offers: Offers, *, again: bool, taken: bool) -> str:
    if taken:
        return "book.taken"
    if again:
        return "book.offer_again"
    if offers.elsewhere:
        return "book.offer_nearest"
    if len(offers.slots) == 1:
        return "book.offer_one"
    return "book.offer_exact" if offers.exact else "book.offer"


def asking(
    turn: Turn,
    context: Context,
    draft: Draft,
    key: str,
    *,
    replies: tuple[QuickReply, ...] = (),
    **slots: object,
) -> Outcome:
    """Return the outcome that asks the line of `key` and keeps the form."""
    return Outcome(
        text=context.lines.say(key, turn.locale, turn.channel, **slots),
        effects=(draft.kept(), *learned_zone(turn, draft)),
        quick_replies=replies,
        decision=Decision(action=draft.name, reasons=(f"asks_{draft.asking}",)),
    )


def stuck(turn: Turn, context: Context) -> Outcome:
    """End the form and offer a person: asking a third time helps nobody."""
    said = context.lines.say("book.stuck", turn.locale, turn.channel)
    return offer_person(turn, context, _ended(said))


def is_given_up(turn: Turn, context: Context, draft: Draft) -> bool:
    """Return whether the customer wants out of the running form."""
    return draft.running and is_said(turn.text, context.lines, "words.cancel_form")


def ended(turn: Turn, context: Context, key: str) -> Outcome:
    """Return the outcome that ends the form with a line."""
    return _ended(context.lines.say(key, turn.locale, turn.channel))


def _ended(text: str) -> Outcome:
    return Outcome(text=text, effects=(SetForm(None),), decision=Decision(action="form_ended"))


def learned_zone(turn: Turn, draft: Draft) -> tuple[Effect, ...]:
    """Return the effect that keeps a zone learned in this form for next time."""
    zone = draft.text(ZONE)
    return (SetTimeZone(zone),) if zone and zone != turn.contact.time_zone else ()


def with_lead(lead: str, outcome: Outcome) -> Outcome:
    """Return the outcome with a text said first."""
    text = f"{lead}\n\n{outcome.text}" if outcome.text else lead
    return replace(outcome, text=text)
