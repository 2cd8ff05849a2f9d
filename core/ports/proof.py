"""Proof by a code that came back."""

from dataclasses import dataclass
from typing import Literal, Protocol

from core.ids import ConversationId, TenantId


@dataclass(frozen=True, slots=True)
class Judged:
    """What a typed code is worth: `left` attempts remain after this one. `code` is the id of the code sent."""

    verdict: Literal["right", "wrong", "expired", "spent"]
    code: str = ""
    left: int = 0


class Codes(Protocol):
    """One-time codes that were sent for a conversation. Reading only: trying one is an effect."""

    async def judge(self, tenant: TenantId, conversation: ConversationId, typed: str) -> Judged:
        """Judge the seal of a typed code (a message's metadata `code`) by the newest code that was sent."""
        ...
