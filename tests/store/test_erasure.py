import json

import pytest
from sqlalchemy import select

from app.store.models import (
    audit,
    consents,
    contacts,
    conversations,
    gaps,
    handoffs,
    messages,
    metadata,
    outbox,
    turns,
)
from core.conversations import HandoffReason
from core.effects import Escalate, OpenGap
from core.errors import NotFoundError
from core.ids import ContactId
from core.messages import Assurance, ConsentChange, IdentityClaim
from core.ports import Reachable, Superseded, TurnResult
from tests.store.scene import DEMO, OTHER, Scene

SECRET = "kumquat"  # stands in everything the contact says or is called


async def everything(scene: Scene) -> str:
    """Return every row of every table as text."""
    found: list[str] = []
    async with scene.database.read() as connection:
        for table in metadata.sorted_tables:
            result = await connection.execute(select(table))
            found += [repr(tuple(row)) for row in result]
    return "\n".join(found)


async def ann(scene: Scene) -> ContactId:
    """A contact known by name who has asked, been answered, and asked for a person."""
    known = await scene.directory.put_contact(
        DEMO, f"{SECRET}-1", {"name": f"Ann {SECRET}", "email": f"{SECRET}@acme.example"}
    )
    proven = (IdentityClaim("external", f"{SECRET}-1", Assurance.PROVEN),)
    first = await scene.says(
        f"Where is my {SECRET}?",
        f"visitor-{SECRET}",
        claims=proven,
        display_name=SECRET,
        subject=SECRET,
    )
    await scene.answers(
        first,
        f"Your {SECRET} is here",
        effects=(
            OpenGap(f"Where is my {SECRET}?"),
            Escalate(HandoffReason.ASKED, summary=f"Wants a {SECRET}"),
        ),
    )
    await scene.sends()
    reach = Reachable("email", f"{SECRET}@acme.example", Assurance.CLAIMED)
    await scene.reaches.give(DEMO, first.conversation_id, reach, scene.clock.now())
    await scene.facts.put(DEMO, known.id, "likes", SECRET, "customer")
    await scene.says(f"More {SECRET}", f"visitor-{SECRET}", claims=proven)
    assert first.contact_id == known.id
    return known.id


async def test_export_holds_what_was_said_and_known(scene: Scene) -> None:
    contact = await ann(scene)
    await scene.says("somebody else", "visitor-2")
    exported = await scene.directory.export_contact(DEMO, contact)
    assert json.loads(json.dumps(exported)) == exported
    assert exported["contact"]["name"] == f"Ann {SECRET}"  # type: ignore[index]
    texts = [m["text"] for m in exported["messages"]]  # type: ignore[attr-defined]
    assert texts == [f"Where is my {SECRET}?", f"Your {SECRET} is here", f"More {SECRET}"]
    assert {i["value"] for i in exported["identities"]} >= {  # type: ignore[attr-defined]
        f"{SECRET}@acme.example",
        f"visitor-{SECRET}",
    }
    assert [r["address"] for r in exported["reaches"]] == [  # type: ignore[attr-defined]
        f"{SECRET}@acme.example"
    ]
    assert [f["value"] for f in exported["facts"]] == [SECRET]  # type: ignore[attr-defined]


async def test_erasing_leaves_skeletons_and_not_a_word(scene: Scene) -> None:
    contact = await ann(scene)
    kept = await scene.says("I stay", "visitor-2")
    assert SECRET in await everything(scene)
    done = await scene.directory.erase_contact(DEMO, contact, "csm_maya")
    assert SECRET not in await everything(scene)
    assert done == {
        "conversations": 1,
        "messages": 3,
        "files": 0,
        "traces": 1,
        "identities": 2,
        "facts": 1,
        "gaps": 1,
    }
    async with scene.database.read() as connection:
        left = (await connection.execute(select(messages).order_by(messages.c.seq))).all()
        talk = (
            await connection.execute(
                select(conversations).where(conversations.c.contact_id == contact)
            )
        ).one()
        who = (await connection.execute(select(contacts).where(contacts.c.id == contact))).one()
        asked = (await connection.execute(select(handoffs))).one()
        trace = (await connection.execute(select(turns.c.trace))).scalar_one()
        opened = (await connection.execute(select(gaps))).all()
        jobs = (await connection.execute(select(outbox.c.payload))).scalars().all()
        log = (await connection.execute(select(audit).where(audit.c.subject == contact))).one()
    assert [m.text for m in left].count("") == 3
    assert [m.text for m in left].count("I stay") == 1
    assert (talk.status, talk.open_key, talk.handoff_id) == ("resolved", None, None)
    assert (who.name, who.external_id) == (None, None)
    assert (asked.state, asked.summary) == ("resolved", "")
    assert (trace, opened) == ({}, [])
    assert all(payload == {"text": ""} for payload in jobs)
    assert (log.actor, log.action, log.detail) == ("csm_maya", "contact.erased", done)
    assert (await scene.reads.conversation(DEMO, kept.conversation_id)) is not None


async def test_after_erasure_the_person_is_new(scene: Scene) -> None:
    contact = await ann(scene)
    await scene.directory.erase_contact(DEMO, contact)
    again = await scene.says("hello", f"visitor-{SECRET}")
    assert again.contact_id != contact
    found = await scene.directory.contact_by_external(DEMO, f"{SECRET}-1", create=True)
    assert found.id != contact


async def test_a_turn_that_was_thinking_cannot_commit(scene: Scene) -> None:
    accepted = await scene.says("hello")
    claim = await scene.turns.claim(accepted.conversation_id)
    assert claim is not None
    await scene.directory.erase_contact(DEMO, accepted.contact_id)
    result = TurnResult(
        turn_id=claim.conversation.id,  # type: ignore[arg-type] # any id
        claim=claim,
        handler="answer",
        replies=(),
        effects=(),
        status=claim.conversation.status,
        trace={"understanding": {"text": SECRET}},
        started_at=scene.clock.now(),
    )
    assert isinstance(await scene.turns.commit(result), Superseded)
    (kept,) = await scene.reads.turns(DEMO, accepted.conversation_id)
    assert kept.trace == {"erased": True}


async def test_a_gap_somebody_else_asked_too_stays(scene: Scene) -> None:
    for sender in ("visitor-1", "visitor-2"):
        accepted = await scene.says("Is there a dark mode?", sender)
        await scene.answers(accepted, "no idea", effects=(OpenGap("Is there a dark mode?"),))
    await scene.directory.erase_contact(DEMO, accepted.contact_id)
    gaps_left = await scene.gaps.open_gaps(DEMO)
    assert [(g.question, g.contacts) for g in gaps_left] == [("Is there a dark mode?", 1)]


async def test_an_opt_out_outlives_the_contact(scene: Scene) -> None:
    accepted = await scene.says("hi", "+14155550132", "sms")
    stop = ConsentChange("sms", "+14155550132", "stop-1", "STOP", granted=False)
    await scene.intake.consent(scene.inboxes["demo:sms"], stop, None)
    await scene.directory.erase_contact(DEMO, accepted.contact_id)
    async with scene.database.read() as connection:
        row = (await connection.execute(select(consents))).one()
    assert (row.address, row.granted) == ("+14155550132", False)


async def test_only_ones_own_contact(scene: Scene) -> None:
    contact = await ann(scene)
    with pytest.raises(NotFoundError):
        await scene.directory.export_contact(OTHER, contact)
    with pytest.raises(NotFoundError):
        await scene.directory.erase_contact(OTHER, contact)
    assert SECRET in await everything(scene)
