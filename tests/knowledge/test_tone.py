import numpy as np
import pytest

from knowledge.grams import grams
from knowledge.tone import NAMES, tone, tones


def part(text: str, name: str) -> float:
    return float(tone(text)[NAMES.index(name)])


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("this is good", "this is not good"),
        ("this is very good", "this is good"),
        ("I love it", "I like it, meh"),
        ("not bad at all", "bad"),
        ("soooo gooood", "so bad"),
        ("esto es genial", "esto es una basura"),
        ("no está mal, gracias", "está mal"),
        ("It's good", "It’s awful"),
    ],
)
def test_words_are_weighed_with_what_stands_before_them(better: str, worse: str) -> None:
    assert part(better, "balance") > part(worse, "balance")


def test_negation_ends_with_the_clause() -> None:
    assert part("no, it is good", "good") > 0
    assert part("it is not, well, good", "turned") == 0


def test_what_comes_after_but_counts_apart() -> None:
    assert (
        part("nice idea but it is terrible", "but_after")
        < 0
        < part("bad start but great end", "but_after")
    )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("thanks 🎉🎉", "good_marks"),
        ("why 😡", "bad_marks"),
        ("see you :-)", "smiles"),
        ("lost it :(", "frowns"),
        ("WHERE IS MY ORDER", "all_capitals"),
        ("fix this NOW please", "shouted_words"),
        ("stop!!!", "exclamations"),
        ("nooooo", "stretched"),
        ("I am furious", "angry_words"),
        ("estoy triste", "sad_words"),
    ],
)
def test_marks_are_seen(text: str, name: str) -> None:
    assert part(text, name) > 0
    assert part("the board has two columns", name) == 0


@pytest.mark.parametrize("text", ["", " ", "\x00", "🙈" * 3000, "a" * 50_000, "!?" * 9000])
def test_odd_text_has_a_tone(text: str) -> None:
    assert np.isfinite(tone(text)).all()


def test_no_texts_have_no_tones() -> None:
    assert tones([]).shape == (0, len(NAMES))


def test_spelling_is_alike_for_typing_errors() -> None:
    right, wrong, other = grams(
        ["my warranty expired", "my waranty expird", "open on Sunday"], 1024
    )
    assert right @ wrong > 0.5 > right @ other
    assert np.linalg.norm(right) == pytest.approx(1, abs=1e-5)
    assert not grams(["?!"], 64).any()


def test_of_one_word_its_spelling_says_less() -> None:
    texts = ["report", "where do I find the weekly report of my team and the figures of last month"]
    word, sentence = grams(texts, 4096, (2, 3, 4, 5), least=10)
    assert np.linalg.norm(word) < 0.6
    assert np.linalg.norm(sentence) == pytest.approx(1, abs=1e-5)
