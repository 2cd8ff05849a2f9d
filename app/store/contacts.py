"""Which contact? Address → identity row → contact, joined only on proof (design §3)."""

from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import rows
from app.store.models import (
    accounts,
    audit,
    bookings,
    contacts,
    conversations,
    facts,
    identities,
)
from core.conversations import Contact
from core.ids import ContactId, TenantId, new_id
from core.messages import Assurance, IdentityClaim, Inbound


class RacedError(Exception):
    """Somebody else's first message from this address was committed just now: roll back and look again."""


async def resolve(
    connection: AsyncConnection, tenant: TenantId, inbound: Inbound, kind: str, now: datetime
) -> ContactId:
    """Return the contact this inbound comes from, creating it when unknown.

    A sender who only claims an address (an unauthenticated mail) never reaches the contact who proved it:
    such mail has identities of its own kind, unless it carries our signed thread address.
    """
    believed = inbound.assurance.rank >= Assurance.CHANNEL.rank or inbound.conversation_id
    sender = IdentityClaim(
        kind if believed else f"{kind}:claimed",
        inbound.sender,
        inbound.assurance if inbound.assurance.rank else Assurance.CLAIMED,
    )
    external = next((c for c in inbound.claims if c.kind == "external"), None)
    known = await _by_external(connection, tenant, external)
    named = bool(inbound.sender) and not inbound.new_contact
    if known is None and named:
        known = await route(connection, tenant, sender.kind, sender.value)
    created = known is None
    if known is None:
        known = await create(
            connection, tenant, external.value if external else None, inbound.display_name, now
        )
    if named:
        await claim(connection, tenant, known, sender, now, routes=True)
        if created and await route(connection, tenant, sender.kind, sender.value) != known:
            raise RacedError(sender.value)
    for stated in inbound.claims:
        if stated.kind != "external":
            proven = stated.assurance is Assurance.PROVEN
            await claim(connection, tenant, known, stated, now, routes=proven)
    return known


async def _by_external(
    connection: AsyncConnection, tenant: TenantId, external: IdentityClaim | None
) -> ContactId | None:
    if external is None or external.assurance is not Assurance.PROVEN:
        return None
    found = (
        await connection.execute(
            select(contacts.c.id).where(
                contacts.c.tenant == tenant, contacts.c.external_id == external.value
            )
        )
    ).scalar_one_or_none()
    return ContactId(found) if found else None


async def route(
    connection: AsyncConnection, tenant: TenantId, kind: str, value: str
) -> ContactId | None:
    """Return the contact an address leads to."""
    found = (
        await connection.execute(
            select(identities.c.contact_id).where(
                identities.c.tenant == tenant,
                identities.c.kind == kind,
                identities.c.value == value,
                identities.c.routes.is_(True),
            )
        )
    ).scalar_one_or_none()
    return ContactId(found) if found else None


async def create(
    connection: AsyncConnection,
    tenant: TenantId,
    external_id: str | None,
    name: str | None,
    now: datetime,
) -> ContactId:
    """Insert a contact."""
    fresh = ContactId(new_id("con", now))
    await connection.execute(
        insert(contacts).values(
            id=fresh,
            tenant=tenant,
            external_id=external_id,
            name=name,
            created_at=now,
            updated_at=now,
        )
    )
    return fresh


async def claim(
    connection: AsyncConnection,
    tenant: TenantId,
    contact: ContactId,
    stated: IdentityClaim,
    now: datetime,
    *,
    routes: bool,
) -> None:
    """Give a contact an identity; with proof, one that another nameless contact holds moves here with it."""
    if routes:
        holder = await route(connection, tenant, stated.kind, stated.value)
        if holder is not None and holder != contact:
            if not await _join(connection, tenant, holder, contact, stated, now):
                return
            holder = contact
        if holder == contact:
            await _raise_assurance(connection, tenant, contact, stated)
            return
    existing = (
        await connection.execute(
            select(identities.c.id).where(
                identities.c.tenant == tenant,
                identities.c.kind == stated.kind,
                identities.c.value == stated.value,
                identities.c.contact_id == contact,
            )
        )
    ).scalar_one_or_none()
    if existing:
        if routes:
            await connection.execute(
                update(identities)
                .where(identities.c.id == existing)
                .values(routes=True, assurance=stated.assurance)
            )
        return
    await connection.execute(
        insert(identities).values(
            id=new_id("idn", now),
            tenant=tenant,
            kind=stated.kind,
            value=stated.value,
            contact_id=contact,
            assurance=stated.assurance,
            routes=routes,
            created_at=now,
        )
    )
    if stated.kind == "email" and stated.assurance is Assurance.PROVEN:
        await _find_account(connection, tenant, contact, stated.value)


async def _raise_assurance(
    connection: AsyncConnection, tenant: TenantId, contact: ContactId, stated: IdentityClaim
) -> None:
    if stated.assurance is not Assurance.PROVEN:
        return
    await connection.execute(
        update(identities)
        .where(
            identities.c.tenant == tenant,
            identities.c.kind == stated.kind,
            identities.c.value == stated.value,
            identities.c.contact_id == contact,
            identities.c.assurance != Assurance.PROVEN,
        )
        .values(assurance=Assurance.PROVEN)
    )
    if stated.kind == "email":
        await _find_account(connection, tenant, contact, stated.value)


async def _join(
    connection: AsyncConnection,
    tenant: TenantId,
    source: ContactId,
    target: ContactId,
    proof: IdentityClaim,
    now: datetime,
) -> bool:
    """Move everything of `source` to `target`; refused unless proven and `source` is nobody we know by name."""
    if proof.assurance is not Assurance.PROVEN:
        return False
    known = await connection.scalar(select(contacts.c.external_id).where(contacts.c.id == source))
    if known:
        return False
    moved: dict[str, list[str]] = {}
    for table in (identities, conversations, bookings, facts):
        done = await connection.execute(
            update(table)
            .where(table.c.tenant == tenant, table.c.contact_id == source)
            .values(contact_id=target)
            .returning(table.c.id)
        )
        moved[table.name] = [str(i) for i in done.scalars()]
    # the log that a join can be undone from
    await connection.execute(
        insert(audit).values(
            id=new_id("aud", now),
            tenant=tenant,
            actor="system",
            action="contact.joined",
            subject=target,
            detail={"from": source, "proof": proof.kind, "moved": moved},
            at=now,
        )
    )
    return True


async def _find_account(
    connection: AsyncConnection, tenant: TenantId, contact: ContactId, mail: str
) -> None:
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


async def load(connection: AsyncConnection, tenant: TenantId, contact: str) -> Contact | None:
    """Return a contact with account and identities."""
    row = (
        (
            await connection.execute(
                select(contacts).where(contacts.c.id == contact, contacts.c.tenant == tenant)
            )
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        return None
    account = None
    if row["account_id"]:
        account = (
            (await connection.execute(select(accounts).where(accounts.c.id == row["account_id"])))
            .mappings()
            .one_or_none()
        )
    known = (
        (
            await connection.execute(
                select(identities)
                .where(identities.c.contact_id == contact)
                .order_by(identities.c.created_at)
            )
        )
        .mappings()
        .all()
    )
    return rows.contact(row, account, known)
