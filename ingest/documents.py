"""Pages to documents ready to be stored: cut, named and digested.

Owns a document's path and digest. Reads nothing and stores nothing.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from core.ports import Document
from ingest.blocks import Page
from ingest.chunk import Count, chunk, estimate_pieces


@dataclass(frozen=True, slots=True)
class Made:
    """A document, and what the sync report should say about its page."""

    document: Document
    warnings: tuple[str, ...] = ()


PART = "#"  # between the path of a file that holds several pages and the page's own name
FORMAT = 2  # part of the digest: raise it when reading or chunking changes; every page is made anew


def documents(
    source: str,
    path: str,
    pages: Iterable[Page],
    locale: str,
    count: Count = estimate_pieces,
) -> tuple[Made, ...]:
    """Return a document for each page that has text; `locale` is for pages that declare none.

    A page of a file that holds several has the path `file#part`; a page that names its own URL keeps
    it. Two pages of one name are told apart by their place.
    """
    made: dict[str, Made] = {}
    for page in pages:
        name = f"{path}{PART}{page.part}" if page.part else path
        if name in made:
            name = f"{name}{PART}{len(made)}"
        chunks = chunk(page, count)
        if chunks:
            document = Document(
                source=source,
                path=name,
                title=page.title,
                digest=digest(page, locale),
                chunks=chunks,
                locale=page.locale or locale,
                url=page.url,
                editions=page.editions,
                internal=page.internal,
                metadata=page.metadata,
                version=page.version,
                valid_from=page.valid_from,
                valid_until=page.valid_until,
                author=page.author,
                review_by=page.review_by,
            )
            made[name] = Made(document, page.warnings)
    return tuple(made.values())


def belongs(path: str, file: str) -> bool:
    """Tell whether a document's path is that of a file or of a page within it."""
    return path == file or path.startswith(f"{file}{PART}")


def digest(page: Page, locale: str) -> str:
    """Return the SHA-256 of the normalised page, with all that decides who may see it and when."""
    content = [
        FORMAT,
        page.title,
        page.locale or locale,
        page.url,
        page.editions,
        page.internal,
        sorted(page.metadata.items()),
        page.version,
        page.author,
        [str(each) for each in (page.valid_from, page.valid_until, page.review_by)],
        [(b.kind, b.text, b.level, b.parts, b.anchor) for b in page.blocks],
    ]
    written = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()
