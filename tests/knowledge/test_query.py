"""What is searched for."""

import pytest

from core.understanding import Said
from knowledge.query import MAX_CLAUSES, SPAN_WORDS, build, is_leaning

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


def test_a_story_is_searched_span_by_span() -> None:
    fee = "My card was charged twice for the same order and nobody could tell me why it was."
    refund = "Please tell me how refunds work and how long the money takes to arrive."
    query = build(f"{fee} Again: {fee} Short one here. {refund} And {refund} Thank you all.", TALK)
    assert query.clauses == (
        fee,
        f"Again: {fee} Short one here.",
        f"{refund} And {refund}",
        "Thank you all.",
    )
    assert sum(weight for weight, _ in query.dense) == pytest.approx(1.0)
    assert [text for _, text in query.dense] == list(query.clauses)
    assert query.subject == ""


def test_a_hundred_kilobytes_stay_bounded() -> None:
    many = " ".join(f"This is sentence number {n}." for n in range(5000))
    clauses = build(many, []).clauses
    assert len(clauses) == MAX_CLAUSES
    assert max(len(each.split()) for each in clauses) <= SPAN_WORDS


@pytest.mark.parametrize(
    "text",
    [
        "Thanks. By the way, do charities pay less?",
        "One more question: do charities pay less?",
        "Por cierto, ¿pagan menos las fundaciones?",
        "otra cosa, ¿pagan menos las fundaciones?",
    ],
)
def test_a_new_subject_leaves_the_old_one_behind(text: str) -> None:
    query = build(text, TALK)
    assert query.dense == query.lexical == ((1.0, text),)
    assert (query.subject, query.leans) == ("", False)


@pytest.mark.parametrize(
    ("text", "gone", "kept"),
    [
        ("no, I meant webhooks, not Zapier", "zapier", "webhooks"),
        ("not Basic! I was asking about Gold", "basic", "gold"),
        ("quise decir webhooks en vez de Zapier", "zapier", "webhooks"),
    ],
)
def test_a_correction_drops_what_was_denied_and_what_was_answered(
    text: str, gone: str, kept: str
) -> None:
    talk = [
        Said("customer", "How do I connect Zapier on Basic?"),
        Said("bot", "Zapier needs a token."),
    ]
    searched = " ".join(part for _, part in build(text, talk).lexical).lower()
    assert gone not in searched
    assert kept in searched
    assert "token" not in searched
    assert "connect" in searched


def test_a_denial_of_something_new_stays() -> None:
    query = build("no, the mail is not arriving", TALK)
    assert any("arriving" in text for _, text in query.lexical)
