"""Sentiment of tweets through /explain (TweetEval, Rosenthal et al. 2017), the score cut at ±1/3."""

from collections.abc import AsyncIterator

from sklearn.metrics import recall_score

from benchmarks.bench import Bench, Row


async def measure(bench: Bench) -> AsyncIterator[Row]:
    """Yield macro recall over negative, neutral, positive."""
    rows = bench.rows("mood/sentiment.dev.jsonl")
    scores = [(await bench.explain(r["input"]))["understanding"]["sentiment"] for r in rows]
    said = ["negative" if s < -1 / 3 else "positive" if s > 1 / 3 else "neutral" for s in scores]
    recall = 100 * recall_score([r["gold"] for r in rows], said, average="macro")
    yield Row(
        "sentiment",
        "mood/sentiment.dev",
        f"{recall:.1f} macro recall",
        "VADER 57.0",
        "66",
        recall >= 66,
    )
