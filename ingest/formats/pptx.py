"""Presentations (.pptx) to blocks: a section per slide, in order, with tables, notes and alt text.

Owns which slides count: hidden ones do not. Notes are read, because that is where a deck's words are.
"""

from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element

from ingest.blocks import Block, BlockKind, Page, normalise, one_line, squeeze, table
from ingest.formats._archive import Archive, attribute, child, local
from ingest.pages import make_page
from ingest.spec import FormatSpec, Raw

_MAIN = "ppt/presentation.xml"


def read(raw: Raw) -> Sequence[Page]:
    """See the contract."""
    archive = Archive(raw.data)
    if _MAIN not in archive:
        raise ValueError("not a presentation")
    blocks: list[Block] = []
    for number, name in enumerate(_slides(archive), start=1):
        blocks.extend(_slide(archive, name, number))
    page = make_page(raw.path, blocks, title=_first_title(blocks))
    return (page,) if page else ()


def _first_title(blocks: Sequence[Block]) -> str | None:
    return next((b.text for b in blocks if b.kind is BlockKind.HEADING), None)


def _slides(archive: Archive) -> Iterator[str]:
    related = archive.related(_MAIN)
    for each in archive.xml(_MAIN).iter():
        # a slide's own id has no namespace, the relationship's does
        key = next((v for k, v in each.attrib.items() if k.endswith("}id")), "")
        if local(each) == "sldId" and key in related and related[key] in archive:
            yield related[key]


def _slide(archive: Archive, name: str, number: int) -> Iterator[Block]:
    root = archive.xml(name)
    if root.get("show") == "0":
        return
    title = next((t for shape in _shapes(root) if _is_title(shape) and (t := _plain(shape))), "")
    yield Block(BlockKind.HEADING, title or f"Slide {number}", level=2, anchor=f"slide={number}")
    for shape in _shapes(root):
        if not _is_title(shape):
            yield from _shape(shape)
    for notes in archive.related(name).values():
        if "notesSlide" in notes and notes in archive:
            for shape in _shapes(archive.xml(notes)):
                if _placeholder(shape) == "body":
                    yield from _paragraphs(shape)


def _shapes(root: Element) -> Iterator[Element]:
    """Yield shapes, pictures and frames in drawing order, also those within groups."""
    for each in root.iter():
        if local(each) in ("sp", "pic", "graphicFrame"):
            hidden = [e for e in each.iter() if local(e) == "cNvPr" and e.get("hidden") == "1"]
            if not hidden:
                yield each


def _shape(shape: Element) -> Iterator[Block]:
    if local(shape) == "sp":
        yield from _paragraphs(shape)
        return
    rows = next((each for each in shape.iter() if local(each) == "tbl"), None)
    if rows is not None:
        cells = [
            [_plain(cell) for cell in row if local(cell) == "tc"]
            for row in rows
            if local(row) == "tr"
        ]
        found = table(cells, header=True)
        if found:
            yield found
        return
    described = next((each.get("descr") for each in shape.iter() if local(each) == "cNvPr"), None)
    if described:
        yield Block(BlockKind.PARAGRAPH, one_line(normalise(described)))


def _placeholder(shape: Element) -> str:
    found = next((each for each in shape.iter() if local(each) == "ph"), None)
    return (found.get("type") or "body") if found is not None else ""


def _is_title(shape: Element) -> bool:
    return local(shape) == "sp" and _placeholder(shape) in ("title", "ctrTitle")


def _paragraphs(shape: Element) -> Iterator[Block]:
    """Yield the paragraphs of a text box; several short ones, or marked ones, are a list."""
    lines: list[tuple[str, str]] = []
    for each in shape.iter():
        if local(each) == "p" and (text := _words(each)):
            look = child(each, "pPr")
            depth = attribute(look, "lvl") or "0"
            mark = "1." if child(look, "buAutoNum") is not None else "-"
            lines.append((f"{'  ' * int(depth) if depth.isdigit() else ''}{mark}", text))
    if _placeholder(shape) in ("dt", "ftr", "sldNum", "hdr"):
        return
    if len(lines) < 2:
        for _mark, text in lines:
            yield Block(BlockKind.PARAGRAPH, text)
        return
    numbers = iter(range(1, len(lines) + 1))
    parts = (f"{mark.replace('1.', f'{next(numbers)}.')} {text}" for mark, text in lines)
    yield Block(BlockKind.LIST, parts=tuple(parts))


def _words(paragraph: Element) -> str:
    said = ""
    for each in paragraph.iter():
        if local(each) == "t":
            said += each.text or ""
        elif local(each) == "br":
            said += " "
    return squeeze(normalise(said))


def _plain(element: Element) -> str:
    return one_line(" ".join(_words(each) for each in element.iter() if local(each) == "p"))


FORMAT = FormatSpec(
    "pptx",
    (".pptx", ".pptm"),
    read,
    media_types=("application/vnd.openxmlformats-officedocument.presentationml.presentation",),
    isolated=True,
    max_bytes=100_000_000,
)
