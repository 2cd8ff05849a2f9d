"""Brings the vector store in line with SQL.

Owns the difference between the two: what is missing is added, what is gone removed, a lost
collection built anew. Running it twice, or after being killed, changes nothing more. Not here: the
in-memory index, which reads SQL itself (knowledge/index.py).
"""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence

import numpy as np

from core.errors import ServiceError
from core.ids import TenantId
from core.ports import Passages
from knowledge.graph import DIMENSIONS
from knowledge.vectors import BATCH, Vectors

logger = logging.getLogger(__name__)

Tenants = Callable[[], Awaitable[Sequence[TenantId]]]


class Indexer:
    """Applies passages' rows to Chroma. One of them per store is enough; more do no harm."""

    def __init__(self, passages: Passages, vectors: Vectors) -> None:
        self._passages = passages
        self._vectors = vectors
        self._applied: dict[TenantId, int] = {}
        self._wake = asyncio.Event()

    async def apply(self, tenant: TenantId) -> int:
        """Bring one tenant's collection in line; return how many rows were added or removed.

        Raises UnavailableError when the store is down; what was applied before stays.
        """
        version = await self._passages.index_version(tenant)
        lost = (tenant, "docs") in self._vectors.lost
        if self._applied.get(tenant) == version and not lost:
            return 0
        if lost:
            await self._repair(tenant)
        there = await self._vectors.marks(tenant, "docs")
        changed = 0
        ids: list[str] = []
        raw: list[bytes] = []
        async for passage, vector in self._passages.scan(tenant):
            if len(vector) != 4 * DIMENSIONS:
                continue
            if there.pop(passage.id, None) == mark(vector):
                continue
            ids.append(passage.id)
            raw.append(vector)
            if len(ids) == BATCH:
                changed += await self._add(tenant, ids, raw)
                ids, raw = [], []
        changed += await self._add(tenant, ids, raw)
        if there:
            await self._vectors.delete(tenant, "docs", list(there))
        # The version read before the scan: a change in between is found at the next round.
        self._applied[tenant] = version
        return changed + len(there)

    async def rebuild(self, tenant: TenantId) -> int:
        """Throw the collection away and build it from SQL; return its rows."""
        self._applied.pop(tenant, None)
        await self._vectors.drop(tenant, "docs")
        return await self.apply(tenant)

    async def run(self, tenants: Tenants, every: float = 2.0) -> None:
        """Apply all tenants for ever, every `every` seconds and when woken; ends when cancelled."""
        while True:
            await self.round(await _names(tenants))
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), every)
            except TimeoutError:
                continue

    async def round(self, tenants: Sequence[TenantId]) -> None:
        """Apply each tenant once; one that fails is tried again at the next round."""
        for tenant in tenants:
            try:
                changed = await self.apply(tenant)
            except ServiceError as error:
                logger.warning("indexer.failed", extra={"code": error.code})
            else:
                if changed:
                    logger.info("indexer.applied", extra={"rows": changed})

    def wake(self) -> None:
        """Look now rather than at the next tick."""
        self._wake.set()

    async def _repair(self, tenant: TenantId) -> None:
        """After a failed call: keep a collection that can be read, throw away one that cannot."""
        try:
            await self._vectors.marks(tenant, "docs")
        except ServiceError:
            if not await self._vectors.healthy():
                raise
            await self._vectors.drop(tenant, "docs")
        self._vectors.lost.discard((tenant, "docs"))

    async def _add(self, tenant: TenantId, ids: Sequence[str], raw: Sequence[bytes]) -> int:
        if ids:
            vectors = np.stack([np.frombuffer(each, "<f4") for each in raw])
            marks = [{"mark": mark(each)} for each in raw]
            await self._vectors.upsert(tenant, "docs", ids, vectors, marks)
        return len(ids)


async def _names(tenants: Tenants) -> Sequence[TenantId]:
    try:
        return await tenants()
    except ServiceError as error:
        logger.warning("indexer.no_tenants", extra={"code": error.code})
        return ()


def mark(vector: bytes) -> str:
    """Return a short digest by which an unchanged vector is known."""
    return hashlib.blake2b(vector, digest_size=8).hexdigest()
