"""Spreadsheets (.xlsx) to blocks: a section per sheet, each block of cells a table.

Owns how values read (dates, percentages, whole numbers) and the bounds of rows and columns. Shows the
values that were last calculated; calculates nothing. Hidden sheets, rows and columns are left out.
"""

import io
import warnings as python_warnings
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zipfile import BadZipFile

from ingest.blocks import Block, BlockKind, Page, normalise, one_line, table
from ingest.formats._archive import Archive
from ingest.pages import make_page
from ingest.spec import FormatSpec, Raw

MAX_ROWS = 5_000  # of a sheet
MAX_COLUMNS = 60
_MAIN = "xl/workbook.xml"


def read(raw: Raw) -> Sequence[Page]:
    """See the contract."""
    if _MAIN not in Archive(raw.data):
        raise ValueError("not a spreadsheet")
    from openpyxl import load_workbook

    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore")  # about styles it does not keep
        try:
            book = load_workbook(io.BytesIO(raw.data), data_only=True, keep_links=False)
        except (BadZipFile, KeyError, ValueError, TypeError) as error:
            raise ValueError("a broken spreadsheet") from error
    blocks: list[Block] = []
    warnings: list[str] = []
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            continue
        found = list(_tables(sheet))
        if found:
            blocks.append(Block(BlockKind.HEADING, one_line(sheet.title), level=2))
            blocks.extend(found)
        if (sheet.max_row or 0) > MAX_ROWS:
            warnings.append(f"only the first {MAX_ROWS} rows of {sheet.title!r} were read")
    title = one_line(book.properties.title or "") or None
    page = make_page(raw.path, blocks, title=title, warnings=tuple(warnings))
    return (page,) if page else ()


def _tables(sheet: Any) -> Iterator[Block]:
    """Yield runs of rows that hold something; a row with one cell before a table is its caption."""
    run: list[list[str]] = []
    for row in [*_rows(sheet), []]:
        if any(row):
            run.append(row)
            continue
        while run and sum(map(bool, run[0])) == 1:
            yield Block(BlockKind.PARAGRAPH, next(cell for cell in run.pop(0) if cell))
        found = table(_without_empty_columns(run), header=True)
        if found:
            yield found
        run = []


def _rows(sheet: Any) -> Iterator[list[str]]:
    columns = range(1, min(sheet.max_column or 0, MAX_COLUMNS) + 1)
    hidden = {n for n in columns if _is_hidden_column(sheet, n)}
    rows = sheet.iter_rows(max_row=min(sheet.max_row or 0, MAX_ROWS), max_col=MAX_COLUMNS)
    for number, cells in enumerate(rows, start=1):
        if not sheet.row_dimensions[number].hidden:
            yield [_written(cell) for cell in cells if cell.column not in hidden]


def _is_hidden_column(sheet: Any, number: int) -> bool:
    for dimension in sheet.column_dimensions.values():
        if dimension.hidden and (dimension.min or 0) <= number <= (dimension.max or 0):
            return True
    return False


def _without_empty_columns(rows: list[list[str]]) -> list[list[str]]:
    width = max((len(row) for row in rows), default=0)
    kept = [n for n in range(width) if any(row[n] for row in rows if n < len(row))]
    return [[row[n] if n < len(row) else "" for n in kept] for row in rows]


def _written(cell: Any) -> str:
    """Return a cell as the sheet shows it, as far as its number format is a plain one."""
    value, shape = cell.value, str(cell.number_format or "")
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return (
            value.date().isoformat()
            if value.time() == time.min
            else value.isoformat(" ", "minutes")
        )
    if isinstance(value, date | time | timedelta):
        return str(value)
    if isinstance(value, int | float):
        return _number(value, shape)
    return one_line(normalise(str(value)))


def _number(value: float, shape: str) -> str:
    if "%" in shape:
        return f"{round(value * 100, 2):g} %"
    sign = next((each for each in "€$£¥" if each in shape), "")
    written = f"{value:.2f}" if "0.00" in shape else f"{round(value, 6):.15g}"
    return f"{sign}{written}" if sign in ("$", "£", "¥") else f"{written} {sign}".strip()


FORMAT = FormatSpec(
    "xlsx",
    (".xlsx", ".xlsm"),
    read,
    media_types=("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",),
    isolated=True,
    max_bytes=50_000_000,
)
