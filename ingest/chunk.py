"""A page to chunks that stand on their own: heading path, whole tables, lists with their lead-in.

Owns where a page is cut. A chunk never crosses a heading; inside a section it aims at
`TARGET_CHARS` and stays within the encoder's `MAX_PIECES` together with title and heading path,
unless it is code, which stays whole.
Knows no encoder: it is given a counter of word pieces, or estimates.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from core.ports import Chunk, Document
from ingest.blocks import Block, BlockKind, Page

TARGET_PIECES = 210
TARGET_CHARS = 900
MAX_PIECES = 256
MAX_WHOLE_CODE = 3_000  # characters; longer code is divided at its lines
_SPECIAL_PIECES = 2  # the encoder's start and end marks
_LEAST_ROOM = 96  # even under a very long heading path
_MAX_LEAD_CHARS = 240
SEPARATOR = " › "

Count = Callable[[str], int]

_WORD = re.compile(r"[^\W_]+|[^\w\s]|_")
_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]*(\s+)(?=[\"'“‘(\[]?[^\Wa-z_])|[。！？]()(?=\S)|(\n+)")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|approx|incl|max|min|fig|inc|ltd|dr|mr|mrs|ms|st|sr|sra|ud|uds"
    r"|p\. ?ej|núm)|\b(?-i:No)|\b[A-Z])\.$",
    re.IGNORECASE,
)
_SLUG_DROP = re.compile(r"[^\w\- ]")


def estimate_pieces(text: str) -> int:
    """Return about how many word pieces a text makes, rather too many than too few."""
    return sum(_word_pieces(word) for word in _WORD.findall(text))


def _word_pieces(word: str) -> int:
    if word[0].isdigit():
        return (len(word) + 2) // 3
    if not word.isascii():
        return (len(word) + 1) // 2
    return 1 if len(word) <= 7 else 1 + (len(word) - 1) // 6


def embedding_text(document: Document, chunk: Chunk) -> str:
    """Return what is encoded.

    Title and heading path carry what the chunk's text takes for granted.
    """
    return framed(document.title, chunk.section, chunk.text)


def framed(title: str, section: str, text: str) -> str:
    """Return `title. section. text`, without the parts that are empty."""
    return ". ".join(part for part in (title, section, text) if part)


def chunk(page: Page, count: Count = estimate_pieces) -> tuple[Chunk, ...]:
    """Return the chunks of a page in reading order.

    `count` tells how many word pieces a text makes.
    """
    chunks: list[Chunk] = []
    slugs: dict[str, int] = {}
    for path, blocks in sections(page.blocks):
        section = SEPARATOR.join(heading.text for heading in path)
        anchor = _anchor(path[-1], slugs) if path else None
        overhead = count(framed(page.title, section, "")) + _SPECIAL_PIECES
        packer = _Packer(count, max(_LEAST_ROOM, MAX_PIECES - overhead))
        for text, at in packer.pack(_groups(blocks)):
            chunks.append(Chunk(len(chunks), section, text, at or anchor))
    return tuple(chunks)


def sections(blocks: Sequence[Block]) -> Iterator[tuple[tuple[Block, ...], list[Block]]]:
    """Yield (path of headings, blocks below it).

    A heading with nothing below only leads its sub-headings.
    """
    path: tuple[Block, ...] = ()
    held: list[Block] = []
    for block in blocks:
        if block.kind is not BlockKind.HEADING:
            held.append(block)
            continue
        yield path, held
        held = []
        path = (*(above for above in path if above.level < block.level), block)
    yield path, held


def sentences(text: str) -> list[str]:
    """Return the sentences of a paragraph; abbreviations do not end one."""
    found: list[str] = []
    start = 0
    for end in _SENTENCE_END.finditer(text):
        gap = end.lastindex or 0
        part = text[start : end.start(gap)].strip()
        if part and not _ABBREVIATION.search(part):
            found.append(part)
            start = end.end(gap)
    rest = text[start:].strip()
    return [*found, rest] if rest else found


# ---------------------------------------------------------------- what may be cut where


@dataclass(frozen=True, slots=True)
class _Group:
    """A block as parts that may be divided.

    `lead` opens every continuation; `close` ends every piece. A group that `is_whole` is not divided
    for the encoder's sake, which then reads only its beginning.
    """

    parts: tuple[str, ...]
    joiner: str
    lead: str = ""
    opening: str = ""
    close: str = ""
    is_prose: bool = False
    is_whole: bool = False
    anchor: str | None = None

    def text(self, parts: Sequence[str], *, with_lead: bool) -> str:
        body = self.opening + self.joiner.join(parts) + self.close
        return f"{self.lead}\n{body}" if with_lead and self.lead else body


def _groups(blocks: Sequence[Block]) -> Iterator[_Group]:
    lead = ""
    for block in blocks:
        match block.kind:
            case BlockKind.PARAGRAPH:
                said = tuple(sentences(block.text))
                yield _Group(said, " ", is_prose=True, anchor=block.anchor)
                lead = said[-1] if said and len(said[-1]) <= _MAX_LEAD_CHARS else ""
                continue
            case BlockKind.LIST:
                yield _Group(block.parts, "\n", lead, anchor=block.anchor)
            case BlockKind.TABLE:
                header, rows = block.parts[0], block.parts[1:]
                rule = "|" + " --- |" * max(1, header.count("|") - 1)
                opening = f"{header}\n{rule}\n"
                yield _Group(rows or (header,), "\n", lead, opening, anchor=block.anchor)
            case _:
                yield _code(block, lead)
        lead = ""


def _code(block: Block, lead: str) -> _Group:
    return _Group(
        tuple(block.text.split("\n")),
        "\n",
        lead,
        opening="```\n",
        close="\n```",
        is_whole=len(block.text) <= MAX_WHOLE_CODE,
        anchor=block.anchor,
    )


@dataclass(slots=True)
class _Packer:
    """Fills pieces of text up to the target, and never over `room` word pieces but for whole code.

    Yields (text, anchor of the first block in it that has one).
    """

    count: Count
    room: int
    held: list[str] = field(default_factory=list)
    anchor: str | None = None

    def pack(self, groups: Iterator[_Group]) -> Iterator[tuple[str, str | None]]:
        before = ""
        for group in groups:
            whole = group.text(group.parts, with_lead=False)
            if self._near([*self.held, whole]):
                self._hold(whole, group)
            else:
                yield from self._start_anew(group, whole, before)
            before = group.parts[-1] if group.is_prose and group.parts else ""
        yield from self._flush()

    def _start_anew(
        self, group: _Group, whole: str, before: str
    ) -> Iterator[tuple[str, str | None]]:
        """Put the group into a chunk of its own if it fits there, else divide it."""
        alone = group.text(group.parts, with_lead=True)
        fits = self._near if group.is_prose else self._fits
        if fits([alone]) and self.held:
            if self.held == [group.lead]:
                self.held = []  # the lead-in sentence moves on with its list
            yield from self._flush()
            self._hold_with_overlap(before, alone, group)
        elif fits([whole]):
            self._hold(whole, group)
        elif group.is_whole:
            yield from self._flush_unless([group.lead])
            self._hold(whole if self.held else alone, group)
            yield from self._flush()
        else:
            yield from self._divide(group)

    def _hold(self, text: str, group: _Group) -> None:
        self.held.append(text)
        self.anchor = self.anchor or group.anchor

    def _hold_with_overlap(self, before: str, text: str, group: _Group) -> None:
        overlap = f"{before} {text}"
        short = before and len(before) <= _MAX_LEAD_CHARS
        fits = group.is_prose and short and self._fits([overlap])
        self._hold(overlap if fits else text, group)

    def _flush_unless(self, held: list[str]) -> Iterator[tuple[str, str | None]]:
        if self.held != held:
            yield from self._flush()

    def _divide(self, group: _Group) -> Iterator[tuple[str, str | None]]:
        taken: list[str] = []
        continued = not self.held
        for part in self._small(group):
            if taken and not self._near(
                [*self.held, group.text([*taken, part], with_lead=continued)]
            ):
                self._hold(group.text(taken, with_lead=continued), group)
                yield from self._flush()
                taken = [taken[-1]] if group.is_prose and self._overlaps(taken[-1], part) else []
                continued = True
            elif (
                not taken
                and self.held
                and not self._near([*self.held, group.text([part], with_lead=False)])
            ):
                yield from self._flush()
                continued = True
            taken.append(part)
        if taken:
            self._hold(group.text(taken, with_lead=continued), group)

    def _overlaps(self, last: str, part: str) -> bool:
        return len(last) <= _MAX_LEAD_CHARS and self._near([f"{last} {part}"])

    def _small(self, group: _Group) -> Iterator[str]:
        """Yield the parts, those too large for a chunk cut at words."""
        for part in group.parts:
            if self._fits([group.text([part], with_lead=True)]):
                yield part
                continue
            frame = self.count(group.text([], with_lead=True))
            yield from _cut(part, max(32, min(TARGET_PIECES, self.room) - frame), self.count)

    def _near(self, texts: list[str]) -> bool:
        text = "\n\n".join(texts)
        return len(text) <= TARGET_CHARS and self.count(text) <= min(TARGET_PIECES, self.room)

    def _fits(self, texts: list[str]) -> bool:
        return self.count("\n\n".join(texts)) <= self.room

    def _flush(self) -> Iterator[tuple[str, str | None]]:
        text, anchor = "\n\n".join(self.held).strip(), self.anchor
        self.held, self.anchor = [], None
        if text:
            yield text, anchor


def _cut(text: str, pieces: int, count: Count) -> Iterator[str]:
    taken: list[str] = []
    size = 0
    for word in _words(text):
        cost = count(word)
        if taken and size + cost > pieces:
            yield " ".join(taken)
            taken, size = [], 0
        taken.append(word)
        size += cost
    if taken:
        yield " ".join(taken)


def _words(text: str) -> Iterator[str]:
    for word in text.split():
        for start in range(0, len(word), 60):
            yield word[start : start + 60]


def _anchor(heading: Block, seen: dict[str, int]) -> str:
    """Return the heading's own anchor, else the one a renderer would give it."""
    return heading.anchor or _slug(heading.text, seen)


def _slug(heading: str, seen: dict[str, int]) -> str:
    """Return the anchor a renderer would give the heading, unique within the page."""
    plain = unicodedata.normalize("NFC", heading).strip().lower()
    slug = _SLUG_DROP.sub("", plain).replace(" ", "-") or "section"
    times = seen.get(slug, 0)
    seen[slug] = times + 1
    return f"{slug}-{times}" if times else slug
