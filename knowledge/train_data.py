"""What teaches which head: our own phrases and, from `--data`, published sets whose texts stay where they are.

Owns reading, labels and weights. Not here: fitting (knowledge/train_fits.py).
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from knowledge.linear import HEAD_NAMES, KINDS
from knowledge.windows import windows

HERE = Path(__file__).parent
SEEDS = HERE / "seeds"
OWN_PLANTED = HERE / "phrases" / "planted.yaml"
FLAGS = (*HEAD_NAMES, *KINDS)
EMOTIONS = ("anger", "joy", "optimism", "sadness")
MOODS = ("negative", "neutral", "positive")
OWN = 1.0
TWEET = 1.0
MESSAGE = 0.5


@dataclass(slots=True)
class Example:
    """One text with what it teaches. `no` are heads it must not teach; `calm` marks ordinary messages."""

    text: str
    source: str
    weight: float
    yes: frozenset[str] = frozenset()
    no: frozenset[str] = frozenset()
    sentiment: str | None = None
    emotion: str | None = None
    calm: bool = False


@dataclass(frozen=True, slots=True)
class Mail:
    """A text in which nothing, or one attack, is planted. `kind` and `ground` name what folds must keep together.

    `own` mails are ours.
    """

    text: str
    attack: str
    kind: str
    ground: int
    own: bool = False


def seeds(folder: Path = SEEDS) -> list[Example]:
    """Return our own phrases from knowledge/seeds/*.yaml."""
    found = []
    for path in sorted(folder.glob("*.yaml")):
        for group in yaml.safe_load(path.read_text(encoding="utf-8")):
            unsure = frozenset(group.get("unsure", ()))
            calm = not group["is"] and group.get("sentiment") == "neutral"
            source = f"own phrases ({path.stem})"
            yes, mood = frozenset(group["is"]), group.get("sentiment")
            found += [
                Example(str(text), source, OWN, yes, unsure, mood, calm=calm)
                for text in group["texts"]
            ]
    return found


def published(data: Path) -> list[Example]:
    """Return what the published sets teach: moods from TweetEval, ordinary messages from the intent sets."""
    others = frozenset(FLAGS)
    found = []
    for row in rows(data / "mood/emotion.train.jsonl"):
        anger = frozenset({"anger"}) if row["gold"] == "anger" else frozenset[str]()
        found.append(
            Example(
                row["input"],
                "TweetEval emotion",
                TWEET,
                anger,
                others - {"anger"},
                emotion=row["gold"],
            )
        )
    found += [
        Example(row["input"], "TweetEval sentiment", 1.0, no=others, sentiment=row["gold"])
        for row in rows(data / "mood/sentiment.dev.jsonl")
    ]
    found += list(_messages(data))
    for name, source in (
        ("harmless_with_attack_words", "NotInject"),
        ("touchy_but_harmless", "WildGuard"),
        ("mixed", "PIGuard"),
    ):
        for row in rows(data / f"injection/{name}.dev.jsonl"):
            yes = frozenset({"injection"}) if row["gold"] == 1 else frozenset[str]()
            found.append(Example(row["input"], source, 1.0, yes, others - {"injection"}))
    for row in rows(data / "injection/safe_and_unsafe_twins.dev.jsonl"):
        teaches = others - {"safety", "injection", *KINDS}
        found += [Example(row["input"], "XSTest", 1.0, no=teaches)] * (row["gold"] == "safe")
    return found


def _messages(data: Path) -> Iterable[Example]:
    unsure = frozenset({"not_helped"})
    for row in rows(data / "intents/bank.train.jsonl")[::5]:
        yes = frozenset({"cancel_intent"}) if row["gold"] == "terminate_account" else frozenset()
        # a lost card is urgent, and nobody labelled it so
        no = unsure | {"urgency"}
        yield Example(row["input"], "BANKING77", MESSAGE, yes, no, "neutral", calm=True)
    for row in rows(data / "intents/assistant.train.jsonl")[::8]:
        yield Example(row["input"], "CLINC150", MESSAGE, no=unsure, sentiment="neutral", calm=True)


def planted_mails(data: Path) -> list[Mail]:
    """Return mails with an attack at the start, in the middle and at the end, and the same mails clean.

    Attacks are BIPIA's and ours; an attack of ours is a kind of its own.
    """
    raw = yaml.safe_load(OWN_PLANTED.read_text(encoding="utf-8"))
    published = [row["context"] for row in rows(data / "injection/clean_mails.train.jsonl")]
    grounds = published + raw["mails"]
    attacks = [(r["attack"], r["kind"]) for r in rows(data / "injection/attacks.train.jsonl")]
    attacks += [(text, f"own {number % 10}") for number, text in enumerate(raw["planted"])]
    found = [
        Mail(text, "", "", number, own=number >= len(published))
        for number, text in enumerate(grounds)
    ]
    for number, (attack, kind) in enumerate(attacks):
        for place in range(3):
            ground = (number * 7 + place * 3) % len(grounds)
            found.append(Mail(plant(grounds[ground], attack, place), attack, kind, ground))
    return found


def plant(mail: str, attack: str, place: int) -> str:
    """Return the mail with the attack at its start (0), in its middle (1) or at its end (2)."""
    if place == 0:
        return f"{attack}\n{mail}"
    if place == 2:
        return f"{mail}\n{attack}"
    pieces = windows(mail)
    cut = max(0, mail.find(pieces[len(pieces) // 2]))
    return f"{mail[:cut]}{attack}\n{mail[cut:]}"


def rows(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSON-lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
