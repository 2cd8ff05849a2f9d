"""Conversations nobody continues are closed: waiting for the customer longer than their channel allows."""

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import or_, update

from app.store.database import Database
from app.store.models import conversations
from core.clock import Clock
from core.conversations import Status

# a channel that says nothing else
DEFAULT_HOURS = 24.0


class SqlIdle:
    """Closes what has gone quiet. The key stays: a message soon after reopens the same conversation."""

    def __init__(self, database: Database, clock: Clock, hours: Mapping[str, float]) -> None:
        self._database = database
        self._clock = clock
        self._hours = dict(hours)

    async def close_quiet(self) -> int:
        """Resolve idle conversations; returns how many. Forms end with their conversation."""
        now = self._clock.now()
        known = [
            (conversations.c.channel == channel)
            & (conversations.c.updated_at < now - timedelta(hours=hours))
            for channel, hours in self._hours.items()
        ]
        other = conversations.c.channel.not_in(list(self._hours)) & (
            conversations.c.updated_at < now - timedelta(hours=DEFAULT_HOURS)
        )
        async with self._database.write() as connection:
            done = await connection.execute(
                update(conversations)
                .where(
                    conversations.c.status == Status.WAITING_CUSTOMER,
                    conversations.c.owner.is_(None),
                    conversations.c.work_at.is_(None),
                    or_(*known, other),
                )
                .values(
                    status=Status.RESOLVED,
                    resolved_at=now,
                    form=None,
                    version=conversations.c.version + 1,
                )
            )
            return done.rowcount
