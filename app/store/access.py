"""API keys and the record of what was done, on top of the people of a team.

A key is shown once and kept as its SHA-256 digest: it is random, so a fast hash is enough.
Not here: who may do what once known (the edge decides).
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Literal

from sqlalchemy import exc, insert, select, update

from app.store.models import api_keys, audit
from app.store.people import SqlPeople, token_digest
from core.errors import NotFoundError
from core.ids import TenantId, new_id
from core.views import ApiKey, AuditEntry, Page

Scope = Literal["secret", "widget"]
_PREFIX: Mapping[Scope, str] = {"secret": "usk_", "widget": "uwk_"}


class SqlAccess(SqlPeople):
    """Keys, people, sessions and the audit log."""

    # ------------------------------------------------------------ API keys

    async def create_key(self, tenant: TenantId, name: str, scope: Scope) -> tuple[ApiKey, str]:
        """Make a key; the secret is returned here and never again."""
        token = _PREFIX[scope] + secrets.token_urlsafe(32)
        now = self._clock.now()
        key = ApiKey(new_id("key", now), tenant, name[:100], scope, now)
        try:
            async with self._database.write() as connection:
                await connection.execute(
                    insert(api_keys).values(
                        id=key.id,
                        tenant=tenant,
                        digest=token_digest(token),
                        name=key.name,
                        scope=scope,
                        created_at=now,
                    )
                )
        except exc.IntegrityError as error:
            raise NotFoundError(f"there is no tenant {tenant!r}") from error
        return key, token

    async def keys(self, tenant: TenantId) -> Sequence[ApiKey]:
        """Return a tenant's keys, oldest first, revoked ones too."""
        async with self._database.read() as connection:
            found = await connection.execute(
                select(api_keys).where(api_keys.c.tenant == tenant).order_by(api_keys.c.id)
            )
            return [
                ApiKey(r.id, TenantId(r.tenant), r.name, r.scope, r.created_at, r.revoked_at)
                for r in found
            ]

    async def verify(self, token: str) -> tuple[TenantId, Scope] | None:
        """Return whose key this is and what it may do; None for an unknown or revoked one."""
        async with self._database.read() as connection:
            row = (
                await connection.execute(
                    select(api_keys.c.tenant, api_keys.c.scope).where(
                        api_keys.c.digest == token_digest(token), api_keys.c.revoked_at.is_(None)
                    )
                )
            ).one_or_none()
        return (TenantId(row.tenant), row.scope) if row else None

    async def revoke(self, tenant: TenantId, key: str) -> bool:
        """Stop a key from working, at once; False when there is no live one."""
        async with self._database.write() as connection:
            done = await connection.execute(
                update(api_keys)
                .where(
                    api_keys.c.id == key,
                    api_keys.c.tenant == tenant,
                    api_keys.c.revoked_at.is_(None),
                )
                .values(revoked_at=self._clock.now())
            )
            return bool(done.rowcount)

    # ------------------------------------------------------------ what was done

    async def audit(
        self,
        tenant: TenantId,
        actor: str,
        action: str,
        subject: str | None = None,
        detail: Mapping[str, object] | None = None,
    ) -> None:
        """Record that `actor` did `action`; never secrets or message text in `detail`."""
        async with self._database.write() as connection:
            now = self._clock.now()
            await connection.execute(
                insert(audit).values(
                    id=new_id("aud", now),
                    tenant=tenant,
                    actor=actor,
                    action=action,
                    subject=subject,
                    detail=dict(detail or {}),
                    at=now,
                )
            )

    async def audit_log(
        self,
        tenant: TenantId,
        cursor: str | None = None,
        limit: int = 50,
        subject: str | None = None,
    ) -> Page[AuditEntry]:
        """Return what was done, newest first."""
        query = select(audit).where(audit.c.tenant == tenant).order_by(audit.c.id.desc())
        if cursor:
            query = query.where(audit.c.id < cursor)
        if subject:
            query = query.where(audit.c.subject == subject)
        async with self._database.read() as connection:
            found = (await connection.execute(query.limit(limit + 1))).all()
        items = tuple(
            AuditEntry(r.id, r.actor, r.action, r.subject, r.detail, r.at) for r in found[:limit]
        )
        return Page(items, items[-1].id if len(found) > limit else None)
