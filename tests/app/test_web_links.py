"""Deep links: made with a secret key, opened without one; usher speaks first and a booking goes on from there."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.store import models
from channels._shared.web_links import Link, Resume, issue_link, issue_resume
from core.ids import TenantId
from tests.app.app_server import DEMO, START, VISITOR_SECRET, Server, Tab, running_app

MADRID = "Europe/Madrid"


async def make(server: Server, **fields: object) -> dict[str, Any]:
    async with server.api() as client:
        made = await client.post("/links", json=fields)
    assert made.status_code == 201, made.text
    return dict(made.json())


def token_of(link: dict[str, Any]) -> str:
    return str(link["url"]).rpartition("/c/")[2]


@asynccontextmanager
async def opened(server: Server, **fields: object) -> AsyncIterator[tuple[Tab, dict[str, Any]]]:
    """Make a link and open it as its page does."""
    link = await make(server, **fields)
    async with server.tab() as tab:
        yield tab, await tab.hello(server.simulator.widget_key, link=token_of(link), zone=MADRID)


async def test_usher_speaks_first_and_its_offer_is_booked(database_url: str) -> None:
    async with running_app(database_url) as server:
        about = {"asset_id": "onboarding", "name": "Kim", "campaign": "spring"}
        async with opened(server, **about) as (tab, welcome):
            assert welcome["greeting"].startswith("Hi Kim, I'm Usher")
            assert "About your Onboarding session" in welcome["greeting"]
            first, second, third = [q["value"] for q in welcome["quick_replies"]]
            assert all(time in welcome["greeting"] for time in (first, second, third))
            assert await server.rows(models.conversations) == []  # looking is not talking
            assert (await tab.ask(second))["text"] == welcome["greeting"]
            answer = await tab.answer()
        assert f"Booked: Onboarding session on {second}" in answer["text"]
        (booking,) = await server.rows(models.bookings)
        assert booking.status == "booked"
        opening, said, *_ = await server.rows(models.messages)
        assert (opening.author, opening.seq, opening.text) == ("bot", 1, welcome["greeting"])
        assert (said.author, said.text) == ("customer", second)
        (talk,) = await server.rows(models.conversations)
        assert talk.subject == "onboarding · spring"


async def test_another_time_than_offered_is_understood_as_an_answer(sqlite_url: str) -> None:
    async with running_app(sqlite_url) as server:
        async with opened(server, asset_id="training") as (tab, welcome):
            assert welcome["greeting"].startswith("Hi, I'm Usher")
            assert (await tab.ask("tomorrow at 16:00"))["text"] == welcome["greeting"]
            answer = await tab.answer()
        assert "Training session" in answer["text"]
        assert "16:00" in answer["text"]
        assert "Which" not in answer["text"]  # city, kind and day are known


async def test_about_an_order_nothing_but_its_name_is_told(database_url: str) -> None:
    async with running_app(database_url) as server:
        async with server.api() as client:
            booked = await client.post(
                "/book", json={"asset_id": "review", "customer_id": "jordan", "SLA_pref": "asap"}
            )
        async with opened(server, order_id=booked.json()["order_id"]) as (tab, welcome):
            assert "About your Account review" in welcome["greeting"]
            assert "quick_replies" not in welcome
            assert booked.json()["host"] not in welcome["greeting"]
            assert (await tab.ask("When is my session?"))["text"] == welcome["greeting"]
            answer = await tab.answer()
        assert booked.json()["host"] not in answer["text"]


async def test_a_thing_of_their_own_and_words_of_their_own(sqlite_url: str) -> None:
    async with running_app(sqlite_url) as server:
        about = {"asset_id": "PRN-204", "about": "impresora", "locale": "es"}
        link = await make(server, **about)
        async with server.tab() as tab:
            welcome = await tab.hello(server.simulator.widget_key, link=token_of(link))
            assert "Sobre tu impresora" in welcome["greeting"]
            await tab.send("Hola")
        (talk,) = await server.rows(models.conversations)
        assert talk.subject == "impresora · PRN-204"


async def test_the_page_and_its_code(sqlite_url: str) -> None:
    async with running_app(sqlite_url) as server:
        link = await make(server, asset_id="onboarding", hours=1)
        async with httpx.AsyncClient(trust_env=False) as client:
            page = await client.get(link["url"])
            assert "unsafe-inline" not in page.headers["content-security-policy"]
            assert page.headers["referrer-policy"] == "no-referrer"
            svg, png = await client.get(link["svg"]), await client.get(link["png"])
            assert svg.headers["content-type"].startswith("image/svg+xml")
            assert b"<svg" in svg.content
            assert png.content.startswith(b"\x89PNG")
            assert (await client.get(f"{link['url']}x")).status_code == 404
            assert (await client.get(f"{link['url']}x.svg")).status_code == 404
            server.clock.advance(timedelta(hours=2))
            over = await client.get(link["url"])
            assert (over.status_code, "This link has expired" in over.text) == (404, True)
            assert (await client.get(link["svg"])).status_code == 404


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"order_id": "bkg_unknown"}, 404),
        ({"hours": 0}, 422),
        ({"hours": 9000}, 422),
        ({"locale": "english"}, 422),
        ({"name": "x" * 61}, 422),
        ({"name": "nul\x00"}, 422),
        ({"surprise": 1}, 422),
    ],
    ids=["order", "no time", "too long", "locale", "name", "nul", "unknown"],
)
async def test_what_no_link_is_made_of(
    sqlite_url: str, fields: dict[str, object], status: int
) -> None:
    async with running_app(sqlite_url, worker=False) as server, server.api() as client:
        assert (await client.post("/links", json=fields)).status_code == status
        client.headers["authorization"] = "Bearer wrong"
        assert (await client.post("/links", json={})).status_code == 401


NOW = START
OTHERS = Link(TenantId("other"), "demo-widget")


def resume(**changes: Any) -> Resume:
    values: dict[str, Any] = {
        "tenant": DEMO,
        "key": "k",
        "visitor": "vis_1",
        "conversation": "cnv_1",
        "seq": 1,
        "proven": True,
    }
    return Resume(**(values | changes))


@pytest.mark.parametrize(
    "token",
    [
        issue_link(OTHERS, VISITOR_SECRET, NOW + timedelta(days=1)),
        issue_link(Link(DEMO, "k"), "another secret", NOW + timedelta(days=1)),
        issue_link(Link(DEMO, "k"), VISITOR_SECRET, NOW),
        issue_resume(resume(), VISITOR_SECRET, NOW),
        "e30.e30.",
        "x",
    ],
    ids=["tenant", "secret", "expired", "kind", "unsigned", "nonsense"],
)
async def test_no_other_token_opens_a_talk(sqlite_url: str, token: str) -> None:
    async with running_app(sqlite_url, worker=False) as server, AsyncExitStack() as stack:
        tab = await stack.enter_async_context(server.tab())
        answer = await tab.hello(server.simulator.widget_key, link=token)
        assert (answer["type"], answer["code"]) == ("error", "unauthenticated")


# ---------------------------------------------------------------- files


async def test_a_file_is_uploaded_sent_and_fetched_again(database_url: str) -> None:
    async with running_app(database_url) as server, server.tab() as tab:
        key = server.simulator.widget_key
        token = (await tab.hello(key))["visitor"]
        origin = {"origin": "http://localhost:3000", "authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
            named = origin | {"x-file-name": "notes.txt", "content-type": "text/plain"}
            kept = await client.post("/web/files", content=b"line one\n", headers=named)
            assert kept.status_code == 201, kept.text
            odd = origin | {"x-file-name": "run.exe", "content-type": "text/plain"}
            refused = await client.post("/web/files", content=b"MZ\x90\x00", headers=odd)
            assert refused.status_code == 422
            await tab.say("send", client_id="c1", text="See here", files=[kept.json()["id"]])
            shown = await tab.next("message")
            (file,) = shown["files"]
            assert (file["name"], file["size"]) == ("notes.txt", 9)
            fetched = await client.get(file["url"])
        assert fetched.content == b"line one\n"
        assert fetched.headers["content-disposition"].startswith("attachment")
