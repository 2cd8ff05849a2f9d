"""The graph, its cache, the memo and the micro-batcher."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from core.errors import MisconfiguredError
from knowledge import graph
from knowledge.encoder import Encoder, EncoderSettings


async def test_shapes_lengths_and_the_last_layer_is_the_vector(encoder: Encoder) -> None:
    found = await encoder.encode(["How do I cancel my plan?", "Hola", ""])
    assert found.vectors.shape == (3, 384)
    assert found.layers.shape == (3, 4, 384)
    assert found.vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(found.layers, axis=2), 1, atol=1e-4)
    assert np.allclose(found.layers[:, 3], found.vectors, atol=1e-6)


async def test_meaning_is_near(encoder: Encoder) -> None:
    asked, near, far = (
        await encoder.encode(
            ["I want to stop my subscription", "How do I cancel my plan?", "The sky is blue today"]
        )
    ).vectors
    assert asked @ near > 0.4 > asked @ far


async def test_known_vector_of_the_published_model(encoder: Encoder) -> None:
    """The first figures the model's authors print for this sentence."""
    vector = (await encoder.encode(["This is an example sentence"])).vectors[0]
    assert vector[:4] == pytest.approx([0.067657, 0.063496, 0.048713, 0.079305], abs=1e-5)


async def test_padding_and_company_change_nothing(encoder: Encoder) -> None:
    alone = (await encoder.encode_batch(["Reset my password"]))[0]
    beside = await encoder.encode_batch(["Reset my password", "word " * 300, "x"])
    live = (await encoder.encode(["Reset my password"])).vectors[0]
    assert np.allclose(alone, beside[0], atol=1e-5)
    assert np.allclose(alone, live, atol=1e-5)


@pytest.mark.parametrize("text", ["", " ", "\x00", "\ud800 lone", "🙂" * 50, "a" * 100_000, "汉字"])
async def test_odd_text_is_encoded(encoder: Encoder, text: str) -> None:
    found = await encoder.encode([text])
    assert np.isfinite(found.vectors).all()


async def test_one_pass_per_text(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    original = Encoder._encode_rows

    def spy(self: Encoder, texts: list[str]) -> object:
        seen.extend(texts)
        return original(self, texts)

    monkeypatch.setattr(Encoder, "_encode_rows", spy)
    await asyncio.gather(*[encoder.encode(["the same question, asked at once"]) for _ in range(8)])
    await encoder.encode(["the same question, asked at once"])
    assert seen.count("the same question, asked at once") <= 2


async def test_concurrent_texts_share_passes(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[int] = []
    original = Encoder._encode_rows

    def spy(self: Encoder, texts: list[str]) -> object:
        passes.append(len(texts))
        return original(self, texts)

    monkeypatch.setattr(Encoder, "_encode_rows", spy)
    await asyncio.gather(*[encoder.encode([f"another question {n}"]) for n in range(20)])
    assert sum(passes) == 20
    assert len(passes) <= 3


async def test_a_failed_pass_reaches_whoever_waits(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Encoder, texts: list[str]) -> object:
        raise RuntimeError("no memory")

    monkeypatch.setattr(Encoder, "_encode_rows", fail)
    with pytest.raises(RuntimeError, match="no memory"):
        await encoder.encode(["a text nobody has encoded yet"])


async def test_progress_and_no_texts(encoder: Encoder) -> None:
    steps: list[tuple[int, int]] = []
    await encoder.encode_batch(["a", "b", "c"], lambda done, total: steps.append((done, total)), 2)
    assert steps == [(2, 3), (3, 3)]
    assert (await encoder.encode_batch([])).shape == (0, 384)
    assert (await encoder.encode([])).vectors.shape == (0, 384)


@pytest.mark.allow_blocking
def test_other_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads a file in the test itself."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"something else")
    monkeypatch.setattr(graph, "model_folder", lambda: folder)
    with pytest.raises(MisconfiguredError, match="not the published ones"):
        graph.graph_file(tmp_path)


def test_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "PACKAGE", "no_such_weights")
    with pytest.raises(MisconfiguredError, match="no-such-weights"):
        graph.model_folder()


async def test_the_cached_graph_is_used_again(encoder: Encoder, tmp_path: Path) -> None:
    settings = EncoderSettings(cache_dir=encoder._settings.cache_dir, threads=1)
    before = sorted(path.name for path in settings.cache_dir.iterdir())
    await Encoder(settings).encode(["hello"])
    assert sorted(path.name for path in settings.cache_dir.iterdir()) == before
    assert len(before) == 1
