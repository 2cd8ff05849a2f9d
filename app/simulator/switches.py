"""What stand-ins share: failures to order, signed webhooks to post.

Owns no provider's shapes; those are in twilio_api.py and slack_api.py.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

POST_TIMEOUT = 10.0  # seconds for a webhook, as providers give


@dataclass(frozen=True, slots=True)
class Failure:
    """One way to fail. `status` 0 is no answer at all; `accepted` does the work first, then fails.

    `code` is the provider's own error code; `retry_after` in seconds.
    """

    status: int = 0
    code: str = ""
    retry_after: int | None = None
    accepted: bool = False

    @classmethod
    def timeout(cls, *, accepted: bool) -> "Failure":
        """Never answer, after accepting the message or without."""
        return cls(accepted=accepted)

    @classmethod
    def error(cls, status: int, *, accepted: bool = False) -> "Failure":
        """Answer a bare 5xx."""
        return cls(status=status, accepted=accepted)

    @classmethod
    def rate_limited(cls, retry_after: int) -> "Failure":
        """Answer 429 in the provider's shape."""
        return cls(status=429, retry_after=retry_after)

    @classmethod
    def refused(cls, code: str, status: int = 400) -> "Failure":
        """Answer the provider's refusal with this code."""
        return cls(status=status, code=code)


class Switches:
    """Failures waiting to happen, oldest first; each is used up by one request."""

    def __init__(self) -> None:
        """Start without failures."""
        self._ordered: deque[Failure] = deque()
        self._released = asyncio.Event()

    def fail(self, failure: Failure, times: int = 1) -> None:
        """Let the next `times` requests fail this way."""
        self._ordered.extend([failure] * times)

    def clear(self) -> None:
        """Let everything work again."""
        self._ordered.clear()

    @property
    def waiting(self) -> int:
        """How many requests are still to fail."""
        return len(self._ordered)

    def take(self) -> Failure | None:
        """Return the failure the current request is to meet, using it up."""
        return self._ordered.popleft() if self._ordered else None

    async def hang(self) -> None:
        """Wait until `release`: what a caller sees as a time-out."""
        await self._released.wait()

    def release(self) -> None:
        """Let everything that hangs go on (call it before stopping the server)."""
        self._released.set()


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A webhook as the provider would send it. Header names are lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


async def post(request: SignedRequest, to: str | None = None) -> int:
    """Send the webhook, to `to` instead of its signed URL if given, and return the status.

    Raises httpx.HTTPError when nobody answers.
    """
    async with httpx.AsyncClient(timeout=POST_TIMEOUT, trust_env=False) as client:
        answer = await client.request(
            request.method, to or request.url, headers=dict(request.headers), content=request.body
        )
    return answer.status_code
