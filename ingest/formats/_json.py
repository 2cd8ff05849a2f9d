"""JSON exports: parsed, with the shapes exports share.

Owns a clear error for broken JSON and the reading of JSON lines. Knows no product.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ingest.blocks import decode
from ingest.spec import Raw

Row = Mapping[str, Any]


def parsed(raw: Raw) -> Any:
    """Return the file's JSON; of JSON lines a list. Raises ValueError for anything else."""
    text = decode(raw.data, raw.charset)
    try:
        return json.loads(text)
    except ValueError as error:
        lines = [line for line in text.split("\n") if line.strip()]
        try:
            return [json.loads(line) for line in lines]
        except ValueError:
            raise ValueError(f"broken JSON: {error}") from error


def rows(data: Any, *keys: str) -> Iterator[Row]:
    """Yield the objects of a list, found under one of `keys`, or in a list of such exports."""
    if isinstance(data, list):
        for each in data:
            if isinstance(each, dict):
                nested = [key for key in keys if isinstance(each.get(key), list)]
                yield from rows(each, *nested) if nested else [each]
        return
    if isinstance(data, dict):
        for key in keys:
            if isinstance(data.get(key), list):
                yield from (each for each in data[key] if isinstance(each, dict))


def text(row: Row, *keys: str) -> str:
    """Return the first non-empty string or number under the keys."""
    for key in keys:
        value = row.get(key)
        if (
            isinstance(value, str | int | float)
            and not isinstance(value, bool)
            and str(value).strip()
        ):
            return str(value).strip()
    return ""
