"""A row of a table said as a sentence, such as `Salesforce – Pro: 15 minutes; Enterprise: 5 minutes`.

Owns recognising that every cell of such a sentence stands in the source's table under that heading. Word for
word comparison cannot see it, and a score of meaning is unsure of so few words.
"""

import re
from collections.abc import Callable, Iterator, Sequence

_RULE = re.compile(r"^[\s|:-]*-[\s|:-]*$")


def stands_in_table(sentence: str, source: str, flat: Callable[[str], str]) -> bool:
    """Tell whether a table of the source says the sentence; `flat` makes words comparable."""
    said, _, cells = sentence.strip(" \t\n•*-.").partition(" – ")
    name = flat(said)
    wanted = [
        (flat(column), flat(value))
        for column, _, value in (part.partition(": ") for part in cells.split("; "))
    ]
    if not name or not all(value for _, value in wanted):
        return False  # an empty cell says nothing
    return any(
        flat(row[0]) == name
        and all(
            pair in zip(map(flat, heads[1:]), map(flat, row[1:]), strict=False) for pair in wanted
        )
        for heads, rows in _tables(source)
        for row in rows
    )


def _tables(text: str) -> Iterator[tuple[Sequence[str], Sequence[Sequence[str]]]]:
    """Yield the headings and rows of each Markdown table."""
    lines = [line.strip() for line in text.splitlines()]
    for at, line in enumerate(lines[1:], 1):
        if not _RULE.match(line) or "|" not in line or "|" not in lines[at - 1]:
            continue
        rows = []
        for below in lines[at + 1 :]:
            if "|" not in below:
                break
            rows.append(_cells(below))
        yield _cells(lines[at - 1]), rows


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]
