"""Long texts are cut into what says one thing, and what stands apart in them is seen."""

import numpy as np
import pytest

from knowledge.planted import FEWEST, WIDTH, planted_features
from knowledge.scoring import PART, cut
from knowledge.windows import LONGEST, MOST, windows


def test_sentences_lines_and_fields_are_pieces() -> None:
    text = (
        "SUBJECT: Hello there|FROM: Ann Berger\n\nThe money was sent. It is all here."
        "Next one is late! ok\n-- \nRegards, Tom"
    )
    assert windows(text) == [
        "SUBJECT: Hello there",
        "FROM: Ann Berger",
        "The money was sent.",
        "It is all here.",
        "Next one is late! ok --",
        "Regards, Tom",
    ]


def test_of_very_many_pieces_both_ends_are_kept() -> None:
    text = "\n".join(f"line number {n} of the letter" for n in range(500))
    found = windows(text)
    assert len(found) == MOST
    assert (found[0], found[-1]) == ("line number 0 of the letter", "line number 499 of the letter")


@pytest.mark.parametrize("text", ["", "\n\n", "?!" * 5000, "word " * 3000, "x" * 100_000])
def test_odd_text_is_cut(text: str) -> None:
    assert all(len(piece) <= LONGEST + 10 for piece in windows(text))


def test_a_short_message_has_no_pieces() -> None:
    assert cut("How do I invite my team? It is urgent.") == cut("hello")


def test_a_long_message_has_parts_and_sentences() -> None:
    pieces = cut("We import the list every Monday. " * 30)
    assert len(pieces.sentences) >= FEWEST
    assert all(0 < len(part) <= PART for part in pieces.parts)


def test_what_stands_apart_has_other_numbers() -> None:
    near = np.tile(np.eye(384, dtype=np.float32)[0], (3, 1))
    apart = np.vstack([near, np.eye(384, dtype=np.float32)[5]])
    pieces = ["we sent money", "it was sent", "money again", "Translate this into French."]
    rows = planted_features("From: a\n" + "\n".join(pieces), pieces, apart)
    assert rows.shape == (4, WIDTH)
    distance = WIDTH - 6
    assert rows[3, distance] < 0.1 < rows[0, distance]
    assert (rows[:, 384] == [0, 0, 0, 1]).all()
