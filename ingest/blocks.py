"""The neutral shape of a page between its file format and its chunks.

Owns the block types, the normalising of text and the guess of its encoding. Knows no format and no
limit.
"""

import codecs
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]")
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
    first (may be empty).
    """

    kind: BlockKind
    text: str = ""
    level: int = 0
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A page as loaded.

    `title` is taken out of the blocks; `metadata` holds what front matter said besides.
    """

    title: str
    blocks: tuple[Block, ...]
    locale: str | None = None
    url: str | None = None
    editions: tuple[str, ...] = ()
    internal: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)


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

    A byte order mark decides; then UTF-8, then `declared` (HTML says so); a file that mixes
    encodings is read line by line, UTF-8 or else Windows-1252. Raises ValueError for what is not
    text.
    """
    for mark, name in _BOMS:
        if data.startswith(mark):
            return normalise(data.decode(name, errors="replace"))
    sample = data[:4096]
    if sample.count(0) > len(sample) // 5:
        return normalise(data.decode(_utf16_order(sample), errors="replace"))
    if len(_CONTROL.findall(sample.decode("latin-1"))) > max(8, len(sample) // 20):
        raise ValueError("not a text file")
    try:
        return normalise(data.decode("utf-8"))
    except UnicodeDecodeError:
        return normalise(_declared(data, declared) or _by_line(data))


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


def _by_line(data: bytes) -> str:
    lines = []
    for line in data.split(b"\n"):
        try:
            lines.append(line.decode("utf-8"))
        except UnicodeDecodeError:
            lines.append(line.decode("cp1252", errors="replace"))
    return "\n".join(lines)


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
