"""Where a customer of the web chat can be reached when the chat is closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.conversations import Inbox
from core.ids import ConversationId, TenantId
from core.messages import Assurance


@dataclass(frozen=True, slots=True)
class Reachable:
    """What a customer said for one conversation. `address` None: asked, and declined."""

    channel: str
    address: str | None
    assurance: Assurance


@dataclass(frozen=True, slots=True)
class Unread:
    """Replies of a person that no widget has acknowledged, and where their reader can be reached.

    `visitor` is the reader's address in the web chat, `key` that of its inbox; `first` and `last` are seqs.
    """

    tenant: TenantId
    conversation: ConversationId
    reach: Reachable
    visitor: str
    key: str
    author_name: str
    texts: tuple[str, ...]
    first: int
    last: int
    locale: str


class Reaches(Protocol):
    """Where an answer goes that nobody is there to read."""

    async def of(self, tenant: TenantId, conversation: ConversationId) -> Reachable | None:
        """Return what was said; None when nobody was asked."""
        ...

    async def give(
        self, tenant: TenantId, conversation: ConversationId, reach: Reachable, now: datetime
    ) -> None:
        """Keep where, or that they declined; an address becomes an identity of the contact as sure as it is.

        What the contact has proven before is proven. Raises NotFoundError.
        """
        ...

    async def unread(self, before: datetime, limit: int = 20) -> Sequence[Unread]:
        """Return what was written before a moment, is still unread, and was not told of.

        Never what would go to an address that opted out.
        """
        ...

    async def tell(self, unread: Unread, inbox: Inbox, subject: str, text: str) -> bool:
        """Queue the notice and note that it was; False when another worker was faster."""
        ...

    async def send_transcript(
        self,
        inbox: Inbox,
        conversation: ConversationId,
        address: str,
        subject: str,
        text: str,
        shown: str,
    ) -> None:
        """Queue the conversation as a mail; `shown` is what stands of it in the conversation itself."""
        ...
