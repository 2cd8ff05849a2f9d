"""A language model behind the Generator port: any OpenAI-compatible endpoint, through LangChain.

Owns the time limits, the second model, the circuit breakers and what counts as a failure (an empty
answer does). LangChain is imported on first use, in a thread: it takes seconds. Neither keys nor
texts are logged. Not here: whether the model may be asked, and what is said without it (handlers/).
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from app.adapters.citations import CitationStream, Part
from app.adapters.prompting import (
    MAX_QUESTION_CHARS,
    Prompt,
    language,
    new_fence,
    passage_blocks,
    read_prompt,
    talk_lines,
)
from core.clock import Clock
from core.errors import UnavailableError
from core.ports import Generated
from core.settings import Section
from core.turns import Passage
from core.understanding import Said

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage, BaseMessageChunk
    from langchain_openai import ChatOpenAI

logger = logging.getLogger(__name__)

UNKNOWN = "UNKNOWN"
FAILURES_TO_OPEN = 3
OPEN_FOR = timedelta(seconds=30)
_MAX_REWRITTEN = 400

OnPart = Callable[[str, tuple[int, ...]], Awaitable[None]]


class LlmSettings(Section):
    """The language model. Without `base_url` and `api_key` there is none, and answers are extracted.

    Times in seconds: `first_token_timeout` until the first words and between words, `timeout` for
    all. Budgets in tokens: `max_input_tokens` for the passages, `max_output_tokens` for the answer.
    """

    model_config = SettingsConfigDict(env_prefix="USHER_LLM_", populate_by_name=True)

    base_url: str = Field(default="", validation_alias="OPENAI_BASE_URL")
    api_key: SecretStr = Field(default=SecretStr(""), validation_alias="OPENAI_API_KEY")
    model: str = "gpt-4o-mini"
    second_model: str = ""
    first_token_timeout: float = Field(default=6.0, gt=0, le=120)
    timeout: float = Field(default=25.0, gt=0, le=300)
    rewrite_timeout: float = Field(default=4.0, gt=0, le=60)
    max_input_tokens: int = Field(default=3_000, ge=200)
    max_output_tokens: int = Field(default=500, ge=50)

    @property
    def is_configured(self) -> bool:
        """Return whether there is a model at all."""
        return bool(self.base_url or self.api_key.get_secret_value())


@dataclass(slots=True)
class Breaker:
    """Opens after three failures in a row, for 30 s; then one call at a time may try."""

    clock: Clock
    failures: int = 0
    opened_at: datetime | None = None

    @property
    def is_closed(self) -> bool:
        """Return whether calls may go through."""
        return self.opened_at is None or self.clock.now() - self.opened_at >= OPEN_FOR

    def attempt(self) -> None:
        """Note a try after the pause, so that others wait for what becomes of it."""
        if self.opened_at is not None:
            self.opened_at = self.clock.now()

    def succeeded(self) -> None:
        """Close."""
        self.failures = 0
        self.opened_at = None

    def failed(self) -> None:
        """Count a failure; open at the third."""
        self.failures += 1
        if self.failures >= FAILURES_TO_OPEN:
            self.opened_at = self.clock.now()


@dataclass(slots=True)
class _Written:
    """What one answer has so far."""

    parts: list[Part] = field(default_factory=list)
    tokens_in: int = 0
    tokens_out: int = 0

    @property
    def length(self) -> int:
        return sum(len(text) + 1 for text, _ in self.parts)


class LangChainGenerator:
    """The Generator port. The first model, then the second, then UnavailableError."""

    def __init__(self, settings: LlmSettings, clock: Clock) -> None:
        """Load nothing yet: neither SDK nor prompts."""
        self._settings = settings
        names = (settings.model, settings.second_model) if settings.is_configured else ()
        self._breakers = {name: Breaker(clock) for name in names if name}
        self._clients: dict[str, ChatOpenAI] = {}
        self._loading = asyncio.Lock()
        self._prompts: dict[str, Prompt] = {}

    @property
    def enabled(self) -> bool:
        """Return whether any model is configured and its circuit is closed."""
        return any(breaker.is_closed for breaker in self._breakers.values())

    async def answer(
        self,
        question: str,
        talk: Sequence[Said],
        passages: Sequence[Passage],
        locale: str,
        max_chars: int,
        on_part: OnPart | None = None,
    ) -> Generated:
        """Answer from the passages, numbered from 1; parts[0] is "UNKNOWN" when they do not answer.

        `on_part` gets each whole sentence as it streams. A model that fails after its first
        sentence is followed by the second one unheard: what was shown is a draft, and the draft is
        replaced. Raises UnavailableError when every model failed, timed out or is given a rest.
        """
        fence = new_fence()
        prompt = await self._prompt("answer")
        system, user = prompt.fill(
            {
                "language": language(locale),
                "max_chars": str(max_chars or 900),
                "fence": fence,
                "passages": passage_blocks(passages, fence, self._settings.max_input_tokens),
                "talk": talk_lines(talk),
                "question": question[:MAX_QUESTION_CHARS],
            }
        )
        shown = False

        async def show(text: str, numbers: tuple[int, ...]) -> None:
            nonlocal shown
            shown = True
            if on_part is not None:
                await on_part(text, numbers)

        for name in self._available():
            written = _Written()
            if await self._tried(
                name,
                self._streamed(
                    name, system, user, len(passages), max_chars, written, None if shown else show
                ),
            ):
                return Generated(
                    tuple(written.parts),
                    name,
                    written.tokens_in,
                    written.tokens_out,
                )
        raise UnavailableError("no language model answered")

    async def rewrite(self, question: str, talk: Sequence[Said]) -> str:
        """Return the question standing on its own; the question itself when there is no model."""
        if not talk or not question.strip():
            return question
        prompt = await self._prompt("rewrite")
        system, user = prompt.fill(
            {
                "fence": new_fence(),
                "talk": talk_lines(talk),
                "question": question[:MAX_QUESTION_CHARS],
            }
        )
        found: list[str] = []
        for name in self._available():
            if await self._tried(name, self._completed(name, system, user, found)):
                return _rewritten(found[-1], question)
        return question

    async def close(self) -> None:
        """Close the connections."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.root_async_client.close()
            await asyncio.to_thread(client.root_client.close)

    async def _prompt(self, name: str) -> Prompt:
        if name not in self._prompts:
            self._prompts[name] = await asyncio.to_thread(read_prompt, name)
        return self._prompts[name]

    # ---------------------------------------------------------------- one model

    def _available(self) -> list[str]:
        return [name for name, breaker in self._breakers.items() if breaker.is_closed]

    async def _tried(self, name: str, call: Awaitable[None]) -> bool:
        """Run the call and tell the breaker; only failures of the model are swallowed."""
        breaker = self._breakers[name]
        breaker.attempt()
        try:
            await call
        except _ModelError as error:
            breaker.failed()
            logger.warning(
                "llm.failed",
                extra={"model": name, "why": str(error), "open": not breaker.is_closed},
            )
            return False
        breaker.succeeded()
        return True

    async def _streamed(
        self,
        name: str,
        system: str,
        user: str,
        count: int,
        max_chars: int,
        written: _Written,
        show: OnPart | None,
    ) -> None:
        """Stream one answer into `written`. Raises _ModelError."""
        stream = CitationStream(count)
        async with aclosing(self._deltas(name, system, user, written)) as deltas:
            async for delta in deltas:
                for part in stream.feed(delta):
                    if not await _add(part, written, max_chars, show):
                        return
        for part in stream.finish():
            if not await _add(part, written, max_chars, show):
                return
        if not written.parts:
            raise _ModelError("empty")

    async def _deltas(
        self, name: str, system: str, user: str, written: _Written
    ) -> AsyncGenerator[str, None]:
        """Yield the text as it comes, within the time limits. Raises _ModelError.

        The limits hold for the model alone: what is done with a delta is not on its clock.
        """
        client, messages, failures = await self._ready(name, system, user)
        loop = asyncio.get_running_loop()
        left = self._settings.timeout
        async with aclosing(client.astream(messages)) as chunks:  # type: ignore[type-var]
            while True:
                started = loop.time()
                try:
                    limit = min(self._settings.first_token_timeout, left)
                    text = await asyncio.wait_for(_next_text(chunks, written), limit)
                except failures as error:
                    raise _ModelError(type(error).__name__) from None
                if text is None:
                    return
                left -= loop.time() - started
                if left <= 0:
                    raise _ModelError("timeout")
                yield text

    async def _completed(self, name: str, system: str, user: str, found: list[str]) -> None:
        """Put one short completion into `found`. Raises _ModelError."""
        client, messages, failures = await self._ready(name, system, user)
        try:
            async with asyncio.timeout(self._settings.rewrite_timeout):
                said = await client.ainvoke(messages)
        except failures as error:
            raise _ModelError(type(error).__name__) from None
        text = _text(said).strip()
        if not text:
            raise _ModelError("empty")
        found.append(text)

    async def _ready(
        self, name: str, system: str, user: str
    ) -> "tuple[ChatOpenAI, list[BaseMessage], tuple[type[Exception], ...]]":
        async with self._loading:
            if name not in self._clients:
                self._clients[name] = await asyncio.to_thread(_client, self._settings, name)
        from langchain_core.messages import HumanMessage, SystemMessage

        return self._clients[name], [SystemMessage(system), HumanMessage(user)], _failures()


class _ModelError(Exception):
    """One model did not answer; says why in a word or a class name."""


def _client(settings: LlmSettings, name: str) -> "ChatOpenAI":
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(
        model=name,
        base_url=settings.base_url or None,
        # An endpoint of one's own may ask for no key; the SDK insists on one.
        api_key=settings.api_key if settings.api_key.get_secret_value() else SecretStr("none"),
        temperature=0,
        max_retries=0,
        timeout=settings.timeout,
        max_completion_tokens=settings.max_output_tokens,
        use_responses_api=False,
    )


def _failures() -> tuple[type[Exception], ...]:
    """Return what a model, its server or a broken answer of it may raise."""
    import httpx
    from langchain_core.exceptions import LangChainException
    from openai import OpenAIError

    broken = (ValueError, TypeError, KeyError, AttributeError, IndexError)
    return (OpenAIError, httpx.HTTPError, LangChainException, TimeoutError, OSError, *broken)


async def _next_text(chunks: "AsyncIterator[BaseMessageChunk]", written: _Written) -> str | None:
    """Return the next piece that has words, or None at the end; notes the usage on the way."""
    async for chunk in chunks:
        usage = getattr(chunk, "usage_metadata", None)
        if usage:
            written.tokens_in = int(usage.get("input_tokens") or 0)
            written.tokens_out = int(usage.get("output_tokens") or 0)
        text = _text(chunk)
        if text:
            return text
    return None


def _text(message: "BaseMessage") -> str:
    content = message.content
    if isinstance(content, str):
        return content
    return "".join(
        part if isinstance(part, str) else str(part.get("text") or "") for part in content
    )


async def _add(part: Part, written: _Written, max_chars: int, show: OnPart | None) -> bool:
    """Keep a sentence and show it; False when the answer is over (unknown, or long enough)."""
    text, numbers = part
    if not written.parts and text.strip("\"'`.*_ ").upper() == UNKNOWN:
        written.parts.append((UNKNOWN, ()))
        return False
    if max_chars and written.parts and written.length + len(text) > max_chars:
        return False
    written.parts.append(part)
    if show is not None:
        await show(text, numbers)
    return True


def _rewritten(text: str, question: str) -> str:
    """Return the model's line if it can be a question of the customer's, else the question."""
    line = " ".join(text.split()).strip("\"'“”`")
    return line if line and len(line) <= max(_MAX_REWRITTEN, len(question)) else question
