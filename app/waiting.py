"""Wait for the turn that holds my message: a pub/sub hint, and a look at the row in case the hint is lost."""

import asyncio

from core.ports import Accepted, Fanout, Inline, TurnView, Wakeups

_LOOK_EVERY = 0.5


class Waiter:
    """Serves callers that are their reply's delivery (`POST /msg`, voice)."""

    def __init__(self, inline: Inline, fanout: Fanout, wakeups: Wakeups) -> None:
        self._inline = inline
        self._fanout = fanout
        self._wakeups = wakeups

    async def wait(self, accepted: Accepted, seconds: float) -> TurnView | None:
        """Return the turn, or None when it is not there within `seconds`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        async with self._fanout.subscribe(f"conv:{accepted.conversation_id}") as hints:
            await self._wakeups.wake("turn", accepted.conversation_id)
            while True:
                view = await self._inline.take(accepted.tenant, accepted.message_id)
                left = deadline - loop.time()
                if view is not None or left <= 0:
                    return view
                await hints.get(min(_LOOK_EVERY, left))
