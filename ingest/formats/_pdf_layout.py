"""Lines on PDF pages to blocks: what is a heading, a list, a table, and what is only page furniture.

Owns the geometry. Knows pdfminer's layout objects and nothing of files.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import mean

from pdfminer.layout import LTChar, LTPage, LTTextBox

from ingest.blocks import Block, BlockKind, normalise, one_line, table

_BULLET = re.compile(r"^(?:[•◦▪‣●○■–*-]|\(?\d{1,3}[.)]|[a-z][.)])\s+\S")
_MARK = re.compile(r"^(?:[•◦▪‣●○■–*-])\s+")
_NUMBER_ONLY = re.compile(
    r"^(?:page|página|seite|p\.)?\s*\d{1,4}(?:\s*(?:/|of|de|von)\s*\d{1,4})?$", re.I
)
_EDGE = 0.09  # share of the page's height in which headers and footers stand
_REPEATED = 3  # pages from which a line at the edge is furniture
_LARGER = 1.15
_MAX_HEADING = 120  # characters
_MAX_CELL = 45  # characters of a cell on average; beyond it two columns are prose
_LEAST_ROWS = {2: 3}  # by columns; two rows do for wider tables


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text: where it is, how large, and in which box of the page it stands."""

    text: str
    x0: float
    x1: float
    y0: float
    y1: float
    size: float
    bold: bool
    box: int
    at_edge: bool

    @property
    def middle(self) -> float:
        """The height of its middle."""
        return (self.y0 + self.y1) / 2


def lines_of(page: LTPage) -> list[Line]:
    """Return the lines of a page in reading order."""
    boxes = [each for each in page if isinstance(each, LTTextBox)]
    low = page.y0 + _EDGE * page.height
    high = page.y1 - _EDGE * page.height
    found = []
    for number, box in enumerate(boxes):
        for line in box:
            letters = [c for c in line if isinstance(c, LTChar)]
            text = one_line(normalise(line.get_text()))
            if not letters or not text:
                continue
            found.append(
                Line(
                    text,
                    line.x0,
                    line.x1,
                    line.y0,
                    line.y1,
                    round(mean(c.size for c in letters), 1),
                    all(_is_bold(c.fontname) for c in letters if c.get_text().strip()),
                    number,
                    line.y0 < low or line.y1 > high,
                )
            )
    return found


def blocks_of(pages: Sequence[Sequence[Line]]) -> list[Block]:
    """Return the blocks of a whole file, each with the anchor of its page."""
    furniture = _furniture(pages)
    kept = [[line for line in page if not _is_furniture(line, furniture)] for page in pages]
    ranks = _Ranks([line for page in kept for line in page])
    blocks: list[Block] = []
    for number, page in enumerate(kept, start=1):
        fresh = list(_page_blocks(page, ranks, f"page={number}"))
        if blocks and fresh and _continues(blocks[-1], fresh[0]):
            last = blocks.pop()
            text = _joined(last.text, fresh.pop(0).text)
            blocks.append(Block(BlockKind.PARAGRAPH, text, anchor=last.anchor))
        blocks.extend(fresh)
    return blocks


# ---------------------------------------------------------------- furniture


def _furniture(pages: Sequence[Sequence[Line]]) -> frozenset[str]:
    seen = Counter(key for page in pages for key in {_key(line) for line in page if line.at_edge})
    return frozenset(key for key, times in seen.items() if times >= _REPEATED)


def _key(line: Line) -> str:
    return re.sub(r"\d+", "#", line.text)


def _is_furniture(line: Line, furniture: frozenset[str]) -> bool:
    return line.at_edge and (_key(line) in furniture or bool(_NUMBER_ONLY.match(line.text)))


# ---------------------------------------------------------------- headings


class _Ranks:
    """Which lines are headings, and of what level: by size, then bold ones of the text's size."""

    def __init__(self, lines: Sequence[Line]) -> None:
        weights: Counter[float] = Counter()
        for line in lines:
            weights[line.size] += len(line.text)
        self._body = weights.most_common(1)[0][0] if weights else 0.0
        sizes = sorted({line.size for line in lines if self._is_larger(line)}, reverse=True)
        self._sizes = {size: min(level, 5) for level, size in enumerate(sizes, start=1)}
        self._bold = min(len(sizes) + (2 if not sizes else 1), 6)

    def level(self, line: Line) -> int:
        """Return 1–6 for a heading, 0 for text."""
        text = line.text
        if len(text) > _MAX_HEADING or not any(map(str.isalpha, text)) or _MARK.match(text):
            return 0
        if line.size in self._sizes:
            return self._sizes[line.size]
        is_title = line.bold and line.size >= self._body and not text.endswith((".", ",", ":", ";"))
        return self._bold if is_title else 0

    def _is_larger(self, line: Line) -> bool:
        return line.size >= self._body * _LARGER and any(map(str.isalpha, line.text))


def _is_bold(font: str) -> bool:
    return any(word in font.lower() for word in ("bold", "black", "heavy", "semibold"))


# ---------------------------------------------------------------- a page


def _page_blocks(lines: Sequence[Line], ranks: _Ranks, anchor: str) -> Iterator[Block]:
    tables = _tables(lines)
    consumed = {id(line): found for found in tables for line in found.lines}
    told: set[int] = set()
    held: list[Line] = []
    for line in lines:
        found = consumed.get(id(line))
        if held and (found or ranks.level(line) or not _goes_on(held, line)):
            yield from _prose(held, anchor)
            held = []
        if found is not None:
            if id(found) not in told:
                told.add(id(found))
                yield from found.blocks(anchor)
        elif level := ranks.level(line):
            yield Block(BlockKind.HEADING, line.text, level=level, anchor=anchor)
        else:
            held.append(line)
    yield from _prose(held, anchor)


def _goes_on(held: Sequence[Line], line: Line) -> bool:
    """Tell whether a line belongs to those before it: same box, or the next line of a list's item."""
    if line.box == held[-1].box:
        return True
    item = next((each for each in reversed(held) if _BULLET.match(each.text)), None)
    gap = held[-1].y0 - line.y1
    return item is not None and line.x0 > item.x0 + 2 and -line.size < gap < line.size * 0.8


def _prose(lines: Sequence[Line], anchor: str) -> Iterator[Block]:
    """Yield paragraphs and lists of the lines of one box."""
    prose = ""
    items: list[str] = []
    for line in lines:
        if _BULLET.match(line.text):
            if prose:
                yield Block(BlockKind.PARAGRAPH, prose, anchor=anchor)
                prose = ""
            items.append(_MARK.sub("- ", line.text))
        elif items:
            items[-1] = _joined(items[-1], line.text)
        else:
            prose = _joined(prose, line.text) if prose else line.text
    if prose:
        yield Block(BlockKind.PARAGRAPH, prose, anchor=anchor)
    if items:
        yield Block(BlockKind.LIST, parts=tuple(items), anchor=anchor)


def _joined(before: str, after: str) -> str:
    hyphen = before.endswith("-") and before[-2:-1].isalpha() and after[:1].islower()
    return before[:-1] + after if hyphen else f"{before} {after}"


def _continues(last: Block, first: Block) -> bool:
    both = last.kind is BlockKind.PARAGRAPH and first.kind is BlockKind.PARAGRAPH
    return both and first.text[:1].islower() and last.text[-1:] not in ".!?:"


# ---------------------------------------------------------------- tables


@dataclass(slots=True)
class _Table:
    rows: list[list[Line]]
    columns: list[tuple[float, float]]

    @property
    def lines(self) -> list[Line]:
        return [line for row in self.rows for line in row]

    def blocks(self, anchor: str) -> Iterator[Block]:
        cells: list[list[str]] = []
        for row in self.rows:
            written = [""] * len(self.columns)
            for line in row:
                at = _column(line, self.columns)
                written[at] = f"{written[at]} {line.text}".strip()
            if len(row) == 1 and cells and not written[0]:  # the rest of the cell above
                cells[-1] = [f"{a} {b}".strip() for a, b in zip(cells[-1], written, strict=True)]
            else:
                cells.append(written)
        found = table(cells, header=True)
        if found:
            yield Block(BlockKind.TABLE, parts=found.parts, anchor=anchor)


def _tables(lines: Sequence[Line]) -> list[_Table]:
    tables: list[_Table] = []
    run: list[list[Line]] = []
    for row in [*_rows(lines), []]:
        columns = _columns([*run, row])
        joins = len(row) > 1 or (run and len(row) == 1 and _is_rest(row[0], run, columns))
        if joins and (not run or len(columns) == len(_columns(run)) or len(columns) == len(row)):
            run.append(row)
            continue
        tables.extend(_table(run))
        run = [row] if len(row) > 1 else []
    return tables


def _rows(lines: Sequence[Line]) -> Iterator[list[Line]]:
    row: list[Line] = []
    for line in sorted(lines, key=lambda each: (-each.middle, each.x0)):
        if row and abs(row[0].middle - line.middle) > min(row[0].size, line.size) * 0.4:
            yield sorted(row, key=lambda each: each.x0)
            row = []
        row.append(line)
    if row:
        yield sorted(row, key=lambda each: each.x0)


def _columns(rows: Sequence[Sequence[Line]]) -> list[tuple[float, float]]:
    """Return the ranges of x that lines share, from left to right."""
    found: list[tuple[float, float]] = []
    for x0, x1 in sorted((line.x0, line.x1) for row in rows for line in row):
        if found and x0 < found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], x1))
        else:
            found.append((x0, x1))
    return found


def _column(line: Line, columns: Sequence[tuple[float, float]]) -> int:
    middle = (line.x0 + line.x1) / 2
    return min(range(len(columns)), key=lambda n: abs(sum(columns[n]) / 2 - middle))


def _is_rest(
    line: Line, run: Sequence[Sequence[Line]], columns: Sequence[tuple[float, float]]
) -> bool:
    """Tell whether a lone line continues a cell of the row above it, not being the first cell."""
    above = run[-1]
    near = above[0].y0 - line.y1 < line.size * 0.6
    return near and len(columns) == len(_columns(run)) and _column(line, columns) > 0


def _table(run: list[list[Line]]) -> list[_Table]:
    columns = _columns(run)
    full = sum(len(row) > 1 for row in run)
    if len(columns) < 2 or full < _LEAST_ROWS.get(len(columns), 2):
        return []
    if mean(len(line.text) for row in run for line in row) > _MAX_CELL:
        return []
    if any(_BULLET.match(f"{row[0].text} x") for row in run):
        return []  # markers of a list that stand apart from their text
    return [_Table(run, columns)]
