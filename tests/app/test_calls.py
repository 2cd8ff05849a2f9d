"""Phone calls through the whole app: real store, worker and adapters; the stand-in dials, speaks, presses, hangs up."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from app.doors import reply, take_over
from app.services import Services
from app.store import models
from core.conversations import Csm
from core.ids import ConversationId, CsmId
from tests.app.app_server import DEMO, Server, running_app

CALLER = "+12025550178"  # nobody we know yet
OPERATOR = "+12025550111"


def texts(server: Server, number: str = CALLER) -> list[str]:
    return [m.body for m in server.simulator.phone(number) if m.to == number]


async def test_a_call_and_a_text_stand_in_one_conversation(database_url: str) -> None:
    async with running_app(database_url) as server:
        calls = server.simulator.calls
        call = await calls.dial(CALLER)
        assert "AI assistant" in call.said()[0]
        await calls.say(call, "How do I export a board?")
        assert "Open the board and select Export" in " ".join(call.said())
        await calls.say(call, "goodbye")
        assert call.doing == "over"

        await server.simulator.text(CALLER, "How do I invite my team?")
        await server.until(lambda: any("choose People" in t for t in texts(server)))
        await server.settled()
        (conversation,) = await server.rows(models.conversations)
        said = await server.rows(models.messages, direction="in")
        assert [(m.channel, m.text) for m in said] == [
            ("voice", "How do I export a board?"),
            ("voice", "goodbye"),
            ("sms", "How do I invite my team?"),
        ]
        assert {m.conversation_id for m in said} == {conversation.id}
        assert said[0].external_id == f"{call.sid}:1"
        assert said[0].metadata["confidence"] == "0.93"
        (identity,) = await server.rows(models.identities, value=CALLER)
        assert identity.kind == "phone"
        # what was said on the phone went nowhere else
        (spoken,) = await server.rows(models.outbox, channel="voice")
        assert (spoken.inline, spoken.state) == (True, "delivered")


async def test_zero_asks_for_a_person_and_a_message_is_taken(database_url: str) -> None:
    async with running_app(database_url) as server:
        calls = server.simulator.calls
        call = await calls.dial(CALLER)
        await calls.press(call, "0")
        assert call.doing == "record"
        assert "I've asked a person on our team" in " ".join(call.said())
        await calls.leave(call, "Please call me about the invoice")
        await server.settled()
        (handoff,) = await server.rows(models.handoffs)
        assert handoff.reason == "asked"
        said = await server.rows(models.messages, direction="in")
        assert [m.text for m in said] == [
            "I want a person",
            "(voice message, 7 seconds)",
            "Please call me about the invoice",
        ]
        assert [file["name"] for file in said[1].attachments] == ["voice-message.mp3"]
        # the holding line of a call that is over goes by text
        assert len(texts(server)) == 1


async def test_a_person_is_rung_in_their_hours_and_missed(sqlite_url: str) -> None:
    given = {"voice": {"operator_number": OPERATOR}}
    async with running_app(sqlite_url, settings=given) as server:
        calls = server.simulator.calls
        call = await calls.dial(CALLER)
        await calls.say(call, "operator")
        assert (call.doing, call.rung) == ("ring", OPERATOR)
        await calls.end_ringing(call, answered=False)
        assert call.doing == "record"
        other = await calls.dial("+34910550123")
        await calls.say(other, "hablar con una persona")
        await calls.end_ringing(other, answered=True)
        assert other.doing == "over"
        assert len(await server.rows(models.handoffs)) == 2


def slowly(gate: asyncio.Event) -> Callable[[Services], Services]:
    """Let no turn run before the gate opens."""

    def change(services: Services) -> Services:
        run = services.worker._router.run

        async def late(conversation: Any) -> bool:
            await gate.wait()
            return bool(await run(conversation))

        services.worker._router.run = late  # type: ignore[method-assign]
        return services

    return change


async def test_who_hangs_up_before_the_answer_gets_it_by_text(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels._shared.voice_steps.WAIT", 0.05)
    gate = asyncio.Event()
    async with running_app(database_url, change=slowly(gate)) as server:
        calls = server.simulator.calls
        call = await calls.dial(CALLER)
        await calls.say(call, "How do I export a board?")
        said = " ".join(call.said())
        assert "One moment" in said
        assert "I'll text you the answer" in said
        await calls.hang_up(call)
        gate.set()
        await server.until(lambda: texts(server))
        await server.settled()
        assert "Open the board and select Export" in texts(server)[0]
        assert len(texts(server)) == 1


async def test_who_hangs_up_in_the_middle_of_an_answer_gets_it_by_text(sqlite_url: str) -> None:
    async with running_app(sqlite_url) as server:
        calls = server.simulator.calls
        call = await calls.dial(CALLER)
        await calls.say(call, "How do I export a board?")
        await calls.hang_up(call)
        await server.until(lambda: texts(server))
        # a callback that comes twice texts once
        await server.post(calls.request(call, f"{calls.webhook_url}?at=status", {}))
        await server.settled()
        assert len(texts(server)) == 1


async def test_who_heard_the_answer_gets_no_text(sqlite_url: str) -> None:
    async with running_app(sqlite_url) as server:
        calls = server.simulator.calls
        call = await calls.dial(CALLER)
        await calls.say(call, "How do I export a board?")
        server.clock.advance(timedelta(seconds=60))
        await calls.hang_up(call)
        await server.settled()
        assert texts(server) == []


async def test_nobody_who_said_stop_is_texted(sqlite_url: str) -> None:
    async with running_app(sqlite_url) as server:
        await server.simulator.text(CALLER, "STOP")
        await server.until(lambda: texts(server))
        calls = server.simulator.calls
        call = await calls.dial(CALLER)
        await calls.say(call, "text me")
        assert "I can't send a text message to this number." in call.said()
        await calls.say(call, "How do I export a board?")
        await calls.hang_up(call)
        await server.settled()
        assert len(texts(server)) == 1  # the confirmation of STOP


async def test_a_person_who_takes_over_is_heard_in_the_running_call(database_url: str) -> None:
    async with running_app(database_url) as server:
        calls = server.simulator.calls
        call = await calls.dial(CALLER)
        await calls.say(call, "How do I export a board?")
        (talk,) = await server.rows(models.conversations)
        (csm,) = [c for c in await server.rows(models.csms) if c.name.startswith("Maya")]
        maya = Csm(CsmId(csm.id), csm.name, csm.email)
        await take_over(server.services, DEMO, ConversationId(talk.id), maya)
        await server.until(lambda: any("is here now" in s for s in call.said()))
        await reply(
            server.services, DEMO, ConversationId(talk.id), maya, "I have sent the **file**."
        )
        await server.until(lambda: any("I have sent the file" in s for s in call.said()))
        await calls.say(call, "Thank you, did it arrive?")
        assert "A person on our team has this conversation" in call.said()[-1]
        assert call.doing == "talk"
        await calls.hang_up(call)
        await reply(server.services, DEMO, ConversationId(talk.id), maya, "Call again any time.")
        await server.until(lambda: any("Call again any time." in t for t in texts(server)))
        await server.settled()
        said = await server.rows(models.messages, direction="in", channel="voice")
        assert [m.text for m in said] == ["How do I export a board?", "Thank you, did it arrive?"]


async def test_a_request_that_comes_again_changes_nothing(database_url: str) -> None:
    async with running_app(database_url) as server:
        calls = server.simulator.calls
        call = await calls.dial(CALLER)
        url = call.action
        request = calls.request(call, url, {"SpeechResult": "How do I export a board?"})
        first = await server.post(request)
        await server.settled()
        before: Mapping[str, int] = await server.counts()
        again = [(await server.post(request)).text for _ in range(5)]
        assert set(again) == {first.text}
        assert "Export" in first.text
        # nor after the call, when the answer was heard
        server.clock.advance(timedelta(seconds=60))
        await calls.hang_up(call)
        late = [(await server.post(request)).text for _ in range(500)]
        assert set(late) == {first.text}
        await server.settled()
        assert await server.counts() == before


async def test_a_draft_is_said_once_a_person_sends_it(database_url: str) -> None:
    async with running_app(database_url) as server:
        async with server.api() as client:
            policy = {"mode": "draft"}
            assert (await client.patch("/manage/policy", json=policy)).status_code < 300
        calls = server.simulator.calls
        call = await calls.dial(CALLER)
        await calls.say(call, "How do I export a board?")
        assert "A person on our team has this conversation" in call.said()[-1]
        (draft,) = await server.rows(models.messages, status="proposed")
        (csm,) = [c for c in await server.rows(models.csms) if c.name.startswith("Maya")]
        maya = Csm(CsmId(csm.id), csm.name, csm.email)
        await server.services.humans.decide_draft(DEMO, draft.id, maya, "send", None)
        await server.services.wakeups.wake("outbox", draft.conversation_id)
        await server.until(lambda: any("select Export" in said for said in call.said()))
