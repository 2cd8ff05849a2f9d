"""Questions sorted into topics by meaning, and what to call a topic.

Owns the clustering and the choice of typical words. Not here: whether two questions are the same one
(knowledge/gaps.py), what becomes of a topic (app/backtest).
"""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from knowledge.lexical import terms

Floats = npt.NDArray[np.float32]

NEAR = 0.24  # mean cosine between questions of one topic
MOST_COMPARED = 2_000  # beyond it questions join the topic they are nearest to
SMALLEST = 2
_WORD = re.compile(r"[^\W\d_][\w'’-]+")


def sort_topics(vectors: Floats, near: float = NEAR) -> list[int]:
    """Return a topic number for each row of unit vectors, 0 the largest; -1 for a question of its own.

    Average linkage on cosines. Blocking; about a second for 2 000 rows.
    """
    if len(vectors) < SMALLEST:
        return [-1] * len(vectors)
    from sklearn.cluster import AgglomerativeClustering  # slow to import

    head = vectors[:MOST_COMPARED]
    clustering = AgglomerativeClustering(
        n_clusters=None, metric="cosine", linkage="average", distance_threshold=1 - near
    )
    labels = list(map(int, clustering.fit_predict(head)))
    if len(vectors) > len(head):
        centres = np.stack(
            [head[np.array(labels) == n].mean(axis=0) for n in range(max(labels) + 1)]
        )
        centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-9)
        scores = vectors[len(head) :] @ centres.T
        labels += [int(row.argmax()) if row.max() >= near else -1 for row in scores]
    order = [label for label, size in Counter(labels).most_common() if size >= SMALLEST]
    rank = {label: place for place, label in enumerate(o for o in order if o >= 0)}
    return [rank.get(label, -1) for label in labels]


def topic_names(texts: Sequence[str], labels: Sequence[int]) -> dict[int, str]:
    """Return what each topic is called: the words that are typical of it, as people wrote them.

    A word counts by how many of the topic's questions have it, against how many others do.
    """
    everywhere: Counter[str] = Counter()
    within: dict[int, Counter[str]] = {}
    written: dict[str, Counter[str]] = {}
    for text, label in zip(texts, labels, strict=True):
        stems = set()
        for word in _WORD.findall(text.lower()):
            for stem in terms(word):
                stems.add(stem)
                written.setdefault(stem, Counter())[word] += 1
        everywhere.update(stems)
        if label >= 0:
            within.setdefault(label, Counter()).update(stems)
    named: dict[int, str] = {}
    for label, counts in within.items():
        # one person's odd word names nothing
        shared = [stem for stem in counts if counts[stem] > 1] or list(counts)
        typical = sorted(
            shared, key=lambda stem: (-(counts[stem] ** 2) / everywhere[stem], -counts[stem], stem)
        )
        words = [written[stem].most_common(1)[0][0] for stem in typical[:3]]
        named[label] = ", ".join(words) or f"topic {label + 1}"
    return named
