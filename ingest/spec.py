"""What a format file declares, and what it is given.

Owns the contract of `ingest/formats/`. Not here: finding the formats and choosing one (load.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ingest.blocks import Page


@dataclass(frozen=True, slots=True)
class Raw:
    """A file as it came. `path` is relative to its source; `charset` is what the carrier declared."""

    path: str
    data: bytes
    charset: str | None = None


@dataclass(frozen=True, slots=True)
class FormatSpec:
    """A kind of file.

    `read` returns its pages, none when there is nothing to read, and raises ValueError with a
    sentence when the file is not what it seems. `matches` looks into files whose suffix says too
    little (`.json`). `isolated` formats are parsed in a process of their own, because their parsers
    can be made to hang or to eat memory. Files over `max_bytes` are refused unread.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[Raw], Sequence[Page]]
    media_types: tuple[str, ...] = ()
    matches: Callable[[Raw], bool] | None = None
    isolated: bool = False
    max_bytes: int = 5_000_000
