"""Refused webhooks: counted, and told to the CS team when there are several within minutes.

A wrong secret, another public address or a sender nobody configured makes a channel deaf without anybody noticing:
the provider logs it where nobody looks. One card an hour and channel says so, and what it most likely is; never what
was in the requests. Not here: who is refused (the channels), what a card looks like (channels/slack.py).
"""

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Literal

from core.clock import Clock
from core.conversations import Inbox
from core.ids import ConversationId, TenantId
from core.messages import TeamCard
from core.ports import Cache, Directory, Metrics, Wakeups

logger = logging.getLogger(__name__)

Why = Literal["signature", "no_inbox", "payload"]
Tell = Callable[[TenantId, str, str, TeamCard], Awaitable[bool]]

WITHIN = timedelta(minutes=10)
SEVERAL = 5  # refusals within that time are told
_LIKELY = {
    "signature": (
        "Most likely the secret set here is not the one the provider signs with, or the provider calls another "
        "address than the public URL set here (scheme, host, port, path; a proxy that rewrites the query). "
        "If all that is right, a stranger is knocking: nothing was let in."
    ),
    "no_inbox": (
        "Most likely the provider sends for a number, service, address or workspace that is not set here; "
        "if none of yours is missing, a stranger is knocking: nothing was let in."
    ),
    "payload": (
        "They are signed as they should be, but are no messages of this channel. Most likely another product's or "
        "another channel's webhook leads here."
    ),
}


class Refusals:
    """Counts refusals and tells of them. `tell` is the store's card to the team, once for a key."""

    def __init__(
        self,
        clock: Clock,
        cache: Cache,
        metrics: Metrics,
        directory: Directory,
        wakeups: Wakeups,
        tell: Tell,
    ) -> None:
        self._clock = clock
        self._cache = cache
        self._metrics = metrics
        self._directory = directory
        self._wakeups = wakeups
        self._tell = tell
        self._told: dict[str, str] = {}  # channel and tenant → hour: spares a flood the database

    async def note(
        self, channel: str, why: Why, inbox: Inbox | None = None, reason: str = ""
    ) -> None:
        """Count one refused request; never raises. `reason` is our own sentence, not the caller's."""
        self._metrics.count("webhooks_refused", channel=channel, why=why)
        try:
            seconds = WITHIN.total_seconds()
            if not await self._cache.allow(f"refused:{channel}:{why}", SEVERAL - 1, seconds):
                await self._alarm(channel, why, inbox, reason)
        except Exception:
            # the caller gets its 4xx whatever becomes of the card
            logger.exception("refusals.untold", extra={"channel": channel})

    async def _alarm(self, channel: str, why: Why, inbox: Inbox | None, reason: str) -> None:
        tenant = inbox.tenant if inbox else await self._only_tenant(channel)
        if tenant is None:
            return
        hour = f"{self._clock.now():%Y-%m-%dT%H}"
        if self._told.get(f"{channel}:{tenant}") == hour:
            return
        key = f"webhooks_refused:{channel}:{hour}"
        if await self._tell(tenant, key, "webhooks.refused", card(channel, why, reason)):
            logger.warning("refusals.told", extra={"channel": channel, "why": why})
            await self._wakeups.wake("outbox", tenant)
        self._told[f"{channel}:{tenant}"] = hour

    async def _only_tenant(self, channel: str) -> TenantId | None:
        """Return whose channel it is: where several tenants share a server, a stranger's knock alarms none."""
        known = await self._directory.inboxes()
        owners = {i.tenant for i in known if i.channel == channel and i.kind == "customer"}
        return next(iter(owners)) if len(owners) == 1 else None


def card(channel: str, why: Why, reason: str = "") -> TeamCard:
    """Return the card the team gets."""
    said = f"Last reason: {reason}. " if reason else ""
    return TeamCard(
        title=f"Webhooks of {channel} are refused",
        text=(
            f"{SEVERAL} or more within {WITHIN.seconds // 60} minutes. {said}{_LIKELY[why]} "
            f"`usher channels check {channel}` looks at the set-up; docs/channels/{channel}.md lists the signs."
        ),
        conversation_id=ConversationId(""),
        severity="high",
        fields=(("Channel", channel), ("Refused for", why)),
    )
