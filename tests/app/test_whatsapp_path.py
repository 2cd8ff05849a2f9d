"""A talk that goes from text message to WhatsApp through the whole app, and what ends with a person."""

from datetime import timedelta
from typing import Any

import pytest

from app.doors import changed
from app.simulator.switches import Failure
from app.store import models
from app.store.wishes import Wish
from core.conversations import Csm
from core.delivery import Allowed, Purpose
from core.ids import ConversationId, CsmId
from tests.app.app_server import DEMO, Server, running_app

PHONE = "+34910550177"


def received(server: Server) -> list[Any]:
    return [m for m in server.simulator.chat(PHONE) if m.direction != "inbound"]


async def maya(server: Server) -> Csm:
    row = next(r for r in await server.rows(models.csms) if r.name.startswith("Maya"))
    return Csm(CsmId(row.id), row.name, row.email)


async def test_a_number_is_one_person_by_text_and_by_whatsapp(database_url: str) -> None:
    async with running_app(database_url) as server:
        world = server.simulator
        await world.text(PHONE, "How do I export a board?")
        await server.settled()
        await world.whatsapp(PHONE, "And how do I invite my team?")
        await server.until(lambda: received(server) and received(server)[-1].status == "read")
        await server.settled()

        (known,) = await server.rows(models.identities, value=PHONE)
        (conversation,) = await server.rows(models.conversations)
        assert (known.kind, known.contact_id) == ("phone", conversation.contact_id)
        said = await server.rows(models.messages, direction="in")
        assert [(m.channel, m.address) for m in said] == [("sms", PHONE), ("whatsapp", PHONE)]
        # each is answered where it was asked
        assert "choose People" in received(server)[-1].body
        assert received(server)[-1].to == f"whatsapp:{PHONE}"
        (row,) = await server.rows(models.outbox, channel="whatsapp")
        await server.until(lambda: _state(server, row.id, "read"))


async def _state(server: Server, job: str, state: str) -> bool:
    (row,) = await server.rows(models.outbox, id=job)
    return bool(row.state == state)


async def test_stop_by_whatsapp_is_whatsapps_alone_and_confirmed_by_us(sqlite_url: str) -> None:
    async with running_app(sqlite_url) as server:
        await server.simulator.whatsapp(PHONE, "Stop")
        await server.until(lambda: received(server))
        assert "You won't get any more messages" in received(server)[0].body
        (consent,) = await server.rows(models.consents)
        assert (consent.channel, consent.address, consent.granted) == ("whatsapp", PHONE, False)


async def test_an_answer_after_the_window_ends_with_a_person(database_url: str) -> None:
    async with running_app(database_url) as server:
        await server.simulator.whatsapp(PHONE, "I want to talk to a person")
        await server.settled()
        before = len(received(server))
        (conversation,) = await server.rows(models.conversations)
        where, who = ConversationId(conversation.id), await maya(server)
        await server.services.humans.take_over(DEMO, where, who, None)
        server.clock.advance(timedelta(hours=25))
        await server.services.humans.reply(DEMO, where, who, "Here is what you asked for.")
        await changed(server.services, DEMO, where)
        dead = await server.until(lambda: server.rows(models.outbox, state="dead"))
        assert [row.channel for row in dead] == ["whatsapp"]
        assert "24-hour window of WhatsApp is closed" in dead[0].error
        assert dead[0].attempts == 1
        assert len(received(server)) == before
        # and the team is told under the alert
        told = [row.payload["text"] for row in await server.rows(models.outbox, kind="card")]
        assert any("Here is what you asked for." in text for text in told)


@pytest.mark.parametrize(
    ("failure", "attempts", "sent"),
    [(Failure.refused("63003"), 1, 0), (Failure.rate_limited(1), 2, 1)],
    ids=["for good", "for a while"],
)
async def test_a_refusal_is_final_and_a_rate_limit_is_waited_for(
    sqlite_url: str, failure: Failure, attempts: int, sent: int
) -> None:
    async with running_app(sqlite_url) as server:
        server.simulator.twilio.switches.fail(failure)
        await server.simulator.whatsapp(PHONE, "How do I export a board?")
        await server.settled()
        (row,) = await server.rows(models.outbox, channel="whatsapp", author="bot")
        assert row.attempts == attempts
        assert len(received(server)) == sent
        assert row.created_at + timedelta(seconds=sent) <= (row.sent_at or row.created_at)


async def test_a_reminder_after_the_window_goes_by_its_template(sqlite_url: str) -> None:
    sid = "HX" + "7a" * 16
    templates = {"whatsapp": {"templates": {"reminder": {"en": sid}}}}
    async with running_app(sqlite_url, settings=templates) as server:
        held = server.simulator.twilio.holdings
        held.contents[sid] = {
            "types": {"twilio/text": {"body": "From your calendar: {{1}} See you."}}
        }
        held.approvals[sid] = "approved"
        await server.simulator.whatsapp(PHONE, "How do I export a board?")
        await server.settled()
        (known,) = await server.rows(models.identities, value=PHONE)
        server.clock.advance(timedelta(hours=25))
        wish = Wish(
            purpose=Purpose.REMINDER,
            contact=known.contact_id,
            key="reminder:1",
            line="pipeline.we_have_an_answer",
            slots={},
            channel="whatsapp",
            address=PHONE,
        )
        assert await server.services.unasked.send(DEMO, wish) == Allowed()
        await server.services.wakeups.wake("outbox", DEMO)
        await server.settled()
        last = received(server)[-1]
        assert last.content_sid == sid
        assert last.body.startswith("From your calendar: ")
        assert last.body.endswith("See you.")
