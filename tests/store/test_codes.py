"""One-time codes against both databases: sealed, limited, counted, used once."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.store.changes import SqlChanges
from app.store.codes import ATTEMPTS, LASTS, Seals, SqlCodes
from app.store.models import audit, codes, contacts, identities, messages, outbox
from app.store.turns import _believed
from core.conversations import Status
from core.effects import CODE_GAP, CountMiss, Effect, Prove, RefusedEffect, SendCode
from core.errors import PermanentDeliveryError
from core.ids import TurnId, new_id
from core.messages import Assurance, Correction, IdentityClaim, Sent
from core.ports import Accepted, Committed, TurnResult
from tests.store.scene import DEMO, Scene

MAIL = "jane@acme.example"
PHONE = "+15550100199"
SIX = re.compile(r"\b\d{6}\b")
SMS = SendCode("sms", "phone", PHONE, f"Your code is {CODE_GAP}.")


async def does(scene: Scene, accepted: Accepted, *effects: Effect) -> Any:
    """Run the turn that is due with these effects alone; returns what the commit says."""
    claim = await scene.turns.claim(accepted.conversation_id)
    assert claim is not None
    result = TurnResult(
        turn_id=TurnId(new_id("trn", scene.clock.now())),
        claim=claim,
        handler="identity",
        replies=(),
        effects=effects,
        status=Status.WAITING_CUSTOMER,
        trace={},
        started_at=scene.clock.now(),
    )
    done = await scene.turns.commit(result)
    if isinstance(done, RefusedEffect):
        await scene.turns.commit(TurnResult(**{**_of(result), "effects": ()}))
    return done


def _of(result: TurnResult) -> dict[str, Any]:
    return {name: getattr(result, name) for name in TurnResult.__dataclass_fields__}


async def rows(scene: Scene, table: Any) -> list[Any]:
    async with scene.database.read() as connection:
        return list((await connection.execute(select(table))).all())


async def sent_code(scene: Scene, sender: str = "visitor-1") -> tuple[Accepted, str]:
    """Have a code sent; returns the conversation and the code as the provider got it."""
    accepted = await scene.says("verify me", sender)
    assert isinstance(await does(scene, accepted, SMS), Committed)
    job = (await scene.take_jobs())[-1]
    assert job.outbound.address == PHONE
    await scene.outbox.sent(job.outbound.id, Sent(f"SM-{job.outbound.id}"))
    return accepted, SIX.findall(job.outbound.text)[0]


async def types(scene: Scene, text: str, sender: str = "visitor-1") -> tuple[Accepted, str]:
    """Let the customer type a code; returns its seal as the turn sees it."""
    accepted = await scene.says(text, sender)
    claim = [m for m in await rows(scene, messages) if m.id == accepted.message_id]
    return accepted, str(claim[0].metadata.get("code", ""))


async def test_a_code_is_written_nowhere(scene: Scene) -> None:
    _accepted, code = await sent_code(scene)
    await types(scene, f"it is {code}, thanks")
    for table in (codes, outbox, messages):
        assert code not in repr(await rows(scene, table))
    assert "it is ••••••, thanks" in [m.text for m in await rows(scene, messages)]


async def test_a_dead_code_is_not_shown_to_the_team(scene: Scene) -> None:
    accepted = await scene.says("verify me")
    await does(scene, accepted, SMS)
    (job,) = await scene.take_jobs()
    await scene.outbox.dead(job.outbound.id, PermanentDeliveryError("no").detail, "undeliverable")
    assert SIX.findall(job.outbound.text)[0] not in repr(await rows(scene, outbox))


async def test_numbers_stay_where_no_code_was_asked_for(scene: Scene) -> None:
    await scene.says("order 123456")
    assert [m.text for m in await rows(scene, messages)] == ["order 123456"]


async def test_a_code_written_into_an_edited_message_is_hidden_too(scene: Scene) -> None:
    _accepted, code = await sent_code(scene)
    await scene.says("wait", "visitor-1")
    change = Correction("web", f"ext-{scene.numbers}", "visitor-1", f"it is {code}")
    changes = SqlChanges(scene.database, scene.clock, scene.reads, Seals("of these tests"))
    await changes.correct(scene.inboxes["demo:web"], change)
    kept = await rows(scene, messages)
    assert code not in repr(kept)
    assert "it is ••••••" in [m.text for m in kept]


@pytest.mark.parametrize("shape", ["{}", " {} ", "code: {}.", "{a}-{b}", "{a} {b}"])
async def test_the_right_code_is_right_however_it_is_typed(scene: Scene, shape: str) -> None:
    accepted, code = await sent_code(scene)
    _again, seal = await types(scene, shape.format(code, a=code[:3], b=code[3:]))
    judged = await SqlCodes(scene.database, scene.clock).judge(DEMO, accepted.conversation_id, seal)
    assert (judged.verdict, judged.left) == ("right", ATTEMPTS)


async def test_two_codes_in_one_message_are_none(scene: Scene) -> None:
    _accepted, code = await sent_code(scene)
    _again, seal = await types(scene, f"{code} or 111111")
    assert seal == ""


async def test_five_wrong_ones_and_the_right_one_counts_no_more(scene: Scene) -> None:
    accepted, code = await sent_code(scene)
    port = SqlCodes(scene.database, scene.clock)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    for left in range(ATTEMPTS - 1, -1, -1):
        again, seal = await types(scene, wrong)
        judged = await port.judge(DEMO, accepted.conversation_id, seal)
        assert (judged.verdict, judged.left) == ("wrong", left)
        await does(scene, again, CountMiss(judged.code))
    again, seal = await types(scene, code)
    judged = await port.judge(DEMO, accepted.conversation_id, seal)
    assert judged.verdict == "spent"
    refused = await does(scene, again, Prove(judged.code, seal))
    assert isinstance(refused, RefusedEffect)
    again, _ = await types(scene, "x")
    assert isinstance(await does(scene, again, CountMiss(judged.code)), RefusedEffect)


async def test_ten_minutes_and_it_is_over(scene: Scene) -> None:
    accepted, code = await sent_code(scene)
    scene.clock.advance(LASTS)
    _again, seal = await types(scene, code)
    port = SqlCodes(scene.database, scene.clock)
    assert (await port.judge(DEMO, accepted.conversation_id, seal)).verdict == "expired"


async def test_a_code_is_used_once(scene: Scene) -> None:
    accepted, code = await sent_code(scene)
    again, seal = await types(scene, code)
    port = SqlCodes(scene.database, scene.clock)
    judged = await port.judge(DEMO, accepted.conversation_id, seal)
    assert isinstance(await does(scene, again, Prove(judged.code, seal)), Committed)
    again, _ = await types(scene, "and again")
    assert isinstance(await does(scene, again, Prove(judged.code, seal)), RefusedEffect)


async def test_a_code_counts_in_its_own_conversation_alone(scene: Scene) -> None:
    _accepted, code = await sent_code(scene)
    other = await scene.says("hi", "visitor-2", thread="t2")
    await does(scene, other, SendCode("sms", "phone", "+15550100777", CODE_GAP))
    again, seal = await types(scene, code, "visitor-2")
    port = SqlCodes(scene.database, scene.clock)
    assert (await port.judge(DEMO, again.conversation_id, seal)).verdict != "right"


async def test_an_address_gets_three_codes_an_hour_and_six_a_day(scene: Scene) -> None:
    came = []
    for n in range(9):
        accepted = await scene.says("verify me", f"visitor-{n}")
        came.append(isinstance(await does(scene, accepted, SMS), Committed))
        scene.clock.advance(timedelta(minutes=61) if n in (3, 6) else timedelta(0))
    # three, refused, an hour on three more, and then none that day
    assert came == [True, True, True, False, True, True, True, False, False]


async def test_a_conversation_gets_three_codes_an_hour(scene: Scene) -> None:
    came = []
    for n in range(4):
        accepted = await scene.says("verify me")
        effect = SendCode("sms", "phone", f"+1555010010{n}", CODE_GAP)
        came.append(isinstance(await does(scene, accepted, effect), Committed))
    assert came == [True, True, True, False]


async def test_codes_asked_for_at_once_are_within_the_limit_too(scene: Scene) -> None:
    asked = [await scene.says("verify me", f"visitor-{n}") for n in range(6)]
    done = await asyncio.gather(*(does(scene, each, SMS) for each in asked))
    assert sum(isinstance(each, Committed) for each in done) == 3


async def test_no_code_where_nothing_of_ours_sends(scene: Scene) -> None:
    accepted = await scene.says("verify me")
    refused = await does(scene, accepted, SendCode("email", "email", MAIL, CODE_GAP))
    assert isinstance(refused, RefusedEffect)
    assert refused.code == "no_channel"


# ---------------------------------------------------------------- what proof joins


async def proves(scene: Scene, sender: str = "visitor-1", **more: Any) -> tuple[Accepted, Any]:
    accepted, code = await sent_code(scene, sender)
    again, seal = await types(scene, code, sender)
    judged = await SqlCodes(scene.database, scene.clock).judge(DEMO, accepted.conversation_id, seal)
    return accepted, await does(scene, again, Prove(judged.code, seal))


async def test_a_visitor_becomes_the_contact_who_has_the_number(scene: Scene) -> None:
    known = await scene.directory.put_contact(DEMO, "jane", {"phone": PHONE, "name": "Jane"})
    accepted, done = await proves(scene)
    assert isinstance(done, Committed)
    again = await scene.says("so?", "visitor-1")
    claim = await scene.turns.claim(again.conversation_id)
    assert claim is not None
    assert again.conversation_id == accepted.conversation_id
    assert (claim.contact.id, claim.assurance) == (known.id, Assurance.PROVEN)


async def test_an_unknown_number_is_the_visitors_own_from_then_on(scene: Scene) -> None:
    accepted, _done = await proves(scene)
    (who,) = await rows(scene, contacts)
    said = await scene.says("hello", PHONE, "sms")
    assert (said.contact_id, who.joined_to) == (accepted.contact_id, None)


async def test_two_contacts_known_by_name_stay_two(scene: Scene) -> None:
    await scene.directory.put_contact(DEMO, "jane", {"phone": PHONE})
    accepted = await scene.says("verify me", "visitor-1")
    async with scene.database.write() as connection:
        await connection.execute(
            contacts.update().where(contacts.c.id == accepted.contact_id).values(external_id="joe")
        )
    _accepted, done = await proves(scene)
    assert isinstance(done, RefusedEffect)
    assert done.code == "both_known"
    assert not [a for a in await rows(scene, audit) if a.action == "contact.joined"]


async def test_another_in_the_same_thread_is_not_proven_by_it(scene: Scene) -> None:
    accepted = await scene.says("verify me", "visitor-1", thread="t1")
    await scene.says("what about mine?", "visitor-2", thread="t1")
    claim = await scene.turns.claim(accepted.conversation_id)
    assert claim is not None
    assert claim.assurance == Assurance.CLAIMED


async def test_a_number_the_tenant_vouches_for_is_proven_where_its_provider_does(
    scene: Scene,
) -> None:
    await scene.directory.put_contact(DEMO, "jane", {"phone": PHONE})
    said = await scene.says("hi", PHONE, "sms")
    claim = await scene.turns.claim(said.conversation_id)
    assert claim is not None
    assert claim.assurance == Assurance.PROVEN
    assert {i.kind for i in await rows(scene, identities)} == {"phone"}


async def test_who_sits_at_the_browser_next_is_not_proven_by_it(scene: Scene) -> None:
    """A signature proves its message, a code its conversation for a while; the browser's token neither."""
    jane = IdentityClaim("external", "jane", Assurance.PROVEN)
    await scene.says("hi", assurance=Assurance.PROVEN, claims=(jane,))
    again = await scene.says("and now?", claims=())
    claim = await scene.turns.claim(again.conversation_id)
    assert claim is not None
    weakest = [_believed(m, claim.contact, here=False) for m in await _messages(scene)]
    assert weakest == [Assurance.PROVEN, Assurance.CHANNEL]
    assert claim.assurance == Assurance.CHANNEL


async def _messages(scene: Scene) -> list[Any]:
    async with scene.database.read() as connection:
        found = await connection.execute(select(messages).order_by(messages.c.seq))
        return list(found.mappings().all())


async def test_a_code_proves_a_browser_for_half_a_day(scene: Scene) -> None:
    await scene.directory.put_contact(DEMO, "jane", {"phone": PHONE})
    accepted, _done = await proves(scene)
    scene.clock.advance(timedelta(hours=12))
    await scene.says("still there")
    claim = await scene.turns.claim(accepted.conversation_id)
    assert claim is not None
    assert claim.assurance == Assurance.CHANNEL
