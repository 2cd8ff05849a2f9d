import pytest

from core.conversations import HandoffReason
from core.effects import Escalate, OpenGap, SetForm
from core.ids import HandoffId
from core.messages import MessageKind
from core.understanding import Said
from handlers.escalate import HANDLER
from tests.handlers.stand_ins import Talk, effects_of, line


@pytest.mark.parametrize("reason", list(HandoffReason))
@pytest.mark.parametrize("locale", ["en", "es"])
async def test_every_reason_has_its_honest_line(reason: HandoffReason, locale: str) -> None:
    running = Talk(HANDLER, locale=locale, memory={"escalate_reason": reason.value})
    outcome = await running.says("…", sentiment=-0.7)
    assert outcome.text == line(f"handoff.{reason.value}", locale)
    (escalate,) = effects_of(outcome, Escalate)
    assert (escalate.reason, escalate.sentiment) == (reason, -0.7)
    assert outcome.kind is MessageKind.NOTICE
    assert effects_of(outcome, SetForm) == [SetForm(None)]
    assert running.memory["escalate_reason"] is None


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("self_harm", "handoff.safety_self_harm"),
        ("threat", "handoff.safety_threat"),
        ("danger", "handoff.safety"),
    ],
)
@pytest.mark.parametrize("locale", ["en", "es"])
async def test_each_kind_of_danger_has_its_words(kind: str, key: str, locale: str) -> None:
    running = Talk(HANDLER, locale=locale, memory={"escalate_reason": "safety"})
    outcome = await running.says("…", safety=0.9, safety_kind=kind)
    assert outcome.text == line(key, locale)


@pytest.mark.parametrize("given", [None, "nonsense", 7])
async def test_without_a_known_reason_the_customer_asked(given: object) -> None:
    running = Talk(HANDLER, memory={"escalate_reason": given})
    (escalate,) = effects_of(await running.says("A person, please", "human"), Escalate)
    assert escalate.reason is HandoffReason.ASKED


@pytest.mark.parametrize(
    ("reason", "severity"), [("safety", "urgent"), ("anger", "high"), ("asked", "normal")]
)
async def test_how_urgent(reason: str, severity: str) -> None:
    running = Talk(HANDLER, memory={"escalate_reason": reason})
    (escalate,) = effects_of(await running.says("…"), Escalate)
    assert escalate.severity == severity


async def test_a_person_already_asked_for_is_not_asked_for_again() -> None:
    running = Talk(HANDLER, handoff=HandoffId("hnd_1"))
    outcome = await running.says("human", "human")
    assert outcome.text == line("handoff.already")
    assert not effects_of(outcome, Escalate)


@pytest.mark.parametrize(
    ("reason", "answer", "gaps"),
    [
        ("asked", "Choose Export. [1]", [OpenGap("How do I export?", "handed_over")]),
        ("anger", "Choose Export. [1]", [OpenGap("How do I export?", "handed_over")]),
        ("safety", "Choose Export. [1]", []),
        ("asked", "Which day suits you?", []),  # something else came in between
    ],
)
async def test_a_person_wanted_right_after_an_answer_leaves_a_gap(
    reason: str, answer: str, gaps: list[OpenGap]
) -> None:
    memory = {"escalate_reason": reason, "last_question": "How do I export?"}
    said = [Said("customer", "How do I export?"), Said("bot", answer)]
    running = Talk(HANDLER, memory={**memory, "last_action": "answer"}, said=said)
    assert effects_of(await running.says("a person please"), OpenGap) == gaps
