"""/manage/gaps, /manage/answers, /manage/report, /manage/conflicts: knowledge for scripts. Secret keys only."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, Field

from app import approving
from app.api.deps import Secret, Uses
from app.api.schemas import Body, MessageText, Word
from app.gaps import listed, work
from app.reporting import conflicts_json, gap_json, report_json
from app.services import Services
from core.errors import BadInputError, NotFoundError
from core.ids import DocumentId, TenantId
from core.views import AnswerRow
from ingest.conflicts import find_conflicts

router = APIRouter(prefix="/manage", tags=["manage"], include_in_schema=False)

REVIEWED_AFTER = timedelta(days=180)
_KEY = "key"  # the actor in the audit log when a script names nobody
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,80}$")]
Status = Literal["open", "answered", "dismissed"]


class AnswerIn(Body):
    """An answer to approve. Without a question the gap's own is taken, with its wordings to be found by.

    `approved_by` is the mail address of somebody of the team, whose role decides what may be stated.
    """

    answer: MessageText
    question: MessageText | None = None
    aliases: list[MessageText] | None = Field(default=None, max_length=approving.MAX_ALIASES)
    author: Word = "the team"
    approved_by: Word | None = None
    audience: Literal["public", "internal"] = "public"
    editions: list[Word] = Field(default=[], max_length=20)
    locale: Word = "en"
    review_by: AwareDatetime | None = None
    public: list[MessageText] = Field(default=[], max_length=50)


@router.get("/gaps")
async def gaps(
    services: Uses,
    who: Secret,
    status: Annotated[Status, Query()] = "open",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> dict[str, object]:
    """Return gaps, those that cost most customers first."""
    found = await listed(services, who.tenant, limit, status=status)
    return {"items": [gap_json(gap) for gap in found]}


@router.get("/gaps/{gap}")
async def gap(gap: Id, services: Uses, who: Secret) -> dict[str, object]:
    """Return a gap with its wordings, the nearest passages and a draft of the answer. Raises NotFoundError."""
    found = await work(services, who.tenant, gap)
    return {
        **gap_json(found.gap),
        "questions": [{"id": q.id, "text": q.text, "times": q.times} for q in found.questions],
        "passages": [
            {
                "document": p.document,
                "title": p.title,
                "section": p.section,
                "score": round(p.score, 4),
                "text": p.text,
                "internal": p.internal,
            }
            for p in found.nearest
        ],
        "alike": [{"id": q.id, "text": q.text, "score": s} for q, s in found.alike],
        "suggestion": found.suggestion,
    }


@router.post("/gaps/{gap}/review")
async def review(gap: Id, body: AnswerIn, services: Uses, who: Secret) -> dict[str, object]:
    """Return what stands against an answer, without approving it. Raises NotFoundError."""
    draft = await _draft(services, who.tenant, gap, body)
    return approving.review_json(await approving.review(services, who.tenant, draft, gap))


@router.post("/gaps/{gap}/approve", status_code=201)
async def approve(gap: Id, body: AnswerIn, services: Uses, who: Secret) -> dict[str, object]:
    """Publish the answer to a gap; it is found when this returns.

    Raises BadInputError with every problem, ForbiddenError when `approved_by` may not state it, NotFoundError.
    """
    draft = await _draft(services, who.tenant, gap, body)
    actor, role = await _approver(services, who.tenant, body.approved_by)
    made = await approving.approve(services, who.tenant, draft, actor, role, gap=gap)
    return answer_json(made)


class DismissIn(Body):
    """Why a gap needs no answer."""

    reason: Annotated[str, Field(min_length=1, max_length=300)]


@router.post("/gaps/{gap}/dismiss")
async def dismiss(gap: Id, body: DismissIn, services: Uses, who: Secret) -> dict[str, object]:
    """Close a gap that needs no answer. Raises NotFoundError when it is not open."""
    if not await services.gaps.close(who.tenant, gap, "dismissed", _KEY, body.reason):
        raise NotFoundError("this gap is not open")
    await services.access.audit(who.tenant, _KEY, "gap.dismissed", gap, {"reason": body.reason})
    return {"status": "dismissed"}


@router.get("/answers")
async def answers(services: Uses, who: Secret) -> dict[str, object]:
    """Return the approved answers, the latest changed first."""
    found = await services.approved.all(who.tenant)
    return {"items": [answer_json(each) for each in found]}


@router.delete("/answers/{answer}", status_code=204)
async def withdraw(answer: Id, services: Uses, who: Secret) -> None:
    """Silence an answer at once. Raises NotFoundError."""
    await approving.withdraw(services, who.tenant, DocumentId(answer), _KEY, "")


@router.get("/report")
async def report(
    services: Uses, who: Secret, days: Annotated[int, Query(ge=1, le=366)] = 7
) -> dict[str, object]:
    """Return the knowledge report of the last days."""
    return report_json(await services.reporter.report(who.tenant, days))


@router.get("/conflicts")
async def conflicts(services: Uses, who: Secret) -> dict[str, object]:
    """Return the pages that repeat or contradict each other, contradictions first. Seconds for a large library."""
    return {"items": conflicts_json(await find_conflicts(services.passages, who.tenant))}


def answer_json(made: AnswerRow) -> dict[str, object]:
    """Return an answer's public shape."""
    plain = asdict(made)
    times = {k: v.isoformat() for k, v in plain.items() if isinstance(v, datetime)}
    return {**plain, **times, "source": approving.SOURCE}


async def _draft(services: Services, tenant: TenantId, gap: str, body: AnswerIn) -> approving.Draft:
    asked = await services.gaps.questions(tenant, gap)
    if not asked:
        raise NotFoundError("no such gap")
    wordings = [each.text for each in asked]
    question = body.question or wordings[0]
    aliases = wordings if body.aliases is None else body.aliases
    return approving.Draft(
        question=question,
        text=body.answer,
        author=body.author,
        review_by=body.review_by or services.clock.now() + REVIEWED_AFTER,
        locale=body.locale,
        internal=body.audience == "internal",
        editions=tuple(body.editions),
        aliases=tuple(aliases[: approving.MAX_ALIASES]),
        public=tuple(body.public),
    )


async def _approver(services: Services, tenant: TenantId, mail: str | None) -> tuple[str, str]:
    """Return who approves and their role; a script that names nobody counts as a CSM."""
    if mail is None:
        return _KEY, "csm"
    known = {c.email.casefold(): c for c in await services.access.csms(tenant)}
    person = known.get(mail.strip().casefold())
    if person is None or person.role == "viewer":
        raise BadInputError(f"nobody of the team who may write has the address {mail}")
    return person.id, person.role
