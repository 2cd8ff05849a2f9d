"""Which files are kept: what the bytes are, what name they may carry, how large they may be.

Owns the kinds, told by their first bytes and never by what a name claims; names safe to show and to save; the
limits. Pure: nothing here reads or writes. Not here: storing (app/store/files.py), fetching (app/files.py).
"""

import io
import re
import unicodedata
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

MAX_BYTES = 10_000_000  # one file
MAX_FILES = 10  # with one message
MAX_NAME = 120  # characters

TOO_LARGE = "too_large"
TOO_MANY = "too_many"
NOT_ALLOWED = "not_allowed"
NOT_WHAT_IT_SAYS = "not_what_it_says"
UNREACHABLE = "unreachable"
REASONS = (TOO_LARGE, TOO_MANY, NOT_ALLOWED, NOT_WHAT_IT_SAYS, UNREACHABLE)

# Shown in a page of ours, as a picture; everything else is only ever downloaded.
PREVIEWED = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})

# ending → (family, content type): families are what a wrong ending may honestly be mixed up within
_ENDINGS: Mapping[str, tuple[str, str]] = {
    "png": ("image", "image/png"),
    "jpg": ("image", "image/jpeg"),
    "jpeg": ("image", "image/jpeg"),
    "gif": ("image", "image/gif"),
    "webp": ("image", "image/webp"),
    "heic": ("image", "image/heic"),
    "heif": ("image", "image/heic"),
    "pdf": ("pdf", "application/pdf"),
    "txt": ("text", "text/plain"),
    "log": ("text", "text/plain"),
    "md": ("text", "text/plain"),
    "csv": ("text", "text/csv"),
    "tsv": ("text", "text/plain"),
    "json": ("text", "application/json"),
    "ics": ("text", "text/calendar"),
    "vcf": ("text", "text/vcard"),
    "eml": ("text", "message/rfc822"),
    "docx": ("zip", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "xlsx": ("zip", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "pptx": ("zip", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    "odt": ("zip", "application/vnd.oasis.opendocument.text"),
    "ods": ("zip", "application/vnd.oasis.opendocument.spreadsheet"),
    "odp": ("zip", "application/vnd.oasis.opendocument.presentation"),
    "zip": ("zip", "application/zip"),
    "doc": ("ole", "application/msword"),
    "xls": ("ole", "application/vnd.ms-excel"),
    "ppt": ("ole", "application/vnd.ms-powerpoint"),
    "msg": ("ole", "application/vnd.ms-outlook"),
    "mp3": ("sound", "audio/mpeg"),
    "m4a": ("sound", "audio/mp4"),
    "aac": ("sound", "audio/aac"),
    "ogg": ("sound", "audio/ogg"),
    "oga": ("sound", "audio/ogg"),
    "opus": ("sound", "audio/ogg"),
    "amr": ("sound", "audio/amr"),
    "wav": ("sound", "audio/wav"),
    "mp4": ("sound", "video/mp4"),
    "mov": ("sound", "video/quicktime"),
    "3gp": ("sound", "video/3gpp"),
    "webm": ("sound", "video/webm"),
}
_FAMILY_OF = {kind: family for family, kind in _ENDINGS.values()}
_ENDING_OF = {kind: ending for ending, (_, kind) in reversed(list(_ENDINGS.items()))}
_SAME = {"image/jpg": "image/jpeg", "image/heif": "image/heic", "audio/mp3": "audio/mpeg"}
_TEXTS = frozenset(kind for family, kind in _ENDINGS.values() if family == "text")

# Whatever opens by being run, or as a page of its own, is kept under no name.
_RUN = frozenset((
    "exe", "com", "bat", "cmd", "ps1", "vbs", "vbe", "js", "mjs", "jse", "wsf", "wsh", "hta", "html", "htm",
    "xhtml", "mht", "mhtml", "svg", "svgz", "swf", "jar", "apk", "msi", "scr", "pif", "lnk", "dll", "sh",
    "bash", "app", "dmg", "iso", "img", "docm", "dotm", "xlsm", "xltm", "xlam", "pptm", "ppsm", "reg", "chm",
    "php", "url", "desktop", "cpl", "gadget",
))  # fmt: skip
_MARKED_UP = re.compile(
    rb"<\s*(?:!doctype\s+html|html|head|body|svg|script|iframe|\?php)\b", re.IGNORECASE
)
_ENDING = re.compile(r"\.([A-Za-z0-9]{1,8})$")
_FORBIDDEN = re.compile(r"[<>:\"|?*`\[\]{}\x00-\x1f\x7f]+")
_RESERVED = re.compile(r"(?i)^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)")
_HEAD = 1024  # bytes in which a kind shows itself
_MOST_ENTRIES = 5000  # of an archive; more is not looked through


@dataclass(frozen=True, slots=True)
class Judged:
    """A file as it may be kept: a safe name and the kind its bytes are; `refused` is one of REASONS, or ""."""

    name: str
    content_type: str
    refused: str = ""


def judge(name: str, content_type: str, data: bytes) -> Judged:
    """Return how these bytes may be kept, or why they may not. Never raises, whatever the bytes."""
    kind = plain_type(content_type)
    shown = safe_name(name, kind)
    if len(data) > MAX_BYTES:
        return Judged(shown, kind, TOO_LARGE)
    found = kind_of(data)
    if found is None or ending_of(shown) in _RUN or _carries_programs(found, data):
        return Judged(shown, kind, NOT_ALLOWED)
    # the ending speaks first: browsers on Windows call a CSV file a spreadsheet
    claimed = _ENDINGS.get(ending_of(shown), (_FAMILY_OF.get(kind, ""), ""))[0]
    if claimed and claimed != _family(found):
        return Judged(shown, kind, NOT_WHAT_IT_SAYS)
    if found == "text/plain":
        told = _ENDINGS.get(ending_of(shown), ("", kind))[1]
        found = told if told in _TEXTS else found
    return Judged(safe_name(name, found), found)


def kind_of(data: bytes) -> str | None:
    """Return the content type these bytes are, `text/plain` for any text; None for what is not kept at all."""
    for is_it, kind in _MAGIC:
        if is_it(data):
            return kind
    if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _archive(data)
    if data[4:8] == b"ftyp":
        return _boxed(data[8:12])
    return "text/plain" if _is_text(data) else None


def safe_name(name: str, content_type: str = "") -> str:
    """Return the last part of a name without control, direction and markup characters, at most MAX_NAME long.

    An ending is added when there is none and the kind is known. `file` when nothing is left.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    visible = "".join(c for c in last if not unicodedata.category(c).startswith("C") or c == "\t")
    cleaned = " ".join(_FORBIDDEN.sub(" ", visible).split()).strip(" .")
    if not cleaned or _RESERVED.match(cleaned):
        cleaned = f"file{'-' if cleaned else ''}{cleaned}"
    ending = _ENDING.search(cleaned)
    if ending is None and plain_type(content_type) in _ENDING_OF:
        cleaned = f"{cleaned}.{_ENDING_OF[plain_type(content_type)]}"
        ending = _ENDING.search(cleaned)
    tail = ending[0] if ending else ""
    return (
        cleaned[: MAX_NAME - len(tail)].rstrip(" .") + tail if len(cleaned) > MAX_NAME else cleaned
    )


def ending_of(name: str) -> str:
    """Return a name's ending in lower case, "" without one."""
    found = _ENDING.search(name)
    return found[1].lower() if found else ""


def plain_type(content_type: str) -> str:
    """Return `type/subtype` in lower case, without parameters; `application/octet-stream` for what is none."""
    kind = content_type.partition(";")[0].strip().lower()
    kind = _SAME.get(kind, kind)
    return (
        kind
        if re.fullmatch(r"[a-z0-9.+-]{1,60}/[a-z0-9.+_-]{1,100}", kind)
        else "application/octet-stream"
    )


def _family(kind: str) -> str:
    return _FAMILY_OF.get(kind, kind)


def _starts(*marks: bytes) -> Callable[[bytes], bool]:
    return lambda data: data.startswith(marks)


_MAGIC: tuple[tuple[Callable[[bytes], bool], str], ...] = (
    (_starts(b"\x89PNG\r\n\x1a\n"), "image/png"),
    (_starts(b"\xff\xd8\xff"), "image/jpeg"),
    (_starts(b"GIF87a", b"GIF89a"), "image/gif"),
    (lambda d: d[:4] == b"RIFF" and d[8:12] == b"WEBP", "image/webp"),
    (lambda d: d[:4] == b"RIFF" and d[8:12] == b"WAVE", "audio/wav"),
    (lambda d: b"%PDF-" in d[:_HEAD] and not _MARKED_UP.search(d[:_HEAD]), "application/pdf"),
    (_starts(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "application/msword"),
    (_starts(b"OggS"), "audio/ogg"),
    (_starts(b"#!AMR"), "audio/amr"),
    (_starts(b"\xff\xf1", b"\xff\xf9"), "audio/aac"),
    (_starts(b"ID3", b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2"), "audio/mpeg"),
    (_starts(b"\x1a\x45\xdf\xa3"), "video/webm"),
)
_IMAGE_BRANDS = frozenset((b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"))


def _boxed(brand: bytes) -> str:
    """Return the kind of an ISO base media file (ISO/IEC 14496-12 §4.3) by its major brand."""
    if brand in _IMAGE_BRANDS:
        return "image/heic"
    known = {b"M4A ": "audio/mp4", b"M4B ": "audio/mp4", b"qt  ": "video/quicktime"}
    return known.get(brand, "video/3gpp" if brand.startswith(b"3g") else "video/mp4")


def _archive(data: bytes) -> str | None:
    names = _entries(data)
    if names is None:
        return None
    if "[Content_Types].xml" in names:
        for folder, ending in (("word/", "docx"), ("xl/", "xlsx"), ("ppt/", "pptx")):
            if any(name.startswith(folder) for name in names):
                return _ENDINGS[ending][1]
    start = data[30:160]
    for ending in ("odt", "ods", "odp"):
        if b"mimetype" in start and _ENDINGS[ending][1].encode() in start:
            return _ENDINGS[ending][1]
    return "application/zip"


def _entries(data: bytes) -> frozenset[str] | None:
    """Return the names in an archive, None when it cannot be read as one or holds too many."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = frozenset(archive.namelist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, UnicodeDecodeError):
        return None
    return names if len(names) <= _MOST_ENTRIES else None


def _carries_programs(kind: str, data: bytes) -> bool:
    """Tell whether an archive or document brings something that runs: macros, programs, pages."""
    if _family(kind) != "zip":
        return False
    names = _entries(data) or frozenset()
    inside = _RUN if kind == "application/zip" else frozenset[str]()
    return any(
        name.lower().endswith("vbaproject.bin") or ending_of(name) in inside for name in names
    )


def _is_text(data: bytes) -> bool:
    """Tell whether these bytes are text, and none that a browser or a shell would run."""
    if not data.strip() or data.startswith(b"#!"):
        return False
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):  # UTF-16, as Windows saves it
        try:
            data = data.decode("utf-16").encode()
        except UnicodeError:
            return False
    if any(byte < 9 or 13 < byte < 27 or 27 < byte < 32 for byte in data[:65_536]) or b"\0" in data:
        return False
    return not _MARKED_UP.search(data[:_HEAD]) and not _MARKED_UP.match(
        data.lstrip(b"\xef\xbb\xbf \t\r\n")
    )


def fits(content_type: str, size: int, media: Sequence[str], media_bytes: int) -> bool:
    """Tell whether a channel carries this file itself; `media` are its types (`image/*`), 0 bytes any size."""
    family = content_type.partition("/")[0]
    named = any(taken in ("*/*", content_type, f"{family}/*") for taken in media)
    return named and (not media_bytes or size <= media_bytes)
