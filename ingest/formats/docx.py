"""Word documents (.docx) to blocks: headings by style, lists by numbering, tables, pictures' alt text.

Owns what a reader sees: hidden, deleted, white and tiny text is left out, as are comments, headers
and footers.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from ingest.blocks import Block, BlockKind, Page, normalise, one_line, squeeze, table
from ingest.formats._archive import Archive, attribute, child, local
from ingest.pages import make_page
from ingest.spec import FormatSpec, Raw

_MAIN = "word/document.xml"
_LEAST_HALF_POINTS = 3
_CODE_STYLES = ("code", "source", "preformatted", "macro")


def read(raw: Raw) -> Sequence[Page]:
    """See the contract."""
    archive = Archive(raw.data)
    if _MAIN not in archive:
        raise ValueError("not a Word document")
    body = child(archive.xml(_MAIN), "body")
    document = _Document(_styles(archive), _numbering(archive))
    blocks = document.blocks(body) if body is not None else []
    page = make_page(
        raw.path, blocks, title=_property(archive, "title"), hidden=" ".join(document.hidden)
    )
    return (page,) if page else ()


def _property(archive: Archive, name: str) -> str | None:
    if "docProps/core.xml" not in archive:
        return None
    found = child(archive.xml("docProps/core.xml"), name)
    return one_line(found.text or "") or None if found is not None else None


@dataclass(frozen=True, slots=True)
class _Style:
    level: int = 0  # of a heading
    is_title: bool = False
    is_code: bool = False
    numbering: str | None = None


def _styles(archive: Archive) -> Mapping[str, _Style]:
    if "word/styles.xml" not in archive:
        return {}
    styles = {}
    for each in archive.xml("word/styles.xml"):
        if local(each) == "style":
            name = (attribute(child(each, "name"), "val") or "").lower()
            outline = attribute(child(each, "pPr", "outlineLvl"), "val")
            level = int(outline) + 1 if outline and outline.isdigit() else 0
            if name.startswith("heading ") and name[8:].isdigit():
                level = int(name[8:])
            styles[attribute(each, "styleId") or ""] = _Style(
                level=min(level, 6) if level < 10 else 0,
                is_title=name == "title",
                is_code=any(word in name for word in _CODE_STYLES),
                numbering=attribute(child(each, "pPr", "numPr", "numId"), "val"),
            )
    return styles


def _numbering(archive: Archive) -> Mapping[tuple[str, str], str]:
    """Return (numbering, level) → format, as `decimal` or `bullet`."""
    if "word/numbering.xml" not in archive:
        return {}
    root = archive.xml("word/numbering.xml")
    formats = {
        (attribute(each, "abstractNumId"), attribute(level, "ilvl") or "0"): attribute(
            child(level, "numFmt"), "val"
        )
        for each in root
        for level in each
        if local(each) == "abstractNum" and local(level) == "lvl"
    }
    abstract = {
        attribute(each, "numId") or "": attribute(child(each, "abstractNumId"), "val")
        for each in root
        if local(each) == "num"
    }
    return {
        (number, level): shape or "bullet"
        for number, known in abstract.items()
        for (of, level), shape in formats.items()
        if of == known
    }


@dataclass(slots=True)
class _Document:
    styles: Mapping[str, _Style]
    numbering: Mapping[tuple[str, str], str]
    hidden: list[str] = field(default_factory=list)
    _counts: dict[tuple[str, int], int] = field(default_factory=dict)

    def blocks(self, body: Element) -> list[Block]:
        found: list[Block] = []
        for each in self._flat(body):
            block = self._table(each) if local(each) == "tbl" else self._paragraph(each)
            if block is None:
                continue
            last = found[-1] if found else None
            if last and block.kind is last.kind and block.kind in (BlockKind.LIST, BlockKind.CODE):
                found[-1] = _merged(last, block)
            else:
                found.append(block)
        return found

    def _flat(self, body: Element) -> Iterator[Element]:
        for each in body:
            if local(each) in ("p", "tbl"):
                yield each
            elif local(each) in ("sdt", "sdtContent", "ins", "customXml", "smartTag"):
                yield from self._flat(each)

    def _paragraph(self, paragraph: Element) -> Block | None:
        text = squeeze(normalise(self._text(paragraph)))
        if not text:
            return None
        style = self.styles.get(attribute(child(paragraph, "pPr", "pStyle"), "val") or "", _Style())
        outline = attribute(child(paragraph, "pPr", "outlineLvl"), "val")
        level = (
            int(outline) + 1 if outline and outline.isdigit() and int(outline) < 6 else style.level
        )
        if style.is_title or level:
            return Block(BlockKind.HEADING, one_line(text), level=1 if style.is_title else level)
        if style.is_code:
            return Block(BlockKind.CODE, normalise(self._text(paragraph)).rstrip())
        item = self._item(paragraph, style, text)
        return item or Block(BlockKind.PARAGRAPH, text)

    def _item(self, paragraph: Element, style: _Style, text: str) -> Block | None:
        number = child(paragraph, "pPr", "numPr")
        key = attribute(child(number, "numId"), "val") or style.numbering
        if not key or key == "0":
            return None
        level = attribute(child(number, "ilvl"), "val") or "0"
        depth = int(level) if level.isdigit() else 0
        self._counts[key, depth] = count = self._counts.get((key, depth), 0) + 1
        for deeper in range(depth + 1, 9):
            self._counts.pop((key, deeper), None)
        is_bullet = self.numbering.get((key, level), "bullet") in ("bullet", "none")
        mark = "-" if is_bullet else f"{count}."
        return Block(BlockKind.LIST, parts=(f"{'  ' * min(depth, 8)}{mark} {one_line(text)}",))

    def _table(self, rows: Element) -> Block | None:
        cells: list[list[str]] = []
        for row in (each for each in rows if local(each) == "tr"):
            line: list[str] = []
            for cell in (each for each in row if local(each) == "tc"):
                span = attribute(child(cell, "tcPr", "gridSpan"), "val") or "1"
                parts = [self._text(each) for each in cell.iter() if local(each) == "p"]
                line += [normalise(" ".join(parts))] * (min(int(span), 20) if span.isdigit() else 1)
            cells.append(line)
        return table(cells, header=True)

    def _text(self, element: Element) -> str:
        """Return what is seen of an element's text; alt text stands for a picture."""
        name = local(element)
        if name == "t":
            return element.text or ""
        if name in ("tab", "ptab"):
            return "\t"
        if name in ("br", "cr"):
            return "\n"
        if name == "docPr":
            return attribute(element, "descr") or ""
        if name in ("del", "moveFrom", "Fallback", "instrText", "pPr", "commentReference"):
            return ""
        text = "".join(self._text(each) for each in element)
        if name == "r" and _is_hidden(child(element, "rPr")):
            self.hidden.append(text)
            return ""
        return text


def _is_hidden(look: Element | None) -> bool:
    if look is None:
        return False
    vanish = child(look, "vanish")
    if vanish is not None and attribute(vanish, "val") not in ("0", "false"):
        return True
    size = attribute(child(look, "sz"), "val") or ""
    if size.isdigit() and int(size) <= _LEAST_HALF_POINTS:
        return True
    color = (attribute(child(look, "color"), "val") or "").upper()
    ground = (attribute(child(look, "shd"), "fill") or "auto").upper()
    marked = child(look, "highlight") is not None
    return color in ("FFFFFF", "FEFEFE") and ground in ("AUTO", "FFFFFF") and not marked


def _merged(last: Block, block: Block) -> Block:
    if block.kind is BlockKind.CODE:
        return Block(BlockKind.CODE, f"{last.text}\n{block.text}")
    return Block(BlockKind.LIST, parts=(*last.parts, *block.parts))


FORMAT = FormatSpec(
    "docx",
    (".docx", ".docm"),
    read,
    media_types=("application/vnd.openxmlformats-officedocument.wordprocessingml.document",),
    isolated=True,
    max_bytes=50_000_000,
)
