"""A folder of docs, or one file of it.

Owns which files count. Refuses what leads outside the folder, hidden files and folders, and files
over their format's size. Reads bytes; what they mean is ingest/formats/'s.
"""

import asyncio
import os
import unicodedata
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import BadInputError, ForbiddenError, NotFoundError
from ingest.load import SUFFIXES, size_limit
from ingest.origins import Found, IngestSettings, Request, SourceSpec

_SKIPPED_FOLDERS = frozenset(("node_modules", "__pycache__"))
ANYWHERE = "*"  # as the only one of settings.folders: any place, for development


@dataclass(frozen=True, slots=True)
class Listed:
    """A file that counts; `refused` says why it may not be read."""

    path: str
    file: Path
    refused: str | None = None


async def files(request: Request) -> AsyncGenerator[Found, None]:
    """Yield the files in a fixed order. One file alone leaves the rest of its folder untouched."""
    root = Path(request.location)
    listed = await asyncio.to_thread(listing, root)
    request.listing.total = len(listed)
    if not await asyncio.to_thread(root.is_dir):
        request.listing.whole = False
    for each in listed:
        if not request.options.takes(each.path):
            continue
        if each.refused:
            yield Found(each.path, refused=each.refused)
            continue
        try:
            data = await asyncio.to_thread(each.file.read_bytes)
        except OSError as error:
            yield Found(each.path, refused=error.strerror or "cannot be read")
            continue
        yield Found(each.path, data, url=request.options.link(each.path))


def check(location: str, settings: IngestSettings) -> str:
    """Return the whole path. Raises ForbiddenError outside the folders that are allowed."""
    if "\x00" in location:
        raise BadInputError("a path has no NUL")
    path = Path(location).resolve()
    if settings.folders == (ANYWHERE,):
        return str(path)
    if not any(path.is_relative_to(Path(root).resolve()) for root in settings.folders):
        raise ForbiddenError("this folder is not among those of USHER_INGEST_FOLDERS")
    return str(path)


def claims(location: str) -> bool:
    """Return whether it is no URL."""
    return "://" not in location and not location.startswith("git@")


def listing(root: Path, max_bytes: int | None = None) -> Sequence[Listed]:
    """Return the files at `root`. Blocking; raises NotFoundError when there is no root."""
    if root.is_file():
        return (_judge(root.parent.resolve(), root, max_bytes),)
    if not root.is_dir():
        raise NotFoundError(f"no folder or file at {str(root)!r}")
    real = root.resolve()
    found = sorted(_walk(real), key=lambda file: file.relative_to(real).as_posix())
    return tuple(_judge(real, file, max_bytes) for file in found)


def is_hidden(path: str) -> bool:
    """Return whether a path leads through a hidden or a skipped folder, or names a hidden file."""
    *folders, name = path.split("/")
    return name.startswith(".") or any(
        (part.startswith(".") and part.strip(".") != "") or part in _SKIPPED_FOLDERS
        for part in folders
    )


def _walk(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):  # does not follow linked folders
        folders[:] = [n for n in folders if not n.startswith(".") and n not in _SKIPPED_FOLDERS]
        for name in names:
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield Path(folder, name)


def _judge(root: Path, file: Path, max_bytes: int | None) -> Listed:
    path = unicodedata.normalize("NFC", (root / file.name).name)
    if file.is_relative_to(root):
        path = unicodedata.normalize("NFC", file.relative_to(root).as_posix())
    try:
        real = file.resolve(strict=True)
        size = real.stat().st_size
    except (OSError, RuntimeError):
        return Listed(path, file, "cannot be read")
    if not real.is_relative_to(root):
        return Listed(path, file, "links outside the folder")
    if not real.is_file():
        return Listed(path, file, "not a regular file")
    limit = max_bytes or size_limit(path)
    if size > limit:
        return Listed(path, file, f"larger than {limit} bytes")
    return Listed(path, file)


SOURCE = SourceSpec(
    name="folder",
    summary="A folder on the server's own disk, or one file.",
    files=files,
    check=check,
    claims=claims,
    order=90,
)
