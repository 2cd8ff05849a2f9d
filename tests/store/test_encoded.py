from core.ports import EncodedChunk
from tests.store.scene import DEMO, OTHER, Scene
from tests.store.test_knowledge import page, vectors


async def test_what_documents_were_encoded_as(scene: Scene) -> None:
    for tenant, path in ((DEMO, "a.md"), (DEMO, "b.md"), (OTHER, "a.md")):
        document = page(path, title=f"{path} of {tenant}")
        await scene.passages.put(tenant, document, vectors(document))
    found = await scene.passages.encoded(DEMO, "handbook", ["a.md", "gone.md"])
    assert sorted(found, key=lambda each: each.section) == [
        EncodedChunk("a.md of demo", f"Plans › Part {n}", f"a.md part {n}", bytes([n, 255, 0, 1]))
        for n in range(2)
    ]
    assert await scene.passages.encoded(DEMO, "elsewhere", ["a.md"]) == []
    await scene.passages.delete(DEMO, "handbook", ["a.md"])
    assert await scene.passages.encoded(DEMO, "handbook", ["a.md"]) == []
