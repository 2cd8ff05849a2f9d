"""Bytes of a file to pages: finds the formats and chooses one.

Owns which files count as docs. Reads no files (sources do), cuts nothing into chunks (chunk.py
does), and protects nobody from a hanging parser (reading.py does).
"""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from pathlib import PurePosixPath

from core.errors import MisconfiguredError
from ingest import formats
from ingest.blocks import Page
from ingest.spec import FormatSpec, Raw


@cache
def known_formats() -> Mapping[str, FormatSpec]:
    """Return name → format for every public module of `ingest/formats`.

    Raises MisconfiguredError, naming the file, when one declares no FORMAT of its own name.
    """
    found = {}
    for module in sorted(pkgutil.iter_modules(formats.__path__), key=lambda m: m.name):
        if module.name.startswith("_"):
            continue
        path = f"{formats.__name__}.{module.name}"
        spec = getattr(importlib.import_module(path), "FORMAT", None)
        if not isinstance(spec, FormatSpec) or spec.name != module.name:
            raise MisconfiguredError(f"{path} declares no FORMAT named {module.name!r}")
        found[spec.name] = spec
    return found


SUFFIXES = frozenset(suffix for spec in known_formats().values() for suffix in spec.suffixes)


def size_limit(path: str) -> int:
    """Return how many bytes a file may have, by its suffix; 0 for one that is no docs."""
    suffix = PurePosixPath(path).suffix.lower()
    fitting = [spec.max_bytes for spec in known_formats().values() if suffix in spec.suffixes]
    return max(fitting, default=0)


def formats_of(raw: Raw, media_type: str | None = None) -> tuple[FormatSpec, ...]:
    """Return the formats a file may be of, the likeliest first.

    None for a file that could be docs but is of no shape we know (`package.json`). Raises ValueError
    when neither the suffix nor the media type is known.
    """
    suffix = PurePosixPath(raw.path).suffix.lower()
    media_type = (media_type or "").partition(";")[0].strip().lower()
    by_type = [s for s in known_formats().values() if media_type in s.media_types]
    by_suffix = [s for s in known_formats().values() if suffix in s.suffixes]
    if not by_type and not by_suffix:
        raise ValueError(f"unknown kind of file {suffix or media_type or raw.path!r}")
    return tuple(s for s in by_type or by_suffix if s.matches is None or s.matches(raw))


def load_pages(
    path: str, data: bytes, charset: str | None = None, media_type: str | None = None
) -> tuple[Page, ...]:
    """Return the pages a file holds; none when there is nothing to read (empty, or all script).

    `path` is relative to its source, with forward slashes. Blocking. Raises ValueError with a
    sentence for what cannot be read.
    """
    raw = Raw(path, data, charset)
    for spec in formats_of(raw, media_type):
        if pages := tuple(spec.read(raw)):
            return pages
    return ()


def load(path: str, data: bytes) -> Page | None:
    """Return the only page of a file, None when there is none."""
    pages = load_pages(path, data)
    return pages[0] if pages else None
