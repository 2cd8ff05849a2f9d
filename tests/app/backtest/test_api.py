"""/backtests over the real store and the real runner; only the thinking follows a script."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import FastAPI

from app.api import backtest, errors
from app.backtest import starting
from app.backtest.running import Backtester
from app.store.backtests import SqlBacktests
from app.store.database import Database, DatabaseSettings
from core.clock import FrozenClock
from core.errors import UnavailableError
from tests.app.backtest.test_report import seen
from tests.store.scene import DEMO, OTHER, Scene

DEV = {"authorization": "Bearer dev"}
CSV = "question,answer,topic\nCan I pay by card?,Yes.,Billing\nIs the moon cheese?,,\n,,\n"


@pytest.fixture
async def scene(database_url: str, clock: FrozenClock) -> AsyncIterator[Scene]:
    database = Database(DatabaseSettings(url=database_url))
    made = Scene(database, clock)
    await made.begin()
    yield made
    await database.close()


@pytest.fixture
def gate() -> asyncio.Event:
    """Thinking waits for it."""
    event = asyncio.Event()
    event.set()
    return event


@pytest.fixture
async def client(
    scene: Scene, gate: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    async def explain(_services: object, _tenant: str, asked: Any) -> Any:
        await gate.wait()
        if "fails" in asked.text:
            raise UnavailableError("down")
        return seen("answer", "Yes.") if "card" in asked.text else seen("decline")

    async def encode(texts: Sequence[str]) -> Any:
        return np.eye(8, dtype="<f4")[[n % 8 for n, _ in enumerate(texts)]]

    async def support(_text: str, _sources: Sequence[str]) -> float:
        return 0.8

    monkeypatch.setattr(starting, "explain", explain)
    store = SqlBacktests(scene.database, scene.clock)
    backtester = Backtester(store, encode)
    app = FastAPI()
    app.include_router(backtest.router)
    errors.install(app)
    app.state.services = SimpleNamespace(
        settings=SimpleNamespace(development=True),
        directory=scene.directory,
        access=scene.access,
        plugins=SimpleNamespace(channels={"web": None}),
        answers=SimpleNamespace(support=support),
        backtests=store,
        backtester=backtester,
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://usher.test", headers=DEV
    ) as made:
        made.backtester = backtester  # type: ignore[attr-defined] # for the tests to wait on
        yield made
    await backtester.close()


async def ended(client: httpx.AsyncClient, body: dict[str, Any]) -> dict[str, Any]:
    begun = await client.post("/backtests", json=body)
    assert begun.status_code == 202, begun.text
    assert begun.json()["status"] == "running"
    await client.backtester.wait(begun.json()["id"])  # type: ignore[attr-defined]
    found: dict[str, Any] = (await client.get(f"/backtests/{begun.json()['id']}")).json()
    return found


async def test_a_file_becomes_a_report_a_list_entry_and_a_page(client: httpx.AsyncClient) -> None:
    found = await ended(client, {"name": "June", "file": CSV})
    assert (found["status"], found["done"], found["questions"]) == ("done", 2, 2)
    report = found["report"]
    assert [row["action"] for row in report["rows"]] == ["answer", "decline"]
    assert report["agreement"] == {
        "compared": 1, "agree": 1, "agreement": 0.8, "said": 0.8, "covered": 0.8,
    }  # fmt: skip
    assert [gap["question"] for gap in report["gaps"]] == ["Is the moon cheese?"]
    (listed,) = (await client.get("/backtests")).json()["items"]
    assert "report" not in listed
    assert (listed["name"], listed["totals"]) == ("June", report["totals"])
    page = await client.get(f"/backtests/{found['id']}/page")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "Is the moon cheese?" in page.text
    markdown = await client.get(f"/backtests/{found['id']}/page", params={"kind": "markdown"})
    assert markdown.text.startswith("# Backtest: June\n")
    assert (await client.delete(f"/backtests/{found['id']}")).status_code == 204
    assert (await client.get(f"/backtests/{found['id']}")).status_code == 404


async def test_one_bad_row_does_not_cost_the_others(client: httpx.AsyncClient) -> None:
    questions = [{"question": q} for q in ("this fails", "by card?", "x" * 32_000, "🙂")]
    found = await ended(client, {"name": "odd", "questions": questions})
    assert [row["action"] for row in found["report"]["rows"]] == [
        "failed", "answer", "decline", "decline",
    ]  # fmt: skip
    assert found["report"]["rows"][0]["error"] == "unavailable"


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x"},
        {"name": "x", "questions": [], "file": CSV},
        {"name": "x", "questions": []},
        {"name": "x", "questions": [{"question": "  "}]},
        {"name": "x", "file": "no,columns\n1,2\n"},
        {"name": "x", "file": CSV, "channel": "pigeon"},
    ],
)
async def test_what_cannot_be_run_is_refused(
    client: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    assert (await client.post("/backtests", json=body)).status_code == 422
    assert (await client.get("/backtests")).json()["items"] == []


async def test_a_run_has_no_page_yet_and_a_third_one_waits(
    client: httpx.AsyncClient, gate: asyncio.Event
) -> None:
    gate.clear()
    begun = [(await client.post("/backtests", json={"name": n, "file": CSV})).json() for n in "ab"]
    assert (await client.get(f"/backtests/{begun[0]['id']}/page")).status_code == 409
    assert (await client.post("/backtests", json={"name": "c", "file": CSV})).status_code == 409
    gate.set()
    for each in begun:
        await client.backtester.wait(each["id"])  # type: ignore[attr-defined]
    assert (await client.get(f"/backtests/{begun[0]['id']}/page")).status_code == 200


async def test_a_run_that_the_server_took_down_with_it_is_stopped(
    client: httpx.AsyncClient, gate: asyncio.Event, scene: Scene
) -> None:
    gate.clear()
    begun = (await client.post("/backtests", json={"name": "a", "file": CSV})).json()
    await client.backtester.close()  # type: ignore[attr-defined]
    assert (await client.get(f"/backtests/{begun['id']}")).json()["status"] == "stopped"
    # of a process that could say nothing any more
    silent = await SqlBacktests(scene.database, scene.clock).start(
        DEMO, "b", {"status": "running", "done": 0, "questions": 2}
    )
    assert (await client.get(f"/backtests/{silent}")).json()["status"] == "stopped"


async def test_backtests_are_of_one_tenant_and_behind_a_secret_key(
    client: httpx.AsyncClient, scene: Scene
) -> None:
    found = await ended(client, {"name": "June", "file": CSV})
    theirs = {"x-tenant": OTHER}
    assert (await client.get(f"/backtests/{found['id']}", headers=theirs)).status_code == 404
    assert (await client.get("/backtests", headers=theirs)).json()["items"] == []
    _, publishable = await scene.access.create_key(DEMO, "widget", "widget")
    key = {"authorization": f"Bearer {publishable}"}
    assert (await client.get("/backtests", headers=key)).status_code == 403
    assert (await client.get("/backtests", headers={"authorization": ""})).status_code == 401
