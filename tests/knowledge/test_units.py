"""A passage cut into what can be said."""

import pytest

from knowledge.units import cut, plain, render_row, sentences
from tests.knowledge.conftest import EXPORT, PRICES


def test_steps_items_rows_and_sentences() -> None:
    kinds = [unit.kind for unit in cut(EXPORT)]
    assert kinds == ["sentence", "sentence", "step", "step", "step", "sentence"]
    assert cut(EXPORT)[1].opens_list
    assert [unit.number for unit in cut(EXPORT) if unit.kind == "step"] == ["1", "2", "3"]


def test_links_become_their_words() -> None:
    assert cut(EXPORT)[4].text == "Wait for the mail with the download link."


def test_rows_carry_header_and_read_without_pipes() -> None:
    rows = [unit for unit in cut(PRICES) if unit.kind == "row"]
    assert [unit.text for unit in rows] == [
        "Basic – Paid monthly: $5 per seat; Paid yearly: $4 per seat",
        "Gold – Paid monthly: $19 per seat; Paid yearly: $15 per seat",
    ]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [((2,), "Storage – Gold: 9 GB"), ((), "Storage – Basic: 1 GB; Gold: 9 GB"), ((7,), "Storage")],
)
def test_only_the_wanted_columns(columns: tuple[int, ...], expected: str) -> None:
    assert render_row(("Limit", "Basic", "Gold"), ("Storage", "1 GB", "9 GB"), columns) == expected


def test_a_table_without_a_header_is_read() -> None:
    assert [unit.text for unit in cut("| a | b |\n| c | d |")] == ["a – b", "c – d"]


def test_code_stays_whole() -> None:
    units = cut('Send this:\n\n```json\n{\n  "a": 1\n}\n```\nDone.')
    assert [(unit.kind, unit.text) for unit in units] == [
        ("sentence", "Send this:"),
        ("code", '{\n  "a": 1\n}'),
        ("sentence", "Done."),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Use e.g. CSV. Then wait.", ["Use e.g. CSV.", "Then wait."]),
        ("It costs $3.50 a seat. Pay yearly.", ["It costs $3.50 a seat.", "Pay yearly."]),
        ("¿Cuánto cuesta? Diez euros.", ["¿Cuánto cuesta?", "Diez euros."]),
        ("", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_a_wall_of_text_is_cut() -> None:
    pieces = sentences("word, " * 600)
    assert max(len(piece) for piece in pieces) <= 600
    assert "".join(pieces).replace(" ", "") == "word," * 600


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**Bold** and `code`", "Bold and code"),
        ("![alt](x.png) a_b*c", "alt a_b*c"),
        ("## Title", "Title"),
    ],
)
def test_marks_go(text: str, expected: str) -> None:
    assert plain(text) == expected


@pytest.mark.parametrize("text", ["", "\n\n", "|", "||", "```", "1.", "- ", "| --- |"])
def test_odd_passages_do_no_harm(text: str) -> None:
    assert all(unit.text for unit in cut(text))
