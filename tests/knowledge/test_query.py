"""What is searched for."""

import pytest

from core.understanding import Said
from knowledge.query import build, is_leaning

TALK = [
    Said("customer", "What does Basic cost?"),
    Said("bot", "Basic costs $5."),
]


def test_alone_a_question_is_itself() -> None:
    query = build("How do I export data?", [])
    assert query.dense == query.lexical == ((1.0, "How do I export data?"),)
    assert (query.subject, query.leans, query.clauses) == ("", False, ())


def test_earlier_turns_weigh_less_than_the_last() -> None:
    query = build("And on Gold?", TALK)
    weights = {text: weight for weight, text in query.lexical}
    assert (
        weights["And on Gold?"] > weights["What does Basic cost?"] > weights["Basic costs $5."] > 0
    )
    assert (0.5, "What does Basic cost? And on Gold?") in query.dense
    assert query.text == "What does Basic cost? And on Gold?"


def test_the_question_itself_at_the_end_of_the_talk_is_not_an_earlier_turn() -> None:
    assert build("Refunds?", [Said("customer", "Refunds?")]).subject == ""


@pytest.mark.parametrize("text", ["And on Gold?", "enterprise?", "does it sync?", "¿y eso?", "why"])
def test_leaning(text: str) -> None:
    assert is_leaning(text)


@pytest.mark.parametrize(
    "text", ["How many webhook endpoints does Gold allow?", "descargar facturas antiguas ayer"]
)
def test_standing(text: str) -> None:
    assert not is_leaning(text)


def test_a_story_is_searched_sentence_by_sentence() -> None:
    story = (
        "My card was charged twice for the same order. " * 3
        + "Please tell me how refunds work. " * 8
    )
    query = build(story, TALK)
    assert query.clauses == (
        "My card was charged twice for the same order.",
        "Please tell me how refunds work.",
    )
    assert query.subject == ""


def test_a_hundred_kilobytes_stay_bounded() -> None:
    many = " ".join(f"This is sentence number {n}." for n in range(5000))
    assert len(build(many, []).clauses) == 40
