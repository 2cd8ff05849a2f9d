"""The person on the other side: identities, who may be the same, account, memory, bookings, what went unasked."""

from fastapi import APIRouter

from app.console import pictures
from app.console.bodies import ForgetIn, MatchIn
from app.console.gate import Id, Reader, Uses, Writer
from core.errors import NotFoundError
from core.ids import ContactId

router = APIRouter()


@router.get("/contacts/{contact}")
async def one(contact: Id, services: Uses, who: Reader) -> dict[str, object]:
    """Return all the panel shows. Raises NotFoundError."""
    found = await services.directory.contact(who.tenant, ContactId(contact))
    if found is None:
        raise NotFoundError("no such contact")
    owner = None
    if found.account and found.account.owner:
        owner = await services.directory.csm(who.tenant, found.account.owner)
    bookings = await services.calendar.bookings(who.tenant, found.id)
    joined, suggested = await services.directory.ties(who.tenant, found.id)
    unasked = await services.not_sent.listed(who.tenant, found.id, 20)
    return {
        "now": services.clock.now().isoformat(),
        "contact": pictures.contact(found),
        "account": pictures.account(found.account, owner.name if owner else None),
        "facts": [pictures.fact(f) for f in await services.facts.all(who.tenant, found.id)],
        "joins": [pictures.flat(j) for j in joined],
        "suggestions": [pictures.flat(s) for s in suggested],
        "unasked": [pictures.flat(u) for u in unasked],
        "bookings": [pictures.booking(b) for b in bookings[:20]],
        "conversations": [
            pictures.row(r) for r in await services.reads.inbox_of_contact(who.tenant, found.id)
        ],
    }


@router.post("/contacts/{contact}/joins/{join}/undo")
async def undo_join(contact: Id, join: Id, services: Uses, who: Writer) -> dict[str, object]:
    """Take a join apart: what it moved goes back. Raises NotFoundError, ConflictError when undone before."""
    apart = await services.directory.undo_join(who.tenant, join, who.csm.id)
    return {"apart": apart}


@router.post("/contacts/{contact}/matches/{other}")
async def decide_match(
    contact: Id, other: Id, body: MatchIn, services: Uses, who: Writer
) -> dict[str, object]:
    """Say whether a suggested contact is this one; returns the contact that remains.

    Raises NotFoundError for a match nobody suggested, ConflictError when neither may move.
    """
    remains = await services.directory.decide_match(
        who.tenant, ContactId(contact), ContactId(other), who.csm.id, same=body.same
    )
    return {"contact": remains}


@router.post("/contacts/{contact}/forget")
async def forget(contact: Id, body: ForgetIn, services: Uses, who: Writer) -> dict[str, object]:
    """Forget one fact. Raises NotFoundError when nothing of that name is remembered."""
    known = ContactId(contact)
    gone = await services.facts.forget(who.tenant, known, body.key)
    if not gone:
        raise NotFoundError("nothing of that name is remembered")
    await services.after_facts(who.tenant, known)
    await services.access.audit(who.tenant, who.csm.id, "fact.forgotten", known)
    return {"forgotten": gone}
