"""Documents as the bot has them: sources and their syncs, every page with its badges and uses, search as it sees."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from app.console import pictures
from app.console.gate import Id, Reader, Uses, Writer
from app.reporting import conflicts_json
from core.errors import BadInputError
from core.ports import Viewer
from ingest.conflicts import find_conflicts
from ingest.report import report_json

router = APIRouter(prefix="/knowledge")

_PASSAGES = 10
_SHOWN = 100  # entries of each list of a sync's report
SEEN_OVER = timedelta(days=30)
Line = Annotated[str, Query(max_length=200)]


@router.get("/docs")
async def docs(
    services: Uses,
    who: Reader,
    source: Annotated[str | None, Query(max_length=200)] = None,
    search: Line = "",
    after: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,80}$")] = None,
) -> dict[str, object]:
    """Return the sources with their last sync, and a page of the documents with their uses of 30 days."""
    now = services.clock.now()
    since = (now - SEEN_OVER).date()
    page = await services.reports.library(who.tenant, since, source, search, after)
    counts = await services.reports.by_source(who.tenant)
    rows = await services.syncer.sources.all(who.tenant)
    policy = await services.directory.policy(who.tenant)
    return {
        "now": now.isoformat(),
        "sources": [
            {
                **_plain(asdict(row)),
                "documents": counts.get(row.name, 0),
                "syncing": row.lease is not None,
            }
            for row in rows
        ],
        "counts": counts,
        "editions": list(policy.editions),
        "documents": sum(counts.values()),
        "items": [_plain(asdict(each)) for each in page.items],
        "cursor": page.cursor,
    }


def _plain(row: dict[str, object]) -> dict[str, object]:
    """Return the row as JSON, without what is not for the page."""
    row = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in row.items()}
    return {k: v for k, v in row.items() if k not in ("tenant", "lease")}


@router.get("/conflicts")
async def conflicts(services: Uses, who: Reader) -> dict[str, object]:
    """Return the pages that repeat or contradict each other, contradictions first."""
    return {"items": conflicts_json(await find_conflicts(services.passages, who.tenant))}


@router.post("/sources/{source}/sync")
async def sync(
    source: Id,
    services: Uses,
    who: Writer,
    dry_run: Annotated[bool, Query()] = False,  # noqa: FBT002 - a query parameter
) -> dict[str, object]:
    """Sync a source now, or only say what would change. Raises ConflictError, NotFoundError."""
    report = await services.syncer.sync(who.tenant, source, dry_run=dry_run)
    if not dry_run:
        await services.access.audit(who.tenant, who.csm.id, "source.synced", source)
    return {"dry_run": dry_run, **report_json(report, _SHOWN)}


@router.get("/search")
async def search(
    services: Uses,
    who: Reader,
    q: Annotated[str, Query(min_length=1, max_length=500)],
    edition: Line = "",
    locale: Annotated[str, Query(pattern=r"^([a-z]{2})?$")] = "",
    internal: Annotated[bool, Query()] = False,  # noqa: FBT002 - a query parameter
) -> dict[str, object]:
    """Return the passages a viewer's question would find, with their scores."""
    if not q.isprintable():
        raise BadInputError("search for words on one line")
    viewer = Viewer(edition=edition or None, locale=locale or None, internal=internal)
    found = await services.retriever.search(who.tenant, q, (), viewer, _PASSAGES)
    return {"items": [pictures.passage(p) for p in found]}
