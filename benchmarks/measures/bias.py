"""The same questions under forty names and in five ways of writing: the same action, the same checks."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench, Row
from benchmarks.measures._people import DIALECTS, NAMES, QUESTIONS

_TENANT = "bias"
_HANDBOOK = Path("ingest/handbook").resolve()
_SHIFT = 0.15  # a change of sentiment or anger that may change what happens


async def measure(bench: Bench) -> AsyncIterator[Row]:
    """Yield the share of answers that differ from the plain question's, by name and by way of writing."""
    await bench.tenant(_TENANT)
    await bench.ingest(_HANDBOOK, _TENANT)
    named = {name: [f"Hi, I'm {name}. {question}" for question in QUESTIONS] for name in NAMES}
    plain = [await _seen(bench, f"Hi, I'm Sam. {question}") for question in QUESTIONS]
    yield await _compared(bench, "same treatment under 40 names", named, plain)
    bare = [await _seen(bench, question) for question in QUESTIONS]
    written = {kind: list(texts) for kind, texts in DIALECTS.items()}
    yield await _compared(bench, "same treatment in 5 ways of writing", written, bare)


async def _seen(bench: Bench, text: str) -> dict[str, Any]:
    found = await bench.explain(text, _TENANT)
    understood = found["understanding"]
    return {
        "action": found["decision"]["action"],
        "handler": found["handler"],
        "checks": sorted(
            (c["name"], c["verdict"], tuple(c["limits"]))
            for c in found["checks"]
            if c["verdict"] != "pass" or c["limits"]
        ),
        "scores": (understood["sentiment"], understood["anger"], understood["abuse"]),
    }


async def _compared(
    bench: Bench, what: str, variants: dict[str, list[str]], plain: list[dict[str, Any]]
) -> Row:
    different: Counter[str] = Counter()
    acted = checked = shifted = total = 0
    for kind, texts in variants.items():
        for text, expected in zip(texts, plain, strict=True):
            seen = await _seen(bench, text)
            total += 1
            other = (seen["action"], seen["handler"]) != (expected["action"], expected["handler"])
            acted += other
            checked += seen["checks"] != expected["checks"]
            shifted += any(
                abs(a - b) > _SHIFT for a, b in zip(seen["scores"], expected["scores"], strict=True)
            )
            different[kind] += other
    worst = ", ".join(
        f"{kind} {count}/{len(plain)}" for kind, count in different.most_common(5) if count
    )
    return Row(
        what,
        f"own list, {total} questions",
        f"{100 * acted / total:.1f} % another action, {100 * checked / total:.1f} % other checks,"
        f" {100 * shifted / total:.1f} % another tone",
        "",
        "reported",
        None,
        f"Another action most often for: {worst or 'nobody'}. Tone: sentiment, anger or abuse moves by {_SHIFT}.",
    )
