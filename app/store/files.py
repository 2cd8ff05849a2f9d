"""Files in rows: put, got, and handed out by links that end.

A link's last part is `id.end.signature`, the end in hexadecimal seconds; the key is made of the tenant's own
secret, so that any process can sign and check, and a tenant's links end with its secret.
Not here: the files of a message while it is written (file_rows.py), those still to be fetched (file_queue.py).
"""

import base64
import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta

from sqlalchemy import RowMapping, delete, select

from app.store import file_rows
from app.store.database import Database
from app.store.models import files, tenants
from core.clock import Clock
from core.errors import NotFoundError
from core.files import judge
from core.ids import TenantId
from core.messages import Attachment
from core.ports import StoredFile

UNCARRIED = timedelta(days=1)
_TOKEN = re.compile(r"(fil_[0-9a-f]{32})\.([0-9a-f]{1,12})\.([A-Za-z0-9_-]{43})")


class SqlFiles:
    """Port `Files`."""

    def __init__(self, database: Database, clock: Clock, base_url: str = "") -> None:
        self._database = database
        self._clock = clock
        self._base_url = base_url.rstrip("/")

    async def put(self, tenant: TenantId, name: str, content_type: str, data: bytes) -> Attachment:
        """See the port."""
        judged = judge(name, content_type, data)
        async with self._database.write() as connection:
            return await file_rows.store(connection, tenant, None, judged, data, self._clock.now())

    async def get(self, tenant: TenantId, file: str) -> StoredFile:
        """See the port."""
        async with self._database.read() as connection:
            found = await connection.execute(
                select(files).where(
                    files.c.id == file, files.c.tenant == tenant, files.c.state == "ready"
                )
            )
            row = found.mappings().one_or_none()
        if row is None:
            raise NotFoundError("no such file")
        return _stored(row)

    async def link(self, tenant: TenantId, file: str, until: datetime) -> str:
        """See the port."""
        async with self._database.read() as connection:
            secret = await connection.scalar(
                select(tenants.c.widget_secret)
                .join(files, files.c.tenant == tenants.c.id)
                .where(files.c.id == file, tenants.c.id == tenant)
            )
        if secret is None:
            raise NotFoundError("no such file")
        end = f"{int(until.timestamp()):x}"
        return f"{self._base_url}/files/{file}.{end}.{_signature(secret, file, end)}"

    async def linked(self, token: str) -> StoredFile:
        """See the port."""
        parts = _TOKEN.fullmatch(token)
        if parts is None:
            raise NotFoundError("no such file")
        file, end, signature = parts.groups()
        async with self._database.read() as connection:
            secret = await connection.scalar(
                select(tenants.c.widget_secret)
                .join(files, files.c.tenant == tenants.c.id)
                .where(files.c.id == file)
            )
            # an unknown file costs as much as a known one with a wrong signature
            expected = _signature(secret or "", file, end)
            holds = hmac.compare_digest(expected, signature) and secret is not None
            if not holds or datetime.fromtimestamp(int(end, 16), UTC) < self._clock.now():
                raise NotFoundError("no such file")
            found = await connection.execute(
                select(files).where(files.c.id == file, files.c.state == "ready")
            )
            row = found.mappings().one_or_none()
        if row is None:
            raise NotFoundError("no such file")
        return _stored(row)

    async def sweep(self) -> int:
        """Remove what was put and never carried by a message; returns how many."""
        async with self._database.write() as connection:
            done = await connection.execute(
                delete(files).where(
                    files.c.message_id.is_(None),
                    files.c.created_at < self._clock.now() - UNCARRIED,
                )
            )
            return done.rowcount


def _signature(secret: str, file: str, end: str) -> str:
    key = hmac.new(secret.encode(), b"usher: links to files", hashlib.sha256).digest()
    digest = hmac.new(key, f"{file}.{end}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _stored(row: RowMapping) -> StoredFile:
    return StoredFile(
        id=row["id"],
        tenant=TenantId(row["tenant"]),
        name=row["name"],
        content_type=row["content_type"],
        size=row["size"],
        sha256=row["sha256"],
        data=bytes(row["data"]),
        created_at=row["created_at"],
    )
