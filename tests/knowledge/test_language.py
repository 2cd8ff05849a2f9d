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
        ("Teams dejó de avisar en mi grupo", "en", "es"),
        ("Exportación en csv", "en", "es"),
        ("un remboursement en deux fois, merci", "en", "fr"),
        ("Slack stopt in een kanaal en meldt niet meer", "en", "nl"),
    ],
)
async def test_language(text: str, running: str, code: str) -> None:
    assert await Languages().of(text, running) == code
