"""What the CLI asks of a running server: ingest, intents, tenants. Development and secret keys only."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from app.api.deps import DEV_KEY, Secret, Uses
from app.api.schemas import Body, MessageText, Word
from app.ingesting import ingest
from core.errors import BadInputError, ForbiddenError
from core.ids import TenantId

router = APIRouter(prefix="/manage", tags=["manage"], include_in_schema=False)


class IngestIn(Body):
    """A folder or file on the server's own disk."""

    path: Annotated[str, Field(min_length=1, max_length=4000)]
    source: Word | None = None
    dry_run: bool = False


@router.post("/ingest")
async def ingest_path(body: IngestIn, services: Uses, who: Secret) -> dict[str, object]:
    """Bring a source in line with a path; returns when what changed is searchable."""
    if not services.settings.development:
        raise ForbiddenError("paths on the server's disk are ingested by the CLI beside it")
    path = await asyncio.to_thread(Path(body.path).resolve)
    report = await ingest(services, who.tenant, path, body.source, dry_run=body.dry_run)
    return asdict(report)


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


class PhraseIn(Body):
    """One phrase of an intent."""

    text: MessageText
    intent: Word


class IntentsIn(Body):
    """Phrases to learn."""

    phrases: list[PhraseIn] = Field(max_length=50_000)


@router.post("/intents")
async def load_intents(body: IntentsIn, services: Uses, who: Secret) -> dict[str, int]:
    """Store a tenant's own phrases and train on them at once."""
    if not body.phrases:
        raise BadInputError("there are no phrases")
    pairs = [(p.text, p.intent) for p in body.phrases]
    changed = await services.intents.load(who.tenant, pairs)
    return {"changed": changed, "phrases": await services.teach(who.tenant)}
