"""What a turn may still do once a check has taken privileges away (`Turn.limits`).

Owns, for every kind of effect, which limits forbid it; a new effect that is not named here fails a test. Handlers
decline politely by themselves; this is the fence behind them, which no handler and no model can climb.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence

from core.effects import (
    Book,
    CancelBooking,
    CountMiss,
    Effect,
    Escalate,
    Forget,
    Identify,
    OpenGap,
    Prove,
    Remember,
    Resolve,
    Send,
    SendCode,
    SetAlarm,
    SetForm,
    SetLocale,
    SetNote,
    SetTimeZone,
    TellTeam,
)
from core.errors import UnavailableError
from core.ids import TenantId
from core.ports import PLAIN_VOICE, Generated, ModelCall, Voice
from core.turns import Passage
from core.understanding import Said

NO_TOOLS, NO_MEMORY, QUOTE_ONLY = "no_tools", "no_memory", "quote_only"
# What a reply would claim as done. The others here are quiet: nothing is said of them.
_SAID_ALOUD = (Book, CancelBooking, Send, Remember, Forget, SendCode, Prove)
FORBIDDEN: dict[type, frozenset[str]] = {
    Book: frozenset({NO_TOOLS}),
    CancelBooking: frozenset({NO_TOOLS}),
    Send: frozenset({NO_TOOLS}),
    SetAlarm: frozenset({NO_TOOLS}),
    Remember: frozenset({NO_TOOLS, NO_MEMORY}),
    Forget: frozenset({NO_TOOLS, NO_MEMORY}),
    Identify: frozenset({NO_TOOLS, NO_MEMORY}),
    SetTimeZone: frozenset({NO_TOOLS, NO_MEMORY}),
    # a code goes to an address the text names; what was typed is counted whatever stood beside it
    SendCode: frozenset({NO_TOOLS}),
    Prove: frozenset({NO_TOOLS}),
    CountMiss: frozenset(),
    # Asking for a person, telling the team and the conversation's own notes are what remains.
    Escalate: frozenset(),
    TellTeam: frozenset(),
    OpenGap: frozenset(),
    SetForm: frozenset(),
    SetNote: frozenset(),
    SetLocale: frozenset(),
    Resolve: frozenset(),
}


def permitted(
    effects: Iterable[Effect], limits: frozenset[str]
) -> tuple[tuple[Effect, ...], Sequence[Effect]]:
    """Return the effects that the limits leave, and those they forbid. An unknown kind is forbidden by any limit."""
    kept: list[Effect] = []
    refused: list[Effect] = []
    for effect in effects:
        forbidden = FORBIDDEN.get(type(effect))
        taken = bool(limits) if forbidden is None else bool(forbidden & limits)
        (refused if taken else kept).append(effect)
    return tuple(kept), refused


def leaves_text_true(refused: Iterable[Effect]) -> bool:
    """Return whether a reply can stand without the refused effects: it does not speak of them."""
    return not any(isinstance(effect, _SAID_ALOUD) for effect in refused)


class Withheld:
    """Port `Generator` for a turn that may only quote: no model is asked anything."""

    @property
    def enabled(self) -> bool:
        """Never."""
        return False

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
        """Refuse. Raises UnavailableError."""
        raise UnavailableError("this turn may only quote")

    async def rewrite(
        self,
        tenant: TenantId,
        question: str,
        talk: Sequence[Said],
        *,
        spent: Callable[[ModelCall], None] | None = None,
    ) -> str:
        """Return the question."""
        return question
