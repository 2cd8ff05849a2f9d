"""Retrieval figures on public sets, without a server: quick enough to try things with.

What is served is measured by benchmarks/measures/retrieval.py, what is decided by benchmarks/deciding.py.
`python -m benchmarks.retrieval --data ../shared/data`. Reads the sets, prints figures, writes
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
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.ids import TenantId
from core.ports import Chunk, Document, Viewer
from core.understanding import Said
from ingest.chunk import embedding_text
from ingest.sources.folder import SOURCE as FOLDER
from ingest.sync import Origin, sync
from knowledge.encoder import Encoder, EncoderSettings
from knowledge.extract import ExtractiveAnswers
from knowledge.gloss import GlossedEncoder, english
from knowledge.index import Indexes
from knowledge.retriever import HybridRetriever
from tests.fakes_knowledge import MemoryPassages

BANK, MTRAG, HANDBOOK = TenantId("bank"), TenantId("mtrag"), TenantId("handbook")
CACHE = Path(tempfile.gettempdir()) / "usher-benchmarks"
EVERYBODY = Viewer(internal=True)


class Bench:
    """The stores and the objects under measurement."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.encoder = GlossedEncoder(Encoder(EncoderSettings(cache_dir=CACHE / "encoder")))
        self.passages = MemoryPassages()
        self.indexes = Indexes(self.passages)
        self.retriever = HybridRetriever(self.passages, self.indexes, None, self.encoder)
        self.answers = ExtractiveAnswers(self.retriever, self.encoder)

    async def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Encode with a cache by text, so that a second run starts at once."""
        folder = CACHE / "vectors"
        folder.mkdir(parents=True, exist_ok=True)
        files = [folder / hashlib.sha256(english(text).encode()).hexdigest() for text in texts]
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
            report = await sync(
                tenant, "bench", Origin(FOLDER, str(root)), self.passages, self.encode
            )
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
        """Return the distinct documents that our words alone find, best first."""
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


def talk_of(row: dict[str, Any]) -> list[Said]:
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
    _show("banking, our words alone", words)
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
        talk = talk_of(row)
        turns = [said.text for said in talk if said.role == "customer"]
        for figures, ranked in (
            (ours, await bench.ranked(MTRAG, talk)),
            (last, await bench.by_words(MTRAG, turns[-1])),
            (two, await bench.by_words(MTRAG, " ".join(turns[-2:]))),
        ):
            figures.append((recall(ranked, gold, 5), recall(ranked, gold, 10)))
    _show("multi-turn, our words on the last turn", last)
    _show("multi-turn, our words on the last two turns", two)
    _show("multi-turn, ours", ours)


async def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    arguments = parser.parse_args()
    bench = Bench(arguments.data)
    await bench.load()
    await banking(bench)
    await multiturn(bench)


if __name__ == "__main__":
    asyncio.run(main())
