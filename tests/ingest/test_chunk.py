from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ports import Document
from ingest.blocks import Block, BlockKind, Page
from ingest.chunk import (
    MAX_PIECES,
    TARGET_CHARS,
    chunk,
    embedding_text,
    estimate_pieces,
    framed,
    sentences,
)
from ingest.load import load


def chunks_of(text: str) -> list[tuple[str, str]]:
    page = load("a.md", text.encode())
    assert page is not None
    made = chunk(page)
    assert [piece.position for piece in made] == list(range(len(made)))
    return [(piece.section, piece.text) for piece in made]


def test_heading_path_without_the_title() -> None:
    text = "# T\n\nIntro.\n\n## A\n\nOne.\n\n### B\n\nTwo.\n\n#### C\n\n##### D"
    text += "\n\nThree.\n\n## E\n\nFour."
    assert chunks_of(text) == [
        ("", "Intro."),
        ("A", "One."),
        ("A › B", "Two."),
        ("A › B › C › D", "Three."),
        ("E", "Four."),
    ]


def test_anchors_are_slugs_unique_in_the_page() -> None:
    page = load(
        "a.md",
        b"# T\n\nx\n\n## What's new?\n\na\n\n## What's new?\n\nb\n\n## \xc2\xbfQu\xc3\xa9?\n\nc",
    )
    assert page is not None
    assert [piece.anchor for piece in chunk(page)] == [None, "whats-new", "whats-new-1", "qué"]


def test_short_section_is_one_chunk_with_its_table_list_and_code() -> None:
    text = "# T\n\nFirst:\n\n- a\n- b\n\n| K | V |\n| --- | --- |\n| x | 1 |\n\n```\nrun\n```"
    assert chunks_of(text) == [
        ("", "First:\n\n- a\n- b\n\n| K | V |\n| --- | --- |\n| x | 1 |\n\n```\nrun\n```")
    ]


def test_split_table_repeats_its_header() -> None:
    rows = "\n".join(f"| Setting number {n} | its value is {n} and then some |" for n in range(60))
    made = chunks_of(f"# T\n\n## S\n\nAll limits:\n\n| Name | Value |\n| --- | --- |\n{rows}")
    assert len(made) > 2
    assert all("| Name | Value |\n| --- | --- |\n" in text for _, text in made)
    assert all(text.startswith("All limits:\n") for _, text in made)
    together = "\n".join(text for _, text in made)
    assert all(together.count(f"| Setting number {n} |") == 1 for n in range(60))


def test_table_that_fits_stays_whole() -> None:
    filler = "A sentence that fills the first chunk of this section. " * 14
    rows = "\n".join(f"| Name {n} | value {n} |" for n in range(12))
    made = chunks_of(f"# T\n\n{filler}\n\nLimits are these:\n\n| N | V |\n| --- | --- |\n{rows}")
    assert made[-1][1].startswith("Limits are these:\n| N | V |")
    assert all(f"| Name {n} |" in made[-1][1] for n in range(12))


def test_split_list_repeats_its_lead_in_sentence() -> None:
    items = "\n".join(
        f"{n}. Open page {n}, select the button and wait until done." for n in range(1, 50)
    )
    made = chunks_of(f"# T\n\nBefore. To set it up, follow these steps:\n\n{items}")
    assert len(made) > 2
    assert all("To set it up, follow these steps:" in text for _, text in made)
    assert sum(text.count("Before.") for _, text in made) == 1


def test_split_code_is_fenced_on_both_sides() -> None:
    code = "\n".join(f"command --with-option value{n} --other" for n in range(80))
    made = chunks_of(f"# T\n\n```\n{code}\n```")
    assert len(made) > 1
    assert all(text.startswith("```\n") and text.endswith("\n```") for _, text in made)


def test_split_prose_overlaps_by_one_sentence() -> None:
    prose = " ".join(f"Sentence number {n} says something about the product." for n in range(60))
    texts = [text for _, text in chunks_of(f"# T\n\n{prose}")]
    assert len(texts) > 2
    assert all(sentences(earlier)[-1] == sentences(later)[0] for earlier, later in pairwise(texts))
    assert all(len(text) <= TARGET_CHARS for text in texts)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Use e.g. Slack. See No. 5 now.", ["Use e.g. Slack.", "See No. 5 now."]),
        ('He said "Stop." Then left.', ['He said "Stop."', "Then left."]),
        ("Version 2.5 is out. it is lower case", ["Version 2.5 is out. it is lower case"]),
        ("¿Cómo? Así. Ábrelo.", ["¿Cómo?", "Así.", "Ábrelo."]),
        ("一。二。", ["一。", "二。"]),
        ("", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_embedding_text_carries_title_and_section() -> None:
    page = load("a.md", b"# Title\n\n## Part\n\nText.")
    assert page is not None
    (made,) = chunk(page)
    document = Document("s", "a.md", page.title, "d", (made,))
    assert embedding_text(document, made) == "Title. Part. Text."
    assert framed("Title", "", "Text.") == "Title. Text."


@given(
    st.lists(
        st.one_of(
            st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=3000),
            st.sampled_from(
                [
                    "## Part",
                    "- item\n- item two",
                    "| a | b |\n|---|---|\n| 1 | 2 |",
                    "```\ncode\n```",
                ]
            ),
            st.just("x" * 5000),
            st.just("palabra " * 900),
        ),
        max_size=6,
    )
)
def test_any_text_fits_the_encoder_and_loses_no_word(parts: list[str]) -> None:
    page = load(
        "a.md", ("# T\n\n" + "\n\n".join([*parts, "Last words."])).encode("utf-8", "replace")
    )
    assert page is not None
    made = chunk(page)
    assert "Last words." in made[-1].text or "words." in made[-1].text
    room = [estimate_pieces(framed(page.title, piece.section, "")) for piece in made]
    assert all(
        estimate_pieces(piece.text) <= max(MAX_PIECES - taken, 96) + 2
        for piece, taken in zip(made, room, strict=True)
    )


def test_a_chunk_links_to_its_first_block_that_says_where_it_is() -> None:
    blocks = (
        Block(BlockKind.HEADING, "Refunds", level=2, anchor="own-id"),
        Block(BlockKind.PARAGRAPH, "First."),
        Block(BlockKind.HEADING, "Refunds", level=2),
        Block(BlockKind.PARAGRAPH, "Second. " * 60, anchor="page=2"),
        Block(BlockKind.PARAGRAPH, "Third. " * 100, anchor="page=3"),
        Block(BlockKind.HEADING, "Refunds", level=2),
        Block(BlockKind.PARAGRAPH, "Fourth."),
    )
    found = chunk(Page("T", blocks))
    assert [c.anchor for c in found] == ["own-id", "page=2", "page=3", "refunds-1"]
    assert ["Fourth" in c.text for c in found] == [False, False, False, True]


@pytest.mark.parametrize(("lines", "pieces"), [(60, 1), (150, 3)])
def test_code_stays_whole_unless_it_is_very_long(lines: int, pieces: int) -> None:
    code = "\n".join(f"call_number_{n}(argument)" for n in range(lines))
    blocks = (
        Block(BlockKind.PARAGRAPH, "Before it. " * 40),
        Block(BlockKind.PARAGRAPH, "Run this:"),
        Block(BlockKind.CODE, code),
        Block(BlockKind.PARAGRAPH, "After it."),
    )
    found = [c.text for c in chunk(Page("T", blocks)) if "```" in c.text]
    assert len(found) >= pieces
    assert (len(found) == 1) == (pieces == 1)
    assert all(text.count("```") == 2 and "Run this:" in text for text in found)
    written = "\n".join(text.split("```")[1].strip("\n") for text in found)
    assert written == code
