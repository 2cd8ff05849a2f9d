"""How much a message leaves open: what it points to that nobody named, and how little it says.

Owns the features that tell a question to ask back about from one that can be answered or declined:
a definite phrase ("the plan") or a pronoun without an antecedent in the talk, few content words, many
places that hold all of them. Not here: the decision (knowledge/decision.py).
"""

import math
import re
from collections.abc import Sequence

import numpy as np

from core.turns import Passage
from core.understanding import Said
from knowledge.lexical import terms
from knowledge.retriever import Found

TOPIC_PASSAGES = 5
FEW_WORDS = 4
MOST_WORDS = 40
SHARPNESS = 8.0  # of the softmax over passage scores whose entropy says how spread they are

_PRONOUN = re.compile(
    r"\b(?:it|its|they|them|their|he|she|him|her|his|ones?|that|this|those|these|there"
    r"|eso|esto|ese|esa|aquello|lo|ellos|ellas|all[ií]|ah[ií])\b",
    re.IGNORECASE,
)
_DEFINITE = re.compile(
    r"\b(?:this|that|these|those|such|the|est[aeo]s?|es[aeo]s?|el|la|los|las)\s+((?:[\w’'-]+\s*){1,3})",
    re.IGNORECASE,
)
_ENDS = (
    "of in on at for to is are was were do does did has have had can could will would and or which who what when where"
    " how by with from as be been that de en para que es son con por y o se"
)
_ENDS_PHRASE = frozenset(_ENDS.split())
# words that say that something is wanted, not what
_EMPTY = (
    "help problem question issue something thing please hi hello work change stop fix want need use get find sign say"
    " ayuda problema pregunta algo cosa hola quiero necesito funciona cambiar"
)
_WORD = re.compile(r"[\w’'-]+")


def openness(found: Found, talk: Sequence[Said], last_cosine: float) -> dict[str, float]:
    """Return the features; `last_cosine` is the best passage's with the last turn alone, in [-1, 1]."""
    last = found.query.last
    said = {term for each in talk for term in terms(each.text)}
    content = [term for term in dict.fromkeys(terms(last)) if term not in _empty()]
    pronoun = points_back(last)
    heads = [head for head in _open_heads(last) if head not in said]
    return {
        "open_the": float(bool(heads)),
        "head_docs": max((_share_with(head, found.passages) for head in heads), default=0.0),
        "entropy": _entropy(found.passages),
        "titles": len({each.title for each in found.passages[:TOPIC_PASSAGES]}) / TOPIC_PASSAGES,
        "full_docs": math.log1p(_documents_with(last, found)),
        "unknown": _unknown(last, found),
        "few": float(len(content) <= 1),
        "few2": float(len(content) == 2),
        "pron": float(pronoun),
        "pron_few": float(pronoun and not said and len(content) <= 2),
        "last_cos": last_cosine,
    }


def points_back(text: str) -> bool:
    """Tell whether a text has a pronoun that something said before must explain."""
    return bool(_PRONOUN.search(text))


def content_words(text: str) -> int:
    """Return how many different words of a text say what it is about."""
    return len(set(terms(text)) - _empty())


def _empty() -> frozenset[str]:
    return frozenset(term for locale in ("en", "es") for term in terms(_EMPTY, locale))


def _open_heads(text: str) -> list[str]:
    """Return the terms of common nouns that stand with a definite word ("the limit", "this page")."""
    heads = []
    for match in _DEFINITE.finditer(text):
        words: list[str] = []
        for word in _WORD.findall(match.group(1)):
            if word.lower() in _ENDS_PHRASE:
                break
            words.append(word)
        if not words or any(word[0].isupper() or word[0].isdigit() for word in words):
            continue
        found = [term for word in words for term in terms(word)[:1]]
        if found:
            heads.append(found[-1])
    return heads


def _share_with(term: str, passages: Sequence[Passage]) -> float:
    having = sum(
        term in terms(f"{each.title} {each.section} {each.text}", each.locale) for each in passages
    )
    return having / max(len(passages), 1)


def _documents_with(text: str, found: Found) -> int:
    """Return how many documents hold all the content words of a short text; 0 for a longer one."""
    words = [word for word in _WORD.findall(text) if set(terms(word)) - _empty()]
    if len(words) > FEW_WORDS:
        return 0
    index = found.index
    having = np.ones(len(index.ids), bool)
    for word in words:
        having &= index.lexical.scores(word) > 0
    return len(set(index.documents[having].tolist()))


def _unknown(text: str, found: Found) -> float:
    """Return the share of a text's content words that no document has."""
    lexical = found.index.lexical
    locales = {"en", *lexical.locales}
    words = [
        word
        for word in _WORD.findall(text)[:MOST_WORDS]
        if all(terms(word, locale) for locale in locales) and set(terms(word)) - _empty()
    ]
    known = [float(lexical.scores(word).max(initial=0.0)) > 0 for word in words]
    return known.count(False) / max(len(words), 1)


def _entropy(passages: Sequence[Passage]) -> float:
    if not passages:
        return 0.0
    scores = np.array([each.score for each in passages])
    shares = np.exp(SHARPNESS * (scores - scores.max()))
    shares /= shares.sum()
    return float(-(shares * np.log(shares + 1e-9)).sum())
