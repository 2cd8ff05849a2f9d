"""KPIs with a small trend, and what the team set."""

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from app.console import pictures
from app.console.gate import Reader, Uses
from core.views import Kpis

router = APIRouter()

_SPANS = {"24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}
_STEPS = {
    "24h": (6, timedelta(hours=4)),
    "7d": (7, timedelta(days=1)),
    "30d": (6, timedelta(days=5)),
}


@router.get("/kpis")
async def kpis(
    services: Uses, who: Reader, span: Annotated[Literal["24h", "7d", "30d"], Query()] = "7d"
) -> dict[str, object]:
    """Return the figures of a span, and volume and handoffs in equal steps of it, oldest first."""
    now = services.clock.now()
    count, step = _STEPS[span]
    edges = [now - step * n for n in range(count, 0, -1)]
    since = [await services.reads.kpis(who.tenant, edge) for edge in edges]
    return {
        "now": now.isoformat(),
        "kpis": pictures.kpis(await services.reads.kpis(who.tenant, now - _SPANS[span])),
        "steps": [
            {"from": edge.isoformat(), "to": (edge + step).isoformat(), **_between(first, later)}
            for edge, first, later in zip(edges, since, [*since[1:], Kpis(now)], strict=True)
        ],
    }


def _between(first: Kpis, later: Kpis) -> dict[str, int]:
    """Return what happened after the first time and before the later one."""
    return {
        "messages": sum(first.volume.values()) - sum(later.volume.values()),
        "conversations": first.conversations - later.conversations,
        "handoffs": first.handoffs - later.handoffs,
        "breaches": first.breaches - later.breaches,
    }


@router.get("/settings")
async def settings(services: Uses, who: Reader) -> dict[str, object]:
    """Return what the team set, its inboxes and its people."""
    policy = await services.directory.policy(who.tenant)
    health = await services.healthy()
    log = await services.access.audit_log(who.tenant, limit=30)
    return {
        "now": services.clock.now().isoformat(),
        "policy": pictures.policy(policy),
        "inboxes": [pictures.inbox(i) for i in await services.directory.inboxes(who.tenant)],
        "team": [pictures.csm(c) for c in await services.access.csms(who.tenant)],
        "channels": sorted(services.plugins.channels),
        "model": services.generator.enabled,
        "healthy": dict(health),
        "audit": [
            {"actor": e.actor, "action": e.action, "subject": e.subject, "at": pictures.when(e.at)}
            for e in log.items
        ],
    }
