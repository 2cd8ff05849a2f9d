"""Anger in tweets (TweetEval, Mohammad et al. 2018), in customers' words, and handoffs that nobody needed."""

from collections.abc import AsyncIterator

import numpy as np
from sklearn.metrics import precision_recall_curve

from benchmarks.bench import Bench, Row
from benchmarks.measures._own import ordinary, own


async def measure(bench: Bench) -> AsyncIterator[Row]:
    """Yield recall at a precision of .80, at one half, of our own phrases, and false handoffs."""
    rows = bench.rows("mood/emotion.dev.jsonl")
    said = np.array([(await bench.explain(r["input"]))["understanding"]["anger"] for r in rows])
    angry = np.array([r["gold"] == "anger" for r in rows])
    precision, recall, _ = precision_recall_curve(angry, said)
    best = float(recall[precision >= 0.8].max())
    at_half = said >= 0.5
    yield Row(
        "anger",
        "mood/emotion.dev",
        f"R {best:.2f} at P .80 (at 0.5: R {at_half[angry].mean():.2f}, P {angry[at_half].mean():.2f})",
        "tweet-trained RoBERTa P .88 R .88, layer head P .84 R .78",
        "R .85 at P .80",
        best >= 0.85,
        "Trained on mood/emotion.train and our phrases; held out. Layers alone reach R .80; our word list and hashed"
        " spelling add the rest.",
    )
    for language in ("en", "es"):
        texts = own("anger", language)
        found = [await bench.explain(t, tenant="demo") for t in texts]
        heard = sum(f["understanding"]["anger"] >= 0.5 for f in found)
        handed = sum(f["decision"]["action"] == "handoff" for f in found)
        calm = [await bench.explain(t) for t in own("calm", language)]
        wrong = sum(f["decision"]["action"] == "handoff" for f in calm)
        yield Row(
            f"angry customers ({language})",
            "own; its misses led to new seeds",
            f"{heard} of {len(texts)} heard, {handed} handed over; {wrong} of {len(calm)} calm ones",
            note="Irony included. The encoder reads no Spanish: word lists and spelling carry it.",
        )
    for name, most in (("bank.train", 450), ("assistant.dev", 300)):
        texts = ordinary(bench.rows(f"intents/{name}.jsonl"), most)
        asked = [await bench.explain(t) for t in texts]
        reasons = [f["decision"]["reasons"] for f in asked if f["decision"]["action"] == "handoff"]
        mood = [r for r in reasons if {"anger", "safety", "legal_threat"} & set(r)]
        yield Row(
            "handoffs nobody asked for",
            f"intents/{name}, {len(texts)} messages",
            f"{len(mood)}",
            target="about 0",
            met=len(mood) <= len(texts) // 100,
            note="For anger, danger or law. Some of the bank's customers are angry indeed.",
        )
