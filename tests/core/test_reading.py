"""How easily texts read: known words, known orders, and nothing that a text could break."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.reading import Level, read

EASY = "Open the board. Click on the red dot. The board is now shut. You can open it again."
HARD = (
    "Notwithstanding the aforementioned contractual stipulations, organisational administrators retain "
    "discretionary authorisation concerning subscription modifications throughout the applicable period."
)
FACIL = "Abre el panel. Pulsa el botón rojo. Ya no se ve. Lo puedes abrir de nuevo."
DIFICIL = (
    "No obstante las estipulaciones contractuales anteriormente mencionadas, los administradores organizativos "
    "conservan la autorización discrecional correspondiente a las modificaciones de suscripción aplicables."
)


@pytest.mark.parametrize(
    ("text", "locale", "level"),
    [
        (EASY, "en", "easy"),
        (FACIL, "es", "easy"),
        ("The administrator invites other people, who receive an invitation by electronic mail.", "en", "hard"),
        ("You can change your plan at any time. The new price starts with your next invoice.", "en", "easy"),
        ("The administrator can change the settings until the last day of the month.", "en", "plain"),
        (HARD, "en", "hard"),
        (DIFICIL, "es", "hard"),
    ],
)  # fmt: skip
def test_levels(text: str, locale: str, level: Level) -> None:
    found = read(text, locale)
    assert found is not None
    assert found.level == level, found


def test_the_formula_by_hand() -> None:
    """14 words of 16 syllables in 2 sentences: 206.835 - 84.6 * 16/14 - 1.015 * 14/2."""
    found = read("The cat sat on the mat. It was a very big and happy cat.", "en")
    assert found is not None
    assert (found.words, found.sentences) == (14, 2)
    assert found.ease == pytest.approx(206.835 - 84.6 * 16 / 14 - 1.015 * 7, abs=0.06)


def test_what_is_no_prose_does_not_count() -> None:
    bare = read(EASY, "en")
    marked = EASY.replace(".", " [1].").replace("dot", "**dot**")
    assert (
        read(f"{marked} https://a.example/organisational/administrators x@y.example `run()`", "en")
        == bare
    )
    listed = read("- Open the board now\n- Click on the big red dot", "en")
    assert listed is not None
    assert listed.sentences == 2


@pytest.mark.parametrize(
    ("text", "locale"),
    [
        ("Open the board and click on it now.", "en"),
        ("", "es"),
        (EASY, "de"),
        ("123 45 6. 7 8 9", "en"),
    ],
)
def test_where_nothing_can_be_said(text: str, locale: str) -> None:
    assert read(text, locale) is None


@given(st.text(max_size=400), st.sampled_from(["en", "es"]))
def test_any_text_is_taken(text: str, locale: str) -> None:
    found = read(text, locale)
    assert found is None or found.words >= found.sentences > 0


def test_a_text_without_end_is_read_at_once() -> None:
    assert read("a" * 32_000, "en") is None
    assert read("@" * 32_000 + " a" * 12, "en") is not None
