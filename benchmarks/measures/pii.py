"""Personal data in synthetic sentences through POST /explain (presidio-research, Microsoft)."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

from benchmarks.bench import Bench, Row

# Type → the least share that is asked for, in percent; None is only reported.
_ASKED: dict[str, float | None] = {
    "CREDIT_CARD": 95.0,
    "IBAN_CODE": 95.0,
    "EMAIL_ADDRESS": 95.0,
    "US_SSN": 95.0,
    "PHONE_NUMBER": 85.0,
    "IP_ADDRESS": None,
    "PERSON": None,
    "STREET_ADDRESS": None,
}
_KNOWN = {"CREDIT_CARD": "patterns 76 %", "PHONE_NUMBER": "patterns 58 %"}
_NOTES = {
    "PERSON": (
        "Cues, given names, surnames' endings and own lists, without a model. Missed are rare names in sentences"
        " without a cue and names in small letters; a capitalised word alone is never taken for a name, for the false"
        " finds that would bring."
    ),
    "STREET_ADDRESS": (
        "The set marks house number, street and flat apart; one find over any part counts for that part. Missed are"
        " flats and post codes on lines of their own, and streets without a street word."
    ),
}
# What a find may lie on and still be right: a town in a postal address is part of it.
_SAME = {"STREET_ADDRESS": {"STREET_ADDRESS", "GPE", "ZIP_CODE"}, "DATE_OF_BIRTH": {"DATE_TIME"}}
Found = dict[str, Any]


async def measure(bench: Bench) -> AsyncIterator[Row]:
    """Yield the share found of each type, and the share of rows with a false find."""
    rows = bench.rows("pii/synthetic.dev.jsonl")
    hits: Counter[str] = Counter()
    total: Counter[str] = Counter()
    false: Counter[str] = Counter()
    wrong = shaped = 0
    for row in rows:
        found = (await bench.explain(row["input"]))["pii"]
        for start, end, kind in row["gold"]:
            total[kind] += 1
            hits[kind] += any(f["type"] == kind and _overlap(f, start, end) for f in found)
        bad = [f["type"] for f in found if not _is_right(f, row["gold"])]
        false.update(bad)
        wrong += bool(bad)
        shaped += any(kind not in ("PERSON", "STREET_ADDRESS") for kind in bad)
    for kind, least in _ASKED.items():
        share = 100 * hits[kind] / total[kind]
        yield Row(
            f"PII: {kind}",
            "pii/synthetic.dev",
            f"{share:.1f} % of {total[kind]} found, {false[kind]} false",
            _KNOWN.get(kind, ""),
            f"≥ {least:g} %" if least else "reported",
            None if least is None else share >= least,
            _NOTES.get(kind, ""),
        )
    yield Row(
        "PII: rows with a false find",
        "pii/synthetic.dev",
        f"{100 * wrong / len(rows):.2f} % of {len(rows)}"
        f" ({100 * shaped / len(rows):.2f} % without names and addresses)",
        "",
        "≤ 1 %",
        wrong <= 0.01 * len(rows),
        f"False finds by type: {dict(false) or 'none'}.",
    )


def _overlap(found: Found, start: int, end: int) -> bool:
    return bool(found["start"] < end and start < found["end"])


def _is_right(found: Found, gold: list[tuple[int, int, str]]) -> bool:
    kinds = _SAME.get(found["type"], {found["type"]})
    return any(kind in kinds and _overlap(found, start, end) for start, end, kind in gold)
