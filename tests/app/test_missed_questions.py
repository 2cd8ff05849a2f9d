"""From a reply the checks stopped to the gap it leaves, and to the weekly report, through the whole app."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from app.cli import app as cli
from app.services import Services
from core.ids import TenantId
from core.ports import Generated
from core.turns import Passage
from tests.app.app_server import Server, running_app

PROMISE = "We will refund you $500 by tomorrow."
ASKED = "How do I export? Write to ann@example.com"


@dataclass
class Promising:
    """A model that promises what nobody may promise, with a citation."""

    enabled: bool = True

    async def answer(
        self, tenant: str, question: str, talk: Any, passages: Sequence[Passage], *_: Any, **__: Any
    ) -> Generated:
        """See the port."""
        return Generated(((PROMISE, (1,)),), "promising")

    async def rewrite(self, tenant: str, question: str, *_: Any, **__: Any) -> str:
        """See the port."""
        return question


async def encode(texts: Sequence[str]) -> np.ndarray:
    return np.ones((len(texts), 384), np.float32)


@pytest.fixture
async def server(sqlite_url: str) -> AsyncIterator[Server]:
    def change(services: Services) -> Services:
        return replace(services, encode=encode)

    async with running_app(sqlite_url, generator=Promising(), change=change) as running:
        yield running


async def ask(server: Server, text: str, **more: Any) -> dict[str, Any]:
    async with server.api() as http:
        answer = await http.post("/msg", json={"channel": "web", "text": text, **more})
    found: dict[str, Any] = answer.json()
    return found


async def listed(server: Server, path: str, tenant: str = "demo") -> dict[str, Any]:
    async with server.api() as http:
        answer = await http.get(path, headers={"x-tenant": tenant})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def report(server: Server, monkeypatch: pytest.MonkeyPatch, *options: str) -> str:
    monkeypatch.setenv("USHER_CLI_URL", server.url)
    run = await asyncio.to_thread(CliRunner().invoke, cli, ["report", *options])
    assert run.exit_code == 0, run.output
    return run.output


async def test_a_reply_the_checks_stopped_becomes_a_gap(server: Server) -> None:
    first = await ask(server, ASKED, customer_id="ann")
    assert "500" not in first["reply"]
    assert first["citations"] == []
    (gap,) = (await listed(server, "/manage/gaps"))["items"]
    assert (gap["kind"], gap["question"]) == (
        "blocked",
        ASKED.replace("ann@example.com", "<EMAIL_ADDRESS>"),
    )
    assert (gap["contacts"], gap["times"], gap["nearest"]) == (1, 1, ["boards/export.md"])

    again = await ask(server, ASKED, conversation_id=first["conversation_id"])
    assert again["escalated"] is True, "a second one in a talk asks for a person"
    (gap,) = (await listed(server, "/manage/gaps"))["items"]
    assert (gap["contacts"], gap["times"]) == (1, 2)


async def test_the_weekly_report_is_the_tenants_own(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    await server.services.directory.ensure_tenant(TenantId("other"), "Other")
    for who in ("ann", "bob"):
        await ask(server, ASKED, customer_id=who)
    ours = await report(server, monkeypatch)
    assert "1 new gap, 1 open, 0 answered" in ours
    assert "<EMAIL_ADDRESS> (2 customers, 2 times)" in ours
    assert "ann@example.com" not in ours
    assert (await listed(server, "/manage/report"))["gaps"]["open"] == 1

    theirs = await report(server, monkeypatch, "--tenant", "other")
    assert "Knowledge of other" in theirs
    assert "0 new gaps, 0 open, 0 answered" in theirs
    assert "export" not in theirs
    empty = await listed(server, "/manage/report", "other")
    assert empty["gaps"] == {"new": [], "open": 0, "biggest": [], "answered": []}
    assert empty["answers_due"] == []


async def test_an_empty_week_has_its_two_lines(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = await report(server, monkeypatch, "--days", "1")
    assert len(said.strip().splitlines()) == 2
