from datetime import timedelta

import pytest
from sqlalchemy import event

from app.store.inbox_list import Filter
from core.conversations import Csm, HandoffReason
from core.effects import Escalate
from core.errors import BadInputError
from core.ids import ConversationId, TurnId
from core.messages import Author, Sent
from core.views import Counts
from tests.store.scene import DEMO, OTHER, Scene

ASK = (Escalate(HandoffReason.ASKED, "high", "Wants a person", -0.4),)


async def maya(scene: Scene) -> Csm:
    return await scene.access.create_csm(DEMO, "Maya", "maya@lumen.example", "long enough pw")


async def listed(scene: Scene, which: Filter = "all", **more: object) -> list[str]:
    page = await scene.reads.inbox_list(DEMO, which, **more)  # type: ignore[arg-type]
    return [row.last_text for row in page.items]


async def test_a_line_of_the_inbox_says_who_what_and_where(scene: Scene) -> None:
    person = await maya(scene)
    await scene.directory.put_account(DEMO, "a-1", {"name": "Acme", "tier": "gold"})
    await scene.directory.put_contact(
        DEMO, "c-1", {"name": "Ann", "account": "a-1", "phone": "+14155550132"}
    )
    accepted = await scene.says("I want a person", "+14155550132", "sms", subject="Help")
    await scene.answers(accepted, "Asked for one", effects=ASK)
    await scene.sends()
    scene.clock.advance(timedelta(seconds=5))
    await scene.says("x" * 400, "+14155550132", "sms")
    await scene.answers(accepted, "not sent", proposed=True)
    row = (await scene.reads.inbox_list(DEMO, "handoffs")).items[0]
    assert (row.id, row.contact, row.external_id) == (accepted.conversation_id, "Ann", "c-1")
    assert (row.account, row.tier, row.edition) == ("Acme", "gold", "starter")
    assert (row.channel, row.subject, row.owner_name) == ("sms", "Help", None)
    assert (row.last_text, row.last_author) == ("x" * 300, Author.CUSTOMER)
    assert row.last_at == scene.clock.now()
    assert (row.drafts, row.seq) == (1, 4)
    assert row.handoff is not None
    assert (row.handoff.reason, row.handoff.severity, row.handoff.state) == (
        "asked",
        "high",
        "requested",
    )
    await scene.humans.take_over(DEMO, accepted.conversation_id, person, None)
    taken = (await scene.reads.inbox_list(DEMO, "mine", person.id)).items[0]
    assert (taken.owner, taken.owner_name, taken.drafts) == (person.id, "Maya", 0)
    assert taken.handoff is not None
    assert taken.handoff.claimed_by == person.id


async def test_filters(scene: Scene) -> None:
    person = await maya(scene)
    await scene.says("open", "visitor-1")
    asked = await scene.says("asked", "visitor-2")
    await scene.answers(asked, effects=ASK)
    mine = await scene.says("mine", "visitor-3")
    await scene.humans.take_over(DEMO, mine.conversation_id, person, None)
    done = await scene.says("done", "visitor-4")
    await scene.humans.take_over(DEMO, done.conversation_id, person, None)
    await scene.humans.resolve(DEMO, done.conversation_id, person)
    await scene.says("elsewhere", "visitor-1", tenant=OTHER)
    assert sorted(await listed(scene, "all")) == ["asked", "done", "mine", "open"]
    assert sorted(await listed(scene, "open")) == ["asked", "mine", "open"]
    assert await listed(scene, "mine", csm=person.id) == ["mine"]
    assert await listed(scene, "mine") == []
    assert await listed(scene, "handoffs") == ["asked"]
    assert await listed(scene, "resolved") == ["done"]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ANN", ["hello there"]),
        ("c-1", ["hello there"]),
        ("acme g", ["hello there"]),
        ("ann@acme", ["hello there"]),
        ("HELLO", ["hello there"]),
        ("visitor-2", ["100% off_topic"]),
        ("100%", ["100% off_topic"]),
        ("%", ["100% off_topic"]),
        ("f_t", ["100% off_topic"]),
        ("_", ["100% off_topic"]),
        ("\\", []),
        ("nothing like it", []),
        ("nul\x00", []),
        ("\ud800 alone", []),
    ],
)
async def test_search(scene: Scene, search: str, found: list[str]) -> None:
    await scene.directory.put_account(DEMO, "a-1", {"name": "Acme GmbH"})
    await scene.directory.put_contact(
        DEMO,
        "c-1",
        {"name": "Ann", "account": "a-1", "email": "ann@acme.example", "phone": "+14155550132"},
    )
    await scene.says("hello there", "+14155550132", "sms")
    await scene.says("100% off_topic", "visitor-2")
    assert await listed(scene, search=search) == found


async def test_the_inbox_comes_in_pages_whatever_moves(scene: Scene) -> None:
    for n in range(5):
        scene.clock.advance(timedelta(seconds=n % 2))
        await scene.says(f"text {n}", f"visitor-{n}")
    first = await scene.reads.inbox_list(DEMO, limit=2)
    scene.clock.advance(timedelta(seconds=1))
    await scene.says("newer", "visitor-9")
    second = await scene.reads.inbox_list(DEMO, cursor=first.cursor, limit=2)
    third = await scene.reads.inbox_list(DEMO, cursor=second.cursor, limit=2)
    seen = [r.last_text for page in (first, second, third) for r in page.items]
    assert sorted(seen) == [f"text {n}" for n in range(5)]
    assert third.cursor is None


@pytest.mark.parametrize("cursor", ["%%%", "YWJj", "é", "MjAyNi0wMy0wNFQxMjowMDowMCB4"])
async def test_a_foreign_cursor_is_refused(scene: Scene, cursor: str) -> None:
    with pytest.raises(BadInputError):
        await scene.reads.inbox_list(DEMO, cursor=cursor)


async def test_the_inbox_is_one_query_however_long(scene: Scene) -> None:
    for n in range(6):
        await scene.says(f"text {n}", f"visitor-{n}")
    asked: list[str] = []

    def note(_c: object, _u: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    event.listen(scene.database.engine.sync_engine, "before_cursor_execute", note)
    assert len((await scene.reads.inbox_list(DEMO, search="text")).items) == 6
    assert len([s for s in asked if s.startswith("SELECT")]) == 1


# ------------------------------------------------------------ turns and handoffs


async def test_a_turn_is_explained(scene: Scene) -> None:
    accepted = await scene.says("one")
    await scene.says("two")
    replies = await scene.answers(accepted, "first", "second")
    turn = replies[0].turn_id
    assert turn is not None
    trace = await scene.reads.trace(DEMO, turn)
    assert trace is not None
    assert (trace.handler, trace.state, trace.trace) == ("answer", "committed", {"query": "one"})
    assert len(trace.inbound) == 2
    assert trace.outbound == tuple(r.id for r in replies)
    assert await scene.reads.trace(OTHER, turn) is None
    assert await scene.reads.trace(DEMO, TurnId("trn_unknown")) is None
    scene.clock.advance(timedelta(seconds=1))
    await scene.says("three")
    await scene.answers(accepted)
    turns = await scene.reads.turns(DEMO, accepted.conversation_id)
    assert [len(t.inbound) for t in turns] == [2, 1]
    assert [len(t.outbound) for t in turns] == [2, 0]
    assert await scene.reads.turns(OTHER, accepted.conversation_id) == []


async def test_handoffs_come_longest_waiting_first(scene: Scene) -> None:
    person = await maya(scene)
    talks: list[ConversationId] = []
    for n in range(3):
        accepted = await scene.says("a person please", f"visitor-{n}")
        await scene.answers(accepted, effects=ASK)
        talks.append(accepted.conversation_id)
        scene.clock.advance(timedelta(seconds=1))
    await scene.humans.take_over(DEMO, talks[0], person, None)
    every = await scene.reads.handoffs(DEMO)
    assert [h.conversation_id for h in every] == talks
    waiting = await scene.reads.handoffs(DEMO, "requested")
    assert [h.conversation_id for h in waiting] == talks[1:]
    assert await scene.reads.handoffs(OTHER) == []


# ------------------------------------------------------------ figures


async def test_gauges(scene: Scene) -> None:
    accepted = await scene.says("hi")
    assert (await scene.reads.counts()).work_due == 1
    await scene.answers(accepted, "one", "two", "three", effects=ASK)
    assert await scene.reads.counts() == Counts(outbox_queued=3, handoffs_requested=1)
    first = (await scene.outbox.claim())[0]
    await scene.outbox.unknown(first.outbound.id, 60.0, "timed out")
    assert (await scene.reads.counts()).outbox_unknown == 1
    await scene.outbox.sent(first.outbound.id, Sent("1"))
    second = (await scene.outbox.claim())[0]
    await scene.outbox.dead(second.outbound.id, "gone", "undeliverable")
    assert await scene.reads.counts() == Counts(
        outbox_queued=1, outbox_dead=1, handoffs_requested=1
    )
