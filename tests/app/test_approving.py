"""From a question nobody could answer to an approved answer and its withdrawal, with the real knowledge."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.store import models
from tests.app.app_server import Server, running_app

QUESTION = "Is there a dark mode?"
OTHERS = ("Do you have a dark theme?", "does your app come with a dark mode")
ANSWER = (
    "Yes, each person can have a **dark** screen:\n\n"
    "1. Open Settings.\n2. Choose Appearance.\n3. Select Dark.\n\n"
    "Phones follow the setting of the phone."
)
ADMIN = "maya@lumen.example"


@pytest.fixture
async def server(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Server]:
    async with running_app(sqlite_url, knowledge=None, var_dir=tmp_path) as opened:
        await opened.bring_in_pages()
        yield opened


async def ask(http: httpx.AsyncClient, text: str, who: str = "ann") -> dict[str, Any]:
    answer = await http.post("/msg", json={"channel": "web", "text": text, "customer_id": who})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def gap_of(http: httpx.AsyncClient) -> dict[str, Any]:
    first: dict[str, Any] = (await http.get("/manage/gaps")).json()["items"][0]
    return first


async def test_a_gap_becomes_an_answer_and_the_answer_goes_again(server: Server) -> None:
    async with server.api() as http:
        for text, who in zip((QUESTION, *OTHERS), ("ann", "bob", "cyd"), strict=True):
            assert (await ask(http, text, who))["citations"] == []
        gap = await gap_of(http)
        assert (gap["contacts"], gap["wordings"], gap["status"]) == (3, 3, "open")

        made = await http.post(f"/manage/gaps/{gap['id']}/approve", json={"answer": ANSWER})
        assert made.status_code == 201, made.text
        answer = made.json()
        assert answer["path"] == "is-there-a-dark-mode.md"
        assert (answer["version"], answer["source"], answer["author"]) == (1, "answers", "the team")
        assert (await http.get("/manage/gaps")).json()["items"] == []

        for text in (QUESTION, *OTHERS):
            said = await ask(http, text, "dee")
            assert "Appearance" in said["reply"], text
            (cited,) = said["citations"]
            assert cited["document"] == answer["path"]
            assert cited["title"] == QUESTION
            assert not any(other in str(cited) for other in OTHERS), "wordings are never shown"

        assert (await http.delete(f"/manage/answers/{answer['id']}")).status_code == 204
        assert (await ask(http, QUESTION, "eve"))["citations"] == []
        assert (await gap_of(http))["id"] == gap["id"]
    log = [(r.action, r.subject) for r in await server.rows(models.audit) if "answer" in r.action]
    assert log == [("answer.approved", answer["id"]), ("answer.withdrawn", answer["id"])]


async def opened(http: httpx.AsyncClient, text: str = QUESTION, who: str = "ann") -> str:
    assert (await ask(http, text, who))["citations"] == []
    return str((await gap_of(http))["id"])


async def test_it_is_found_by_wordings_that_share_no_word_with_it(server: Server) -> None:
    async with server.api() as http:
        gap = await opened(http)
        odd = "the white background hurts my eyes"
        body = {"answer": ANSWER, "aliases": [odd, "me@example.com wants less glare"]}
        made = (await http.post(f"/manage/gaps/{gap}/approve", json=body)).json()
        assert made["aliases"] == [odd, "<EMAIL_ADDRESS> wants less glare"]
        found = await ask(http, "The white background hurts my eyes!", "bob")
        assert "Appearance" in found["reply"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("Write to jordan.lee@gmail.com about it.", "pii"),
        ("Pay with 4111 1111 1111 1111 as we did.", "pii"),
        ("We set it up for Jordan Lee like this.", "name"),
    ],
)
async def test_what_must_not_go_public_keeps_it_back(
    server: Server, answer: str, kind: str
) -> None:
    async with server.api() as http:
        gap = await opened(http, who="jordan")  # the demo tenant's Jordan Lee of Acme Robotics
        review = (await http.post(f"/manage/gaps/{gap}/review", json={"answer": answer})).json()
        marked = [answer[s["start"] : s["end"]] for s in review["spans"] if s["kind"] == kind]
        assert marked
        assert review["problems"]
        body = {"answer": answer, "approved_by": ADMIN}
        refused = await http.post(f"/manage/gaps/{gap}/approve", json=body)
        assert refused.status_code == 422
        assert review["problems"][0] in refused.json()["detail"]
        assert (await gap_of(http))["id"] == gap


async def test_an_address_of_our_own_is_vouched_for_but_never_a_card(server: Server) -> None:
    async with server.api() as http:
        gap = await opened(http)
        url = f"/manage/gaps/{gap}/review"
        own = {"answer": "Write to help@lumen.example.", "public": ["help@lumen.example"]}
        assert (await http.post(url, json=own)).json()["problems"] == []
        card = {"answer": "Pay with 4111 1111 1111 1111.", "public": ["4111 1111 1111 1111"]}
        assert (await http.post(url, json=card)).json()["problems"] != []


@pytest.mark.parametrize(
    "answer",
    [
        "Open Settings. Dark screens cost $5 a month.",
        "Open Settings. If you dislike it you get a refund.",
        "Abra Ajustes. Si no le gusta, hay un reembolso.",
        "Our SLA covers it.",
        "We guarantee that it works.",
    ],
)
async def test_money_and_policy_need_an_approver(server: Server, answer: str) -> None:
    async with server.api() as http:
        gap = await opened(http)
        locale = "es" if answer.startswith("Abra") else "en"
        body = {"answer": answer, "locale": locale, "approved_by": "noah@lumen.example"}
        review = (await http.post(f"/manage/gaps/{gap}/review", json=body)).json()
        assert (review["needs_approver"], review["problems"]) == (True, [])
        refused = await http.post(f"/manage/gaps/{gap}/approve", json=body)
        assert refused.status_code == 403
        assert "admin or an approver" in refused.json()["detail"]
        made = await http.post(f"/manage/gaps/{gap}/approve", json={**body, "approved_by": ADMIN})
        assert made.status_code == 201, made.text


async def test_audience_and_edition_are_kept_from_whom_they_do_not_concern(
    server: Server,
) -> None:
    async with server.api() as http:
        gap = await opened(http)
        body = {"answer": ANSWER, "editions": ["Pro"]}
        made = (await http.post(f"/manage/gaps/{gap}/approve", json=body)).json()
        assert made["editions"] == ["pro"]
        assert (await ask(http, QUESTION, "nobody-with-a-plan"))["citations"] == []
        assert (await ask(http, QUESTION, "jordan"))["citations"] != []
        wrong = {"answer": ANSWER, "editions": ["platinum"]}
        again = await gap_of(http)
        refused = await http.post(f"/manage/gaps/{again['id']}/approve", json=wrong)
        assert "no edition platinum" in refused.json()["detail"]


async def test_a_gap_that_opens_again_gets_a_new_version_of_its_answer(server: Server) -> None:
    async with server.api() as http:
        gap = await opened(http)
        one = (await http.post(f"/manage/gaps/{gap}/approve", json={"answer": ANSWER})).json()
        said = await ask(http, QUESTION, "bob")  # it did not help: the gap is open again
        talk = f"/conversations/{said['conversation_id']}/messages"
        reply = (await http.get(talk)).json()["messages"][-1]
        body = {"conversation_id": said["conversation_id"], "message_id": reply["id"]}
        bad = await http.post("/feedback", json={**body, "value": "down"})
        assert bad.status_code == 204, bad.text
        (again,) = (await http.get("/manage/gaps")).json()["items"]
        assert (again["id"], again["document_id"]) == (gap, one["id"])
        two = (
            await http.post(
                f"/manage/gaps/{gap}/approve", json={"answer": "Press **Shift and D** for dark."}
            )
        ).json()
        assert (two["id"], two["path"], two["version"]) == (one["id"], one["path"], 2)
        assert "Shift and D" in (await ask(http, QUESTION, "cyd"))["reply"]
        assert (
            await http.post(f"/manage/gaps/{gap}/approve", json={"answer": "x"})
        ).status_code == 404


async def test_dismissing_needs_a_reason_and_is_remembered(server: Server) -> None:
    async with server.api() as http:
        gap = await opened(http)
        assert (await http.post(f"/manage/gaps/{gap}/dismiss", json={})).status_code == 422
        body = {"reason": "not about us"}
        assert (await http.post(f"/manage/gaps/{gap}/dismiss", json=body)).status_code == 200
        await ask(http, QUESTION, "bob")
        assert (await http.get("/manage/gaps")).json()["items"] == []
        (kept,) = (await http.get("/manage/gaps?status=dismissed")).json()["items"]
        assert (kept["close_reason"], kept["contacts"]) == ("not about us", 2)
