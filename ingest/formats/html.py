"""HTML to blocks: what a reader sees of the page's main part.

Drops scripts, styles, navigation, forms and hidden parts. Runs no script and fetches nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PreformattedString

from ingest.blocks import Block, BlockKind, Page, decode, one_line, squeeze, table
from ingest.hiding import HiddenRules
from ingest.pages import front_matter, make_page
from ingest.spec import FormatSpec, Raw

_DROPPED = (
    "script", "style", "noscript", "template", "svg", "math", "iframe", "object", "nav", "footer",
    "aside", "form", "button", "select", "dialog", "head", "audio", "video", "canvas",
)  # fmt: skip
_INLINE = frozenset(
    ("a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "font", "i", "img",
     "ins", "kbd", "label", "mark", "q", "s", "samp", "small", "span", "strong", "sub", "sup",
     "time", "tt", "u", "var", "wbr", "br")
)  # fmt: skip
_HEADING = re.compile(r"^h[1-6]$")
_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_SITE_NAME = re.compile(r"\s+[|·–—]\s+[^|·–—]+$")


@dataclass(frozen=True, slots=True)
class Html:
    """A page as parsed. `hidden` is what it holds that no reader sees."""

    title: str | None
    language: str | None
    blocks: list[Block]
    hidden: str


def read(raw: Raw) -> Sequence[Page]:
    """See the contract."""
    text = decode(raw.data, raw.charset or declared_charset(raw.data))
    front, body = front_matter(text)
    html = parse_html(body)
    page = make_page(
        raw.path, html.blocks, front, title=html.title, language=html.language, hidden=html.hidden
    )
    return (page,) if page else ()


def declared_charset(data: bytes) -> str | None:
    """Return the charset a page declares about itself."""
    found = _CHARSET.search(data[:4096])
    return found[1].decode("ascii", errors="ignore") if found else None


def parse_html(text: str) -> Html:
    """Return what a whole page says."""
    soup = BeautifulSoup(text, "html.parser")
    head = soup.title.get_text() if soup.title else ""
    title = _SITE_NAME.sub("", one_line(head)) or None
    language = soup.html.get("lang") if soup.html else None
    hidden = _prune(soup)
    main = soup.find("main") or soup.find(role="main") or soup.find("article")
    blocks = _children(main) if isinstance(main, Tag) else []
    blocks = blocks or _children(soup.body or soup)
    return Html(title, str(language) if language else None, blocks, hidden)


def html_blocks(text: str) -> list[Block]:
    """Return the blocks of a fragment."""
    return parse_fragment(text).blocks


def parse_fragment(text: str) -> Html:
    """Return what a fragment says."""
    soup = BeautifulSoup(text, "html.parser")
    hidden = _prune(soup)
    return Html(None, None, _children(soup), hidden)


def html_text(text: str) -> str:
    """Return the words of an inline fragment; a line break stays one."""
    if re.fullmatch(r"<br\s*/?>", text.strip(), re.IGNORECASE):
        return "\n"
    return BeautifulSoup(text, "html.parser").get_text()


def _prune(soup: BeautifulSoup) -> str:
    """Take out what is no text for a reader; return its words."""
    hidden = HiddenRules("\n".join(style.get_text() for style in soup.find_all("style")))
    comments = soup.find_all(string=lambda s: isinstance(s, PreformattedString))
    left_out = [str(comment.extract()) for comment in comments]
    for tag in soup.find_all(_DROPPED):
        tag.decompose()
    for tag in soup.find_all(hidden.hides):
        if not tag.decomposed:
            left_out.append(tag.get_text(" "))
            tag.decompose()
    return "\n".join(left_out)


def _children(parent: Tag) -> list[Block]:
    blocks: list[Block] = []
    loose: list[str] = []
    for child in parent.children:
        if isinstance(child, Tag) and not _reads_inline(child):
            _end_paragraph(loose, blocks)
            blocks.extend(_block(child))
        else:
            loose.append(_words(child))
    _end_paragraph(loose, blocks)
    return blocks


def _end_paragraph(loose: list[str], blocks: list[Block]) -> None:
    text = squeeze("".join(loose))
    loose.clear()
    if text:
        blocks.append(Block(BlockKind.PARAGRAPH, text))


def _reads_inline(tag: Tag) -> bool:
    return tag.name in _INLINE and tag.find(lambda t: t.name not in _INLINE) is None


def _words(node: object) -> str:
    if isinstance(node, NavigableString):
        return re.sub(r"\s+", " ", str(node))
    if not isinstance(node, Tag):
        return ""
    if node.name == "br":
        return "\n"
    if node.name == "img":
        return str(node.get("alt") or "")
    return "".join(_words(child) for child in node.children)


def _block(tag: Tag) -> list[Block]:
    name = tag.name
    if _HEADING.match(name):
        text = one_line(_words(tag)).strip("#¶ ")
        heading = Block(BlockKind.HEADING, text, level=int(name[1]), anchor=_anchor(tag))
        return [heading] if text else []
    if name in ("ul", "ol"):
        items = _items(tag)
        return [Block(BlockKind.LIST, parts=tuple(items))] if items else []
    if name == "pre":
        text = tag.get_text().strip("\n")
        return [Block(BlockKind.CODE, text)] if text.strip() else []
    if name == "table" and not _is_layout(tag):
        rows, header = _rows(tag)
        found = table(rows, header=header)
        return [found] if found else []
    if name == "dl":
        return _definitions(tag)
    return _children(tag)


def _anchor(heading: Tag) -> str | None:
    """Return the id a link to the heading would use: its own, of a mark inside, or of its section."""
    inner = heading.find(lambda tag: tag.has_attr("id") or tag.has_attr("name"))
    own = heading.get("id") or (inner.get("id") or inner.get("name") if inner else None)
    parent = heading.parent
    if not own and parent is not None and parent.name in ("section", "article", "div"):
        first = next((child for child in parent.children if isinstance(child, Tag)), None)
        own = parent.get("id") if first is heading else None
    return str(own) if own else None


def _items(tag: Tag, indent: str = "") -> list[str]:
    items = []
    for number, item in enumerate(tag.find_all("li", recursive=False), start=1):
        mark = f"{number}." if tag.name == "ol" else "-"
        lines: list[str] = []
        for block in _children(item):
            if block.kind is BlockKind.LIST:
                lines.extend(f"{indent}  {part}" for part in block.parts)
            else:
                lines.append(block.text.replace("\n", " ") or "\n".join(block.parts))
        if lines:
            items.append(f"{indent}{mark} " + "\n".join(lines))
    return items


def _is_layout(tag: Tag) -> bool:
    return tag.get("role") == "presentation" or tag.find(("table", "h1", "h2", "h3")) is not None


def _rows(tag: Tag) -> tuple[list[list[str]], bool]:
    rows: list[list[str]] = []
    header = False
    for row in tag.find_all("tr"):
        cells = row.find_all(("th", "td"), recursive=False)
        header = header or (not rows and bool(cells) and all(c.name == "th" for c in cells))
        rows.append([text for cell in cells for text in _cell(cell)])
    return rows, header or tag.find("thead") is not None


def _cell(cell: Tag) -> list[str]:
    text = one_line(" ".join(b.text or "; ".join(b.parts) for b in _children(cell)))
    span = str(cell.get("colspan") or "1")
    return [text] * (min(int(span), 20) if span.isdigit() else 1)


def _definitions(tag: Tag) -> list[Block]:
    blocks: list[Block] = []
    term = ""
    for child in tag.find_all(("dt", "dd")):
        text = one_line(_words(child))
        if child.name == "dt":
            term = text
        elif text:
            blocks.append(Block(BlockKind.PARAGRAPH, f"{term}: {text}" if term else text))
    return blocks


FORMAT = FormatSpec(
    "html", (".html", ".htm", ".xhtml"), read, media_types=("text/html", "application/xhtml+xml")
)
