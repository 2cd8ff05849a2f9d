"""What is kept in memory of a tenant's passages: postings, vectors, and where each row stands.

Owns building it from SQL and building it anew when `index_version` moves. Never decides what a
viewer may see: a row found here is an id, resolved against SQL before use.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from core.ids import PassageId, TenantId
from core.ports import Passages
from core.turns import Passage
from knowledge.graph import DIMENSIONS
from knowledge.lexical import Entry, LexicalIndex, read

Floats = npt.NDArray[np.float32]

MATRIX_ROWS = 50_000  # 77 MB; beyond it the vector store answers
MEMO_ROWS = 20_000
MAX_TENANTS = 32


@dataclass(frozen=True, slots=True)
class TenantIndex:
    """One tenant at one `version`. Rows run in parallel; `matrix` is None when there are too many."""

    version: int
    ids: tuple[PassageId, ...]
    documents: npt.NDArray[np.int64]  # row → number of its document
    locales: tuple[str, ...]
    lexical: LexicalIndex
    matrix: Floats | None
    rows: Mapping[PassageId, int]
    entries: Mapping[PassageId, Entry] = field(default_factory=dict, repr=False)


class Indexes:
    """The indexes of all tenants, the least recently used one dropped beyond `MAX_TENANTS`."""

    def __init__(self, passages: Passages) -> None:
        self._passages = passages
        self._loaded: OrderedDict[TenantId, TenantIndex] = OrderedDict()
        self._locks: dict[TenantId, asyncio.Lock] = {}

    async def get(self, tenant: TenantId) -> TenantIndex:
        """Return the tenant's index as of now, built anew if its docs changed."""
        version = await self._passages.index_version(tenant)
        loaded = self._loaded.get(tenant)
        if loaded is None or loaded.version != version:
            async with self._locks.setdefault(tenant, asyncio.Lock()):
                loaded = self._loaded.get(tenant)
                if loaded is None or loaded.version != version:
                    loaded = await self._build(tenant, version, loaded)
        self._loaded[tenant] = loaded
        self._loaded.move_to_end(tenant)
        while len(self._loaded) > MAX_TENANTS:
            self._loaded.popitem(last=False)
        return loaded

    async def _build(
        self, tenant: TenantId, version: int, older: TenantIndex | None
    ) -> TenantIndex:
        # The version was read before the scan: if docs change meanwhile, the next search sees a
        # newer version and builds again.
        scanned = [pair async for pair in self._passages.scan(tenant)]
        known = older.entries if older else {}
        index = await asyncio.to_thread(_make, version, scanned, known)
        self._loaded[tenant] = index
        return index


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
        locales=tuple(passage.locale for passage, _ in scanned),
        lexical=LexicalIndex([entries[each] for each in ids]),
        matrix=matrix,
        rows={each: row for row, each in enumerate(ids)},
        entries=entries if len(ids) <= MEMO_ROWS else {},
    )
