"""Somebody in danger: a person at once, the right words, and nothing remembered afterwards."""

from typing import Any

import pytest

from app.store.models import conversations, facts, handoffs
from core.contracts import Context, HandlerSpec
from core.effects import Remember
from core.outcomes import Outcome, Turn
from tests.path.harness import MAYA, TENANT, hand_over, path

DANGER = "I want to end it all"


async def remember(turn: Turn, context: Context) -> Outcome:
    return Outcome("noted", effects=(Remember("likes", "mornings", "customer:fake"),))


HANDLERS = {
    "answer": HandlerSpec("answer", remember),
    "escalate": HandlerSpec("escalate", hand_over),
    "fallback": HandlerSpec("fallback", hand_over),
}


async def test_a_person_is_asked_for_at_once_and_urgently(database_url: str) -> None:
    async with path(database_url) as usher:
        await usher.say("d", DANGER)
        await usher.settle()
        (handoff,) = await usher.rows(handoffs)
        assert (handoff["reason"], handoff["severity"]) == ("safety", "urgent")
        (conversation,) = await usher.rows(conversations)
        assert conversation["memory"]["crisis"] is True


async def test_danger_is_not_answered_with_a_line_about_waiting(database_url: str) -> None:
    async with path(database_url) as usher:
        await usher.say("h", "human")
        await usher.settle()
        await usher.say("d", DANGER)
        await usher.settle()
        await usher.say("more", "are you there?")
        await usher.settle()
        assert usher.provider.texts()[1:] == ["[handoff.safety_self_harm]"]


@pytest.mark.parametrize("policy", [{"paused": True}, {"mode": "manual"}])
async def test_a_paused_bot_still_answers_danger(database_url: str, policy: dict[str, Any]) -> None:
    async with path(database_url) as usher:
        await usher.set_policy(**policy)
        await usher.say("d", DANGER)
        await usher.settle()
        assert usher.provider.texts() == ["[handoff.safety_self_harm]"]
        assert [h["reason"] for h in await usher.rows(handoffs)] == ["safety"]


@pytest.mark.parametrize(("first", "kept"), [("hello", 1), (DANGER, 0)])
async def test_nothing_is_remembered_after_a_crisis(
    database_url: str, first: str, kept: int
) -> None:
    async with path(database_url, handlers=HANDLERS) as usher:
        said = await usher.say("one", first)
        await usher.settle()
        await usher.humans.take_over(TENANT, said.conversation_id, MAYA, None)
        await usher.humans.hand_back(TENANT, said.conversation_id, MAYA, None)
        await usher.say("two", "I like mornings")
        await usher.settle()
        assert len(await usher.rows(facts)) == kept
