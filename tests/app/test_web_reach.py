"""Web chat customers who have gone: a person's answer goes where they asked for it, and leads back."""

import asyncio
import re
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest

from app import unread
from app.doors import reply, take_over
from app.store import models
from channels._shared.web_links import read_resume
from core.conversations import Csm
from core.ids import ConversationId
from tests.app.app_server import DEMO, VISITOR_SECRET, Server, Tab, running_app

MAIL, NUMBER = "kim@acme.example", "+34910550199"
ANSWER = "Your export is ready; the code is 4711."
LINK = re.compile(r"/r/([\w.-]+)")


class Gone:
    """A customer who asked for a person and left, and the person who answers."""

    def __init__(self, server: Server, talk: ConversationId, maya: Csm, token: str) -> None:
        self.server, self.talk, self.maya, self.token = server, talk, maya, token

    async def answer(self, text: str = ANSWER) -> None:
        await reply(self.server.services, DEMO, self.talk, self.maya, text)
        await self.server.settled()

    async def wait(self, minutes: float) -> None:
        """Let time pass and the round of unread answers run (the worker runs it every 15 s)."""
        self.server.clock.advance(timedelta(minutes=minutes))
        services = self.server.services
        jobs = {name: job for name, _, job in services.worker._periodic}
        await asyncio.gather(jobs["unread"](), jobs["unread"]())  # two workers at once
        await self.server.settled()

    async def mails(self) -> list[str]:
        rows = await self.server.rows(models.outbox, channel="email", address=MAIL)
        return [row.payload["text"] for row in rows]

    async def told(self) -> list[Any]:
        return [
            row
            for row in await self.server.rows(models.messages, conversation_id=self.talk)
            if row.metadata.get("beside") == "unread"
        ]


async def asked_for_a_person(
    server: Server, tab: Tab, reach: dict[str, object] | None, identity: str | None = None
) -> Gone:
    """Ask for a person, say where to be reached when asked, and see the person come."""
    welcome = await tab.hello(server.simulator.widget_key, identity)
    stored = await tab.send("human")
    talk = ConversationId(stored["conversation_id"])
    if reach is not None:
        asked = await tab.next("status")
        while not asked.get("ask"):
            asked = await tab.next("status")
        assert asked["ask"] == ["email", "sms"]
        await tab.say("reach", **reach)
        await server.until(lambda: server.rows(models.reaches, conversation_id=talk))
    await server.until(lambda: server.rows(models.handoffs, conversation_id=talk))
    maya = next(c for c in await server.services.access.csms(DEMO) if c.name.startswith("Maya"))
    await take_over(server.services, DEMO, talk, maya)
    await server.settled()
    return Gone(server, talk, maya, str(welcome["visitor"]))


async def test_an_unread_answer_is_announced_where_they_said_and_its_words_stay_here(
    database_url: str,
) -> None:
    async with running_app(database_url) as server:
        async with server.tab() as tab:
            gone = await asked_for_a_person(server, tab, {"channel": "email", "address": MAIL})
        await gone.answer()
        await gone.wait(4.5)
        assert await gone.mails() == []
        await gone.wait(1)
        (text,) = await gone.mails()
        assert "Maya" in text
        assert ANSWER not in text
        (known,) = await server.rows(models.identities, kind="email", value=MAIL)
        assert (known.assurance, known.routes) == ("claimed", False)
        await gone.wait(60)
        assert len(await gone.mails()) == 1
        await gone.answer("And one more thing.")
        await gone.wait(6)
        assert len(await gone.mails()) == 2


async def test_the_way_back_shows_what_was_unread_and_nothing_before(database_url: str) -> None:
    async with running_app(database_url) as server:
        async with server.tab() as tab:
            gone = await asked_for_a_person(server, tab, {"channel": "email", "address": MAIL})
        await gone.answer()
        await gone.wait(6)
        token = str(LINK.findall((await gone.mails())[0])[0])
        async with server.tab() as stranger:
            key = server.simulator.widget_key
            welcome = await stranger.hello(key, resume=token)
            assert welcome["conversation_id"] == gone.talk
            first = await stranger.next("message")
            assert first["text"] == ANSWER
            await stranger.say("send", client_id="back", text="Thanks, it works")
            own = await stranger.next("message")
            while own["author"] != "customer":
                own = await stranger.next("message")
            assert own["text"] == "Thanks, it works"
            kept = welcome["visitor"]
        # neither the token it was given nor asking by id opens more
        attempts: list[dict[str, Any]] = [{}, {"conversation_id": gone.talk, "seq": 0}]
        for asked in attempts:
            async with server.tab() as again:
                await again.hello(key, visitor=kept, **asked)
                assert (await again.next("message"))["text"] == ANSWER
        # the customer's own browser shows all, and not the notice
        async with server.tab() as home:
            await home.hello(key, visitor=gone.token)
            texts = [await home.next("message")]
            while texts[-1]["text"] != "Thanks, it works":
                texts.append(await home.next("message"))
        assert texts[0]["text"] == "human"
        assert not [t for t in texts if "/r/" in t["text"]]


async def test_who_signs_in_over_somebodys_link_takes_nothing_along(database_url: str) -> None:
    async with running_app(database_url) as server:
        async with server.tab() as tab:
            gone = await asked_for_a_person(server, tab, {"channel": "email", "address": MAIL})
        await gone.answer()
        await gone.wait(6)
        token = str(LINK.findall((await gone.mails())[0])[0])
        key, other = server.simulator.widget_key, server.identity("mallory")
        async with server.tab() as stranger:
            welcome = await stranger.hello(key, other, resume=token)
            assert welcome["conversation_id"] is None
            await stranger.send("What was said before?")
        owners = {c.contact_id for c in await server.rows(models.conversations)}
        assert len(owners) == 2


@pytest.mark.parametrize("minutes", [60 * 24 * 8], ids=["eight days"])
async def test_the_way_back_ends(sqlite_url: str, minutes: float) -> None:
    async with running_app(sqlite_url) as server:
        async with server.tab() as tab:
            gone = await asked_for_a_person(server, tab, {"channel": "email", "address": MAIL})
        await gone.answer()
        await gone.wait(6)
        token = str(LINK.findall((await gone.mails())[0])[0])
        async with server.api() as client:
            assert (await client.get(f"/r/{token}")).status_code == 200
            server.clock.advance(timedelta(minutes=minutes))
            over = await client.get(f"/r/{token}", headers={"accept-language": "es-ES"})
        assert over.status_code == 404
        assert "Este enlace ha caducado" in over.text
        async with server.tab() as late:
            assert (await late.hello(server.simulator.widget_key, resume=token))["type"] == "error"


async def test_to_a_proven_address_the_words_themselves_go(database_url: str) -> None:
    async with running_app(database_url) as server:
        who = server.identity("kim", email=MAIL)
        async with server.tab() as tab:
            gone = await asked_for_a_person(server, tab, None, who)
            await server.until(lambda: server.rows(models.reaches, conversation_id=gone.talk))
        await gone.answer()
        await gone.wait(6)
        (text,) = await gone.mails()
        assert ANSWER in text
        resume = read_resume(
            str(LINK.findall(text)[0]), VISITOR_SECRET, server.services.clock.now()
        )
        assert resume is not None
        assert resume.proven


async def test_what_was_read_in_time_is_not_sent(database_url: str) -> None:
    async with running_app(database_url) as server, AsyncExitStack() as stack:
        tab = await stack.enter_async_context(server.tab())
        gone = await asked_for_a_person(server, tab, {"channel": "email", "address": MAIL})
        await reply(server.services, DEMO, gone.talk, gone.maya, ANSWER)
        frame = await tab.answer()
        while frame["text"] != ANSWER:
            frame = await tab.answer()
        await server.until(lambda: server.rows(models.messages, text=ANSWER, status="delivered"))
        await gone.wait(30)
        assert await gone.told() == []


async def test_nothing_goes_to_who_declined_or_opted_out(database_url: str) -> None:
    async with running_app(database_url) as server:
        async with server.tab() as tab:
            declined = await asked_for_a_person(server, tab, {"channel": "email"})
        async with server.tab() as tab:
            stopped = await asked_for_a_person(
                server, tab, {"channel": "sms", "address": "+34 910 55 01 99"}
            )
        await server.simulator.text(NUMBER, "STOP")
        await server.until(lambda: server.rows(models.consents, address=NUMBER, granted=False))
        for gone in (declined, stopped):
            await gone.answer()
            await gone.wait(6)
            assert await gone.told() == []


async def test_by_text_message(database_url: str) -> None:
    async with running_app(database_url) as server:
        async with server.tab() as tab:
            gone = await asked_for_a_person(server, tab, {"channel": "sms", "address": NUMBER})
        await gone.answer()
        await gone.wait(6)
        await server.until(lambda: [m for m in server.simulator.phone(NUMBER) if m.to == NUMBER])
        (sent,) = [m for m in server.simulator.phone(NUMBER) if m.to == NUMBER]
        assert "/r/" in sent.body
        assert ANSWER not in sent.body


def test_five_minutes() -> None:
    assert timedelta(minutes=5) == unread.UNREAD_AFTER


# ---------------------------------------------------------------- transcripts


async def test_the_conversation_goes_by_mail_without_what_could_be_misused(
    database_url: str,
) -> None:
    async with running_app(database_url) as server, AsyncExitStack() as stack:
        tab = await stack.enter_async_context(server.tab())
        await tab.hello(server.simulator.widget_key)
        await tab.ask("How do I export? See http://evil.example/win and www.evil.example")
        await tab.say("transcript", email=MAIL, client_id="transcript")
        mails = await server.simulator.mails.wait(MAIL)
        text = str(mails[0].message.get_body(("plain",)))
        assert "Open the board and select Export" in text
        assert "evil.example" not in text
        shown = await tab.next("message")
        while "on its way" not in shown["text"]:
            shown = await tab.next("message")
        assert MAIL not in shown["text"]
        for _ in range(3):
            await tab.say("transcript", email=MAIL, client_id="transcript")
        refused = await tab.next("error")
        assert (refused["code"], refused["client_id"]) == ("rate_limited", "transcript")


async def test_without_an_answer_there_is_no_transcript(sqlite_url: str) -> None:
    async with running_app(sqlite_url, worker=False) as server, AsyncExitStack() as stack:
        tab = await stack.enter_async_context(server.tab())
        await tab.hello(server.simulator.widget_key)
        await tab.send("Buy cheap watches")
        await tab.say("transcript", email=MAIL)
        assert (await tab.next("error"))["code"] == "bad_input"
        assert await server.rows(models.outbox, address=MAIL) == []
