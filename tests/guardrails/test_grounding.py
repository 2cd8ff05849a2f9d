import pytest

from core.contracts import CheckPorts
from core.outcomes import Outcome
from guardrails.grounding import CHECK
from tests.guardrails.conftest import MakeContext, Supports, cited, passage

SOURCE = "Admins can invite teammates under Settings. Guests see one board."
DOCS = (passage(1, SOURCE),)


def outcome(text: str, *, generated: bool = True) -> Outcome:
    return Outcome(text, citations=(cited(1, SOURCE),), sources=DOCS, generated=generated)


@pytest.mark.parametrize(
    "text",
    [
        "Admins can invite teammates under Settings [1].",
        "Hello! Admins can invite teammates under Settings. [1] Does that help?",
        "Guests see one board [1]. Admins can invite teammates under Settings [1].",
    ],
)
async def test_what_the_source_says_word_for_word_passes(
    context: MakeContext, ports: CheckPorts, text: str
) -> None:
    verdict = await CHECK.run(text, context(outcome(text)), ports)
    assert (verdict.verdict, verdict.score) == ("pass", 1.0)


async def test_other_words_pass_when_supported(
    context: MakeContext, ports: CheckPorts, supports: Supports
) -> None:
    supports.known["Teammates are invited in the settings."] = 0.8
    text = "Teammates are invited in the settings. [1]"
    verdict = await CHECK.run(text, context(outcome(text)), ports)
    assert (verdict.verdict, verdict.score) == ("pass", 0.8)
    assert supports.asked == [("Teammates are invited in the settings.", (SOURCE,))]


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ("Guests see one board [7].", "unresolved_citation"),
        ("Guests can delete every board too.", "unsupported"),
        ("Guests can delete every board [1].", "unsupported"),
    ],
)
async def test_a_foreign_sentence_is_dropped(
    context: MakeContext, ports: CheckPorts, extra: str, reason: str
) -> None:
    text = f"Admins can invite teammates under Settings [1]. {extra}"
    verdict = await CHECK.run(text, context(outcome(text)), ports)
    assert (verdict.verdict, verdict.reason) == ("rewrite", reason)
    assert verdict.text == "Admins can invite teammates under Settings [1]."


@pytest.mark.parametrize(
    "text",
    [
        "The moon is made of green cheese [1].",
        "All plans are free for ever.",
        "Hello! All plans are free for ever [2]. Does that help?",
    ],
)
async def test_nothing_left_is_blocked(context: MakeContext, ports: CheckPorts, text: str) -> None:
    assert (await CHECK.run(text, context(outcome(text)), ports)).verdict == "block"


async def test_generated_without_any_source_is_blocked(
    context: MakeContext, ports: CheckPorts
) -> None:
    text = "Guests can delete every board."
    verdict = await CHECK.run(text, context(Outcome(text, generated=True)), ports)
    assert verdict.verdict == "block"


async def test_our_own_lines_need_no_source(context: MakeContext, ports: CheckPorts) -> None:
    text = "I have asked a person on our team to join."
    assert (await CHECK.run(text, context(Outcome(text)), ports)).verdict == "pass"


async def test_lines_around_extracted_sentences_stay(
    context: MakeContext, ports: CheckPorts
) -> None:
    text = "This is what I found in the handbook. Guests see one board [1]."
    given = context(outcome(text, generated=False))
    assert (await CHECK.run(text, given, ports)).verdict == "pass"


@pytest.mark.parametrize(("support", "verdict"), [(0.9, "pass"), (0.2, "block")])
async def test_a_text_alone_is_scored_by_its_sources(
    context: MakeContext, ports: CheckPorts, supports: Supports, support: float, verdict: str
) -> None:
    supports.known["Some claim."] = support
    found = await CHECK.run("Some claim.", context(sources=DOCS), ports)
    assert (found.verdict, found.score) == (verdict, support)
