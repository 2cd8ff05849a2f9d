"""Figures read from real rows."""

from datetime import datetime, timedelta

from app.store.alarms import SqlAlarms
from app.store.figures import SqlFigures
from core.conversations import Csm, HandoffReason, Status
from core.effects import Escalate, Resolve
from core.kpis import Figures
from tests.store.scene import DEMO, OTHER, Scene


async def read(scene: Scene, since: datetime, steps: int = 2) -> Figures:
    until = scene.clock.now() + timedelta(seconds=1)
    return await SqlFigures(scene.database).read(DEMO, since, until, {}, steps)


async def maya(scene: Scene) -> Csm:
    return await scene.access.create_csm(DEMO, "Maya Okafor", "maya@lumen.example", "x" * 12, "csm")


async def test_a_day(scene: Scene) -> None:
    person = await maya(scene)
    long_ago = await scene.says("before", "visitor-0")
    await scene.answers(long_ago, "answered before")
    await scene.sends()
    scene.clock.advance(timedelta(days=8))
    since = scene.clock.now()
    for n, wait in enumerate((2, 4, 9)):
        accepted = await scene.says("question", f"visitor-{n + 1}")
        scene.clock.advance(timedelta(seconds=wait))
        (reply,) = await scene.answers(accepted, "answer")
        await scene.sends()
        await scene.reads.feedback(DEMO, accepted.conversation_id, reply.id, str(n + 3))
    accepted = await scene.says("thanks, solved", "visitor-1")
    await scene.answers(accepted, effects=(Resolve(confirmed=True),), status=Status.RESOLVED)
    asked = await scene.says("a person!", "+14155550132", "sms")
    await scene.answers(asked, effects=(Escalate(HandoffReason.ANGER, "high"),))
    scene.clock.advance(timedelta(seconds=121))
    await SqlAlarms(scene.database, scene.clock).fire_due()
    await scene.humans.take_over(DEMO, asked.conversation_id, person, None)
    await scene.humans.reply(DEMO, asked.conversation_id, person, "here I am")
    await scene.says("nobody answered", "visitor-8")
    await scene.says("elsewhere", "visitor-1", tenant=OTHER)
    await scene.sends()
    found = await read(scene, since)
    figures = found.figures
    assert figures["conversations"].value == 5
    assert (figures["auto_resolution"].count, figures["auto_resolution"].over) == (1, 1)
    assert figures["confirmed_resolution"].value == 1.0
    assert (figures["handoff_rate"].count, figures["handoff_rate"].over) == (1, 5)
    assert figures["sentiment_escalations"].value == 200.0
    assert figures["csat"].value == 4.0
    assert figures["time_to_human"].value == 121.0
    assert figures["breaches"].value == 1
    assert found.messages == {"sms": 1, "web": 5}
    assert found.reasons == {"anger": 1}
    assert set(found.channels) == {"sms", "web"}
    assert found.channels["sms"]["handoff_rate"].value == 1.0
    assert sum(s.messages for s in found.steps) == 6
    assert sum(s.conversations for s in found.steps) == 5
    assert next((s.since, s.until) for s in found.steps)[0] == since


async def test_coming_back_is_not_durable(scene: Scene) -> None:
    since = scene.clock.now()
    closed = (Resolve(),)
    for visitor in ("visitor-1", "visitor-2", "visitor-3"):
        accepted = await scene.says("question", visitor)
        await scene.answers(accepted, "answer", effects=closed, status=Status.RESOLVED)
        await scene.sends()
    scene.clock.advance(timedelta(hours=3))
    again = await scene.says("it is back", "visitor-2")
    await scene.answers(again, "answer", effects=closed, status=Status.RESOLVED)
    scene.clock.advance(timedelta(days=6))
    await scene.says("something else", "visitor-3")
    await scene.sends()
    scene.clock.advance(timedelta(days=8))
    found = await read(scene, since + timedelta(days=7))
    durable = found.figures["durable_resolution"]
    assert (durable.count, durable.over) == (1, 3)


async def test_nothing(scene: Scene) -> None:
    found = await read(scene, scene.clock.now())
    assert found.messages == {}
    assert found.figures["conversations"].value == 0
