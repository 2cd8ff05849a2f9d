"""Hybrid search: postings and vectors, fused, resolved against SQL.

Owns fusion, long questions, order and variety of what is found. Refuses to return anything that
SQL does not resolve for this viewer. Not here: what to answer (knowledge/extract.py).
"""

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
from knowledge import query as queries
from knowledge.encoder import Encoder
from knowledge.index import Indexes, TenantIndex
from knowledge.query import Query
from knowledge.vectors import Vectors

logger = logging.getLogger(__name__)

Floats = npt.NDArray[np.float32]

BEST_CLAUSES = 3  # a passage of a long message counts by the sentences it meets best
OTHER_LOCALE = 0.85
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
        query = queries.build(index.lexical.respell(text), talk)
        weights = np.array([weight for weight, _ in query.dense], np.float32)
        texts = [part for _, part in query.dense]
        vectors = (await self._encoder.encode([*texts, *query.clauses])).vectors
        vector = weights @ vectors[: len(texts)]
        vector /= max(float(np.linalg.norm(vector)), 1e-9)
        if not index.ids or not text.strip():
            return Found(query, (), {}, index, vector)
        dense, degraded = await self._dense(
            tenant, index, np.vstack([vector[None], vectors[len(texts) :]])
        )
        scores = _fuse(index, query, dense)
        if viewer.locale:
            base = viewer.locale[:2]
            foreign = np.array([locale[:2] != base for locale in index.locales])
            scores = np.where(foreign, scores * OTHER_LOCALE, scores)
        passages = await self._resolve(
            tenant, index, scores, viewer, k, vary=queries.is_long(query.last)
        )
        cosines = {each.id: float(dense[index.rows[each.id], 0]) for each in passages}
        return Found(query, passages, cosines, index, vector, degraded)

    async def _dense(
        self, tenant: TenantId, index: TenantIndex, vectors: Floats
    ) -> tuple[Floats, bool]:
        """Return cosines [rows, queries] and whether they are missing."""
        if index.matrix is not None:
            return index.matrix @ vectors.T, False
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
        self,
        tenant: TenantId,
        index: TenantIndex,
        scores: Floats,
        viewer: Viewer,
        k: int,
        *,
        vary: bool,
    ) -> tuple[Passage, ...]:
        """Walk down the ranking until k passages resolved; ever longer stretches at a time."""
        order = _order(index, scores, vary=vary)
        found: list[Passage] = []
        texts: set[str] = set()
        start, step = 0, 2 * k + 8
        while len(found) < k and start < len(order):
            rows = order[start : start + step]
            ids = [index.ids[row] for row in rows]
            known = await self._passages.resolve(tenant, ids, viewer)
            for passage in _in_order(ids, known):
                words = " ".join(passage.text.split()).lower()
                if words in texts:
                    continue  # the same text from another page adds nothing
                texts.add(words)
                score = float(np.clip(scores[index.rows[passage.id]], 0.0, 1.0))
                found.append(replace(passage, score=round(score, 4)))
            start, step = start + step, step * 4
        return tuple(found[:k])


def _in_order(ids: Iterable[PassageId], known: Mapping[PassageId, Passage]) -> Iterable[Passage]:
    return (known[each] for each in ids if each in known)


def _fuse(index: TenantIndex, query: Query, dense: Floats) -> Floats:
    """Return one score in [0, 1] a row: min-max of both sides, half and half (docs/decisions/0003).

    For a long message the mean of each row's best sentences counts as much as the whole.
    """
    lexical = np.zeros(len(index.ids), np.float32)
    for weight, text in query.lexical:
        lexical += weight * index.lexical.scores(text)
    whole = 0.5 * _stretch(dense[:, 0]) + 0.5 * _stretch(lexical)
    if not query.clauses:
        return whole
    words = np.stack([index.lexical.scores(clause) for clause in query.clauses], axis=1)
    each = 0.5 * dense[:, 1:] + 0.5 * words / max(float(words.max()), 1e-9)
    best = np.sort(each, axis=1)[:, -BEST_CLAUSES:].mean(axis=1)
    return 0.5 * _stretch(whole) + 0.5 * _stretch(best)


def _stretch(scores: Floats) -> Floats:
    low, high = float(scores.min()), float(scores.max())
    return np.asarray((scores - low) / max(high - low, 1e-9), np.float32)


def _order(index: TenantIndex, scores: Floats, *, vary: bool) -> list[int]:
    """Return rows, best first. With `vary`, each document's best row precedes all second rows."""
    order = np.argsort(-scores, kind="stable")
    if not vary:
        return [int(row) for row in order]
    firsts: list[int] = []
    others: list[int] = []
    seen: set[int] = set()
    for row in order:
        document = int(index.documents[row])
        (others if document in seen else firsts).append(int(row))
        seen.add(document)
    return firsts + others
