"""POST, GET and DELETE /memory: what is remembered of a contact."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from app.api.deps import IdempotencyKey, Secret, Uses
from app.api.schemas import Body, MessageText, Word
from app.services import Services
from core.errors import NotFoundError
from core.ids import ContactId, TenantId
from core.ports import Fact
from core.signatures import body_digest
from core.views import SavedResponse

router = APIRouter(prefix="/memory", tags=["memory"])
CustomerId = Annotated[Word, Path(description="The id in the tenant's own system.")]
SOURCE = "api"


class MemoryIn(Body):
    """A fact. The same key replaces the older value. Health, family, belief and mood are refused."""

    model_config = ConfigDict(strict=True)

    cust_id: Word
    key: Word = Field(description="At most 80 characters.")
    val: MessageText = Field(description="At most 1000 characters.")
    confidence: float = Field(default=1.0, ge=0, le=1, allow_inf_nan=False)


class FactOut(BaseModel):
    """A fact with where it is from."""

    id: str
    key: str
    val: str
    source: str
    confidence: float
    at: datetime

    @classmethod
    def of(cls, fact: Fact) -> "FactOut":
        """Return the public shape."""
        return cls(
            id=fact.id,
            key=fact.key,
            val=fact.value,
            source=fact.source,
            confidence=fact.confidence,
            at=fact.created_at,
        )


class FactsOut(BaseModel):
    """Everything remembered, newest first; at most 200."""

    cust_id: str
    facts: list[FactOut]


class ForgottenOut(BaseModel):
    """How many facts are gone."""

    forgotten: int


@router.post("", status_code=201, response_model=FactOut)
async def remember(
    body: MemoryIn, services: Uses, who: Secret, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Remember a fact; the contact is made on first use."""
    digest = body_digest(f"POST /memory {body.model_dump_json()}".encode())
    if idempotency_key:
        saved = await services.idempotency.get(who.tenant, idempotency_key, digest)
        if saved is not None:
            return JSONResponse(saved.body, saved.status)
    contact = await services.directory.contact_by_external(who.tenant, body.cust_id, create=True)
    fact = await services.facts.put(
        who.tenant, contact.id, body.key, body.val, SOURCE, body.confidence
    )
    await services.after_facts(who.tenant, contact.id)
    answer = SavedResponse(201, FactOut.of(fact).model_dump(mode="json"))
    if idempotency_key:
        answer = await services.idempotency.put(who.tenant, idempotency_key, digest, answer)
    return JSONResponse(answer.body, answer.status)


@router.get("/{cust_id}")
async def recall(cust_id: CustomerId, services: Uses, who: Secret) -> FactsOut:
    """Return everything remembered of a contact."""
    contact = await _contact(services, who.tenant, cust_id)
    facts = await services.facts.all(who.tenant, contact)
    return FactsOut(cust_id=cust_id, facts=[FactOut.of(fact) for fact in facts])


@router.delete("/{cust_id}")
async def forget(
    cust_id: CustomerId,
    services: Uses,
    who: Secret,
    key: Annotated[Word | None, Query(description="One key; without it, everything.")] = None,
) -> ForgottenOut:
    """Forget one key, or everything."""
    contact = await _contact(services, who.tenant, cust_id)
    forgotten = await services.facts.forget(who.tenant, contact, key)
    await services.after_facts(who.tenant, contact)
    return ForgottenOut(forgotten=forgotten)


async def _contact(services: Services, tenant: TenantId, cust_id: str) -> ContactId:
    contact = await services.directory.contact_by_external(tenant, cust_id)
    if contact is None:
        raise NotFoundError("no such contact")
    return contact.id
