"""What a customer may write that is no plain question, through /explain and /msg of the whole app."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.ports import Chunk, Document
from tests.app.app_server import DEMO, KEY, Server, running_app

PAGES = {
    "export.md": ("Export a board", "Open the board, select More and choose Export as CSV."),
    "invite.md": ("Invite teammates", "Open Settings, choose People and select Invite."),
    "trial.md": ("Free trial", "The free trial lasts 14 days and needs no payment card."),
    "cancel.md": ("Cancel your subscription", "Only an Owner can cancel the subscription."),
}
TEN = " ".join(f"How long does the free trial number {n} last?" for n in range(10))
ASKED_BACK = "ask_back"
DECLINED = "decline"
# text → decisions that are sensible
SENSIBLE = {
    "x": {ASKED_BACK, DECLINED},
    "?": {ASKED_BACK},
    "🙂🙂🙂": {ASKED_BACK, "small_talk"},
    "https://lumen.example/boards/7?view=kanban": {ASKED_BACK},
    'import hmac\nprint(hmac.new(b"k", b"m", "sha256").hexdigest())': {ASKED_BACK, DECLINED},
    "Hello": {"small_talk"},
    "Wie kann ich mein Passwort zurücksetzen, bitte?": {"handoff"},
    "请问在哪里可以下载发票": {"handoff"},
    "How long is the free trial?": {"answer"},
    "how do i cancel": {"answer", ASKED_BACK},
    TEN: {"answer"},
}


@pytest.fixture
async def server(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Server]:
    async with running_app(sqlite_url, knowledge=None, var_dir=tmp_path) as opened:
        for path, (title, text) in PAGES.items():
            (vector,) = await opened.services.encode([f"{title}. {text}"])
            page = Document("docs", path, title, path, (Chunk(0, "", text),))
            await opened.services.passages.put(DEMO, page, [vector.tobytes()])
        await opened.services.after_ingest(DEMO)
        yield opened


async def explain(http: httpx.AsyncClient, text: str, **more: Any) -> dict[str, Any]:
    answer = await http.post("/explain", json={"text": text, **more}, headers=KEY)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_odd_messages_have_a_sensible_outcome(server: Server) -> None:
    async with server.api() as http:
        found = {text: await explain(http, text) for text in SENSIBLE}
    wrong = {
        text: each["decision"]
        for text, each in found.items()
        if each["decision"]["action"] not in SENSIBLE[text] or not each["reply"]["text"]
    }
    assert wrong == {}
    assert "Deutsch" in found["Wie kann ich mein Passwort zurücksetzen, bitte?"]["reply"]["text"]
    assert "first 3 questions" in found[TEN]["reply"]["text"]
    assert found["how do i cancel"]["handler"] == "answer"


async def test_how_much_text_is_taken(server: Server) -> None:
    async with server.api() as http:
        longest = ("How long is the free trial? " * 1200)[:32_000]
        assert (await explain(http, longest))["reply"]["text"]
        answer = await http.post("/explain", json={"text": "a" * 100_000}, headers=KEY)
        assert answer.status_code == 413
        answer = await http.post(
            "/msg", json={"channel": "web", "text": "a" * 100_000}, headers=KEY
        )
        assert answer.status_code == 413


async def test_the_first_reply_says_who_is_speaking_and_the_second_does_not(server: Server) -> None:
    async with server.api() as http:
        first = await explain(http, "How long is the free trial?", channel="sms")
        talk = [
            {"role": "customer", "text": "How long is the free trial?"},
            {"role": "bot", "text": first["reply"]["text"]},
        ]
        second = await explain(http, "How do I invite teammates?", channel="sms", talk=talk)
        on_the_page = await explain(http, "How long is the free trial?", channel="web")
    assert "AI assistant" in first["reply"]["text"]
    assert "AI assistant" not in second["reply"]["text"]
    assert "AI assistant" not in on_the_page["reply"]["text"]
