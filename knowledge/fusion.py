"""How words and vectors become one ranking (docs/decisions/0003, 0026). Pure functions of arrays."""

import numpy as np
import numpy.typing as npt

from knowledge.index import TenantIndex
from knowledge.query import Query

Floats = npt.NDArray[np.float32]

BEST_CLAUSES = 5  # a passage counts by the spans of a long message that it meets best
OTHER_LOCALE = 0.85
FIRST_PLACES = 3  # of a short question; after them pages not yet seen come first


def scores(index: TenantIndex, query: Query, dense: Floats, locale: str | None) -> Floats:
    """Return one score in [0, 1] a row: min-max of both sides, half and half.

    `dense` float32 [rows, 1 + clauses]: cosines of the whole query and of each clause. For a long
    message the mean of each row's best clauses counts as much as the whole.
    """
    lexical = np.zeros(len(index.ids), np.float32)
    for weight, text in query.lexical:
        lexical += weight * index.lexical.scores(text)
    fused = 0.5 * _stretch(dense[:, 0]) + 0.5 * _stretch(lexical)
    if query.clauses:
        each = 0.5 * dense[:, 1:]
        for column, clause in enumerate(query.clauses):
            words = index.lexical.scores(clause)
            each[:, column] += words * (0.5 / max(float(words.max()), 1e-9))
        best = min(BEST_CLAUSES, each.shape[1])
        each.partition(each.shape[1] - best, axis=1)
        fused = 0.5 * _stretch(fused) + 0.5 * _stretch(each[:, -best:].mean(axis=1))
    if locale:
        fused = np.where(index.locales == locale[:2].lower(), fused, fused * OTHER_LOCALE)
    return np.asarray(fused, np.float32)


def _stretch(values: Floats) -> Floats:
    low, high = float(values.min()), float(values.max())
    return np.asarray((values - low) / max(high - low, 1e-9), np.float32)


def order(index: TenantIndex, fused: Floats, *, story: bool) -> npt.NDArray[np.int64]:
    """Return all rows, best first; each page's best row precedes all second rows.

    A question's first places are free of that rule: the right page may say it in two places.
    """
    ranked = np.argsort(-fused, kind="stable")
    first = np.zeros(len(ranked), np.bool_)
    first[np.unique(index.documents[ranked], return_index=True)[1]] = True
    if not story:
        first[:FIRST_PLACES] = True
    return np.asarray(np.r_[ranked[first], ranked[~first]], np.int64)
