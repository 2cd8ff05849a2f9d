"""The backstop against mail loops: at most three automatic mails a day answer one address (UTC days).

Owns the count, kept in rows of the plug-in so that a restart forgets nothing. A repeated attempt of the same mail
counts once; people's mails do not count. Not here: whether a mail was a machine's (mail_verdicts.py).
"""

import asyncio
import hashlib
from dataclasses import dataclass, field

from core.clock import Clock
from core.messages import Author, Outbound
from core.ports import PluginState

MAX_A_DAY = 3
_PLUGIN = "email"
_LOCKS = 32


@dataclass(slots=True)
class DailyCap:
    """Counts automatic answers per mailbox and recipient."""

    state: PluginState
    clock: Clock
    _locks: tuple[asyncio.Lock, ...] = field(
        default_factory=lambda: tuple(asyncio.Lock() for _ in range(_LOCKS))
    )

    async def allows(self, outbound: Outbound, mailbox: str) -> bool:
        """Count a mail; False when the day's are used up.

        Only answers count: what is sent unasked has a policy of its own, an invitation was asked for.
        """
        is_answer = bool(outbound.thread or outbound.references)
        if outbound.author is Author.CSM or outbound.purpose or not is_answer:
            return True
        pair = f"{mailbox.lower()}|{outbound.address.lower()}"
        key = f"automatic:{hashlib.sha256(pair.encode()).hexdigest()[:40]}"
        async with self._locks[int(key[-4:], 16) % _LOCKS]:
            # two conversations may write to one address at once
            return await self._take(outbound, key)

    async def _take(self, outbound: Outbound, key: str) -> bool:
        today = self.clock.now().date().isoformat()
        row = await self.state.get(_PLUGIN, outbound.tenant, key) or {}
        known = row.get("mails") if row.get("day") == today else None
        mails = [str(mail) for mail in known] if isinstance(known, list) else []
        if outbound.id in mails:
            return True
        if len(mails) >= MAX_A_DAY:
            return False
        await self.state.put(
            _PLUGIN, outbound.tenant, key, {"day": today, "mails": [*mails, outbound.id]}
        )
        return True
