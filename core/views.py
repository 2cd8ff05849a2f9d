"""What the console, the API and the metrics read: flat pictures of rows, never written back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Literal, TypeVar

from core.conversations import Handoff, Mode, Status
from core.ids import (
    ContactId,
    ConversationId,
    CsmId,
    DocumentId,
    MessageId,
    TenantId,
    TurnId,
)
from core.messages import Author

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list. `cursor` asks for the next one; None when this is the last."""

    items: tuple[T, ...]
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Tenant:
    """One team that runs the service. `index_version` moves with every change of its docs."""

    id: TenantId
    name: str
    created_at: datetime
    index_version: int = 0


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as it is kept; the secret itself is shown once, when it is made."""

    id: str
    tenant: TenantId
    name: str
    scope: Literal["secret", "widget"]
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to what. `actor` is a CSM's id, an API key's id, `cli` or `system`."""

    id: str
    actor: str
    action: str
    subject: str | None
    detail: Mapping[str, object]
    at: datetime


@dataclass(frozen=True, slots=True)
class SavedResponse:
    """What a write was answered, kept for the caller who asks again with the same key."""

    status: int
    body: object


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One line of the CSM's inbox. `last_text` is at most 300 characters; `drafts` wait for a decision."""

    id: ConversationId
    contact_id: ContactId
    contact: str | None
    external_id: str | None
    account: str | None
    tier: str | None
    edition: str | None
    channel: str
    status: Status
    mode: Mode | None
    owner: CsmId | None
    owner_name: str | None
    subject: str | None
    locale: str | None
    updated_at: datetime
    last_text: str = ""
    last_author: Author | None = None
    last_at: datetime | None = None
    seq: int = 0
    drafts: int = 0
    handoff: Handoff | None = None


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody a mail would reach. `outsider`: neither a contact of the account nor of its domain.

    `known`: a person wrote there in this conversation before.
    """

    address: str
    name: str | None
    outsider: bool
    known: bool


@dataclass(frozen=True, slots=True)
class Recipients:
    """Whom a reply by mail would reach: `to` surely, `cc` if a person wants it."""

    to: Recipient
    cc: tuple[Recipient, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """One live document of a tenant, without its text. `passages` counts what can be cited of it."""

    id: DocumentId
    source: str
    path: str
    title: str
    locale: str
    internal: bool
    passages: int
    updated_at: datetime
    url: str | None = None
    editions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceRow:
    """Where docs come from. `options` are those of ingest/origins.py, `every_hours` None is by hand only.

    `last_report` is what the newest run did, or its `error`. `lease` is set while a run has it.
    """

    id: str
    tenant: TenantId
    name: str
    kind: str
    location: str
    options: Mapping[str, object]
    every_hours: float | None
    next_at: datetime | None
    last_at: datetime | None
    last_report: Mapping[str, object] | None
    created_at: datetime
    lease: datetime | None = None


@dataclass(frozen=True, slots=True)
class GapQuestion:
    """One wording of a gap, asked `times` times. `vector` is float32 little-endian; None before it is encoded."""

    id: str
    text: str
    vector: bytes | None
    times: int = 1


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asked a gap's question, and in which conversation first."""

    contact_id: ContactId
    conversation_id: ConversationId
    name: str | None
    channel: str
    status: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """An approved answer as an editor sees it. `aliases` are other wordings it is found by, never shown.

    `version` counts from 1 and grows with every edit; `gap` is the gap it was written for.
    """

    id: DocumentId
    path: str
    question: str
    text: str
    aliases: tuple[str, ...]
    gap: str | None
    locale: str
    internal: bool
    editions: tuple[str, ...]
    version: int
    author: str
    approved_by: str
    review_by: datetime | None
    updated_at: datetime
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LibraryRow:
    """One live document as the team sees it, with how it fared over some days."""

    id: DocumentId
    source: str
    path: str
    title: str
    locale: str
    internal: bool
    editions: tuple[str, ...]
    version: str | None
    author: str | None
    valid_from: datetime | None
    valid_until: datetime | None
    review_by: datetime | None
    updated_at: datetime
    url: str | None
    passages: int
    answers: int = 0
    liked: int = 0
    disliked: int = 0
    handed_over: int = 0


@dataclass(frozen=True, slots=True)
class PageUse:
    """How one document fared over some days."""

    id: DocumentId
    path: str
    title: str
    source: str
    updated_at: datetime
    answers: int = 0
    liked: int = 0
    disliked: int = 0
    handed_over: int = 0


@dataclass(frozen=True, slots=True)
class Trace:
    """One turn as it was: what was understood, retrieved, decided and checked, and how long it took.

    `state` is `committed` or `dropped` (somebody else owned the conversation by then).
    """

    id: TurnId
    conversation_id: ConversationId
    handler: str
    state: str
    trace: Mapping[str, object]
    started_at: datetime
    ended_at: datetime
    inbound: tuple[MessageId, ...] = ()
    outbound: tuple[MessageId, ...] = ()


@dataclass(frozen=True, slots=True)
class Counts:
    """Gauges over all tenants, for /metrics."""

    outbox_queued: int = 0
    outbox_unknown: int = 0
    outbox_dead: int = 0
    work_due: int = 0
    handoffs_requested: int = 0


@dataclass(frozen=True, slots=True)
class BacktestRow:
    """A run of past questions. `summary` is how it stands; `report` is empty in lists and until it is done."""

    id: str
    tenant: TenantId
    name: str
    created_at: datetime
    summary: Mapping[str, object]
    report: Mapping[str, object] = field(default_factory=dict)
