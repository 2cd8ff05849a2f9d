"""How fast docs become searchable: the demo's help centre through /manage/ingest, then one changed section."""

import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from benchmarks.bench import Bench, Row
from scripts.demo_pages import write_pages

MINUTES = 3.0


async def measure(bench: Bench) -> AsyncIterator[Row]:
    """Yield pages and chunks a second, and what a change of one section costs."""
    await bench.tenant("ingest")
    with tempfile.TemporaryDirectory(prefix="usher-ingest-") as name:
        folder = Path(name)
        pages = write_pages(folder, "https://help.example")
        started = time.perf_counter()
        report = await bench.ingest(folder, "ingest")
        spent = time.perf_counter() - started
        yield Row(
            "ingest",
            f"{pages} pages of the demo",
            f"{spent:.0f} s; {pages / spent:.1f} pages/s, {report['chunks'] / spent:.0f} chunks/s",
            "7–20 full chunks/s on a busy machine",
            f"{MINUTES:.0f} min",
            spent <= 60 * MINUTES,
            "From files to searchable, near-duplicates and contradictions looked for. Nearly all of it is the"
            " encoder: reading, cutting and storing alone do about 130 pages/s. A time, so it moves with the"
            " load of the machine.",
        )
        changed = folder / "integrations" / "github" / "connect.md"
        changed.write_text(
            changed.read_text("utf-8").replace("Choose up to", "Pick up to"), "utf-8"
        )
        started = time.perf_counter()
        report = await bench.ingest(folder, "ingest")
        spent = time.perf_counter() - started
        fresh = report["chunks"] - report["reused"]
        yield Row(
            "ingest, again",
            "the same after one section changed",
            f"{spent:.1f} s; {fresh} of {report['chunks']} chunks of the page encoded",
            note="What did not change keeps its vector, by the text it was made of.",
        )
