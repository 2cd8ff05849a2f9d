"""Telegram through the whole app: an update comes in, the turn runs, the Bot API is called; on both databases."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from app.simulator.telegram_api import TelegramStandIn
from app.store import models
from tests.app.app_server import PUBLIC, Server, running_app
from tests.channels.serving import payload, serve

TOKEN, SECRET = "7000000001:AAF-abcdefghijklmnopqrstuvwxyz01234", "0123456789abcdef-_"
URL = f"{PUBLIC}/channels/telegram?bot=7000000001"


@asynccontextmanager
async def running(database_url: str) -> AsyncIterator[tuple[Server, TelegramStandIn]]:
    telegram = TelegramStandIn(TOKEN, SECRET, URL)
    async with serve(telegram.app()) as url:
        own = {
            "bot_token": TOKEN,
            "webhook_secret": SECRET,
            "username": telegram.username,
            "public_url": PUBLIC,
            "api_base_url": url,
        }
        async with running_app(database_url, settings={"telegram": own}) as server:
            yield server, telegram


def update(name: str) -> Any:
    return payload("telegram", name)["update"]


async def test_a_question_its_answer_a_thumb_and_a_correction(database_url: str) -> None:
    async with running(database_url) as (server, telegram):
        assert (await server.post(telegram.update(update("question")))).status_code == 200
        await server.until(lambda: telegram.sent)
        await server.settled()
        (sent,) = telegram.sent
        assert (sent["chat_id"], sent["parse_mode"]) == ("5001", "HTML")
        assert "Open the board and select Export" in sent["text"]
        assert "AI assistant" in sent["text"]

        before = await server.counts()
        for _ in range(20):
            await server.post(telegram.update(update("question")))
        await server.settled()
        assert (await server.counts(), len(telegram.sent)) == (before, 1)

        await server.post(telegram.update(update("thumb_down")))
        (gap,) = await server.rows(models.gaps)
        assert gap.question == "How do I export a board?"
        await server.post(telegram.update(update("edited")))
        (asked,) = await server.rows(models.messages, direction="in")
        assert asked.text == "How do I export all boards?"


async def test_a_group_is_answered_when_it_asks_and_a_person_comes_on_a_word(
    sqlite_url: str,
) -> None:
    async with running(sqlite_url) as (server, telegram):
        for name in ("group_talk", "group_mention", "command_for_a_person", "blocked"):
            answers = [await server.post(telegram.update(update(name)))]
            assert [answer.status_code for answer in answers] == [200]
            await server.settled()
        groups = [sent for sent in telegram.sent if sent["chat_id"] == "-1001234"]
        assert [sent["reply_parameters"]["message_id"] for sent in groups] == [24]
        assert len(await server.rows(models.handoffs)) == 1
        assert len(await server.rows(models.conversations)) == 2
        (consent,) = await server.rows(models.consents, channel="telegram")
        assert (consent.address, consent.granted) == ("5001", False)


async def test_many_wrong_secrets_leave_nothing(sqlite_url: str) -> None:
    async with running(sqlite_url) as (server, telegram):
        before = await server.counts()
        telegram.secret = "0123456789abcdef-X"
        posts = [server.post(telegram.update(update("question"))) for _ in range(50)]
        assert {answer.status_code for answer in await asyncio.gather(*posts)} == {403}
        assert await server.counts() == before
