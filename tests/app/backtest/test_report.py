"""Judging, summing and showing, with a thinker that follows a script."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from app.backtest.judging import Judge
from app.backtest.pages import as_html, as_markdown, headline
from app.backtest.questions import PastQuestion
from app.backtest.summing import NO_TOPIC, summarise
from core.errors import UnavailableError

AT = datetime(2026, 6, 1, tzinfo=UTC)


def seen(action: str, text: str | None = None, *reasons: str) -> dict[str, Any]:
    citation = {
        "title": "Cards",
        "section": "Pay",
        "url": "https://x.example#pay",
        "document": "c.md",
    }
    return {
        "decision": {"action": action, "confidence": 0.8, "reasons": reasons},
        "handler": "answer",
        "reply": {"text": text, "citations": [citation] if text else []},
        "passages": [{"title": "Cards", "section": "Pay", "document": "c.md", "score": 0.9, "text": "Pay by card."}],
    }  # fmt: skip


def judge(said: Mapping[str, Any], scores: Mapping[tuple[str, str], float] | None = None) -> Judge:
    async def explain(text: str) -> Mapping[str, Any]:
        found = said[text]
        if isinstance(found, Exception):
            raise found
        result: Mapping[str, Any] = found
        return result

    async def support(text: str, sources: Sequence[str]) -> float:
        return (scores or {}).get((text, sources[0]), 0.0)

    return Judge(explain, support)


async def test_a_question_is_judged_beside_the_persons_answer() -> None:
    scores = {
        ("By card.", "Yes, by card."): 0.9,
        ("Yes, by card.", "By card."): 0.6,
        ("Yes, by card.", "Pay by card."): 0.7,
    }
    row = await judge({"Card?": seen("answer", "By card.")}, scores).row(
        3, PastQuestion("Card?", "Yes, by card.", "Billing")
    )  # fmt: skip
    assert (row["n"], row["action"], row["topic"], row["reply"]) == (
        3,
        "answer",
        "Billing",
        "By card.",
    )
    assert (row["said"], row["covered"], row["in_docs"]) == (0.9, 0.6, True)
    assert row["agreement"] == 0.9  # either may say more than the other
    assert row["citations"][0]["url"] == "https://x.example#pay"


async def test_what_is_not_answered_is_not_compared() -> None:
    row = await judge({"Card?": seen("decline", "I do not know.")}).row(
        1, PastQuestion("Card?", "Yes.")
    )
    assert "agreement" not in row
    assert row["in_docs"] is False


@pytest.mark.parametrize(
    ("error", "code"), [(UnavailableError("down"), "unavailable"), (KeyError("odd"), "KeyError")]
)
async def test_a_question_that_fails_is_a_row(error: Exception, code: str) -> None:
    row = await judge({"Card?": error}).row(1, PastQuestion("Card?"))
    assert (row["action"], row["error"]) == ("failed", code)


async def test_addresses_of_people_stay_out_of_the_report() -> None:
    text = "I am ana@lumen.example, where is my invoice?"
    row = await judge({text: seen("decline")}).row(1, PastQuestion(text, "Mail bo@lumen.example."))
    assert "@lumen.example" not in str(row)


# ---------------------------------------------------------------- the sum

ACTIONS: dict[str, dict[str, Any]] = {
    "Can I pay by card?": seen("answer", "Yes."),
    "Can I pay by cheque?": seen("decline"),
    "May I pay by cheque please?": seen("handoff", None, "low_confidence"),
    "Do you have an office in Lima?": seen("decline"),
    "I want a person": seen("handoff", None, "asked"),
    "Book me a session": seen("book", "When?"),
    "How?": seen("ask_back", "What do you mean?"),
}
MEANING = {"cheque": 0, "card": 1, "Lima": 2, "person": 3, "Book": 4, "How": 5}


def vector(text: str) -> list[float]:
    found = [float(word in text) for word in MEANING]
    return [value / sum(found) ** 0.5 for value in found]


async def summed(rows: list[dict[str, Any]], questions: list[PastQuestion]) -> dict[str, Any]:
    vectors = np.array([vector(question.text) for question in questions], "<f4")
    return await asyncio.to_thread(summarise, rows, questions, vectors)


async def report(*more: PastQuestion) -> dict[str, Any]:
    questions = [*(PastQuestion(text) for text in ACTIONS), *more]
    judged = judge({**ACTIONS, **{q.text: ACTIONS["Can I pay by cheque?"] for q in more}})
    rows = [await judged.row(n, question) for n, question in enumerate(questions, start=1)]
    return await summed(rows, questions)


async def test_totals_and_gaps_ranked_by_who_asked() -> None:
    found = await report(
        PastQuestion("An office in Lima, Peru?", asker="a"),
        PastQuestion("Lima office?", asker="a"),
        PastQuestion("Is there a Lima office?", asker="a"),
        PastQuestion("So no cheque?", asker="b"),
    )
    assert found["totals"] == {
        "answer": 1, "ask_back": 1, "decline": 6, "handoff": 2, "other": 1, "failed": 0,
    }  # fmt: skip
    # who wants a person is no gap; of who is not named each counts
    assert [(g["questions"], g["askers"]) for g in found["gaps"]] == [(3, 3), (4, 2)]
    assert "cheque" in found["gaps"][0]["question"]
    assert found["gaps"][0]["nearest"][0]["title"] == "Cards"


async def test_topics_are_as_given_else_by_meaning_and_named_by_their_words() -> None:
    found = await report(PastQuestion("Cheque or card?", topic="Money"))
    topics = {topic["name"]: topic for topic in found["topics"]}
    assert topics["Money"]["given"]
    assert "cheque" in next(name for name, t in topics.items() if t["questions"] == 2)
    assert found["topics"][-1]["name"] == NO_TOPIC
    assert sum(topic["questions"] for topic in found["topics"]) == found["questions"] == 8


async def test_one_question_is_enough() -> None:
    questions = [PastQuestion("How?")]
    rows = [await judge(ACTIONS).row(1, questions[0])]
    found = await summed(rows, questions)
    assert (found["questions"], found["gaps"], found["agreement"]) == (1, [], None)


# ---------------------------------------------------------------- the page


async def test_the_page_needs_nothing_from_outside_and_escapes_what_people_wrote() -> None:
    found = await report(PastQuestion('<script>alert("x")</script> How'))
    page = await asyncio.to_thread(as_html, "June <b>tickets</b>", AT, found)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "June &lt;b&gt;tickets&lt;/b&gt;" in page
    assert re.findall(r"""(?:src|href)=|url\(|@import|https?://""", page) == []
    for needed in (
        "prefers-color-scheme:dark",
        "width=device-width",
        "1 June".lstrip("1 ") and "June 2026",
    ):
        assert needed in page


async def test_markdown_says_the_same_and_is_not_broken_by_what_people_wrote() -> None:
    found = await report(PastQuestion("# How | or *not* <b>"))
    page = as_markdown("June", AT, found)
    assert headline(found) in page
    assert r"\# How \| or \*not\* &lt;b&gt;" in page
    topics = [line for line in page.splitlines() if line.startswith("| ")]
    assert len({line.replace(r"\|", "").count("|") for line in topics}) == 1
