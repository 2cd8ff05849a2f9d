"""The neutral shape of a page between its file format and its chunks.

Owns the block types, the normalising of text and the guess of its encoding. Knows no format and no
limit.
"""

import codecs
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from charset_normalizer import from_bytes

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ENCODINGS = (
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "koi8_r", "shift_jis", "euc_jp", "gb18030",
    "big5", "euc_kr",
)  # fmt: skip
_GUESSED_FROM = 20_000  # bytes
_LEAST_LETTERS = 12  # beyond ASCII
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SPACES = re.compile(r"[^\S\n]+")


class BlockKind(StrEnum):
    """What a block is."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST = "list"
    TABLE = "table"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a page.

    A heading has `text` and `level` (1–6), a paragraph and code have `text`; the `parts` of a list
    are its items with their markers, those of a table its rows written `| a | b |`, the header
    first (may be empty). `anchor` is where a link lands that is to show this block: an element's id,
    or `page=3` of a PDF.
    """

    kind: BlockKind
    text: str = ""
    level: int = 0
    parts: tuple[str, ...] = ()
    anchor: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page as loaded.

    `title` is taken out of the blocks; `part` names the page within a file that holds several (an
    export, a CSV); the page is shown from `valid_from` until before `valid_until` (UTC);
    `metadata` holds what front matter said besides; `warnings` are sentences for the sync report.
    """

    title: str
    blocks: tuple[Block, ...]
    locale: str | None = None
    url: str | None = None
    editions: tuple[str, ...] = ()
    internal: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)
    part: str = ""
    version: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    author: str | None = None
    review_by: datetime | None = None
    warnings: tuple[str, ...] = ()


def normalise(text: str) -> str:
    """Return the text with one kind of line end, composed letters and nothing invisible."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ")
    return unicodedata.normalize("NFC", _CONTROL.sub("", _INVISIBLE.sub("", text)))


def squeeze(text: str) -> str:
    """Return the text with runs of blanks as one, and no blank lines or blanks at line ends."""
    lines = (_SPACES.sub(" ", line).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def one_line(text: str) -> str:
    """Return the text on a single line."""
    return " ".join(text.split())


def decode(data: bytes, declared: str | None = None) -> str:
    """Return the text of a file whose encoding is unknown.

    A byte order mark decides; then UTF-8, then `declared` (HTML or the carrier says so), then what
    the letters look like; a file that mixes encodings is read line by line. Raises ValueError for
    what is not text.
    """
    for mark, name in _BOMS:
        if data.startswith(mark):
            return normalise(data.decode(name, errors="replace"))
    sample = data[:4096]
    if sample.count(0) > len(sample) // 5:
        text = data.decode(_utf16_order(sample), errors="replace")
        if _is_binary(text[:4096]):
            raise ValueError("not a text file")
        return normalise(text)
    if _is_binary(sample.decode("latin-1")):
        raise ValueError("not a text file")
    try:
        return normalise(data.decode("utf-8"))
    except UnicodeDecodeError:
        return normalise(_declared(data, declared) or _guessed(data))


def _is_binary(sample: str) -> bool:
    return len(_CONTROL.findall(sample)) > max(8, len(sample) // 20)


def _utf16_order(sample: bytes) -> str:
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if min(even, odd) > max(even, odd) // 4:
        raise ValueError("not a text file")
    return "utf-16-be" if even > odd else "utf-16-le"


def _declared(data: bytes, declared: str | None) -> str | None:
    try:
        return data.decode(declared) if declared else None
    except (LookupError, UnicodeDecodeError):
        return None


def _guessed(data: bytes) -> str:
    """Read line by line, each as UTF-8 or else in the encoding that the odd lines look like."""
    lines = data.split(b"\n")
    odd = [line for line in lines if not _is_utf8(line)]
    other = _encoding_of(b"\n".join(odd))
    return "\n".join(
        line.decode("utf-8" if _is_utf8(line) else other, errors="replace") for line in lines
    )


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _encoding_of(data: bytes) -> str:
    if sum(byte > 127 for byte in data[:_GUESSED_FROM]) < _LEAST_LETTERS:
        return "cp1252"  # a guess from a few letters is no better than the commonest encoding
    best = from_bytes(data[:_GUESSED_FROM], cp_isolation=list(_ENCODINGS)).best()
    return best.encoding if best is not None else "cp1252"


def table(rows: list[list[str]], *, header: bool) -> Block | None:
    """Return a table block of the cells, or None when all are empty.

    Without a header that row is blank.
    """
    rows = [[one_line(cell).replace("|", "/") for cell in row] for row in rows]
    rows = [row for row in rows if any(row)]
    if not rows:
        return None
    width = max(len(row) for row in rows)
    rows = [row + [""] * (width - len(row)) for row in rows]
    if not header or len(rows) == 1:
        rows.insert(0, [""] * width)
    lines = tuple("| " + " | ".join(row) + " |" for row in rows)
    return Block(BlockKind.TABLE, parts=lines)
