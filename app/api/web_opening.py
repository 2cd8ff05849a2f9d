"""What usher says first to somebody who came by a deep link: whom to, about what, and which times are free.

Owns the opening and the form it begins, so that "the second one" or "tomorrow morning" goes on with a booking.
A link proves nobody: nothing of an account is said, of a booking only what it is called.
Not here: reading links (channels/_shared/web_links.py), storing the opening (app/store/opening.py).
"""

from collections.abc import Sequence
from datetime import timedelta

from app.api.web_chat import Guest, WebChat
from channels._shared.web_links import Link
from core.bookings import Slot
from core.ids import BookingId
from core.messages import Opening, QuickReply
from core.ports import Lines
from handlers._shared.slots import spread, to_json
from handlers._shared.spoken_times import say_moment, say_zone

HORIZON = timedelta(days=14)
SEARCHED = 100  # free slots looked at


async def opening_for(chat: WebChat, guest: Guest) -> Opening | None:
    """Return what to say first, None for a guest without a link."""
    link = guest.link
    if link is None:
        return None
    lines = chat.lines_for(guest.policy)
    hello = _hello(lines, guest, link)
    about = link.about or await _about(chat, guest, link)
    slots = await _slots(chat, guest, link) if link.asset and not link.order else ()
    if not slots:
        key = "link.about" if about else "link.nothing"
        said = lines.say(key, guest.locale, "web", **({"about": about} if about else {}))
        return Opening(f"{hello} {said}", guest.policy.bot_name)
    zone = guest.zone or guest.policy.time_zone
    labels = [say_moment(lines, s.starts_at, zone, guest.locale) for s in slots]
    said = lines.say(
        "link.times",
        guest.locale,
        "web",
        about=about or slots[0].title,
        times=_either(lines, guest.locale, labels),
        zone=say_zone(lines, slots[0].starts_at, zone, guest.locale),
    )
    known = {"asset": link.asset, "offers": to_json(slots), "exact": False, "zone": zone}
    # as if the booking handler had been told "soon" and had just offered these
    known["wanted"] = _wanted(slots)
    form = {"name": "book", "slots": known, "asking": "choice", "asked": {"choice": 1}}
    replies = tuple(QuickReply(label, label) for label in labels)
    return Opening(f"{hello} {said}", guest.policy.bot_name, replies, form)


def subject_of(link: Link) -> str:
    """Return how the team sees what the link was about."""
    return " · ".join(x for x in (link.about, link.asset, link.order, link.campaign) if x)


def _hello(lines: Lines, guest: Guest, link: Link) -> str:
    policy = guest.policy
    key = "link.hello" if link.name else "link.hello_nobody"
    named = {"name": link.name} if link.name else {}
    return lines.say(key, guest.locale, "web", brand=policy.brand, bot=policy.bot_name, **named)


async def _about(chat: WebChat, guest: Guest, link: Link) -> str:
    if link.order:
        found = await chat.calendar.find(guest.tenant, BookingId(link.order))
        return found.title if found else ""
    kinds = await chat.calendar.session_types(guest.tenant)
    return next((k.title for k in kinds if k.asset_id == link.asset), link.asset)


async def _slots(chat: WebChat, guest: Guest, link: Link) -> Sequence[Slot]:
    kinds = await chat.calendar.session_types(guest.tenant)
    if link.asset not in {k.asset_id for k in kinds}:
        return ()
    now = chat.clock.now()
    free = await chat.calendar.slots(guest.tenant, link.asset, now, now + HORIZON, limit=SEARCHED)
    times = {slot.starts_at: slot for slot in reversed(free)}  # one host per time is enough
    return spread([times[at] for at in sorted(times)])


def _wanted(slots: Sequence[Slot]) -> dict[str, object]:
    first = slots[0].starts_at.replace(tzinfo=None)
    end = first + HORIZON
    return {"start": first.isoformat(), "end": end.isoformat(), "exact": False, "hours": None}


def _either(lines: Lines, locale: str, labels: Sequence[str]) -> str:
    if len(labels) == 1:
        return labels[0]
    return lines.say("link.or", locale, "web", first="; ".join(labels[:-1]), last=labels[-1])
