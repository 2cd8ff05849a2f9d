"""Docs, search, answers, understanding and gaps."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, Protocol

from core.ids import (
    DocumentId,
    PassageId,
    TenantId,
)
from core.turns import Citation, Passage
from core.understanding import Said, Understanding


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document as ingest makes it; becomes a passage. `position` counts from 0."""

    position: int
    section: str
    text: str
    anchor: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A document ready to be stored.

    `path` is relative to its `source`; `digest` is SHA-256 of the normalised page. It is shown from
    `valid_from` until before `valid_until`, both aware. `metadata` is what the page says besides;
    `origin` what its source needs to skip it the next time (etag, raw, …); neither is searched.
    """

    source: str
    path: str
    title: str
    digest: str
    chunks: tuple[Chunk, ...]
    locale: str = "en"
    url: str | None = None
    editions: tuple[str, ...] = ()
    internal: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)
    version: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    author: str | None = None
    review_by: datetime | None = None
    origin: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredPage:
    """What a sync needs to know of a stored document: its `digest`, and the `origin` it came with."""

    digest: str
    origin: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EncodedChunk:
    """A stored chunk with all that its vector was made of, and the vector."""

    title: str
    section: str
    text: str
    vector: bytes


@dataclass(frozen=True, slots=True)
class Viewer:
    """For whom passages are retrieved: decides what is filtered on the server, not by a model.

    Without an `edition` the lowest counts, without a `locale` the tenant's own; `now` decides which
    pages are valid, None is the clock's now.
    """

    edition: str | None = None
    locale: str | None = None
    internal: bool = False
    now: datetime | None = None


class Passages(Protocol):
    """The truth about docs, in SQL. Indexes are rebuilt from it."""

    async def index_version(self, tenant: TenantId) -> int:
        """Return the number that moves with every change of this tenant's docs."""
        ...

    async def stored(self, tenant: TenantId, source: str) -> Mapping[str, StoredPage]:
        """Return path → what is stored of the live documents of a source."""
        ...

    async def note_origin(
        self, tenant: TenantId, source: str, origins: Mapping[str, Mapping[str, str]]
    ) -> None:
        """Replace the `origin` of unchanged documents, by path; `index_version` stays."""
        ...

    async def encoded(
        self, tenant: TenantId, source: str, paths: Sequence[str]
    ) -> Sequence[EncodedChunk]:
        """Return what the live documents at `paths` have been encoded as, in no order."""
        ...

    async def put(
        self, tenant: TenantId, document: Document, vectors: Sequence[bytes]
    ) -> DocumentId:
        """Store a document with one float32 little-endian vector per chunk, replacing its older version."""
        ...

    async def delete(self, tenant: TenantId, source: str, paths: Sequence[str]) -> int:
        """Tombstone documents; they stop answering at once. Returns how many."""
        ...

    async def resolve(
        self, tenant: TenantId, ids: Sequence[PassageId], viewer: Viewer
    ) -> Mapping[PassageId, Passage]:
        """Return the passages that exist, are not tombstoned and that the viewer may see."""
        ...

    def scan(self, tenant: TenantId) -> AsyncIterator[tuple[Passage, bytes]]:
        """Yield every live passage with its vector, for building an index."""
        ...


class Retriever(Protocol):
    """Hybrid search over a tenant's docs."""

    async def search(
        self, tenant: TenantId, query: str, talk: Sequence[Said], viewer: Viewer, k: int = 8
    ) -> Sequence[Passage]:
        """Return up to k passages, best first, score in [0, 1] comparable within the search."""
        ...


@dataclass(frozen=True, slots=True)
class Extract:
    """An answer made of the docs' own sentences. `action`: answer | ask_back | decline.

    `text` carries [n] markers that `citations` resolve; `options` are choices for ask_back;
    `query` is what was searched for. Of several questions in one message `missing` are those without an
    answer and `skipped` counts those not looked at.
    """

    action: str
    text: str
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    confidence: float
    reasons: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    query: str = ""
    missing: tuple[str, ...] = ()
    skipped: int = 0


class Answers(Protocol):
    """Answers without a language model: retrieval, decision and extraction."""

    async def answer(
        self,
        tenant: TenantId,
        question: str,
        talk: Sequence[Said],
        viewer: Viewer,
        k: int = 8,
        max_chars: int = 900,
    ) -> Extract:
        """Return the sentences that best answer, with citations, or say that they do not exist."""
        ...

    async def support(self, text: str, sources: Sequence[str]) -> float:
        """Return in [0, 1] how far the sources support the text."""
        ...


class Understands(Protocol):
    """One encoder pass over a message."""

    async def understand(
        self, tenant: TenantId, text: str, talk: Sequence[Said], now: datetime, time_zone: str
    ) -> Understanding:
        """Return what the message means; never raises for odd text."""
        ...


@dataclass(frozen=True, slots=True)
class Gap:
    """A question nobody could answer well, in all its wordings, personal data masked.

    `times` it was asked by `contacts` different people; `kinds` says how the answer failed, the most
    frequent first; `nearest` are paths of documents. `document_id` is the answer that was approved
    for it, which may since have failed again.
    """

    id: str
    question: str
    kind: str
    times: int
    contacts: int
    status: str
    first_at: datetime
    last_at: datetime
    nearest: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    wordings: int = 1
    document_id: DocumentId | None = None
    closed_by: str | None = None
    closed_at: datetime | None = None
    close_reason: str | None = None


UseKind = Literal["answers", "liked", "disliked", "handed_over"]


class DocumentUses(Protocol):
    """How documents fare: counted by day, one row a document."""

    async def record_use(
        self, tenant: TenantId, document_ids: Sequence[DocumentId], day: date, kind: UseKind
    ) -> None:
        """Count one use of each document on a UTC day; documents of others are left out."""
        ...


class Gaps(Protocol):
    """Knowledge gaps, grouped."""

    async def open_gaps(self, tenant: TenantId, limit: int = 50) -> Sequence[Gap]:
        """Return open gaps, those that cost most contacts first."""
        ...
