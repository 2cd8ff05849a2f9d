"""The web chat's other doors, against in-memory ports: who must be signed in, uploads, the stream."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Origin

from app.api.web_files import FILES_PER_MINUTE
from channels._shared.web_token import issue_visitor, new_visitor
from core.clock import FrozenClock
from core.files import MAX_BYTES
from core.messages import Assurance
from tests.webchat import IDENTITY_SECRET, KEY, TENANT, VISITOR_SECRET, Desk, serving

PAGE = "http://localhost:3000"
EVIL = "https://evil.example"


@pytest.fixture
async def desk(clock: FrozenClock) -> Desk:
    return Desk(clock)


@asynccontextmanager
async def said_hello(host: str, **fields: object) -> AsyncIterator[dict[str, Any]]:
    async with connect(f"ws://{host}/ws", origin=Origin(PAGE)) as socket:
        await socket.send(json.dumps({"type": "hello", "key": KEY} | fields))
        yield json.loads(await socket.recv())


# ---------------------------------------------------------------- identity


def identity(
    desk: Desk, secret: str = IDENTITY_SECRET, algorithm: str = "HS256", **changes: object
) -> str:
    now = desk.clock.now()
    claims = {"sub": "kim", "exp": (now + timedelta(minutes=5)).timestamp()} | changes
    key = secret if algorithm != "none" else ""
    return jwt.encode(claims, key, algorithm=algorithm)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"aud": "usher"},
        {"aud": KEY},
        {"aud": ["billing", "usher"]},
    ],
    ids=["plain", "usher", "key", "list"],
)
async def test_signed_in_people_come_in_where_that_is_required(
    desk: Desk, changes: dict[str, Any]
) -> None:
    desk.policy_of_all = replace(desk.policy_of_all, widget_identity="required")
    async with (
        serving(desk.chat()) as host,
        said_hello(host, identity=identity(desk, **changes)) as answer,
    ):
        assert answer["type"] == "welcome"


def past(desk: Desk) -> str:
    return identity(desk, exp=(desk.clock.now() - timedelta(minutes=2)).timestamp())


@pytest.mark.parametrize(
    "sign",
    [
        lambda desk: "",
        lambda desk: identity(desk, algorithm="none"),
        lambda desk: identity(desk, algorithm="HS512"),
        lambda desk: identity(desk, secret="the secret of another tenant, long enough"),
        lambda desk: identity(desk, aud="billing"),
        lambda desk: identity(desk, aud=["billing"]),
        lambda desk: identity(desk, aud=7),
        past,
        lambda desk: identity(desk, exp=9_999_999_999),
        lambda desk: identity(desk, exp="soon"),
        lambda desk: identity(desk, sub=""),
        lambda desk: issue_visitor(new_visitor(TENANT, KEY), IDENTITY_SECRET, desk.clock.now()),
    ],
    ids=[
        "none",
        "alg none",
        "other algorithm",
        "other secret",
        "audience",
        "audiences",
        "odd audience",
        "expired",
        "endless",
        "no date",
        "nobody",
        "visitor token",
    ],
)
async def test_nobody_else_does(desk: Desk, sign: Any) -> None:
    desk.policy_of_all = replace(desk.policy_of_all, widget_identity="required")
    token = issue_visitor(new_visitor(TENANT, KEY), VISITOR_SECRET, desk.clock.now())
    fields = {"visitor": token, **({"identity": sign(desk)} if sign(desk) else {})}
    async with serving(desk.chat()) as host:
        async with said_hello(host, **fields) as answer:
            assert (answer["type"], answer["code"]) == ("error", "unauthenticated")
        answered = await upload(host, token)
        assert answered.status_code == 403
    assert desk.inbound == []


async def test_what_is_refused_is_said_in_a_sentence(desk: Desk) -> None:
    desk.policy_of_all = replace(desk.policy_of_all, widget_identity="required")
    async with serving(desk.chat()) as host, said_hello(host) as answer:
        assert answer["message"] == "this chat is for people who are signed in"


# ---------------------------------------------------------------- files


async def upload(
    host: str,
    token: str | None,
    data: bytes = b"words",
    name: str = "notes.txt",
    origin: str = PAGE,
) -> httpx.Response:
    headers = {"origin": origin, "x-file-name": name, "content-type": "text/plain"}
    headers |= {"authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.post(f"http://{host}/web/files", content=data, headers=headers)


def visitor(desk: Desk) -> str:
    return issue_visitor(new_visitor(TENANT, KEY), VISITOR_SECRET, desk.clock.now())


async def test_a_file_is_kept_and_goes_with_a_message(desk: Desk) -> None:
    token = visitor(desk)
    async with serving(desk.chat()) as host:
        kept = await upload(host, token, name="caf%C3%A9.txt")
        assert kept.status_code == 201
        assert kept.headers["access-control-allow-origin"] == PAGE
        assert kept.json() == {
            "id": "fil_1",
            "name": "café.txt",
            "content_type": "text/plain",
            "size": 5,
        }
        async with connect(f"ws://{host}/ws", origin=Origin(PAGE)) as socket:
            await socket.send(json.dumps({"type": "hello", "key": KEY, "visitor": token}))
            frame = {"type": "send", "client_id": "c1", "text": "", "files": ["fil_1"]}
            await socket.send(json.dumps(frame))
            shown = json.loads(await socket.recv())
            while shown["type"] != "message":
                shown = json.loads(await socket.recv())
    assert shown["files"] == [{"name": "café.txt", "size": 5, "url": "/files/fil_1"}]
    (attached,) = desk.inbound[0].attachments
    assert (attached.id, attached.name, attached.size) == ("fil_1", "café.txt", 5)


async def test_somebody_elses_file_is_nobodys_to_send(desk: Desk) -> None:
    async with serving(desk.chat()) as host:
        assert (await upload(host, visitor(desk))).status_code == 201
        async with connect(f"ws://{host}/ws", origin=Origin(PAGE)) as socket:
            await socket.send(json.dumps({"type": "hello", "key": KEY}))
            frame = {"type": "send", "client_id": "c1", "text": "mine?", "files": ["fil_1"]}
            await socket.send(json.dumps(frame))
            answer = json.loads(await socket.recv())
            while answer["type"] != "error":
                answer = json.loads(await socket.recv())
    assert (answer["code"], answer["client_id"]) == ("bad_input", "c1")
    assert desk.inbound == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"token": None}, 401),
        ({"token": "forged"}, 401),
        ({"origin": EVIL}, 403),
        ({"data": b""}, 422),
        ({"name": "virus.exe"}, 422),
        ({"data": b"x" * (MAX_BYTES + 1)}, 413),
    ],
    ids=["no token", "forged", "origin", "empty", "kind", "size"],
)
async def test_what_is_not_kept(desk: Desk, changes: dict[str, Any], status: int) -> None:
    async with serving(desk.chat()) as host:
        answer = await upload(host, **{"token": visitor(desk), **changes})
    assert answer.status_code == status
    assert desk.files.kept == {}


async def test_files_are_limited(desk: Desk) -> None:
    token = visitor(desk)
    async with serving(desk.chat()) as host:
        answers = [await upload(host, token) for _ in range(FILES_PER_MINUTE + 1)]
    assert [a.status_code for a in answers] == [201] * FILES_PER_MINUTE + [429]


# ---------------------------------------------------------------- the stream


class Stream:
    """A widget that has no WebSocket."""

    def __init__(self, client: httpx.AsyncClient, lines: AsyncIterator[str]) -> None:
        self._client, self._lines = client, lines
        self.path = ""

    async def event(self) -> tuple[str, str]:
        kind = "message"
        async for line in self._lines:
            name, _, value = line.partition(": ")
            kind = value if name == "event" else kind
            if name == "data":
                return kind, value
        raise EOFError

    async def next(self, *kinds: str) -> dict[str, Any]:
        while True:
            _, data = await self.event()
            frame: dict[str, Any] = json.loads(data)
            if frame["type"] in kinds:
                return frame

    async def say(self, kind: str, origin: str = PAGE, **fields: object) -> int:
        body = json.dumps({"type": kind} | fields)
        sent = await self._client.post(self.path, content=body, headers={"origin": origin})
        return sent.status_code


@asynccontextmanager
async def stream(host: str) -> AsyncIterator[Stream]:
    async with (
        httpx.AsyncClient(base_url=f"http://{host}", trust_env=False, timeout=20) as client,
        client.stream("GET", "/web/stream") as answer,
    ):
        opened = Stream(client, answer.aiter_lines())
        kind, name = await opened.event()
        assert (kind, len(name)) == ("open", 32)
        opened.path = f"/web/stream/{name}"
        yield opened


async def test_a_whole_talk_without_a_socket(desk: Desk) -> None:
    async with serving(desk.chat()) as host, stream(host) as line:
        assert await line.say("hello", key=KEY) == 204
        assert (await line.next("welcome", "error"))["brand"] == "Lumen Boards"
        await line.say("send", client_id="c1", text="hi")
        await line.say("send", client_id="c1", text="hi")
        assert (await line.next("stored"))["seq"] == 1
        await desk.add(next(iter(desk.talks.values())).conversation.id, "Hello there")
        answer = await line.next("message")
        while answer["author"] == "customer":
            answer = await line.next("message")
        assert answer["text"] == "Hello there"
        await line.say("ack", seq=answer["seq"])
        async with asyncio.timeout(10):
            while desk.statuses(answer["conversation_id"])[2] != "delivered":  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    assert [i.text for i in desk.inbound] == ["hi"]
    assert desk.inbound[0].assurance is Assurance.CHANNEL


async def test_a_stream_lets_in_whom_a_socket_would(desk: Desk) -> None:
    async with serving(desk.chat()) as host, stream(host) as line:
        await line.say("hello", origin=EVIL, key=KEY)
        assert (await line.next("error"))["code"] == "forbidden"
        assert await line.event() == ("end", "4403")


async def test_posts_to_no_stream_are_refused(desk: Desk) -> None:
    async with serving(desk.chat()) as host, httpx.AsyncClient(trust_env=False) as client:
        odd = await client.post(f"http://{host}/web/stream/nobody", content=b"{}")
        large = await client.post(f"http://{host}/web/stream/{'0' * 32}", content=b"x" * 70_000)
    assert odd.status_code >= 400
    assert large.status_code >= 400
