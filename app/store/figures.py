"""Reads what the team's figures are made of (core/kpis.py says what they mean)."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.database import Database
from app.store.models import bookings, conversations, gaps, handoffs, messages, turns
from app.store.queue import GONE_OUT
from core.conversations import HandoffReason, Status
from core.ids import TenantId
from core.kpis import DURABLE, Asked, Figures, Step, Talk, compute
from core.messages import Author, MessageKind

_INTENTS = 12
_PER_CHANNEL = ("conversations", "auto_resolution", "handoff_rate", "first_response", "csat")


class SqlFigures:
    """Figures of a tenant's span of time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(
        self,
        tenant: TenantId,
        since: datetime,
        until: datetime,
        bands: Mapping[str, tuple[float, float]],
        steps: int = 1,
    ) -> Figures:
        """Return the figures of [since, until), and the span in `steps` equal parts for a plot."""
        begun = _begun(tenant, since, until)
        async with self._database.read() as connection:
            talks = await _talks(connection, tenant, since, begun)
            asked = await _asked(connection, tenant, since, until)
            edges = [since + (until - since) / steps * n for n in range(steps + 1)] or [since]
            volume = (await connection.execute(_volume(tenant, since, until, edges))).all()
            intents = (await connection.execute(_intents(tenant, since, until))).all()
            opened = await connection.scalar(
                select(func.count()).where(
                    gaps.c.tenant == tenant, gaps.c.first_at >= since, gaps.c.first_at < until
                )
            )
        per_channel: dict[str, list[Talk]] = defaultdict(list)
        for talk in talks:
            per_channel[talk.channel].append(talk)
        per_step: Counter[int] = Counter()
        heard: Counter[str] = Counter()
        for step, channel, count in volume:
            per_step[step] += count
            heard[channel] += count
        return Figures(
            since=since,
            until=until,
            messages=dict(sorted(heard.items())),
            figures=compute(talks, asked, since, until, bands),
            channels={
                channel: {
                    name: figure
                    for name, figure in compute(found, (), since, until, bands).items()
                    if name in _PER_CHANNEL
                }
                for channel, found in sorted(per_channel.items())
            },
            intents={str(name): int(count) for name, count in intents},
            reasons=dict(Counter(a.reason for a in asked).most_common()),
            gaps=opened or 0,
            steps=_steps(talks, asked, per_step, edges),
        )


def _begun(tenant: TenantId, since: datetime, until: datetime) -> ColumnElement[bool]:
    return and_(
        conversations.c.tenant == tenant,
        conversations.c.created_at >= since - DURABLE,
        conversations.c.created_at < until,
    )


async def _talks(
    connection: AsyncConnection, tenant: TenantId, since: datetime, begun: ColumnElement[bool]
) -> list[Talk]:
    said = (messages.c.direction == "in") & (messages.c.status != "recorded")
    reply = and_(
        messages.c.direction == "out",
        messages.c.kind.in_((MessageKind.REPLY, MessageKind.MESSAGE)),
        messages.c.status.in_(GONE_OUT),
    )

    def count(which: ColumnElement[bool]) -> Any:
        return func.count(case((which, messages.c.id)))

    found = await connection.execute(
        select(
            conversations.c.id,
            conversations.c.channel,
            conversations.c.contact_id,
            conversations.c.status,
            conversations.c.created_at,
            conversations.c.resolved_at,
            conversations.c.reopened_at,
            conversations.c.confirmed_at,
            func.min(case((said, messages.c.created_at))).label("begun_at"),
            func.min(case((reply, messages.c.created_at))).label("answered_at"),
            count(and_(reply, messages.c.author == Author.BOT)).label("answers"),
            count(and_(reply, messages.c.author == Author.CSM)).label("people"),
        )
        .join(messages, messages.c.conversation_id == conversations.c.id)
        .where(begun)
        .group_by(conversations.c.id)
        .having(count(said) > 0)
    )
    rows = found.all()
    reasons = await _grouped(
        connection, handoffs.c.conversation_id, handoffs.c.reason, begun, handoffs
    )
    marks = await _marks(connection, begun)
    forms = await _ids(
        connection,
        select(turns.c.conversation_id).where(
            turns.c.tenant == tenant,
            turns.c.started_at >= since - DURABLE,
            turns.c.handler == "book",
        ),
    )
    booked = await _ids(
        connection,
        select(bookings.c.conversation_id).where(
            bookings.c.tenant == tenant, bookings.c.created_at >= since - DURABLE
        ),
    )
    after = _next_begun((row.contact_id, row.created_at) for row in rows)
    return [
        Talk(
            id=row.id,
            channel=row.channel,
            begun_at=row.created_at,
            answered_at=row.answered_at,
            closed_at=row.resolved_at if row.status == Status.RESOLVED else None,
            reopened_at=row.reopened_at,
            confirmed_at=row.confirmed_at,
            next_at=after.get((row.contact_id, row.created_at)),
            answers=row.answers,
            people=row.people,
            asked=any(r != HandoffReason.PAUSED for r in reasons.get(row.id, ())),
            angry=HandoffReason.ANGER in reasons.get(row.id, ()),
            booking=row.id in forms,
            booked=row.id in booked,
            marks=tuple(marks.get(row.id, ())),
        )
        for row in rows
    ]


async def _grouped(
    connection: AsyncConnection,
    key: ColumnElement[Any],
    value: ColumnElement[Any],
    begun: ColumnElement[bool],
    table: Any,
) -> dict[str, list[str]]:
    joined = table.join(conversations, conversations.c.id == key)
    found = await connection.execute(select(key, value).select_from(joined).where(begun))
    grouped: dict[str, list[str]] = defaultdict(list)
    for name, one in found.all():
        grouped[name].append(one)
    return grouped


async def _marks(
    connection: AsyncConnection, begun: ColumnElement[bool]
) -> Mapping[str, Sequence[str]]:
    given = messages.c.metadata["feedback"].as_string()
    joined = messages.join(conversations, conversations.c.id == messages.c.conversation_id)
    found = await connection.execute(
        select(messages.c.conversation_id, given)
        .select_from(joined)
        .where(begun, messages.c.direction == "out", given.is_not(None))
    )
    marks: dict[str, list[str]] = defaultdict(list)
    for name, mark in found.all():
        marks[name].append(mark)
    return marks


async def _ids(connection: AsyncConnection, query: Select[Any]) -> set[str]:
    return set((await connection.execute(query.distinct())).scalars())


def _next_begun(
    begun: Iterable[tuple[str, datetime]],
) -> dict[tuple[str, datetime], datetime]:
    """Return when each contact's next conversation began, by (contact, beginning)."""
    per_contact: dict[str, list[datetime]] = defaultdict(list)
    for contact, at in begun:
        per_contact[contact].append(at)
    found: dict[tuple[str, datetime], datetime] = {}
    for contact, times in per_contact.items():
        times.sort()
        found |= {(contact, a): b for a, b in pairwise(times)}
    return found


async def _asked(
    connection: AsyncConnection, tenant: TenantId, since: datetime, until: datetime
) -> list[Asked]:
    wrote = (
        select(func.min(messages.c.created_at))
        .where(
            messages.c.conversation_id == handoffs.c.conversation_id,
            messages.c.author == Author.CSM,
            messages.c.kind == MessageKind.REPLY,
            messages.c.created_at >= handoffs.c.requested_at,
        )
        .scalar_subquery()
    )
    found = await connection.execute(
        select(
            handoffs.c.reason,
            handoffs.c.requested_at,
            handoffs.c.breached_at,
            wrote.label("answered_at"),
        ).where(
            handoffs.c.tenant == tenant,
            handoffs.c.requested_at >= since,
            handoffs.c.requested_at < until,
        )
    )
    return [
        Asked(str(r.reason), r.requested_at, r.answered_at, r.breached_at is not None)
        for r in found.all()
    ]


def _volume(
    tenant: TenantId, since: datetime, until: datetime, edges: Sequence[datetime]
) -> Select[Any]:
    """Return messages from customers by step and channel, in one pass."""
    at = messages.c.created_at
    step = case(*((at < edge, n) for n, edge in enumerate(edges[1:])), else_=len(edges) - 2)
    return (
        select(step.label("step"), messages.c.channel, func.count())
        .where(
            messages.c.tenant == tenant,
            messages.c.direction == "in",
            at >= since,
            at < until,
        )
        .group_by("step", messages.c.channel)
    )


def _intents(tenant: TenantId, since: datetime, until: datetime) -> Select[Any]:
    count = func.count().label("times")
    return (
        select(turns.c.intent, count)
        .where(
            turns.c.tenant == tenant,
            turns.c.started_at >= since,
            turns.c.started_at < until,
            turns.c.intent.is_not(None),
        )
        .group_by(turns.c.intent)
        .order_by(count.desc(), turns.c.intent)
        .limit(_INTENTS)
    )


def _steps(
    talks: Sequence[Talk],
    asked: Sequence[Asked],
    heard: Mapping[int, int],
    edges: Sequence[datetime],
) -> list[Step]:
    begun: Counter[int] = Counter(bisect_right(edges, t.begun_at) - 1 for t in talks)
    requests: Counter[int] = Counter()
    breaches: Counter[int] = Counter()
    for one in asked:
        step = bisect_right(edges, one.requested_at) - 1
        requests[step] += 1
        breaches[step] += one.breached
    return [
        Step(start, end, heard.get(n, 0), begun[n], requests[n], breaches[n])
        for n, (start, end) in enumerate(pairwise(edges))
    ]
