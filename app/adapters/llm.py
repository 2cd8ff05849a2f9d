"""Language models behind the Generator port: what is asked, which model in which order, and what it may cost.

Owns the prompts' filling, the second model, the circuit breakers, the tenants' budgets, masking what leaves, and the
canary that shows a leak of the prompt. Not here: one call (app/adapters/chat.py), whether the model may be asked and
what is said without it (handlers/). Neither keys nor texts are logged.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from app.adapters.canary import leaks, new_canary
from app.adapters.chat import Breaker, Chat, ModelError, Usage
from app.adapters.citations import CitationStream, Part
from app.adapters.llm_settings import LlmSettings
from app.adapters.prompting import (
    CHARS_PER_TOKEN,
    MAX_QUESTION_CHARS,
    MAX_TALK,
    Prompt,
    clean,
    language,
    new_fence,
    passage_blocks,
    read_prompt,
    style_label,
    style_lines,
    talk_lines,
)
from core.clock import Clock
from core.errors import UnavailableError
from core.ids import TenantId
from core.pii import SECRET, Masking, find, mask
from core.ports import (
    PLAIN_VOICE,
    Generated,
    Metrics,
    ModelCall,
    ModelUse,
    ModelUses,
    Voice,
)
from core.turns import Passage
from core.understanding import Said

logger = logging.getLogger(__name__)

UNKNOWN = "UNKNOWN"
LONGEST = 900  # characters of an answer where nobody says how long
_MAX_REWRITTEN = 400
_SPENT = "The language model's budget of the day is spent. Until midnight UTC answers are quoted from the docs."

OnPart = Callable[[str, tuple[int, ...]], Awaitable[None]]
Spent = Callable[[ModelCall], None]


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question to models, filled in. `label` names prompt and voice; `masking` puts back what was masked."""

    tenant: TenantId
    prompt: Prompt
    system: str
    user: str
    canary: str
    masking: Masking
    label: str
    spent: Spent | None = None


@dataclass(slots=True)
class _Written:
    """What one answer has so far; `raw` is all the model said, markers too."""

    usage: Usage = field(default_factory=Usage)
    parts: list[Part] = field(default_factory=list)
    raw: str = ""

    @property
    def length(self) -> int:
        return sum(len(text) + 1 for text, _ in self.parts)


class _LeakError(UnavailableError):
    """The answer held the canary: somebody made the model recite. No other model is asked the same."""


class LangChainGenerator:
    """The Generator port. The first model, then the second, then UnavailableError."""

    def __init__(
        self,
        settings: LlmSettings,
        clock: Clock,
        uses: ModelUses | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        """Load nothing yet: neither SDK nor prompts. Without `uses` nothing is counted and no budget holds."""
        self._settings = settings
        self._uses = uses
        self._metrics = metrics
        self._chats = {name: Chat(settings, name) for name in settings.names}
        self._breakers = {name: Breaker(clock) for name in settings.names}
        self._prompts: dict[str, Prompt] = {}

    @property
    def enabled(self) -> bool:
        """Return whether any model that answers is configured and its circuit is closed."""
        return bool(self._available(self._settings.answering))

    async def answer(
        self,
        tenant: TenantId,
        question: str,
        talk: Sequence[Said],
        passages: Sequence[Passage],
        locale: str,
        max_chars: int,
        on_part: OnPart | None = None,
        *,
        voice: Voice = PLAIN_VOICE,
        spent: Spent | None = None,
    ) -> Generated:
        """Answer from the passages, numbered from 1; parts[0] is "UNKNOWN" when they do not answer.

        `on_part` gets each whole sentence as it streams. A model that fails after its first
        sentence is followed by the second one unheard: what was shown is a draft, and the draft is
        replaced. Internal passages are never shown to a model. Raises UnavailableError when every model
        failed, timed out or is given a rest, the day's budget is spent, or the prompt leaked.
        """
        await self._within_budget(tenant)
        fence = new_fence()
        slots = {
            "language": language(locale),
            "max_chars": str(max_chars or LONGEST),
            "passages": passage_blocks(passages, fence, self._settings.max_input_tokens),
            "style": style_lines(voice),
        }
        asked = await self._asked("answer", tenant, question, talk, fence, slots)
        asked = replace(asked, label=asked.prompt.label + style_label(voice), spent=spent)
        shown = False

        async def show(text: str, numbers: tuple[int, ...]) -> None:
            nonlocal shown
            shown = True
            if on_part is not None:
                await on_part(text, numbers)

        for name in self._available(self._settings.answering):
            written = _Written()
            hearer = None if shown else show
            call = self._streamed(name, asked, len(passages), max_chars, written, hearer)
            if await self._tried(name, asked, written.usage, call):
                return self._generated(name, written)
        self._count("llm_fallbacks", to="extraction")
        raise UnavailableError("no language model answered")

    async def rewrite(
        self,
        tenant: TenantId,
        question: str,
        talk: Sequence[Said],
        *,
        spent: Spent | None = None,
    ) -> str:
        """Return the question standing on its own; the question itself when there is no model for it."""
        models = self._available(self._settings.rewriting)
        if not talk or not question.strip() or not models:
            return question
        try:
            await self._within_budget(tenant)
            asked = await self._asked("rewrite", tenant, question, talk, new_fence(), {})
            asked = replace(asked, spent=spent)
            for name in models:
                found: list[str] = []
                usage = Usage()
                if await self._tried(
                    name, asked, usage, self._completed(name, asked, found, usage)
                ):
                    return _rewritten(asked.masking.restore(found[-1]), question)
        except UnavailableError:
            logger.info("llm.rewrite_unavailable")
        return question

    async def close(self) -> None:
        """Close the connections."""
        for chat in self._chats.values():
            await chat.close()

    # ---------------------------------------------------------------- what is asked

    async def _asked(
        self,
        name: str,
        tenant: TenantId,
        question: str,
        talk: Sequence[Said],
        fence: str,
        slots: dict[str, str],
    ) -> _Asked:
        """Fill a prompt. Personal data goes as `<TYPE_n>`, cards, identity numbers and secrets for good."""
        prompt = await self._prompt(name)
        masking = Masking()
        canary = new_canary()
        said = [Said(s.role, masking.mask(_unsaid(s.text))) for s in talk[-MAX_TALK:]]
        system, user = prompt.fill(
            {
                **slots,
                "fence": fence,
                "canary": canary,
                "talk": talk_lines(said),
                "question": clean(masking.mask(_unsaid(question)))[:MAX_QUESTION_CHARS],
            }
        )
        return _Asked(tenant, prompt, system, user, canary, masking, prompt.label)

    async def _prompt(self, name: str) -> Prompt:
        if name not in self._prompts:
            self._prompts[name] = await asyncio.to_thread(read_prompt, name)
        return self._prompts[name]

    # ---------------------------------------------------------------- budget

    async def _within_budget(self, tenant: TenantId) -> None:
        """Raise UnavailableError once the tenant's tokens or money of the day are spent; the team hears it once."""
        limits = self._settings
        if self._uses is None or not (limits.daily_tokens or limits.daily_cost):
            return
        today = await self._uses.today(tenant)
        tokens = sum(use.tokens_in + use.tokens_out for use in today)
        cost = sum(limits.cost(use.model, use.tokens_in, use.tokens_out) for use in today)
        over = limits.daily_tokens and tokens >= limits.daily_tokens
        if not over and not (limits.daily_cost and cost >= limits.daily_cost):
            return
        self._count("llm_fallbacks", to="budget")
        if await self._uses.tell_spent(tenant, _SPENT):
            logger.warning("llm.budget_spent", extra={"tenant": tenant})
        raise UnavailableError("the language model's budget of the day is spent")

    async def _spend(
        self, name: str, asked: _Asked, usage: Usage, seconds: float, *, ok: bool
    ) -> None:
        """Count a call. A server that does not count tokens is counted by characters, so that budgets hold."""
        tokens_in = usage.tokens_in or (len(asked.system) + len(asked.user)) // CHARS_PER_TOKEN
        usage.tokens_in = tokens_in
        outcome = "answered" if ok else "failed"
        self._count("llm_calls", model=name, prompt=asked.prompt.name, outcome=outcome)
        self._count("llm_tokens", tokens_in, model=name, direction="in")
        self._count("llm_tokens", usage.tokens_out, model=name, direction="out")
        cost = self._settings.cost(name, tokens_in, usage.tokens_out)
        self._count("llm_cost_usd", cost, model=name)
        if asked.spent is not None:
            tier = self._settings.tier(name)
            asked.spent(ModelCall(name, tier, asked.label, tokens_in, usage.tokens_out, cost, ok))
        if self._metrics is not None:
            self._metrics.observe("llm_seconds", seconds, model=name, prompt=asked.prompt.name)
        if self._uses is not None:
            use = ModelUse(name, 1, int(not ok), tokens_in, usage.tokens_out)
            await self._uses.add(asked.tenant, use)

    def _count(self, metric: str, amount: float = 1.0, **labels: str) -> None:
        if self._metrics is not None:
            self._metrics.count(metric, amount, **labels)

    # ---------------------------------------------------------------- one model

    def _available(self, names: Sequence[str]) -> list[str]:
        return [name for name in names if self._breakers[name].is_closed]

    async def _tried(self, name: str, asked: _Asked, usage: Usage, call: Awaitable[None]) -> bool:
        """Run the call, tell the breaker and count it; only failures of the model are swallowed."""
        breaker = self._breakers[name]
        breaker.attempt()
        started = time.perf_counter()
        ok = False
        try:
            await call
            ok = True
        except ModelError as error:
            breaker.failed(error)
            facts = {"model": name, "why": str(error), "open": not breaker.is_closed}
            logger.warning("llm.failed", extra=facts)
            self._count("llm_failures", model=name, why=str(error))
        except _LeakError:
            logger.warning("llm.canary_leaked", extra={"model": name, "prompt": asked.label})
            self._count("llm_canary_leaks", model=name)
            raise
        else:
            breaker.succeeded()
        finally:
            await self._spend(name, asked, usage, time.perf_counter() - started, ok=ok)
        return ok

    async def _streamed(
        self,
        name: str,
        asked: _Asked,
        count: int,
        max_chars: int,
        written: _Written,
        show: OnPart | None,
    ) -> None:
        """Stream one answer into `written`. Raises ModelError, _LeakError."""
        stream = CitationStream(count)
        async with aclosing(
            self._chats[name].stream(asked.system, asked.user, written.usage)
        ) as deltas:
            async for delta in deltas:
                written.raw += delta
                for part in stream.feed(delta):
                    if not await self._add(part, asked, written, max_chars, show):
                        return
        last = stream.finish()
        if written.usage.finish == "length" and last and not last[-1][1]:
            last.pop()  # cut off in the middle of a sentence
        for part in last:
            if not await self._add(part, asked, written, max_chars, show):
                return
        if not written.parts:
            # A refusal streams like this: nothing, and a proper end. The model is well.
            raise ModelError("empty", declined=bool(written.usage.finish))

    async def _add(
        self, part: Part, asked: _Asked, written: _Written, max_chars: int, show: OnPart | None
    ) -> bool:
        """Keep a sentence and show it; False when the answer is over (unknown, or long enough)."""
        if not written.usage.tokens_out:
            # no count by the server so far
            written.usage.tokens_out = max(1, len(written.raw) // CHARS_PER_TOKEN)
        if leaks(written.raw, asked.canary):
            raise _LeakError("the answer gave away the prompt")
        text, numbers = asked.masking.restore(part[0]), part[1]
        if not written.parts and text.strip("\"'`.*_ ").upper() == UNKNOWN:
            written.parts.append((UNKNOWN, ()))
            return False
        if max_chars and written.parts and written.length + len(text) > max_chars:
            return False
        written.parts.append((text, numbers))
        if show is not None:
            await show(text, numbers)
        return True

    async def _completed(self, name: str, asked: _Asked, found: list[str], usage: Usage) -> None:
        """Put one short completion into `found`. Raises ModelError, _LeakError."""
        text = await self._chats[name].complete(asked.system, asked.user, usage)
        if leaks(text, asked.canary):
            raise _LeakError("the rewritten question gave away the prompt")
        found.append(text)

    def _generated(self, name: str, written: _Written) -> Generated:
        if name != self._settings.model:
            self._count("llm_fallbacks", to="second_model")
        return Generated(tuple(written.parts), name)


def _unsaid(text: str) -> str:
    """Return the text without what no model needs: cards, identity numbers, passwords and keys."""
    return mask(text, [span for span in find(text, names=False) if span[0] in SECRET])


def _rewritten(text: str, question: str) -> str:
    """Return the model's line if it can be a question of the customer's, else the question."""
    line = " ".join(text.split()).strip("\"'“”`")
    return line if line and len(line) <= max(_MAX_REWRITTEN, len(question)) else question
