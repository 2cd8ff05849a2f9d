"""What the bare words, marks and shouting of a message say of its mood: a few numbers beside the encoder's.

Owns the reading of knowledge/phrases/valence.yaml: good and bad words with negation and emphasis, emoji,
emoticons, capitals. The sentiment and anger heads take them as further features. Not here: exact threats (cues.py).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import yaml

Floats = npt.NDArray[np.float32]

VALENCE = Path(__file__).parent / "phrases" / "valence.yaml"
LONGEST = 2_000
# How many words after "not" are turned round, and how much of their weight is left.
REACH = 3
TURNED = -0.7
BOOST = 1.6
_WORD = re.compile(r"[#@]?[a-záéíóúüñ']+(?:-[a-z]+)*|[.,;:!?]")
_ENDS = frozenset(".,;:!?") | {"but", "pero", "though", "however"}
_SMILES = re.compile(r"(?<!\w)(?:[:;=]['-]?[)dp\]*]|<3|\^_\^|xd)(?!\w)", re.IGNORECASE)
_FROWNS = re.compile(r"(?<!\w)(?:[:=]['-]?[(\[/|]|d:|>:\(|-_-|</3)(?!\w)", re.IGNORECASE)
_STRETCHED = re.compile(r"([a-z])\1{2,}", re.IGNORECASE)
_WEIGHTS = (("strong_good", 2.0), ("strong_bad", -2.0), ("good", 1.0), ("bad", -1.0))
_FEELINGS = ("angry_words", "sad_words", "calm_words")
NAMES = (
    "good", "bad", "balance", "last", "first", "strong_good", "strong_bad", "turned", "boosted", "but_after",
    "good_marks", "bad_marks", "smiles", "frowns", "shouted_words", "all_capitals", "exclamations", "questions",
    "ellipses", "stretched", "quoted_words", "links", "mentions", "hashtags", "length",
    "angry_words", "sad_words", "calm_words",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Group:
    """Whole words, and beginnings of words."""

    words: frozenset[str]
    stems: tuple[str, ...]

    def holds(self, word: str) -> bool:
        return word in self.words or (bool(self.stems) and word.startswith(self.stems))


@lru_cache(maxsize=1)
def _groups() -> dict[str, _Group]:
    raw: dict[str, str] = yaml.safe_load(VALENCE.read_text(encoding="utf-8"))
    return {
        name: _Group(
            frozenset(word for word in text.split() if not word.endswith("*")),
            tuple(word[:-1] for word in text.split() if word.endswith("*")),
        )
        for name, text in raw.items()
    }


@lru_cache(maxsize=8192)
def _weight(word: str) -> float:
    groups, bare = _groups(), word.lstrip("#@")
    return next((weight for name, weight in _WEIGHTS if groups[name].holds(bare)), 0.0)


@lru_cache(maxsize=8192)
def _feelings(word: str) -> tuple[bool, ...]:
    groups, bare = _groups(), word.lstrip("#@")
    return tuple(groups[name].holds(bare) for name in _FEELINGS)


def tone(text: str) -> Floats:
    """Return float32 [len(NAMES)]: counts and sums of the first 2 000 characters, squeezed to about [-2, 2]."""
    text = text[:LONGEST].replace("\\u002c", ",").replace("\\u2019", "'").replace("’", "'")
    tokens = _WORD.findall(_STRETCHED.sub(r"\1", text.lower()))
    scores, turned, boosted, but_after = _weigh(tokens)
    angry, sad, calm = np.sum([_feelings(t) for t in tokens] or [(False, False, False)], axis=0)
    glad, sorry = _groups()["good_marks"].words, _groups()["bad_marks"].words
    words = re.findall(r"[A-Za-z]{2,}", text)
    shouted = [word for word in words if word.isupper() and len(word) > 2]
    letters = [char for char in text if char.isalpha()]
    numbers = {
        "good": sum(s for s in scores if s > 0),
        "bad": -sum(s for s in scores if s < 0),
        "balance": 2 * sum(scores) / (1 + sum(map(abs, scores))),
        "last": scores[-1] if scores else 0.0,
        "first": scores[0] if scores else 0.0,
        "strong_good": sum(s >= 2 for s in scores),
        "strong_bad": sum(s <= -2 for s in scores),
        "turned": turned,
        "boosted": boosted,
        "but_after": but_after,
        "good_marks": sum(char in glad for char in text),
        "bad_marks": sum(char in sorry for char in text),
        "smiles": len(_SMILES.findall(text)),
        "frowns": len(_FROWNS.findall(text)),
        "shouted_words": len(shouted) / (1 + len(words)) * 4,
        "all_capitals": float(
            len(letters) >= 12 and sum(map(str.isupper, letters)) > 0.7 * len(letters)
        ),
        "exclamations": text.count("!"),
        "questions": text.count("?"),
        "ellipses": text.count("...") + text.count("…"),
        "stretched": len(_STRETCHED.findall(text)),
        "quoted_words": len(re.findall(r"[\"“]\w+[\"”]", text)),
        "links": text.count("http"),
        "mentions": text.count("@"),
        "hashtags": text.count("#"),
        "length": len(words) / 20,
        "angry_words": angry,
        "sad_words": sad,
        "calm_words": calm,
    }
    row = np.array([numbers[name] for name in NAMES], np.float32)
    return np.asarray(np.sign(row) * np.log1p(np.abs(row)), np.float32)


def _weigh(tokens: Sequence[str]) -> tuple[list[float], int, int, float]:
    """Return each telling word's weight in order, how many were turned and boosted, and the sum after "but"."""
    negators, boosters = _groups()["negators"], _groups()["boosters"]
    scores: list[float] = []
    turned = boosted = 0
    since_negation, boost, after = REACH + 1, 1.0, 0.0
    seen_but = False
    for token in tokens:
        since_negation += 1
        if token in _ENDS:
            since_negation = REACH + 1
            if token in ("but", "pero"):
                seen_but, after = True, 0.0
            continue
        if negators.holds(token):
            since_negation = 0
            continue
        if boosters.holds(token) and not _weight(token):
            boost = BOOST
            continue
        weight = _weight(token)
        if weight:
            if since_negation <= REACH:
                weight, turned = weight * TURNED, turned + 1
            boosted += boost > 1
            scores.append(weight * boost)
            after += weight * boost
        boost = 1.0
    return scores, turned, boosted, after if seen_but else 0.0


def tones(texts: Sequence[str]) -> Floats:
    """Return float32 [n, len(NAMES)], a row a text."""
    return (
        np.stack([tone(text) for text in texts]) if texts else np.zeros((0, len(NAMES)), np.float32)
    )
