"""The card beside each head: what it is for, what taught it, what was measured, how to make it again."""

from collections.abc import Mapping
from pathlib import Path

_PURPOSE = {
    "sentiment": "How a message feels, from -1 (negative) to 1 (positive): share of positive minus share of negative.",
    "anger": "The customer is angry. Escalates only together with sentiment at -0.6 or less.",
    "abuse": "Insults. Never a reason to refuse an answer.",
    "legal_threat": "The customer threatens with lawyers, courts, authorities or police.",
    "cancel_intent": "The customer wants to end the contract (not a booking).",
    "safety": "Self-harm, threats, danger to life.",
    "injection": "Tries to give the assistant instructions. Lowers privileges, never blocks alone.",
    "not_helped": "The customer says the last answer did not help.",
}
_SOURCES = {
    "own": "written for this project, MIT, knowledge/seeds/",
    "TweetEval": "TweetEval (Barbieri et al. 2020), terms of its source tasks; texts are not in this repository",
    "BANKING77": "BANKING77, PolyAI, CC-BY-4.0",
    "CLINC150": "CLINC150 (Larson et al. 2019), CC-BY-3.0",
    "NotInject": "NotInject (MIT)",
    "PIGuard": "PIGuard validation mix (MIT)",
    "XSTest": "XSTest, safe half (CC-BY-4.0)",
}


def write_card(
    path: Path, name: str, numbers: Mapping[str, float], sources: Mapping[str, int]
) -> None:
    """Write the card of one head."""
    lines = [f"# {name}", "", _PURPOSE[name], "", "## Data", ""]
    for source, count in sources.items():
        where = next(text for start, text in _SOURCES.items() if source.startswith(start))
        lines.append(f"- {count} texts: {source}. Source: {where}.")
    lines += [
        "",
        "## Figures",
        "",
        "Five-fold, out of fold; own phrases resemble each other, so",
        "",
    ]
    lines[-2] = (
        "Five-fold, out of fold. Own phrases resemble each other, so real figures are lower."
    )
    lines += ["| figure | value |", "| --- | --- |"]
    lines += [f"| {figure} | {value:.3f} |" for figure, value in numbers.items()]
    lines += [
        "",
        "## Model",
        "",
        "Class-balanced logistic regression on the standardised means of layers 3-6 of all-MiniLM-L6-v2"
        " (Apache-2.0), calibrated so that ordinary questions stay under 0.5. Weights only; no text can be"
        " read back.",
        "",
        "## Train again",
        "",
        "`python -m knowledge.train --data ../shared/data` (about two minutes).",
        "",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
