"""Pages that repeat or contradict each other, as a team sees them: API, `usher conflicts` and the console's API."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from app.cli import app as cli
from core.ports import Chunk, Document
from tests.app.app_server import DEMO, Server, running_app

STEPS = "Open the settings, choose billing, and download the invoice you need as a file."
REFUND = "A yearly plan can be refunded within 30 days of the payment."
PAGES = {
    "refunds.md": ("Refunds", REFUND),
    "faq.md": ("Refunds", REFUND.replace("30", "14")),
    "invoices.md": ("Invoices", STEPS),
    "billing/invoices.md": ("Download invoices", STEPS.replace("need", "want")),
    "boards.md": ("Boards", "A board has columns, and every column has cards."),
}


@pytest.fixture
async def server(sqlite_url: str) -> AsyncIterator[Server]:
    async with running_app(sqlite_url) as running:
        await running.services.directory.ensure_tenant(OTHER, "Other")
        for path, (title, text) in PAGES.items():
            alike = np.eye(384, dtype="<f4")[len(text) % 7].tobytes()
            page = Document("docs", path, title, path, (Chunk(0, "", text),))
            await running.services.passages.put(DEMO, page, [alike])
        yield running


OTHER: Any = "other"


async def test_the_whole_library_is_compared_whenever_it_is_asked(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with server.api() as http:
        found = (await http.get("/manage/conflicts")).json()["items"]
        theirs = await http.get("/manage/conflicts", headers={"x-tenant": OTHER})
    pairs = [(c["kind"], {c["first"]["document"], c["second"]["document"]}) for c in found]
    assert pairs == [
        ("contradiction", {"refunds.md", "faq.md"}),
        ("duplicate", {"invoices.md", "billing/invoices.md"}),
    ]
    assert {found[0]["first"]["text"], found[0]["second"]["text"]} == {
        REFUND,
        REFUND.replace("30", "14"),
    }
    assert theirs.json() == {"items": []}

    monkeypatch.setenv("USHER_CLI_URL", server.url)
    said = [
        await asyncio.to_thread(CliRunner().invoke, cli, ["conflicts", "--tenant", tenant])
        for tenant in (DEMO, OTHER)
    ]
    assert [run.exit_code for run in said] == [0, 0]
    assert "contradicts" in said[0].output
    assert "nearly the same as" in said[0].output
    assert said[1].output.strip() == "No page repeats or contradicts another."
