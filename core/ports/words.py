"""Sentences, language models, and a plug-in's own small state."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.ids import (
    TenantId,
)
from core.turns import Citation, Passage
from core.understanding import Said


class Lines(Protocol):
    """Every sentence a customer can receive without generation."""

    def say(self, key: str, locale: str, channel: str = "", **slots: object) -> str:
        """Return the line in the locale (else English), in the channel's variant if there is one.

        Raises KeyError for an unknown key or a missing slot.
        """
        ...

    def variants(self, key: str) -> Mapping[str, Sequence[str]]:
        """Return locale → list for keys that hold lists (words for a person, day names)."""
        ...


@dataclass(frozen=True, slots=True)
class Generated:
    """What a model wrote: parts of text, each with the numbers of the passages it leans on."""

    parts: tuple[tuple[str, tuple[int, ...]], ...]
    model: str


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call of a model, failed ones too.

    `tier` is `first` | `second` | `cheap`; `prompt` the prompt's name@version and hash, with the voice's behind it;
    `cost` in USD, 0 where no price is known.
    """

    model: str
    tier: str
    prompt: str
    tokens_in: int
    tokens_out: int
    cost: float
    ok: bool


@dataclass(frozen=True, slots=True)
class Voice:
    """How a team wants its bot to sound; data in a prompt, never a source of facts.

    `persona` and `tone` (of the customer's edition) in the team's words; `level` is how easily it must read.
    """

    persona: str = ""
    tone: str = ""
    level: str = ""


PLAIN_VOICE = Voice()


class Generator(Protocol):
    """A language model behind timeouts, budgets and a second model. None is configured by default."""

    @property
    def enabled(self) -> bool:
        """Return whether any model is configured and its circuit is closed."""
        ...

    async def answer(
        self,
        tenant: TenantId,
        question: str,
        talk: Sequence[Said],
        passages: Sequence[Passage],
        locale: str,
        max_chars: int,
        on_part: Callable[[str, tuple[int, ...]], Awaitable[None]] | None = None,
        *,
        voice: Voice = PLAIN_VOICE,
        spent: Callable[[ModelCall], None] | None = None,
    ) -> Generated:
        """Answer from the passages, numbered from 1. `on_part` is called with each whole sentence as it streams.

        `spent` hears of every call that was made, also when none answered. Raises UnavailableError when every model
        failed or timed out, the tenant's budget of the day is spent, or the answer gave away the prompt.
        """
        ...

    async def rewrite(
        self,
        tenant: TenantId,
        question: str,
        talk: Sequence[Said],
        *,
        spent: Callable[[ModelCall], None] | None = None,
    ) -> str:
        """Return the question standing on its own; the question itself when the model is unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class ModelUse:
    """What a tenant used of one model in one UTC day."""

    model: str
    calls: int = 0
    failures: int = 0
    tokens_in: int = 0
    tokens_out: int = 0


class ModelUses(Protocol):
    """What tenants used of language models, per UTC day."""

    async def today(self, tenant: TenantId) -> Sequence[ModelUse]:
        """Return today's uses, a row a model."""
        ...

    async def add(self, tenant: TenantId, use: ModelUse) -> None:
        """Add to today's row of that model."""
        ...

    async def tell_spent(self, tenant: TenantId, text: str) -> bool:
        """Tell the tenant's team, once a day; False when they were told before."""
        ...


class Preview(Protocol):
    """Shows the customer sentences of a reply while the turn still thinks. Never stored."""

    async def __call__(
        self, text: str, citations: Sequence[Citation] = (), sources: Sequence[Passage] = ()
    ) -> None:
        """Publish one more whole sentence; checked against what it cites, and version-checked, before it goes out."""
        ...


class PluginState(Protocol):
    """Small JSON store for plug-ins that need rows of their own."""

    async def get(self, plugin: str, tenant: TenantId, key: str) -> Mapping[str, object] | None:
        """Return the value or None."""
        ...

    async def put(
        self, plugin: str, tenant: TenantId, key: str, value: Mapping[str, object]
    ) -> None:
        """Store the value, replacing the older one."""
        ...
