"""Talks by mail through the whole app: loops end, threads hold, forged mail is nobody's, and no is heard."""

from typing import Any

import httpx

from app.simulator import people
from app.simulator.mail_server import signed_mail
from app.store import models
from channels._shared.mail_tokens import Signer
from channels.email import EmailSettings
from tests.app.app_server import Server, running_app

ANA = "ana@acme.example"


def letter(
    text: str, number: int, *headers: str, sender: str = ANA, verdict: str = "pass"
) -> bytes:
    domain = sender.rpartition("@")[2]
    lines = [
        f"Authentication-Results: {people.AUTHSERV}; dmarc={verdict} header.from={domain}",
        *headers, f"From: {sender}", f"To: {people.OUR_ADDRESS}", f"Message-ID: <m{number}@{domain}>",
        f"Subject: Talk {number}", "", text,
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


async def comes(server: Server, raw: bytes, to: str = people.OUR_ADDRESS) -> None:
    url = f"{server.url}/channels/email"
    request = signed_mail(raw, url, server.simulator.mail_secret, server.clock.now(), to)
    assert (await server.post(request)).status_code == 200
    await server.settled()


def sent_to(server: Server, address: str) -> list[Any]:
    return [mail.message for mail in server.simulator.mails.to(address)]


async def test_two_machines_stop_talking_after_three_mails_and_a_person_is_asked(
    database_url: str,
) -> None:
    async with running_app(database_url) as server:
        for number in range(6):
            await comes(server, letter("How do I export a board?", number))
        assert len(sent_to(server, ANA)) == 3
        dead = [job for job in await server.rows(models.outbox) if job.state == "dead"]
        assert dead[0].error == "3 automatic mails went to this address today; a person must go on"
        (handoff,) = await server.rows(models.handoffs)
        assert (handoff.reason, handoff.state) == ("undeliverable", "requested")


async def test_a_reply_finds_its_talk_and_a_strangers_opens_another(database_url: str) -> None:
    async with running_app(database_url) as server:
        await comes(server, letter("How do I export a board?", 1))
        (answer,) = sent_to(server, ANA)
        reference = f"In-Reply-To: {answer['Message-ID']}"
        named = str(answer["Reply-To"].addresses[0].addr_spec)
        await comes(server, letter("And how do I invite people?", 2, reference), named)
        await comes(
            server, letter("What did you write?", 3, reference, sender="eve@evil.example"), named
        )
        await comes(server, letter("It is me, Ana", 4, reference, verdict="fail"), named)
        mails = await server.rows(models.messages, direction="in")
        talk = {mail.external_id: mail.conversation_id for mail in mails}
        assert talk["<m1@acme.example>"] == talk["<m2@acme.example>"]
        assert len(set(talk.values())) == 3
        contacts = await server.rows(models.conversations)
        assert len({row.contact_id for row in contacts}) == 3
        assert sent_to(server, ANA)[1]["References"].split()[-1] == "<m2@acme.example>"


async def test_no_more_is_recorded_by_one_click(database_url: str) -> None:
    async with running_app(database_url) as server:
        settings = server.services.inboxes.settings("email")
        assert isinstance(settings, EmailSettings)
        signer = Signer(people.OUR_ADDRESS, settings.reply_secret.get_secret_value())
        query = {"inbox": people.OUR_ADDRESS, "no_more": signer.stop_token("out_1", ANA)}
        async with server.api() as client:
            asked = await client.get("/channels/email", params=query)
            assert (asked.status_code, await server.rows(models.consents)) == (200, [])
            form = {"List-Unsubscribe": "One-Click"}
            for _ in range(2):
                done: httpx.Response = await client.post("/channels/email", params=query, data=form)
                assert done.status_code == 200
        (consent,) = await server.rows(models.consents)
        assert (consent.channel, consent.address, consent.granted) == ("email", ANA, False)
        assert sent_to(server, ANA) == [], "a click is not answered by mail"
        await comes(server, letter("How do I export a board?", 1))
        assert len(sent_to(server, ANA)) == 1, "who asks is answered all the same"
