"""In-memory doubles of the knowledge ports, for tests and benchmarks."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from core.ids import ContactId, DocumentId, FactId, PassageId, TenantId
from core.ports import Document, EncodedChunk, Fact, StoredPage, Viewer
from core.turns import Passage


@dataclass(slots=True)
class _Stored:
    document: Document
    passages: tuple[Passage, ...]
    vectors: tuple[bytes, ...]


@dataclass(slots=True)
class MemoryPassages:
    """Passages in dictionaries. `hidden` ids exist in indexes but no longer resolve."""

    documents: dict[tuple[TenantId, str, str], _Stored] = field(default_factory=dict)
    versions: dict[TenantId, int] = field(default_factory=dict)
    hidden: set[PassageId] = field(default_factory=set)
    scans: int = 0

    async def index_version(self, tenant: TenantId) -> int:
        return self.versions.get(tenant, 0)

    async def stored(self, tenant: TenantId, source: str) -> Mapping[str, StoredPage]:
        return {
            path: StoredPage(stored.document.digest, stored.document.origin)
            for (owner, origin, path), stored in self.documents.items()
            if (owner, origin) == (tenant, source)
        }

    async def note_origin(
        self, tenant: TenantId, source: str, origins: Mapping[str, Mapping[str, str]]
    ) -> None:
        for path, origin in origins.items():
            stored = self.documents[tenant, source, path]
            stored.document = replace(stored.document, origin=origin)

    async def encoded(
        self, tenant: TenantId, source: str, paths: Sequence[str]
    ) -> Sequence[EncodedChunk]:
        return [
            EncodedChunk(passage.title, passage.section, passage.text, vector)
            for (owner, origin, path), stored in self.documents.items()
            if (owner, origin) == (tenant, source) and path in paths
            for passage, vector in zip(stored.passages, stored.vectors, strict=True)
        ]

    async def put(
        self, tenant: TenantId, document: Document, vectors: Sequence[bytes]
    ) -> DocumentId:
        version = self.versions[tenant] = self.versions.get(tenant, 0) + 1
        document_id = DocumentId(f"doc_{tenant}_{document.path}")
        passages = tuple(
            Passage(
                id=PassageId(f"psg_{tenant}_{version}_{chunk.position}"),
                document_id=document_id,
                document=document.path,
                title=document.title,
                section=chunk.section,
                text=chunk.text,
                url=document.url,
                anchor=chunk.anchor,
                locale=document.locale,
                editions=document.editions,
                internal=document.internal,
            )
            for chunk in document.chunks
        )
        stored = _Stored(document, passages, tuple(vectors))
        self.documents[tenant, document.source, document.path] = stored
        return document_id

    async def delete(self, tenant: TenantId, source: str, paths: Sequence[str]) -> int:
        gone = [self.documents.pop((tenant, source, path), None) for path in paths]
        self.versions[tenant] = self.versions.get(tenant, 0) + 1
        return len(gone) - gone.count(None)

    async def resolve(
        self, tenant: TenantId, ids: Sequence[PassageId], viewer: Viewer
    ) -> Mapping[PassageId, Passage]:
        wanted = set(ids) - self.hidden
        return {
            passage.id: passage
            for (owner, _, _), stored in self.documents.items()
            for passage in stored.passages
            if owner == tenant and passage.id in wanted and _may_see(passage, viewer)
        }

    async def scan(self, tenant: TenantId) -> AsyncIterator[tuple[Passage, bytes]]:
        self.scans += 1
        for (owner, _, _), stored in list(self.documents.items()):
            if owner == tenant:
                for pair in zip(stored.passages, stored.vectors, strict=True):
                    yield pair


def _may_see(passage: Passage, viewer: Viewer) -> bool:
    return (viewer.internal or not passage.internal) and (
        not passage.editions or viewer.edition is None or viewer.edition in passage.editions
    )


@dataclass(slots=True)
class MemoryFacts:
    """Facts in a list."""

    facts: list[tuple[TenantId, Fact]] = field(default_factory=list)

    async def put(
        self,
        tenant: TenantId,
        contact: ContactId,
        key: str,
        value: str,
        source: str,
        confidence: float = 1.0,
    ) -> Fact:
        raise NotImplementedError

    def add(self, tenant: TenantId, fact: Fact) -> Fact:
        self.facts.append((tenant, fact))
        return fact

    async def all(self, tenant: TenantId, contact: ContactId) -> Sequence[Fact]:
        return [
            fact
            for owner, fact in reversed(self.facts)
            if owner == tenant and fact.contact_id == contact
        ]

    async def forget(self, tenant: TenantId, contact: ContactId, key: str | None = None) -> int:
        gone = [
            (owner, fact)
            for owner, fact in self.facts
            if owner == tenant and fact.contact_id == contact and key in (None, fact.key)
        ]
        for row in gone:
            self.facts.remove(row)
        return len(gone)


@dataclass(slots=True)
class MemoryCache:
    """A cache that never expires; `down` makes it forget, as the real one does without Redis."""

    values: dict[str, str] = field(default_factory=dict)
    ttls: dict[str, float] = field(default_factory=dict)
    down: bool = False

    async def get(self, key: str) -> str | None:
        return None if self.down else self.values.get(key)

    async def put(self, key: str, value: str, ttl: float) -> None:
        if not self.down:
            self.values[key] = value
            self.ttls[key] = ttl

    async def drop(self, key: str) -> None:
        self.values.pop(key, None)

    async def allow(self, key: str, limit: int, per: float) -> bool:
        return True

    async def healthy(self) -> bool:
        return not self.down


def fact(contact: str, key: str, value: str, source: str = "customer") -> Fact:
    """Return a fact about a contact."""
    from tests.conftest import NOON

    return Fact(
        id=FactId(f"fct_{contact}_{key}"),
        contact_id=ContactId(contact),
        key=key,
        value=value,
        source=source,
        confidence=1.0,
        created_at=NOON,
    )


def unit_vectors(count: int, seed: int = 7) -> list[bytes]:
    """Return float32 vectors [384] of length 1, as bytes."""
    rows = np.random.default_rng(seed).normal(size=(count, 384)).astype("<f4")
    return [row.tobytes() for row in rows / np.linalg.norm(rows, axis=1, keepdims=True)]


__all__ = ["MemoryCache", "MemoryFacts", "MemoryPassages", "fact", "replace", "unit_vectors"]
