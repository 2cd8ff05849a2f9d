"""Asking back, comparisons, lists and several questions over a small company's docs."""

import re

import pytest

from core.ports import Viewer
from core.understanding import Said
from knowledge.decision import topics
from knowledge.encoder import Encoder
from knowledge.extract import ExtractiveAnswers
from tests.fakes_knowledge import MemoryPassages
from tests.knowledge.conftest import ACME, document, fill

ANYBODY = Viewer()
PLANS = """| Feature | Basic | Gold |
| --- | --- | --- |
| Projects | 5 | 100 |
| Audit trail | no | yes |
| Support | email | email |

- **Basic** fits a small team that needs projects.
- **Gold** fits a company that needs an audit trail."""
MORE = (
    document("plans.md", "Compare plans", ("Features by plan", PLANS)),
    document("connections/mail.md", "Connect mail", ("", "Send mail into a project.")),
    document("connections/chat.md", "Connect chat", ("", "Post to a chat room.")),
    document("connections/sheets.md", "Connect sheets", ("", "Copy rows to a sheet.")),
)


@pytest.fixture
async def wider(
    answers: ExtractiveAnswers, passages: MemoryPassages, encoder: Encoder
) -> ExtractiveAnswers:
    """The same answers with pages to compare and to list."""
    await fill(encoder, ACME, MORE, passages)
    return answers


async def test_two_plans_side_by_side(wider: ExtractiveAnswers) -> None:
    found = await wider.answer(ACME, "What is the difference between Basic and Gold?", [], ANYBODY)
    assert found.action == "answer"
    lines = [re.sub(r" \[\d+\]$", "", line) for line in found.text.splitlines()]
    assert "- Basic fits a small team that needs projects." in lines
    assert "- Gold fits a company that needs an audit trail." in lines
    assert "- Projects – Basic: 5; Gold: 100." in lines
    assert not any("Support" in line for line in lines)  # the same on both
    assert {citation.document for citation in found.citations} == {"plans.md"}


async def test_pages_of_a_folder_are_a_list(wider: ExtractiveAnswers) -> None:
    found = await wider.answer(ACME, "Which connections are there?", [], ANYBODY)
    assert found.action == "answer"
    assert {citation.document for citation in found.citations} == {
        "connections/mail.md",
        "connections/chat.md",
        "connections/sheets.md",
    }
    assert "- Connect chat: Post to a chat room." in found.text


async def test_several_questions_one_after_the_other(answers: ExtractiveAnswers) -> None:
    message = "How do I export a project? And when does an invitation expire?"
    found = await answers.answer(ACME, message, [], ANYBODY)
    assert found.action == "answer"
    assert found.text.index("Select Export") < found.text.index("14 days")
    numbers = [citation.number for citation in found.citations]
    assert numbers == list(range(1, len(numbers) + 1))
    assert {int(n) for n in re.findall(r"\[(\d+)\]", found.text)} == set(numbers)


async def test_what_is_not_known_of_several_is_named(answers: ExtractiveAnswers) -> None:
    message = "How do I export a project? Who is your CEO?"
    found = await answers.answer(ACME, message, [], ANYBODY)
    assert found.missing == ("Who is your CEO?",)
    assert "Select Export" in found.text


async def test_ten_questions_are_three(answers: ExtractiveAnswers) -> None:
    message = " ".join(f"How do I export project {n}?" for n in range(10))
    assert (await answers.answer(ACME, message, [], ANYBODY)).skipped == 7


@pytest.mark.parametrize("question", ["how do i change it?", "how long?", "what is the limit?"])
async def test_what_says_too_little_is_asked_back(
    answers: ExtractiveAnswers, question: str
) -> None:
    assert (await answers.answer(ACME, question, [], ANYBODY)).action != "answer"


async def test_an_antecedent_makes_the_same_words_answerable(answers: ExtractiveAnswers) -> None:
    talk = [Said("customer", "How do I export a project?"), Said("bot", "Select Export. [1]")]
    found = await answers.answer(ACME, "And how long does the link work?", talk, ANYBODY)
    assert "48 hours" in found.text


async def test_options_differ_and_are_few(
    answers: ExtractiveAnswers, passages: MemoryPassages
) -> None:
    found = await answers.answer(ACME, "prices", [], ANYBODY)
    options = topics(found.passages)
    assert len(options) == len(set(options)) <= 3
    assert all(options)
