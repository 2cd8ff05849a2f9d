"""Docs into knowledge: one source of one tenant, searchable when this returns."""

from collections.abc import Callable
from pathlib import Path

from app.services import Services
from core.ids import TenantId
from ingest.sync import SyncReport, sync

HANDBOOK = Path(__file__).resolve().parent.parent / "ingest" / "handbook"


async def ingest(
    services: Services,
    tenant: TenantId,
    path: Path,
    source: str | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    *,
    dry_run: bool = False,
) -> SyncReport:
    """Bring `source` (the folder's name by default) in line with `path`."""
    report = await sync(
        tenant,
        source or path.name,
        path,
        services.passages,
        services.encode,
        progress,
        dry_run=dry_run,
    )
    if not dry_run:
        await services.after_ingest(tenant)
    return report
