"""What checks ask of the world: consent, what editions hold, and a provider's moderation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from core.ids import TenantId


class Consents(Protocol):
    """Who wants to hear from us: what customers said by STOP and START, per channel and address."""

    async def granted(
        self, tenant: TenantId, channel: str, addresses: Sequence[str]
    ) -> bool | None:
        """Return the newest word from any of these addresses on this channel; None when there is none."""
        ...


class Features(Protocol):
    """What the docs keep for some editions."""

    async def above(self, tenant: TenantId, edition: str | None) -> Mapping[str, tuple[str, ...]]:
        """Return title → editions of the public pages that this edition (None: the lowest) does not have."""
        ...


@dataclass(frozen=True, slots=True)
class Moderated:
    """What a provider thinks of a text. `category` is the worst one; `score` in [0, 1]."""

    severity: Literal["none", "low", "high"]
    category: str = ""
    score: float = 0.0


class Moderator(Protocol):
    """A provider's moderation. It may be slow or away: nobody waits for it long, nothing stops without it."""

    async def judge(self, text: str) -> Moderated | None:
        """Return what it thinks, or None when it did not answer in time."""
        ...
