"""A visitor proves by a code who they are, over the whole server: the bot then shows what only they may see."""

import re

from app.compose import DEMO
from app.store import models
from tests.app.app_server import Server, running_app

MAIL = "lena@globex.example"
WISH = "What do you know about me?"
SIX = re.compile(r"\b\d{6}\b")


async def code_from(server: Server, number: int = 1) -> str:
    """Return the code of the newest mail."""
    letter = (await server.simulator.mails.wait(MAIL, number))[number - 1]
    body = letter.message.get_body(("plain",))
    assert body is not None
    return str(SIX.findall(str(body.get_content()))[0])


async def everything(server: Server) -> str:
    """Return all that the database holds."""
    tables = models.metadata.sorted_tables
    return repr([await server.rows(table) for table in tables])


async def test_a_visitor_proves_and_goes_on(database_url: str) -> None:
    async with running_app(database_url) as server:
        async with server.api() as client:
            await client.put("/contacts/lena", json={"email": MAIL, "name": "Lena Vidal"})
            await client.post("/memory", json={"cust_id": "lena", "key": "tool", "val": "Slack"})
        async with server.tab() as tab:
            await tab.hello(server.simulator.widget_key)
            assert "Which email address" in (await tab.ask(WISH))["text"]
            sent = await tab.ask(f"it's {MAIL}")
            assert "code to l•••@globex.example" in sent["text"]
            (lena,) = await server.rows(models.contacts, external_id="lena")
            _, (match,) = await server.services.directory.ties(DEMO, lena.id)
            assert match["value"] == MAIL  # a hint to the team, no more
            code = await code_from(server)
            wrong = f"{(int(code) + 1) % 10**6:06d}"
            assert "You have 4 more tries" in (await tab.ask(wrong))["text"]
            assert "now I know it's you" in (await tab.ask(f"{code[:3]} {code[3:]}"))["text"]
            assert "Slack" in (await tab.ask("yes"))["text"]
        await server.settled()
        kept = await everything(server)
        assert code not in kept
        assert f"{code[:3]} {code[3:]}" not in kept
        (talk,) = await server.rows(models.conversations)
        assert talk.contact_id == lena.id
        async with server.api() as client:
            (joined,) = (await client.get("/manage/contacts/lena/joins")).json()["joins"]
            apart = await client.post(f"/manage/joins/{joined['id']}/undo")
            assert apart.status_code == 200, apart.text
            assert (await client.post(f"/manage/joins/{joined['id']}/undo")).status_code == 409
            assert (await client.get("/manage/unasked")).json() == {"unasked": []}
        (talk,) = await server.rows(models.conversations)
        assert talk.contact_id != lena.id


async def test_a_stranger_is_told_the_same_and_sees_nothing(database_url: str) -> None:
    async with running_app(database_url) as server, server.tab() as tab:
        await tab.hello(server.simulator.widget_key)
        await tab.ask(WISH)
        sent = await tab.ask(f"it's {MAIL}")
        assert "code to l•••@globex.example" in sent["text"]
        code = await code_from(server)
        assert "now I know it's you" in (await tab.ask(code))["text"]
        assert "remembered nothing" in (await tab.ask("yes"))["text"]


async def test_a_word_of_consent_in_another_language_counts(database_url: str) -> None:
    async with running_app(database_url) as server:
        await server.simulator.text("+34910550188", "Baja")
        await server.settled()
        (row,) = await server.rows(models.consents)
        assert (row.granted, row.keyword, row.channel) == (False, "BAJA", "sms")
