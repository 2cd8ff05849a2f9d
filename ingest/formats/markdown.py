"""Markdown (and MDX) to blocks, with front matter.

Emphasis and link targets go, their words stay; raw HTML inside is read as HTML. No templating is
run.
"""

import re
from collections.abc import Iterator, Sequence

from bs4 import BeautifulSoup, Tag
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from ingest.blocks import Block, BlockKind, Page, decode, one_line, squeeze, table
from ingest.formats.html import html_blocks, html_text
from ingest.hiding import HiddenRules
from ingest.pages import front_matter, make_page
from ingest.spec import FormatSpec, Raw

_FENCE = re.compile(r"^\s*(```|~~~)")
_MDX_CODE = re.compile(r"^(import\s.+|export\s+(const|default|function|let|var|async|class)\b.*)$")
_MDX_COMMENT = re.compile(r"\{/\*.*?\*/\}", re.DOTALL)
_COMMENT = re.compile(r"<!--(.*?)(?:-->|\Z)", re.DOTALL)
_OWN_ID = re.compile(r"\s*\{#([\w.:-]+)\}\s*$")
_TAG = re.compile(r"<(/?)([a-z][\w-]*)[^>]*?(/?)>", re.IGNORECASE)
_ADMONITION = re.compile(r"^\s*:::\s*(\w+)?\s*(.*)$")


def read(raw: Raw) -> Sequence[Page]:
    """See the contract."""
    front, body = front_matter(decode(raw.data, raw.charset))
    blocks = markdown_blocks(body, mdx=raw.path.lower().endswith(".mdx"))
    hidden = "\n".join(_COMMENT.findall(body))
    page = make_page(raw.path, blocks, front, hidden=hidden)
    return (page,) if page else ()


def markdown_blocks(text: str, *, mdx: bool = False) -> list[Block]:
    """Return the blocks of a Markdown text without front matter."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    root = SyntaxTreeNode(parser.parse(_without_directives(text, mdx=mdx)))
    return [block for node in root.children for block in _blocks(node)]


def _without_directives(text: str, *, mdx: bool) -> str:
    lines, fenced, in_code = [], False, False
    for line in (_MDX_COMMENT.sub("", text) if mdx else text).split("\n"):
        fenced ^= bool(_FENCE.match(line))
        # what MDX imports and exports ends at a blank line
        in_code = mdx and not fenced and bool(line.strip() and (in_code or _MDX_CODE.match(line)))
        if in_code:
            continue
        if fenced:
            lines.append(line)
        elif found := _ADMONITION.match(line):
            lines.extend(("", found[2], "") if found[2] else ("",))
        else:
            lines.append(line)
    return "\n".join(lines)


def _blocks(node: SyntaxTreeNode) -> list[Block]:
    match node.type:
        case "heading":
            return [_heading(node)]
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


def _heading(node: SyntaxTreeNode) -> Block:
    text = one_line(_inline(node))
    own = _OWN_ID.search(text)
    text = text[: own.start()] if own else text
    return Block(BlockKind.HEADING, text, level=int(node.tag[1]), anchor=own[1] if own else None)


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
            return "".join(_inline(child) for child in _shown(node.children))


def _shown(nodes: Sequence[SyntaxTreeNode]) -> Iterator[SyntaxTreeNode]:
    """Yield the inline nodes that do not stand within an element that is hidden."""
    rules = HiddenRules()
    hidden: list[str] = []  # open elements, the outermost is the hidden one
    for node in nodes:
        tag = _TAG.match(node.content.strip()) if node.type == "html_inline" else None
        if tag is None:
            if not hidden:
                yield node
        elif tag[1]:
            if hidden and tag[2].lower() == hidden[-1]:
                hidden.pop()
        elif not tag[3]:
            element = BeautifulSoup(node.content, "html.parser").find()
            if hidden or (isinstance(element, Tag) and rules.hides(element)):
                hidden.append(tag[2].lower())
            else:
                yield node


FORMAT = FormatSpec(
    "markdown", (".md", ".mdx", ".markdown"), read, media_types=("text/markdown", "text/x-markdown")
)
