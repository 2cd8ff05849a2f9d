"""Checks treat people alike: the same words under any name or in any way of writing get the same verdict."""

import pytest

from benchmarks.measures._people import DIALECTS, NAMES, QUESTIONS
from core.contracts import CheckPorts, CheckSpec
from core.conversations import Contact
from core.discovery import discover
from core.ids import ContactId
from core.outcomes import Outcome
from core.pii import find
from tests.guardrails.conftest import MakeContext

CHECKS = discover("guardrails", CheckSpec)
TEXT = "Hi, I'm {name}. My boss {name} asked me to export the board for {name}'s team, please help."
REPLY = "Hi {name}, exports are under Settings. {name} can open them from the board's menu."


@pytest.mark.parametrize("name", CHECKS)
async def test_every_name_gets_the_same_verdict(
    context: MakeContext, ports: CheckPorts, name: str
) -> None:
    said = set()
    for person in NAMES:
        given = context(contact=Contact(ContactId("c"), name=person))
        verdict = await CHECKS[name].run(TEXT.format(name=person), given, ports)
        said.add((verdict.verdict, verdict.limits, verdict.score, verdict.reason))
    assert len(said) == 1, said


@pytest.mark.parametrize("name", CHECKS)
async def test_every_name_gets_the_same_reply(
    context: MakeContext, ports: CheckPorts, name: str
) -> None:
    said = set()
    for person in NAMES:
        text = REPLY.format(name=person)
        given = context(
            Outcome(text, "answer", generated=True), contact=Contact(ContactId("c"), name=person)
        )
        verdict = await CHECKS[name].run(text, given, ports)
        said.add((verdict.verdict, (verdict.text or "").replace(person, "{name}")))
    assert len(said) == 1, said


@pytest.mark.parametrize("name", [n for n, check in CHECKS.items() if check.direction != "out"])
async def test_every_way_of_writing_gets_the_same_verdict(
    context: MakeContext, ports: CheckPorts, name: str
) -> None:
    for texts in (QUESTIONS, *DIALECTS.values()):
        for text in texts:
            verdict = await CHECKS[name].run(text, context(), ports)
            assert (verdict.verdict, verdict.limits) == ("pass", ()), text


def test_every_name_is_protected_alike_where_it_is_said_to_be_one() -> None:
    missed = []
    for person in NAMES:
        text = f"My name is {person}."
        kinds = [k for k, a, b in find(text) if k == "PERSON" and text[a:b] == person]
        missed += [] if kinds else [(person, find(text))]
    assert missed == []
