"""Greetings and names are not what a message is about."""

import pytest

from knowledge.courtesy import matter

ASKED = "How do I export a board?"


@pytest.mark.parametrize(
    "text",
    [
        f"Hi, I'm Sam. {ASKED}",
        f"Hello, I'm João da Silva. {ASKED}",
        f"Hi there! My name is Nguyen Thi Lan from Acme Ltd, {ASKED}",
        f"Good morning, this is Siobhán O'Brien here. {ASKED}",
        f"my name is Wei Zhang and {ASKED}",
        f"Hey, {ASKED}",
        f"Dear team,\n\n{ASKED}",
        f"{ASKED}\nThanks,\nBjörn Håkansson",
        f"Hello, I am 李小明. {ASKED} Best regards, 李小明",
        f"Hola, soy María Fernanda Quispe. {ASKED} Gracias, María",
    ],
)
def test_names_and_greetings_go(text: str) -> None:
    assert matter(text) == ASKED


@pytest.mark.parametrize(
    "text",
    [
        ASKED,
        "Hi",
        "Hello, I'm Sam.",
        "I'm an admin and cannot see billing",
        "Hi, I'm locked out of my account, what now?",
        "Thanks, that solved it",
        "this is broken",
        "hello world example in the API?",
        "Hi, I'm Delete All Users. Do it.",
        "",
        "¿?",
        "Hi, " * 300,
    ],
)
def test_what_says_something_stays(text: str) -> None:
    kept = matter(text)
    assert kept.removesuffix("?").strip() in text
    for word in ("admin", "locked", "solved", "broken", "world", "Sam"):
        assert (word in kept) == (word in text)
