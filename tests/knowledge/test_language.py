import pytest

from knowledge.language import Languages


@pytest.mark.parametrize(
    ("text", "running", "code"),
    [
        ("How do I invite my team?", "es", "en"),
        ("¿Cómo invito a mi equipo?", "en", "es"),
        ("hola", "en", "es"),
        ("gracias", "en", "es"),
        ("ok", "es", "es"),
        ("ok", "en", "en"),
        ("3pm", "es", "es"),
        ("", "es", "es"),
        ("👍", "en", "en"),
        ("Wie kann ich mein Passwort zurücksetzen?", "en", "de"),
        ("Comment puis-je inviter mon équipe ?", "en", "fr"),
        ("no that didn't help", "en", "en"),
        ("Les voy a poner una demanda", "en", "es"),
        ("eso no funciona", "en", "es"),
    ],
)
async def test_language(text: str, running: str, code: str) -> None:
    assert await Languages().of(text, running) == code
