"""What is kept in memory of a tenant's passages: words, vectors, and where each row stands.

Owns building it from SQL, and building it anew beside the old one when `index_version` moves. Never
decides what a viewer may see: a row found here is an id, resolved against SQL before use, so that
what was deleted is silent at once however old the index is.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from core.errors import ServiceError
from core.ids import PassageId, TenantId
from core.ports import Passages
from core.turns import Passage
from knowledge.graph import DIMENSIONS
from knowledge.lexical import LexicalIndex, read
from knowledge.postings import Entry

logger = logging.getLogger(__name__)

Floats = npt.NDArray[np.float32]

MATRIX_ROWS = 50_000  # 77 MB; beyond it the vector store answers
MAX_TENANTS = 32
PATIENCE = 0.05  # seconds a search waits for a newer index before it uses the one there is


@dataclass(frozen=True, slots=True)
class TenantIndex:
    """One tenant at one `version`. Rows run in parallel; `matrix` is None when there are too many."""

    version: int
    ids: tuple[PassageId, ...]
    documents: npt.NDArray[np.int64]  # row → number of its document
    locales: npt.NDArray[np.str_]  # row → language, two letters
    lexical: LexicalIndex
    matrix: Floats | None
    rows: Mapping[PassageId, int]
    entries: Mapping[PassageId, Entry] = field(default_factory=dict, repr=False)


class Indexes:
    """The indexes of all tenants, the least recently used one dropped beyond `MAX_TENANTS`."""

    def __init__(self, passages: Passages, now: Callable[[], float] = time.monotonic) -> None:
        self._passages = passages
        self._now = now
        self._loaded: OrderedDict[TenantId, TenantIndex] = OrderedDict()
        self._locks: dict[TenantId, asyncio.Lock] = {}
        self._refreshing: dict[TenantId, asyncio.Task[None]] = {}
        self._not_before: dict[TenantId, float] = {}

    async def get(self, tenant: TenantId) -> TenantIndex:
        """Return the tenant's index, built anew in the background when its docs changed.

        Waits for the first index, and `PATIENCE` seconds for a newer one; `fresh` waits for it.
        """
        loaded = self._loaded.get(tenant)
        if loaded is None:
            return await self.fresh(tenant)
        self._loaded.move_to_end(tenant)
        if loaded.version == await self._passages.index_version(tenant):
            return loaded
        if self._now() >= self._not_before.get(tenant, 0.0):
            task = self._refreshing.get(tenant)
            if task is None or task.done():
                task = self._refreshing[tenant] = asyncio.create_task(self._refresh(tenant))
            await asyncio.wait([task], timeout=PATIENCE)
        return self._loaded.get(tenant, loaded)

    async def fresh(self, tenant: TenantId) -> TenantIndex:
        """Return the tenant's index as of now: what was committed before the call is in it."""
        async with self._locks.setdefault(tenant, asyncio.Lock()):
            version = await self._passages.index_version(tenant)
            loaded = self._loaded.get(tenant)
            if loaded is None or loaded.version != version:
                loaded = await self._build(tenant, version, loaded)
            self._loaded[tenant] = loaded
            self._loaded.move_to_end(tenant)
            while len(self._loaded) > MAX_TENANTS:
                self._loaded.popitem(last=False)
        return loaded

    async def close(self) -> None:
        """Let go of what is being built."""
        running = [task for task in self._refreshing.values() if not task.done()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _refresh(self, tenant: TenantId) -> None:
        started = self._now()
        try:
            await self.fresh(tenant)
        except ServiceError as error:
            logger.warning("index.refresh_failed", extra={"code": error.code})
        # During a long sync docs change all the time: leave the processor to others half of it.
        ended = self._now()
        self._not_before[tenant] = ended + (ended - started)

    async def _build(
        self, tenant: TenantId, version: int, older: TenantIndex | None
    ) -> TenantIndex:
        # The version was read before the scan: if docs change meanwhile, the next search sees a
        # newer version and builds again.
        scanned = [pair async for pair in self._passages.scan(tenant)]
        known = older.entries if older else {}
        return await asyncio.to_thread(_make, version, scanned, known)


def _make(
    version: int, scanned: Sequence[tuple[Passage, bytes]], known: Mapping[PassageId, Entry]
) -> TenantIndex:
    entries = {passage.id: known.get(passage.id) or read(passage) for passage, _ in scanned}
    numbers: dict[str, int] = {}
    documents = [numbers.setdefault(passage.document_id, len(numbers)) for passage, _ in scanned]
    matrix = None
    if len(scanned) <= MATRIX_ROWS:
        matrix = np.zeros((len(scanned), DIMENSIONS), np.float32)
        for row, (_, vector) in enumerate(scanned):
            if len(vector) == 4 * DIMENSIONS:
                matrix[row] = np.frombuffer(vector, "<f4")
    ids = tuple(passage.id for passage, _ in scanned)
    return TenantIndex(
        version=version,
        ids=ids,
        documents=np.array(documents, np.int64),
        locales=np.array([passage.locale[:2].lower() for passage, _ in scanned], "<U2"),
        lexical=LexicalIndex([entries[each] for each in ids], documents),
        matrix=matrix,
        rows={each: row for row, each in enumerate(ids)},
        entries=entries,
    )
