import asyncio
from datetime import timedelta

import pytest

from app.store.state import SqlIdempotency, SqlPluginState
from core.errors import IdempotencyConflictError
from core.views import SavedResponse
from tests.store.scene import DEMO, OTHER, Scene

ANSWER = SavedResponse(201, {"order_id": "bkg_1", "list": [1, None, "ü"]})


async def test_a_plug_in_keeps_what_it_stores(scene: Scene) -> None:
    state = SqlPluginState(scene.database, scene.clock)
    assert await state.get("voice", DEMO, "call") is None
    await state.put("voice", DEMO, "call", {"step": 1, "nested": {"a": [1, 2]}})
    await state.put("voice", DEMO, "call", {"step": 2})
    await state.put("voice", OTHER, "call", {"step": 9})
    await state.put("sms", DEMO, "call", {"step": 8})
    assert await state.get("voice", DEMO, "call") == {"step": 2}
    assert await state.get("voice", OTHER, "call") == {"step": 9}
    assert await state.get("sms", DEMO, "call") == {"step": 8}


async def test_a_plug_in_writes_at_once(scene: Scene) -> None:
    state = SqlPluginState(scene.database, scene.clock)
    await asyncio.gather(*(state.put("voice", DEMO, "call", {"n": n}) for n in range(6)))
    kept = await state.get("voice", DEMO, "call")
    assert kept is not None
    assert kept["n"] in range(6)


async def test_an_answer_is_kept_for_a_day(scene: Scene) -> None:
    answers = SqlIdempotency(scene.database, scene.clock)
    assert await answers.get(DEMO, "k", "body") is None
    assert await answers.put(DEMO, "k", "body", ANSWER) == ANSWER
    assert await answers.get(DEMO, "k", "body") == ANSWER
    assert await answers.get(OTHER, "k", "body") is None
    with pytest.raises(IdempotencyConflictError):
        await answers.get(DEMO, "k", "another body")
    scene.clock.advance(timedelta(hours=24))
    assert await answers.get(DEMO, "k", "another body") is None
    newer = SavedResponse(200, None)
    assert await answers.put(DEMO, "k", "another body", newer) == newer


async def test_the_first_answer_stands(scene: Scene) -> None:
    answers = SqlIdempotency(scene.database, scene.clock)
    given = await asyncio.gather(
        *(answers.put(DEMO, "k", "body", SavedResponse(200, {"n": n})) for n in range(6))
    )
    assert len({str(r.body) for r in given}) == 1
    with pytest.raises(IdempotencyConflictError):
        await answers.put(DEMO, "k", "another body", ANSWER)


async def test_old_answers_are_swept(scene: Scene) -> None:
    answers = SqlIdempotency(scene.database, scene.clock)
    await answers.put(DEMO, "old", "body", ANSWER)
    scene.clock.advance(timedelta(hours=24))
    await answers.put(DEMO, "new", "body", ANSWER)
    assert await answers.sweep() == 1
    assert await answers.get(DEMO, "new", "body") == ANSWER
