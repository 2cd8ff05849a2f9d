"""Sending unasked over the whole server: words in their language and time, once, and one bad row holds up nobody."""

from datetime import timedelta

from app.store import models
from app.store.wishes import Wish
from core.delivery import Allowed, Purpose
from core.ids import ContactId, TenantId
from tests.app.app_server import Server, running_app

DEMO = TenantId("demo")
MAIL = "lena@globex.example"


async def lena(server: Server) -> ContactId:
    """Return a contact with a verified address, a language and a zone, who has talked to us."""
    async with server.api() as client:
        given = {"email": MAIL, "locale": "es", "time_zone": "Europe/Madrid"}
        await client.put("/contacts/lena", json=given)
        await client.post("/msg", json={"channel": "web", "text": "hola", "customer_id": "lena"})
    (row,) = await server.rows(models.contacts, external_id="lena")
    return ContactId(row.id)


async def test_a_reminder_speaks_their_language_and_time(database_url: str) -> None:
    async with running_app(database_url) as server:
        contact = await lena(server)
        at = server.clock.now().replace(hour=14, minute=0, second=0) + timedelta(days=1)
        slots = {"title": "Onboarding", "host": "Ada", "starts_at": at.isoformat()}
        wished = Wish(Purpose.REMINDER, contact, "r1", "reminder.booking", slots, until=at)
        assert await server.services.unasked.send(DEMO, wished) == Allowed()
        assert await server.services.unasked.send(DEMO, wished) is None
        (letter,) = await server.simulator.mails.wait(MAIL)
        body = letter.message.get_body(("plain",))
        assert body is not None
        text = str(body.get_content())
        assert "Te recordamos: Onboarding con Ada" in " ".join(text.split())
        assert "15:00" in text


async def test_one_bad_row_holds_up_nobody(database_url: str) -> None:
    async with running_app(database_url) as server:
        contact = await lena(server)
        soon = server.clock.now() + timedelta(milliseconds=1)
        for key, line in (("bad", "no.such_line"), ("good", "small_talk.thanks")):
            wished = Wish(Purpose.SURVEY, contact, key, line, {}, due=soon)
            await server.services.not_sent.wish(DEMO, wished)
        await server.until(lambda: server.clock.now() > soon)
        await server.services.unasked.sweep()
        states = {row.key: row.state for row in await server.rows(models.unasked)}
        assert states == {"bad": "waiting", "good": "sent"}
