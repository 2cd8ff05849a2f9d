"""Who may be the same person without anybody having proven it: suggestions to a CSM, and their word on them.

Not here: what a join moves (joins.py).
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import joins
from app.store.models import audit, contacts, identities
from core.errors import ConflictError, NotFoundError
from core.ids import ContactId, TenantId
from core.mailboxes import is_role_mailbox
from core.messages import Assurance, IdentityClaim

REJECTED = "contact.match_rejected"
_CLAIMED = ":claimed"  # the kind of a sender nobody vouches for (contacts.resolve)


async def suggestions(
    connection: AsyncConnection, tenant: TenantId, contact: str
) -> list[Mapping[str, object]]:
    """Return contacts who may be this one: both name the same address, and nobody has proven it.

    Role mailboxes suggest nobody, two contacts known by name never, and what a person rejected stays away.
    """
    mine, theirs = identities.alias("mine"), identities.alias("theirs")
    bare = [func.replace(i.c.kind, _CLAIMED, "") for i in (mine, theirs)]
    me = (
        await connection.execute(
            select(contacts.c.external_id).where(
                contacts.c.id == contact, contacts.c.tenant == tenant
            )
        )
    ).one_or_none()
    if me is None:
        raise NotFoundError("no such contact")
    found = await connection.execute(
        select(
            contacts.c.id,
            contacts.c.name,
            contacts.c.external_id,
            bare[1].label("kind"),
            theirs.c.value,
        )
        .select_from(
            mine.join(
                theirs,
                and_(
                    theirs.c.tenant == mine.c.tenant,
                    theirs.c.value == mine.c.value,
                    bare[0] == bare[1],
                    theirs.c.contact_id != mine.c.contact_id,
                ),
            ).join(contacts, contacts.c.id == theirs.c.contact_id)
        )
        .where(
            mine.c.tenant == tenant,
            mine.c.contact_id == contact,
            contacts.c.joined_to.is_(None),
            *((contacts.c.external_id.is_(None),) if me.external_id else ()),
        )
        .order_by(contacts.c.created_at)
        .limit(20)
    )
    rejected = await _rejected(connection, tenant, contact)
    seen: dict[str, Mapping[str, object]] = {}
    for row in found:
        role = row.kind == "email" and is_role_mailbox(row.value)
        if not role and row.id not in rejected:
            seen.setdefault(
                row.id,
                {
                    "contact_id": row.id,
                    "name": row.name,
                    "external_id": row.external_id,
                    "kind": row.kind,
                    "value": row.value,
                },
            )
    return list(seen.values())


async def _rejected(connection: AsyncConnection, tenant: str, contact: str) -> set[str]:
    found = await connection.execute(
        select(audit.c.subject, audit.c.detail).where(
            audit.c.tenant == tenant, audit.c.action == REJECTED
        )
    )
    pairs = [(row.subject, row.detail["other"]) for row in found]
    return {b if a == contact else a for a, b in pairs if contact in (a, b)}


async def decide(
    connection: AsyncConnection,
    tenant: TenantId,
    contact: str,
    other: str,
    actor: str,
    now: datetime,
    *,
    same: bool,
) -> ContactId:
    """Take a person's word on a suggestion; returns the contact that remains, or this one when rejected.

    Raises NotFoundError for a match that is not suggested, ConflictError when neither may move.
    """
    match = next(
        (m for m in await suggestions(connection, tenant, contact) if m["contact_id"] == other),
        None,
    )
    if match is None:
        raise NotFoundError("there is no such suggestion")
    if not same:
        await joins.log(connection, tenant, actor, REJECTED, contact, {"other": other}, now)
        return ContactId(contact)
    proof = IdentityClaim(str(match["kind"]), str(match["value"]), Assurance.PROVEN)
    for source, target in ((contact, other), (other, contact)):
        if await joins.join(connection, tenant, source, target, proof, now, actor):
            return ContactId(target)
    raise ConflictError("these two cannot be made one")
