"""A folder of Markdown, HTML and text files.

Owns which files count. Refuses what leads outside the folder, hidden files and folders, and files
over the size cap. Reads bytes; what they mean is load.py's.
"""

import os
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import NotFoundError
from ingest.load import SUFFIXES

MAX_BYTES = 5_000_000
_SKIPPED_FOLDERS = frozenset(("node_modules", "__pycache__"))


@dataclass(frozen=True, slots=True)
class Found:
    """A file of the source.

    `path` is relative, with forward slashes; `refused` says why it may not be read.
    """

    path: str
    file: Path
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder, or one file of it: then the rest of the folder is left alone (`is_whole` False)."""

    root: Path
    is_whole: bool
    found: tuple[Found, ...]


def open_folder(root: Path, max_bytes: int = MAX_BYTES) -> Folder:
    """Return the files at `root` in a fixed order.

    Blocking; raises NotFoundError when there is no root.
    """
    if root.is_file():
        found = _judge(root.parent.resolve(), root, max_bytes)
        return Folder(root.parent, is_whole=False, found=(found,))
    if not root.is_dir():
        raise NotFoundError(f"no folder or file at {str(root)!r}")
    real = root.resolve()
    files = sorted(_walk(real), key=lambda file: file.relative_to(real).as_posix())
    return Folder(root, is_whole=True, found=tuple(_judge(real, f, max_bytes) for f in files))


def _walk(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):  # does not follow linked folders
        folders[:] = [n for n in folders if not n.startswith(".") and n not in _SKIPPED_FOLDERS]
        for name in files:
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield Path(folder, name)


def _judge(root: Path, file: Path, max_bytes: int) -> Found:
    path = unicodedata.normalize("NFC", (root / file.name).name)
    if file.is_relative_to(root):
        path = unicodedata.normalize("NFC", file.relative_to(root).as_posix())
    try:
        real = file.resolve(strict=True)
        size = real.stat().st_size
    except (OSError, RuntimeError):
        return Found(path, file, "cannot be read")
    if not real.is_relative_to(root):
        return Found(path, file, "links outside the folder")
    if not real.is_file():
        return Found(path, file, "not a regular file")
    if size > max_bytes:
        return Found(path, file, f"larger than {max_bytes} bytes")
    return Found(path, file)
