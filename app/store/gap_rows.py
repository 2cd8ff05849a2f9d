"""Gap rows inside a caller's transaction: recorded, given a status as a group, put under a leader, read as groups.

A group is a leading gap and those whose `group_id` names it; all of a group share its status. Personal data is
masked before a question is stored.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, RowMapping, Select, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.models import gap_askers, gaps
from core.effects import OpenGap
from core.ids import DocumentId, new_id
from core.pii import mask
from core.ports import Gap
from core.views import GapQuestion

Status = Literal["open", "answered", "dismissed"]

MAX_QUESTION = 1000
LEADER = func.coalesce(gaps.c.group_id, gaps.c.id)


def of_group(leader: str | None) -> ColumnElement[bool]:
    """Return the condition of a group's rows."""
    return or_(gaps.c.id == leader, gaps.c.group_id == leader)


def fingerprint(question: str) -> str:
    """Return a key under which the same question, worded alike, is one gap."""
    words = sorted(set(re.findall(r"\w{3,}", question.lower())))
    return hashlib.sha256(" ".join(words).encode()).hexdigest()[:32]


async def open_gap(
    connection: AsyncConnection,
    tenant: str,
    conversation: str,
    contact: str,
    effect: OpenGap,
    now: datetime,
) -> None:
    """Count a question nobody could answer, once more and by whom.

    An answered question that fails again is open again, with its group; a dismissed one stays dismissed.
    """
    text = mask(effect.question.strip())[:MAX_QUESTION]
    mark = fingerprint(text)
    known = (
        (
            await connection.execute(
                update(gaps)
                .where(gaps.c.tenant == tenant, gaps.c.fingerprint == mark)
                .values(times=gaps.c.times + 1, last_at=now, kind=effect.kind)
                .returning(gaps.c.id, gaps.c.status, LEADER.label("leader"))
            )
        )
        .mappings()
        .one_or_none()
    )
    if known is None:
        gap = new_id("gap", now)
        await connection.execute(
            insert(gaps).values(
                id=gap,
                tenant=tenant,
                fingerprint=mark,
                question=text,
                kind=effect.kind,
                status="open",
                times=1,
                nearest=list(effect.nearest),
                first_at=now,
                last_at=now,
            )
        )
    else:
        gap = known["id"]
        if known["status"] == "answered":
            await set_status(connection, tenant, known["leader"], "open")
    await _asked(connection, tenant, gap, contact, conversation, now)


async def _asked(
    connection: AsyncConnection,
    tenant: str,
    gap: str,
    contact: str,
    conversation: str,
    now: datetime,
) -> None:
    asked = select(gap_askers.c.gap_id).where(
        gap_askers.c.gap_id == gap, gap_askers.c.contact_id == contact
    )
    if (await connection.execute(asked)).first() is None:
        await connection.execute(
            insert(gap_askers).values(
                tenant=tenant,
                gap_id=gap,
                contact_id=contact,
                conversation_id=conversation,
                at=now,
            )
        )


async def set_status(
    connection: AsyncConnection, tenant: str, leader: str, status: Status, **values: object
) -> int:
    """Give a whole group a status; returns how many wordings changed."""
    closing: dict[str, object] = {"closed_by": None, "closed_at": None, "close_reason": None}
    done = await connection.execute(
        update(gaps)
        .where(gaps.c.tenant == tenant, of_group(leader), gaps.c.status != status)
        .values(status=status, **{**closing, **values})
    )
    return done.rowcount


async def adopt(connection: AsyncConnection, tenant: str) -> None:
    """Give groups whose leading gap is gone their oldest wording as the new one."""
    living = gaps.alias("living")
    found = await connection.execute(
        select(gaps.c.group_id, func.min(gaps.c.id).label("oldest"))
        .where(
            gaps.c.tenant == tenant,
            gaps.c.group_id.is_not(None),
            gaps.c.group_id.not_in(select(living.c.id).where(living.c.tenant == tenant)),
        )
        .group_by(gaps.c.group_id)
    )
    for gone, oldest in found.all():
        await lead(connection, tenant, gone, oldest)


async def lead(connection: AsyncConnection, tenant: str, old: str, new: str | None) -> None:
    """Put the members of one group under another leader, which may be one of them."""
    await connection.execute(
        update(gaps)
        .where(gaps.c.tenant == tenant, gaps.c.group_id == old)
        .values(group_id=func.nullif(new, gaps.c.id))
    )


async def leader_of(
    connection: AsyncConnection, tenant: str, gap: str, status: Status | None = None
) -> str | None:
    """Return the leading gap of the group a gap is in; None when there is none, or of another status."""
    query = select(LEADER).where(gaps.c.tenant == tenant, gaps.c.id == gap)
    if status is not None:
        query = query.where(gaps.c.status == status)
    leader: str | None = await connection.scalar(query)
    return leader


async def groups(
    connection: AsyncConnection, tenant: str, where: Sequence[ColumnElement[bool]], limit: int
) -> list[Gap]:
    """Return groups, those that cost most contacts first."""
    where = [gaps.c.tenant == tenant, *where]
    found = (await connection.execute(_ranked(where, limit))).mappings().all()
    wordings: dict[str, list[RowMapping]] = {}
    if found:
        members = await connection.execute(
            select(gaps, LEADER.label("leader"))
            .where(gaps.c.tenant == tenant, LEADER.in_([row["leader"] for row in found]))
            .order_by(gaps.c.times.desc(), gaps.c.id)
        )
        for row in members.mappings():
            wordings.setdefault(row["leader"], []).append(row)
    return [_gap(row, wordings[row["leader"]]) for row in found]


def _ranked(where: Sequence[ColumnElement[bool]], limit: int) -> Select[tuple[object, ...]]:
    """Return the query of groups: those that cost most contacts first, then the most often, the latest."""
    people = (
        select(
            LEADER.label("leader"),
            func.count(gap_askers.c.contact_id.distinct()).label("contacts"),
        )
        .join(gap_askers, gap_askers.c.gap_id == gaps.c.id)
        .where(*where)
        .group_by(LEADER)
        .subquery()
    )
    counted = (
        select(
            LEADER.label("leader"),
            func.sum(gaps.c.times).label("times"),
            func.min(gaps.c.first_at).label("first_at"),
            func.max(gaps.c.last_at).label("last_at"),
        )
        .where(*where)
        .group_by(LEADER)
        .subquery()
    )
    asked = func.coalesce(people.c.contacts, 0)
    return (
        select(counted, asked.label("contacts"))
        .outerjoin(people, people.c.leader == counted.c.leader)
        .order_by(asked.desc(), counted.c.times.desc(), counted.c.last_at.desc(), counted.c.leader)
        .limit(limit)
    )


def _gap(row: RowMapping, wordings: Sequence[RowMapping]) -> Gap:
    leading = next((w for w in wordings if w["id"] == row["leader"]), wordings[0])
    kinds = Counter[str]()
    for wording in wordings:
        kinds[wording["kind"]] += wording["times"]
    nearest = dict.fromkeys(path for w in wordings for path in w["nearest"] or ())
    document = next((w["document_id"] for w in wordings if w["document_id"]), None)
    return Gap(
        id=row["leader"],
        question=leading["question"],
        kind=kinds.most_common(1)[0][0],
        times=int(row["times"]),
        contacts=row["contacts"],
        status=leading["status"],
        first_at=row["first_at"],
        last_at=row["last_at"],
        nearest=tuple(nearest),
        kinds=tuple(kind for kind, _ in kinds.most_common()),
        wordings=len(wordings),
        document_id=DocumentId(document) if document else None,
        closed_by=leading["closed_by"],
        closed_at=leading["closed_at"],
        close_reason=leading["close_reason"],
    )


def question(row: Mapping[Any, Any]) -> GapQuestion:
    """Return one wording."""
    return GapQuestion(row["id"], row["question"], row["vector"], row["times"])
