"""The one door for what nobody asked for: surveys, reminders, resends, nudges, offers, corrections.

Owns rendering a wish in the contact's language and time when it goes out, and looking after those that wait. Not here:
the rule (core/delivery.py), rows and sending (app/store/unasked.py).
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from core.conversations import Contact
from core.delivery import Decision, Refused
from core.errors import UnavailableError
from core.ids import TenantId
from core.ports import Lines, Metrics, TenantPolicy
from handlers._shared.spoken_times import say_moment, say_zone

if TYPE_CHECKING:
    from app.store.unasked import SqlUnasked
    from app.store.wishes import Wish

logger = logging.getLogger(__name__)


class Unasked:
    """Sends what the policy lets through, when it lets it through."""

    def __init__(
        self,
        store: "SqlUnasked",
        lines_for: Callable[[TenantPolicy], Lines],
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._lines_for = lines_for
        self._metrics = metrics

    async def send(self, tenant: TenantId, wished: "Wish") -> Decision | None:
        """Decide a wish now: sent, waiting for its hour, or refused with a row that says why.

        None when the same wish (its key) was made before.
        """
        made = await self._store.wish(tenant, wished)
        return await self._settle(made) if made else None

    async def sweep(self) -> int:
        """Decide whatever is due; returns how many."""
        due = await self._store.due()
        for wish_id in due:
            try:
                await self._settle(wish_id)
            except UnavailableError:
                raise
            except Exception:
                # one bad row must not keep everybody else's waiting; it is tried again with the next round
                logger.exception("unasked.failed", extra={"wish": wish_id})
        return len(due)

    async def _settle(self, wish_id: str) -> Decision | None:
        decision = await self._store.settle(wish_id, self._say)
        if decision is not None:
            name = type(decision).__name__.lower()
            reason = decision.reason if isinstance(decision, Refused) else ""
            self._metrics.count("unasked", decision=name, reason=reason)
            logger.info("unasked.decided", extra={"wish": wish_id, "decision": name, "why": reason})
        return decision

    def _say(
        self,
        policy: TenantPolicy,
        contact: Contact,
        line: str,
        locale: str,
        channel: str,
        slots: Mapping[str, str],
    ) -> str:
        lines = self._lines_for(policy)
        words: dict[str, object] = dict(slots)
        if "starts_at" in slots:
            moment = datetime.fromisoformat(slots["starts_at"])
            zone = contact.time_zone or policy.time_zone
            words |= {
                "time": say_moment(lines, moment, zone, locale),
                "zone": say_zone(lines, moment, zone, locale),
            }
        return lines.say(line, locale, channel, **words)
