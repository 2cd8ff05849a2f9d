"""Hybrid search: postings and vectors, fused, resolved against SQL.

Owns the way of a search: query, vectors, ranking, resolving. Refuses to return anything that SQL
does not resolve for this viewer. Not here: how both sides are joined (knowledge/fusion.py), what to
answer (knowledge/extract.py).
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from core.errors import UnavailableError
from core.ids import PassageId, TenantId
from core.ports import Passages, Viewer
from core.turns import Passage
from core.understanding import Said
from knowledge import fusion
from knowledge import query as queries
from knowledge.courtesy import matter
from knowledge.encoder import Encoder
from knowledge.index import Indexes, TenantIndex
from knowledge.query import Query
from knowledge.vectors import Vectors

logger = logging.getLogger(__name__)

Floats = npt.NDArray[np.float32]

STORE_HITS = 200  # asked of the vector store when the tenant is too large for the matrix
STORE_QUERIES = 8


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found. `cosines`: absolute cosine of the query with each passage, in [-1, 1].

    `vector` is the query's, float32 [384]; `degraded` means that only words were searched.
    """

    query: Query
    passages: tuple[Passage, ...]
    cosines: Mapping[PassageId, float]
    index: TenantIndex
    vector: Floats
    degraded: bool = False


@dataclass(frozen=True, slots=True)
class _Ranking:
    """All rows: `order` best first, `scores` and the query's `cosines` by row."""

    order: npt.NDArray[np.int64]
    scores: Floats
    cosines: Floats


class HybridRetriever:
    """Implements core.ports.Retriever."""

    def __init__(
        self, passages: Passages, indexes: Indexes, vectors: Vectors | None, encoder: Encoder
    ) -> None:
        self._passages = passages
        self._indexes = indexes
        self._vectors = vectors
        self._encoder = encoder

    async def search(
        self, tenant: TenantId, query: str, talk: Sequence[Said], viewer: Viewer, k: int = 8
    ) -> Sequence[Passage]:
        """Return up to k passages, best first, score in [0, 1] comparable within the search."""
        found = await self.look(tenant, query, talk, viewer, k)
        return found.passages

    async def look(
        self, tenant: TenantId, text: str, talk: Sequence[Said], viewer: Viewer, k: int = 8
    ) -> Found:
        """Search and tell how: what `search` returns, with the evidence a decision needs."""
        index = await self._indexes.get(tenant)
        query = queries.build(index.lexical.respell(matter(text)), talk)
        weights = np.array([weight for weight, _ in query.dense], np.float32)
        texts = [part for _, part in query.dense]
        vectors = (await self._encoder.encode([*texts, *query.clauses])).vectors
        vector = weights @ vectors[: len(texts)]
        vector /= max(float(np.linalg.norm(vector)), 1e-9)
        if not index.ids or not text.strip():
            return Found(query, (), {}, index, vector)
        sought = np.vstack([vector[None], vectors[len(texts) :]])
        near, degraded = await self._near(tenant, index, sought)
        ranking = await asyncio.to_thread(_rank, index, query, sought, near, viewer.locale)
        passages = await self._resolve(tenant, index, ranking, viewer, k)
        cosines = {each.id: float(ranking.cosines[index.rows[each.id]]) for each in passages}
        return Found(query, passages, cosines, index, vector, degraded)

    async def _near(
        self, tenant: TenantId, index: TenantIndex, vectors: Floats
    ) -> tuple[Floats | None, bool]:
        """Return the store's cosines [rows, queries], and whether they are missing.

        None for an index that holds its vectors itself.
        """
        if index.matrix is not None:
            return None, False
        scores = np.zeros((len(index.ids), len(vectors)), np.float32)
        if self._vectors is None:
            return scores, True
        try:
            for column, vector in enumerate(vectors[:STORE_QUERIES]):
                hits = await self._vectors.query(tenant, "docs", vector, STORE_HITS)
                scores[:, column] = min((cosine for _, cosine in hits), default=0.0)
                for each, cosine in hits:
                    row = index.rows.get(PassageId(each))
                    if row is not None:
                        scores[row, column] = cosine
        except UnavailableError:
            logger.warning("retriever.vectors_down")
            return np.zeros_like(scores), True
        return scores, False

    async def _resolve(
        self, tenant: TenantId, index: TenantIndex, ranking: _Ranking, viewer: Viewer, k: int
    ) -> tuple[Passage, ...]:
        """Walk down the ranking until k passages resolved; ever longer stretches at a time."""
        found: list[Passage] = []
        texts: set[str] = set()
        start, step = 0, 2 * k + 8
        while len(found) < k and start < len(ranking.order):
            ids = [index.ids[row] for row in ranking.order[start : start + step]]
            known = await self._passages.resolve(tenant, ids, viewer)
            for passage in _in_order(ids, known):
                words = " ".join(passage.text.split()).lower()
                if words in texts:
                    continue  # the same text from another page adds nothing
                texts.add(words)
                score = float(np.clip(ranking.scores[index.rows[passage.id]], 0.0, 1.0))
                found.append(replace(passage, score=round(score, 4)))
            start, step = start + step, step * 4
        return tuple(found[:k])


def _rank(
    index: TenantIndex, query: Query, vectors: Floats, near: Floats | None, locale: str | None
) -> _Ranking:
    """Everything that takes processor time, in one piece, for one hop to a thread."""
    dense = near
    if dense is None:
        dense = np.asarray(index.matrix) @ vectors.T
    fused = fusion.scores(index, query, dense, locale)
    story = queries.is_long(query.last)
    return _Ranking(fusion.order(index, fused, story=story), fused, dense[:, 0])


def _in_order(ids: Iterable[PassageId], known: Mapping[PassageId, Passage]) -> Iterable[Passage]:
    return (known[each] for each in ids if each in known)
