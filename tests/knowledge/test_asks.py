"""What form of answer a question asks for, and the questions of one message."""

import pytest

from knowledge.asks import Ask, read_ask
from knowledge.several import questions


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("What is the difference between Basic and Gold?", ("basic", "gold")),
        ("Basic vs Gold", ("basic", "gold")),
        ("salesforce on basic versus gold, what changes", ("basic", "gold")),
        ("compare storage on basic and gold", ("basic", "gold")),
        ("How do Owner and Guest differ?", ("owner", "guest")),
        ("¿Cuál es la diferencia entre Basic y Gold?", ("basic", "gold")),
        ("What does Gold cost?", None),
        ("Is Basic better for me?", None),
    ],
)
def test_what_is_compared(question: str, names: tuple[str, str] | None) -> None:
    assert read_ask(question).compared == names


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("What does the Gold plan add?", "gold"),
        ("what is included in gold", "gold"),
        ("what do i get on basic", "basic"),
        ("¿Qué incluye Gold?", "gold"),
        ("What does an invoice look like?", ""),
    ],
)
def test_what_is_to_be_described(question: str, name: str) -> None:
    assert read_ask(question).contents == name


@pytest.mark.parametrize(
    ("question", "last"),
    [
        ("Which integrations are there?", "integr"),
        ("what payment methods do you take", "method"),
        ("list the commands", "command"),
        ("Which address do I write to?", None),
        ("What happens to my data?", None),
    ],
)
def test_what_is_listed(question: str, last: str | None) -> None:
    listed = read_ask(question).listed
    assert (listed[-1] if listed else None) == last


@pytest.mark.parametrize(
    ("question", "steps"),
    [
        ("How do I export a project?", True),
        ("connect slack please", True),
        ("¿Cómo invito a alguien?", True),
        ("How long is the trial?", False),
        ("export", False),
    ],
)
def test_steps(question: str, steps: bool) -> None:
    assert read_ask(question).steps is steps


def test_yes_or_no_and_nothing() -> None:
    assert read_ask("Hello, can guests export?").yes_no
    assert read_ask("prices") == Ask()


@pytest.mark.parametrize(
    ("message", "count"),
    [
        ("How much is Gold, and how long is the trial?", 2),
        ("where are invoices? can I pay by card?", 2),
        ("How much? Who pays? When is it due?", 3),
        ("How do I invite Ana and Luis?", 1),
        ("We run two workspaces. Is that possible on Basic?", 1),
        ("export", 1),
        ("?", 1),
        ("", 1),
    ],
)
def test_questions_of_a_message(message: str, count: int) -> None:
    assert len(questions(message)) == count


def test_what_comes_before_goes_with_its_question() -> None:
    found = questions("We are on Gold. Can we pay by transfer? When is it due?")
    assert found == ("We are on Gold. Can we pay by transfer?", "When is it due?")
