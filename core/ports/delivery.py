"""The outbox and alarms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.conversations import Inbox
from core.ids import (
    ConversationId,
    OutboxId,
    TenantId,
)
from core.messages import (
    Outbound,
    Sent,
)


@dataclass(frozen=True, slots=True)
class Job:
    """One delivery job, claimed. `state` is `claimed` or `unknown` (then only reconciling is allowed)."""

    outbound: Outbound
    inbox: Inbox
    state: str
    attempts: int


class Outbox(Protocol):
    """Delivery jobs: first in, first out per conversation and address."""

    async def claim(self, limit: int = 16) -> Sequence[Job]:
        """Claim due jobs whose lane has nothing older in flight; expired claims come back as `unknown`."""
        ...

    async def sent(self, job: OutboxId, sent: Sent) -> None:
        """Record success."""
        ...

    async def retry(self, job: OutboxId, after: float, error: str) -> None:
        """Queue again in `after` seconds; a bot reply under a person's ownership is dropped instead."""
        ...

    async def unknown(self, job: OutboxId, after: float, error: str) -> None:
        """Mark that the provider may have it: reconcile in `after` seconds."""
        ...

    async def dead(self, job: OutboxId, error: str, reason: str) -> None:
        """Give up: record, and ask for a person (`undeliverable` or `unknown_send`)."""
        ...


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm that has fired."""

    tenant: str
    key: str
    kind: str
    payload: Mapping[str, str]


class Alarms(Protocol):
    """Times at which the truth is looked at again."""

    async def fire_due(self, limit: int = 50) -> Sequence[Alarm]:
        """Mark what is due as fired, apply what the store itself knows of it, and return it."""
        ...


class Beside(Protocol):
    """Another channel of the same conversation, for what this one cannot carry: a link said on the phone."""

    async def reaches(self, tenant: TenantId, channel: str, address: str) -> bool:
        """Return whether the tenant has an inbox on that channel and the address has not opted out of it."""
        ...

    async def send(
        self,
        tenant: TenantId,
        conversation: ConversationId,
        channel: str,
        address: str,
        text: str,
        since: int,
    ) -> bool:
        """Queue a notice there; False when it cannot be. The same text after message `since` is queued once."""
        ...
