"""The widget's socket against in-memory ports: resume, acks, tabs, limits, bad input."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jwt
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from app.api import web_wire
from app.api.web_session import MAX_REFUSED, SENDS_PER_MINUTE
from core.clock import FrozenClock
from core.errors import UnavailableError
from core.ids import ConversationId
from core.messages import Assurance, Author
from tests.webchat import IDENTITY_SECRET, KEY, Desk, serving

FIRST = ConversationId("cnv_1")


class Tab:
    """One browser tab as the protocol sees it."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def say(self, kind: str, **fields: object) -> None:
        await self.socket.send(json.dumps({"type": kind} | fields))

    async def next(self, *kinds: str) -> dict[str, Any]:
        """Return the next frame of these kinds, passing over others."""
        while True:
            frame: dict[str, Any] = json.loads(await self.socket.recv())
            if not kinds or frame["type"] in kinds:
                return frame

    async def hello(self, **fields: object) -> dict[str, Any]:
        await self.say("hello", **({"key": KEY} | fields))
        return await self.next("welcome", "error")

    async def send(self, text: str, client_id: str = "c1") -> dict[str, Any]:
        await self.say("send", client_id=client_id, text=text)
        return await self.next("stored", "error")

    async def seqs_until(self, last: int) -> list[int]:
        """Return the seqs of messages up to the one with seq `last`."""
        seqs = [(await self.next("message"))["seq"]]
        while seqs[-1] != last:
            seqs.append((await self.next("message"))["seq"])
        return seqs

    async def close_code(self) -> int | None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self.socket.recv()
        return self.socket.close_code


class Site:
    """A running server and the tabs open on it."""

    def __init__(self, desk: Desk, host: str) -> None:
        self.desk, self.host = desk, host
        self._stack = contextlib.AsyncExitStack()

    async def tab(self, origin: str | None = "http://localhost:3000") -> Tab:
        socket = connect(f"ws://{self.host}/ws", origin=origin, max_size=None)  # type: ignore[arg-type]
        return Tab(await self._stack.enter_async_context(socket))

    async def close(self) -> None:
        await self._stack.aclose()


@pytest.fixture
def desk(clock: FrozenClock) -> Desk:
    return Desk(clock)


@pytest.fixture
async def site(desk: Desk) -> AsyncIterator[Site]:
    async with serving(desk.chat()) as host:
        opened = Site(desk, host)
        yield opened
        await opened.close()


async def eventually(claim: Any) -> None:
    """Wait until a claim about the server's side holds; the test's timeout is the limit."""
    while not claim():  # noqa: ASYNC110 - the other side has no event to wait for
        await asyncio.sleep(0.01)


# ---------------------------------------------------------------- one visitor


async def test_a_question_is_stored_and_its_answer_arrives(site: Site) -> None:
    tab = await site.tab()
    welcome = await tab.hello(locale="es-ES")
    assert (welcome["conversation_id"], welcome["seq"], welcome["locale"]) == (None, 0, "es")
    assert welcome["brand"] == "Lumen Boards"
    stored = await tab.send("¿Cómo invito a alguien?")
    assert stored == {
        "type": "stored",
        "client_id": "c1",
        "conversation_id": FIRST,
        "seq": 1,
    }
    await site.desk.add(FIRST, "Abre Ajustes.", turn_id="trn_1")
    own, answer = await tab.next("message"), await tab.next("message")
    assert (own["author"], own["client_id"]) == ("customer", "c1")
    assert (answer["author"], answer["turn_id"], answer["text"]) == (
        "bot",
        "trn_1",
        "Abre Ajustes.",
    )
    [inbound] = site.desk.inbound
    assert (inbound.channel, inbound.locale, inbound.assurance) == ("web", "es", Assurance.CHANNEL)
    assert inbound.external_id == f"{inbound.sender}:c1"


async def test_sending_again_stores_once(site: Site) -> None:
    tab = await site.tab()
    welcome = await tab.hello()
    first = await tab.send("hi")
    assert await tab.send("hi") == first
    again = await site.tab()
    await again.hello(visitor=welcome["visitor"], conversation_id=FIRST)
    assert await again.send("hi") == first
    assert len(site.desk.inbound) == 1
    refused = await again.send("something else")
    assert (refused["code"], refused["client_id"]) == ("idempotency_key_reused", "c1")


async def test_an_answer_is_delivered_when_it_is_acknowledged(site: Site) -> None:
    tab = await site.tab()
    await tab.hello()
    await tab.send("hi")
    for text in ("one", "two", "three"):
        await site.desk.add(FIRST, text)
    assert await tab.seqs_until(4) == [1, 2, 3, 4]
    await tab.say("ack", seq=3)
    await eventually(lambda: site.desk.statuses(FIRST)[3] == "delivered")
    assert site.desk.statuses(FIRST) == {1: "received", 2: "delivered", 3: "delivered", 4: "sent"}
    await tab.say("ack", seq=400)  # never sent: confirms nothing
    await tab.say("ack", seq=4)
    await eventually(lambda: site.desk.statuses(FIRST)[4] == "delivered")


async def test_after_a_break_everything_after_seq_comes_once(site: Site) -> None:
    tab = await site.tab()
    token = (await tab.hello())["visitor"]
    await tab.send("hi")
    await site.desk.add(FIRST, "seen")
    assert await tab.seqs_until(2) == [1, 2]
    await tab.say("ack", seq=2)
    await eventually(lambda: site.desk.statuses(FIRST)[2] == "delivered")
    await tab.socket.close()
    for number in range(3, 253):
        await site.desk.add(FIRST, f"while away {number}")
    back = await site.tab()
    welcome = await back.hello(visitor=token, conversation_id=FIRST, seq=2)
    assert (welcome["conversation_id"], welcome["seq"]) == (FIRST, 252)
    assert await back.seqs_until(252) == list(range(3, 253))
    await site.desk.add(FIRST, "live")
    assert (await back.next("message"))["seq"] == 253


async def test_what_was_not_acknowledged_is_sent_again(site: Site) -> None:
    tab = await site.tab()
    token = (await tab.hello())["visitor"]
    await tab.send("hi")
    await site.desk.add(FIRST, "lost on the way")
    await site.desk.add(FIRST, "seen")
    back = await site.tab()
    await back.hello(visitor=token, conversation_id=FIRST, seq=3)
    assert await back.seqs_until(3) == [2, 3]


async def test_a_row_that_becomes_visible_late_is_not_missed(site: Site) -> None:
    tab = await site.tab()
    await tab.hello()
    await tab.send("hi")
    await site.desk.add(FIRST, "queued, then sent", status="queued")
    await tab.say("send", client_id="c2", text="still there?")
    assert await tab.seqs_until(3) == [1, 3]
    site.desk.change(FIRST, 2, "claimed")
    await site.desk.hint(FIRST, 2)
    assert (await tab.next("message"))["seq"] == 2


async def test_what_a_takeover_dropped_is_never_shown(site: Site) -> None:
    tab = await site.tab()
    await tab.hello()
    await tab.send("hi")
    for status in ("queued", "dropped", "proposed", "discarded", "dead"):
        await site.desk.add(FIRST, "not for you", status=status)
    await site.desk.add(FIRST, "for you", Author.CSM)
    assert await tab.seqs_until(7) == [1, 7]


async def test_a_long_conversation_opens_at_its_end(site: Site) -> None:
    tab = await site.tab()
    token = (await tab.hello())["visitor"]
    await tab.send("hi")
    await tab.socket.close()
    for number in range(300):
        await site.desk.add(FIRST, f"{number}", status="delivered")
    fresh = await site.tab()
    await fresh.hello(visitor=token, conversation_id=FIRST)
    assert await fresh.seqs_until(301) == list(range(102, 302))


async def test_previews_and_presence_pass_through(site: Site) -> None:
    tab = await site.tab()
    await tab.hello()
    await tab.send("hi")
    await tab.next("status")
    await site.desk.publish(FIRST, type="draft", turn_id="t", n=0, text="So far.")
    assert (await tab.next("draft"))["text"] == "So far."
    await site.desk.publish(FIRST, type="draft_end", turn_id="t", reason="takeover")
    assert (await tab.next("draft_end"))["reason"] == "takeover"
    await site.desk.take_over(FIRST, "maya")
    assert await tab.next("status") == {
        "type": "status",
        "mode": "manual",
        "status": "open",
        "owner_name": "Maya",
        "ask": ["email", "sms"],
    }
    await site.desk.publish(FIRST, type="typing", author="csm", author_name="Maya")
    assert (await tab.next("typing"))["author_name"] == "Maya"


async def test_typing_is_told_to_others_not_to_oneself(site: Site) -> None:
    tab = await site.tab()
    await tab.hello()
    await tab.send("hi")
    await tab.say("typing")
    await tab.say("typing")
    await eventually(
        lambda: (
            ("conv:cnv_1", {"type": "typing", "author": "customer"}) in site.desk.fanout.published
        )
    )
    await site.desk.add(FIRST, "answer")
    kinds = [(await tab.next())["type"] for _ in range(3)]
    assert "typing" not in kinds


async def test_feedback_is_kept_for_messages_of_this_conversation(site: Site) -> None:
    tab = await site.tab()
    await tab.hello()
    await tab.say("feedback", message_id="msg_1", value="up")
    assert (await tab.next("error"))["code"] == "bad_input"
    await tab.send("hi")
    answer = await site.desk.add(FIRST, "answer")
    await tab.say("feedback", message_id=answer.id, value="down")
    await tab.say("feedback", message_id="msg_of_another", value="up")
    assert (await tab.next("error"))["code"] == "not_found"
    assert site.desk.feedbacks == [(answer.id, "down")]


# ---------------------------------------------------------------- tabs and people


async def test_two_tabs_stay_in_step_from_the_first_message_on(site: Site) -> None:
    left, right = await site.tab(), await site.tab()
    token = (await left.hello())["visitor"]
    await right.hello(visitor=token)
    await left.send("from the left")
    seen = await right.next("message")
    assert (seen["text"], seen["author"], seen["client_id"]) == ("from the left", "customer", "c1")
    stored = await right.send("from the right", "c2")
    assert stored["conversation_id"] == FIRST
    await site.desk.add(FIRST, "to both")
    assert await left.seqs_until(3) == [1, 2, 3]
    assert await right.seqs_until(3) == [2, 3]


async def test_nobody_resumes_anothers_conversation(site: Site) -> None:
    owner, thief = await site.tab(), await site.tab()
    await owner.hello()
    await owner.send("my secret")
    welcome = await thief.hello(conversation_id=FIRST)
    assert (welcome["conversation_id"], welcome["seq"]) == (None, 0)
    stored = await thief.send("hi")
    assert stored["conversation_id"] != FIRST


def identity(clock: FrozenClock, minutes: float = 5, **claims: object) -> str:
    expires = (clock.now() + timedelta(minutes=minutes)).timestamp()
    payload = {"sub": "ana", "email": "ana@acme.example", "exp": expires} | claims
    return jwt.encode(payload, IDENTITY_SECRET, algorithm="HS256")


async def test_a_signed_identity_proves_itself_with_each_message(
    site: Site, clock: FrozenClock
) -> None:
    tab = await site.tab()
    await tab.hello(identity=identity(clock, name="Ana"))
    await tab.send("hi")
    [inbound] = site.desk.inbound
    assert inbound.assurance is Assurance.PROVEN
    assert inbound.display_name == "Ana"
    assert {(c.kind, c.value) for c in inbound.claims} == {
        ("external", "ana"),
        ("email", "ana@acme.example"),
    }


async def test_the_same_person_resumes_on_another_device(site: Site, clock: FrozenClock) -> None:
    desktop, phone = await site.tab(), await site.tab()
    await desktop.hello(identity=identity(clock))
    await desktop.send("hi")
    assert (await phone.hello(identity=identity(clock)))["conversation_id"] == FIRST
    assert (await phone.next("message"))["text"] == "hi"


async def test_signing_out_leaves_nothing_behind(site: Site, clock: FrozenClock) -> None:
    tab, next_person = await site.tab(), await site.tab()
    token = (await tab.hello(identity=identity(clock)))["visitor"]
    await tab.send("hi")
    welcome = await next_person.hello(visitor=token, conversation_id=FIRST)
    assert welcome["conversation_id"] is None


async def test_an_expired_identity_reconnects_but_does_not_open(
    site: Site, clock: FrozenClock
) -> None:
    tab, again, stranger = await site.tab(), await site.tab(), await site.tab()
    proof = identity(clock)
    token = (await tab.hello(identity=proof))["visitor"]
    await tab.send("hi")
    clock.advance(timedelta(hours=1))
    assert (await again.hello(identity=proof, visitor=token))["conversation_id"] == FIRST
    assert (await stranger.hello(identity=proof))["code"] == "unauthenticated"
    assert await stranger.close_code() == 4401


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("hello", "origin", "code"),
    [
        ({"key": "no-such-widget"}, "http://localhost", 4401),
        ({"key": None, "visitor": "a.b.c"}, "http://localhost", 4401),
        ({"identity": "a.b.c"}, "http://localhost", 4401),
        ({}, "https://elsewhere.example", 4403),
        ({"seq": "one"}, "http://localhost", 1008),
        ({"type": "send", "client_id": "c1", "text": "hi"}, "http://localhost", 1008),
    ],
)
async def test_who_is_not_let_in_is_told_and_closed(
    site: Site, hello: dict[str, object], origin: str, code: int
) -> None:
    tab = await site.tab(origin)
    await tab.socket.send(json.dumps({"type": "hello", "key": KEY} | hello))
    assert (await tab.next())["type"] == "error"
    assert await tab.close_code() == code


async def test_without_a_secret_no_identity_is_believed(site: Site, clock: FrozenClock) -> None:
    site.desk.identity_secret = None
    tab = await site.tab()
    assert (await tab.hello(identity=identity(clock)))["code"] == "unauthenticated"


async def test_the_tenants_list_decides_where_the_widget_works(site: Site) -> None:
    policy = site.desk.policy_of_all
    site.desk.policy_of_all = replace(policy, widget_origins=("https://*.acme.example",))
    assert (await (await site.tab("https://app.acme.example")).hello())["type"] == "welcome"
    assert (await (await site.tab("http://localhost:3000")).hello())["code"] == "forbidden"


@pytest.mark.parametrize(
    "raw",
    [
        "{",
        "[]",
        "null",
        b"\x00\xff",
        "x" * 70_000,
        "[" * 60_000,
        '{"type": "selfdestruct"}',
        '{"type": "hello", "key": "demo-widget"}',
        '{"type": "send", "client_id": "c9", "text": "\\u0000"}',
        '{"type": "send", "client_id": "c9", "text": "\\ud800"}',
        '{"type": "ack", "seq": 99999999999999999999}',
    ],
)
async def test_a_bad_frame_is_answered_and_the_socket_lives(site: Site, raw: str | bytes) -> None:
    tab = await site.tab()
    await tab.hello()
    await tab.socket.send(raw)
    assert (await tab.next("error"))["code"] in ("bad_input", "too_large")
    assert (await tab.send("still here"))["type"] == "stored"
    assert [inbound.text for inbound in site.desk.inbound] == ["still here"]


async def test_a_stream_of_bad_frames_ends_the_socket(site: Site) -> None:
    tab = await site.tab()
    await tab.hello()
    for _ in range(MAX_REFUSED + 1):
        await tab.say("nonsense")
    assert await tab.close_code() == 1008


async def test_a_flood_is_refused_message_by_message(site: Site) -> None:
    tab = await site.tab()
    await tab.hello()
    for number in range(SENDS_PER_MINUTE):
        await tab.send("hi", f"c{number}")
    refused = await tab.send("one too many", "last")
    assert (refused["code"], refused["client_id"]) == ("rate_limited", "last")


async def test_what_cannot_be_kept_is_not_accepted(site: Site) -> None:
    tab = await site.tab()
    await tab.hello()
    site.desk.refuse.append(UnavailableError("database down"))
    refused = await tab.send("hi")
    assert (refused["code"], refused["client_id"]) == ("unavailable", "c1")
    assert (await tab.send("hi"))["type"] == "stored"


async def test_a_fault_of_ours_closes_with_try_again_later(site: Site) -> None:
    tab = await site.tab()
    await tab.hello()
    site.desk.refuse.append(RuntimeError("a bug"))
    await tab.say("send", client_id="c1", text="hi")
    assert await tab.close_code() == 1013


class StuckWire:
    """A client that takes nothing."""

    async def receive(self) -> str:
        raise AssertionError("nobody listens")

    async def send(self, frame: Mapping[str, object]) -> None:
        await asyncio.Event().wait()


async def test_a_client_too_slow_is_asked_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_wire, "PATIENCE", 0.01)
    outlet = web_wire.Outlet(StuckWire(), heartbeat=60)
    for _ in range(web_wire.QUEUE):
        await outlet.put({"type": "message"})
    outlet.offer({"type": "draft"})  # may be lost, never waits
    with pytest.raises(web_wire.HangUpError) as full:
        await outlet.put({"type": "message"})
    with pytest.raises(web_wire.HangUpError) as stalled:
        await outlet.run()
    assert full.value.code == stalled.value.code == web_wire.TRY_AGAIN_LATER


# ---------------------------------------------------------------- when hints are lost


async def test_lost_hints_cost_time_not_messages(desk: Desk) -> None:
    async with serving(desk.chat(poll=0.05)) as host:
        site = Site(desk, host)
        tab = await site.tab()
        await tab.hello()
        await tab.send("hi")
        desk.fanout.deaf = True
        await desk.add(FIRST, "nobody hinted at this")
        assert await tab.seqs_until(2) == [1, 2]
        await site.close()


async def test_silence_is_broken_by_a_ping(desk: Desk) -> None:
    async with serving(desk.chat(heartbeat=0.05)) as host:
        site = Site(desk, host)
        tab = await site.tab()
        await tab.hello()
        assert await tab.next("ping") == {"type": "ping"}
        await site.close()
