from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.citations import CitationStream, Part, numbers_in, without_markers


def streamed(text: str, size: int, count: int = 5) -> list[Part]:
    stream = CitationStream(count)
    parts: list[Part] = []
    for at in range(0, len(text), size):
        parts.extend(stream.feed(text[at : at + size]))
    return [*parts, *stream.finish()]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Open it [1]. Save it [2].", [("Open it.", (1,)), ("Save it.", (2,))]),
        ("Open it. [1] Save it. [2]", [("Open it.", (1,)), ("Save it.", (2,))]),
        ("Open it.[1][2] Save it.【3】", [("Open it.", (1, 2)), ("Save it.", (3,))]),
        ("Open it [1, 2]; then [1] wait [3-5].", [("Open it; then wait.", (1, 2, 3, 4, 5))]),
        ("Open it【1†source】. Done [2].", [("Open it.", (1,)), ("Done.", (2,))]),
        ("Unknown [9] and [0] go [2].", [("Unknown and go.", (2,))]),
        ("No marker at all. None.", [("No marker at all.", ()), ("None.", ())]),
        ("Do this:\n1. Open it. [1]\n2. Save it [2]\n", [
            ("Do this:", ()), ("1. Open it.", (1,)), ("2. Save it", (2,)),
        ]),
        ("- one [1]\n- two [2]", [("- one", (1,)), ("- two", (2,))]),
        ("Costs 2.50 at lumen.example [1]. Yes!", [
            ("Costs 2.50 at lumen.example.", (1,)), ("Yes!", ()),
        ]),
        ("Use e.g. Slack [1]. Done.", [("Use e.g. Slack.", (1,)), ("Done.", ())]),
        ("Click [Settings] and [Save] [1].", [("Click [Settings] and [Save].", (1,))]),
        ('It says "Stop." Then [1] go.', [('It says "Stop."', ()), ("Then go.", (1,))]),
        ("¿Cómo? Así [1]. ¡Ya!", [("¿Cómo?", ()), ("Así.", (1,)), ("¡Ya!", ())]),
        ("一。[1]二。[2]", [("一。", (1,)), ("二。", (2,))]),
        ("Cut off [1]. In a marker [1", [("Cut off.", (1,)), ("In a marker", ())]),
        ("Cut off. [", [("Cut off.", ())]),
        ("[1]", []),
        ("UNKNOWN", [("UNKNOWN", ())]),
        ("", []),
        ("  \n\n ", []),
    ],
)  # fmt: skip
def test_sentences_and_numbers(text: str, parts: list[Part], size: int) -> None:
    assert streamed(text, size) == parts


def test_no_half_marker_is_ever_shown() -> None:
    stream = CitationStream(3)
    assert stream.feed("Open it.") == []
    assert stream.feed(" ") == []
    assert stream.feed("[") == []
    assert stream.feed("1") == []
    assert stream.feed("]") == []
    assert stream.feed(" N") == [("Open it.", (1,))]
    assert stream.finish() == [("N", ())]


def test_numbers_and_bare_text() -> None:
    assert numbers_in("a [3][1] b [1; 2] c 【2】 d [99]", 3) == (3, 1, 2)
    assert without_markers("a [3][1] , b 【2】.") == "a, b."


@given(st.text(alphabet=st.sampled_from("ab .[]【】12,†\n!"), max_size=120), st.integers(1, 9))
def test_however_it_is_cut_it_reads_the_same(text: str, size: int) -> None:
    whole = streamed(text, 1000)
    assert streamed(text, size) == whole
    assert all(1 <= number <= 5 for _, numbers in whole for number in numbers)
    assert all(part.strip() == part and part for part, _ in whole)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=8))
def test_every_number_stays_with_its_sentence(numbers: list[int]) -> None:
    text = " ".join(f"Sentence {'x' * n} is here [{n}]." for n in numbers)
    parts = streamed(text, 4)
    assert [found for _, found in parts] == [(n,) for n in numbers]
    assert all(a != "" and b != "" for (a, _), (b, _) in pairwise(parts))
