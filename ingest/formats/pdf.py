"""PDF to blocks: paragraphs, headings by size, lists, tables, each with the page a link lands on.

Owns what counts as seen: text drawn invisibly, in white on nothing, outside the page or too small is
left out. Reads no scans: a file of pictures is refused with a sentence.
"""

import io
import logging
from collections.abc import Iterator, Sequence
from typing import Any, cast

from pdfminer.converter import PDFPageAggregator
from pdfminer.layout import LAParams, LTChar, LTFigure, LTImage, LTPage, LTRect
from pdfminer.pdfdocument import PDFDocument, PDFEncryptionError, PDFPasswordIncorrect
from pdfminer.pdfinterp import PDFPageInterpreter, PDFResourceManager
from pdfminer.pdfpage import PDFPage
from pdfminer.pdfparser import PDFParser, PDFSyntaxError
from pdfminer.psexceptions import PSException
from pdfminer.utils import decode_text

from ingest.blocks import Page, normalise, one_line
from ingest.formats._pdf_layout import Line, blocks_of, lines_of
from ingest.pages import make_page
from ingest.spec import FormatSpec, Raw

MAX_PAGES = 1_000
_INVISIBLE = 3  # text rendering mode
_LEAST_SIZE = 1.5  # points
_OFFICE_TITLE = ("microsoft word", "untitled", ".doc", ".indd", ".qxd")


def read(raw: Raw) -> Sequence[Page]:
    """See the contract. Raises ValueError for a protected, broken or scanned file."""
    logging.getLogger("pdfminer").setLevel(logging.ERROR)
    document = _open(raw.data)
    device = _Seen()
    pages: list[list[Line]] = []
    more = False
    for number, page in enumerate(_pages(document), start=1):
        if number > MAX_PAGES:
            more = True
            break
        pages.append(lines_of(device.draw(page)))
    blocks = blocks_of(pages)
    if pages and not blocks:
        raise ValueError("has no text: scanned pages must be recognised first")
    warnings = (f"only the first {MAX_PAGES} pages were read",) if more else ()
    made = make_page(
        raw.path, blocks, title=_title(document), hidden=" ".join(device.hidden), warnings=warnings
    )
    return (made,) if made else ()


def _open(data: bytes) -> PDFDocument:
    if b"%PDF-" not in data[:1024]:
        raise ValueError("not a PDF file")
    try:
        return PDFDocument(PDFParser(io.BytesIO(data)))
    except (PDFPasswordIncorrect, PDFEncryptionError) as error:
        raise ValueError("protected by a password") from error
    except (PSException, PDFSyntaxError) as error:
        raise ValueError("a broken PDF file") from error


def _pages(document: PDFDocument) -> Iterator[PDFPage]:
    try:
        yield from PDFPage.create_pages(document)
    except (PSException, PDFSyntaxError) as error:
        raise ValueError("a broken PDF file") from error


def _title(document: PDFDocument) -> str | None:
    for info in document.info:
        value = info.get("Title")
        if isinstance(value, bytes):
            text = one_line(normalise(decode_text(value)))
            if text and not any(word in text.lower() for word in _OFFICE_TITLE):
                return text
    return None


class _Seen(PDFPageAggregator):
    """Draws a page and keeps only the letters that a reader sees."""

    def __init__(self) -> None:
        self._resources = PDFResourceManager()
        super().__init__(self._resources, laparams=LAParams(boxes_flow=0.5))
        self.hidden: list[str] = []
        self._unseen: list[Any] = []

    def draw(self, page: PDFPage) -> LTPage:
        """Return the page laid out."""
        self._unseen = []
        PDFPageInterpreter(self._resources, self).process_page(page)
        return self.get_result()

    def render_string(self, textstate: Any, seq: Any, ncs: Any, graphicstate: Any) -> None:
        """Draw a string; remember its letters when they are drawn without ink."""
        before = len(self.cur_item)
        super().render_string(textstate, seq, ncs, graphicstate)
        if textstate.render == _INVISIBLE:
            self._unseen.extend(list(self.cur_item)[before:])

    def end_page(self, page: PDFPage) -> None:
        """Take out what is not seen before the letters are put together."""
        laid = cast("LTPage", self.cur_item)
        objects = list(_flat(laid))
        letters = [each for each in objects if isinstance(each, LTChar)]
        # a scan with its text laid over it: all text is invisible, and meant
        unseen = set() if len(self._unseen) >= len(letters) else set(map(id, self._unseen))
        grounds = [o for o in objects if isinstance(o, LTImage) or _is_ground(o)]
        gone = [
            letter
            for letter in letters
            if id(letter) in unseen or _cannot_be_seen(letter, laid, grounds)
        ]
        self.hidden.append("".join(letter.get_text() for letter in gone))
        dropped = set(map(id, gone))
        self.cur_item = LTPage(laid.pageid, laid.bbox, laid.rotate)
        self.cur_item.extend([each for each in objects if id(each) not in dropped])
        super().end_page(page)


def _flat(container: Any) -> Iterator[Any]:
    """Yield what is drawn, also what is drawn within a form."""
    for each in container:
        if isinstance(each, LTFigure):
            yield from _flat(each)
        else:
            yield each


def _is_ground(drawn: Any) -> bool:
    return (
        isinstance(drawn, LTRect) and bool(drawn.fill) and not _is_white(drawn.non_stroking_color)
    )


def _is_white(color: Any) -> bool:
    given = color if isinstance(color, tuple | list) else (color,)
    values = [float(value) for value in given if isinstance(value, int | float)]
    if not values or len(values) < len(given):
        return False
    if len(values) == 4:  # printing inks: none of them
        return max(values) <= 0.03
    return min(values) >= 0.97


def _cannot_be_seen(letter: Any, page: Any, grounds: list[Any]) -> bool:
    if letter.size < _LEAST_SIZE:
        return True
    x, y = (letter.x0 + letter.x1) / 2, (letter.y0 + letter.y1) / 2
    if not (page.x0 <= x <= page.x1 and page.y0 <= y <= page.y1):
        return True
    if not _is_white(letter.graphicstate.ncolor):
        return False
    return not any(g.x0 <= x <= g.x1 and g.y0 <= y <= g.y1 for g in grounds)


FORMAT = FormatSpec(
    "pdf",
    (".pdf",),
    read,
    media_types=("application/pdf",),
    isolated=True,
    max_bytes=100_000_000,
)
