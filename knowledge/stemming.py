"""Words without their endings and accents, from any thread."""

import threading
import unicodedata
from typing import Any

import snowballstemmer


class _Stemmers(threading.local):
    """A thread's own stemmers: one keeps the word it works on in itself, and two threads would mix theirs."""

    def __init__(self) -> None:
        self.by_language: dict[str, Any] = {}


_STEMMERS = _Stemmers()


def stem(word: str, language: str) -> str:
    """Return a lower-case word's stem without accents. `language` is Snowball's name, such as "english"."""
    mine = _STEMMERS.by_language
    if language not in mine:
        mine[language] = snowballstemmer.stemmer(language)
    return unaccented(str(mine[language].stemWord(word)))


def unaccented(word: str) -> str:
    """Return a word without its accents."""
    plain = unicodedata.normalize("NFD", word)
    return "".join(letter for letter in plain if not unicodedata.combining(letter))
