"""Which contact? Address → identity row → contact, joined only on proof (design §3)."""

from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import joins, rows
from app.store.models import accounts, contacts, identities
from core.conversations import Contact
from core.ids import ContactId, TenantId, new_id
from core.mailboxes import is_role_mailbox
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
            # a shared mailbox leads to itself alone, whoever signs that they read it
            shared = stated.kind == "email" and is_role_mailbox(stated.value)
            proven = stated.assurance is Assurance.PROVEN and not shared
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
            if not await joins.join(connection, tenant, holder, contact, stated, now):
                return
            holder = contact
        if holder == contact:
            if stated.assurance is Assurance.PROVEN:
                await joins.raise_assurance(connection, tenant, contact, stated.kind, stated.value)
                await _find_account(connection, tenant, contact, stated)
            return
    await _keep(connection, tenant, contact, stated, now, routes=routes)


async def _keep(
    connection: AsyncConnection,
    tenant: TenantId,
    contact: ContactId,
    stated: IdentityClaim,
    now: datetime,
    *,
    routes: bool,
) -> None:
    """Write the contact's identity row, or raise the one that stands."""
    existing = await connection.scalar(
        select(identities.c.id).where(
            identities.c.tenant == tenant,
            identities.c.kind == stated.kind,
            identities.c.value == stated.value,
            identities.c.contact_id == contact,
        )
    )
    if existing and not routes:
        return
    if existing:
        await connection.execute(
            update(identities)
            .where(identities.c.id == existing)
            .values(routes=True, assurance=stated.assurance)
        )
    else:
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
    if stated.assurance is Assurance.PROVEN:
        await _find_account(connection, tenant, contact, stated)


async def _find_account(
    connection: AsyncConnection, tenant: TenantId, contact: ContactId, stated: IdentityClaim
) -> None:
    if stated.kind == "email":
        await joins.find_account(connection, tenant, contact, stated.value)


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
