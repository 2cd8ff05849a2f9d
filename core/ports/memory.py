"""What is remembered about a contact, for long and for a moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.ids import (
    ContactId,
    ConversationId,
    FactId,
    TenantId,
)
from core.understanding import Said


@dataclass(frozen=True, slots=True)
class Fact:
    """Something remembered about a contact, with where it is from. `confidence` in [0, 1]."""

    id: FactId
    contact_id: ContactId
    key: str
    value: str
    source: str
    confidence: float
    created_at: datetime


class Facts(Protocol):
    """Facts about contacts: the truth is SQL; search goes through vectors and is resolved against it."""

    async def put(
        self,
        tenant: TenantId,
        contact: ContactId,
        key: str,
        value: str,
        source: str,
        confidence: float = 1.0,
    ) -> Fact:
        """Remember; the same key replaces the older value. Raises BadInputError for what may not be stored."""
        ...

    async def all(self, tenant: TenantId, contact: ContactId) -> Sequence[Fact]:
        """Return everything remembered, newest first."""
        ...

    async def forget(self, tenant: TenantId, contact: ContactId, key: str | None = None) -> int:
        """Forget one key or everything; returns how many facts."""
        ...


class Recall(Protocol):
    """Search over a contact's facts."""

    async def recall(
        self, tenant: TenantId, contact: ContactId, query: str, k: int = 3
    ) -> Sequence[Fact]:
        """Return the facts nearest in meaning that still exist."""
        ...


class Window(Protocol):
    """A short-lived copy of a talk and its running form, for whoever must know it at once."""

    async def put_window(
        self, tenant: TenantId, conversation: ConversationId, talk: Sequence[Said]
    ) -> None:
        """Keep the last utterances, oldest first."""
        ...

    async def put_form(
        self, tenant: TenantId, conversation: ConversationId, form: Mapping[str, object]
    ) -> None:
        """Keep a copy of the running form; an empty one is dropped."""
        ...
