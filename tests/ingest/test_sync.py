import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import BadInputError, NotFoundError, UnavailableError
from core.ids import DocumentId, PassageId, TenantId
from core.ports import Document, EncodedChunk, StoredPage, Viewer
from core.turns import Passage
from ingest.blocks import Page
from ingest.origins import Options
from ingest.reading import Reader
from ingest.report import SyncReport
from ingest.sources.folder import SOURCE, listing
from ingest.sync import Origin, sync

TENANT = TenantId("ten_a")


class StoredPassages:
    """Passages in a dict; `fails` holds what put raises for which path."""

    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}
        self.vectors: dict[str, list[bytes]] = {}
        self.fails: dict[str, Exception] = {}

    async def index_version(self, tenant: TenantId) -> int:
        return len(self.documents)

    async def stored(self, tenant: TenantId, source: str) -> Mapping[str, StoredPage]:
        return {
            path: StoredPage(d.digest, d.origin)
            for path, d in self.documents.items()
            if d.source == source
        }

    async def note_origin(
        self, tenant: TenantId, source: str, origins: Mapping[str, Mapping[str, str]]
    ) -> None:
        for path, origin in origins.items():
            self.documents[path] = replace(self.documents[path], origin=origin)

    async def encoded(
        self, tenant: TenantId, source: str, paths: Sequence[str]
    ) -> Sequence[EncodedChunk]:
        return [
            EncodedChunk(document.title, chunk.section, chunk.text, vector)
            for path, document in self.documents.items()
            if document.source == source and path in paths
            for chunk, vector in zip(document.chunks, self.vectors[path], strict=True)
        ]

    async def put(
        self, tenant: TenantId, document: Document, vectors: Sequence[bytes]
    ) -> DocumentId:
        if document.path in self.fails:
            raise self.fails[document.path]
        self.documents[document.path] = document
        self.vectors[document.path] = list(vectors)
        return DocumentId(document.path)

    async def delete(self, tenant: TenantId, source: str, paths: Sequence[str]) -> int:
        for path in paths:
            del self.documents[path]
        return len(paths)

    async def resolve(
        self, tenant: TenantId, ids: Sequence[PassageId], viewer: Viewer
    ) -> Mapping[PassageId, Passage]:
        raise NotImplementedError

    def scan(self, tenant: TenantId) -> AsyncIterator[tuple[Passage, bytes]]:
        raise NotImplementedError


class Encoder:
    def __init__(self, poison: str = "") -> None:
        self.texts: list[list[str]] = []
        self.poison = poison

    async def __call__(self, texts: Sequence[str]) -> np.ndarray:
        self.texts.append(list(texts))
        if self.poison and any(self.poison in text for text in texts):
            raise RuntimeError("encoder")
        return np.array([[len(text), 1.0] for text in texts])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "docs"
    (root / "es").mkdir(parents=True)
    (root / "a.md").write_text("# Alpha\n\nFirst.\n\n## More\n\nSecond.")
    (root / "b.html").write_text("<h1>Beta</h1><p>Third.</p>")
    (root / "es" / "c.txt").write_text("Cuarto. Fin.")
    return root


def folder(root: Path, **options: Any) -> Origin:
    return Origin(SOURCE, str(root), Options(**options))


async def run(
    root: Path, stored: StoredPassages, encoder: Encoder | None = None, *, dry_run: bool = False
) -> SyncReport:
    return await sync(TENANT, "docs", folder(root), stored, encoder or Encoder(), dry_run=dry_run)


async def test_first_run_adds_and_second_changes_nothing(root: Path) -> None:
    stored, encoder = StoredPassages(), Encoder()
    seen: list[tuple[int, int, str]] = []
    report = await sync(
        TENANT, "docs", folder(root), stored, encoder, lambda *step: seen.append(step)
    )  # fmt: skip
    assert report == SyncReport(added=3, chunks=4)
    assert seen == [(1, 3, "a.md"), (2, 3, "b.html"), (3, 3, "es/c.txt")]
    assert [d.title for d in stored.documents.values()] == ["Alpha", "Beta", "C"]
    assert [d.locale for d in stored.documents.values()] == ["en", "en", "es"]
    assert encoder.texts == [
        ["Alpha. First.", "Alpha. More. Second.", "Beta. Third.", "C. Cuarto. Fin."]
    ]
    first = np.frombuffer(stored.vectors["a.md"][1], dtype="<f4")
    assert first.tolist() == [len("Alpha. More. Second."), 1.0]

    again = Encoder()
    assert await run(root, stored, again) == SyncReport(unchanged=3)
    assert again.texts == []


async def test_changed_deleted_and_emptied_pages(root: Path) -> None:
    stored = StoredPassages()
    await run(root, stored)
    (root / "a.md").write_text("# Alpha\n\nFirst, new.")
    (root / "b.html").write_text("<script>gone()</script>")
    (root / "es" / "c.txt").unlink()
    (root / "d.md").write_text("New.")
    dry = await run(root, stored, dry_run=True)
    assert sorted(stored.documents) == ["a.md", "b.html", "es/c.txt"]
    report = await run(root, stored)
    assert report == SyncReport(added=1, changed=1, deleted=2, chunks=2, empty=("b.html",))
    assert dry == report
    assert sorted(stored.documents) == ["a.md", "d.md"]
    assert stored.documents["a.md"].chunks[0].text == "First, new."


@pytest.mark.parametrize(
    "front", ["edition: pro", "audience: internal", "locale: es", "url: https://x.test"]
)
async def test_what_decides_who_may_see_it_is_part_of_the_digest(root: Path, front: str) -> None:
    stored = StoredPassages()
    await run(root, stored)
    (root / "a.md").write_text(f"---\n{front}\n---\n# Alpha\n\nFirst.\n\n## More\n\nSecond.")
    assert (await run(root, stored)).changed == 1


async def test_line_ends_and_marks_are_not_a_change(root: Path) -> None:
    stored = StoredPassages()
    await run(root, stored)
    (root / "a.md").write_bytes(
        "\ufeff# Alpha\r\n\r\nFirst.\r\n\r\n## More\r\n\r\nSecond.".encode()
    )
    assert await run(root, stored) == SyncReport(unchanged=3)


async def test_a_failing_page_keeps_its_stored_version_and_loses_no_other(root: Path) -> None:
    stored = StoredPassages()
    await run(root, stored)
    (root / "a.md").write_bytes(b"\x00\x01\x02" * 500)
    (root / "b.html").write_text("<p>poison</p>")
    (root / "d.md").write_text("Refused by the store.")
    (root / "e.md").write_text("Good.")
    stored.fails["d.md"] = ValueError("too odd")
    report = await run(root, stored, Encoder(poison="poison"))
    assert report == SyncReport(
        added=1,
        unchanged=1,
        chunks=1,
        failed=(
            ("a.md", "not a text file"),
            ("b.html", "cannot be stored (RuntimeError)"),
            ("d.md", "cannot be stored (ValueError)"),
        ),
    )
    assert sorted(stored.documents) == ["a.md", "b.html", "e.md", "es/c.txt"]


async def test_a_run_cut_short_is_resumed(root: Path) -> None:
    stored = StoredPassages()
    stored.fails["b.html"] = UnavailableError("database is down")
    with pytest.raises(UnavailableError):
        await run(root, stored)
    assert sorted(stored.documents) == ["a.md"]
    stored.fails.clear()
    assert await run(root, stored) == SyncReport(added=2, unchanged=1, chunks=2)


async def test_batches_cross_documents_and_each_is_stored_with_its_own_vectors(
    tmp_path: Path,
) -> None:
    for n in range(150):
        (tmp_path / f"{n:03}.md").write_text("Words. " * (4 * n + 1))
    stored, encoder = StoredPassages(), Encoder()
    report = await run(tmp_path, stored, encoder)
    assert report.added == 150
    assert 2 <= len(encoder.texts) <= report.chunks // 40
    assert all(
        [np.frombuffer(v, "<f4")[0] for v in stored.vectors[path]]
        == [len(f"{document.title}. {piece.text}") for piece in document.chunks]
        for path, document in stored.documents.items()
    )


async def test_one_file_leaves_the_rest_alone(root: Path) -> None:
    stored = StoredPassages()
    await run(root, stored)
    (root / "es" / "c.txt").unlink()
    (root / "a.md").write_text("# Alpha\n\nNew.")
    assert await run(root / "a.md", stored) == SyncReport(changed=1, chunks=1)
    assert sorted(stored.documents) == ["a.md", "b.html", "es/c.txt"]


async def test_no_folder_deletes_nothing(root: Path) -> None:
    stored = StoredPassages()
    await run(root, stored)
    with pytest.raises(NotFoundError):
        await run(root / "nowhere", stored)
    assert len(stored.documents) == 3


@pytest.mark.allow_blocking
def test_folder_refuses_what_leads_outside_is_hidden_or_too_large(root: Path) -> None:
    """Walks files by itself, outside the event loop."""
    outside = root.parent / "secret.md"
    outside.write_text("secret")
    (root / "link.md").symlink_to(outside)
    (root / "inside.md").symlink_to(root / "a.md")
    (root / "dangling.md").symlink_to(root / "none.md")
    (root / "folder").symlink_to(root.parent)
    (root / ".hidden.md").write_text("x")
    (root / ".git").mkdir()
    (root / ".git" / "x.md").write_text("x")
    (root / "image.png").write_bytes(b"x")
    (root / "big.md").write_text("x" * 300)
    found = {f.path: f.refused for f in listing(root, max_bytes=200)}
    assert found == {
        "a.md": None,
        "b.html": None,
        "big.md": "larger than 200 bytes",
        "dangling.md": "cannot be read",
        "es/c.txt": None,
        "inside.md": None,
        "link.md": "links outside the folder",
    }


@pytest.mark.allow_blocking
def test_a_linked_file_given_alone_is_refused_too(root: Path) -> None:
    """Walks files by itself, outside the event loop."""
    outside = root.parent / "secret.md"
    outside.write_text("secret")
    (root / "link.md").symlink_to(outside)
    (found,) = listing(root / "link.md")
    assert found.refused == "links outside the folder"


def pages(root: Path, count: int) -> None:
    for n in range(count):
        (root / f"{n:02}.md").write_text(f"# Page {n}\n\nText {n}.")


@pytest.mark.parametrize(("had", "left", "deleted"), [(12, 6, 6), (12, 5, 0), (9, 1, 8)])
async def test_a_source_that_lost_most_of_its_pages_is_held_back(
    tmp_path: Path, had: int, left: int, deleted: int
) -> None:
    stored = StoredPassages()
    pages(tmp_path, had)
    await run(tmp_path, stored)
    for n in range(left, had):
        (tmp_path / f"{n:02}.md").unlink()
    report = await run(tmp_path, stored)
    assert (report.deleted, len(report.held_back)) == (deleted, had - left - deleted)
    assert len(stored.documents) == had - deleted
    confirmed = await sync(TENANT, "docs", folder(tmp_path), stored, Encoder(), confirm=True)
    assert (confirmed.held_back, len(stored.documents)) == ((), left)


async def test_pages_that_all_turn_empty_are_held_back_too(tmp_path: Path) -> None:
    stored = StoredPassages()
    pages(tmp_path, 12)
    await run(tmp_path, stored)
    for n in range(12):
        (tmp_path / f"{n:02}.md").write_text("<script>load()</script>")
    report = await run(tmp_path, stored)
    assert (report.deleted, len(report.held_back), len(report.empty)) == (0, 12, 12)
    assert len(stored.documents) == 12


async def test_an_unchanged_file_is_hashed_and_not_parsed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = StoredPassages()
    await run(root, stored)
    (root / "b.html").write_text("<h1>Beta</h1> <p>Third.</p>")
    parsed: list[str] = []
    read = Reader.read

    async def noted(self: Reader, path: str, *more: Any) -> tuple[Page, ...]:
        parsed.append(path)
        return await read(self, path, *more)

    monkeypatch.setattr(Reader, "read", noted)
    assert await run(root, stored) == SyncReport(unchanged=3)
    assert parsed == ["b.html"]  # other bytes, the same text
    assert await run(root, stored) == SyncReport(unchanged=3)
    assert parsed == ["b.html"]


async def test_a_page_says_more_of_itself_than_its_source(root: Path) -> None:
    (root / "a.md").write_text(
        "---\nedition: pro\nlocale: es\nurl: https://x.test/a\nversion: 3\n---\n# A\n\nText."
    )
    stored = StoredPassages()
    origin = folder(
        root, editions=("enterprise",), internal=True, locale="fr", version="2",
        url="https://docs.test/{slug}", exclude=("es/*",),
    )  # fmt: skip
    await sync(TENANT, "docs", origin, stored, Encoder())
    said, given = stored.documents["a.md"], stored.documents["b.html"]
    assert sorted(stored.documents) == ["a.md", "b.html"]
    assert (said.editions, said.locale, said.url, said.version, said.internal) == (
        ("pro",), "es", "https://x.test/a", "3", True,
    )  # fmt: skip
    assert (given.editions, given.locale, given.url, given.version, given.internal) == (
        ("enterprise",), "fr", "https://docs.test/b", "2", True,
    )  # fmt: skip


async def test_other_options_make_every_page_anew(root: Path) -> None:
    stored = StoredPassages()
    await run(root, stored)
    origin = folder(root, editions=("pro",))
    assert (await sync(TENANT, "docs", origin, stored, Encoder())).changed == 3
    assert (await sync(TENANT, "docs", origin, stored, Encoder())).unchanged == 3


@pytest.mark.parametrize(
    ("path", "link"),
    [
        ("a/b.md", "https://x.test/a/b?n=b"),
        ("a/index.md", "https://x.test/a?n=index"),
        ("README.md", "https://x.test/?n=README"),
    ],
)
def test_links_from_a_template(path: str, link: str) -> None:
    options = Options(url="https://x.test/{slug}?n={name}")
    options.check()
    assert options.link(path) == link


@pytest.mark.parametrize("template", ["https://x.test/{nothing}", "javascript:{path}"])
def test_templates_that_cannot_work(template: str) -> None:
    with pytest.raises(BadInputError):
        Options(url=template).check()


def export(*articles: tuple[int, str]) -> str:
    rows = [
        {"id": n, "section_id": 1, "title": t, "body": f"<p>About {t}.</p>"} for n, t in articles
    ]
    return json.dumps({"articles": rows})


async def test_a_file_of_several_pages_is_one_file(tmp_path: Path) -> None:
    file = tmp_path / "export.json"
    file.write_text(export((1, "Plans"), (2, "Roles")))
    stored = StoredPassages()
    stored.fails["export.json#2"] = ValueError("odd")
    first = await run(tmp_path, stored)
    assert (first.added, len(first.failed)) == (1, 1)
    stored.fails.clear()
    assert (await run(tmp_path, stored)).added == 1  # the same bytes, yet a page is missing
    assert await run(tmp_path, stored) == SyncReport(unchanged=2)
    file.write_text(export((1, "Plans")))
    assert (await run(tmp_path, stored)).deleted == 1
    assert sorted(stored.documents) == ["export.json#1"]
