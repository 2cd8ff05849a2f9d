"""CSMs, their passwords and their sessions.

Passwords are kept as argon2id (RFC 9106), hashed in a thread and never more than two at a time, because each
takes 64 MiB. Session tokens are random and kept as SHA-256 digests.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import RowMapping, delete, exc, insert, select, update

from app.store.database import Database
from app.store.directory_values import email as mail_address
from app.store.models import csms, sessions
from core.clock import Clock
from core.conversations import Csm
from core.errors import BadInputError, ConflictError, NotFoundError
from core.ids import CsmId, TenantId, new_id

Role = Literal["admin", "approver", "csm", "viewer"]
SESSION = timedelta(hours=12)
MIN_PASSWORD, MAX_PASSWORD = 10, 200


class SqlPeople:
    """People and their sessions. `hasher` is for tests that need a cheaper one."""

    def __init__(
        self, database: Database, clock: Clock, hasher: PasswordHasher | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._hasher = hasher or PasswordHasher()
        self._hashing = asyncio.Semaphore(2)
        self._decoy: str | None = None

    async def create_csm(
        self,
        tenant: TenantId,
        name: str,
        email: str,
        password: str,
        role: Role = "csm",
        slack_user: str | None = None,
    ) -> Csm:
        """Add a person. Raises ConflictError when the mail is taken, BadInputError, NotFoundError."""
        now = self._clock.now()
        fresh = CsmId(new_id("csm", now))
        person = Csm(fresh, _name(name), _mail(email), role, slack_user)
        hashed = await self._hash(password)
        try:
            async with self._database.write() as connection:
                await connection.execute(
                    insert(csms).values(
                        id=person.id,
                        tenant=tenant,
                        name=person.name,
                        email=person.email,
                        role=role,
                        password_hash=hashed,
                        slack_user=slack_user,
                        active=True,
                        created_at=now,
                    )
                )
        except exc.IntegrityError as error:
            raise ConflictError("somebody has this mail address, or there is no tenant") from error
        return person

    async def update_csm(
        self,
        tenant: TenantId,
        csm: CsmId,
        *,
        name: str | None = None,
        role: Role | None = None,
        slack_user: str | None = None,
        password: str | None = None,
        active: bool | None = None,
    ) -> Csm:
        """Change what is given; an empty `slack_user` clears it. A new password or leaving ends sessions.

        Raises NotFoundError, BadInputError.
        """
        given: dict[str, object | None] = {
            "name": None if name is None else _name(name),
            "role": role,
            "active": active,
            "password_hash": None if password is None else await self._hash(password),
        }
        values = {column: value for column, value in given.items() if value is not None}
        if slack_user is not None:
            values["slack_user"] = slack_user or None
        where = (csms.c.id == csm) & (csms.c.tenant == tenant)
        async with self._database.write() as connection:
            if values:
                await connection.execute(update(csms).where(where).values(**values))
            row = (await connection.execute(select(csms).where(where))).mappings().one_or_none()
            if row is None:
                raise NotFoundError("no such person")
            if password is not None or active is False:
                await connection.execute(delete(sessions).where(sessions.c.csm_id == csm))
        return _csm(row)

    async def csms(self, tenant: TenantId) -> Sequence[Csm]:
        """Return the people who are active, by name."""
        async with self._database.read() as connection:
            found = await connection.execute(
                select(csms)
                .where(csms.c.tenant == tenant, csms.c.active.is_(True))
                .order_by(csms.c.name, csms.c.id)
            )
            return [_csm(row) for row in found.mappings()]

    async def by_slack(self, tenant: TenantId, user: str) -> Csm | None:
        """Return the active person with this Slack user id."""
        async with self._database.read() as connection:
            found = await connection.execute(
                select(csms)
                .where(csms.c.tenant == tenant, csms.c.slack_user == user, csms.c.active.is_(True))
                .order_by(csms.c.created_at)
                .limit(1)
            )
            row = found.mappings().one_or_none()
        return _csm(row) if row else None

    # ------------------------------------------------------------ sessions

    async def login(self, tenant: TenantId, email: str, password: str) -> tuple[Csm, str] | None:
        """Return the person and a fresh session token; None when mail or password is wrong.

        An unknown mail costs the same hash as a known one, so that nobody can try who works here.
        """
        async with self._database.read() as connection:
            found = await connection.execute(
                select(csms).where(csms.c.tenant == tenant, csms.c.email == email.strip().lower())
            )
            row = found.mappings().one_or_none()
        if self._decoy is None:
            self._decoy = await self._hash(secrets.token_urlsafe(16))
        known = row["password_hash"] if row is not None else self._decoy
        matches = await self._matches(known, password)
        if row is None or not matches or not row["active"]:
            return None
        token = secrets.token_urlsafe(32)
        now = self._clock.now()
        stronger = None
        if self._hasher.check_needs_rehash(known):
            stronger = await self._hash(password, checked=False)
        async with self._database.write() as connection:
            await connection.execute(delete(sessions).where(sessions.c.expires_at <= now))
            await connection.execute(
                insert(sessions).values(
                    digest=token_digest(token),
                    tenant=tenant,
                    csm_id=row["id"],
                    expires_at=now + SESSION,
                )
            )
            if stronger is not None:
                await connection.execute(
                    update(csms).where(csms.c.id == row["id"]).values(password_hash=stronger)
                )
        return _csm(row), token

    async def session(self, token: str) -> tuple[TenantId, Csm] | None:
        """Return who this session is; None when it is unknown, over, or they have left."""
        async with self._database.read() as connection:
            found = await connection.execute(
                select(csms)
                .join(sessions, sessions.c.csm_id == csms.c.id)
                .where(
                    sessions.c.digest == token_digest(token),
                    sessions.c.expires_at > self._clock.now(),
                    csms.c.active.is_(True),
                )
            )
            row = found.mappings().one_or_none()
        return (TenantId(row["tenant"]), _csm(row)) if row else None

    async def logout(self, token: str) -> None:
        """End a session."""
        async with self._database.write() as connection:
            await connection.execute(
                delete(sessions).where(sessions.c.digest == token_digest(token))
            )

    async def _hash(self, password: str, *, checked: bool = True) -> str:
        if checked and not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
            raise BadInputError(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters")
        async with self._hashing:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def _matches(self, hashed: str, password: str) -> bool:
        if len(password) > MAX_PASSWORD:
            password = ""  # as wrong as any, and as slow
        async with self._hashing:
            try:
                return await asyncio.to_thread(self._hasher.verify, hashed, password)
            except (VerificationError, InvalidHashError):
                return False


def token_digest(token: str) -> str:
    """Return what a secret token is kept as."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _name(name: str) -> str:
    plain = " ".join(name.replace("\x00", "").split())
    if not plain or len(plain) > 200:
        raise BadInputError("a name has 1 to 200 characters")
    return plain


def _mail(address: str) -> str:
    plain = mail_address(address)
    if plain is None:
        raise BadInputError("email is empty")
    return plain


def _csm(row: RowMapping) -> Csm:
    return Csm(
        id=CsmId(row["id"]),
        name=row["name"],
        email=row["email"],
        role=row["role"],
        slack_user=row["slack_user"],
    )
