"""What in a sentence its sources speak against: numbers, names, opposites and negations, counted.

Owns reading a sentence for these signs and pairing it with the source sentences it leans on. Pure but for
the word relations it reads once. Not here: vectors, weights and the score (knowledge/support.py).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, product
from pathlib import Path

import numpy as np
import yaml

from knowledge.lexical import terms

RELATIONS = Path(__file__).parent / "grounding" / "relations.yaml"

SAME = 0.6  # share of a claim's words that make a source sentence the one it repeats
REACH = 2  # content words after a negation that it denies

# One sentence rarely has more of a sign than this; beyond, counting says nothing new.
SIGNS: Mapping[str, int] = {
    "number_missing": 2,
    "number_elsewhere": 2,
    "name_missing": 3,
    "opposite": 2,
    "negation_new": 2,
    "polarity_turned": 2,
    "hindered": 2,
    "prefix_turned": 1,
    "scope_new": 2,
    "reworded": 3,
    "unknown_share": 1,
}

_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_NAME = re.compile(r"(?<![.!?:•]\s)(?<!^)(?<![“\"'(\-–])\b[A-ZÀ-Þ][\w’'-]+")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_NEGATIONS = frozenset(
    """not no never none nobody nothing neither nor cannot unable
    nunca jamás ningún ninguna ninguno nadie nada tampoco""".split()  # noqa: SIM905
)
_HINDERED = frozenset(
    """fail fails failed failing lack lacks lacked lacking without refuse refuses refused deny denies denied
    decline declines declined hinder hinders prevent prevents avoid avoids except excluding instead
    sin salvo excepto""".split()  # noqa: SIM905
)
_SCOPES = frozenset(
    """only all every any most always solely exclusively entirely anyone anybody everyone
    solo únicamente todos todas cualquiera siempre""".split()  # noqa: SIM905
)
_PREFIX = re.compile(r"(?:un|in|im|dis|non|mis|ir|il|des)(?=[a-z]{4})")
_NUMBER_WORDS = {
    word: str(value)
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve".split()  # noqa: SIM905
    )
}


@dataclass(frozen=True, slots=True)
class Relations:
    """Stem → stems that exclude it, and stems that may stand for it."""

    opposites: Mapping[str, frozenset[str]]
    synonyms: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Read:
    """A sentence as the signs need it."""

    stems: frozenset[str]
    words: tuple[str, ...]
    numbers: frozenset[str]
    names: frozenset[str]
    denied: frozenset[str]  # stems that stand in the reach of a negation

    @property
    def negated(self) -> bool:
        """Whether it denies something."""
        return any(is_negation(word) for word in self.words)


def is_negation(word: str) -> bool:
    """Return whether a lower-case word denies; "don't" does."""
    return word in _NEGATIONS or word.endswith(("n't", "n’t"))


@lru_cache(maxsize=20_000)
def _stem(word: str) -> str:
    found = terms(word)
    return found[0] if found else word


@lru_cache(maxsize=1)
def relations() -> Relations:
    """Return the word relations; the file is read once. Blocking."""
    raw = yaml.safe_load(RELATIONS.read_text("utf-8"))
    opposites = [
        pair
        for line in raw["opposites"]
        for pair in product(*(_stems(side) for side in line.split("|")))
    ]
    opposites += [pair for line in raw["rivals"] for pair in combinations(_stems(line), 2)]
    synonyms = [pair for line in raw["synonyms"] for pair in combinations(_stems(line), 2)]
    return Relations(_both_ways(opposites), _both_ways(synonyms))


def _stems(words: str) -> list[str]:
    return [_stem(word) for word in words.split()]


def _both_ways(pairs: Iterable[tuple[str, ...]]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for one, other in pairs:
        if one != other:
            found.setdefault(one, set()).add(other)
            found.setdefault(other, set()).add(one)
    return {stem: frozenset(others) for stem, others in found.items()}


@lru_cache(maxsize=4_096)
def read(text: str) -> Read:
    """Return what a sentence holds; remembered, since passages come again."""
    words = tuple(word.lower().replace("’", "'") for word in _WORD.findall(text))
    written = {_plain(number) for number in _NUMBER.findall(text)}
    spelled = {_NUMBER_WORDS[word] for word in words if word in _NUMBER_WORDS}
    return Read(
        frozenset(_stem(word) for word in words) | frozenset(terms(text)),
        words,
        frozenset(written | spelled),
        frozenset(_stem(name.lower()) for name in _NAME.findall(text)),
        _denied(words),
    )


def _denied(words: Sequence[str]) -> frozenset[str]:
    """Return the stems of the first content words after each negation."""
    found: set[str] = set()
    for at, word in enumerate(words):
        if is_negation(word):
            after = [stem for other in words[at + 1 : at + 6] for stem in terms(other)]
            found.update(after[:REACH])
    return frozenset(found)


def _plain(number: str) -> str:
    """Return 1,200 and 1200 and 2.50 and 2.5 alike."""
    number = re.sub(r",(?=\d{3}(?:\D|$))", "", number).replace(",", ".")
    return number.rstrip("0").rstrip(".") if re.fullmatch(r"\d+\.\d+", number) else number


def signs(claim: str, near: Sequence[str], everywhere: Iterable[Read]) -> np.ndarray:
    """Return the counts of SIGNS for a claim, not yet capped: float [signs].

    `near` are the source sentences it leans on, best first; `everywhere` all of them.
    """
    said = read(claim)
    known = [read(text) for text in near]
    words_near = frozenset().union(*(one.stems for one in known))
    numbers_near = frozenset().union(*(one.numbers for one in known))
    all_words: frozenset[str] = frozenset()
    all_numbers: frozenset[str] = frozenset()
    for one in everywhere:
        all_words |= one.stems
        all_numbers |= one.numbers
    related = relations()
    content = frozenset(terms(claim)) - said.names
    fresh = frozenset(stem for stem in content if stem not in words_near)
    turned = _opposed(fresh, said.stems, words_near, related)
    denied_near = any(one.negated for one in known)
    negations = sum(is_negation(word) for word in said.words)
    unknown = [
        s for s in content - all_words if not related.synonyms.get(s, frozenset()) & all_words
    ]
    counts = {
        "number_missing": len(said.numbers - all_numbers),
        "number_elsewhere": len((said.numbers & all_numbers) - numbers_near),
        "name_missing": len([n for n in said.names - all_words if not _is_number(n)]),
        "opposite": turned,
        "negation_new": 0 if denied_near else negations,
        "polarity_turned": _turned_polarity(said, known[0]) if known else 0,
        "hindered": len({w for w in said.words if w in _HINDERED and _stem(w) not in words_near}),
        "prefix_turned": sum(_prefix_turned(stem, words_near, all_words) for stem in fresh),
        "scope_new": len({w for w in said.words if w in _SCOPES and _stem(w) not in words_near}),
        "reworded": sum(
            bool(related.synonyms.get(stem, frozenset()) & words_near) for stem in fresh - all_words
        ),
        "unknown_share": len(unknown) / max(1, len(content)),
    }
    return np.array([counts[name] for name in SIGNS], np.float64)


def _turned_polarity(said: Read, best: Read) -> int:
    """Count words that are denied on one side only, where the source says nearly the same sentence."""
    content = frozenset(stem for stem in said.stems if terms(stem))
    shared = content & best.stems
    if (said.negated and best.negated) or len(shared) < SAME * len(content):
        return 0
    return sum((stem in said.denied) != (stem in best.denied) for stem in shared)


def _opposed(
    fresh: frozenset[str], said: frozenset[str], near: frozenset[str], related: Relations
) -> int:
    """Count words that stand where the source has a word that excludes them."""
    return sum(
        bool((related.opposites.get(stem, frozenset()) & near) - said)
        and not related.synonyms.get(stem, frozenset()) & near
        for stem in fresh
    )


def _prefix_turned(stem: str, near: frozenset[str], everywhere: frozenset[str]) -> bool:
    """Return whether the source has the word with or without un-, in-, dis- and the like instead."""
    if stem in everywhere:
        return False
    return any(
        _bare(one) == other for one, other in [(stem, n) for n in near] + [(n, stem) for n in near]
    )


def _bare(word: str) -> str:
    prefix = _PREFIX.match(word)
    return word[prefix.end() :] if prefix is not None else ""


def _is_number(name: str) -> bool:
    return any(char.isdigit() for char in name)
