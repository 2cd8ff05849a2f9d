import asyncio
from datetime import timedelta

import pytest

from core.effects import OpenGap
from core.errors import BadInputError, ConflictError, NotFoundError
from core.ids import ContactId
from tests.store.scene import DEMO, OTHER, Scene


async def somebody(scene: Scene, external_id: str = "ann") -> ContactId:
    return (await scene.directory.contact_by_external(DEMO, external_id, create=True)).id


async def test_a_fact_is_kept_replaced_and_forgotten(scene: Scene) -> None:
    ann = await somebody(scene)
    first = await scene.facts.put(DEMO, ann, "team size", "12", "customer", 0.5)
    scene.clock.advance(timedelta(minutes=1))
    await scene.facts.put(DEMO, ann, "browser", "Firefox", "customer")
    scene.clock.advance(timedelta(minutes=1))
    second = await scene.facts.put(DEMO, ann, "team size", "14", "csm")
    assert second.id == first.id
    kept = await scene.facts.all(DEMO, ann)
    assert [(f.key, f.value, f.source, f.confidence) for f in kept] == [
        ("team size", "14", "csm", 1.0),
        ("browser", "Firefox", "customer", 1.0),
    ]
    assert kept[0].created_at == scene.clock.now()
    assert await scene.facts.forget(DEMO, ann, "browser") == 1
    assert await scene.facts.forget(DEMO, ann) == 1
    assert await scene.facts.all(DEMO, ann) == []


async def test_facts_stay_with_their_tenant(scene: Scene) -> None:
    ann = await somebody(scene)
    await scene.facts.put(DEMO, ann, "browser", "Firefox", "customer")
    with pytest.raises(NotFoundError):
        await scene.facts.put(OTHER, ann, "browser", "Firefox", "customer")
    assert await scene.facts.all(OTHER, ann) == []
    assert await scene.facts.forget(OTHER, ann) == 0


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("health", "fine"),
        ("note", "She is pregnant"),
        ("note", "Tiene diabetes"),
        ("familyStatus", "unknown"),
        ("reason_for_delay", "his wife is in hospital"),
        ("nota", "Su hija empieza el colegio"),
        ("religion", "none"),
        ("note", "es católico"),
        ("mood", "great"),
        ("note", "está enfadado"),
        ("note", "union member"),
        ("background", "was convicted in 2019"),
        ("", "empty key"),
        ("k" * 81, "long key"),
        ("key", "  "),
        ("key", "v" * 1001),
    ],
)
async def test_what_may_not_be_kept_is_refused(scene: Scene, key: str, value: str) -> None:
    ann = await somebody(scene)
    with pytest.raises(BadInputError):
        await scene.facts.put(DEMO, ann, key, value, "customer")
    assert await scene.facts.all(DEMO, ann) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("plan", "wants the family plan"),
        ("account health", "green"),
        ("uses", "mood boards every Monday"),
        ("bug", "a race condition in the importer"),
        ("company", "a sister company of Acme"),
        ("goal", "Reducir el tiempo de alta"),
        ("role", "Head of design"),
    ],
)
async def test_words_of_the_trade_are_kept(scene: Scene, key: str, value: str) -> None:
    ann = await somebody(scene)
    await scene.facts.put(DEMO, ann, key, value, "customer")
    assert [f.value for f in await scene.facts.all(DEMO, ann)] == [value]


@pytest.mark.parametrize("confidence", [-0.1, 1.1, float("nan")])
async def test_confidence_is_a_share(scene: Scene, confidence: float) -> None:
    ann = await somebody(scene)
    with pytest.raises(BadInputError):
        await scene.facts.put(DEMO, ann, "key", "value", "customer", confidence)


async def test_facts_have_a_cap(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.store.effects.MAX_FACTS", 2)
    ann = await somebody(scene)
    await scene.facts.put(DEMO, ann, "one", "1", "customer")
    await scene.facts.put(DEMO, ann, "two", "2", "customer")
    with pytest.raises(ConflictError):
        await scene.facts.put(DEMO, ann, "three", "3", "customer")
    await scene.facts.put(DEMO, ann, "two", "22", "customer")
    assert len(await scene.facts.all(DEMO, ann)) == 2


async def test_the_same_fact_at_once_is_one_fact(scene: Scene) -> None:
    ann = await somebody(scene)
    await asyncio.gather(
        *(scene.facts.put(DEMO, ann, "size", str(n), "customer") for n in range(6))
    )
    assert len(await scene.facts.all(DEMO, ann)) == 1


async def test_gaps_come_by_how_many_they_cost(scene: Scene) -> None:
    asked = [("ann", "How do I export to PDF?"), ("bob", "how do i EXPORT to pdf")]
    asked += [("ann", "Is there a dark mode?")] * 3
    for sender, text in asked:
        accepted = await scene.says(text, sender)
        await scene.answers(accepted, "I don't know", effects=(OpenGap(text, nearest=("a.md",)),))
    gaps = await scene.gaps.open_gaps(DEMO)
    assert [(g.question, g.times, g.contacts) for g in gaps] == [
        ("How do I export to PDF?", 2, 2),
        ("Is there a dark mode?", 3, 1),
    ]
    assert gaps[0].nearest == ("a.md",)
    assert await scene.gaps.open_gaps(OTHER) == []
    assert not await scene.gaps.close(OTHER, gaps[0].id)
    assert await scene.gaps.close(DEMO, gaps[0].id)
    assert not await scene.gaps.close(DEMO, gaps[0].id)
    assert gaps[0].id not in {g.id for g in await scene.gaps.open_gaps(DEMO)}


async def test_phrases_are_loaded_once(scene: Scene) -> None:
    phrases = [("book a  session", "book"), ("cancel it", "cancel")]
    assert await scene.intents.load(DEMO, phrases) == 2
    assert await scene.intents.load(DEMO, [*phrases, ("cancel it", "cancel_booking")]) == 1
    assert await scene.intents.all(DEMO) == [
        ("book a session", "book"),
        ("cancel it", "cancel_booking"),
    ]
    assert await scene.intents.all(OTHER) == []


async def test_phrases_are_taken_back(scene: Scene) -> None:
    phrases = [("book it", "book"), ("book a session", "book"), ("cancel it", "cancel")]
    await scene.intents.load(DEMO, phrases)
    await scene.intents.load(OTHER, phrases)
    assert await scene.intents.remove(DEMO, intent="cancel", text="book it") == 0
    assert await scene.intents.remove(DEMO, text="book  it") == 1
    assert await scene.intents.remove(DEMO, intent="book") == 1
    assert await scene.intents.all(DEMO) == [("cancel it", "cancel")]
    assert await scene.intents.remove(DEMO) == 1
    assert len(await scene.intents.all(OTHER)) == 3


@pytest.mark.parametrize("pair", [("", "book"), ("hello", " "), ("x" * 501, "book")])
async def test_phrases_have_limits(scene: Scene, pair: tuple[str, str]) -> None:
    with pytest.raises(BadInputError):
        await scene.intents.load(DEMO, [pair])


async def test_phrases_at_once(scene: Scene) -> None:
    await asyncio.gather(*(scene.intents.load(DEMO, [("hello", "greet")]) for _ in range(5)))
    assert await scene.intents.all(DEMO) == [("hello", "greet")]
