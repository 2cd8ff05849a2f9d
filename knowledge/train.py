"""Train the heads in knowledge/heads: `python -m knowledge.train --data ../shared/data`.

The same data give the same weights. Texts of others are read from `--data` and never written anywhere but into
`--cache`, if that is asked for; only weights and figures are. A head of one's own goes to `--out var/heads`.
"""

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from knowledge.encoder import Encoder, EncoderSettings
from knowledge.linear import ALL_HEADS, PLANTED, SENTIMENT, Blocks, Floats, LinearHead
from knowledge.train_cards import write_card
from knowledge.train_data import HERE, planted_mails, published, seeds
from knowledge.train_fits import Figures, train_flag, train_sentiment
from knowledge.train_planted import pieces_of, train_planted

VERSION = "2"
BATCH = 128
Encoding = tuple[Floats, Floats]


async def encode(texts: Sequence[str], cache: Path | None) -> dict[str, Encoding]:
    """Return text → (unit vector [384], layer means [4, 384]); `cache` keeps them between runs."""
    known = _cached(cache) if cache is not None else {}
    missing = sorted({text for text in texts if text not in known}, key=len)
    encoder = Encoder(EncoderSettings())
    for start in range(0, len(missing), BATCH):
        part = missing[start : start + BATCH]
        encoded = await encoder.encode(part)
        known.update(
            (text, (vector, layers))
            for text, vector, layers in zip(part, encoded.vectors, encoded.layers, strict=True)
        )
        _say(f"\rencoded {min(start + BATCH, len(missing))}/{len(missing)}")
    if cache is not None and missing:
        rows = list(known.values())
        np.savez(
            cache,
            texts=np.array(list(known)),
            vectors=np.stack([vector for vector, _ in rows]),
            layers=np.stack([layers for _, layers in rows]),
        )
    return known


def _cached(cache: Path) -> dict[str, Encoding]:
    if not cache.exists():
        return {}
    with np.load(cache, allow_pickle=False) as stored:
        rows = zip(stored["vectors"], stored["layers"], strict=True)
        return dict(zip(stored["texts"].tolist(), rows, strict=True))


def train(
    data: Path, names: Sequence[str], cache: Path | None
) -> Mapping[str, tuple[LinearHead, Figures]]:
    """Return the heads asked for with their figures."""
    examples = seeds() + published(data)
    mails = planted_mails(data)
    texts = [example.text for example in examples]
    encoded = asyncio.run(encode([*texts, *pieces_of(mails, examples)], cache))
    blocks = Blocks(texts, np.stack([encoded[text][1] for text in texts]))
    found = {}
    for name in names:
        if name == SENTIMENT:
            found[name] = train_sentiment(examples, blocks)
        elif name == PLANTED:
            vectors = {text: vector for text, (vector, _) in encoded.items()}
            found[name] = train_planted(mails, examples, vectors)
        else:
            found[name] = train_flag(name, examples, blocks)
        told = ", ".join(f"{k} {v:.3f}" for k, v in found[name][1].numbers.items())
        _say(f"\n{name}: {told}")
    _say("\n")
    return found


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> None:
    """Train heads and write weights and cards."""
    parser = argparse.ArgumentParser(prog="python -m knowledge.train")
    parser.add_argument("--data", type=Path, required=True, help="folder with the published sets")
    parser.add_argument("--out", type=Path, default=HERE / "heads")
    parser.add_argument("--cache", type=Path, help="keep encodings here between runs (.npz)")
    parser.add_argument("--only", nargs="*", choices=ALL_HEADS, default=ALL_HEADS)
    parser.add_argument("--version", default=VERSION, help="stands in cards and traces")
    parser.add_argument("--date", default="2026-11-21", help="stands in the cards")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, (head, figures) in train(options.data, options.only, options.cache).items():
        replace(head, version=options.version).save(options.out / f"{name}.npz")
        write_card(options.out / f"{name}.md", figures, options.version, options.date)


if __name__ == "__main__":
    main()
