"""Conversations, contacts, inboxes, handoffs, and who may speak in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from core.ids import (
    AccountId,
    ContactId,
    ConversationId,
    CsmId,
    HandoffId,
    InboxId,
    TenantId,
)
from core.messages import Assurance
from core.settings import Section


class Mode(StrEnum):
    """Who answers: the bot, the bot's text sent by a CSM, or a human."""

    AUTO = "auto"
    DRAFT = "draft"
    MANUAL = "manual"


class Status(StrEnum):
    """Where a conversation stands."""

    OPEN = "open"
    WAITING_CUSTOMER = "waiting_customer"
    WAITING_US = "waiting_us"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Inbox:
    """One configured address of a channel. `kind` `team` is the CS team's own alert place.

    `settings` is the channel's Section, read with this inbox's environment prefix; secrets in it are SecretStr.
    """

    id: InboxId
    tenant: TenantId
    channel: str
    address: str
    kind: Literal["customer", "team"] = "customer"
    env_prefix: str = ""
    settings: Section | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """An address that leads to a contact."""

    kind: str
    value: str
    assurance: Assurance


@dataclass(frozen=True, slots=True)
class Account:
    """The company that pays. `edition` is its plan, an unknown one counts as the lowest; `arr` a year."""

    id: AccountId
    external_id: str
    name: str
    domains: tuple[str, ...] = ()
    edition: str = "starter"
    tier: str = "standard"
    region: str | None = None
    arr: float | None = None
    renewal_date: str | None = None
    owner: CsmId | None = None
    locale: str | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """A person. `external_id` is their id in the tenant's own system."""

    id: ContactId
    external_id: str | None = None
    name: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    account: Account | None = None
    identities: tuple[Identity, ...] = ()

    def address(self, kind: str, at_least: Assurance = Assurance.CHANNEL) -> str | None:
        """Return the surest address of this kind, or None when none is sure enough."""
        found = [i for i in self.identities if i.kind == kind and i.assurance.rank >= at_least.rank]
        return max(found, key=lambda i: i.assurance.rank).value if found else None


@dataclass(frozen=True, slots=True)
class Form:
    """A running multi-turn form: one thing asked per message, at most twice per slot."""

    name: str
    slots: Mapping[str, object] = field(default_factory=dict)
    asking: str | None = None
    asked: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conversation:
    """The thread. `version` changes only when owner, mode or status changes; `fence` with every claim."""

    id: ConversationId
    tenant: TenantId
    contact_id: ContactId
    status: Status
    mode: Mode | None
    owner: CsmId | None
    version: int
    fence: int
    seq: int
    created_at: datetime
    updated_at: datetime
    channel: str
    locale: str | None = None
    form: Form | None = None
    handoff: HandoffId | None = None
    subject: str | None = None
    memory: Mapping[str, object] = field(default_factory=dict)


class HandoffReason(StrEnum):
    """Why a person was asked for (design §4)."""

    ANGER = "anger"
    LEGAL_THREAT = "legal_threat"
    SAFETY = "safety"
    ASKED = "asked"
    REPEATED_FAILURE = "repeated_failure"
    BLOCKED_TWICE = "blocked_twice"
    HANDLER_FAILED = "handler_failed"
    LOW_CONFIDENCE = "low_confidence"
    UNDELIVERABLE = "undeliverable"
    UNKNOWN_SEND = "unknown_send"
    EFFECT_REFUSED = "effect_refused"
    PAUSED = "paused"
    LANGUAGE = "language"
    OPTED_OUT = "opted_out"


@dataclass(frozen=True, slots=True)
class Handoff:
    """A person asked for. `state`: requested → claimed → handed_back | resolved. Clocks are rows (alarms)."""

    id: HandoffId
    conversation_id: ConversationId
    reason: HandoffReason
    severity: Literal["normal", "high", "urgent"]
    state: Literal["requested", "claimed", "handed_back", "resolved"]
    summary: str
    requested_at: datetime
    sentiment: float = 0.0
    realerted_at: datetime | None = None
    breached_at: datetime | None = None
    claimed_at: datetime | None = None
    claimed_by: CsmId | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Csm:
    """A customer success manager who may take over.

    `role`: a viewer only looks; an approver is a csm who may also publish statements about money and
    policy; an admin may do everything.
    """

    id: CsmId
    name: str
    email: str
    role: Literal["admin", "approver", "csm", "viewer"] = "csm"
    slack_user: str | None = None
