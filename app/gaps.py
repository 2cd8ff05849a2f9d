"""Gaps as the team works with them: grouped by meaning, shown with the nearest passages and a draft of the answer.

A draft comes only from what a person of the team sent to somebody who had asked that very question. Internal
notes and other people's conversations are never read here. Not here: approving an answer (app/approving.py).
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from app.services import Services
from core.errors import NotFoundError
from core.ids import TenantId
from core.pii import mask
from core.ports import Gap, Viewer
from core.turns import Passage
from core.views import Asker, GapQuestion
from knowledge.gaps import ALIKE, Question, nearness, place

if TYPE_CHECKING:
    from app.store.gaps import SqlGaps

NEAREST = 5
_BATCH = 200
_ALIKE_SHOWN = 5
# cosine of a reply with the question below which it is small talk ("You're welcome!")
_ON_TOPIC = 0.2
_SALUTATION = re.compile(
    r"\A\s*(?:hi|hello|hey|dear|good (?:morning|afternoon)|hola|buen[oa]s \w+|estimad[oa])\b"
    r"[^\n,!.:]{0,40}[,!.:]\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Work:
    """One gap with all an editor needs. `alike` are other open gaps that may be the same, with how near."""

    gap: Gap
    questions: tuple[GapQuestion, ...]
    askers: tuple[Asker, ...]
    nearest: tuple[Passage, ...]
    alike: tuple[tuple[GapQuestion, float], ...]
    suggestion: str | None


async def group(
    gaps: "SqlGaps", encode: Callable[[Sequence[str]], Awaitable[Any]], tenant: TenantId
) -> int:
    """Give every new gap its vector and its group; returns how many joined one."""
    joined = 0
    while waiting := await gaps.ungrouped(tenant, _BATCH):
        vectors = np.asarray(await encode([text for _, text in waiting]), "<f4")
        stored = {gap: row.tobytes() for (gap, _), row in zip(waiting, vectors, strict=True)}
        joined += await gaps.group(tenant, stored, _place)
        if len(waiting) < _BATCH:
            break
    return joined


def _place(new: GapQuestion, known: Sequence[Sequence[GapQuestion]]) -> int | None:
    return place(_read(new), [[_read(each) for each in members] for members in known])


def _read(question: GapQuestion) -> Question:
    return Question.of(question.text, question.vector or b"")


async def listed(
    services: Services, tenant: TenantId, limit: int = 50, **which: Any
) -> Sequence[Gap]:
    """Return gaps, those that cost most customers first, the newest grouped too."""
    await group(services.gaps, services.encode, tenant)
    return await services.gaps.open_gaps(tenant, limit, **which)


async def work(services: Services, tenant: TenantId, gap: str) -> Work:
    """Return a gap as an editor sees it. Raises NotFoundError."""
    await group(services.gaps, services.encode, tenant)
    found = await services.gaps.find(tenant, gap)
    if found is None:
        raise NotFoundError("no such gap")
    questions = await services.gaps.questions(tenant, gap)
    nearest = await services.retriever.search(
        tenant, found.question, (), Viewer(internal=True), NEAREST
    )
    return Work(
        found,
        tuple(questions),
        tuple(await services.gaps.askers(tenant, gap)),
        tuple(nearest),
        _alike(questions, await services.gaps.others(tenant, gap)),
        await suggestion(services, tenant, found),
    )


def _alike(
    mine: Sequence[GapQuestion], others: Sequence[GapQuestion]
) -> tuple[tuple[GapQuestion, float], ...]:
    leading = _read(mine[0])
    near = [(each, round(nearness(leading, _read(each)), 3)) for each in others if each.vector]
    ranked = sorted(near, key=lambda pair: -pair[1])[:_ALIKE_SHOWN]
    return tuple(pair for pair in ranked if pair[1] >= ALIKE)


async def suggestion(services: Services, tenant: TenantId, gap: Gap) -> str | None:
    """Return a person's own reply that solved the question, personal data masked; None without one."""
    replies = await services.gaps.human_replies(tenant, gap.id)
    if not replies:
        return None
    vectors = np.asarray(await services.encode([gap.question, *replies]))
    near = vectors[1:] @ vectors[0]
    if float(near.max()) < _ON_TOPIC:
        return None
    text = _SALUTATION.sub("", replies[int(near.argmax())]).strip()
    for asker in await services.gaps.askers(tenant, gap.id):
        text = _without(text, asker.name)
    return mask(text) or None


def _without(text: str, name: str | None) -> str:
    """Return the text with a customer's name, whole or in parts, masked."""
    parts = [part for part in (name or "").split() if len(part) > 2]
    for part in ([name] if name else []) + parts:
        text = re.sub(rf"(?<!\w){re.escape(part)}(?!\w)", "<NAME>", text, flags=re.IGNORECASE)
    return text
