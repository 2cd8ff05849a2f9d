"""Which questions are the same one, with the real encoder."""

import pytest

from knowledge.encoder import Encoder
from knowledge.gaps import ALIKE, SAME, Question, nearness, place


async def read(encoder: Encoder, *texts: str) -> list[Question]:
    vectors = await encoder.encode_batch(texts)
    return [Question.of(t, v.tobytes()) for t, v in zip(texts, vectors, strict=True)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Do you have a dark mode?", "Is there a dark theme?"),
        ("How do I rename my workspace?", "where can I edit the workspace name"),
        ("Can I pay by bank transfer?", "Do you accept bank transfers?"),
        ("¿Puedo pagar con PayPal?", "¿Aceptan PayPal?"),
    ],
)
async def test_the_same_question_joins(encoder: Encoder, one: str, other: str) -> None:
    first, second = await read(encoder, one, other)
    assert nearness(first, second) == pytest.approx(nearness(second, first))
    assert place(second, [[first]]) == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Can I export a board to PDF?", "Is there a Jira integration?"),
        ("Do you offer discounts for non-profits?", "How do I change my time zone?"),
        ("¿Cómo conecto Jira?", "¿Funciona sin conexión?"),
    ],
)
async def test_another_question_does_not(encoder: Encoder, one: str, other: str) -> None:
    first, second = await read(encoder, one, other)
    assert place(second, [[first]]) is None


async def test_the_nearest_group_takes_it(encoder: Encoder) -> None:
    dark, theme, pdf, new = await read(
        encoder,
        "Do you have a dark mode?",
        "Is there a dark theme?",
        "Can I export a board to PDF?",
        "does the app have a dark mode",
    )
    assert place(new, [[pdf], [dark, theme]]) == 1
    assert place(new, []) is None


async def test_a_question_without_words_or_vector_joins_nothing(encoder: Encoder) -> None:
    empty = Question.of("???", b"")
    (other,) = await read(encoder, "Do you have a dark mode?")
    assert nearness(empty, other) == 0.0
    assert place(empty, [[other]]) is None


def test_what_is_offered_as_alike_is_less_sure() -> None:
    assert 0 < ALIKE < SAME < 1
