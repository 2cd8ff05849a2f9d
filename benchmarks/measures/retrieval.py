"""Retrieval through /explain: multi-turn (MTRAG), a bank's policies (tau2-bench), our own talks, Spanish.

The whole scenario is the text that tells a simulated customer what to want. The first turn is what that text
tells the customer to open with: the first quotation on a line about starting or opening; where nothing is
quoted, the first sentence that says what is wanted.
"""

import json
import re
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bench import Bench, Row, read
from benchmarks.bm25 import Bm25

TESTS = Path(__file__).resolve().parents[2] / "tests" / "data"
HANDBOOK = Path(__file__).resolve().parents[2] / "ingest" / "handbook"

_QUOTED = re.compile(r"[\"“]([^\"”]{20,})[\"”]")
_OPENING = re.compile(r"\b(start|opening|begin|open with|first)\b", re.IGNORECASE)
_WANTED = re.compile(r"you(?:'re| are)? (?:want|looking|need)[^.]*\.", re.IGNORECASE)

Figures = Sequence[tuple[float, ...]]


async def measure(bench: Bench) -> AsyncIterator[Row]:
    """Yield recall of passages or documents at 5 and 10."""
    async for row in _multiturn(bench):
        yield row
    async for row in _banking(bench):
        yield row
    async for row in _handbook(bench):
        yield row


async def _search(bench: Bench, tenant: str, text: str, **more: Any) -> list[str]:
    """Return the distinct documents among the 50 best passages, best first."""
    found = await bench.explain(text, tenant, k=50, **more)
    return list(dict.fromkeys(each["document"] for each in found["passages"]))


def _recall(ranked: Sequence[str], gold: Sequence[str], k: int) -> float:
    return len(set(ranked[:k]) & set(gold)) / len(set(gold))


def _hit(ranked: Sequence[str], gold: Sequence[str], k: int) -> float:
    return float(bool(set(ranked[:k]) & set(gold)))


def _means(figures: Figures) -> list[float]:
    return [float(each) for each in np.mean(figures, axis=0)]


async def _multiturn(bench: Bench) -> AsyncIterator[Row]:
    passages = bench.rows("retrieval/multiturn_passages.jsonl")
    files = {row["id"]: f"p{number}.md" for number, row in enumerate(passages)}
    plain = Bm25({files[row["id"]]: f"{row['title']} {row['text']}" for row in passages})
    with tempfile.TemporaryDirectory() as folder:
        for row in passages:
            title = json.dumps(row["title"], ensure_ascii=False)
            page = f"---\ntitle: {title}\n---\n{row['text']}\n"
            (Path(folder) / files[row["id"]]).write_text(page, encoding="utf-8")
        await bench.tenant("multiturn")
        await bench.ingest(Path(folder), "multiturn")
    ours: list[tuple[float, float]] = []
    beside: list[tuple[float, float]] = []
    for row in bench.rows("retrieval/multiturn.dev.jsonl"):
        gold = [files[each] for each in row["relevant"]]
        if not gold:
            continue
        *talk, last = [_said(*turn) for turn in row["talk"]]
        ranked = await _search(bench, "multiturn", last["text"], talk=talk)
        ours.append((_recall(ranked, gold, 5), _recall(ranked, gold, 10)))
        ranked = plain.rank(last["text"])
        beside.append((_recall(ranked, gold, 5), _recall(ranked, gold, 10)))
    five, ten = _means(ours)
    plain_five, plain_ten = _means(beside)
    yield Row(
        "multi-turn retrieval",
        "retrieval/multiturn.dev + passages",
        f"R@5 {five:.3f}, R@10 {ten:.3f}",
        f"BM25 last turn here {plain_five:.3f} / {plain_ten:.3f}; hybrid + two turns .87",
        "R@5 .90",
        five >= 0.90,
        "Last turn and the two turns together, words and vectors half and half (docs/decisions/0003). Less weight"
        " for earlier turns when the last one finds enough alone cost a point and was left out.",
    )


def _said(role: str, text: str) -> Mapping[str, str]:
    return {"role": "customer" if role in ("user", "customer") else "bot", "text": text[:8000]}


async def _banking(bench: Bench) -> AsyncIterator[Row]:
    folder = bench.data / "banking_docs"
    plain = Bm25({file.name: file.read_text("utf-8") for file in folder.glob("*.md")})
    await bench.tenant("bank")
    await bench.ingest(folder, "bank")
    rows = [row for row in bench.rows("retrieval/banking_tasks.dev.jsonl") if row["documents"]]
    for name, cut, target in (
        ("policy retrieval, whole scenario", str, 0.40),
        ("policy retrieval, first turn", opening, None),
    ):
        ours: list[tuple[float, float]] = []
        beside: list[tuple[float, float]] = []
        for row in rows:
            # The ids carry brackets that the files' names do not.
            gold = [re.sub(r"[^a-z0-9_-]", "_", each.lower()) + ".md" for each in row["documents"]]
            text = cut(row["scenario"]["instructions"])
            ranked = await _search(bench, "bank", text)
            ours.append((_recall(ranked, gold, 5), _recall(ranked, gold, 10)))
            ranked = plain.rank(text)
            beside.append((_recall(ranked, gold, 5), _recall(ranked, gold, 10)))
        five, ten = _means(ours)
        error = float(np.std([each[1] for each in ours]) / len(ours) ** 0.5)
        plain_five, plain_ten = _means(beside)
        yield Row(
            name,
            "banking_docs + banking_tasks.dev",
            f"R@10 {ten:.3f} ± {error:.3f}, R@5 {five:.3f}",
            f"BM25 here R@10 {plain_ten:.3f}, R@5 {plain_five:.3f}; BM25 .18–.29",
            "R@10 .40" if target else "shown",
            ten >= target if target else None,
            "In-sample: the rules were chosen with these 40 scenarios in sight, by plateaus and with the other sets as"
            " counterweight (docs/decisions/0026); against the rules before, +.044 with bootstrap 95 % [.014, .078]."
            " ± is the standard error over scenarios. 27 of 40 scenarios need more than five documents, so that perfect"
            " R@10 would be .88; many of the missed ones are procedures of the bank's agents that no word of the"
            " customer points to."
            if target
            else "What a customer says first rarely names the products and procedures that the case will need.",
        )


def opening(scenario: str) -> str:
    """Return what a scenario tells its customer to say first."""
    for line in scenario.splitlines():
        if _OPENING.search(line) and (quoted := _QUOTED.search(line)):
            return quoted.group(1)
    wanted = _WANTED.search(scenario)
    return wanted.group() if wanted else scenario.split(".")[0]


async def _handbook(bench: Bench) -> AsyncIterator[Row]:
    await bench.tenant("talks")
    await bench.ingest(HANDBOOK, "talks")
    kinds: dict[str, list[tuple[float, float]]] = {}
    for row in read(TESTS / "handbook_talks.jsonl"):
        *talk, last = [_said(*turn) for turn in row["talk"]]
        ranked = await _search(bench, "talks", last["text"], talk=talk, locale="en")
        right = _recall if row.get("all") else _hit
        kinds.setdefault(row["kind"], []).append(
            (right(ranked, row["documents"], 3), right(ranked, row["documents"], 5))
        )
    shown = {kind: _means(figures) for kind, figures in kinds.items()}
    yield Row(
        "what the last turn means",
        "own talks over the handbook",
        "; ".join(f"{kind} {three:.2f} / {five:.2f}" for kind, (three, five) in shown.items()),
        "",
        "shown",
        None,
        "The right page among the first 3 / 5 pages (of several questions: the share of their pages); 46 talks.",
    )
    async for spanish in _spanish(bench):
        yield spanish


async def _spanish(bench: Bench) -> AsyncIterator[Row]:
    await bench.tenant("ayuda")
    await bench.ingest(TESTS / "ayuda", "ayuda")
    pages = {file.name: file.read_text("utf-8") for file in (TESTS / "ayuda").glob("*.md")}
    plain = Bm25(pages)
    rows = read(TESTS / "ayuda_questions.jsonl")
    for half, chosen in (
        ("written before the lexicon", [row for row in rows if row.get("half") != "held"]),
        ("written after it", [row for row in rows if row.get("half") == "held"]),
    ):
        ours, beside = [], []
        for row in chosen:
            ranked = await _search(bench, "ayuda", row["q"], locale="es")
            ours.append((_hit(ranked, row["docs"], 1), _hit(ranked, row["docs"], 5)))
            ranked = plain.rank(row["q"])
            beside.append((_hit(ranked, row["docs"], 1), _hit(ranked, row["docs"], 5)))
        yield Row(
            "Spanish questions, Spanish docs",
            f"own, {len(chosen)} questions {half}",
            "R@1 {:.2f}, R@5 {:.2f}".format(*_means(ours)),
            "BM25 here {:.2f} / {:.2f}".format(*_means(beside)),
            "shown",
            None,
            "28 pages of our own. The encoder is English: what carries it is a lexicon that reads both sides word by"
            " word in English, beside stemmed Spanish words (docs/decisions/0027).",
        )
    crossed: list[tuple[float, float]] = []
    for row in read(TESTS / "handbook_questions_es.jsonl"):
        ranked = await _search(bench, "talks", row["q"], locale="es")
        crossed.append((_hit(ranked, row["docs"], 1), _hit(ranked, row["docs"], 5)))
    yield Row(
        "Spanish questions, English docs",
        f"own, {len(crossed)} questions over the handbook",
        "R@1 {:.2f}, R@5 {:.2f}".format(*_means(crossed)),
        "without the lexicon .33 / .67",
        "shown",
        None,
        "Found, but what is quoted is English. Pages in the customer's language come first where there are any.",
    )
