"""Knowledge as the bot has it: documents, search, gaps, and what the docs would answer."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.console import pictures
from app.console.bodies import GapIn, TryIn
from app.console.gate import Id, Reader, Uses, Writer
from app.traces import understanding_json
from core.briefs import REASONS
from core.errors import BadInputError, NotFoundError
from core.escalation import due
from core.ports import Viewer

router = APIRouter()

_PASSAGES = 8


@router.get("/knowledge")
async def overview(services: Uses, who: Reader) -> dict[str, object]:
    """Return how many documents there are, the newest of them, and the gaps, those that cost most first."""
    page = await services.passages.documents(who.tenant)
    return {
        "now": services.clock.now().isoformat(),
        "documents": await services.passages.document_count(who.tenant),
        "items": [pictures.document(d) for d in page.items],
        "gaps": [pictures.gap(g) for g in await services.gaps.open_gaps(who.tenant, 100)],
    }


@router.get("/knowledge/search")
async def search(
    services: Uses, who: Reader, q: Annotated[str, Query(min_length=1, max_length=500)]
) -> dict[str, object]:
    """Return the passages a customer's question would find, with their scores."""
    if not q.isprintable():
        raise BadInputError("search for words on one line")
    found = await services.retriever.search(who.tenant, q, (), Viewer(), _PASSAGES)
    return {"items": [pictures.passage(p) for p in found]}


@router.post("/knowledge/try")
async def attempt(body: TryIn, services: Uses, who: Writer) -> dict[str, object]:
    """Return how the bot would understand a message and what the docs would answer; sends nothing."""
    policy = await services.directory.policy(who.tenant)
    understood = await services.understands.understand(
        who.tenant, body.text, (), services.clock.now(), policy.time_zone
    )
    extract = await services.answers.answer(who.tenant, body.text, (), Viewer(), _PASSAGES)
    asked = due(understood, {}, policy.thresholds)
    return {
        "understanding": understanding_json(understood),
        "handoff": REASONS[asked.reason] if asked else None,
        "action": extract.action,
        "text": extract.text,
        "confidence": extract.confidence,
        "reasons": list(extract.reasons),
        "citations": [pictures.citation(c) for c in extract.citations],
        "passages": [pictures.passage(p) for p in extract.passages],
    }


@router.post("/gaps/{gap}")
async def decide(gap: Id, body: GapIn, services: Uses, who: Writer) -> dict[str, object]:
    """Close a gap. Raises NotFoundError when it is not open."""
    if not await services.gaps.close(who.tenant, gap, body.status):
        raise NotFoundError("this gap is not open")
    await services.access.audit(who.tenant, who.csm.id, f"gap.{body.status}", gap)
    return {"status": body.status}
