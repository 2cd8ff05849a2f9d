"""Markdown (and MDX) to blocks, with front matter.

Emphasis and link targets go, their words stay; raw HTML inside is read as HTML. No templating is
run.
"""

import re
from collections.abc import Mapping

import yaml
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from ingest.blocks import Block, BlockKind, one_line, squeeze, table
from ingest.html import html_blocks, html_text

_FRONT = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FENCE = re.compile(r"^\s*(```|~~~)")
_MDX_LINE = re.compile(r"^(import\s.+|export\s+(const|default|function|let|var)\b.*)$")
_MDX_COMMENT = re.compile(r"\{/\*.*?\*/\}", re.DOTALL)
_ADMONITION = re.compile(r"^\s*:::\s*(\w+)?\s*(.*)$")


def front_matter(text: str) -> tuple[Mapping[str, object], str]:
    """Return front matter and the rest. Broken front matter is dropped: the page is worth more."""
    found = _FRONT.match(text)
    if found is None:
        return {}, text
    try:
        data = yaml.safe_load(found[1])
    except (yaml.YAMLError, ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) and data is not None:
        return {}, text  # a rule, a text and a rule, not front matter
    return {str(key).lower(): value for key, value in (data or {}).items()}, text[found.end() :]


def markdown_blocks(text: str, *, mdx: bool = False) -> list[Block]:
    """Return the blocks of a Markdown text without front matter."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    root = SyntaxTreeNode(parser.parse(_without_directives(text, mdx=mdx)))
    return [block for node in root.children for block in _blocks(node)]


def _without_directives(text: str, *, mdx: bool) -> str:
    lines, fenced = [], False
    for line in (_MDX_COMMENT.sub("", text) if mdx else text).split("\n"):
        fenced ^= bool(_FENCE.match(line))
        if fenced:
            lines.append(line)
        elif found := _ADMONITION.match(line):
            lines.extend(("", found[2], "") if found[2] else ("",))
        elif not (mdx and _MDX_LINE.match(line)):
            lines.append(line)
    return "\n".join(lines)


def _blocks(node: SyntaxTreeNode) -> list[Block]:
    match node.type:
        case "heading":
            return [Block(BlockKind.HEADING, one_line(_inline(node)), level=int(node.tag[1]))]
        case "paragraph":
            return [Block(BlockKind.PARAGRAPH, squeeze(_inline(node)))]
        case "fence" | "code_block":
            return [Block(BlockKind.CODE, node.content.rstrip("\n"))]
        case "bullet_list" | "ordered_list":
            return [Block(BlockKind.LIST, parts=tuple(_items(node)))]
        case "table":
            found = table(
                [_cells(row) for part in node.children for row in part.children], header=True
            )
            return [found] if found else []
        case "html_block":
            return html_blocks(node.content)
        case _:
            return [block for child in node.children for block in _blocks(child)]


def _cells(row: SyntaxTreeNode) -> list[str]:
    return [_inline(cell) for cell in row.children]


def _items(node: SyntaxTreeNode, indent: str = "") -> list[str]:
    number = int(node.attrs.get("start") or 1)
    items = []
    for offset, item in enumerate(node.children):
        mark = f"{number + offset}." if node.type == "ordered_list" else "-"
        items.append(f"{indent}{mark} " + _item_text(item, indent + "  "))
    return items


def _item_text(item: SyntaxTreeNode, indent: str) -> str:
    lines: list[str] = []
    for child in item.children:
        if child.type in ("bullet_list", "ordered_list"):
            lines.extend(_items(child, indent))
            continue
        for block in _blocks(child):
            if block.kind is BlockKind.CODE:
                lines.append(f"```\n{block.text}\n```")
            else:
                lines.append(block.text.replace("\n", " ") or "\n".join(block.parts))
    return "\n".join(lines)


def _inline(node: SyntaxTreeNode) -> str:
    match node.type:
        case "text" | "code_inline":
            return node.content
        case "softbreak":
            return " "
        case "hardbreak":
            return "\n"
        case "html_inline":
            return html_text(node.content)
        case _:
            return "".join(_inline(child) for child in node.children)
