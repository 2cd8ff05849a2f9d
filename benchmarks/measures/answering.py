"""Answer, ask back or decline, and the answers themselves, through /explain.

Sets: MTRAG's development half (IBM, Apache-2.0) and our own questions on our own handbook, of which a half was
written beforehand and never looked at ("held"). The weights were fitted on the rest by benchmarks/deciding.py,
whose figures across folds are the held-out ones for MTRAG.
"""

import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from sklearn.metrics import confusion_matrix, roc_auc_score

from benchmarks.bench import Bench, Row, read
from benchmarks.deciding import LABELS, MTRAG_LABELS, QUESTIONS, expected, write_talks

HANDBOOK = Path("ingest/handbook").resolve()
LANGUAGES = Path("tests/data/languages.jsonl")
RUNNING = {"en": "I need help with my account", "es": "Necesito ayuda con mi cuenta"}
TENANT, TALKS = "answering", "talks"


async def measure(bench: Bench) -> AsyncIterator[Row]:
    """Yield the decision on MTRAG, the answers on the handbook, and languages."""
    async for row in _multiturn(bench):
        yield row
    await bench.tenant(TENANT)
    await bench.ingest(HANDBOOK, TENANT)
    for half in ("", "held"):
        async for row in _handbook(bench, half):
            yield row
    yield await _languages(bench)


async def _multiturn(bench: Bench) -> AsyncIterator[Row]:
    await bench.tenant(TALKS)
    with tempfile.TemporaryDirectory(prefix="usher-talks-") as folder:
        write_talks(bench.data, Path(folder))
        await bench.ingest(Path(folder), TALKS)
    labels, acts, sure = [], [], []
    for row in bench.rows("retrieval/multiturn.dev.jsonl"):
        decision = (await _explain(bench, row, TALKS))["decision"]
        labels.append(MTRAG_LABELS[row["answerability"]])
        acts.append(_act(decision["action"]))
        sure.append(decision["confidence"] if decision["action"] in LABELS else 0.0)
    answerable = [label == "answer" for label in labels]
    firm = [at for at, label in enumerate(labels) if label != "ask_back"]
    area = roc_auc_score([answerable[at] for at in firm], [sure[at] for at in firm])
    yield Row(
        "answerable or not",
        "retrieval/multiturn.dev",
        f"AUROC {area:.3f}; underspecified counted against {roc_auc_score(answerable, sure):.3f}",
        "best single score .78",
        ".85",
        bool(area >= 0.85),
        "in sample; across folds .90 and .84 (`python -m benchmarks.deciding`)",
    )
    table = confusion_matrix(labels, acts, labels=[*LABELS]).tolist()
    yield Row(
        "answer / ask back / decline",
        "retrieval/multiturn.dev",
        "; ".join(f"{name} → {row}" for name, row in zip(LABELS, table, strict=True)),
        note="rows are what is right, columns answer, ask back, decline. What is underspecified there is a "
        "definite phrase nobody named ('the hurricane'); by words alone half of it looks like any question",
    )


async def _handbook(bench: Bench, half: str) -> AsyncIterator[Row]:
    rows = [row for row in read(QUESTIONS) if (row.get("half") == "held") is (half == "held")]
    seen: Counter[str] = Counter()
    for row in rows:
        said = await _explain(bench, row, TENANT)
        want, act = expected(row), _act(said["decision"]["action"])
        seen[want] += 1
        if want == "answer":
            seen["right"] += act == want and _is_right(row, said["reply"])
            seen["wrong"] += act == want and not _is_right(row, said["reply"])
        seen[f"{want} kept"] += act == want
        seen["declined or asked"] += want == "decline" and act != "answer"
    yield Row(
        "answers without a model",
        f"own handbook, {'held-out half' if half else 'questions it was tuned on'}",
        f"{seen['right']} of {seen['answer']} right with the right page, {seen['wrong']} wrong; "
        f"{seen['declined or asked']} of {seen['decline']} unanswerable not answered; "
        f"{seen['ask_back kept']} of {seen['ask_back']} underspecified asked back",
        note="what is missed is mostly not among the passages found: the words of question and page differ",
    )


async def _languages(bench: Bench) -> Row:
    rows = [row for row in read(LANGUAGES) if row["half"] == "held"]
    right = 0
    for row in rows:
        talk = [{"role": "customer", "text": RUNNING[row["running"]]}]
        said = await bench.explain(row["text"], talk=talk)
        right += said["understanding"]["language"] == row["language"]
    return Row(
        "language of a message",
        "own, 12 languages, code, addresses, emoji; held-out half",
        f"{right} of {len(rows)}",
        note="short texts, code and addresses keep the running language",
    )


async def _explain(bench: Bench, row: dict[str, Any], tenant: str) -> dict[str, Any]:
    talk = [
        {"role": "customer" if role in ("user", "customer") else "bot", "text": text}
        for role, text in row["talk"]
    ]
    return await bench.explain(talk[-1]["text"], tenant, talk=talk[:-1])


def _act(action: str) -> str:
    """Return the decision as one of ours; a handoff or another handler gives no answer from the docs."""
    return action if action in LABELS else "decline"


def _is_right(row: dict[str, Any], reply: dict[str, Any]) -> bool:
    right = {row["document"], *(document for document, _ in row["also_in"])}
    text = (reply["text"] or "").lower()
    holds = all(part.lower() in text for part in row["answer_contains"])
    return holds and bool(right & _documents(reply["citations"]))


def _documents(citations: Sequence[dict[str, Any]]) -> set[str]:
    return {str(citation["document"]) for citation in citations}
