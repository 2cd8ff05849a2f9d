"""One chat model: its client, one call in words or streamed, its time limits, and everything that counts as failure.

LangChain is imported on first use, in a thread: it takes seconds. Neither keys nor texts are logged.
Not here: which model is asked (app/adapters/llm.py).
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from pydantic import SecretStr

from app.adapters.llm_settings import LlmSettings
from core.clock import Clock

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage, BaseMessageChunk
    from langchain_openai import AzureChatOpenAI, ChatOpenAI

FAILURES_TO_OPEN = 3
OPEN_FOR = timedelta(seconds=30)
LONGEST_REST = timedelta(minutes=10)  # whatever a server asks for


class ModelError(Exception):
    """One model did not answer; says why in a word or a class name.

    `rest` is how long the server wants to be left alone. `declined` says that it was this text, not the model's health.
    """

    def __init__(self, why: str, rest: timedelta | None = None, *, declined: bool = False) -> None:
        super().__init__(why)
        self.rest = rest
        self.declined = declined


@dataclass(slots=True)
class Breaker:
    """Opens after three failures in a row, for 30 s; then one call at a time may try."""

    clock: Clock
    failures: int = 0
    opened_at: datetime | None = None
    rest: timedelta = OPEN_FOR

    @property
    def is_closed(self) -> bool:
        """Return whether calls may go through."""
        return self.opened_at is None or self.clock.now() - self.opened_at >= self.rest

    def attempt(self) -> None:
        """Note a try after the pause, so that others wait for what becomes of it."""
        if self.opened_at is not None:
            self.opened_at = self.clock.now()

    def succeeded(self) -> None:
        """Close."""
        self.failures = 0
        self.opened_at = None
        self.rest = OPEN_FOR

    def failed(self, error: ModelError) -> None:
        """Count a failure; open at the third, and at once for as long as the server asks."""
        if error.declined:
            return
        self.failures += 1
        if error.rest is not None:
            self.rest = min(error.rest, LONGEST_REST)
        if self.failures >= FAILURES_TO_OPEN or error.rest is not None:
            self.opened_at = self.clock.now()


@dataclass(slots=True)
class Usage:
    """Tokens of a call so far, as the server counts them; `length` when it stopped at the limit."""

    tokens_in: int = 0
    tokens_out: int = 0
    finish: str = ""


class Chat:
    """One model of an endpoint. Safe to share between tasks of one loop."""

    def __init__(self, settings: LlmSettings, name: str) -> None:
        """Load nothing yet."""
        self._settings = settings
        self.name = name
        self._client: AzureChatOpenAI | ChatOpenAI | None = None
        self._loading = asyncio.Lock()

    async def stream(self, system: str, user: str, usage: Usage) -> AsyncGenerator[str, None]:
        """Yield the text as it comes, within the time limits. Raises ModelError.

        The limits hold for the model alone: what is done with a piece is not on its clock.
        """
        client, messages, failures = await self._ready(system, user)
        loop = asyncio.get_running_loop()
        left = self._settings.timeout
        async with aclosing(client.astream(messages)) as chunks:  # type: ignore[type-var]
            while True:
                started = loop.time()
                try:
                    limit = min(self._settings.first_token_timeout, left)
                    text = await asyncio.wait_for(_next_text(chunks, usage), limit)
                except failures as error:
                    raise _told(error) from None
                if text is None:
                    return
                left -= loop.time() - started
                if left <= 0:
                    raise ModelError("timeout")
                yield text

    async def complete(self, system: str, user: str, usage: Usage) -> str:
        """Return one short completion, not empty. Raises ModelError."""
        client, messages, failures = await self._ready(system, user)
        try:
            async with asyncio.timeout(self._settings.rewrite_timeout):
                said = await client.ainvoke(messages)
        except failures as error:
            raise _told(error) from None
        _note(said, usage)
        text = _text(said).strip()
        if not text:
            raise ModelError("empty")
        return text

    async def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.root_async_client.close()
            await asyncio.to_thread(client.root_client.close)

    async def _ready(
        self, system: str, user: str
    ) -> "tuple[AzureChatOpenAI | ChatOpenAI, list[BaseMessage], tuple[type[Exception], ...]]":
        async with self._loading:
            if self._client is None:
                self._client = await asyncio.to_thread(_client, self._settings, self.name)
        from langchain_core.messages import HumanMessage, SystemMessage

        return self._client, [SystemMessage(system), HumanMessage(user)], _failures()


def _client(settings: LlmSettings, name: str) -> "AzureChatOpenAI | ChatOpenAI":
    from langchain_openai import AzureChatOpenAI, ChatOpenAI

    limits = {
        "temperature": 0,
        "max_retries": 0,
        "timeout": settings.timeout,
        "stream_usage": True,
    }
    if settings.azure_endpoint:
        return AzureChatOpenAI(
            azure_endpoint=settings.azure_endpoint,
            azure_deployment=name,
            api_version=settings.azure_api_version,
            api_key=settings.api_key,
            max_tokens=settings.max_output_tokens,
            **limits,
        )
    return ChatOpenAI(
        model=name,
        base_url=settings.base_url or None,
        # An endpoint of one's own may ask for no key; the SDK insists on one.
        api_key=settings.api_key if settings.api_key.get_secret_value() else SecretStr("none"),
        max_completion_tokens=settings.max_output_tokens,
        use_responses_api=False,
        **limits,
    )


def _failures() -> tuple[type[Exception], ...]:
    """Return what a model, its server or a broken answer of it may raise."""
    import httpx
    from langchain_core.exceptions import LangChainException
    from openai import OpenAIError

    broken = (ValueError, TypeError, KeyError, AttributeError, IndexError)
    return (
        ModelError,
        OpenAIError,
        httpx.HTTPError,
        LangChainException,
        TimeoutError,
        OSError,
        *broken,
    )


def _told(error: Exception) -> ModelError:
    """Return the failure as ours, with the rest the server asks for; its words are not kept."""
    if isinstance(error, ModelError):
        return error
    code = getattr(error, "code", None)
    if code in ("content_filter", "content_policy_violation"):
        return ModelError("content_filter", declined=True)
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    if status in (429, 503):
        headers = response.headers if response is not None else {}
        asked = _rest(headers.get("retry-after", ""), headers.get("date", ""))
        return ModelError(f"http_{status}", asked)
    return ModelError(type(error).__name__)


def _rest(value: str, sent: str) -> timedelta | None:
    """Return what a Retry-After header asks for: seconds, or a date (RFC 9110 §10.2.3)."""
    try:
        if value.strip().replace(".", "", 1).isdigit():
            return timedelta(seconds=float(value))
        return max(timedelta(), parsedate_to_datetime(value) - parsedate_to_datetime(sent))
    except (ValueError, TypeError, OverflowError):
        return None


async def _next_text(chunks: "AsyncIterator[BaseMessageChunk]", usage: Usage) -> str | None:
    """Return the next piece that has words, or None at the end; notes the usage on the way."""
    async for chunk in chunks:
        _note(chunk, usage)
        text = _text(chunk)
        if text:
            return text
    return None


def _note(message: "BaseMessage", usage: Usage) -> None:
    """Note tokens and how it ended. Raises ModelError when the model or a filter would not answer."""
    counted = getattr(message, "usage_metadata", None)
    if counted:
        usage.tokens_in = int(counted.get("input_tokens") or 0)
        usage.tokens_out = int(counted.get("output_tokens") or 0)
    usage.finish = str(message.response_metadata.get("finish_reason") or usage.finish)
    if message.additional_kwargs.get("refusal"):
        raise ModelError("refusal", declined=True)
    if usage.finish == "content_filter":
        raise ModelError("content_filter", declined=True)


def _text(message: "BaseMessage") -> str:
    content = message.content
    if isinstance(content, str):
        return content
    return "".join(
        part if isinstance(part, str) else str(part.get("text") or "") for part in content
    )
