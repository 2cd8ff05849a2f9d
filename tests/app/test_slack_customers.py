"""Customers in Slack over the whole app, on both databases: people first, private answers, changes, installs."""

import asyncio
import dataclasses
import json
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from app.inviting import install_link
from app.simulator import people
from app.simulator.switches import SignedRequest
from app.store import models
from core.errors import BadInputError, NotFoundError
from core.ids import TenantId
from tests.app.app_server import Server, running_app
from tests.guards import NO_CERTIFICATES

HELP, ANA, MAYA = people.HELP_CHANNEL, "U0ANA", "U0MAYA"
DIRECT = "D0ANA"
AUTO = {"slack": {"auto_channels": HELP, "auto_wait": 0.4}}
PATIENT = {"slack": {"auto_channels": HELP, "auto_wait": 120}}


class Room:
    """The running app seen from the help channel and Ana's direct messages."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.world = server.simulator
        self.slack = server.simulator.slack

    async def says(self, text: str, thread: str | None = None, user: str = ANA) -> str:
        return await self.world.slack_say(HELP, user, text, thread)

    async def tells(self, text: str) -> str:
        """Let Ana write a direct message."""
        return await self.world.slack_say(ANA, ANA, text)

    def ours(self, channel: str = HELP) -> list[dict[str, Any]]:
        return [m for m in self.world.channel(channel) if m.get("bot_id")]

    async def answers(self, count: int, channel: str = HELP) -> list[dict[str, Any]]:
        await self.server.until(lambda: len(self.ours(channel)) >= count)
        await self.server.settled()
        found = self.ours(channel)
        assert len(found) == count
        return found

    async def messages(self, direction: str = "in") -> list[Any]:
        return await self.server.rows(models.messages, direction=direction, channel="slack")


@asynccontextmanager
async def room_of(
    database_url: str, settings: Mapping[str, Mapping[str, Any]] | None = None
) -> AsyncIterator[Room]:
    async with running_app(database_url, settings=settings) as server:
        yield Room(server)


# ---------------------------------------------------------------- people first


async def test_nobody_answers_so_we_do(database_url: str) -> None:
    async with room_of(database_url, AUTO) as room:
        ts = await room.says("How do I export?")
        (message,) = await room.messages()
        (conversation,) = await room.server.rows(models.conversations)
        assert message.status == "received"
        assert conversation.work_at is not None
        (answer,) = await room.answers(1)
        assert answer["thread_ts"] == ts
        assert "select Export" in answer["text"]


async def test_a_colleague_answers_first_so_we_do_not(database_url: str) -> None:
    async with room_of(database_url, AUTO) as room:
        ts = await room.says("How do I export?")
        await room.says("Top right, then Export.", ts, MAYA)
        (message,) = await room.messages()
        assert message.status == "recorded"
        # whoever is asked for by name answers: by then the wait of the first is long over
        await room.says("@usher how do I invite?", ts)
        (answer,) = await room.answers(1)
        assert "select Invite" in answer["text"]
        assert [t.handler for t in await room.server.rows(models.turns)] == ["answer"]
        (heard,) = [m for m in await room.messages("out") if m.author == "csm"]
        assert (heard.text, heard.author_name) == ("Top right, then Export.", None)
        assert len(await room.server.rows(models.conversations)) == 1


async def test_after_the_colleague_the_talk_is_kept_and_not_answered(database_url: str) -> None:
    async with room_of(database_url, AUTO) as room:
        ts = await room.says("How do I export?")
        await room.says("Top right.", ts, MAYA)
        await room.says("How do I invite?", ts)
        assert [m.status for m in await room.messages()] == ["recorded", "recorded"]
        await room.server.settled()
        assert room.ours() == []


async def test_a_colleague_who_comes_during_the_turn_makes_it_drop(database_url: str) -> None:
    settings = {"slack": {"auto_channels": HELP, "auto_wait": 0}}
    async with running_app(database_url, settings=settings, worker=False) as server:
        room, turns = Room(server), server.services.turns
        ts = await room.says("How do I export?")
        (conversation,) = await server.rows(models.conversations)
        claim = await turns.claim(conversation.id)
        assert claim is not None
        assert await turns.current(claim)
        await room.says("Top right.", ts, MAYA)
        assert not await turns.current(claim)
        (message,) = await room.messages()
        assert message.status == "recorded"


async def test_one_who_waits_does_not_hold_up_another_who_asks_by_name(database_url: str) -> None:
    async with room_of(database_url, PATIENT) as room:
        await room.says("How do I export?")
        asked = await room.says("@usher how do I invite?")
        await room.server.until(room.ours)
        (answer,) = room.ours()
        assert answer["thread_ts"] == asked
        waiting, answered = await room.messages()
        assert (waiting.status, answered.status) == ("received", "handled")


async def test_the_same_word_of_a_colleague_twice_is_one_row(database_url: str) -> None:
    async with room_of(database_url, PATIENT) as room:
        ts = await room.says("How do I export?")
        (signed,) = room.slack.say(MAYA, HELP, "Top right.", ts)
        await asyncio.gather(*(room.server.post(signed) for _ in range(5)))
        assert len(await room.messages("out")) == 1


# ---------------------------------------------------------------- for one pair of eyes


async def test_a_booking_asked_for_in_the_channel_is_made_in_private(database_url: str) -> None:
    async with room_of(database_url) as room:
        ts = await room.says("@usher I want to set up a call with your team")
        (told,) = await room.answers(1)
        assert told["thread_ts"] == ts
        assert "direct message" in told["text"]
        (asked,) = await room.answers(1, DIRECT)
        assert "session" in asked["text"]

        titles = asked["blocks"][-1]["elements"]
        press = room.slack.press(ANA, DIRECT, asked["ts"], titles[0]["action_id"])
        await room.server.post(press)
        await room.answers(2, DIRECT)
        await room.tells("tomorrow morning")
        await room.answers(3, DIRECT)
        assert len(room.ours()) == 1, "nothing more in the channel"
        assert len(await room.server.rows(models.conversations)) == 1
        (conversation,) = await room.server.rows(models.conversations)
        assert conversation.form is not None
        assert conversation.form["name"] == "book"
        public = json.dumps(list(room.world.channel(HELP)))
        assert [t["value"] for t in titles if t["value"] in public] == []
        handlers = [t.handler for t in await room.server.rows(models.turns)]
        assert handlers == ["book", "book", "book"]


async def test_one_persons_affairs_are_not_told_to_another_in_the_thread(database_url: str) -> None:
    async with room_of(database_url) as room:
        room.slack.users["U0KIM"] = "Kim"
        ts = await room.says("@usher I want to set up a call with your team")
        await room.answers(1)
        (before,) = await room.server.rows(models.conversations)
        await room.says("I want to set up a call with your team", ts, "U0KIM")
        *_, told = await room.answers(2)
        assert "Write me a direct message" in told["text"]
        (after,) = await room.server.rows(models.conversations)
        assert after.form == before.form
        assert len(room.ours(DIRECT)) == 1
        assert room.ours("D0KIM") == []


async def test_where_no_direct_message_may_go_only_they_see_it(database_url: str) -> None:
    async with room_of(database_url) as room:
        room.slack.no_direct.add(ANA)
        ts = await room.says("@usher I want to set up a call with your team")
        await room.server.until(lambda: room.slack.ephemeral)
        (shown,) = room.slack.ephemeral
        assert (shown["user"], shown["thread_ts"]) == (ANA, ts)
        await room.answers(1)


async def test_an_answer_from_the_docs_stays_in_the_thread(database_url: str) -> None:
    async with room_of(database_url) as room:
        await room.says("@usher how do I export?")
        (answer,) = await room.answers(1)
        assert "select Export" in answer["text"]
        assert room.ours(DIRECT) == []


# ---------------------------------------------------------------- afterwards


async def test_edits_deletions_and_thumbs_are_kept(database_url: str) -> None:
    async with room_of(database_url) as room:
        ts = await room.says("@usher how do I export?")
        (answer,) = await room.answers(1)
        await room.server.post(room.slack.react(ANA, HELP, answer["ts"], "+1::skin-tone-3"))
        await room.server.post(room.slack.edit(HELP, ts, "<@U0USHER> how do I export all?"))
        (message,) = await room.messages()
        assert message.text == "how do I export all?"
        assert message.metadata["before"] == "how do I export?"
        (reply,) = await room.messages("out")
        assert reply.metadata["feedback"] == "up"
        await room.server.post(room.slack.delete(HELP, ts))
        (message,) = await room.messages()
        assert "deleted_at" in message.metadata


async def test_what_is_taken_back_before_it_is_read_is_not_answered(database_url: str) -> None:
    async with room_of(database_url, PATIENT) as room:
        ts = await room.says("How do I export?")
        await room.server.post(room.slack.delete(HELP, ts))
        (message,) = await room.messages()
        assert (message.status, message.text) == ("recorded", "")


# ---------------------------------------------------------------- installs


@asynccontextmanager
async def browser_of(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=server.url, trust_env=False, verify=NO_CERTIFICATES, follow_redirects=True
    ) as browser:
        yield browser


@asynccontextmanager
async def apps_of(database_url: str) -> AsyncIterator[Room]:
    """The app with client credentials; its own address is only known once it runs."""
    async with running_app(
        database_url,
        settings={"slack": {"client_id": "1.2", "client_secret": "stand-in-client-secret"}},
    ) as server:
        own = server.services.inboxes.settings("slack")
        object.__setattr__(own, "public_url", server.url)
        for tenant in ("acme", "globex"):
            await server.services.directory.ensure_tenant(TenantId(tenant), tenant)
        yield Room(server)


async def test_a_workspace_installs_and_its_people_are_answered(database_url: str) -> None:
    async with apps_of(database_url) as room:
        link, _ = await install_link(room.server.services, "slack", TenantId("acme"))
        room.slack.team_id = "T0ACME"  # from now on the stand-in is Acme's workspace
        async with browser_of(room.server) as browser:
            page = await browser.get(link)
        assert page.status_code == 200
        assert "usher is installed in Stand-in" in page.text
        inbox = await room.server.services.directory.inbox("slack", "T0ACME")
        assert inbox is not None
        assert inbox.tenant == "acme"
        (kept,) = [
            row
            for row in await room.server.rows(models.plugin_state, plugin="slack", tenant="acme")
            if row.key == "team:T0ACME"
        ]
        assert room.slack.bot_token not in json.dumps(kept.value)

        await room.says("@usher hello there")
        (answer,) = await room.answers(1)
        assert answer["team"] == "T0ACME"
        assert {m.tenant for m in await room.messages()} == {"acme"}

        # another tenant cannot take the workspace over
        again, _ = await install_link(room.server.services, "slack", TenantId("globex"))
        async with browser_of(room.server) as browser:
            assert (await browser.get(again)).status_code == 409
        inbox = await room.server.services.directory.inbox("slack", "T0ACME")
        assert inbox is not None
        assert inbox.tenant == "acme"


async def test_a_made_up_link_is_refused(database_url: str) -> None:
    async with apps_of(database_url) as room, browser_of(room.server) as browser:
        before = await room.server.counts()
        for query in ("install=v1.x", "code=1&state=v1.x", "code=1", "install="):
            assert (await browser.get(f"/channels/slack?{query}")).status_code == 403
        assert await room.server.counts() == before


async def test_links_are_made_for_tenants_and_channels_there_are(database_url: str) -> None:
    async with apps_of(database_url) as room:
        with pytest.raises(NotFoundError):
            await install_link(room.server.services, "slack", TenantId("nobody"))
        with pytest.raises(BadInputError):
            await install_link(room.server.services, "web", TenantId("acme"))


# ---------------------------------------------------------------- fault tables


def mutated(signed: SignedRequest, dice: random.Random) -> SignedRequest:
    """Return the request with a byte of body, signature or timestamp changed, or a header gone."""
    headers, body = dict(signed.headers), bytearray(signed.body)
    where = dice.choice(("body", "x-slack-signature", "x-slack-request-timestamp", "gone"))
    if where == "gone":
        headers.pop(dice.choice(("x-slack-signature", "x-slack-request-timestamp")))
        return dataclasses.replace(signed, headers=headers)
    if where == "body":
        body[dice.randrange(len(body))] ^= 1 << dice.randrange(7)
        return dataclasses.replace(signed, body=bytes(body))
    value = headers[where]
    at = dice.randrange(len(value))
    other = dice.choice([c for c in "0123456789abcdef" if c != value[at]])
    headers[where] = value[:at] + other + value[at + 1 :]
    return dataclasses.replace(signed, headers=headers)


async def test_a_thousand_mutated_signatures_store_nothing(database_url: str) -> None:
    async with room_of(database_url) as room:
        dice = random.Random(4)
        said = room.slack.say(ANA, HELP, "<@U0USHER> how do I export?")
        kinds = (*said, room.slack.command(ANA, HELP, "export?"), room.slack.verification("x"))
        before = await room.server.counts()
        codes: dict[int, int] = {}
        async with httpx.AsyncClient(
            base_url=room.server.url, trust_env=False, verify=NO_CERTIFICATES
        ) as knocking:
            for _ in range(1000):
                sent = mutated(dice.choice(kinds), dice)
                answer = await knocking.post(
                    "/channels/slack", content=sent.body, headers=dict(sent.headers)
                )
                codes[answer.status_code] = codes.get(answer.status_code, 0) + 1
        assert codes == {403: 1000}
        assert await room.server.counts() == before


async def test_five_hundred_replays_change_nothing(database_url: str) -> None:
    async with room_of(database_url) as room:
        said = room.slack.say(ANA, HELP, "<@U0USHER> how do I export?")
        await room.server.post(said[0])
        (answer,) = await room.answers(1)
        thumb = room.slack.react(ANA, HELP, answer["ts"], "+1")
        edit = room.slack.edit(HELP, said_ts(room), "<@U0USHER> how do I export all?")
        for signed in (thumb, edit):
            await room.server.post(signed)
        before = await room.server.counts()
        dice = random.Random(5)
        async with httpx.AsyncClient(
            base_url=room.server.url, trust_env=False, verify=NO_CERTIFICATES
        ) as knocking:
            for _ in range(500):
                sent = dice.choice((*said, thumb, edit))
                reply = await knocking.post(
                    "/channels/slack", content=sent.body, headers=dict(sent.headers)
                )
                assert reply.status_code == 200
        await room.server.settled()
        assert await room.server.counts() == before
        assert len(room.ours()) == 1


def said_ts(room: Room) -> str:
    return str(next(m["ts"] for m in room.world.channel(HELP) if not m.get("bot_id")))
