"""Accounts and contacts as the tenant's own systems know them, on top of tenants and inboxes.

Values are checked here (directory_values.py), so that API, import and command line mean the same.
Not here: contacts that come in by a message (contacts.py), export and erasure (erasure.py).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, overload

from sqlalchemy import insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import contacts, directory_values, erasure, joins, matches, rows
from app.store.models import accounts, csms
from app.store.models import contacts as contact_table
from app.store.tenancy import SqlTenancy
from app.store.upserts import settle
from core.conversations import Account, Contact
from core.errors import BadInputError, ConflictError, NotFoundError
from core.ids import AccountId, ContactId, TenantId, new_id
from core.messages import Assurance, IdentityClaim
from core.views import Page


class SqlDirectory(SqlTenancy):
    """Port `Directory`, and its writing side."""

    # ------------------------------------------------------------ accounts

    async def put_account(
        self, tenant: TenantId, external_id: str, values: Mapping[str, object]
    ) -> Account:
        """Make an account or change the fields given; None clears one.

        Fields: name, domains, edition, tier, region, arr, renewal_date, owner (a CSM's id or mail), locale,
        time_zone. A new account without a name is called by its id. Raises BadInputError naming the field.
        """
        key = directory_values.external_id(external_id)

        async def change(connection: AsyncConnection) -> Account:
            policy = await self._policy(connection, tenant)
            given = directory_values.account_values(values, policy.editions)
            if given.get("owner"):
                given["owner"] = await self._owner(connection, tenant, given["owner"])
            if "name" in given:
                given["name"] = given["name"] or key
            where = (accounts.c.tenant == tenant) & (accounts.c.external_id == key)
            known = (await connection.execute(select(accounts).where(where))).mappings()
            row = known.one_or_none()
            now = self._clock.now()
            if row is None:
                lowest = directory_values.account_values({"edition": None}, policy.editions)
                fresh = {"name": key, "domains": [], "tier": "standard", **lowest, **given}
                await connection.execute(
                    insert(accounts).values(
                        id=new_id("acc", now),
                        tenant=tenant,
                        external_id=key,
                        created_at=now,
                        updated_at=now,
                        **fresh,
                    )
                )
            elif any(row[field] != value for field, value in given.items()):
                await connection.execute(
                    update(accounts).where(where).values(updated_at=now, **given)
                )
            stored = await connection.execute(select(accounts).where(where))
            return rows.account(stored.mappings().one())

        return await settle(self._database, change)

    async def _owner(self, connection: AsyncConnection, tenant: TenantId, owner: str) -> str:
        found: str | None = await connection.scalar(
            select(csms.c.id).where(
                csms.c.tenant == tenant, or_(csms.c.id == owner, csms.c.email == owner.lower())
            )
        )
        if found is None:
            raise BadInputError("owner is nobody of the team")
        return found

    async def account(self, tenant: TenantId, account: AccountId) -> Account | None:
        """See the port."""
        return await self._one_account(tenant, accounts.c.id == account)

    async def account_by_external(self, tenant: TenantId, external_id: str) -> Account | None:
        """Return the account with this id in the tenant's own system."""
        return await self._one_account(tenant, accounts.c.external_id == external_id)

    async def _one_account(self, tenant: TenantId, where: Any) -> Account | None:
        async with self._database.read() as connection:
            found = await connection.execute(
                select(accounts).where(accounts.c.tenant == tenant, where)
            )
            row = found.mappings().one_or_none()
        return rows.account(row) if row else None

    async def accounts(
        self, tenant: TenantId, cursor: str | None = None, limit: int = 50
    ) -> Page[Account]:
        """Return accounts in the order they were made."""
        query = select(accounts).where(accounts.c.tenant == tenant).order_by(accounts.c.id)
        if cursor:
            query = query.where(accounts.c.id > cursor)
        async with self._database.read() as connection:
            found = (await connection.execute(query.limit(limit + 1))).mappings().all()
        items = tuple(rows.account(row) for row in found[:limit])
        return Page(items, items[-1].id if len(found) > limit else None)

    # ------------------------------------------------------------ contacts

    async def put_contact(
        self, tenant: TenantId, external_id: str, values: Mapping[str, object]
    ) -> Contact:
        """Make a contact or change the fields given; None clears one.

        Fields: name, locale, time_zone, account (its external id), email, phone. Whoever holds the secret key
        vouches for the addresses: they are proven, lead here from now on, and join a nameless contact who
        held them. An older address stays. Raises BadInputError, ConflictError when another known contact
        has an address.
        """
        key = directory_values.external_id(external_id)
        given = directory_values.contact_values(values)

        async def change(connection: AsyncConnection) -> Contact:
            now = self._clock.now()
            contact = await self._known(connection, tenant, key)
            fields: dict[str, Any] = {
                k: given[k] for k in ("name", "locale", "time_zone") if k in given
            }
            if "account" in given:
                fields["account_id"] = await self._account_id(connection, tenant, given["account"])
            if fields:
                await connection.execute(
                    update(contact_table)
                    .where(contact_table.c.id == contact)
                    .values(updated_at=now, **fields)
                )
            for field, channel in (("email", "email"), ("phone", "sms")):
                if given.get(field):
                    kind = self._kinds.get(channel, channel)
                    await self._prove(connection, tenant, contact, kind, given[field])
            loaded = await contacts.load(connection, tenant, contact)
            if loaded is None:
                raise NotFoundError("no such contact")
            return loaded

        return await settle(self._database, change)

    async def _known(
        self, connection: AsyncConnection, tenant: TenantId, external_id: str
    ) -> ContactId:
        found = await self._find(connection, tenant, external_id)
        if found is not None:
            return found
        await self._policy(connection, tenant)  # the tenant exists
        return await contacts.create(connection, tenant, external_id, None, self._clock.now())

    async def _find(
        self, connection: AsyncConnection, tenant: TenantId, external_id: str
    ) -> ContactId | None:
        found = await connection.scalar(
            select(contact_table.c.id).where(
                contact_table.c.tenant == tenant, contact_table.c.external_id == external_id
            )
        )
        return ContactId(found) if found else None

    async def _account_id(
        self, connection: AsyncConnection, tenant: TenantId, external_id: str | None
    ) -> str | None:
        if external_id is None:
            return None
        found: str | None = await connection.scalar(
            select(accounts.c.id).where(
                accounts.c.tenant == tenant, accounts.c.external_id == external_id
            )
        )
        if found is None:
            raise BadInputError("account is unknown: put the account first")
        return found

    async def _prove(
        self,
        connection: AsyncConnection,
        tenant: TenantId,
        contact: ContactId,
        kind: str,
        value: str,
    ) -> None:
        stated = IdentityClaim(kind, value, Assurance.PROVEN)
        await contacts.claim(connection, tenant, contact, stated, self._clock.now(), routes=True)
        if await contacts.route(connection, tenant, kind, value) != contact:
            raise ConflictError(f"another contact has this {kind} address")

    async def contact(self, tenant: TenantId, contact: ContactId) -> Contact | None:
        """See the port."""
        async with self._database.read() as connection:
            return await contacts.load(connection, tenant, contact)

    @overload
    async def contact_by_external(
        self, tenant: TenantId, external_id: str, *, create: Literal[True]
    ) -> Contact: ...

    @overload
    async def contact_by_external(
        self, tenant: TenantId, external_id: str, *, create: Literal[False] = False
    ) -> Contact | None: ...

    async def contact_by_external(
        self, tenant: TenantId, external_id: str, *, create: bool = False
    ) -> Contact | None:
        """Return the contact with this id in the tenant's own system, made on first use if asked to."""
        async with self._database.read() as connection:
            found = await self._find(connection, tenant, external_id)
            known = await contacts.load(connection, tenant, found) if found else None
        if known is None and create:
            return await self.put_contact(tenant, external_id, {})
        return known

    async def export_contact(self, tenant: TenantId, contact: ContactId) -> dict[str, object]:
        """Return all that is kept about a contact, as plain JSON. Raises NotFoundError."""
        async with self._database.read() as connection:
            return await erasure.export(connection, tenant, contact)

    async def erase_contact(
        self, tenant: TenantId, contact: ContactId, actor: str = "system"
    ) -> dict[str, int]:
        """Remove who a contact is and what they said; row skeletons stay. Returns counts by kind.

        Opt-outs stay: a number that said STOP is never written to again. Raises NotFoundError.
        """
        async with self._database.write() as connection:
            return await erasure.erase(connection, tenant, contact, actor, self._clock.now())

    # ------------------------------------------------------------ one person, two contacts

    async def ties(
        self, tenant: TenantId, contact: ContactId
    ) -> tuple[Sequence[Mapping[str, object]], Sequence[Mapping[str, object]]]:
        """Return what was joined into a contact, and who may be the same person. Raises NotFoundError."""
        async with self._database.read() as connection:
            return (
                await joins.joins_of(connection, tenant, contact),
                await matches.suggestions(connection, tenant, contact),
            )

    async def undo_join(self, tenant: TenantId, join: str, actor: str) -> ContactId:
        """Take a join apart; returns who stands alone again. Raises NotFoundError, ConflictError."""
        async with self._database.write() as connection:
            return await joins.undo(connection, tenant, join, actor, self._clock.now())

    async def decide_match(
        self, tenant: TenantId, contact: ContactId, other: ContactId, actor: str, *, same: bool
    ) -> ContactId:
        """Take a person's word on whether two contacts are one; returns who remains.

        Raises NotFoundError, ConflictError.
        """
        async with self._database.write() as connection:
            return await matches.decide(
                connection, tenant, contact, other, actor, self._clock.now(), same=same
            )
