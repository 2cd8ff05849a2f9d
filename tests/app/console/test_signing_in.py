"""Who gets in, what they may do, and what other sites' pages cannot make them do."""

import json
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.store.demo import DEMO_PASSWORD
from core.clock import FrozenClock
from tests.app.console.office import HOST, Office, office
from tests.store.scene import DEMO

MAYA = {"email": "maya@lumen.example", "password": DEMO_PASSWORD}
COOKIE = "usher_console"


async def test_a_sign_in_opens_the_console_and_a_sign_out_ends_it(desk: Office) -> None:
    async with desk.browser() as client:
        before = await client.get("/console/api/me")
        done = await client.post("/console/api/login", json={"tenant": "demo", **MAYA})
        me = await client.get("/console/api/me")
        token = client.cookies[COOKIE]
        await client.post("/console/api/logout")
        after = await client.get("/console/api/me", headers={"cookie": f"{COOKIE}={token}"})
    assert before.status_code == after.status_code == 401
    assert done.json()["csm"]["name"] == me.json()["csm"]["name"] == "Maya Okafor"
    assert me.json()["may_write"]
    entries = await desk.services.access.audit_log(DEMO)
    assert "console.signed_in" in [e.action for e in entries.items]


@pytest.mark.parametrize(
    ("url", "secure"), [(f"http://{HOST}", False), ("https://usher.example", True)]
)
async def test_the_cookie_is_for_the_browser_alone(
    url: str, secure: bool, sqlite_url: str, redis_url: str, clock: FrozenClock
) -> None:
    async with office(sqlite_url, redis_url, clock, url=url) as desk, desk.browser() as client:
        set_cookie = (await client.post("/console/api/login", json=MAYA)).headers["set-cookie"]
    marks = {part.strip().lower() for part in set_cookie.split(";")}
    assert {"httponly", "samesite=lax", "path=/console"} <= marks
    assert ("secure" in marks) is secure


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "not her password"},
        {"email": "nobody@lumen.example"},
        {"tenant": "other"},
        {"tenant": "no such team"},
        {"email": ""},
        {"password": ""},
        {"email": "maya@lumen.example\x00"},
        {"tenant": "\ud800"},
        {"password": "x" * 401},
        {"role": "admin"},
    ],
)
async def test_a_wrong_sign_in_is_refused(quick: Office, wrong: dict[str, str]) -> None:
    async with quick.browser() as client:
        answer = await client.post(
            "/console/api/login",
            content=json.dumps({**MAYA, **wrong}),
            headers={"content-type": "application/json"},
        )
    assert answer.status_code in (401, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert COOKIE not in answer.cookies


async def test_a_planted_session_does_not_survive_the_sign_in(quick: Office) -> None:
    async with quick.signed_in("noah") as attacker:
        planted = attacker.cookies[COOKIE]
    async with quick.browser() as victim:
        victim.cookies.set(COOKIE, planted, domain=HOST, path="/console")
        await victim.post("/console/api/login", json=MAYA)
        fresh = victim.cookies.get(COOKIE, domain=HOST, path="/console")
    assert fresh != planted
    assert await quick.services.access.session(planted) is None


async def test_a_session_ends_by_itself(quick: Office) -> None:
    async with quick.signed_in("maya") as client:
        quick.clock.advance(timedelta(hours=12, seconds=1))
        assert (await client.get("/console/api/me")).status_code == 401


async def test_guessing_passwords_is_slowed_down(quick: Office) -> None:
    async with quick.browser() as client:
        wrong = {**MAYA, "password": "a wrong password"}
        answers = [await client.post("/console/api/login", json=wrong) for _ in range(10)]
        right = await client.post("/console/api/login", json=MAYA)
        other = await client.post(
            "/console/api/login", json={**MAYA, "email": "noah@lumen.example"}
        )
    assert [a.status_code for a in answers] == [401] * 8 + [429] * 2
    assert int(answers[-1].headers["retry-after"]) > 0
    assert right.status_code == 429
    assert other.status_code == 200


WRITES: list[tuple[str, dict[str, Any]]] = [
    ("conversations/{id}/claim", {}),
    ("conversations/{id}/reply", {"text": "hello", "key": "a" * 16}),
    ("conversations/{id}/note", {"text": "hello", "key": "a" * 16}),
    ("conversations/{id}/drafts/msg_1", {"action": "send"}),
    ("conversations/{id}/hand_back", {}),
    ("conversations/{id}/resolve", {}),
    ("conversations/{id}/mode", {"mode": "draft"}),
    ("contacts/{contact}/forget", {"key": "team size"}),
    ("pause", {"paused": True}),
    ("knowledge/gaps/gap_1/dismiss", {"reason": "not ours"}),
    ("knowledge/gaps/gap_1/merge", {"into": "gap_2"}),
    ("knowledge/gaps/gap_1/split", {}),
    ("knowledge/gaps/gap_1/approve", {"question": "How?", "text": "So."}),
    ("knowledge/answers", {"question": "How?", "text": "So."}),
    ("knowledge/answers/review", {"question": "How?", "text": "So."}),
    ("knowledge/answers/doc_1", {"question": "How?", "text": "So."}),
    ("knowledge/answers/doc_1/withdraw", {"reason": "old"}),
    ("knowledge/sources/src_1/sync", {}),
    ("knowledge/intents", {"text": "how?", "intent": "question"}),
    ("knowledge/intents/forget", {"intent": "question"}),
    ("knowledge/backtests", {"name": "a.csv", "file": "question"}),
    ("knowledge/check", {"text": "how?", "direction": "in"}),
    ("knowledge/try", {"text": "how?"}),
]


def _where(path: str, accepted: Any) -> str:
    return "/console/api/" + path.format(id=accepted.conversation_id, contact=accepted.contact_id)


@pytest.mark.parametrize(("path", "body"), WRITES, ids=[path for path, _ in WRITES])
async def test_a_viewer_cannot_write(quick: Office, path: str, body: dict[str, Any]) -> None:
    accepted = await quick.says("hello?")
    async with quick.signed_in("vera") as vera:
        look = await vera.get(f"/console/api/conversations/{accepted.conversation_id}")
        answer = await vera.post(_where(path, accepted), json=body)
    assert look.status_code == 200
    assert answer.status_code == 403
    assert "viewer" in answer.json()["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {"x-usher-console": ""},
        {"x-usher-console": "1", "origin": "https://evil.example"},
        {"x-usher-console": "1", "origin": f"http://{HOST}.evil.example"},
        {"x-usher-console": "1", "origin": "null"},
    ],
)
@pytest.mark.parametrize(("path", "body"), WRITES, ids=[path for path, _ in WRITES])
async def test_another_site_cannot_write(
    quick: Office, path: str, body: dict[str, Any], headers: dict[str, str]
) -> None:
    accepted = await quick.says("hello?")
    async with quick.signed_in("maya") as maya:
        answer = await maya.post(_where(path, accepted), json=body, headers=headers)
    assert answer.status_code == 403
    assert "viewer" not in answer.json()["detail"]
    row = await quick.services.reads.inbox_entry(DEMO, accepted.conversation_id)
    assert (row.owner, row.mode) == (None, None)


@pytest.mark.parametrize("path", ["login", "logout"])
async def test_another_site_can_neither_sign_in_nor_out(quick: Office, path: str) -> None:
    async with quick.browser(origin="https://evil.example") as client:
        answer = await client.post(f"/console/api/{path}", json=MAYA)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "inbox",
        "counts",
        "handoffs",
        "kpis",
        "settings",
        "knowledge/gaps",
        "knowledge/answers",
        "knowledge/docs",
        "contacts/con_1",
    ],
)
async def test_nothing_is_shown_to_a_stranger(quick: Office, path: str) -> None:
    async with quick.browser() as client:
        answer = await client.get(f"/console/api/{path}")
    assert answer.status_code == 401


# ---------------------------------------------------------------- pages and files


async def test_a_stranger_is_led_to_the_door_and_back(quick: Office) -> None:
    async with quick.browser() as client:
        sent = await client.get("/console/c/cnv_1")
        door = await client.get(sent.headers["location"])
    assert sent.status_code == 303
    assert sent.headers["location"] == "/console/login?next=/console/c/cnv_1"
    assert "maya@lumen.example" in door.text


async def test_demo_accounts_are_shown_in_development_only(
    sqlite_url: str, redis_url: str, clock: FrozenClock
) -> None:
    async with (
        office(sqlite_url, redis_url, clock, development=False) as desk,
        desk.browser() as client,
    ):
        door = await client.get("/console/login")
    assert "lumen.example" not in door.text
    assert DEMO_PASSWORD not in door.text


async def test_pages_allow_nothing_inline_and_nothing_from_elsewhere(quick: Office) -> None:
    async with quick.signed_in("maya") as client:
        pages = [await client.get("/console"), await client.get("/console/kpis")]
        await client.post("/console/api/logout")
        pages.append(await client.get("/console/login"))
    for page in pages:
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'self';")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page.text)
        assert not re.search(r"(?:src|href)=\"(?!/console/|#)", page.text)


async def test_every_file_a_page_asks_for_is_there_and_kept(quick: Office) -> None:
    async with quick.signed_in("maya") as client:
        page = (await client.get("/console")).text
        wanted = set(re.findall(r'"(/console/static/[^"]+)"', page))
        main = next(path for path in wanted if path.endswith("main.js"))
        asked = {main}
        answers: dict[str, httpx.Response] = {}
        while asked - set(answers):
            path = (asked - set(answers)).pop()
            answers[path] = await client.get(path)
            folder = path.rpartition("/")[0]
            asked |= {
                f"{folder}/{n}" for n in re.findall(r'from "\./([\w.]+)"', answers[path].text)
            }
        answers |= {path: await client.get(path) for path in wanted}
        stale = await client.get(re.sub(r"/static/\w+/", "/static/older/", main))
        outside = await client.get("/console/static/v/..%2fgate.py")
        page_file = await client.get("/console/static/v/shell.html")
    assert len(answers) > 15
    assert {a.status_code for a in answers.values()} == {200}
    assert all("immutable" in a.headers["cache-control"] for a in answers.values())
    assert stale.headers["cache-control"] == "no-store"
    assert page_file.status_code == 404
    assert "import" not in outside.text


async def test_scripts_never_parse_markup(quick: Office) -> None:
    async with quick.signed_in("maya") as client:
        page = (await client.get("/console")).text
        folder = re.search(r'"(/console/static/\w+)/main.js"', page)
        assert folder
        names = ["main", "dom", "inbox", "conversation", "message", "customer", "trace"]
        texts = [(await client.get(f"{folder[1]}/{n}.js")).text for n in names]
    for text in texts:
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)


async def test_an_unknown_address_below_the_api_is_a_problem(quick: Office) -> None:
    async with quick.signed_in("maya") as client:
        answer = await client.get("/console/api/nothing")
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"
