"""FAQ as CSV: columns `question` and `answer`; a page per section, each question a heading.

Owns the names of the columns, in English and Spanish. Further columns say what front matter says:
section, locale, edition, audience, url, version, valid_from, valid_until, author, review_by.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence

from ingest.blocks import Block, BlockKind, Page, decode, one_line
from ingest.formats.html import html_blocks
from ingest.formats.markdown import markdown_blocks
from ingest.pages import demoted, make_page
from ingest.spec import FormatSpec, Raw

MAX_ROWS = 50_000
_NAMES: Mapping[str, str] = {
    "q": "question", "pregunta": "question", "title": "question",
    "a": "answer", "respuesta": "answer", "reply": "answer",
    "category": "section", "topic": "section", "group": "section", "tema": "section",
    "sección": "section", "seccion": "section", "categoría": "section", "categoria": "section",
    "language": "locale", "lang": "locale", "idioma": "locale", "editions": "edition",
    "plan": "edition", "plans": "edition", "edición": "edition", "link": "url", "enlace": "url",
}  # fmt: skip
_FRONT = (
    "locale", "edition", "audience", "url", "version", "valid_from", "valid_until", "author",
    "review_by",
)  # fmt: skip
_HTML = re.compile(r"</?(?:p|br|ul|ol|li|div|a|b|strong|em|table|h[1-6])\b[^>]*>", re.IGNORECASE)

Row = Mapping[str, str]


def matches(raw: Raw) -> bool:
    """Tell whether the first line names the columns."""
    try:
        first = decode(raw.data[:4_000], raw.charset).lstrip().partition("\n")[0]
    except ValueError:
        return True  # not text: read() says so
    return {"question", "answer"} <= set(_columns(next(_csv(first), [])))


def read(raw: Raw) -> Sequence[Page]:
    """See the contract."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    skipped = []
    for number, row in enumerate(_rows(decode(raw.data, raw.charset)), start=2):
        if not row.get("question") or not row.get("answer"):
            skipped.append(number)
        elif number <= MAX_ROWS:
            key = (row.get("section", ""), *(row.get(name, "") for name in _FRONT))
            groups.setdefault(key, []).append(row)
    warnings = _warnings(skipped)
    pages = []
    for number, rows in enumerate(groups.values()):
        page = _page(raw.path, rows, number if len(groups) > 1 else None, warnings)
        if page:
            pages.append(page)
            warnings = ()
    return pages


def _warnings(skipped: list[int]) -> tuple[str, ...]:
    if not skipped:
        return ()
    some = ", ".join(map(str, skipped[:10])) + (", …" if len(skipped) > 10 else "")
    return (f"rows without a question or an answer were skipped: {some}",)


def _page(
    path: str, rows: Sequence[Row], number: int | None, warnings: tuple[str, ...]
) -> Page | None:
    first = rows[0]
    front: dict[str, object] = {name: first[name] for name in _FRONT if first.get(name)}
    section = first.get("section")
    blocks: list[Block] = []
    for row in rows:
        blocks.append(Block(BlockKind.HEADING, one_line(row["question"]), level=2))
        blocks.extend(_answer(row["answer"]))
    part = "" if number is None else "/".join(filter(None, (section, _variant(first)))) or "rest"
    return make_page(path, blocks, front, title=section, part=part, warnings=warnings)


def _variant(row: Row) -> str:
    """Return what tells pages of one section apart."""
    told = (row.get(name, "") for name in ("locale", "edition", "audience", "version"))
    return ",".join(value for value in told if value)


def _answer(text: str) -> list[Block]:
    blocks = html_blocks(text) if _HTML.search(text) else markdown_blocks(text)
    return [
        b if b.kind is not BlockKind.HEADING else Block(BlockKind.PARAGRAPH, b.text)
        for b in demoted(blocks)
    ]


def _rows(text: str) -> Sequence[Row]:
    lines = _csv(text)
    columns = _columns(next(lines, []))
    return [
        {name: cell.strip() for name, cell in zip(columns, line, strict=False) if name}
        for line in lines
        if any(cell.strip() for cell in line)
    ]


def _csv(text: str) -> Iterator[list[str]]:
    first = text.partition("\n")[0]
    delimiter = max(",;\t|", key=first.count)
    csv.field_size_limit(1_000_000)
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _columns(names: Sequence[str]) -> list[str]:
    clean = [re.sub(r"[\s-]+", "_", name.strip().lower()) for name in names]
    if "question" in clean:
        return [name if name == "title" else _NAMES.get(name, name) for name in clean]
    return [_NAMES.get(name, name) for name in clean]


FORMAT = FormatSpec(
    "faq",
    (".csv", ".tsv"),
    read,
    media_types=("text/csv", "text/tab-separated-values"),
    matches=matches,
    max_bytes=50_000_000,
)
