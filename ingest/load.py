"""Bytes of a file to a Page: Markdown, MDX, HTML and plain text.

Owns the choice of the title, of the language and what front matter may say. Reads no files (sources
do) and cuts nothing into chunks (chunk.py does).
"""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from ingest.blocks import Block, BlockKind, Page, decode, one_line, squeeze
from ingest.html import declared_charset, parse_html
from ingest.markdown import front_matter, markdown_blocks

LOCALES = frozenset(
    re.findall(
        r"\w\w",
        "ar bg ca cs da de el en es et fi fr he hi hr hu id it ja ko lt lv nb nl no pl pt ro ru"
        " sk sl sr sv th tr uk vi zh",
    )
)
SUFFIXES = frozenset((".md", ".mdx", ".markdown", ".html", ".htm", ".txt"))
_INTERNAL = frozenset(("internal", "staff", "team", "agents", "csm"))
_READ = frozenset(
    (
        "title",
        "locale",
        "lang",
        "language",
        "edition",
        "editions",
        "plan",
        "plans",
        "audience",
        "url",
    )
)
_UNDERLINE = re.compile(r"^[=\-~]{3,}$")
_BULLET = re.compile(r"^\s*(?:[-*•–]|\d{1,3}[.)])\s+\S")
_CAPITALS = re.compile(r"^[A-Z0-9][A-Z0-9 &/,'’-]{3,70}$")


def load(path: str, data: bytes) -> Page | None:
    """Return the page a file holds, or None when it has nothing to read (empty, or all script).

    `path` is relative to its source, with forward slashes. Raises ValueError for what is not text
    and for an unknown kind of file.
    """
    suffix = PurePosixPath(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"unknown kind of file {suffix!r}")
    is_html = suffix in (".html", ".htm")
    text = decode(data, declared_charset(data) if is_html else None)
    front, body = front_matter(text)
    title: str | None = None
    language: str | None = None
    if is_html:
        title, language, blocks = parse_html(body)
    elif suffix == ".txt":
        blocks = text_blocks(body)
    else:
        blocks = markdown_blocks(body, mdx=suffix == ".mdx")
    blocks = [block for block in blocks if block.text.strip() or block.parts]
    heading, blocks = _take_title(blocks)
    if not any(block.kind is not BlockKind.HEADING for block in blocks):
        return None
    said = one_line(str(front.get("title") or ""))
    return Page(
        title=heading or said or title or _name(path),
        blocks=tuple(blocks),
        locale=_locale(front, path, language),
        url=_text(front.get("url")),
        editions=_words(front, "editions", "edition", "plans", "plan"),
        internal=(_text(front.get("audience")) or "").lower() in _INTERNAL,
        metadata=_rest(front),
    )


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


def _take_title(blocks: list[Block]) -> tuple[str | None, list[Block]]:
    """Return the first top heading and the blocks without it."""
    for at, block in enumerate(blocks):
        if block.kind is BlockKind.HEADING and block.level == 1:
            return block.text, blocks[:at] + blocks[at + 1 :]
    return None, blocks


def _name(path: str) -> str:
    pure = PurePosixPath(path)
    stem = pure.stem
    if stem.lower() in ("index", "readme") and pure.parent.name:
        stem = pure.parent.name
    words = re.sub(r"[-_\s]+", " ", stem).strip()
    return words[:1].upper() + words[1:] or path


def _locale(front: Mapping[str, object], path: str, language: str | None) -> str | None:
    folder = path.split("/", 1)[0] if "/" in path else ""
    said = next((_text(front[k]) for k in ("locale", "lang", "language") if front.get(k)), None)
    for candidate in (said, folder, language):
        short = (candidate or "").replace("_", "-").split("-")[0].lower()
        whole = re.fullmatch(r"[A-Za-z]{2}(?:[-_][A-Za-z]{2,4})?", candidate or "")
        if whole and short in LOCALES:
            return short
    return None


def _text(value: object) -> str | None:
    return one_line(str(value)) or None if isinstance(value, str | int | float) else None


def _words(front: Mapping[str, object], *keys: str) -> tuple[str, ...]:
    for key in keys:
        value = front.get(key)
        listed = value if isinstance(value, list) else str(value or "").split(",")
        words = tuple(dict.fromkeys(one_line(str(word)).lower() for word in listed))
        words = tuple(word for word in words if word and word not in ("all", "any"))
        if words:
            return words
    return ()


def _rest(front: Mapping[str, object]) -> Mapping[str, str]:
    kept = {key: str(value)[:500] for key, value in front.items() if key not in _READ}
    return dict(sorted(kept.items()))
