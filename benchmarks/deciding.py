"""Answer, ask back or decline, and which sentences are said: held-out figures, and the weights.

`python -m benchmarks.deciding --data ../shared/data [--fit]`. The sets: MTRAG's development half (IBM,
Apache-2.0) and our own questions, English and Spanish; those of the half "held" are neither fitted on nor printed
one by one. `--fit` prints what belongs into knowledge/decision.py and knowledge/ranking.py.
"""

import argparse
import asyncio
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.retrieval import HANDBOOK, Bench, read, talk_of
from core.ids import TenantId
from core.ports import Viewer
from ingest.sources.folder import SOURCE as FOLDER
from ingest.sync import Origin, sync
from knowledge.decision import ANSWER_FROM, ANSWERS, NEAR, OPEN, OPEN_FROM, SURE
from knowledge.evidence import SEARCHED_PASSAGES, ScoredUnit, UnitVectors, gather, nearest
from knowledge.gloss import is_spanish
from knowledge.ranking import WEIGHTS

QUESTIONS = Path("tests/data/handbook_questions.jsonl")
SPANISH = Path("tests/data")
MTRAG, AYUDA = TenantId("mtrag-files"), TenantId("ayuda")
LABELS = ("answer", "ask_back", "decline")
MTRAG_LABELS = {
    "ANSWERABLE": "answer",
    "PARTIAL": "answer",
    "UNDERSPECIFIED": "ask_back",
    "UNANSWERABLE": "decline",
}
FOLDS, REPEATS, BINS = 10, 3, 5
REGULAR_ANSWERS, REGULAR_OPEN, REGULAR_UNITS = 0.03, 0.3, 0.1

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Seen:
    """A question with its right decision, the features of ours, its units and which of them are right."""

    tenant: TenantId
    label: int
    features: Mapping[str, float]
    units: tuple[ScoredUnit, ...] = ()
    right: tuple[bool, ...] = ()
    spanish: bool = False


def expected(row: Mapping[str, Any]) -> str:
    """Return the right decision of a handbook question."""
    return str(row.get("expect") or ("answer" if row["document"] else "decline"))


async def look(bench: Bench) -> list[Seen]:
    """Return every question that may be learnt from."""
    await _ingest_talks(bench)
    await sync(AYUDA, "bench", Origin(FOLDER, str(SPANISH / "ayuda")), bench.passages, bench.encode)
    vectors = UnitVectors(bench.encoder)
    seen = []
    for row in read(bench.data / "retrieval/multiturn.dev.jsonl"):
        label = LABELS.index(MTRAG_LABELS[row["answerability"]])
        seen.append(await _seen(bench, vectors, MTRAG, row, label, Viewer()))
    for row in read(QUESTIONS):
        if row.get("half") != "held":
            locale = "es" if str(row["document"]).startswith("es/") else "en"
            label = LABELS.index(expected(row))
            seen.append(await _seen(bench, vectors, HANDBOOK, row, label, Viewer(locale=locale)))
    for tenant, text, label in _spanish():
        row = {"talk": [["customer", text]]}
        seen.append(await _seen(bench, vectors, tenant, row, label, Viewer(locale="es")))
    return seen


def _spanish() -> Iterator[tuple[TenantId, str, int]]:
    """Yield Spanish questions over English and Spanish docs: answered there, or found nowhere.

    What is asked of one product is found nowhere in the other's docs.
    """
    asked = {HANDBOOK: "handbook_questions_es.jsonl", AYUDA: "ayuda_questions.jsonl"}
    for tenant, name in asked.items():
        other = AYUDA if tenant == HANDBOOK else HANDBOOK
        rows = [row for row in read(SPANISH / name) if row.get("half") != "held"]
        yield from ((tenant, row["q"], LABELS.index("answer")) for row in rows)
        yield from ((other, row["q"], LABELS.index("decline")) for row in rows[::3])
    over = {"handbook": HANDBOOK, "ayuda": AYUDA}
    for row in read(SPANISH / "spanish_declined.jsonl"):
        yield over[row["over"]], row["q"], LABELS.index("decline")


async def _ingest_talks(bench: Bench) -> None:
    """Ingest MTRAG's passages as a customer's files are: cut into chunks, which changes the figures."""
    with tempfile.TemporaryDirectory(prefix="usher-talks-") as folder:
        write_talks(bench.data, Path(folder))
        await sync(MTRAG, "bench", Origin(FOLDER, folder), bench.passages, bench.encode)


def write_talks(data: Path, folder: Path) -> None:
    """Write MTRAG's passages as Markdown files."""
    for passage in read(data / "retrieval/multiturn_passages.jsonl"):
        file = folder / f"{passage['id'].replace('/', '_')}.md"
        file.write_text(f"# {passage['title']}\n\n{passage['text']}\n", encoding="utf-8")


async def _seen(
    bench: Bench, vectors: UnitVectors, tenant: TenantId, row: Any, label: int, viewer: Viewer
) -> Seen:
    talk = talk_of(row)
    found = nearest(
        await bench.retriever.look(tenant, talk[-1].text, talk[:-1], viewer, SEARCHED_PASSAGES)
    )
    evidence = await gather(vectors, found, talk[:-1])
    units = tuple(each for group in evidence.units for each in group)
    wanted = [part.lower() for part in row.get("answer_contains", ())]
    documents = {row.get("document"), *(document for document, _ in row.get("also_in", ()))}
    right = tuple(
        found.passages[each.passage].document in documents
        and any(part in each.unit.text.lower() for part in wanted)
        for each in units
    )
    return Seen(tenant, label, evidence.features, units, right, is_spanish(talk[-1].text))


def report(seen: Sequence[Seen]) -> None:
    """Print held-out figures of both models, their calibration and what they decide together."""
    labels = np.array([each.label for each in seen])
    of_mtrag = np.array([each.tenant == MTRAG for each in seen])
    spanish = np.array([each.spanish for each in seen])
    answers = _held_out(_matrix(seen, list(ANSWERS)), labels == 0, REGULAR_ANSWERS)
    left_open = _held_out(_matrix(seen, list(OPEN)), labels == 1, REGULAR_OPEN)
    acts = np.where(
        (left_open >= OPEN_FROM) & (answers >= NEAR) & (answers < SURE),
        1,
        np.where(answers >= ANSWER_FROM, 0, 2),
    )
    for name, rows in (
        ("multi-turn", of_mtrag),
        ("handbook", ~of_mtrag & ~spanish),
        ("Spanish", spanish),
    ):
        firm = rows & (labels != 1)
        print(
            f"{name}: answerable against unanswerable AUROC {_area(labels == 0, answers, firm):.3f}, "
            f"underspecified counted against {_area(labels == 0, answers, rows):.3f}; "
            f"underspecified against the rest {_area(labels == 1, left_open, rows):.3f}"
        )
        print("  rows answer, ask back, decline; columns as decided")
        print(confusion_matrix(labels[rows], acts[rows], labels=[0, 1, 2]))
    print(f"reliability of the confidence (said, true, n): {reliability(answers, labels == 0)}")


def reliability(said: Floats, true: npt.NDArray[np.bool_]) -> list[tuple[float, float, int]]:
    """Return (mean said, share true, n) of equal bins of the said probability."""
    bins = np.clip((said * BINS).astype(int), 0, BINS - 1)
    return [
        (
            round(float(said[bins == at].mean()), 2),
            round(float(true[bins == at].mean()), 2),
            int((bins == at).sum()),
        )
        for at in range(BINS)
        if (bins == at).any()
    ]


def fit(seen: Sequence[Seen]) -> None:
    """Print the weights."""
    labels = np.array([each.label for each in seen])
    for name, chosen, label, regular in (
        ("ANSWERS", ANSWERS, 0, REGULAR_ANSWERS),
        ("OPEN", OPEN, 1, REGULAR_OPEN),
    ):
        # what a Spanish message leaves open was never labelled
        told = [at for at, each in enumerate(seen) if chosen is ANSWERS or not each.spanish]
        rows = _matrix([seen[at] for at in told], list(chosen))
        scaler, model = _model(regular).fit(rows, labels[told] == label)
        print(f"{name}: Weights = {{")
        for feature, mean, deviation, weight in zip(
            chosen, scaler.mean_, scaler.scale_, model.coef_[0], strict=True
        ):
            print(f'    "{feature}": ({mean:.4f}, {deviation:.4f}, {weight:.3f}),')
        print(f"}}\n{name}_INTERCEPT = {model.intercept_[0]:.4f}")
    _fit_units([each for each in seen if any(each.right)])


def _fit_units(seen: Sequence[Seen]) -> None:
    figures = np.array([[u.figures[name] for name in WEIGHTS] for each in seen for u in each.units])
    right = np.array([each for one in seen for each in one.right])
    shares = np.concatenate(
        [np.where(one.right, 1 / sum(one.right), 1 / len(one.right)) for one in seen]
    )
    scaler, model = _model(REGULAR_UNITS).fit(
        figures, right, logisticregression__sample_weight=shares
    )
    weights = model.coef_[0] / scaler.scale_
    for name, weight in zip(WEIGHTS, weights, strict=True):
        print(f'    "{name}": {weight:.3f},')
    print(f"INTERCEPT = {model.intercept_[0] - float(weights @ scaler.mean_):.3f}")


def _matrix(seen: Sequence[Seen], names: Sequence[str]) -> Floats:
    return np.array([[each.features[name] for name in names] for each in seen])


def _model(regular: float) -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(C=regular, max_iter=3000))


def _held_out(matrix: Floats, labels: npt.NDArray[np.bool_], regular: float) -> Floats:
    runs = [
        cross_val_predict(
            _model(regular),
            matrix,
            labels,
            cv=StratifiedKFold(FOLDS, shuffle=True, random_state=seed),
            method="predict_proba",
        )[:, 1]
        for seed in range(REPEATS)
    ]
    return np.asarray(np.mean(runs, axis=0), np.float64)


def _area(labels: npt.NDArray[np.bool_], said: Floats, rows: npt.NDArray[np.bool_]) -> float:
    if len(set(labels[rows])) < 2:
        return float("nan")
    return float(roc_auc_score(labels[rows], said[rows]))


async def main() -> None:
    """Print the figures; with --fit the weights as well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--fit", action="store_true", help="print new weights")
    arguments = parser.parse_args()
    bench = Bench(arguments.data)
    await bench.load()
    seen = await look(bench)
    report(seen)
    if arguments.fit:
        fit(seen)
    print(json.dumps({"questions": len(seen)}))


if __name__ == "__main__":
    asyncio.run(main())
