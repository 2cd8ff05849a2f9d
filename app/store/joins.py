"""One person, two contacts: joined on proof alone and undone from the audit row.

Owns what moves in a join and how it moves back. Contacts the tenant knows by name are never joined with each
other, role mailboxes never become one person. Not here: which contact an address
leads to (contacts.py), who may be the same without proof (matches.py).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import and_, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.models import (
    accounts,
    audit,
    bookings,
    contacts,
    conversations,
    facts,
    identities,
)
from core.errors import ConflictError, NotFoundError
from core.ids import ContactId, TenantId, new_id
from core.mailboxes import is_role_mailbox
from core.messages import Assurance, IdentityClaim

JOINED, UNDONE = "contact.joined", "contact.join_undone"


async def join(
    connection: AsyncConnection,
    tenant: TenantId | str,
    source: str,
    target: str,
    proof: IdentityClaim,
    now: datetime,
    actor: str = "system",
) -> bool:
    """Move everything of `source` to `target`; refused unless proven and `source` is nobody we know by name."""
    if proof.assurance is not Assurance.PROVEN or source == target:
        return False
    if proof.kind == "email" and is_role_mailbox(proof.value):
        return False
    row = (
        await connection.execute(
            select(contacts.c.external_id, contacts.c.joined_to)
            .where(contacts.c.id == source, contacts.c.tenant == tenant)
            .with_for_update()
        )
    ).one_or_none()
    if row is None or row.external_id or row.joined_to:
        return False
    rerouted = await _reroute(connection, tenant, source, target)
    moved: dict[str, list[str]] = {}
    for table in (identities, conversations, bookings, facts):
        done = await connection.execute(
            update(table)
            .where(table.c.tenant == tenant, table.c.contact_id == source, _free(table, target))
            .values(contact_id=target, **_touched(table))
            .returning(table.c.id)
        )
        moved[table.name] = [str(i) for i in done.scalars()]
    await connection.execute(
        update(contacts).where(contacts.c.id == source).values(joined_to=target, updated_at=now)
    )
    # the log that a join can be undone from
    detail = {
        "from": source,
        "proof": proof.kind,
        "moved": moved,
        "rerouted": rerouted,
        "raised": {},
    }
    await log(connection, tenant, actor, JOINED, target, detail, now)
    return True


async def _reroute(
    connection: AsyncConnection, tenant: TenantId | str, source: str, target: str
) -> list[list[str]]:
    """Let addresses that both have lead to `target`; returns the pairs of rows (theirs, ours)."""
    twin = identities.alias("twin")
    found = await connection.execute(
        select(identities.c.id, twin.c.id.label("twin"))
        .join(twin, and_(twin.c.kind == identities.c.kind, twin.c.value == identities.c.value))
        .where(
            identities.c.tenant == tenant,
            identities.c.contact_id == source,
            identities.c.routes.is_(True),
            twin.c.tenant == tenant,
            twin.c.contact_id == target,
        )
    )
    pairs = [[row.id, row.twin] for row in found]
    for theirs, ours in pairs:
        await _lead(connection, theirs, ours)
    return pairs


async def _lead(connection: AsyncConnection, away: str, to: str) -> None:
    for row, routes in ((away, False), (to, True)):
        await connection.execute(
            update(identities).where(identities.c.id == row).values(routes=routes)
        )


def _free(table: Any, target: str) -> Any:
    """Return the condition that a row has no twin at the target already: twins stay where they are."""
    twin = table.alias("twin")
    if table is facts:
        return ~exists().where(twin.c.contact_id == target, twin.c.key == facts.c.key)
    if table is identities:
        return ~exists().where(
            twin.c.contact_id == target,
            twin.c.kind == identities.c.kind,
            twin.c.value == identities.c.value,
        )
    return table.c.id.is_not(None)


def _touched(table: Any) -> dict[str, Any]:
    """Return what changes besides: a turn that thinks for the old contact may not commit."""
    return {"version": conversations.c.version + 1} if table is conversations else {}


async def raise_assurance(
    connection: AsyncConnection, tenant: TenantId | str, contact: str, kind: str, value: str
) -> None:
    """Mark an address of the contact as proven; the newest join into it remembers what it was."""
    mine = and_(
        identities.c.tenant == tenant,
        identities.c.contact_id == contact,
        identities.c.kind == kind,
        identities.c.value == value,
        identities.c.assurance != Assurance.PROVEN,
    )
    found = (
        await connection.execute(select(identities.c.id, identities.c.assurance).where(mine))
    ).all()
    if not found:
        return
    await connection.execute(update(identities).where(mine).values(assurance=Assurance.PROVEN))
    newest = (
        await connection.execute(
            select(audit.c.id, audit.c.detail)
            .where(audit.c.tenant == tenant, audit.c.subject == contact, audit.c.action == JOINED)
            .order_by(audit.c.id.desc())
            .limit(1)
        )
    ).one_or_none()
    if newest is not None and "undone" not in newest.detail:
        raised = {**newest.detail.get("raised", {}), **{r.id: r.assurance for r in found}}
        await connection.execute(
            update(audit)
            .where(audit.c.id == newest.id)
            .values(detail={**newest.detail, "raised": raised})
        )


async def find_account(
    connection: AsyncConnection, tenant: TenantId | str, contact: str, mail: str
) -> None:
    """Link a contact without an account to the one whose domain a proven mail address has."""
    domain = mail.rpartition("@")[2].lower()
    current = await connection.scalar(select(contacts.c.account_id).where(contacts.c.id == contact))
    if current or not domain:
        return
    found = await connection.execute(
        select(accounts.c.id, accounts.c.domains).where(accounts.c.tenant == tenant)
    )
    for row in found:
        if domain in (row.domains or ()):
            await connection.execute(
                update(contacts).where(contacts.c.id == contact).values(account_id=row.id)
            )
            return


async def undo(
    connection: AsyncConnection, tenant: TenantId, join_id: str, actor: str, now: datetime
) -> ContactId:
    """Give back what a join moved and is still there; returns the contact that stands alone again.

    What happened after the join stays where it is. Raises NotFoundError, ConflictError when undone before.
    """
    row = (
        await connection.execute(
            select(audit.c.subject, audit.c.detail)
            .where(audit.c.id == join_id, audit.c.tenant == tenant, audit.c.action == JOINED)
            .with_for_update()
        )
    ).one_or_none()
    if row is None:
        raise NotFoundError("no such join")
    if "undone" in row.detail:
        raise ConflictError("this join was undone before")
    source, target = str(row.detail["from"]), str(row.subject)
    for table in (identities, conversations, bookings, facts):
        ids = row.detail["moved"].get(table.name, ())
        await connection.execute(
            update(table)
            .where(table.c.tenant == tenant, table.c.id.in_(ids), table.c.contact_id == target)
            .values(contact_id=source, **_touched(table))
        )
    for theirs, ours in row.detail.get("rerouted", ()):
        await _lead(connection, ours, theirs)
    for identity, before in row.detail.get("raised", {}).items():
        await connection.execute(
            update(identities)
            .where(identities.c.tenant == tenant, identities.c.id == identity)
            .values(assurance=before)
        )
    await connection.execute(
        update(contacts).where(contacts.c.id == source).values(joined_to=None, updated_at=now)
    )
    await connection.execute(
        update(audit)
        .where(audit.c.id == join_id)
        .values(detail={**row.detail, "undone": now.isoformat()})
    )
    await log(connection, tenant, actor, UNDONE, target, {"join": join_id, "from": source}, now)
    return ContactId(source)


async def joins_of(
    connection: AsyncConnection, tenant: TenantId, contact: str
) -> list[Mapping[str, object]]:
    """Return the joins into a contact that stand, newest first: id, proof, at, and how many rows of each kind."""
    found = await connection.execute(
        select(audit.c.id, audit.c.actor, audit.c.detail, audit.c.at)
        .where(audit.c.tenant == tenant, audit.c.subject == contact, audit.c.action == JOINED)
        .order_by(audit.c.id.desc())
        .limit(20)
    )
    return [
        {
            "id": row.id,
            "from": row.detail["from"],
            "proof": row.detail["proof"],
            "by": row.actor,
            "at": row.at,
            "moved": {name: len(ids) for name, ids in row.detail["moved"].items()},
        }
        for row in found
        if "undone" not in row.detail
    ]


async def log(
    connection: AsyncConnection,
    tenant: str,
    actor: str,
    action: str,
    subject: str,
    detail: Mapping[str, object],
    now: datetime,
) -> None:
    """Write an audit row."""
    await connection.execute(
        insert(audit).values(
            id=new_id("aud", now),
            tenant=tenant,
            actor=actor,
            action=action,
            subject=subject,
            detail=dict(detail),
            at=now,
        )
    )
