"""Who is who, and what went out unasked: for the tenant's own system. Secret keys only."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from app.api.deps import Secret, Uses
from core.errors import NotFoundError

router = APIRouter(prefix="/manage", tags=["manage"], include_in_schema=False)

RowId = Annotated[str, Path(pattern=r"^[a-z]{3}_[0-9a-f]{32}$")]
Customer = Annotated[str, Path(min_length=1, max_length=200)]


@router.get("/contacts/{external_id}/joins")
async def joins(external_id: Customer, services: Uses, who: Secret) -> dict[str, object]:
    """Return what was joined into a contact, and who may be the same person. Raises NotFoundError."""
    contact = await services.directory.contact_by_external(who.tenant, external_id)
    if contact is None:
        raise NotFoundError("no such contact")
    joined, suggested = await services.directory.ties(who.tenant, contact.id)
    return {"joins": joined, "suggestions": suggested}


@router.post("/joins/{join}/undo")
async def undo(join: RowId, services: Uses, who: Secret) -> dict[str, object]:
    """Take a join apart: what it moved goes back. Raises NotFoundError, ConflictError when undone before."""
    return {"apart": await services.directory.undo_join(who.tenant, join, "api")}


@router.get("/unasked")
async def unasked(
    services: Uses, who: Secret, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> dict[str, object]:
    """Return what was sent unasked, what waits, and what was not sent and why; newest first."""
    return {"unasked": await services.not_sent.listed(who.tenant, None, limit)}
