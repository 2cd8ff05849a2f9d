"""Liveness, readiness, metrics."""

from fastapi import APIRouter, Response
from pydantic import BaseModel

from app.api.deps import Uses

router = APIRouter(tags=["health"])


class Ready(BaseModel):
    """`ready`, `degraded` (messages go on without a part) or `down`; parts by name."""

    status: str
    parts: dict[str, bool]
    channels: list[str]


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """Say that the process runs."""
    return {"status": "ok"}


@router.get("/readyz")
async def ready(services: Uses, response: Response) -> Ready:
    """Say whether messages can be taken: only the database is indispensable."""
    parts = dict(await services.healthy())
    status = "ready" if all(parts.values()) else "degraded"
    if not parts["database"]:
        status, response.status_code = "down", 503
    on = (
        sorted({i.channel for i in await services.directory.inboxes()}) if parts["database"] else []
    )
    return Ready(status=status, parts=parts, channels=[c for c in on if c != "api"])


@router.get("/metrics", include_in_schema=False)
async def metrics(services: Uses) -> Response:
    """Return Prometheus text."""
    counts = await services.reads.counts()
    for name in counts.__dataclass_fields__:
        services.metrics.set(name, float(getattr(counts, name)))
    return Response(services.metrics.render(), media_type="text/plain; version=0.0.4")
