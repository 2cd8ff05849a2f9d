"""Bring what is stored of a source in line with its files: add, replace, tombstone, report.

Each document is committed by itself, so a killed run is resumed by running it again. A file that
cannot be had or read keeps its stored pages; only what a whole listing no longer has is deleted, and
not when that would be most of the source. Encoding runs over batches that cross documents, because
short batches waste most of the encoder.
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from core.errors import UnavailableError
from core.ids import TenantId
from core.ports import Document, Passages, StoredPage
from ingest.blocks import Page
from ingest.chunk import Count, embedding_text, estimate_pieces, framed
from ingest.documents import FORMAT, documents
from ingest.origins import Found, IngestSettings, Listing, Options, Request, SourceSpec
from ingest.reading import Reader
from ingest.report import SyncReport

logger = logging.getLogger(__name__)

Encode = Callable[[Sequence[str]], Awaitable[np.ndarray]]
Progress = Callable[[int, int, str], None]

BATCH_CHUNKS = 256  # sorted by length: 13 % of the work is padding; of 64 it is 33 %
SMALL = 10  # pages; a smaller source may lose most of them at once


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a source's files come from, and how."""

    spec: SourceSpec
    location: str
    options: Options = field(default_factory=Options)
    settings: IngestSettings = field(default_factory=IngestSettings)
    var_dir: Path = Path("var")


async def sync(
    tenant: TenantId,
    source: str,
    origin: Origin,
    passages: Passages,
    encode: Encode,
    progress: Progress | None = None,
    *,
    dry_run: bool = False,
    confirm: bool = False,
    partial: bool = False,
    default_locale: str = "en",
    count: Count = estimate_pieces,
    made: Callable[[Document], object] | None = None,
) -> SyncReport:
    """Bring the stored documents of `source` in line with what `origin` holds.

    `encode` turns n texts into an (n, dimensions) array of float32. `progress(done, total, path)`
    is called after each file. With `dry_run` nothing is encoded or stored; `confirm` deletes even
    most of the source; `partial` deletes nothing for being absent. `made` is told each document that
    is, or would be, stored. Raises NotFoundError, BadInputError, ForbiddenError or UnavailableError
    when there is nothing to be had, and UnavailableError when the database is down; what was
    committed before stays.
    """
    run = _Run(tenant, source, origin, passages, encode, default_locale, dry_run=dry_run)
    run.tell = made
    known = run.begin(await passages.stored(tenant, source))
    listing = Listing(whole=not partial)
    own = hashlib.sha256(json.dumps([tenant, source, origin.location]).encode()).hexdigest()[:32]
    cache = origin.var_dir / "sources" / own
    request = Request(origin.location, origin.options, origin.settings, listing, known, cache)
    done = 0
    async with (
        Reader(guess=origin.options.locale is None) as reader,
        aclosing(origin.spec.files(request)) as files,
    ):
        async for found in files:
            done += 1
            for document in await run.read(reader, found, count):
                await run.take(document)
            if progress:
                progress(done, max(done, listing.total or 0), found.path)
    await run.flush()
    return await run.finish(listing, confirm=confirm)


@dataclass(slots=True)
class _Run:
    """One run of sync: what is stored, what waits for the encoder, what was counted."""

    tenant: TenantId
    source: str
    origin: Origin
    passages: Passages
    encode: Encode
    locale: str
    dry_run: bool
    stored: Mapping[str, StoredPage] = field(default_factory=dict)
    of_file: dict[str, list[str]] = field(default_factory=dict)
    of_digest: dict[str, str] = field(default_factory=dict)
    known: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    waiting: list[Document] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    warnings: list[tuple[str, str]] = field(default_factory=list)
    changes: list[tuple[str, str]] = field(default_factory=list)
    origins: dict[str, Mapping[str, str]] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    unchanged: int = 0
    chunks: int = 0
    reused: int = 0

    made: str = ""
    tell: Callable[[Document], object] | None = None

    def begin(self, stored: Mapping[str, StoredPage]) -> Mapping[str, Mapping[str, str]]:
        """Return file → origin of those whose stored pages are still what would be made of them."""
        # what decides, besides a file's bytes, what is made of it
        made = json.dumps([FORMAT, self.locale, asdict(self.origin.options)])
        self.made = hashlib.sha256(made.encode()).hexdigest()[:16]
        self.stored = stored
        self.of_digest = {page.digest: path for path, page in stored.items()}
        for path, page in stored.items():
            self.of_file.setdefault(page.origin.get("file", path), []).append(path)
        self.known = {
            file: stored[paths[0]].origin
            for file, paths in self.of_file.items()
            if all(self._is_current(stored[path], len(paths)) for path in paths)
        }
        return self.known

    def _is_current(self, page: StoredPage, pages: int) -> bool:
        # the number of pages tells whether one of them could not be stored the last time
        return page.origin.get("made") == self.made and page.origin.get("pages") == str(pages)

    async def read(self, reader: Reader, found: Found, count: Count) -> tuple[Document, ...]:
        """Return the documents in the file; when there are none, or nothing changed, note it."""
        if found.path in self.files:
            self.failed.append((found.path, "comes twice"))
            return ()
        self.files.add(found.path)
        if found.gone:
            return ()
        raw = hashlib.sha256(found.data).hexdigest() if found.data is not None else ""
        if self._is_known(found, raw):
            return ()
        if found.data is None:
            return self._unread(found.path, found.refused or "cannot be had")
        try:
            pages = await reader.read(
                found.reads_as or found.path, found.data, found.charset, found.media_type
            )
            own = [self._own(page, found) for page in pages]
            made = await asyncio.to_thread(
                documents, self.source, found.path, own, self.locale, count
            )
        except (ValueError, OSError) as error:
            return self._unread(found.path, str(error))
        except Exception as error:
            logger.exception("ingest.unreadable", extra={"path": found.path})
            return self._unread(found.path, f"cannot be parsed ({type(error).__name__})")
        self.warnings.extend((m.document.path, why) for m in made for why in m.warnings)
        self.seen.update(m.document.path for m in made)
        if not made:
            self.empty.append(found.path)
        kept = {"file": found.path, "raw": raw, "made": self.made, "pages": str(len(made))}
        origin = {**found.origin, **kept}
        return tuple(replace(m.document, origin=origin) for m in made)

    def _is_known(self, found: Found, raw: str) -> bool:
        """Tell whether a file is what it was; then its pages are unchanged, unparsed."""
        known = self.known.get(found.path)
        if known is None or not (found.same or known.get("raw") == raw):
            return False
        own = self.of_file[found.path]
        if found.origin and any(known.get(key) != value for key, value in found.origin.items()):
            self.origins.update({path: {**known, **found.origin} for path in own})
        self.seen.update(own)
        self.unchanged += len(own)
        return True

    def _own(self, page: Page, found: Found) -> Page:
        """Return the page with what the source says of pages that do not say it themselves."""
        options = self.origin.options
        return replace(
            page,
            locale=page.locale or options.locale,
            url=page.url or found.url,
            editions=page.editions or options.editions,
            internal=page.internal or options.internal,
            version=page.version or options.version,
        )

    def _unread(self, path: str, why: str) -> tuple[Document, ...]:
        """Keep what is stored of a file that cannot be read."""
        self.failed.append((path, why))
        self.seen.update(self.of_file.get(path, ()))
        return ()

    async def take(self, document: Document) -> None:
        """Count an unchanged document, queue any other."""
        stored = self.stored.get(document.path)
        if stored is not None and stored.digest == document.digest:
            self.unchanged += 1
            if stored.origin != document.origin:
                self.origins[document.path] = document.origin
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
        vectors = await self._vectors(documents)
        while documents:
            texts = [embedding_text(documents[0], chunk) for chunk in documents[0].chunks]
            await self.passages.put(self.tenant, documents[0], [vectors[text] for text in texts])
            # Taken off only now: what stays in the list after a failure is tried again alone.
            self._count(documents.pop(0))

    async def _vectors(self, documents: Sequence[Document]) -> Mapping[str, bytes]:
        """Return text → vector; only texts that the stored versions did not have are encoded."""
        # a page that moved is found by what it says
        paths = (
            d.path if d.path in self.stored else self.of_digest.get(d.digest) for d in documents
        )
        before = [path for path in paths if path is not None]
        kept = await self.passages.encoded(self.tenant, self.source, before) if before else ()
        vectors = {framed(each.title, each.section, each.text): each.vector for each in kept}
        texts = dict.fromkeys(embedding_text(d, c) for d in documents for c in d.chunks)
        fresh = [text for text in texts if text not in vectors]
        if fresh:
            rows = np.ascontiguousarray(await self.encode(fresh), dtype="<f4")
            if len(rows) != len(fresh):
                raise ValueError(f"{len(rows)} vectors for {len(fresh)} chunks")
            vectors.update((text, row.tobytes()) for text, row in zip(fresh, rows, strict=True))
        self.reused += sum(len(d.chunks) for d in documents) - len(fresh)
        return vectors

    def _count(self, document: Document) -> None:
        self.changes.append(("changed" if document.path in self.stored else "added", document.path))
        self.chunks += len(document.chunks)
        if self.tell is not None:
            self.tell(document)

    async def finish(self, listing: Listing, *, confirm: bool) -> SyncReport:
        """Tombstone what is no longer there, and report."""
        gone, held_back = self._gone(listing), []
        share = 1 - len(gone) / max(1, len(self.stored))
        if len(self.stored) >= SMALL and share < self.origin.settings.keep_share and not confirm:
            gone, held_back = [], gone
        if not self.dry_run:
            if gone:
                await self.passages.delete(self.tenant, self.source, gone)
            if self.origins:
                await self.passages.note_origin(self.tenant, self.source, self.origins)
        self.changes.extend(("deleted", path) for path in gone)
        done = [change for change, _ in self.changes]
        return SyncReport(
            added=done.count("added"),
            changed=done.count("changed"),
            unchanged=self.unchanged,
            deleted=len(gone),
            failed=tuple(self.failed),
            chunks=self.chunks,
            reused=self.reused,
            empty=tuple(self.empty),
            warnings=tuple(self.warnings),
            held_back=tuple(held_back),
            notes=tuple(listing.notes),
            pages=tuple(self.changes),
        )

    def _gone(self, listing: Listing) -> list[str]:
        """Return the stored pages that are no longer there, of a partial listing those of its files."""
        gone = [path for path in self.stored if path not in self.seen]
        if listing.whole:
            return gone
        return [p for p in gone if self.stored[p].origin.get("file", p) in self.files]
