"""The card beside each head: what it is for, what taught it, what was measured, how to make it again."""

from pathlib import Path

from knowledge.linear import PLANTED, SENTIMENT
from knowledge.train_fits import Figures

_PURPOSE = {
    "sentiment": "How a message feels, from -1 (negative) to 1 (positive); cut at -1/3 and 1/3 for three classes.",
    "anger": "The customer is angry. A person is called from 0.6, together with sentiment at -0.6 or less.",
    "abuse": "Insults. Never a reason to refuse an answer.",
    "legal_threat": "The customer threatens with lawyers, courts, authorities or police.",
    "cancel_intent": "The customer wants to end the contract (not a booking).",
    "urgency": "It cannot wait. Shown to people; changes no answer.",
    "safety": "Self-harm, threats, danger to life. Asks for a person at once.",
    "self_harm": "Once `safety` says there is a danger: somebody may hurt themselves.",
    "threat": "Once `safety` says there is a danger: somebody threatens others.",
    "danger": "Once `safety` says there is a danger: somebody is in danger now.",
    "injection": "Tries to give the assistant instructions. Lowers privileges, never blocks alone.",
    "planted": "A sentence of a longer text is meant for an assistant that reads it. Becomes part of `injection`.",
    "not_helped": "The customer says the last answer did not help.",
}
_SOURCES = {
    "own": "written for this project, MIT, knowledge/seeds/ and knowledge/phrases/planted.yaml",
    "TweetEval": "TweetEval (Barbieri et al. 2020), terms of its source tasks; texts are not in this repository",
    "BANKING77": "BANKING77, PolyAI, CC-BY-4.0",
    "CLINC150": "CLINC150 (Larson et al. 2019), CC-BY-3.0",
    "NotInject": "NotInject (MIT)",
    "WildGuard": "WildGuard benign (MIT)",
    "PIGuard": "PIGuard validation mix (MIT)",
    "XSTest": "XSTest, safe half (CC-BY-4.0)",
    "BIPIA": "BIPIA, Microsoft (MIT)",
}
_HOW = {
    SENTIMENT: "Logistic regression over three classes on the standardised means of layers 3-6 and on what the bare"
    " words say (knowledge/tone.py), with the emotions of a head trained on TweetEval's as further features, folded"
    " into the same weights. The most likely class decides on which side of -1/3 and 1/3 the score falls.",
    PLANTED: "Logistic regression on a sentence's vector, its build and its distance from the rest of the text"
    " (knowledge/planted.py). Folds keep kinds of attack apart and mails apart.",
}
_FLAG = (
    "Class-balanced logistic regression on the standardised means of layers 3-6, what the bare words say"
    " (knowledge/tone.py) and hashed spelling (knowledge/grams.py), calibrated so that ordinary questions stay under"
    " 0.5."
)


def write_card(path: Path, figures: Figures, version: str, date: str) -> None:
    """Write the card of one head."""
    name = figures.name
    lines = [f"# {name}", "", f"`{name}@{version}`, {date}. {_PURPOSE[name]}", "", "## Data", ""]
    for source, count in figures.sources.items():
        where = next(text for start, text in _SOURCES.items() if source.startswith(start))
        lines.append(f"- {count} texts: {source}. Source: {where}.")
    lines += ["", "## Figures", ""]
    lines += [
        "Five-fold, out of fold. Own phrases resemble each other, so real figures are lower.",
        "",
    ]
    lines += ["| figure | value |", "| --- | --- |"]
    lines += [f"| {figure} | {value:.3f} |" for figure, value in figures.numbers.items()]
    lines += ["", "## Model", ""]
    lines += [
        f"{_HOW.get(name, _FLAG)} Encoder: all-MiniLM-L6-v2 (Apache-2.0), English only. Weights only; no text can be"
        " read back.",
        "",
        "## Train again",
        "",
        "`python -m knowledge.train --data ../shared/data` (about three minutes, most of it encoding).",
        "",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
