"""An angry customer by text, handed to a person in Slack who answers back, on both databases."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.simulator import people
from app.simulator.switches import SignedRequest
from app.store import models
from tests.app.app_server import Server, running_app

PHONE = people.JORDAN_PHONE
ALERTS = people.ALERT_CHANNEL
ANGRY = "This is unacceptable, my boards are gone!"


class Desk:
    """The running app seen from Jordan's phone and from the team's alert channel."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.world = server.simulator

    # ---- the customer

    def texts(self) -> list[str]:
        """Return what the phone got, oldest first."""
        return [m.body for m in self.world.phone(PHONE) if m.to == PHONE]

    async def text(self, said: str) -> str:
        """Send a text and return what comes back."""
        before = len(self.texts())
        await self.world.text(PHONE, said)
        await self.server.until(lambda: len(self.texts()) > before)
        return self.texts()[-1]

    async def gets(self, part: str) -> None:
        """Wait for a text with these words."""
        await self.server.until(lambda: any(part in text for text in self.texts()))

    # ---- the team

    def said(self, under: str | None = None) -> list[dict[str, Any]]:
        """Return the alerts, or what stands under one."""
        return [m for m in self.world.channel(ALERTS) if m.get("thread_ts") == under]

    async def alert(self, number: int = 1) -> str:
        """Wait for the nth alert and return its ts."""
        alerts = await self.server.until(lambda: (self.said() + [None] * number)[number - 1])
        return str(alerts["ts"])

    def card(self, ts: str) -> str:
        """Return all that a card shows."""
        return json.dumps((self.world.slack.find(ALERTS, ts) or {})["blocks"], ensure_ascii=False)

    async def shows(self, ts: str, part: str) -> None:
        """Wait until a card shows this."""
        await self.server.until(lambda: part in self.card(ts))

    async def hears(self, ts: str, part: str) -> None:
        """Wait until this stands under the alert."""
        await self.server.until(
            lambda: any(part in json.dumps(m, ensure_ascii=False) for m in self.said(ts))
        )

    def press(self, who: str, ts: str, action: str) -> SignedRequest:
        """Return the press of a button as Slack brings it."""
        return self.world.slack.press(who, ALERTS, ts, action)

    async def pressed(self, who: str, ts: str, action: str) -> SignedRequest:
        """Press a button; returns the request, to bring it again."""
        request = self.press(who, ts, action)
        assert (await self.server.post(request)).status_code == 200
        return request

    async def claimed(self) -> str:
        """Let Jordan get angry and Maya claim; returns the alert's ts."""
        await self.text(ANGRY)
        ts = await self.alert()
        await self.pressed("U0MAYA", ts, "usher_claim")
        await self.shows(ts, "Claimed by")
        await self.gets("Maya from")
        return ts

    async def conversation(self) -> Any:
        (row,) = await self.server.rows(models.conversations)
        return row

    async def notes(self) -> list[tuple[str, str]]:
        rows = await self.server.rows(models.messages, kind="note")
        return [(row.author_name, row.text) for row in rows]


@asynccontextmanager
async def desk_of(database_url: str) -> AsyncIterator[Desk]:
    async with running_app(database_url) as server:
        yield Desk(server)


async def test_anger_alerts_the_team_with_all_they_need(database_url: str) -> None:
    async with desk_of(database_url) as desk:
        assert "Open the board" in await desk.text("How do I export?")
        told = await desk.text(ANGRY)
        assert "I've asked a person on our team" in told
        ts = await desk.alert()
        card = desk.card(ts)
        conversation = await desk.conversation()
        wanted = [
            "Jordan Lee needs a person",
            "The customer is angry",  # reason and summary
            f"Last: “{ANGRY}”",
            "*Sentiment*\\n-0.90",
            "Acme Robotics · pro · gold",
            "How do I export?",  # the last messages
            "Open the board and select Export",
            f"{desk.server.url}/console/c/{conversation.id}",
            "usher_claim",
        ]
        assert [part for part in wanted if part not in card] == []
        assert "usher_hand_back" not in card
        (handoff,) = await desk.server.rows(models.handoffs)
        assert (handoff.state, handoff.reason) == ("requested", "anger")
        assert conversation.status == "waiting_us"


async def test_a_claim_a_reply_notes_and_hand_back(database_url: str) -> None:
    async with desk_of(database_url) as desk:
        ts = await desk.claimed()
        (handoff,) = await desk.server.rows(models.handoffs)
        maya = await person(desk, "Maya Okafor")
        assert (handoff.state, handoff.claimed_by) == ("claimed", maya)
        await desk.server.until(lambda: "usher_claim" not in desk.card(ts))
        assert "usher_hand_back" in desk.card(ts)
        assert len(desk.said()) == 1, "the card is edited, not posted again"

        # the owner's words reach the customer; nobody else's do, and no note does
        await desk.world.slack_say(
            ALERTS, "U0MAYA", "Hi Jordan, I'm looking at it & <soon> back", ts
        )
        await desk.gets("Hi Jordan, I'm looking at it & <soon> back")
        await desk.world.slack_say(ALERTS, "U0NOAH", "it is the billing bug", ts)
        await desk.world.slack_say(ALERTS, "U0MAYA", "// he pays 48k, be kind", ts)
        await desk.server.until(lambda: noted(desk, 2))
        assert await desk.notes() == [
            ("Noah Lindqvist", "it is the billing bug"),
            ("Maya Okafor", "he pays 48k, be kind"),
        ]

        # the customer's answer is told to the team and the bot is silent
        before = len(desk.texts())
        await desk.world.text(PHONE, "How do I export?")
        await desk.hears(ts, "How do I export?")
        await desk.server.settled()
        assert len(desk.texts()) == before

        await desk.pressed("U0MAYA", ts, "usher_hand_back")
        await desk.gets("has left the conversation")
        await desk.shows(ts, "handed back")
        assert "usher_" not in desk.card(ts).replace("usher_open", "")
        assert "Open the board" in await desk.text("How do I export?")
        assert not any("billing" in text or "48k" in text for text in desk.texts())
        # the same anger is no new reason
        assert (await desk.conversation()).owner is None


async def noted(desk: Desk, count: int) -> bool:
    return len(await desk.notes()) == count


async def person(desk: Desk, name: str) -> str:
    (row,) = await desk.server.rows(models.csms, name=name)
    return str(row.id)


async def test_resolving_closes_and_a_later_question_reopens(database_url: str) -> None:
    async with desk_of(database_url) as desk:
        ts = await desk.claimed()
        await desk.pressed("U0MAYA", ts, "usher_resolve")
        await desk.shows(ts, "resolved")
        assert (await desk.conversation()).status == "resolved"
        (handoff,) = await desk.server.rows(models.handoffs)
        assert handoff.state == "resolved"
        assert "Open the board" in await desk.text("How do I export?")
        assert (await desk.conversation()).status == "waiting_customer"


async def test_a_press_that_comes_again_does_nothing_twice(database_url: str) -> None:
    async with desk_of(database_url) as desk:
        await desk.text(ANGRY)
        ts = await desk.alert()
        claim = desk.press("U0MAYA", ts, "usher_claim")
        answers = await asyncio.gather(*(desk.server.post(claim) for _ in range(4)))
        assert {answer.status_code for answer in answers} == {200}
        await desk.gets("Maya from")
        await desk.shows(ts, "Claimed by")
        await desk.server.settled()
        assert [t for t in desk.texts() if "Maya from" in t] == desk.texts()[-1:]
        assert desk.said(ts) == []

        back = await desk.pressed("U0MAYA", ts, "usher_hand_back")
        await desk.shows(ts, "handed back")
        again = [await desk.server.post(request) for request in (back, claim, back)]
        assert {answer.status_code for answer in again} == {200}
        await desk.server.settled()
        assert [t for t in desk.texts() if "has left" in t] == desk.texts()[-1:]
        assert (await desk.conversation()).owner is None
        assert desk.said(ts) == []


async def test_a_reply_that_comes_again_is_sent_once(database_url: str) -> None:
    async with desk_of(database_url) as desk:
        ts = await desk.claimed()
        (reply,) = desk.world.slack.say("U0MAYA", ALERTS, "On it.", ts)
        await asyncio.gather(*(desk.server.post(reply) for _ in range(4)))
        await desk.gets("On it.")
        await desk.server.settled()
        assert len([t for t in desk.texts() if "On it." in t]) == 1


async def test_two_who_claim_at_once_are_told_who_has_it(database_url: str) -> None:
    async with desk_of(database_url) as desk:
        await desk.text(ANGRY)
        ts = await desk.alert()
        presses = [desk.press(who, ts, "usher_claim") for who in ("U0MAYA", "U0NOAH")]
        await asyncio.gather(*(desk.server.post(press) for press in presses))
        await desk.shows(ts, "Claimed by")
        await desk.server.until(lambda: desk.said(ts))
        await desk.server.settled()
        (handoff,) = await desk.server.rows(models.handoffs)
        assert (await desk.conversation()).owner == handoff.claimed_by
        assert len([t for t in desk.texts() if "is here now" in t]) == 1
        (word,) = desk.said(ts)
        assert "claimed" in json.dumps(word) or "has" in json.dumps(word)


async def test_an_old_button_is_answered_in_words(database_url: str) -> None:
    async with desk_of(database_url) as desk:
        await desk.text(ANGRY)
        ts = await desk.alert()
        old = desk.press("U0NOAH", ts, "usher_claim")
        await desk.pressed("U0MAYA", ts, "usher_claim")
        await desk.shows(ts, "Claimed by")
        assert (await desk.server.post(old)).status_code == 200
        await desk.hears(ts, "Maya")
        assert (await desk.conversation()).owner == await person(desk, "Maya Okafor")
        assert [t for t in desk.texts() if "Noah" in t] == []


@pytest.mark.parametrize("action", ["usher_hand_back", "usher_resolve"])
async def test_only_the_owner_gives_it_back(database_url: str, action: str) -> None:
    async with desk_of(database_url) as desk:
        ts = await desk.claimed()
        await desk.server.until(lambda: action in desk.card(ts))
        await desk.pressed("U0NOAH", ts, action)
        await desk.hears(ts, "Maya")
        assert (await desk.conversation()).owner == await person(desk, "Maya Okafor")


async def test_who_is_not_of_the_team_cannot_act(database_url: str) -> None:
    async with desk_of(database_url) as desk:
        desk.world.slack.users["U0EVE"] = "Eve"
        await desk.text(ANGRY)
        ts = await desk.alert()
        await desk.pressed("U0EVE", ts, "usher_claim")
        await desk.hears(ts, "not known as a CSM")
        await desk.world.slack_say(ALERTS, "U0EVE", "let me answer this", ts)
        await desk.server.until(lambda: noted(desk, 1))
        await desk.server.settled()
        assert (await desk.conversation()).owner is None
        assert not any("let me answer" in text for text in desk.texts())
        (handoff,) = await desk.server.rows(models.handoffs)
        assert handoff.state == "requested"
