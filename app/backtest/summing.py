"""Rows of judged questions to a report: totals, topics, agreement, ranked gaps.

Owns which questions are gaps and how they are ranked: by the people who asked. Blocking: clustering a
few thousand questions takes seconds.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

import numpy as np
import numpy.typing as npt

from app.backtest.judging import ACTIONS, AGREES, DEFINITION
from app.backtest.questions import PastQuestion
from core.pii import mask
from knowledge.gaps import Question, place
from knowledge.topics import sort_topics, topic_names

Row = Mapping[str, Any]
Floats = npt.NDArray[np.float32]

MAX_GAPS = 50
MAX_TOPICS = 60
EXAMPLES = 3
NO_TOPIC = "other questions"
# handoffs of these reasons are no want of knowledge
_MEANT = frozenset(("asked", "anger", "legal_threat", "safety", "language"))


def summarise(
    rows: Sequence[Row], questions: Sequence[PastQuestion], vectors: Floats
) -> dict[str, Any]:
    """Return the report of rows; `vectors` are the questions', float32 [n, dimensions], unit length."""
    named = _topics(rows, questions, vectors)
    told = [{**row, "topic": topic} for row, topic in zip(rows, named, strict=True)]
    return {
        "questions": len(rows),
        "totals": _totals(rows),
        "agreement": _agreement(rows),
        "definition": DEFINITION,
        "topics": _by_topic(told, questions),
        "gaps": _gaps(told, questions, vectors),
        "rows": told,
    }


def is_gap(row: Row) -> bool:
    """Tell whether a question went unanswered for want of knowledge."""
    if row["action"] == "handoff":
        return not _MEANT & set(row["reasons"])
    return row["action"] in ("decline", "failed")


def _totals(rows: Sequence[Row]) -> dict[str, int]:
    counts = Counter(str(row["action"]) for row in rows)
    return {action: counts[action] for action in ACTIONS}


def _agreement(rows: Sequence[Row]) -> dict[str, Any] | None:
    compared = [row for row in rows if "agreement" in row]
    if not compared:
        return None
    return {
        "compared": len(compared),
        "agree": sum(row["agreement"] >= AGREES for row in compared),
        **{
            name: round(mean(r[name] for r in compared), 3)
            for name in ("agreement", "said", "covered")
        },
    }


def _topics(rows: Sequence[Row], questions: Sequence[PastQuestion], vectors: Floats) -> list[str]:
    """Return the topic of each row: as given, else by meaning."""
    bare = [n for n, question in enumerate(questions) if not question.topic]
    labels = sort_topics(vectors[bare]) if bare else []
    names = topic_names([mask(questions[n].gist) for n in bare], labels)
    found = [question.topic or NO_TOPIC for question in questions]
    for n, label in zip(bare, labels, strict=True):
        found[n] = names.get(label, NO_TOPIC)
    return found


def _by_topic(rows: Sequence[Row], questions: Sequence[PastQuestion]) -> list[dict[str, Any]]:
    grouped: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[str(row["topic"])].append(row)
    given = {question.topic for question in questions}
    order = sorted(grouped, key=lambda name: (name == NO_TOPIC, -len(grouped[name]), name))
    return [
        {
            "name": name,
            "given": name in given,
            "questions": len(grouped[name]),
            "totals": _totals(grouped[name]),
            "agreement": _agreement(grouped[name]),
            "examples": [row["question"] for row in grouped[name][:EXAMPLES]],
        }
        for name in order[:MAX_TOPICS]
    ]


def _gaps(
    rows: Sequence[Row], questions: Sequence[PastQuestion], vectors: Floats
) -> list[dict[str, Any]]:
    """Return groups of unanswered questions, those of most askers first."""
    groups: list[list[int]] = []
    read: list[list[Question]] = []
    for n, row in enumerate(rows):
        if not is_gap(row):
            continue
        question = Question.of(questions[n].gist, vectors[n].tobytes())
        at = place(question, read)
        if at is None:
            groups.append([n])
            read.append([question])
        else:
            groups[at].append(n)
            read[at].append(question)
    found = [_gap(group, rows, questions, vectors) for group in groups]
    found.sort(key=lambda gap: (-gap["askers"], -gap["questions"], gap["question"]))
    return found[:MAX_GAPS]


def _gap(
    group: Sequence[int], rows: Sequence[Row], questions: Sequence[PastQuestion], vectors: Floats
) -> dict[str, Any]:
    own = vectors[list(group)]
    middle = group[int((own @ own.mean(axis=0)).argmax())]
    # of who is not named, each counts as somebody else
    askers = {questions[n].asker or f"row {n}" for n in group}
    answers = (rows[n]["human_answer"] for n in (middle, *group))
    return {
        "question": rows[middle]["question"],
        "topic": rows[middle]["topic"],
        "questions": len(group),
        "askers": len(askers),
        "examples": [rows[n]["question"] for n in group if n != middle][:EXAMPLES],
        "nearest": rows[middle].get("nearest", []),
        "human_answer": next((answer for answer in answers if answer), None),
        "in_docs": any(rows[n].get("in_docs") for n in group),
    }
