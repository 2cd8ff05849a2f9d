"""A passage cut into what can be said by itself: sentences, steps, list items, table rows, code.

Owns reading the blocks ingest writes and rendering them without Markdown. Refuses nothing: text it
does not recognise is sentences. Not here: which units answer (knowledge/extract.py).
"""

import re
from dataclasses import dataclass, field, replace
from typing import Literal

Kind = Literal["sentence", "step", "item", "row", "code"]

MAX_UNIT = 600  # a "sentence" beyond this is a wall of text; it is cut at a comma or a space

_LINK = re.compile(r"!?\[([^\]]*)\]\((?:[^()]|\([^()]*\))*\)")
_MARKS = re.compile(r"\*\*|__|`|^#{1,6}\s+|(?<!\w)\*(?=\w)|(?<=\w)\*(?!\w)", re.MULTILINE)
_STEP = re.compile(r"^\s*(\d{1,3})[.)]\s+(.*)$")
_ITEM = re.compile(r"^\s*[-*•–]\s+(.*)$")
_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?\s*$")
_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+(?=[\"'“‘(\[¿¡]?[A-Z0-9À-Þ/])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|approx|incl|max|min|fig|inc|ltd|dr|mr|mrs|ms|st|no|sr|sra|ud|uds"
    r"|p\. ?ej|núm)|\b[A-Z])\.$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Unit:
    """One thing that can be said. `block` counts the passage's blocks; `number` is a step's own.

    `header` and `cells` are a table row's, in parallel; `text` reads without them.
    """

    kind: Kind
    text: str
    block: int
    number: str = ""
    header: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()

    @property
    def opens_list(self) -> bool:
        """Whether it announces what follows."""
        return self.kind == "sentence" and self.text.endswith(":")


def plain(text: str) -> str:
    """Return the text without Markdown marks; links become their words."""
    return " ".join(_MARKS.sub("", _LINK.sub(r"\1", text)).split())


def cut(text: str) -> list[Unit]:
    """Return a passage's units in order."""
    cutter = _Cutter(text.splitlines())
    while cutter.position < len(cutter.lines):
        cutter.take()
    return [unit for unit in cutter.units if unit.text]


@dataclass(slots=True)
class _Cutter:
    """Walks the lines of a passage and remembers which block it is in."""

    lines: list[str]
    position: int = 0
    block: int = 0
    header: tuple[str, ...] = ()
    previous: Kind | None = None
    units: list[Unit] = field(default_factory=list)

    def take(self) -> None:
        line = self.lines[self.position].strip()
        self.position += 1
        if not line:
            self.header, self.previous = (), None
            self.block += 1
        elif line.startswith(("```", "~~~")):
            self._code(line[:3])
        elif line.startswith("|") and line.count("|") > 1:
            self._row(line)
        else:
            self._prose(line)

    def _code(self, mark: str) -> None:
        code, self.position = _fence(self.lines, self.position, mark)
        self.units.append(Unit("code", code, self.block + 1))
        self.block += 2

    def _row(self, line: str) -> None:
        following = self.lines[self.position] if self.position < len(self.lines) else ""
        if not self.header and _RULE.match(following):
            self.header = _cells(line)
            self.position += 1
            self.block += 1
        elif not _RULE.match(line):
            self.units.append(row(self.header, _cells(line), self.block))

    def _prose(self, line: str) -> None:
        for unit in _prose(line):
            if self.previous is not None and unit.kind != self.previous:
                self.block += 1
            self.previous = unit.kind
            self.units.append(replace(unit, block=self.block))


def row(header: tuple[str, ...], cells: tuple[str, ...], block: int = 0) -> Unit:
    """Return a table row as a unit, rendered as "Column: value"."""
    return Unit("row", render_row(header, cells, ()), block, header=header, cells=cells)


def render_row(header: tuple[str, ...], cells: tuple[str, ...], columns: tuple[int, ...]) -> str:
    """Return "First cell: Column: value; Column: value." with only `columns`, all when empty."""
    if not cells:
        return ""
    wanted = columns or tuple(range(1, len(cells)))
    parts = []
    for column in wanted:
        if column >= len(cells) or not cells[column]:
            continue
        name = header[column] if column < len(header) else ""
        parts.append(f"{name}: {cells[column]}" if name else cells[column])
    first = cells[0]
    if not parts:
        return first
    return f"{first} – {'; '.join(parts)}" if first else "; ".join(parts)


def sentences(text: str) -> list[str]:
    """Return the sentences of running text, abbreviations kept whole."""
    parts: list[str] = []
    for part in _END.split(text.strip()):
        if parts and _ABBREVIATION.search(parts[-1]):
            parts[-1] = f"{parts[-1]} {part}"
        elif part:
            parts.append(part)
    return [piece for part in parts for piece in _bearable(part)]


def _prose(line: str) -> list[Unit]:
    step = _STEP.match(line)
    if step:
        return [Unit("step", plain(step.group(2)), 0, step.group(1))]
    item = _ITEM.match(line)
    if item:
        return [Unit("item", plain(item.group(1)), 0)]
    return [Unit("sentence", each, 0) for each in sentences(plain(line))]


def _cells(line: str) -> tuple[str, ...]:
    inner = line.strip().removeprefix("|").removesuffix("|")
    return tuple(plain(cell.replace("\\|", "|")) for cell in re.split(r"(?<!\\)\|", inner))


def _fence(lines: list[str], position: int, mark: str) -> tuple[str, int]:
    code: list[str] = []
    while position < len(lines) and not lines[position].strip().startswith(mark):
        code.append(lines[position])
        position += 1
    return "\n".join(code).strip(), position + 1


def _bearable(text: str) -> list[str]:
    pieces: list[str] = []
    while len(text) > MAX_UNIT:
        end = max(text.rfind(", ", 200, MAX_UNIT), text.rfind("; ", 200, MAX_UNIT))
        end = end + 1 if end > 0 else max(text.rfind(" ", 200, MAX_UNIT), 200)
        pieces.append(text[:end].strip())
        text = text[end:].strip()
    return [*pieces, text]
