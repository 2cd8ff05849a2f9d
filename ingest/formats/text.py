"""Plain text: paragraphs, lists, and lines that are set as headings."""

import re
from collections.abc import Sequence

from ingest.blocks import Block, BlockKind, Page, decode, one_line, squeeze
from ingest.pages import front_matter, make_page
from ingest.spec import FormatSpec, Raw

_UNDERLINE = re.compile(r"^[=\-~]{3,}$")
_BULLET = re.compile(r"^\s*(?:[-*•–]|\d{1,3}[.)])\s+\S")
_CAPITALS = re.compile(r"^[A-Z0-9][A-Z0-9 &/,'’-]{3,70}$")


def read(raw: Raw) -> Sequence[Page]:
    """See the contract."""
    front, body = front_matter(decode(raw.data, raw.charset))
    page = make_page(raw.path, text_blocks(body), front)
    return (page,) if page else ()


def text_blocks(text: str) -> list[Block]:
    """Return the blocks of plain text: paragraphs, lists, and lines that are set as headings."""
    blocks: list[Block] = []
    for part in re.split(r"\n\s*\n", text):
        lines = [line.rstrip() for line in part.split("\n") if line.strip()]
        if len(lines) > 1 and _UNDERLINE.match(lines[1]):
            level = 1 if lines[1][0] == "=" else 2
            blocks.append(Block(BlockKind.HEADING, one_line(lines[0]), level=level))
            lines = lines[2:]
        elif len(lines) == 1 and _CAPITALS.match(lines[0]):
            blocks.append(Block(BlockKind.HEADING, one_line(lines[0]), level=2))
            continue
        blocks.extend(_prose_and_lists(lines))
    if blocks and not any(b.kind is BlockKind.HEADING and b.level == 1 for b in blocks):
        blocks = _first_line_as_title(blocks)
    return blocks


def _prose_and_lists(lines: list[str]) -> list[Block]:
    blocks: list[Block] = []
    prose: list[str] = []
    items: list[str] = []
    for line in lines:
        if _BULLET.match(line):
            items.append(line.strip())
        elif items and line.startswith((" ", "\t")):
            items[-1] += " " + line.strip()
        elif items:
            blocks.append(Block(BlockKind.LIST, parts=tuple(items)))
            items, prose = [], [line.strip()]
        else:
            prose.append(line.strip())
        if items and prose:
            blocks.append(Block(BlockKind.PARAGRAPH, squeeze(" ".join(prose))))
            prose = []
    if prose:
        blocks.append(Block(BlockKind.PARAGRAPH, squeeze(" ".join(prose))))
    if items:
        blocks.append(Block(BlockKind.LIST, parts=tuple(items)))
    return blocks


def _first_line_as_title(blocks: list[Block]) -> list[Block]:
    first = blocks[0]
    is_title = (
        len(blocks) > 1
        and first.kind in (BlockKind.PARAGRAPH, BlockKind.HEADING)
        and len(first.text) <= 90
        and not first.text.endswith((".", ":", ";", ",", "!"))
    )
    return [Block(BlockKind.HEADING, first.text, level=1), *blocks[1:]] if is_title else blocks


FORMAT = FormatSpec("text", (".txt", ".text"), read, media_types=("text/plain",))
