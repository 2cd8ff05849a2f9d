"""Delivery jobs: first in, first out per lane (conversation and address), at least once, never twice at once.

A job is claimed by changing its state. A claim that expires (its worker died in mid-send) is not queued
again: its outcome is unknown and it comes back only to be reconciled.
"""

import random
from collections.abc import Sequence

from sqlalchemy import Integer, Select, bindparam, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import handoffs, queue, rows
from app.store.database import Database, db_now
from app.store.intake import apply_receipt
from app.store.models import conversations, inboxes, messages, outbox, receipts
from core.clock import Clock
from core.conversations import Inbox, Mode
from core.crash import crash_point
from core.ids import InboxId, OutboxId, TenantId
from core.messages import Author, MessageKind, Sent
from core.ports import Job

CLAIM_SECONDS = 60.0
_ACTIVE = ("queued", "claimed", "unknown")


def _picking() -> Select[tuple[int]]:
    """Return the statement that finds due jobs whose lane has nothing older in flight."""
    earlier = outbox.alias("earlier")
    blocked = exists().where(
        earlier.c.lane == outbox.c.lane,
        earlier.c.position < outbox.c.position,
        earlier.c.state.in_(_ACTIVE),
        earlier.c.inline.is_(False),
    )
    silenced = exists().where(
        conversations.c.id == outbox.c.conversation_id,
        conversations.c.mode == Mode.MANUAL,
        outbox.c.author == Author.BOT,
        outbox.c.message_kind == MessageKind.REPLY,
    )
    return (
        select(outbox.c.position)
        .where(
            outbox.c.inline.is_(False),
            outbox.c.due_at <= db_now(),
            or_(
                (outbox.c.state == "queued") & ~silenced,
                (outbox.c.state == "unknown")
                & or_(outbox.c.claimed_until.is_(None), outbox.c.claimed_until < db_now()),
            ),
            ~blocked,
        )
        .order_by(outbox.c.position)
        .limit(bindparam("limit", type_=Integer))
        .with_for_update(skip_locked=True, of=outbox)
    )


# built once: a sender asks after every message, and making the statement costs as much as running it
_DUE = _picking()
_EXPIRED = (
    update(outbox)
    .where(outbox.c.state == "claimed", outbox.c.claimed_until < db_now())
    .values(state="unknown", due_at=db_now(), error="the sender died in mid-send")
)
_ANY = select(
    exists().where(
        outbox.c.state.in_(_ACTIVE),
        or_(
            outbox.c.inline.is_(False) & (outbox.c.due_at <= db_now()),
            outbox.c.claimed_until < db_now(),
        ),
    )
)


class SqlOutbox:
    """Port `Outbox`."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        base_url: str = "",
        claim_seconds: float = CLAIM_SECONDS,
    ) -> None:
        self._database = database
        self._clock = clock
        self._base_url = base_url
        self._claim = claim_seconds

    async def claim(self, limit: int = 16) -> Sequence[Job]:
        """See the port. Takes the write lock only when there may be something to claim."""
        async with self._database.read() as connection:
            if not await connection.scalar(_ANY):
                return ()
        async with self._database.write() as connection:
            await connection.execute(_EXPIRED)
            jobs = [await self._job(connection, job) for job in await self._due(connection, limit)]
        if jobs:
            crash_point("outbox.claimed")
        return jobs

    async def _due(self, connection: AsyncConnection, limit: int) -> list[dict[str, object]]:
        positions = list((await connection.execute(_DUE, {"limit": limit})).scalars())
        if not positions:
            return []
        await connection.execute(
            update(outbox)
            .where(outbox.c.position.in_(positions), outbox.c.state == "queued")
            .values(
                state="claimed",
                claimed_until=db_now(self._claim),
                attempts=outbox.c.attempts + 1,
            )
        )
        await connection.execute(
            update(outbox)
            .where(outbox.c.position.in_(positions), outbox.c.state == "unknown")
            .values(claimed_until=db_now(self._claim))
        )
        await connection.execute(
            update(messages)
            .where(
                messages.c.id.in_(
                    select(outbox.c.message_id).where(outbox.c.position.in_(positions))
                ),
                messages.c.status == "queued",
            )
            .values(status="claimed")
        )
        found = await connection.execute(
            select(outbox).where(outbox.c.position.in_(positions)).order_by(outbox.c.position)
        )
        return [dict(row) for row in found.mappings()]

    async def _job(self, connection: AsyncConnection, row: dict[str, object]) -> Job:
        payload = dict(row["payload"])  # type: ignore[call-overload]
        for key, target in (("edits", "update_of"), ("under", "thread")):
            if payload.get(key):
                place = (
                    await connection.execute(
                        select(outbox.c.provider_id, outbox.c.provider_thread).where(
                            outbox.c.id == payload[key]
                        )
                    )
                ).one_or_none()
                if place is not None:
                    payload[target] = (
                        place.provider_id
                        if target == "update_of"
                        else place.provider_thread or place.provider_id
                    )
        inbox = (
            await connection.execute(select(inboxes).where(inboxes.c.id == row["inbox_id"]))
        ).one()
        return Job(
            outbound=rows.outbound({**row, "payload": payload}),
            # its own address, which mail is sent from: the row's is where it goes
            inbox=Inbox(
                id=InboxId(inbox.id),
                tenant=TenantId(inbox.tenant),
                channel=inbox.channel,
                address=inbox.address,
                kind=inbox.kind,
                env_prefix=inbox.env_prefix,
            ),
            state=str(row["state"]),
            attempts=int(str(row["attempts"])),
        )

    async def sent(self, job: OutboxId, sent: Sent) -> None:
        """See the port. Receipts that came before us are applied now."""
        now = self._clock.now()
        async with self._database.write() as connection:
            await queue.set_state(
                connection,
                job,
                "sent",
                provider_id=sent.provider_id,
                provider_thread=sent.thread,
                sent_at=now,
                claimed_until=None,
                error=None,
            )
            await queue.forget_secret(connection, job)
            channel = await connection.scalar(select(outbox.c.channel).where(outbox.c.id == job))
            early = await connection.execute(
                select(receipts.c.status, receipts.c.error).where(
                    receipts.c.channel == channel, receipts.c.provider_id == sent.provider_id
                )
            )
            for receipt in early.all():
                state = await connection.scalar(select(outbox.c.state).where(outbox.c.id == job))
                await apply_receipt(
                    connection, job, str(state), receipt.status, receipt.error, now, self._base_url
                )
        crash_point("outbox.recorded")

    async def retry(self, job: OutboxId, after: float, error: str) -> None:
        """See the port."""
        async with self._database.write() as connection:
            # the lock makes a takeover wait for us or us for it: else it drops the queue just before we
            # queue again, and the silenced row would hold up its lane for good
            mode = await connection.scalar(
                select(conversations.c.mode)
                .join(outbox, outbox.c.conversation_id == conversations.c.id)
                .where(
                    outbox.c.id == job,
                    outbox.c.author == Author.BOT,
                    outbox.c.message_kind == MessageKind.REPLY,
                )
                .with_for_update(of=conversations)
            )
            # spreads retries, and only to later: before a provider's Retry-After is too early
            jitter = random.uniform(1.0, 1.2)  # noqa: S311 - keeps no secret
            await queue.set_state(
                connection,
                job,
                "dropped" if mode == Mode.MANUAL else "queued",
                due_at=db_now(after * jitter),
                claimed_until=None,
                error=error[:500],
            )

    async def unknown(self, job: OutboxId, after: float, error: str) -> None:
        """See the port."""
        async with self._database.write() as connection:
            await queue.set_state(
                connection,
                job,
                "unknown",
                due_at=db_now(after),
                claimed_until=None,
                error=error[:500],
            )

    async def dead(self, job: OutboxId, error: str, reason: str) -> None:
        """See the port."""
        async with self._database.write() as connection:
            await handoffs.bury(connection, job, error, reason, self._clock.now(), self._base_url)
