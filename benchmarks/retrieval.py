"""Retrieval and decision figures on public sets and on our own handbook questions.

`python -m benchmarks.retrieval --data ../shared/data [--fit]`. Reads the sets, prints figures, writes
nothing but a cache of vectors under the system's temporary folder.

Sets: tau2-bench banking (Sierra Research, MIT), MTRAG (IBM, Apache-2.0).
"""

import argparse
import asyncio
import hashlib
import json
import re
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from core.ids import TenantId
from core.ports import Chunk, Document, Viewer
from core.understanding import Said
from ingest.chunk import embedding_text
from ingest.sync import sync
from knowledge.decision import WEIGHTS, confidence
from knowledge.encoder import Encoder, EncoderSettings
from knowledge.evidence import gather
from knowledge.extract import ExtractiveAnswers
from knowledge.index import Indexes
from knowledge.retriever import HybridRetriever
from tests.fakes_knowledge import MemoryPassages

BANK, MTRAG, HANDBOOK = TenantId("bank"), TenantId("mtrag"), TenantId("handbook")
CACHE = Path(tempfile.gettempdir()) / "usher-benchmarks"
EVERYBODY = Viewer(internal=True)

Row = tuple[str, dict[str, float]]  # what the set says, features


class Bench:
    """The stores and the objects under measurement."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.encoder = Encoder(EncoderSettings(cache_dir=CACHE / "encoder"))
        self.passages = MemoryPassages()
        self.indexes = Indexes(self.passages)
        self.retriever = HybridRetriever(self.passages, self.indexes, None, self.encoder)
        self.answers = ExtractiveAnswers(self.retriever, self.encoder)

    async def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Encode with a cache by text, so that a second run starts at once."""
        folder = CACHE / "vectors"
        folder.mkdir(parents=True, exist_ok=True)
        files = [folder / hashlib.sha256(text.encode()).hexdigest() for text in texts]
        missing = [at for at, file in enumerate(files) if not file.exists()]
        vectors = await self.encoder.encode_batch([texts[at] for at in missing])
        for at, vector in zip(missing, vectors, strict=True):
            files[at].write_bytes(vector.astype("<f4").tobytes())
        return np.stack([np.frombuffer(file.read_bytes(), "<f4") for file in files])

    async def load(self) -> None:
        """Ingest the three collections."""
        for tenant, root in (
            (BANK, self.data / "banking_docs"),
            (HANDBOOK, Path("ingest/handbook")),
        ):
            start = time.perf_counter()
            report = await sync(tenant, "bench", root, self.passages, self.encode)
            print(f"{tenant}: {report.added} pages, {report.chunks} chunks, {_since(start)}")
        rows = read(self.data / "retrieval/multiturn_passages.jsonl")
        documents = [
            Document("bench", row["id"], row["title"], "", (Chunk(0, "", row["text"]),))
            for row in rows
        ]
        texts = [embedding_text(each, each.chunks[0]) for each in documents]
        for each, vector in zip(documents, await self.encode(texts), strict=True):
            await self.passages.put(MTRAG, each, [vector.tobytes()])

    async def ranked(self, tenant: TenantId, talk: Sequence[Said]) -> list[str]:
        """Return the distinct documents our search finds, best first."""
        found = await self.retriever.search(tenant, talk[-1].text, talk[:-1], EVERYBODY, 50)
        return list(dict.fromkeys(each.document for each in found))

    async def by_words(self, tenant: TenantId, query: str) -> list[str]:
        """Return the distinct documents BM25 alone finds, best first."""
        index = await self.indexes.get(tenant)
        order = np.argsort(-index.lexical.scores(query))[:200]
        ids = [index.ids[row] for row in order]
        known = await self.passages.resolve(tenant, ids, EVERYBODY)
        return list(dict.fromkeys(known[each].document for each in ids))


def read(path: Path) -> list[Any]:
    """Return the rows of a JSON-lines file."""
    return [json.loads(line) for line in path.read_text().splitlines() if line]


def recall(ranked: Sequence[str], gold: Sequence[str], k: int) -> float:
    """Return the share of the gold documents among the first k."""
    return len(set(ranked[:k]) & set(gold)) / len(set(gold))


def _since(start: float) -> str:
    return f"{time.perf_counter() - start:.1f} s"


def _talk(row: dict[str, Any]) -> list[Said]:
    return [
        Said("customer" if role in ("user", "customer") else "bot", text)
        for role, text in row["talk"]
    ]


def _show(name: str, figures: Sequence[tuple[float, float]]) -> None:
    five, ten = np.mean(figures, axis=0)
    print(f"{name:<44} R@5 {five:.3f}   R@10 {ten:.3f}   ({len(figures)} cases)")


async def banking(bench: Bench) -> None:
    """Whole scenarios over a bank's policies; recall of documents, averaged over scenarios."""
    ours, words, spent = [], [], []
    for row in read(bench.data / "retrieval/banking_tasks.dev.jsonl"):
        # The ids carry brackets that the files' names do not.
        gold = [re.sub(r"[()]", "_", name) + ".md" for name in row["documents"]]
        if not gold:
            continue
        query = row["scenario"]["instructions"]
        start = time.perf_counter()
        ranked = await bench.ranked(BANK, [Said("customer", query)])
        spent.append(time.perf_counter() - start)
        ours.append((recall(ranked, gold, 5), recall(ranked, gold, 10)))
        ranked = await bench.by_words(BANK, query)
        words.append((recall(ranked, gold, 5), recall(ranked, gold, 10)))
    _show("banking, BM25 alone", words)
    _show("banking, ours", ours)
    print(f"  median {1000 * np.median(spent):.0f} ms a scenario of some 600 words")


async def multiturn(bench: Bench) -> None:
    """Questions at the end of a talk; recall of passages."""
    ours: list[tuple[float, float]] = []
    last: list[tuple[float, float]] = []
    two: list[tuple[float, float]] = []
    for row in read(bench.data / "retrieval/multiturn.dev.jsonl"):
        gold = row["relevant"]
        if not gold:
            continue
        talk = _talk(row)
        turns = [said.text for said in talk if said.role == "customer"]
        for figures, ranked in (
            (ours, await bench.ranked(MTRAG, talk)),
            (last, await bench.by_words(MTRAG, turns[-1])),
            (two, await bench.by_words(MTRAG, " ".join(turns[-2:]))),
        ):
            figures.append((recall(ranked, gold, 5), recall(ranked, gold, 10)))
    _show("multi-turn, BM25 on the last turn", last)
    _show("multi-turn, BM25 on the last two turns", two)
    _show("multi-turn, ours", ours)


async def evidence(bench: Bench) -> list[tuple[str, Row]]:
    """Return (set, (label, features)) of every question with a known answerability."""
    rows: list[tuple[str, Row]] = [
        ("mtrag", (row["answerability"], await _features(bench, MTRAG, _talk(row))))
        for row in read(bench.data / "retrieval/multiturn.dev.jsonl")
    ]
    for row in read(Path("tests/data/handbook_questions.jsonl")):
        label = "ANSWERABLE" if row["document"] else "UNANSWERABLE"
        rows.append(("handbook", (label, await _features(bench, HANDBOOK, _talk(row)))))
    return rows


async def _features(bench: Bench, tenant: TenantId, talk: Sequence[Said]) -> dict[str, float]:
    found = await bench.retriever.look(tenant, talk[-1].text, talk[:-1], Viewer(), 8)
    return dict((await gather(bench.encoder, found)).features)


def answerability(rows: Sequence[tuple[str, Row]]) -> None:
    """Print how well confidence tells what can be answered, refitted across folds as well."""
    labels = np.array([label in ("ANSWERABLE", "PARTIAL") for _, (label, _) in rows])
    vague = np.array([label == "UNDERSPECIFIED" for _, (label, _) in rows])
    sets = np.array([name for name, _ in rows])
    matrix = np.array([[features[name] for name in WEIGHTS] for _, (_, features) in rows])
    folds = StratifiedKFold(10, shuffle=True, random_state=0)
    held_out = cross_val_predict(_model(), matrix, labels, cv=folds, method="predict_proba")[:, 1]
    shipped = np.array([confidence(features) for _, (_, features) in rows])
    for name, chosen in (
        ("multi-turn, answerable against unanswerable", (sets == "mtrag") & ~vague),
        ("multi-turn, against underspecified too", sets == "mtrag"),
        ("handbook", sets == "handbook"),
    ):
        print(
            f"{name:<44} AUROC {roc_auc_score(labels[chosen], held_out[chosen]):.3f} held out, "
            f"{roc_auc_score(labels[chosen], shipped[chosen]):.3f} as shipped"
        )


def fit(rows: Sequence[tuple[str, Row]]) -> None:
    """Print the weights that belong into knowledge/decision.py."""
    labels = np.array([label in ("ANSWERABLE", "PARTIAL") for _, (label, _) in rows])
    matrix = np.array([[features[name] for name in WEIGHTS] for _, (_, features) in rows])
    scaler, model = _model().fit(matrix, labels)
    for name, mean, deviation, weight in zip(
        WEIGHTS, scaler.mean_, scaler.scale_, model.coef_[0], strict=True
    ):
        print(f'    "{name}": ({mean:.4f}, {deviation:.4f}, {weight:.3f}),')
    print(f"INTERCEPT = {model.intercept_[0]:.4f}")


def _model() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.03, class_weight="balanced"))


async def handbook(bench: Bench) -> None:
    """Whole answers: whether the text holds the answer and cites the right page."""
    seen: Counter[str] = Counter()
    spent = []
    for row in read(Path("tests/data/handbook_questions.jsonl")):
        talk = _talk(row)
        start = time.perf_counter()
        found = await bench.answers.answer(HANDBOOK, talk[-1].text, talk[:-1], Viewer())
        spent.append(time.perf_counter() - start)
        if not row["document"]:
            seen["unanswerable"] += 1
            seen["not answered"] += found.action != "answer"
            continue
        right = {row["document"], *(document for document, _ in row["also_in"])}
        holds = all(part.lower() in found.text.lower() for part in row["answer_contains"])
        cites = bool(right & {citation.document for citation in found.citations})
        seen["answerable"] += 1
        seen["right"] += holds and cites
        seen["wrong"] += found.action == "answer" and not (holds and cites)
    print(
        f"handbook: {seen['right']} of {seen['answerable']} answered rightly with the right page, "
        f"{seen['wrong']} otherwise; {seen['not answered']} of {seen['unanswerable']} unanswerable "
        f"not answered; median {1000 * np.median(spent):.0f} ms"
    )


async def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--fit", action="store_true", help="print new weights of the decision")
    arguments = parser.parse_args()
    bench = Bench(arguments.data)
    await bench.load()
    await banking(bench)
    await multiturn(bench)
    rows = await evidence(bench)
    answerability(rows)
    if arguments.fit:
        fit(rows)
    await handbook(bench)


if __name__ == "__main__":
    asyncio.run(main())
