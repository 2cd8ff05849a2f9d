"""Files that somebody sent: docs, or zips of them.

Owns what a name inside may be and how far a zip may unpack. The location is the folder where the API
put what came; it is gone after the sync, so an upload has no schedule. Zips within zips are not
opened.
"""

import asyncio
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path, PurePosixPath

from core.errors import BadInputError
from ingest.load import SUFFIXES, size_limit
from ingest.origins import Found, IngestSettings, Request, SourceSpec
from ingest.sources.folder import is_hidden

MAX_NAME = 400
_ENCRYPTED = 0x1


async def files(request: Request) -> AsyncGenerator[Found, None]:
    """Yield the files sent, those of zips under their names inside."""
    room = request.settings.upload_bytes
    sent = await asyncio.to_thread(_sent, Path(request.location))
    request.listing.total = len(sent)
    for file in sent:
        if file.suffix.lower() != ".zip":
            yield await asyncio.to_thread(_file, file, Path(request.location), request)
            continue
        try:
            archive = await asyncio.to_thread(zipfile.ZipFile, file)
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            yield Found(file.name, refused=f"is no zip that can be read ({type(error).__name__})")
            continue
        with archive:
            members = _members(archive)
            request.listing.total += len(members) - 1
            for member in members:
                found = await asyncio.to_thread(_member, archive, member, room, request)
                room -= len(found.data or b"")
                if found.refused or request.options.takes(found.path):
                    yield found


def safe_name(name: str) -> str:
    """Return a name that stays inside its folder. Raises ValueError saying why there is none."""
    text = unicodedata.normalize("NFC", name).replace("\\", "/")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if not parts or not text.isprintable() or len(text) > MAX_NAME:
        raise ValueError("has no usable name")
    if text.startswith("/") or ".." in parts or ":" in parts[0]:
        raise ValueError("leads outside the folder")
    return "/".join(parts)


def _sent(folder: Path) -> Sequence[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _file(file: Path, folder: Path, request: Request) -> Found:
    path = file.relative_to(folder).as_posix()
    limit = size_limit(path)
    if not limit:
        return Found(path, refused=f"unknown kind of file {file.suffix!r}")
    if file.stat().st_size > limit:
        return Found(path, refused=f"larger than {limit} bytes")
    return Found(path, file.read_bytes(), url=request.options.link(path))


def _members(archive: zipfile.ZipFile) -> Sequence[zipfile.ZipInfo]:
    return [
        info
        for info in archive.infolist()
        if not info.is_dir()
        and not is_hidden(info.filename)
        and not info.filename.startswith("__MACOSX/")
        and PurePosixPath(info.filename).suffix.lower() in SUFFIXES
    ]


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, room: int, request: Request) -> Found:
    """Return one file of a zip, never unpacking more than its kind, or the whole upload, may have."""
    shown = info.filename[:MAX_NAME].encode("utf-8", "replace").decode()
    try:
        path = safe_name(info.filename)
    except ValueError as error:
        return Found(shown, refused=str(error))
    if stat.S_ISLNK(info.external_attr >> 16):
        return Found(path, refused="is a link")
    if info.flag_bits & _ENCRYPTED:
        return Found(path, refused="is protected by a password")
    limit = min(size_limit(path), room)
    try:
        with archive.open(info) as unpacked:
            data = unpacked.read(limit + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
        return Found(path, refused=f"cannot be unpacked ({type(error).__name__})")
    if len(data) > limit:
        why = "the upload unpacks to too much" if limit == room else f"larger than {limit} bytes"
        return Found(path, refused=why)
    return Found(path, data, url=request.options.link(path))


def check(location: str, _settings: IngestSettings) -> str:
    """Return the empty location: files are sent to an upload. Raises BadInputError for another."""
    if location:
        raise BadInputError("an upload has no location: send its files")
    return ""


def claims(_location: str) -> bool:
    """Return False: an upload is never named by a location."""
    return False


SOURCE = SourceSpec(
    name="upload",
    summary="Files or zips sent through the API.",
    files=files,
    check=check,
    claims=claims,
)
