"""Our own sentences that no head was taught (benchmarks/own/threats.yaml), and figures from the heads' cards."""

import re
from pathlib import Path

import yaml

FILE = Path("benchmarks/own/threats.yaml")


def own(head: str, language: str) -> list[str]:
    """Return the sentences of one head in one language."""
    found: list[str] = yaml.safe_load(FILE.read_text(encoding="utf-8"))[head][language]
    return found


def ordinary(bench_rows: list[dict[str, str]], most: int) -> list[str]:
    """Return up to `most` ordinary messages, evenly from all over a set."""
    # the heads are taught with every fifth row of the bank's, counted from the first: 3 + 5n is never one
    step = max(5, len(bench_rows) // most // 5 * 5)
    return [row["input"] for row in bench_rows[3::step]][:most]


def card(head: str) -> dict[str, float]:
    """Return figure → value of a head's card, out of fold, as `python -m knowledge.train` wrote it."""
    text = Path(f"knowledge/heads/{head}.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| ([\d.]+) \|$", text, re.MULTILINE)
    return {name: float(value) for name, value in rows}
