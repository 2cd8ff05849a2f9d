"""Files of conversations: kept, fetched later, handed out by signed links. Leases: who alone does a thing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.conversations import Inbox
from core.files import Judged
from core.ids import ConversationId, TenantId
from core.messages import Attachment


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file with its bytes. `sha256` in hex, `size` in bytes; the content type is what the bytes are."""

    id: str
    tenant: TenantId
    name: str
    content_type: str
    size: int
    sha256: str
    data: bytes
    created_at: datetime


class Files(Protocol):
    """The files of a tenant."""

    async def put(self, tenant: TenantId, name: str, content_type: str, data: bytes) -> Attachment:
        """Keep a file that some message will carry within a day, and return it with its id.

        What may not be kept comes back without an id, `refused` saying why (core/files.py REASONS).
        """
        ...

    async def get(self, tenant: TenantId, file: str) -> StoredFile:
        """Return a file. Raises NotFoundError, also for one that is not here yet or was refused."""
        ...

    async def link(self, tenant: TenantId, file: str, until: datetime) -> str:
        """Return a signed URL under which anybody may download it until then. Raises NotFoundError."""
        ...

    async def linked(self, token: str) -> StoredFile:
        """Return the file a link's last part stands for. Raises NotFoundError for one that is forged or over."""
        ...


@dataclass(frozen=True, slots=True)
class PendingFile:
    """A file known by its URL alone, claimed for a minute. `attempts` counts this one.

    `channel` and `locale` are the conversation's, for telling its customer.
    """

    id: str
    tenant: TenantId
    name: str
    content_type: str
    size: int
    url: str
    attempts: int
    inbox: Inbox | None
    channel: str
    locale: str | None


class FileQueue(Protocol):
    """What is still to be fetched."""

    async def claim(self, limit: int) -> Sequence[PendingFile]:
        """Claim files that are due, the oldest first; one claimed and never settled comes back."""
        ...

    async def kept(self, file: PendingFile, judged: Judged, data: bytes) -> ConversationId | None:
        """Keep the bytes; returns the conversation it belongs to, None when it was erased meanwhile."""
        ...

    async def refuse(
        self, file: PendingFile, judged: Judged, notice: str | None
    ) -> ConversationId | None:
        """Record why it is not kept, and queue the notice unless this message's customer was told already."""
        ...

    async def retry(self, file: PendingFile, after: float) -> None:
        """Let it be claimed again in `after` seconds."""
        ...


class Leases(Protocol):
    """Who alone may do a thing, by the database's clock."""

    async def take(self, name: str, holder: str, seconds: float) -> bool:
        """Take or renew a lease; False while somebody else has it."""
        ...

    async def drop(self, name: str, holder: str) -> None:
        """Give it up, if it is ours."""
        ...
