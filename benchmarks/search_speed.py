"""How long a search and a rebuild take, and what an index holds: `python -m benchmarks.search_speed [ROWS …]`.

Passages are made of the handbook's own sentences, shuffled, with random vectors; SQL is a dictionary. A
search is everything but the encoder's pass, which is some 6–10 ms for a new question whatever the size.
Times are processor time, because these machines are shared.
"""

import argparse
import asyncio
import random
import resource
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.ids import TenantId
from core.ports import Chunk, Document, Viewer
from ingest.chunk import framed
from knowledge.encoder import Encoded, Encoder, EncoderSettings
from knowledge.index import Indexes
from knowledge.retriever import HybridRetriever
from tests.fakes_knowledge import MemoryPassages

TENANT = TenantId("speed")
HANDBOOK = Path(__file__).resolve().parent.parent / "ingest" / "handbook"
QUESTIONS = (
    "how do I download an invoice",
    "what happens to somebody's items when I remove them from the team",
    "is there a limit on API calls per minute",
)
STORY = " ".join(QUESTIONS * 8)


class _Instant(Encoder):
    """Random vectors at once: the encoder is not what is measured."""

    async def encode(self, texts: Sequence[str]) -> Encoded:
        """Return unit vectors."""
        rows = np.random.default_rng(len(texts)).normal(size=(len(texts), 384)).astype(np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return Encoded(rows, np.zeros((len(texts), 4, 384), np.float32))


async def measure(rows: int) -> None:
    """Print one line."""
    passages = MemoryPassages()
    words = " ".join(file.read_text("utf-8") for file in HANDBOOK.rglob("*.md")).split()
    dice = random.Random(7)
    vectors = np.random.default_rng(7).normal(size=(rows, 384)).astype("<f4")
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for start in range(0, rows, 5):
        chunks = []
        for position in range(min(5, rows - start)):
            at = dice.randrange(len(words) - 150)
            chunks.append(Chunk(position, f"part {position}", " ".join(words[at : at + 130])))
        document = Document("speed", f"{start}.md", f"Page {start}", str(start), tuple(chunks))
        raw = [row.tobytes() for row in vectors[start : start + len(chunks)]]
        await passages.put(TENANT, document, raw)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    indexes = Indexes(passages)
    started = time.process_time()
    await indexes.fresh(TENANT)
    first = time.process_time() - started
    held = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    page = Document("speed", "new.md", "New", "n", (Chunk(0, "", framed("New", "", "a page")),))
    await passages.put(TENANT, page, [vectors[0].tobytes()])
    started = time.process_time()
    await indexes.fresh(TENANT)
    again = time.process_time() - started
    retriever = HybridRetriever(passages, indexes, None, _Instant(EncoderSettings()))
    took = [await _search(retriever, QUESTIONS[n % 3]) for n in range(30)]
    stories = [await _search(retriever, STORY) for _ in range(5)]
    print(
        f"{rows:>6} passages: question {1000 * statistics.median(took):.1f} ms, story of"
        f" {len(STORY.split())} words {1000 * statistics.median(stories):.0f} ms; first build {first:.1f} s,"
        f" after a change {again:.2f} s; {held:.0f} MB at the peak"
    )


async def _search(retriever: HybridRetriever, text: str) -> float:
    started = time.process_time()
    index = await retriever.look(TENANT, text, [], Viewer(internal=True), 0)
    assert not index.degraded
    return time.process_time() - started


def main() -> None:
    """Measure each size in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int, nargs="*", default=[1_000, 10_000, 49_000])
    for rows in parser.parse_args().rows:
        asyncio.run(measure(rows))


if __name__ == "__main__":
    main()
