import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.store.visibility import may_see, twin_paths
from core.errors import NotFoundError
from core.ids import PassageId, TenantId
from core.ports import Chunk, Document, TenantPolicy, Viewer
from tests.conftest import NOON
from tests.store.scene import DEMO, OTHER, Scene


def page(path: str = "plans.md", chunks: int = 2, **more: object) -> Document:
    values: dict[str, object] = {
        "source": "handbook",
        "path": path,
        "title": "Plans",
        "digest": f"digest of {path}",
        "chunks": tuple(
            Chunk(n, f"Plans › Part {n}", f"{path} part {n}", f"part-{n}") for n in range(chunks)
        ),
        "url": "https://lumen.example/plans",
    }
    return Document(**(values | more))  # type: ignore[arg-type] # a test's own fields


def vectors(document: Document) -> list[bytes]:
    return [bytes([n, 255, 0, 1]) for n, _ in enumerate(document.chunks)]


async def put(scene: Scene, document: Document, tenant: TenantId = DEMO) -> str:
    return await scene.passages.put(tenant, document, vectors(document))


async def scanned(scene: Scene, tenant: TenantId = DEMO) -> list[tuple[str, bytes]]:
    return [(p.text, vector) async for p, vector in scene.passages.scan(tenant)]


async def live(scene: Scene, tenant: TenantId = DEMO) -> list[PassageId]:
    return sorted(await scene.passages.ids(tenant))


async def digests(scene: Scene) -> dict[str, str]:
    found = await scene.passages.stored(DEMO, "handbook")
    return {path: page.digest for path, page in found.items()}


async def test_a_page_comes_back_whole(scene: Scene) -> None:
    document = await put(scene, page(editions=("pro",), locale="es", internal=False))
    ids = await live(scene)
    found = await scene.passages.resolve(DEMO, ids, Viewer(edition="pro"))
    first = next(p for p in found.values() if p.anchor == "part-0")
    assert len(found) == 2
    assert (first.document_id, first.document, first.title) == (document, "plans.md", "Plans")
    assert (first.section, first.text) == ("Plans › Part 0", "plans.md part 0")
    assert (first.url, first.locale, first.editions) == (
        "https://lumen.example/plans",
        "es",
        ("pro",),
    )


async def test_every_change_moves_the_version_of_its_tenant_alone(scene: Scene) -> None:
    await put(scene, page())
    await put(scene, page())
    assert await scene.passages.index_version(DEMO) == 2
    await scene.passages.delete(DEMO, "handbook", ["plans.md"])
    assert await scene.passages.index_version(DEMO) == 3
    assert await scene.passages.index_version(OTHER) == 0
    assert await scene.passages.index_version(TenantId("nobody")) == 0


async def test_a_newer_version_replaces_the_older_ones_passages(scene: Scene) -> None:
    first = await put(scene, page(chunks=3))
    old = await live(scene)
    second = await put(scene, page(chunks=2, digest="newer"))
    assert first == second
    assert await digests(scene) == {"plans.md": "newer"}
    assert not set(old) & set(await live(scene))
    assert await scene.passages.resolve(DEMO, old, Viewer()) == {}
    assert [text for text, _ in await scanned(scene)] == ["plans.md part 0", "plans.md part 1"]


async def test_a_deleted_page_stops_answering_and_may_come_back(scene: Scene) -> None:
    await put(scene, page())
    await put(scene, page("other.md"))
    ids = await live(scene)
    assert await scene.passages.delete(DEMO, "handbook", ["plans.md", "unknown.md"]) == 1
    left = await scene.passages.resolve(DEMO, ids, Viewer())
    assert {p.document for p in left.values()} == {"other.md"}
    assert set(await digests(scene)) == {"other.md"}
    assert await scene.passages.delete(DEMO, "handbook", ["plans.md"]) == 0
    await put(scene, page())
    assert set(await digests(scene)) == {"other.md", "plans.md"}


async def test_deleting_nothing_changes_nothing(scene: Scene) -> None:
    assert await scene.passages.delete(DEMO, "handbook", []) == 0
    assert await scene.passages.index_version(DEMO) == 0


async def test_sources_and_tenants_keep_to_themselves(scene: Scene) -> None:
    await put(scene, page(source="site"))
    await put(scene, page(), OTHER)
    ids = await live(scene)
    assert await digests(scene) == {}
    assert await scene.passages.resolve(OTHER, ids, Viewer(internal=True)) == {}
    assert await scene.passages.delete(OTHER, "site", ["plans.md"]) == 0
    assert len(await scanned(scene)) == 2


@pytest.mark.parametrize(
    ("viewer", "seen"),
    [
        (Viewer(), {"all.md", "basic.md"}),
        (Viewer(edition="starter"), {"all.md", "basic.md"}),
        (Viewer(edition="a plan nobody knows"), {"all.md", "basic.md"}),
        (Viewer(edition="Pro", locale="es"), {"all.md", "pro.md"}),
        (Viewer(edition="enterprise"), {"all.md", "pro.md"}),
        (Viewer(internal=True), {"all.md", "basic.md", "pro.md", "internal.md"}),
        (Viewer(edition="starter", internal=True), {"all.md", "basic.md", "internal.md"}),
    ],
)
async def test_a_viewer_sees_what_is_for_them(scene: Scene, viewer: Viewer, seen: set[str]) -> None:
    await put(scene, page("all.md"))
    await put(scene, page("basic.md", editions=("starter",)))
    await put(scene, page("pro.md", editions=("pro", "enterprise")))
    await put(scene, page("internal.md", internal=True))
    found = await scene.passages.resolve(DEMO, await live(scene), viewer)
    assert {p.document for p in found.values()} == seen


VALID: dict[str, dict[str, Any]] = {
    "soon.md": {"valid_from": NOON + timedelta(days=2)},
    "over.md": {"valid_until": NOON},
    "now.md": {"valid_from": NOON, "valid_until": NOON + timedelta(days=2)},
}


@pytest.mark.parametrize(
    ("when", "seen"),
    [
        (None, {"now.md"}),
        (NOON - timedelta(seconds=1), {"over.md"}),
        (NOON + timedelta(days=2), {"soon.md"}),
    ],
)
async def test_a_page_is_seen_while_it_is_valid(
    scene: Scene, when: datetime | None, seen: set[str]
) -> None:
    for name, dates in VALID.items():
        await put(scene, page(name, **dates))
    ids = await live(scene)
    for viewer in (Viewer(now=when), Viewer(now=when, internal=True)):
        found = await scene.passages.resolve(DEMO, ids, viewer)
        assert {p.document for p in found.values()} == seen


@pytest.mark.parametrize(
    ("viewer", "seen"),
    [
        (Viewer(), {"plans.md", "fr/solo.md"}),
        (Viewer(locale="es-MX"), {"es/plans.md", "fr/solo.md", "ley.md"}),
        (Viewer(locale="fr"), {"plans.md", "fr/solo.md"}),
        (Viewer(internal=True), {"plans.md", "es/plans.md", "fr/solo.md", "ley.md"}),
    ],
)
async def test_a_translation_is_preferred_and_the_only_text_never_hidden(
    scene: Scene, viewer: Viewer, seen: set[str]
) -> None:
    await put(scene, page("plans.md"))
    await put(scene, page("es/plans.md", locale="es"))
    await put(scene, page("fr/solo.md", locale="fr"))
    await put(scene, page("ley.md", locale="es", metadata={"only_locales": "['es', 'ca']"}))
    found = await scene.passages.resolve(DEMO, await live(scene), viewer)
    assert {p.document for p in found.values()} == seen


async def test_a_translation_one_may_not_see_hides_nothing(scene: Scene) -> None:
    await put(scene, page("plans.md"))
    await put(scene, page("es/plans.md", locale="es", internal=True))
    await put(scene, page("roles.md"))
    await put(scene, page("es/roles.md", locale="es", valid_until=NOON))
    await put(scene, page("sso.md"))
    await put(scene, page("es/sso.md", locale="es", editions=("pro",)))
    await put(scene, page("tax.md"))
    await put(scene, page("es/tax.md", locale="es", source="another"))
    found = await scene.passages.resolve(DEMO, await live(scene), Viewer(locale="es"))
    assert {p.document for p in found.values()} == {
        "plans.md", "roles.md", "sso.md", "tax.md", "es/tax.md",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "own", "other", "twins"),
    [
        ("en/a.md", "en", "es", {"es/a.md", "a.md"}),
        ("a.md", "en", "es", {"es/a.md", "a.es.md"}),
        ("a.es.md", "es", "en", {"en/a.es.md", "a.en.md", "a.md"}),
        ("docs/es-MX/a.md", "es", "en", {"docs/en/a.md", "docs/a.md"}),
        ("https://x.test/es/a", "es", "en", {"https://x.test/en/a", "https://x.test/a"}),
        ("https://x.test/a", "en", "es", {"https://x.test/es/a"}),
    ],
)
def test_where_a_translation_would_stand(path: str, own: str, other: str, twins: set[str]) -> None:
    assert set(twin_paths(path, own, other)) == twins


async def test_an_origin_is_kept_beside_the_page_and_moves_no_version(scene: Scene) -> None:
    await put(scene, page(origin={"etag": "1"}, metadata={"team": "web"}))
    assert (await scene.passages.stored(DEMO, "handbook"))["plans.md"].origin == {"etag": "1"}
    await scene.passages.note_origin(DEMO, "handbook", {"plans.md": {"etag": "2"}})
    assert (await scene.passages.stored(DEMO, "handbook"))["plans.md"].origin == {"etag": "2"}
    assert await scene.passages.index_version(DEMO) == 1


def test_without_editions_of_its_own_a_tenant_shows_only_open_pages() -> None:
    policy = TenantPolicy(editions=())
    assert may_see((), Viewer(), policy)
    assert not may_see(("pro",), Viewer(edition="pro"), policy)


async def test_scan_gives_every_vector_in_order(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.store.knowledge._BATCH", 3)
    for name in ("a.md", "b.md", "c.md"):
        await put(scene, page(name, chunks=3))
    found = await scanned(scene)
    assert [text for text, _ in found] == [
        f"{name}.md part {n}" for name in ("a", "b", "c") for n in range(3)
    ]
    assert found[1][1] == bytes([1, 255, 0, 1])


async def test_scan_of_nothing(scene: Scene) -> None:
    assert await scanned(scene) == []


async def test_many_ids_and_paths_are_asked_in_pieces(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.store.documents._BATCH", 2)
    for name in ("a.md", "b.md", "c.md"):
        await put(scene, page(name, chunks=2))
    assert len(await scene.passages.resolve(DEMO, await live(scene), Viewer())) == 6
    assert await scene.passages.delete(DEMO, "handbook", ["a.md", "b.md", "c.md"]) == 3


async def test_the_same_new_page_at_once_is_one_page(scene: Scene) -> None:
    await asyncio.gather(*(put(scene, page()) for _ in range(6)))
    assert len(await live(scene)) == 2
    assert await scene.passages.index_version(DEMO) == 6


async def test_a_page_needs_a_vector_per_chunk_and_a_tenant(scene: Scene) -> None:
    with pytest.raises(ValueError, match="1 vectors for 2 chunks"):
        await scene.passages.put(DEMO, page(), [b"1"])
    with pytest.raises(NotFoundError):
        await put(scene, page(), TenantId("nobody"))
    assert await live(scene) == []


async def test_a_failed_write_leaves_the_older_version(scene: Scene) -> None:
    await put(scene, page())
    broken = page(chunks=2, digest="newer")
    with pytest.raises(Exception, match=r"(?i)null"):
        await scene.passages.put(DEMO, broken, [b"1", None])  # type: ignore[list-item]
    assert await digests(scene) == {"plans.md": "digest of plans.md"}
    assert len(await live(scene)) == 2
    assert await scene.passages.index_version(DEMO) == 1
