"""The help centre of `make demo-docs` is what the demo says it is."""

from pathlib import Path

from core.ids import DocumentId, PassageId
from core.turns import Passage
from ingest.conflicts import conflicts_among
from ingest.documents import documents
from ingest.load import load_pages
from scripts.demo_pages import write_pages


def test_300_pages_with_links_of_their_own_that_do_not_contradict_each_other(
    tmp_path: Path,
) -> None:
    count = write_pages(tmp_path, "https://help.example")
    made = [
        m.document
        for file in sorted(tmp_path.rglob("*.md"))
        for m in documents(
            "demo",
            file.relative_to(tmp_path).as_posix(),
            load_pages(file.relative_to(tmp_path).as_posix(), file.read_bytes()),
            "en",
        )
    ]
    assert len(made) == count >= 300
    assert all(d.url == f"https://help.example/{d.path.removesuffix('.md')}" for d in made)
    assert len({d.title for d in made}) == count
    passages = [
        Passage(
            PassageId(f"{d.path}{c.position}"),
            DocumentId(d.path),
            d.path,
            d.title,
            c.section,
            c.text,
        )
        for d in made
        for c in d.chunks
    ]
    assert conflicts_among([(p, bytes(16)) for p in passages]) == ()
