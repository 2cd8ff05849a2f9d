"""KPIs with a small trend, and what the team set."""

import csv
import io
from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from app.console import pictures
from app.console.gate import Reader, Uses
from app.services import Services
from core.ids import TenantId
from core.kpis import Figures

router = APIRouter()

_SPANS = {"24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}
_STEPS = {"24h": 6, "7d": 7, "30d": 10}
Span = Annotated[Literal["24h", "7d", "30d"], Query()]


@router.get("/kpis")
async def kpis(services: Uses, who: Reader, span: Span = "7d") -> dict[str, object]:
    """Return the figures of a span up to now, with volume and handoffs in equal steps of it, oldest first."""
    found = await _read(services, who.tenant, span)
    return {"now": found.until.isoformat(), **pictures.figures(found)}


@router.get("/kpis.csv")
async def kpis_csv(services: Uses, who: Reader, span: Span = "7d") -> Response:
    """Return the same figures as a file: one row a figure and channel, with its numerator and denominator."""
    found = await _read(services, who.tenant, span)
    sheet = io.StringIO()
    writer = csv.writer(sheet)
    writer.writerow(("from", "to", "channel", "figure", "value", "count", "over", "band"))
    edges = (found.since.isoformat(), found.until.isoformat())
    for channel, figures in (("", found.figures), *found.channels.items()):
        for name, figure in figures.items():
            value = "" if figure.value is None else round(figure.value, 6)
            row = (value, round(figure.count, 6), round(figure.over, 6), figure.band or "")
            writer.writerow((*edges, channel, name, *row))
    for channel, count in found.messages.items():
        writer.writerow((*edges, channel, "messages", count, count, 0, ""))
    return Response(
        sheet.getvalue(),
        media_type="text/csv",
        headers={"content-disposition": f'attachment; filename="figures-{span}.csv"'},
    )


async def _read(services: Services, tenant: TenantId, span: str) -> Figures:
    now = services.clock.now()
    policy = await services.directory.policy(tenant)
    return await services.figures.read(tenant, now - _SPANS[span], now, policy.bands, _STEPS[span])


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
