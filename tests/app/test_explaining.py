"""What POST /explain says of the language model: which one was asked, in whose voice, what it cost."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest

from app.adapters.llm import LangChainGenerator
from app.adapters.llm_settings import LlmSettings
from app.simulator.openai_api import Script, ScriptedModel
from core.clock import SystemClock
from core.contracts import Context
from core.outcomes import Outcome, Turn
from tests.app.app_server import KEY, Server, running_app
from tests.channels.serving import serve

EXPORT = "How do I export?"
GOOD = Script(text="Open the board and select Export, then CSV [1].")


@dataclass
class House:
    """The running app and the model behind it."""

    server: Server
    model: ScriptedModel

    async def explain(self, text: str = EXPORT, **more: Any) -> dict[str, Any]:
        async with self.server.api() as http:
            answer = await http.post("/explain", json={"text": text, **more}, headers=KEY)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture
async def house(sqlite_url: str) -> AsyncIterator[House]:
    model = ScriptedModel()
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serve(model.app))
        settings = LlmSettings.model_validate(
            {
                "base_url": f"{url}/v1",
                "api_key": "sk-hush",
                "model": "first",
                "second_model": "second",
                "prices": {"first": [1.0, 10.0], "second": [2.0, 20.0]},
            }
        )
        generator = LangChainGenerator(settings, SystemClock())
        server = await stack.enter_async_context(running_app(sqlite_url, generator=generator))
        yield House(server, model)
        model.release()
        await generator.close()


async def test_without_a_model_there_is_none(sqlite_url: str) -> None:
    async with running_app(sqlite_url) as server:
        found = await House(server, ScriptedModel()).explain()
    assert found["reply"]["citations"]
    assert found["model"] is None


async def test_what_a_generated_answer_cost(house: House) -> None:
    house.model.say(GOOD)
    found = await house.explain()
    model = found["model"]
    assert found["reply"]["text"].startswith("Open the board")
    assert (model["name"], model["tier"], model["used"]) == ("first", "first", True)
    assert model["prompt"].startswith("answer@3#")
    assert (model["tokens_in"], model["tokens_out"]) == (100, len(GOOD.cut))
    assert model["cost_usd"] == pytest.approx((100 * 1.0 + len(GOOD.cut) * 10.0) / 1e6)


async def test_every_call_of_a_turn_is_in_the_bill(house: House) -> None:
    """A question rewritten by the first model, which then fails; the second one knows nothing."""
    rewritten, unknown = Script(text=EXPORT), Script(text="UNKNOWN")
    house.model.say(rewritten, Script(status=500), unknown)
    talk = [{"role": "customer", "text": "I made a board"}, {"role": "bot", "text": "Good."}]
    found = await house.explain(talk=talk)
    model = found["model"]
    assert found["reply"]["citations"], "the docs' own sentences"
    assert (model["name"], model["tier"], model["used"]) == ("second", "second", False)
    kinds = [(c["prompt"].split("@")[0], c["model"], c["ok"]) for c in model["calls"]]
    assert kinds == [
        ("rewrite", "first", True),
        ("answer", "first", False),
        ("answer", "second", True),
    ]
    assert model["cost_usd"] == pytest.approx(sum(c["cost"] for c in model["calls"]), abs=1e-6)
    assert model["tokens_in"] == sum(c["tokens_in"] for c in model["calls"])


async def test_the_trace_of_a_real_turn_has_the_same(house: House) -> None:
    house.model.say(GOOD)
    async with house.server.api() as http:
        body = {"channel": "web", "text": EXPORT, "customer_id": "ann"}
        said = (await http.post("/msg", json=body)).json()
        trace = (await http.get(f"/traces/{said['trace_id']}")).json()["trace"]
    assert trace["model"]["name"] == "first"
    assert trace["model"]["cost_usd"] > 0


async def test_each_edition_is_spoken_to_in_its_tone(house: House) -> None:
    house.model.fallback = GOOD
    wanted = {
        "persona": "A calm host who knows boards.",
        "tones": {"starter": "Chatty.", "enterprise": "Formal, no exclamation marks."},
        "reading_level": "easy",
    }
    async with house.server.api() as http:
        changed = await http.patch("/manage/policy", json=wanted)
    assert changed.status_code == 200, changed.text
    labels = [
        (await house.explain(**more))["model"]["prompt"]
        for more in ({"edition": "enterprise"}, {"edition": "starter"}, {})
    ]
    formal, chatty, unknown = (str(request["messages"]) for request in house.model.requests)
    assert "A calm host who knows boards." in formal
    assert "Formal, no exclamation" in formal
    assert "Chatty" not in formal
    assert "Chatty" in chatty
    assert "Chatty" in unknown, "who has no account counts as the lowest edition"
    assert "very easy to read" in chatty
    assert labels[0] != labels[1] == labels[2]


async def test_a_handler_that_fails_is_told_as_the_customer_is(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(turn: Turn, context: Context) -> Outcome:
        raise RuntimeError("no such luck")

    async with running_app(sqlite_url) as server:
        handlers = server.services.thinker._handlers
        spec = replace(handlers["answer"], handle=broken)
        monkeypatch.setitem(handlers, "answer", spec)
        found = await House(server, ScriptedModel()).explain()
    assert found["handler"] == "give_up"
    assert found["decision"] == {
        "action": "handoff",
        "confidence": 1.0,
        "reasons": ["handler_failed"],
    }
    assert found["effects"] == ["Escalate"]
    assert "luck" not in found["reply"]["text"]
