"""Answers made of the docs' own sentences."""

import re

import pytest

from core.ports import Viewer
from core.understanding import Said
from knowledge.decision import ANSWER_FROM
from knowledge.encoder import Encoder
from knowledge.expects import expected, fit, points_elsewhere
from knowledge.extract import ExtractiveAnswers
from tests.fakes_knowledge import MemoryPassages
from tests.knowledge.conftest import ACME, document, fill

ANYBODY = Viewer()
BASIC = [
    Said("customer", "How long do deleted items stay in the trash on Basic?"),
    Said("bot", "7 days."),
]


@pytest.mark.parametrize(
    ("question", "says", "cites"),
    [
        ("How much does the Gold plan cost paid monthly?", "$19", "prices.md"),
        ("Do charities get a discount?", "30%", "prices.md"),
        ("How do I export a project?", "Select Export", "export.md"),
        ("When does an invitation expire?", "14 days", "team.md"),
        ("how long are deleted itmes kept in the trash?", "7 days", "trash.md"),
        ("¿Dónde se descargan las facturas?", "Ajustes > Facturación", "es/facturas.md"),
    ],
)
async def test_what_the_docs_say_is_said_and_cited(
    answers: ExtractiveAnswers, question: str, says: str, cites: str
) -> None:
    found = await answers.answer(ACME, question, [], ANYBODY)
    assert found.action == "answer"
    assert says in found.text
    assert cites in {citation.document for citation in found.citations}
    assert found.confidence >= ANSWER_FROM


@pytest.mark.parametrize(
    "question",
    [
        "whats the weather in boston tomorrow",
        "Is there a desktop app for Linux?",
        "Who is your CEO?",
    ],
)
async def test_what_they_do_not_say_is_declined(answers: ExtractiveAnswers, question: str) -> None:
    found = await answers.answer(ACME, question, [], ANYBODY)
    assert found.action != "answer"
    assert (found.text, found.citations) == ("", ())
    assert found.reasons


async def test_a_follow_up_uses_the_earlier_subject(answers: ExtractiveAnswers) -> None:
    found = await answers.answer(ACME, "And on Gold?", BASIC, ANYBODY)
    assert "60 days" in found.text
    assert found.query == "How long do deleted items stay in the trash on Basic? And on Gold?"


async def test_steps_stay_steps(answers: ExtractiveAnswers) -> None:
    lines = (
        await answers.answer(ACME, "How do I export a project?", [], ANYBODY)
    ).text.splitlines()
    steps = [line for line in lines if re.match(r"\d\. ", line)]
    assert [line[:2] for line in steps] == ["1.", "2.", "3."]


async def test_the_row_that_matters_without_pipes(answers: ExtractiveAnswers) -> None:
    text = (await answers.answer(ACME, "Gold plan price when paid yearly?", [], ANYBODY)).text
    assert "Gold – Paid yearly: $15 per seat" in text
    assert "Basic –" not in text


@pytest.mark.parametrize(
    "question", ["How do I export a project?", "Gold price?", "How long does trash keep items?"]
)
async def test_every_marker_resolves_and_no_markdown_remains(
    answers: ExtractiveAnswers, question: str
) -> None:
    found = await answers.answer(ACME, question, [], ANYBODY)
    numbers = {citation.number for citation in found.citations}
    assert {int(number) for number in re.findall(r"\[(\d+)\]", found.text)} == numbers != set()
    assert not re.search(r"\||\]\(|\*\*", found.text)
    assert found.text.splitlines()[-1].endswith("]")


async def test_quotes_are_of_the_passage(answers: ExtractiveAnswers) -> None:
    found = await answers.answer(ACME, "When does an invitation expire?", [], ANYBODY)
    texts = {passage.id: passage.text for passage in found.passages}
    assert all(citation.quote in texts[citation.passage_id] for citation in found.citations)


async def test_links_lead_to_the_section(answers: ExtractiveAnswers) -> None:
    found = await answers.answer(ACME, "Do charities get a discount?", [], ANYBODY)
    assert found.citations[0].url == "https://acme.example/prices#discounts"


@pytest.mark.parametrize("limit", [90, 160, 320])
async def test_no_longer_than_the_channel_bears(answers: ExtractiveAnswers, limit: int) -> None:
    found = await answers.answer(ACME, "How do I export a project?", [], ANYBODY, max_chars=limit)
    assert 0 < len(found.text) <= limit
    assert "[1]" in found.text


@pytest.mark.parametrize("question", ["", "?", "🙂🙂", "the", "\ud800"])
async def test_a_message_without_content_is_asked_back_or_declined(
    answers: ExtractiveAnswers, question: str
) -> None:
    found = await answers.answer(ACME, question, [], ANYBODY)
    assert found.action in ("ask_back", "decline")


async def test_hidden_pages_are_not_quoted(answers: ExtractiveAnswers) -> None:
    found = await answers.answer(ACME, "How do agents refund double charges by hand?", [], ANYBODY)
    assert "ledger" not in found.text


async def test_nothing_there_at_all(answers: ExtractiveAnswers, passages: MemoryPassages) -> None:
    passages.documents.clear()
    found = await answers.answer(ACME, "How do I export a project?", [], ANYBODY)
    assert (found.action, found.confidence, found.reasons) == ("decline", 0.0, ("nothing_found",))


# --- the kind of thing asked for -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "yes", "no"),
    [
        ("how long is it kept", "It stays 7 days.", "It is kept in the trash."),
        ("what does Gold cost", "Gold is $19.", "Gold has more features."),
        ("how many seats", "Up to 10 seats.", "Seats can be added."),
        ("where is my invoice", "Open Settings > Billing.", "Invoices are sent monthly."),
        ("¿cuánto tiempo tarda?", "Tarda dos días.", "Se envía por correo."),
    ],
)
def test_kinds(question: str, yes: str, no: str) -> None:
    kind = expected(question)
    assert fit(kind, question, yes) > fit(kind, question, no)


def test_no_kind_fits_nothing() -> None:
    assert expected("is it safe") == ""
    assert fit("", "is it safe", "7 days") == 0


# --- support -------------------------------------------------------------------------------------

SOURCE = [
    "Starter keeps deleted items for 7 days. Pro keeps them for 30 days. Items can be restored by an Owner."
]


@pytest.mark.parametrize(
    ("true", "false"),
    [
        (
            "On Pro, deleted items are kept for 30 days. [1]",
            "On Pro, deleted items are kept for 90 days. [1]",
        ),
        ("An Owner can restore items.", "An Owner cannot restore items."),
        (
            "Starter keeps deleted items for seven days.",
            "Enterprise keeps deleted items for seven days.",
        ),
        ("Items can be restored by an Owner.", "Refunds are paid out within a week."),
    ],
)
async def test_the_unsupported_twin_scores_lower(
    answers: ExtractiveAnswers, true: str, false: str
) -> None:
    assert await answers.support(true, SOURCE) > await answers.support(false, SOURCE) + 0.05


async def test_one_bad_sentence_spoils_the_text(answers: ExtractiveAnswers) -> None:
    good = "Starter keeps deleted items for 7 days."
    mixed = f"{good} We also pay 500 dollars to every customer."
    assert await answers.support(mixed, SOURCE) < 0.4 < await answers.support(good, SOURCE)


async def test_support_without_claims_or_sources(answers: ExtractiveAnswers) -> None:
    assert await answers.support("", SOURCE) == 1.0
    assert await answers.support("Pro keeps items.", []) == 0.0
    assert await answers.support("Pro keeps items.", [""]) == 0.0


@pytest.mark.parametrize(
    ("span", "other"),
    [
        ("The trial lasts 14 days.", "A trial can be extended once, by 7 days."),
        ("Try it for 14 days without a card.", "You get a reminder 3 days before the end."),
    ],
)
def test_how_long_asks_for_a_span(span: str, other: str) -> None:
    question = "How long is the trial?"
    assert fit(expected(question), question, span) > fit(expected(question), question, other)


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("See reset your password.", True),
        ("Error codes are explained on Sign-in problems.", True),
        ("Otherwise the delivery is tried 6 more times.", False),
        ("Invoices are under Settings > Billing.", False),
    ],
)
def test_a_mere_pointer_is_known(text: str, points: bool) -> None:
    assert points_elsewhere(text) is points


async def test_pages_in_the_customers_language_are_not_mixed_with_others(
    answers: ExtractiveAnswers, passages: MemoryPassages, encoder: Encoder
) -> None:
    page = ("Invitar", "1. Abre Settings > People.\n2. Pulsa Invite para invitar a una persona.")
    await fill(encoder, ACME, (document("es/invitar.md", "Invitar", page, locale="es"),), passages)
    found = await answers.answer(ACME, "¿Cómo invito a una persona?", [], Viewer(locale="es"))
    assert found.action == "answer"
    assert {citation.document for citation in found.citations} == {"es/invitar.md"}
