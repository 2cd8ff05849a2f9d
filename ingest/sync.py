"""Bring what is stored of a source in line with its files: add, replace, tombstone, report.

Each document is committed by itself, so a killed run is resumed by running it again. A page that
cannot be read keeps its stored version. Encoding runs over batches that cross documents, because
short batches waste most of the encoder.
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core.errors import UnavailableError
from core.ids import TenantId
from core.ports import Document, Passages
from ingest.blocks import Page
from ingest.chunk import Count, chunk, embedding_text, estimate_pieces
from ingest.load import load
from ingest.sources.folder import Folder, Found, open_folder

logger = logging.getLogger(__name__)

Encode = Callable[[Sequence[str]], Awaitable[np.ndarray]]
Progress = Callable[[int, int, str], None]

BATCH_CHUNKS = 64
_FORMAT = 1  # part of the digest: raise it when chunking changes, and every page is made anew


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a run did, in documents. `failed` holds (path, why); `chunks` counts those encoded."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    failed: tuple[tuple[str, str], ...] = ()
    chunks: int = 0
    empty: tuple[str, ...] = ()


async def sync(
    tenant: TenantId,
    source: str,
    root: Path,
    passages: Passages,
    encode: Encode,
    progress: Progress | None = None,
    *,
    dry_run: bool = False,
    default_locale: str = "en",
    count: Count = estimate_pieces,
) -> SyncReport:
    """Bring the stored documents of `source` in line with the folder or file at `root`.

    `encode` turns n texts into an (n, dimensions) array of float32. `progress(done, total, path)`
    is called after each file. With `dry_run` nothing is encoded or stored. Raises NotFoundError
    when there is no root and UnavailableError when the database is down; what was committed before
    stays.
    """
    folder = await asyncio.to_thread(open_folder, root)
    run = _Run(tenant, source, passages, encode, dry_run=dry_run)
    run.stored = await passages.digests(tenant, source)
    for done, found in enumerate(folder.found, start=1):
        document = await run.read(found, default_locale, count)
        if document is not None:
            await run.take(document)
        if progress:
            progress(done, len(folder.found), found.path)
    await run.flush()
    return await run.finish(folder)


@dataclass(slots=True)
class _Run:
    """One run of sync: what is stored, what waits for the encoder, what was counted."""

    tenant: TenantId
    source: str
    passages: Passages
    encode: Encode
    dry_run: bool
    stored: Mapping[str, str] = field(default_factory=dict)
    waiting: list[Document] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    chunks: int = 0

    async def read(self, found: Found, locale: str, count: Count) -> Document | None:
        """Return the document in the file, or None and a note why there is none."""
        if found.refused:
            self.failed.append((found.path, found.refused))
            return None
        try:
            document = await asyncio.to_thread(_document, self.source, found, locale, count)
        except (ValueError, OSError) as error:
            self.failed.append((found.path, str(error)))
            return None
        except Exception as error:
            logger.exception("ingest.unreadable", extra={"path": found.path})
            self.failed.append((found.path, f"cannot be parsed ({type(error).__name__})"))
            return None
        if document is None:
            self.empty.append(found.path)
        return document

    async def take(self, document: Document) -> None:
        """Count an unchanged document, queue any other."""
        if self.stored.get(document.path) == document.digest:
            self.unchanged += 1
        elif self.dry_run:
            self._count(document)
        else:
            self.waiting.append(document)
            if sum(len(waiting.chunks) for waiting in self.waiting) >= BATCH_CHUNKS:
                await self.flush()

    async def flush(self) -> None:
        """Encode what waits in one batch; if that fails, document by document."""
        waiting, self.waiting = self.waiting, []
        if not waiting:
            return
        try:
            await self._store(waiting)
        except UnavailableError:
            raise
        except Exception:
            logger.exception("ingest.batch_failed", extra={"documents": len(waiting)})
            for document in waiting:
                await self._store_alone(document)

    async def _store_alone(self, document: Document) -> None:
        try:
            await self._store([document])
        except UnavailableError:
            raise
        except Exception as error:
            logger.exception("ingest.document_failed", extra={"path": document.path})
            self.failed.append((document.path, f"cannot be stored ({type(error).__name__})"))

    async def _store(self, documents: list[Document]) -> None:
        texts = [embedding_text(d, c) for d in documents for c in d.chunks]
        vectors = np.ascontiguousarray(await self.encode(texts), dtype="<f4")
        if len(vectors) != len(texts):
            raise ValueError(f"{len(vectors)} vectors for {len(texts)} chunks")
        at = 0
        while documents:
            size = len(documents[0].chunks)
            rows = [row.tobytes() for row in vectors[at : at + size]]
            await self.passages.put(self.tenant, documents[0], rows)
            # Taken off only now: what stays in the list after a failure is tried again alone.
            self._count(documents.pop(0))
            at += size

    def _count(self, document: Document) -> None:
        if document.path in self.stored:
            self.changed += 1
        else:
            self.added += 1
        self.chunks += len(document.chunks)

    async def finish(self, folder: Folder) -> SyncReport:
        """Tombstone what is no longer there, and report."""
        kept = {found.path for found in folder.found} - set(self.empty)
        gone = [path for path in self.stored if path not in kept]
        if not folder.is_whole:
            gone = [path for path in gone if path in self.empty]
        deleted = len(gone)
        if gone and not self.dry_run:
            deleted = await self.passages.delete(self.tenant, self.source, gone)
        return SyncReport(
            self.added,
            self.changed,
            self.unchanged,
            deleted,
            tuple(self.failed),
            self.chunks,
            tuple(self.empty),
        )


def _document(source: str, found: Found, locale: str, count: Count) -> Document | None:
    page = load(found.path, found.file.read_bytes())
    chunks = chunk(page, count) if page else ()
    if page is None or not chunks:
        return None
    return Document(
        source=source,
        path=found.path,
        title=page.title,
        digest=digest(page, locale),
        chunks=chunks,
        locale=page.locale or locale,
        url=page.url,
        editions=page.editions,
        internal=page.internal,
        metadata=page.metadata,
    )


def digest(page: Page, locale: str) -> str:
    """Return the SHA-256 of the normalised page, with all that decides who may see it."""
    content = [
        _FORMAT,
        page.title,
        page.locale or locale,
        page.url,
        page.editions,
        page.internal,
        sorted(page.metadata.items()),
        [(block.kind, block.text, block.level, block.parts) for block in page.blocks],
    ]
    written = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()
