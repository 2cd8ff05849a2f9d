"""How easily a text reads: Flesch's reading ease for English, Fernández-Huerta's for Spanish; one scale.

Owns counting words, sentences and syllables. Not here: what level is wanted (TenantPolicy). Sources: Flesch, "A New
Readability Yardstick" (1948); Fernández Huerta, "Medidas sencillas de lecturabilidad" (1959), with words a sentence
where its print had sentences a hundred words, as G. Law corrected it in 2011.
"""

import re
from dataclasses import dataclass
from typing import Literal

Level = Literal["easy", "plain", "hard"]
# Flesch's own words for his scale: 80 and more is "easy", 60 "standard", what everybody can read at 13 or 14 years.
EASY, PLAIN = 80.0, 60.0
_LEAST_WORDS = 10  # of fewer one long word decides
_MARKUP = re.compile(r"\[\d+\]|`[^`]*`|\b\w{1,20}://\S+|[^\s@]{1,64}@[^\s@]+|[*_#>|~]+")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_END = re.compile(r"[.!?…]+(?=\s|$)|\n+")
_LIST = re.compile(r"^\s*(?:[-•]|\d+[.)])\s+", re.MULTILINE)
_EN_VOWELS = re.compile(r"[aeiouy]+")
_EN_SILENT = re.compile(r"(?:[^aeiouyl]e|[aeiouy]les?|[^aeiouylsxzcgh]es|[^aeiouydt]ed)$")
_ES_UNHEARD = re.compile(r"(?<=[gq])u(?=[eiéí])")
# A Spanish syllable has one strong vowel or a run of weak ones; an accented weak vowel stands by itself.
_ES_VOWELS = re.compile(r"[iuü]?[aeoáéó][iuüy]?(?![aeoáéóíú])|[íú]|[aeoáéó]|[iuüy]+")


@dataclass(frozen=True, slots=True)
class Reading:
    """How a text reads: `ease` from about 0 (a contract) to 100 (a children's book), beyond at both ends."""

    ease: float
    words: int
    sentences: int

    @property
    def level(self) -> Level:
        """What that ease is called."""
        return "easy" if self.ease >= EASY else "plain" if self.ease >= PLAIN else "hard"


def read(text: str, locale: str) -> Reading | None:
    """Return how a text reads; None for fewer than 10 words and for languages without a formula.

    Markers of citations, code, addresses and figures do not count. List items and lines are sentences.
    """
    if locale not in ("en", "es"):
        return None
    plain = _LIST.sub("", _MARKUP.sub(" ", text))
    sentences = [words for part in _END.split(plain) if (words := _WORD.findall(part.lower()))]
    words = [word for sentence in sentences for word in sentence]
    if len(words) < _LEAST_WORDS:
        return None
    per_sentence = len(words) / len(sentences)
    count = _spanish if locale == "es" else _english
    per_word = sum(map(count, words)) / len(words)
    if locale == "es":
        ease = 206.84 - 60.0 * per_word - 1.02 * per_sentence
    else:
        ease = 206.835 - 84.6 * per_word - 1.015 * per_sentence
    return Reading(round(ease, 1), len(words), len(sentences))


def _english(word: str) -> int:
    runs = len(_EN_VOWELS.findall(word))
    return max(1, runs - bool(_EN_SILENT.search(word)))


def _spanish(word: str) -> int:
    return max(1, len(_ES_VOWELS.findall(_ES_UNHEARD.sub("", word))))
