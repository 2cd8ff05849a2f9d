"""The provider's moderation over HTTP: what it says, and that nothing waits or stops when it does not."""

import asyncio
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from app.adapters.moderation import HttpModerator, ModerationSettings
from app.metrics import PrometheusMetrics
from core.clock import FrozenClock
from core.ports import Moderated

SETTINGS = ModerationSettings(
    _env_file=None, base_url="https://mod.example/v1", api_key=SecretStr("k"), timeout=0.2
)
Answer = Callable[[httpx.Request], Any]


class Rig:
    """A moderator whose provider answers as a test says."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.requests: list[httpx.Request] = []
        self.clock = FrozenClock(datetime(2026, 3, 4, 12, tzinfo=UTC))
        self.metrics = PrometheusMetrics()
        transport = httpx.MockTransport(self._handle)
        self.moderator = HttpModerator(SETTINGS, self.clock, self.metrics, transport)

    async def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        found = self.answer(request)
        response: httpx.Response = await found if asyncio.iscoroutine(found) else found
        return response

    def counted(self, why: str) -> bool:
        return f'usher_moderation_failures_total{{why="{why}"}}' in self.metrics.render().decode()


def said(**scores: float) -> Answer:
    result = {
        "flagged": any(s >= 0.5 for s in scores.values()),
        "categories": {k.replace("__", "/"): s >= 0.5 for k, s in scores.items()},
        "category_scores": {k.replace("__", "/"): s for k, s in scores.items()},
    }
    return lambda _request: httpx.Response(200, json={"results": [result]})


@pytest.mark.parametrize(
    ("answer", "judged"),
    [
        (said(harassment=0.1), Moderated("none", "", 0.1)),
        (said(harassment=0.6, hate=0.2), Moderated("low", "harassment", 0.6)),
        (said(harassment=0.95), Moderated("high", "harassment", 0.95)),
        (said(harassment=0.8, hate__threatening=0.6), Moderated("high", "hate/threatening", 0.6)),
        (said(self_harm=0.7), Moderated("low", "self_harm", 0.7)),
    ],
)
async def test_categories_have_a_severity(answer: Answer, judged: Moderated) -> None:
    rig = Rig(answer)
    assert await rig.moderator.judge("text") == judged
    await rig.moderator.close()


async def test_the_provider_gets_masked_text_and_the_key() -> None:
    rig = Rig(said(hate=0.0))
    await rig.moderator.judge("card 4111 1111 1111 1111, I am Naomi Ryan " + "x" * 9000)
    (request,) = rig.requests
    sent = json.loads(request.content)["input"]
    assert str(request.url) == "https://mod.example/v1/moderations"
    assert request.headers["authorization"] == "Bearer k"
    assert "4111" not in sent
    assert "Naomi" not in sent
    assert len(sent) < 8_100
    await rig.moderator.close()


async def _hang(_request: httpx.Request) -> httpx.Response:
    await asyncio.Event().wait()
    raise AssertionError


def _refuse(_request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda _r: httpx.Response(500), "HTTPStatusError"),
        (lambda _r: httpx.Response(200, text="no json"), "JSONDecodeError"),
        (lambda _r: httpx.Response(200, json={"results": []}), "IndexError"),
        (lambda _r: httpx.Response(200, json=[]), "TypeError"),
        (lambda _r: httpx.Response(200, json={"results": [{"category_scores": None}]}), "AttributeError"),
        (_refuse, "ConnectError"),
        (_hang, "TimeoutError"),
    ],
)  # fmt: skip
async def test_a_provider_that_fails_changes_nothing_and_is_counted(
    answer: Answer, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    rig = Rig(answer)
    with caplog.at_level(logging.WARNING):
        assert await rig.moderator.judge("a secret text") is None
    assert rig.counted(why)
    assert "secret text" not in caplog.text
    await rig.moderator.close()


async def test_after_three_failures_it_is_given_a_rest() -> None:
    rig = Rig(lambda _r: httpx.Response(500))
    for _ in range(5):
        assert await rig.moderator.judge("x") is None
    assert len(rig.requests) == 3
    assert rig.counted("paused")
    rig.clock.advance(timedelta(seconds=31))
    rig.answer = said(hate=0.0)
    assert await rig.moderator.judge("x") == Moderated("none")
    await rig.moderator.close()
