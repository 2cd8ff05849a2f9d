"""The provider's moderation endpoint behind the Moderator port (OpenAI-compatible `POST /moderations`).

Owns the time limit, the pause after failures, and which categories are severe. It fails open: without an answer the
turn goes on, and the failure is counted. Texts are masked before they leave and never logged.
"""

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

import httpx
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from core.clock import Clock
from core.pii import mask
from core.ports import Metrics, Moderated
from core.settings import Section

logger = logging.getLogger(__name__)

PAUSE = timedelta(seconds=30)
FAILURES_TO_PAUSE = 3
LONGEST = 8_000
# Words of others' rage, or of somebody's distress, are no offence: those are listed as flagged, not as severe.
SEVERE = frozenset(
    {
        "sexual/minors",
        "hate/threatening",
        "harassment/threatening",
        "violence/graphic",
        "self-harm/instructions",
        "illicit/violent",
    }
)


# What a provider, the way to it or a broken answer of it may raise.
_BROKEN = (
    TimeoutError,
    httpx.HTTPError,
    ValueError,
    KeyError,
    TypeError,
    IndexError,
    AttributeError,
)


class ModerationSettings(Section):
    """The provider's moderation. Without `base_url` there is none.

    `timeout` in seconds for the whole answer. A flagged category that scores `severe` counts as severe.
    """

    model_config = SettingsConfigDict(env_prefix="USHER_MODERATION_")

    base_url: str = ""
    api_key: SecretStr = SecretStr("")
    model: str = "omni-moderation-latest"
    timeout: float = Field(default=2.0, gt=0, le=4)
    severe: float = Field(default=0.9, gt=0, le=1)


class HttpModerator:
    """Port `Moderator` over HTTP."""

    def __init__(
        self,
        settings: ModerationSettings,
        clock: Clock,
        metrics: Metrics,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Connect to nothing yet."""
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        key = settings.api_key.get_secret_value()
        self._client = httpx.AsyncClient(
            base_url=settings.base_url.rstrip("/") + "/",
            headers={"authorization": f"Bearer {key}"} if key else {},
            timeout=settings.timeout,
            transport=transport,
        )
        self._failures = 0
        self._paused_until: datetime | None = None

    async def judge(self, text: str) -> Moderated | None:
        """See the port."""
        now = self._clock.now()
        if self._paused_until is not None and now < self._paused_until:
            self._metrics.count("moderation_failures", why="paused")
            return None
        body = {"input": mask(text[:LONGEST]), "model": self._settings.model}
        try:
            async with asyncio.timeout(self._settings.timeout):
                answer = await self._client.post("moderations", json=body)
            answer.raise_for_status()
            judged = _judged(answer.json(), self._settings.severe)
        except _BROKEN as error:
            self._failed(type(error).__name__, now)
            return None
        self._failures, self._paused_until = 0, None
        return judged

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _failed(self, why: str, now: datetime) -> None:
        self._failures += 1
        if self._failures >= FAILURES_TO_PAUSE:
            self._paused_until = now + PAUSE
        self._metrics.count("moderation_failures", why=why)
        logger.warning("moderation.failed", extra={"why": why})


def _judged(answer: Mapping[str, object], severe: float) -> Moderated:
    """Read a provider's answer. Raises KeyError, TypeError, ValueError, IndexError for one that is none."""
    results = answer["results"]
    result = results[0]  # type: ignore[index]
    scores = {str(name): float(score) for name, score in result["category_scores"].items()}
    flagged = {str(name) for name, value in result["categories"].items() if value is True}
    if not flagged:
        return Moderated("none", score=max(scores.values(), default=0.0))
    worst = max(flagged, key=lambda name: (name in SEVERE, scores.get(name, 0.0)))
    score = min(1.0, max(0.0, scores.get(worst, 0.0)))
    high = worst in SEVERE or score >= severe
    return Moderated("high" if high else "low", worst, score)
