"""A changed page costs the encoder only what changed in it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.ids import TenantId
from ingest.report import SyncReport
from ingest.sources.folder import SOURCE
from ingest.sync import Origin, sync
from tests.fakes_knowledge import MemoryPassages

TENANT = TenantId("demo")


class Encoder:
    def __init__(self) -> None:
        self.texts: list[str] = []

    async def __call__(self, texts: Sequence[str]) -> np.ndarray:
        self.texts += texts
        return np.array([[len(text), sum(map(ord, text))] for text in texts], dtype="<f4")


async def run(root: Path, passages: MemoryPassages) -> tuple[list[str], SyncReport]:
    encoder = Encoder()
    report = await sync(TENANT, "docs", Origin(SOURCE, str(root)), passages, encoder)
    return encoder.texts, report


def stored(passages: MemoryPassages, path: str) -> list[tuple[str, float]]:
    page = passages.documents[TENANT, "docs", path]
    return [
        (chunk.text, float(np.frombuffer(vector, "<f4")[0]))
        for chunk, vector in zip(page.document.chunks, page.vectors, strict=True)
    ]


async def test_unchanged_sections_of_a_changed_page_keep_their_vectors(tmp_path: Path) -> None:
    passages = MemoryPassages()
    file = tmp_path / "a.md"
    file.write_text("# T\n\n## One\n\nFirst.\n\n## Two\n\nSecond.\n\n## Three\n\nThird.")
    assert (await run(tmp_path, passages))[1].reused == 0
    file.write_text("# T\n\n## Three\n\nThird.\n\n## Two\n\nSecond, new.\n\n## One\n\nFirst.")
    encoded, report = await run(tmp_path, passages)
    assert encoded == ["T. Two. Second, new."]
    assert (report.changed, report.chunks, report.reused) == (1, 3, 2)
    assert stored(passages, "a.md") == [
        ("Third.", len("T. Three. Third.")),
        ("Second, new.", len("T. Two. Second, new.")),
        ("First.", len("T. One. First.")),
    ]


async def test_another_title_makes_every_vector_anew(tmp_path: Path) -> None:
    passages = MemoryPassages()
    (tmp_path / "a.md").write_text("# T\n\n## One\n\nFirst.")
    await run(tmp_path, passages)
    (tmp_path / "a.md").write_text("# U\n\n## One\n\nFirst.")
    assert (await run(tmp_path, passages))[0] == ["U. One. First."]


async def test_equal_texts_are_encoded_once(tmp_path: Path) -> None:
    passages = MemoryPassages()
    for name in ("a", "b"):
        (tmp_path / f"{name}.md").write_text("# T\n\n## One\n\nFirst.")
    encoded, report = await run(tmp_path, passages)
    assert encoded == ["T. One. First."]
    assert (report.chunks, report.reused) == (2, 1)
    assert stored(passages, "a.md") == stored(passages, "b.md")


async def test_a_page_that_moved_costs_the_encoder_nothing_and_answers_throughout(
    tmp_path: Path,
) -> None:
    passages = MemoryPassages()
    (tmp_path / "a.md").write_text("# T\n\n## One\n\nFirst.")
    await run(tmp_path, passages)
    (tmp_path / "a.md").rename(tmp_path / "b.md")
    moved = passages.versions[TENANT]
    encoded, report = await run(tmp_path, passages)
    assert (encoded, report.added, report.deleted) == ([], 1, 1)
    assert passages.versions[TENANT] == moved + 2  # first the new place, then the old one goes
    assert stored(passages, "b.md") == [("First.", len("T. One. First."))]
