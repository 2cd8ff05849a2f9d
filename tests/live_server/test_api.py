"""The API of a running server, as a tenant's own system calls it."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from tests.live import Live

pytestmark = pytest.mark.allow_blocking


async def ask(live: Live, text: str, **more: object) -> dict[str, Any]:
    async with live.client() as http:
        answer = await http.post("/msg", json={"channel": "web", "text": text, **more})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


async def test_a_question_is_answered_from_the_docs_with_citations(live: Live) -> None:
    answer = await ask(live, "How many days does the free trial last?")
    assert "14 days" in str(answer["reply"])
    assert answer["citations"][0]["document"].endswith("free-trial.md")
    assert answer["escalated"] is False


async def test_a_follow_up_finds_what_it_leans_on(live: Live) -> None:
    first = await ask(live, "How many API requests per minute can I make on Starter?")
    second = await ask(live, "And on the Pro plan?", conversation_id=first["conversation_id"])
    assert "300" in str(second["reply"])


async def test_what_the_docs_do_not_say_is_not_said_and_opens_a_gap(live: Live) -> None:
    answer = await ask(live, "Which football team will win the cup next summer?")
    assert answer["citations"] == []
    assert "person" in str(answer["reply"])


@pytest.mark.parametrize("word", ["human", "0", "I want to talk to a person", "agente humano"])
async def test_a_human_is_one_step_away(live: Live, word: str) -> None:
    answer = await ask(live, word)
    assert answer["escalated"] is True
    later = await ask(live, "hello?", conversation_id=answer["conversation_id"])
    assert later["handler"] == "waiting"


async def test_anger_brings_a_person(live: Live) -> None:
    answer = await ask(live, "This is ridiculous, the third time it fails. I am furious!")
    assert answer["escalated"] is True
    assert float(str(answer["sentiment"])) <= -0.6


async def test_the_same_key_is_answered_once(live: Live) -> None:
    key = uuid4().hex
    body = {"channel": "web", "text": "How do I reset my password?"}
    async with live.client() as http:
        both = await asyncio.gather(
            *(http.post("/msg", json=body, headers={"idempotency-key": key}) for _ in range(4))
        )
        other = await http.post(
            "/msg", json={**body, "text": "other"}, headers={"idempotency-key": key}
        )
    assert {r.json()["message_id"] for r in both} == {both[0].json()["message_id"]}
    assert {r.json()["reply"] for r in both} == {both[0].json()["reply"]}
    assert other.status_code == 422


async def test_a_session_is_booked_in_a_talk(live: Live) -> None:
    customer = f"c-{uuid4().hex[:8]}"
    said = await ask(live, "I'd like to book a training session", customer_id=customer)
    talk = said["conversation_id"]
    for text in ("New York", "next week", "1", "no email please"):
        if said["handler"] != "book":
            break
        said = await ask(live, text, customer_id=customer, conversation_id=talk)
    async with live.client() as http:
        trace = (await http.get(f"/traces/{said['trace_id']}")).json()
    assert said["reply"]
    assert trace["conversation_id"] == talk


async def test_slots_book_move_cancel(live: Live) -> None:
    async with live.client() as http:
        slots = (await http.get("/slots", params={"asset_id": "review"})).json()["slots"]
        chosen, other = slots[0]["slot_id"], slots[-1]["slot_id"]
        body = {"asset_id": "review", "slot_id": chosen, "customer_id": f"c-{uuid4().hex[:8]}"}
        first = await http.post("/book", json=body)
        again = await http.post("/book", json=body)
        order = first.json()["order_id"]
        moved = await http.patch(f"/resched/{order}", json={"slot_id": other})
        gone = await http.delete(f"/book/{order}")
    assert (first.status_code, again.status_code) == (201, 409)
    assert again.headers["content-type"] == "application/problem+json"
    assert (moved.status_code, moved.json()["slot_id"]) == (200, other)
    assert gone.json()["status"] == "cancelled"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/msg", {"channel": "web", "text": "x" * 32_001}, 413),
        ("POST", "/msg", {"channel": "web", "text": "a\x00b"}, 422),
        ("POST", "/msg", {"channel": "web", "text": 7}, 422),
        ("POST", "/msg", {"channel": "fax", "text": "hi"}, 422),
        ("POST", "/msg", {"channel": "web", "text": "   "}, 422),
        ("POST", "/msg", {"channel": "web", "text": "hi", "conversation_id": "cnv_none"}, 404),
        ("GET", "/conversations/cnv_none/messages", None, 404),
        ("GET", "/traces/trn_none", None, 404),
        ("GET", "/slots?asset_id=nothing", None, 404),
        ("GET", "/slots?asset_id=review&tz=Mars/Base", None, 422),
        ("POST", "/book", {"asset_id": "review", "slot_id": "x.y.1", "customer_id": "c"}, 404),
        ("DELETE", "/book/bkg_none", None, 404),
        ("POST", "/explain", {"text": "hi", "k": 51}, 422),
        ("POST", "/channels/none", None, 404),
        ("POST", "/channels/sms", None, 403),
    ],
)
async def test_bad_input_is_a_problem_document(
    live: Live, method: str, path: str, body: object, status: int
) -> None:
    async with live.client() as http:
        answer = await http.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"]


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer nope"}, {"authorization": "x"}])
async def test_no_key_no_entry(live: Live, headers: dict[str, str]) -> None:
    async with live.client() as http:
        http.headers.pop("authorization")
        answer = await http.post("/msg", json={"channel": "web", "text": "hi"}, headers=headers)
    assert answer.status_code == 401


async def test_no_tenant_sees_another(live: Live) -> None:
    async with live.client() as http:
        await http.post("/manage/tenants", json={"id": "other", "name": "Other"})
    mine = await ask(live, "How do I export a board?")
    async with live.client("other") as http:
        seen = await http.get(f"/conversations/{mine['conversation_id']}/messages")
        trace = await http.get(f"/traces/{mine['trace_id']}")
        told = await http.post("/msg", json={"channel": "web", "text": "How do I export a board?"})
    assert (seen.status_code, trace.status_code) == (404, 404)
    assert told.json()["citations"] == []


async def test_explain_sends_nothing_and_shows_all(live: Live) -> None:
    async with live.client() as http:
        shown = (await http.post("/explain", json={"text": "How long is the trial?"})).json()
    assert shown["decision"]["action"] == "answer"
    assert shown["passages"][0]["document"].endswith("free-trial.md")
    assert {c["name"] for c in shown["checks"]} >= {"injection", "pii", "authority", "grounding"}
    assert "total" in shown["timings_ms"]


async def test_check_scores_support(live: Live) -> None:
    sources = ["The Pro plan costs $29 per seat per month."]
    async with live.client() as http:
        for text, low, high in (
            ("Pro costs $29 per seat per month.", 0.5, 1.0),
            ("Pro costs $99 per seat per month.", 0.0, 0.5),
        ):
            body = {"text": text, "direction": "out", "sources": sources}
            checks = (await http.post("/check", json=body)).json()["checks"]
            score = next(c["score"] for c in checks if c["name"] == "grounding")
            assert low <= score <= high


async def test_metrics_and_readiness(live: Live) -> None:
    await ask(live, "How do I reset my password?")
    async with live.client() as http:
        ready = (await http.get("/readyz")).json()
        text = (await http.get("/metrics")).text
    assert ready["status"] == "ready"
    assert "usher_turns_total" in text
