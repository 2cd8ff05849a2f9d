"""Search over what is remembered about a contact.

Owns the facts' vectors. The truth is the Facts port: a vector without a fact is never shown, a fact
without a vector is encoded on the spot, so that recall works with the store lost or down.
"""

import logging
from collections.abc import Sequence

import numpy as np

from core.errors import UnavailableError
from core.ids import ContactId, TenantId
from core.ports import Fact, Facts
from knowledge.encoder import Encoder
from knowledge.vectors import Vectors

logger = logging.getLogger(__name__)

LEAST_COSINE = 0.15  # below it a fact has nothing to do with the message
ENCODED_ON_THE_SPOT = 64


class FactRecall:
    """Implements core.ports.Recall."""

    def __init__(self, facts: Facts, vectors: Vectors | None, encoder: Encoder) -> None:
        self._facts = facts
        self._vectors = vectors
        self._encoder = encoder

    async def recall(
        self, tenant: TenantId, contact: ContactId, query: str, k: int = 3
    ) -> Sequence[Fact]:
        """Return up to k of the contact's facts nearest in meaning that still exist."""
        facts = {str(fact.id): fact for fact in await self._facts.all(tenant, contact)}
        if not facts or not query.strip():
            return ()
        vector = (await self._encoder.encode([query])).vectors[0]
        near = await self._stored(tenant, contact, vector, len(facts))
        scores = {each: cosine for each, cosine in near.items() if each in facts}
        # Whatever the store should know and does not say is encoded here and told to it.
        missing = [fact for each, fact in facts.items() if each not in scores]
        if missing:
            missing = missing[:ENCODED_ON_THE_SPOT]
            vectors = (await self._encoder.encode([text_of(fact) for fact in missing])).vectors
            scores.update(
                (str(fact.id), float(cosine))
                for fact, cosine in zip(missing, vectors @ vector, strict=True)
            )
            await self._tell(tenant, missing, vectors)
        ranked = sorted(scores, key=lambda each: -scores[each])
        return tuple(facts[each] for each in ranked[:k] if scores[each] >= LEAST_COSINE)

    async def index(self, tenant: TenantId, fact: Fact) -> None:
        """Make a committed fact searchable; a store that is down is told at the next recall."""
        vectors = (await self._encoder.encode([text_of(fact)])).vectors
        await self._tell(tenant, [fact], vectors)

    async def forget(self, tenant: TenantId, facts: Sequence[Fact]) -> None:
        """Remove the vectors of forgotten facts; one that stays behind resolves to nothing."""
        if self._vectors is None or not facts:
            return
        try:
            await self._vectors.delete(tenant, "facts", [str(fact.id) for fact in facts])
        except UnavailableError:
            logger.warning("recall.forget_failed")

    async def _stored(
        self, tenant: TenantId, contact: ContactId, vector: np.ndarray, k: int
    ) -> dict[str, float]:
        if self._vectors is None:
            return {}
        try:
            hits = await self._vectors.query(
                tenant, "facts", vector, k, where={"contact": str(contact)}
            )
        except UnavailableError:
            logger.warning("recall.vectors_down")
            return {}
        return dict(hits)

    async def _tell(self, tenant: TenantId, facts: Sequence[Fact], vectors: np.ndarray) -> None:
        if self._vectors is None:
            return
        try:
            await self._vectors.upsert(
                tenant,
                "facts",
                [str(fact.id) for fact in facts],
                vectors,
                [{"contact": str(fact.contact_id)} for fact in facts],
            )
        except UnavailableError:
            logger.warning("recall.index_failed")


def text_of(fact: Fact) -> str:
    """Return a fact as it is encoded."""
    return f"{fact.key.replace('_', ' ')}: {fact.value}"
