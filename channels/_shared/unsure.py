"""Sends whose outcome is unknown: when they were tried, and whether it is late enough to look.

A request that timed out may still be on its way into the provider; looking at once would find
nothing and send it twice.
"""

from datetime import datetime, timedelta

from core.contracts import ChannelContext
from core.errors import RetryableDeliveryError, UnknownOutcomeError
from core.messages import Outbound

SETTLE = timedelta(seconds=10)


async def remember_unsure(context: ChannelContext, outbound: Outbound) -> None:
    """Note that this send ended now without an answer.

    Raises UnknownOutcomeError, as it stands anyway, when even that cannot be written down.
    """
    note = {"at": context.clock.now().isoformat()}
    try:
        await context.state.put(outbound.channel, outbound.tenant, f"unsure:{outbound.id}", note)
    except Exception as error:
        raise UnknownOutcomeError("no answer, and that could not be noted") from error


async def require_settled(context: ChannelContext, outbound: Outbound) -> None:
    """Return once the send is old enough to be looked for.

    A process that died while sending left no note; its lease has run out meanwhile, which is later.
    Raises RetryableDeliveryError, saying when, while it is too early.
    """
    note = await context.state.get(outbound.channel, outbound.tenant, f"unsure:{outbound.id}")
    if not note:
        return
    waited = context.clock.now() - datetime.fromisoformat(str(note["at"]))
    if waited < SETTLE:
        left = (SETTLE - waited).total_seconds()
        raise RetryableDeliveryError("too early to tell what became of it", retry_after=left)
