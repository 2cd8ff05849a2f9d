"""The generator as one turn has it: speaking as the tenant wants, every call of it remembered.

Owns which voice a customer hears, and what a turn's calls of models came to. Not here: what a voice becomes in a prompt
and what a call costs (app/adapters).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, replace

from core.ids import TenantId
from core.ports import PLAIN_VOICE, Generated, Generator, ModelCall, TenantPolicy, Voice
from core.turns import Passage
from core.understanding import Said


def voice_of(policy: TenantPolicy, edition: str | None) -> Voice:
    """Return how the bot sounds to a customer of an edition; without one they count as the lowest."""
    lowest = policy.editions[0] if policy.editions else ""
    return Voice(policy.persona, policy.tones.get(edition or lowest, ""), policy.reading_level)


class Speaking:
    """Port `Generator` of one turn. `calls` are those made so far, oldest first."""

    def __init__(self, generator: Generator, voice: Voice) -> None:
        """Ask nothing yet."""
        self._generator = generator
        self._voice = voice
        self.calls: list[ModelCall] = []

    @property
    def enabled(self) -> bool:
        """Return whether any model is configured and its circuit is closed."""
        return self._generator.enabled

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
        """See the port; the turn's voice stands where none is given."""
        return await self._generator.answer(
            tenant,
            question,
            talk,
            passages,
            locale,
            max_chars,
            on_part,
            voice=self._voice if voice == PLAIN_VOICE else voice,
            spent=self._heard(spent),
        )

    async def rewrite(
        self,
        tenant: TenantId,
        question: str,
        talk: Sequence[Said],
        *,
        spent: Callable[[ModelCall], None] | None = None,
    ) -> str:
        """See the port."""
        return await self._generator.rewrite(tenant, question, talk, spent=self._heard(spent))

    def _heard(self, also: Callable[[ModelCall], None] | None) -> Callable[[ModelCall], None]:
        def hear(call: ModelCall) -> None:
            self.calls.append(call)
            if also is not None:
                also(call)

        return hear


def model_json(calls: Sequence[ModelCall], *, used: bool) -> Mapping[str, object] | None:
    """Return what a turn's models did: name, tier and prompt of the last call, tokens and USD of all; None without any.

    `used` says whether a model's words are in the reply: one that knew nothing or was not believed costs the same.
    """
    if not calls:
        return None
    last = calls[-1]
    return {
        "name": last.model,
        "tier": last.tier,
        "prompt": last.prompt,
        "tokens_in": sum(call.tokens_in for call in calls),
        "tokens_out": sum(call.tokens_out for call in calls),
        "cost_usd": round(sum(call.cost for call in calls), 6),
        "used": used,
        "calls": [asdict(replace(call, cost=round(call.cost, 6))) for call in calls],
    }
