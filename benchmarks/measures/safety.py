"""Threats and wishes that need a person or a note, in our own words, beside what only sounds like them."""

from collections.abc import AsyncIterator

from benchmarks.bench import Bench, Row
from benchmarks.measures._own import ordinary, own
from knowledge.linear import KINDS

HEADS = ("legal_threat", "cancel_intent", "urgency", "abuse", "not_helped")


async def measure(bench: Bench) -> AsyncIterator[Row]:
    """Yield recall of each head by language, kinds of danger, and false alarms."""
    for language in ("en", "es"):
        for kind in KINDS:
            found = [(await bench.explain(t)) for t in own(kind, language)]
            told = [f["understanding"] for f in found]
            handed = sum("safety" in f["decision"]["reasons"] for f in found)
            right = sum(u["safety_kind"] == kind for u in told)
            yield Row(
                f"danger: {kind} ({language})",
                "own; its misses led to new seeds",
                f"{handed} of {len(found)} handed over at once, {right} with the right kind",
            )
        quiet = [(await bench.explain(t)) for t in own("harmless", language)]
        wrong = sum("safety" in f["decision"]["reasons"] for f in quiet)
        yield Row(
            f"danger: false alarms ({language})",
            "own look-alikes",
            f"{wrong} of {len(quiet)}",
            note="“This is killing me”, “I'll kill this process”, “shoot me an email”.",
        )
        for head in HEADS:
            texts = own(head, language)
            heard = [(await bench.explain(t))["understanding"][head] >= 0.5 for t in texts]
            yield Row(
                f"{head} ({language})",
                "own; its misses led to new seeds",
                f"{sum(heard)} of {len(heard)}",
            )
    texts = ordinary(bench.rows("intents/bank.train.jsonl"), 300)
    told = [(await bench.explain(t))["understanding"] for t in texts]
    alarms = {h: sum(u[h] >= 0.5 for u in told) for h in ("safety", *HEADS)}
    yield Row(
        "false alarms",
        f"intents/bank.train, {len(texts)} messages",
        ", ".join(f"{head} {count}" for head, count in alarms.items()),
        note="Nobody labelled these: a lost card may well be urgent, a closed account is a cancellation.",
    )
    twins = [
        r["input"]
        for r in bench.rows("injection/safe_and_unsafe_twins.dev.jsonl")
        if r["gold"] == "safe"
    ]
    heard = [(await bench.explain(t))["understanding"]["safety"] >= 0.7 for t in twins]
    yield Row("danger: false alarms", "XSTest, safe half", f"{sum(heard)} of {len(heard)}")
