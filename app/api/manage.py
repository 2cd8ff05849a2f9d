"""What the CLI asks of a running server: ingest, tenants. Development and secret keys only."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from app.api.deps import DEV_KEY, Secret, Uses
from app.api.schemas import Body, Word
from core.errors import ForbiddenError
from core.ids import TenantId
from ingest.report import report_json

router = APIRouter(prefix="/manage", tags=["manage"], include_in_schema=False)


class IngestIn(Body):
    """Where docs are: a URL, or a folder or file on the server's own disk."""

    path: Annotated[str, Field(min_length=1, max_length=4000)]
    source: Word | None = None
    dry_run: bool = False
    confirm: bool = False


@router.post("/ingest")
async def ingest_path(body: IngestIn, services: Uses, who: Secret) -> dict[str, object]:
    """Bring a source in line with a place; returns when what changed is searchable."""
    report = await services.syncer.ingest(
        who.tenant, body.path, body.source, dry_run=body.dry_run, confirm=body.confirm
    )
    return report_json(report)


@router.post("/rebuild")
async def rebuild(services: Uses, who: Secret) -> dict[str, int]:
    """Build the caller's vector index anew from SQL."""
    return {"rows": await services.rebuild(who.tenant)}


class TenantIn(Body):
    """A tenant to make."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,60}$")]
    name: Word


@router.post("/tenants", status_code=201)
async def create_tenant(body: TenantIn, services: Uses, who: Secret) -> dict[str, object]:
    """Make a tenant and a secret key for it; idempotent but for the key."""
    if not services.settings.development:
        raise ForbiddenError(f"tenants are made beside the server: `usher tenant create {body.id}`")
    fresh = await services.directory.ensure_tenant(TenantId(body.id), body.name)
    return {"id": body.id, "created": fresh, "key": DEV_KEY}
