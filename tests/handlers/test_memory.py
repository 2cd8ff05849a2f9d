from typing import Any

import pytest

from core.effects import Forget, Remember
from core.ids import FactId
from handlers.memory import HANDLER
from tests.handlers.stand_ins import FakeFacts, Talk, effects_of, fact, line

MORNINGS = fact("a", "I prefer mornings")
SLACK = fact("b", "we use Slack every day", source="csm:eva")
GUESS = fact("c", "you plan to upgrade", source="answer", confidence=0.4)


def talk(*facts: Any, proven: bool = True, **more: Any) -> Talk:
    return Talk(HANDLER, facts=FakeFacts(facts), proven=proven, **more)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("What do you know about me?", "about_me"),
        ("Remember that I prefer mornings", "remember"),
        ("Forget everything about me", "forget"),
    ],
)
async def test_only_for_the_proven(text: str, intent: str) -> None:
    outcome = await talk(MORNINGS, proven=False).says(text, intent)
    assert (outcome.text, outcome.next) == (None, "identity")
    assert not effects_of(outcome, Remember) + effects_of(outcome, Forget)


async def test_says_what_is_known_and_where_from() -> None:
    outcome = await talk(MORNINGS, SLACK, GUESS).says("What do you know about me?", "about_me")
    text = outcome.text or ""
    assert "- I prefer mornings (you told me, 4 Mar 2026)" in text
    assert "- we use Slack every day (our team noted it, 4 Mar 2026)" in text
    assert "I believe you plan to upgrade, though you haven't confirmed it" in text


async def test_nothing_known() -> None:
    assert (await talk().says("What do you know?", "about_me")).text == line("memory.nothing")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Remember that I prefer mornings", "I prefer mornings"),
        ("Please keep in mind that we use Salesforce.", "we use Salesforce"),
        ("remember: our team is in Lima", "our team is in Lima"),
        ("Recuerda que prefiero la tarde", "prefiero la tarde"),
        ("I like short answers", "I like short answers"),
    ],
)
async def test_remembers(text: str, value: str) -> None:
    outcome = await talk().says(text, "remember")
    (stored,) = effects_of(outcome, Remember)
    assert (stored.value, stored.source) == (value, "customer:web")
    assert outcome.text == line("memory.stored", value=value)


async def test_the_same_note_twice_is_one() -> None:
    running = talk()
    (one,) = effects_of(await running.says("Remember that I like tea", "remember"), Remember)
    (other,) = effects_of(await running.says("remember that I like tea!", "remember"), Remember)
    assert one.key == other.key


@pytest.mark.parametrize(
    "text",
    [
        "Remember that I have diabetes",
        "Remember that my wife is pregnant",
        "Remember that I'm Catholic",
        "Remember that I vote conservative",
        "Remember that I was depressed last year",
        "Recuerda que mi hijo está enfermo",
        "Recuerda que soy musulmana",
    ],
)
async def test_never_keeps_health_family_belief_or_mood(text: str) -> None:
    outcome = await talk().says(text, "remember")
    assert outcome.text == line("memory.private")
    assert not effects_of(outcome, Remember)


async def test_asks_what_to_remember() -> None:
    assert (await talk().says("Please remember", "remember")).text == line("memory.what")


@pytest.mark.parametrize("limit", ["no_memory", "no_tools"])
@pytest.mark.parametrize("intent", ["remember", "forget"])
async def test_a_flagged_message_changes_nothing(limit: str, intent: str) -> None:
    outcome = await talk(MORNINGS).says("…", intent, limits=frozenset({limit}))
    assert not effects_of(outcome, Remember) + effects_of(outcome, Forget)


@pytest.mark.parametrize(
    ("text", "forgotten"),
    [
        ("Forget everything you know about me", [Forget(None)]),
        ("Olvida todo lo que sabes de mí", [Forget(None)]),
        ("Forget that", [Forget(FactId("fct_a"))]),
        ("Olvida eso", [Forget(FactId("fct_a"))]),
        ("Forget that we use Slack", [Forget(FactId("fct_b"))]),
    ],
)
async def test_forgets(text: str, forgotten: list[Forget]) -> None:
    outcome = await talk(MORNINGS, SLACK).says(text, "forget")
    assert effects_of(outcome, Forget) == forgotten


async def test_nothing_to_forget() -> None:
    assert (await talk().says("Forget that", "forget")).text == line("memory.nothing")
