"""Spanish read in English, word by word: what lets an English encoder find Spanish text.

Owns the telling of Spanish by its words, and the lexicon (knowledge/lexicon_es.txt, everyday and
office words, written for this project). The result is for searching only: nobody ever reads it.
Not here: which language a talk is in (knowledge/language.py).
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from knowledge.encoder import Encoded, Encoder
from knowledge.stemming import stem
from knowledge.stopwords import STOPWORDS

LEXICON = Path(__file__).with_name("lexicon_es.txt")
MEANINGS = 2  # of a word that has several; which one is meant is left to the encoder
LEAST_SHARE = 0.25  # of a text's words that must be Spanish
MAX_CHARACTERS = 20_000

_TOKEN = re.compile(r"[^\W\d_]+|[^\s\w]+|[\w.,:%/@-]+")
_WORD = re.compile(r"[^\W\d_]+")
_OPENING = re.compile(r"[¿¡]")  # English has no such marks, and its encoder no place for them
_LETTERS = re.compile(r"[a-záéíóúüñ]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Lexicon:
    words: Mapping[str, str]  # Spanish as written in the lexicon → English
    stems: Mapping[str, str]
    english: frozenset[str]  # words that tell nothing, or tell of English


@cache
def lexicon() -> _Lexicon:
    """Return the lexicon, read when this module is imported (5 ms)."""
    words: dict[str, list[str]] = {}
    stems: dict[str, list[str]] = {}
    english = set(STOPWORDS["en"])
    for line in LEXICON.read_text("utf-8").splitlines():
        meaning, _, spanish = line.partition("#")[0].partition(":")
        if not spanish:
            continue
        english.update(meaning.split())
        for word in spanish.split():
            words.setdefault(word, []).append(meaning)
            stems.setdefault(_stem(word), []).append(meaning)
    return _Lexicon(_joined(words), _joined(stems), frozenset(english))


def _joined(meanings: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {
        word: " ".join(dict.fromkeys(" ".join(some[:MEANINGS]).split()))
        for word, some in meanings.items()
    }


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    return stem(word, "spanish")


def _meaning(word: str) -> str | None:
    held = lexicon()
    return held.words.get(word) or held.stems.get(_stem(word))


def knows(word: str) -> bool:
    """Tell whether a lower-case word is Spanish to the lexicon, and so no slip of the finger."""
    return word in lexicon().words or _stem(word) in lexicon().stems


def is_spanish(text: str) -> bool:
    """Tell whether the text's words are rather Spanish than English. Sure for sentences only."""
    if "¿" in text or "¡" in text:
        return True
    words = _WORD.findall(text[:MAX_CHARACTERS].lower())
    known = lexicon().english
    english = [word in known or word.removesuffix("s") in known for word in words]
    spanish = [word in STOPWORDS["es"] for word in words]
    telling = sum(
        not here and (there or knows(word))
        for word, here, there in zip(words, english, spanish, strict=True)
    )
    against = sum(here and not there for here, there in zip(english, spanish, strict=True))
    return telling > against and telling >= LEAST_SHARE * len(words)


@lru_cache(maxsize=4096)
def english(text: str) -> str:
    """Return Spanish text with each word the lexicon knows in English; other text as it is."""
    text = text[:MAX_CHARACTERS]
    return translated(text) if is_spanish(text) else text


@lru_cache(maxsize=8192)
def translated(text: str) -> str:
    """Return text that is known to be Spanish with the words the lexicon knows in English."""
    return " ".join(_readings(text))


def readings(text: str) -> list[str]:
    """Return each word of a text; a Spanish one as all that it may mean in English, in one string."""
    text = text[:MAX_CHARACTERS]
    return _readings(text) if is_spanish(text) else _TOKEN.findall(text)


def _readings(text: str) -> list[str]:
    parts = []
    for token in _TOKEN.findall(_OPENING.sub("", text[:MAX_CHARACTERS])):
        word = token.lower()
        parts.append(_meaning(word) or token if _LETTERS.fullmatch(word) else token)
    return parts


class GlossedEncoder(Encoder):
    """The same loaded model, with Spanish read in English first: for docs and what is asked of them."""

    def __init__(self, encoder: Encoder) -> None:
        """Share the model and the memo of `encoder`."""
        self._encoder = encoder

    async def load(self) -> None:
        """Load model and lexicon now.

        Raises MisconfiguredError when the model's weights are missing or wrong.
        """
        await asyncio.to_thread(lexicon)
        await self._encoder.load()

    async def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode live texts in order."""
        return await self._encoder.encode([english(text) for text in texts])

    async def encode_batch(
        self,
        texts: Sequence[str],
        progress: Callable[[int, int], None] | None = None,
        batch: int = 16,
    ) -> npt.NDArray[np.float32]:
        """Encode many document texts: float32 [n, 384] in the order given."""
        return await self._encoder.encode_batch([english(text) for text in texts], progress, batch)


lexicon()  # now, so that no turn reads a file
