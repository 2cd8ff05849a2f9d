"""`usher accounts import FILE.csv`: rows of a spreadsheet to accounts, each reported by itself.

Reads what spreadsheets write: BOMs, semicolons or tabs, blank rows, thousands marks. An empty cell leaves the
field as it is, so the same file twice changes nothing. Not here: what a field may hold (the directory decides).
"""

import asyncio
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from core.conversations import Account
from core.errors import BadInputError, ServiceError, UnavailableError
from core.ids import TenantId

MAX_BYTES = 50_000_000
LONGEST_CELL = 100_000  # a cell this long is a quote that never ends
_ALIASES = {
    "id": "external_id",
    "account_id": "external_id",
    "company": "name",
    "account": "name",
    "account_name": "name",
    "domain": "domains",
    "plan": "edition",
    "renewal": "renewal_date",
    "csm": "owner",
    "owner_email": "owner",
    "language": "locale",
    "timezone": "time_zone",
    "tz": "time_zone",
}
_FIELDS = frozenset(Account.__dataclass_fields__) - {"id"}


class Accounts(Protocol):
    """The part of the directory an import writes to."""

    async def account_by_external(self, tenant: TenantId, external_id: str) -> Account | None:
        """Return the account with this id in the tenant's own system."""
        ...

    async def put_account(
        self, tenant: TenantId, external_id: str, values: Mapping[str, object]
    ) -> Account:
        """Make the account or change the fields given."""
        ...


@dataclass(frozen=True, slots=True)
class RowReport:
    """What became of one row. `line` counts from 1, the header; `ok` is a remark about the file itself."""

    line: int
    external_id: str
    status: Literal["ok", "created", "updated", "unchanged", "failed"]
    why: str = ""


async def import_accounts(directory: Accounts, tenant: TenantId, path: Path) -> list[RowReport]:
    """Put every row's account; a bad row is reported and the others go on.

    Raises BadInputError when the file cannot be read as a table, UnavailableError when the database is
    down (what was put before stays; run it again).
    """
    try:
        text = await asyncio.to_thread(_read, path)
    except OSError as error:
        raise BadInputError(f"{path.name} cannot be read: {error.strerror}") from error
    table = _rows(text)
    _line, header = next(table, (1, []))
    columns = [_column(cell) for cell in header]
    _check(columns)
    unused = [cell for cell, column in zip(header, columns, strict=True) if column not in _FIELDS]
    unused = [cell for cell in unused if cell.strip()]
    reports = [RowReport(1, "", "ok", f"not used: {', '.join(unused)}")] if unused else []
    for line, cells in table:
        reports.append(await _row(directory, tenant, columns, line, cells))
    return reports


async def _row(
    directory: Accounts,
    tenant: TenantId,
    columns: Sequence[str],
    line: int,
    cells: Sequence[str],
) -> RowReport:
    given = {
        column: cell.strip()
        for column, cell in zip(columns, cells, strict=False)
        if column in _FIELDS and cell.strip()
    }
    external_id = given.pop("external_id", "")
    try:
        if any(cell.strip() for cell in cells[len(columns) :]):
            raise BadInputError("it has more cells than the header")
        if not external_id:
            raise BadInputError("external_id is empty")
        before = await directory.account_by_external(tenant, external_id)
        after = await directory.put_account(tenant, external_id, _values(given))
    except UnavailableError:
        raise
    except ServiceError as error:
        return RowReport(line, external_id, "failed", error.detail)
    why = ""
    if given.get("edition", after.edition).casefold() != after.edition.casefold():
        why = f"edition {given['edition']!r} is unknown: counted as {after.edition!r}"
    if before is None:
        return RowReport(line, external_id, "created", why)
    return RowReport(line, external_id, "unchanged" if before == after else "updated", why)


def _read(path: Path) -> str:
    if path.stat().st_size > MAX_BYTES:
        raise BadInputError(f"{path.name} is larger than {MAX_BYTES // 1_000_000} MB")
    raw = path.read_bytes()
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")  # what a spreadsheet on Windows writes


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line it ends on, cells) of the rows that are not blank."""
    first = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells in reader:
            if any(len(cell) > LONGEST_CELL for cell in cells):
                raise BadInputError(
                    f"line {reader.line_num} has a cell of over {LONGEST_CELL} characters"
                )
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise BadInputError(f"line {reader.line_num} is not CSV: {error}") from error


def _column(cell: str) -> str:
    plain = re.sub(r"[\s\-]+", "_", cell.strip().lower())
    return _ALIASES.get(plain, plain)


def _check(columns: Sequence[str]) -> None:
    if "external_id" not in columns:
        raise BadInputError("the first row names no column external_id")
    twice = sorted({c for c in columns if c in _FIELDS and columns.count(c) > 1})
    if twice:
        raise BadInputError(f"the first row names {twice[0]} twice")


def _values(given: Mapping[str, str]) -> dict[str, object]:
    values: dict[str, object] = dict(given)
    if "domains" in given:
        values["domains"] = [d for d in re.split(r"[\s,;|]+", given["domains"]) if d]
    if "arr" in given:
        values["arr"] = _money(given["arr"])
    return values


def _money(cell: str) -> float:
    """Return 48000.5 for `48,000.50`, `48.000,50`, `$48 000.50` and the like."""
    plain = re.sub(r"[\s'’]|[A-Za-z]{3}$|^[A-Za-z]{3}|[$€£¥]", "", cell)
    if "," in plain and "." in plain:
        thousands = min(",.", key=plain.rfind)
        plain = plain.replace(thousands, "").replace(",", ".")
    elif re.fullmatch(r"-?\d{1,3}([.,]\d{3})+", plain):
        plain = re.sub(r"[.,]", "", plain)
    else:
        plain = plain.replace(",", ".")
    if not re.fullmatch(r"-?\d{1,15}(\.\d+)?", plain):
        raise BadInputError(f"arr {cell[:40]!r} is not a number")
    return float(plain)
