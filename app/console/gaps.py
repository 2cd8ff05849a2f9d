"""Gaps and answers: ranked, reviewed, approved, merged, split, dismissed, withdrawn; and the weekly report."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from app import approving
from app.console import pictures
from app.console.bodies import AnswerIn, DismissIn, MergeIn, WithdrawIn
from app.console.gate import Id, Reader, Seat, Uses, Writer
from app.gaps import listed, work
from app.reporting import gap_json, is_due, report_json
from core.errors import NotFoundError
from core.ids import DocumentId
from core.views import AnswerRow

router = APIRouter(prefix="/knowledge")

Status = Literal["open", "answered", "dismissed"]


# ---------------------------------------------------------------- gaps


@router.get("/gaps")
async def gaps(
    services: Uses, who: Reader, status: Annotated[Status, Query()] = "open"
) -> dict[str, object]:
    """Return gaps, those that cost most customers first."""
    found = await listed(services, who.tenant, 100, status=status)
    return {"now": services.clock.now().isoformat(), "items": [gap_json(gap) for gap in found]}


@router.get("/gaps/{gap}")
async def gap(gap: Id, services: Uses, who: Reader) -> dict[str, object]:
    """Return a gap as its editor needs it. Raises NotFoundError."""
    found = await work(services, who.tenant, gap)
    kept = found.gap.document_id
    answer = await services.approved.find(who.tenant, kept) if kept else None
    policy = await services.directory.policy(who.tenant)
    return {
        "now": services.clock.now().isoformat(),
        "gap": gap_json(found.gap),
        "questions": [{"id": q.id, "text": q.text, "times": q.times} for q in found.questions],
        "askers": [{**asdict(asker), "at": asker.at.isoformat()} for asker in found.askers],
        "passages": [pictures.passage(p) for p in found.nearest],
        "alike": [{"id": q.id, "text": q.text, "score": score} for q, score in found.alike],
        "suggestion": found.suggestion,
        "answer": _answer(answer, services.clock.now()) if answer else None,
        "editions": list(policy.editions),
        "locale": policy.locale,
    }


@router.post("/gaps/{gap}/merge")
async def merge(gap: Id, body: MergeIn, services: Uses, who: Writer) -> dict[str, object]:
    """Put a gap into another one. Raises NotFoundError, ConflictError."""
    made = await services.gaps.merge(who.tenant, gap, body.into)
    await services.access.audit(who.tenant, who.csm.id, "gap.merged", gap, {"into": made.id})
    return {"gap": gap_json(made)}


@router.post("/gaps/{gap}/split")
async def split(gap: Id, services: Uses, who: Writer) -> dict[str, object]:
    """Take one wording out of its group. Raises NotFoundError, ConflictError."""
    await services.gaps.split(who.tenant, gap)
    await services.access.audit(who.tenant, who.csm.id, "gap.split", gap)
    return {"split": gap}


@router.post("/gaps/{gap}/dismiss")
async def dismiss(gap: Id, body: DismissIn, services: Uses, who: Writer) -> dict[str, object]:
    """Close a gap that needs no answer. Raises NotFoundError when it is not open."""
    if not await services.gaps.close(who.tenant, gap, "dismissed", who.csm.id, body.reason.strip()):
        raise NotFoundError("this gap is not open")
    await services.access.audit(
        who.tenant, who.csm.id, "gap.dismissed", gap, {"reason": body.reason.strip()}
    )
    return {"status": "dismissed"}


@router.post("/gaps/{gap}/approve")
async def approve(gap: Id, body: AnswerIn, services: Uses, who: Writer) -> dict[str, object]:
    """Publish the answer to a gap. Raises BadInputError, ForbiddenError, NotFoundError."""
    made = await approving.approve(
        services, who.tenant, _draft(body, who), who.csm.id, who.csm.role, gap=gap
    )
    return {"answer": _answer(made, services.clock.now())}


# ---------------------------------------------------------------- answers


@router.get("/answers")
async def answers(services: Uses, who: Reader) -> dict[str, object]:
    """Return the approved answers, and those that were withdrawn."""
    now = services.clock.now()
    policy = await services.directory.policy(who.tenant)
    return {
        "now": now.isoformat(),
        "items": [_answer(a, now) for a in await services.approved.all(who.tenant)],
        "withdrawn": [
            _answer(a, now) for a in await services.approved.all(who.tenant, withdrawn=True)
        ],
        "editions": list(policy.editions),
        "locale": policy.locale,
    }


@router.post("/answers/review")
async def review(
    body: AnswerIn,
    services: Uses,
    who: Writer,
    gap: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,80}$")] = None,
) -> dict[str, object]:
    """Return what to look at before an answer is public."""
    found = await approving.review(services, who.tenant, _draft(body, who), gap)
    return {**approving.review_json(found), "may_approve": who.may_approve}


@router.post("/answers")
async def write(body: AnswerIn, services: Uses, who: Writer) -> dict[str, object]:
    """Publish an answer nobody has asked for yet. Raises BadInputError, ForbiddenError."""
    made = await approving.approve(
        services, who.tenant, _draft(body, who), who.csm.id, who.csm.role
    )
    return {"answer": _answer(made, services.clock.now())}


@router.post("/answers/{answer}")
async def edit(answer: Id, body: AnswerIn, services: Uses, who: Writer) -> dict[str, object]:
    """Publish a new version. Raises BadInputError, ForbiddenError, NotFoundError."""
    made = await approving.approve(
        services,
        who.tenant,
        _draft(body, who),
        who.csm.id,
        who.csm.role,
        answer=DocumentId(answer),
    )
    return {"answer": _answer(made, services.clock.now())}


@router.post("/answers/{answer}/withdraw")
async def withdraw(answer: Id, body: WithdrawIn, services: Uses, who: Writer) -> dict[str, object]:
    """Silence an answer at once. Raises NotFoundError."""
    await approving.withdraw(
        services, who.tenant, DocumentId(answer), who.csm.id, body.reason.strip()
    )
    return {"withdrawn": answer}


@router.get("/report")
async def report(
    services: Uses, who: Reader, days: Annotated[int, Query(ge=1, le=92)] = 7
) -> dict[str, object]:
    """Return the knowledge report of the last days."""
    now = services.clock.now().isoformat()
    return {"now": now, **report_json(await services.reporter.report(who.tenant, days))}


def _draft(body: AnswerIn, who: Seat) -> approving.Draft:
    return approving.Draft(
        question=body.question,
        text=body.text,
        author=body.author.strip() or who.csm.name,
        review_by=body.review_by,
        locale=body.locale,
        internal=body.internal,
        editions=tuple(body.editions),
        aliases=tuple(body.aliases),
        public=tuple(body.public),
    )


def _answer(made: AnswerRow, now: datetime) -> dict[str, object]:
    plain = asdict(made)
    times = {k: v.isoformat() for k, v in plain.items() if isinstance(v, datetime)}
    return {**plain, **times, "due": is_due(made, now)}
