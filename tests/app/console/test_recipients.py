"""Whom a person's mail reaches, and who gets a copy of the bot's, on both databases."""

from typing import Any

import pytest

from core.messages import Assurance
from core.ports import Accepted, Job
from tests.app.console.mailing import ANA, BO, CY, MAYA, with_mail, writes
from tests.app.console.office import Office
from tests.store.scene import DEMO

API = "/console/api"


@pytest.fixture
async def post(desk: Office) -> Office:
    await with_mail(desk.scene)
    return desk


def at(accepted: Accepted, rest: str = "") -> str:
    return f"{API}/conversations/{accepted.conversation_id}{rest}"


def words(key: str, **more: Any) -> dict[str, Any]:
    return {"text": "Here it is.", "key": f"key-{key}-000000", **more}


async def jobs(desk: Office) -> list[Job]:
    return [job for job in await desk.scene.take_jobs() if job.outbound.channel == "email"]


async def test_the_composer_is_told_whom_a_reply_reaches(post: Office) -> None:
    accepted = await writes(post, BO, CY, "dora@acme.example", MAYA)
    async with post.signed_in("maya") as maya:
        found = (await maya.get(at(accepted))).json()["recipients"]
    assert found["to"] == {"address": ANA, "name": "Ana", "outsider": False, "known": False}
    assert {who["address"]: (who["name"], who["outsider"]) for who in found["cc"]} == {
        BO: ("Bo", False),
        CY: (None, True),
        "dora@acme.example": (None, False),
        MAYA: (None, False),
    }


async def test_other_channels_have_no_recipients(post: Office) -> None:
    accepted = await post.says("Hi", sender="v-1")
    async with post.signed_in("maya") as maya:
        assert (await maya.get(at(accepted))).json()["recipients"] is None
        await maya.post(at(accepted, "/claim"))
        refused = await maya.post(at(accepted, "/reply"), json=words("a", cc=[CY]))
        sent = await maya.post(at(accepted, "/reply"), json=words("b"))
    assert (refused.status_code, sent.status_code) == (422, 200)


async def test_the_first_mail_to_an_outsider_is_asked_about_and_later_ones_are_not(
    post: Office,
) -> None:
    accepted = await writes(post, BO, CY)
    async with post.signed_in("maya") as maya:
        await maya.post(at(accepted, "/claim"))
        refused = await maya.post(at(accepted, "/reply"), json=words("a", cc=[BO, CY]))
        strange = await maya.post(at(accepted, "/reply"), json=words("b", cc=["eve@evil.example"]))
        first = await maya.post(
            at(accepted, "/reply"), json=words("c", cc=[BO, CY], confirmed=[CY])
        )
        known = (await maya.get(at(accepted))).json()["recipients"]
        second = await maya.post(at(accepted, "/reply"), json=words("d", cc=[CY]))
        alone = await maya.post(at(accepted, "/reply"), json=words("e"))
    assert (refused.status_code, CY in refused.text) == (409, True)
    assert strange.status_code == 422
    assert [a.status_code for a in (first, second, alone)] == [200, 200, 200]
    assert {who["address"]: who["known"] for who in known["cc"]} == {BO: True, CY: True}
    await post.scene.sends()
    sent = await post.services.reads.transcript(
        DEMO, accepted.conversation_id, 0, 50, customer_view=False
    )
    assert [m.metadata.get("cc", "") for m in sent if m.text == "Here it is."] == [
        f"{BO} {CY}",
        CY,
        "",
    ]
    assert first.json()["message"]["cc"] == [BO, CY]


async def test_a_reply_to_somewhere_else_is_asked_about_too(post: Office) -> None:
    accepted = await writes(post, reply_to="drop@evil.example")
    async with post.signed_in("maya") as maya:
        await maya.post(at(accepted, "/claim"))
        found = (await maya.get(at(accepted))).json()["recipients"]["to"]
        refused = await maya.post(at(accepted, "/reply"), json=words("a"))
        sent = await maya.post(
            at(accepted, "/reply"), json=words("b", confirmed=["drop@evil.example"])
        )
    assert (found["outsider"], refused.status_code, sent.status_code) == (True, 409, 200)


async def test_without_an_account_the_senders_own_domain_is_inside_unless_it_is_anybodys(
    post: Office,
) -> None:
    of_firm = await writes(post, "col@firm.example", CY, sender="new@firm.example")
    of_all = await writes(post, "friend@gmail.com", sender="somebody@gmail.com")
    async with post.signed_in("maya") as maya:
        firm = (await maya.get(at(of_firm))).json()["recipients"]["cc"]
        public = (await maya.get(at(of_all))).json()["recipients"]
    assert [who["outsider"] for who in firm] == [False, True]
    assert (public["to"]["outsider"], public["cc"][0]["outsider"]) == (False, True)


# ---------------------------------------------------------------- the bot's copies


@pytest.mark.parametrize(
    ("changes", "more", "copies"),
    [
        ({}, {}, (BO,)),
        ({}, {"private": True}, ()),
        ({"assurance": Assurance.CLAIMED}, {}, ()),
        ({"sender": "new@firm.example"}, {}, ()),
    ],
    ids=["colleague", "private", "unproven", "no account"],
)
async def test_the_bot_answers_the_sender_and_colleagues_who_read_along(
    post: Office, changes: dict[str, Any], more: dict[str, Any], copies: tuple[str, ...]
) -> None:
    accepted = await writes(post, BO, CY, "dora@acme.example", **changes)
    (message,) = await post.scene.answers(accepted, "Open Settings.", **more)
    (job,) = await jobs(post)
    assert (job.outbound.address, job.outbound.cc) == (changes.get("sender", ANA), copies)
    assert message.metadata.get("cc", "") == " ".join(copies)


async def test_a_claimed_colleague_is_none(post: Office) -> None:
    eve = "eve@acme.example"
    await post.says("I am Eve", sender=eve, channel="email", assurance=Assurance.CLAIMED)
    accepted = await writes(post, eve)
    await post.scene.answers(accepted, "Open Settings.")
    assert [job.outbound.cc for job in await jobs(post)] == [()]
