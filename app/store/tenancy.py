"""Tenants with their policy, their inboxes and the people of their team.

Not here: keys, passwords and sessions (access.py), customers (directory.py).
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import handoffs, rows
from app.store.database import Database
from app.store.models import csms, inboxes, tenants
from app.store.upserts import settle
from core.clock import Clock
from core.conversations import Csm, Inbox
from core.errors import ConflictError, NotFoundError
from core.ids import CsmId, InboxId, TenantId, new_id
from core.ports import TenantPolicy
from core.views import Tenant

Complete = Callable[[Inbox], Inbox]


class SqlTenancy:
    """The half of the directory that describes the team itself.

    `kinds` maps a channel to the kind of its addresses, as SqlIntake has it. `complete` gives an inbox the
    settings of its channel.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        kinds: Mapping[str, str] | None = None,
        complete: Complete | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._kinds = kinds or {}
        self._complete = complete

    async def ensure_tenant(
        self, tenant: TenantId, name: str, policy: TenantPolicy | None = None
    ) -> bool:
        """Make a tenant unless it is there; True when it is new. Its policy is not touched then."""

        async def change(connection: AsyncConnection) -> bool:
            known = select(tenants.c.id).where(tenants.c.id == tenant)
            if (await connection.execute(known)).first() is not None:
                return False
            await connection.execute(
                insert(tenants).values(
                    id=tenant,
                    name=name,
                    policy=rows.policy_to_json(policy or TenantPolicy()),
                    widget_secret=secrets.token_urlsafe(32),
                    created_at=self._clock.now(),
                )
            )
            return True

        return await settle(self._database, change)

    async def tenants(self) -> Sequence[Tenant]:
        """Return every tenant, by id."""
        async with self._database.read() as connection:
            found = await connection.execute(select(tenants).order_by(tenants.c.id))
            return [
                Tenant(TenantId(row.id), row.name, row.created_at, row.index_version)
                for row in found
            ]

    async def policy(self, tenant: TenantId) -> TenantPolicy:
        """See the port. Raises NotFoundError for an unknown tenant."""
        async with self._database.read() as connection:
            return await self._policy(connection, tenant)

    async def _policy(self, connection: AsyncConnection, tenant: TenantId) -> TenantPolicy:
        query = select(tenants.c.policy).where(tenants.c.id == tenant)
        row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise NotFoundError(f"there is no tenant {tenant!r}")
        return rows.policy(row.policy)

    async def set_policy(self, tenant: TenantId, policy: TenantPolicy) -> None:
        """Replace a tenant's policy; it holds from the next message. Raises NotFoundError."""
        async with self._database.write() as connection:
            done = await connection.execute(
                update(tenants)
                .where(tenants.c.id == tenant)
                .values(policy=rows.policy_to_json(policy))
            )
            if done.rowcount == 0:
                raise NotFoundError(f"there is no tenant {tenant!r}")

    async def widget_secret(self, tenant: TenantId) -> str:
        """Return the secret that signs this tenant's widget identities. Raises NotFoundError."""
        async with self._database.read() as connection:
            found: str | None = await connection.scalar(
                select(tenants.c.widget_secret).where(tenants.c.id == tenant)
            )
        if found is None:
            raise NotFoundError(f"there is no tenant {tenant!r}")
        return found

    async def ensure_inbox(
        self,
        tenant: TenantId,
        channel: str,
        address: str,
        kind: Literal["customer", "team"],
        env_prefix: str,
    ) -> Inbox:
        """Make an inbox, or bring its kind and prefix up to date.

        Raises ConflictError when another tenant has this address.
        """

        async def change(connection: AsyncConnection) -> Inbox:
            await self._policy(connection, tenant)  # the tenant exists
            query = select(inboxes).where(
                inboxes.c.channel == channel, inboxes.c.address == address
            )
            known = (await connection.execute(query)).mappings().one_or_none()
            if known is None:
                await connection.execute(
                    insert(inboxes).values(
                        id=new_id("inb", self._clock.now()),
                        tenant=tenant,
                        channel=channel,
                        address=address,
                        kind=kind,
                        env_prefix=env_prefix,
                        created_at=self._clock.now(),
                    )
                )
            elif known["tenant"] != tenant:
                raise ConflictError(f"another tenant has this {channel} address")
            else:
                await connection.execute(
                    update(inboxes)
                    .where(inboxes.c.id == known["id"])
                    .values(kind=kind, env_prefix=env_prefix)
                )
            return self._inbox((await connection.execute(query)).mappings().one())

        return await settle(self._database, change)

    def _inbox(self, row: RowMapping) -> Inbox:
        inbox = Inbox(
            id=InboxId(row["id"]),
            tenant=TenantId(row["tenant"]),
            channel=row["channel"],
            address=row["address"],
            kind=row["kind"],
            env_prefix=row["env_prefix"],
        )
        return self._complete(inbox) if self._complete else inbox

    async def inbox(self, channel: str, address: str) -> Inbox | None:
        """See the port."""
        return await self._one_inbox(
            (inboxes.c.channel == channel) & (inboxes.c.address == address)
        )

    async def inbox_by_id(self, inbox: InboxId) -> Inbox | None:
        """Return the inbox with this id, with its settings."""
        return await self._one_inbox(inboxes.c.id == inbox)

    async def _one_inbox(self, where: Any) -> Inbox | None:
        async with self._database.read() as connection:
            found = await connection.execute(select(inboxes).where(where))
            row = found.mappings().one_or_none()
        return self._inbox(row) if row else None

    async def inboxes(self, tenant: TenantId | None = None) -> Sequence[Inbox]:
        """See the port; oldest first."""
        query = select(inboxes).order_by(inboxes.c.created_at, inboxes.c.id)
        if tenant is not None:
            query = query.where(inboxes.c.tenant == tenant)
        async with self._database.read() as connection:
            found = (await connection.execute(query)).mappings().all()
        return [self._inbox(row) for row in found]

    async def csm(self, tenant: TenantId, csm: CsmId) -> Csm | None:
        """See the port."""
        async with self._database.read() as connection:
            known = await connection.scalar(
                select(csms.c.id).where(csms.c.id == csm, csms.c.tenant == tenant)
            )
            return await handoffs.csm(connection, known) if known else None
