"""Recognise the few fixed words handlers listen for: yes, no, a number, a way out.

Owns normalising and matching against the lists of the catalogue, in all their languages at once (a
one-word reply says little about its language). Not here: intents (the encoder) or a wish for a person
(the pipeline hears that before any handler).
"""

import re
import unicodedata
from collections.abc import Sequence

from core.ports import Lines

SHORT = 8
_AGREEING = 5  # words
_ALSO_BEGINS_REQUESTS = frozenset({"please", "por favor", "great", "bien"})
_FILLERS = frozenset({"the", "one", "option", "number", "please", "el", "la", "opcion"})
_NOT_WORD = re.compile(r"[^\w'@.:+/👍🙏-]+")
_NUMBER = re.compile(r"(?:[^\W\d_]{2,8} )?#?(\d{1,2})[.)]?")
_EDGES = " .:,;!?'-/"


def plain(text: str) -> str:
    """Return lower case, no accents, single spaces, no punctuation around words."""
    folded = unicodedata.normalize("NFKD", text.lower().replace("’", "'"))
    bare = "".join(char for char in folded if not unicodedata.combining(char))
    words = (word.strip(_EDGES) for word in _NOT_WORD.sub(" ", bare).split())
    return " ".join(word for word in words if word)


def words_of(lines: Lines, key: str) -> frozenset[str]:
    """Return the list of a key in every language, normalised."""
    return frozenset(plain(word) for words in lines.variants(key).values() for word in words)


def is_said(text: str, lines: Lines, key: str) -> bool:
    """Return whether the whole message is one of the words."""
    return plain(text) in words_of(lines, key)


def opens_with(text: str, lines: Lines, key: str) -> bool:
    """Return whether a short message is, or begins with, one of the words."""
    said = plain(text)
    if len(said.split()) > SHORT:
        return False
    return any(said == word or said.startswith(word + " ") for word in words_of(lines, key))


def agrees(text: str, lines: Lines) -> bool:
    """Return whether a short message says yes and asks nothing ("yes", "ok, do that"; not "ok, and how?")."""
    said = plain(text)
    yes = words_of(lines, "words.yes")
    if said in yes:
        return True
    words = said.split()
    if len(words) > _AGREEING or "?" in text or words_of(lines, "words.asking") & set(words):
        return False
    return any(said.startswith(word + " ") for word in yes - _ALSO_BEGINS_REQUESTS)


def declines(text: str, lines: Lines) -> bool:
    """Return whether a short message says no."""
    said = plain(text)
    no = words_of(lines, "words.no")
    return said in no or (len(said.split()) <= _AGREEING and said.split()[:1] == ["no"])


def contains(text: str, lines: Lines, key: str) -> bool:
    """Return whether one of the words stands anywhere in the message, as whole words."""
    said = f" {plain(text)} "
    return any(f" {word} " in said for word in words_of(lines, key))


def without_opening(text: str, lines: Lines, key: str) -> str | None:
    """Return what follows the longest opening phrase of the list, in the customer's spelling; None if none opens."""
    for phrase in sorted(words_of(lines, key), key=len, reverse=True):
        for start in range(len(text), -1, -1):
            head = plain(text[:start])
            if head == phrase and (start == len(text) or not text[start].isalnum()):
                return text[start:].strip(_EDGES)
            if len(head) < len(phrase):
                break
    return None


def bare_number(text: str) -> int | None:
    """Return the number of a reply that is only a number ("2", "#2", "option 2", "2)")."""
    match = _NUMBER.fullmatch(text.strip().lower())
    return int(match[1]) if match else None


def number_in(text: str, most: int) -> int | None:
    """Return the number of a reply that is only a number in [1, most]; 0 never counts."""
    number = bare_number(text)
    return number if number is not None and 1 <= number <= most else None


def ordinal_in(text: str, lines: Lines, most: int) -> int | None:
    """Return the place a short reply names ("the second one", "la segunda", "the last"), from 1."""
    said = plain(text).split()
    if len(said) > SHORT:
        return None
    for key in ("words.ordinals", "words.ordinals_short"):
        for names in lines.variants(key).values():
            place = _place(said, names)
            if place is not None and place <= most:
                return place
    if most and contains(text, lines, "words.last"):
        return most
    return None


def is_only_ordinal(text: str, lines: Lines) -> bool:
    """Return whether a reply is an ordinal and nothing else ("3rd", "the 3rd one"), though it looks like a date."""
    named = {
        plain(name)
        for key in ("words.ordinals", "words.ordinals_short")
        for names in lines.variants(key).values()
        for name in names
    }
    said = set(plain(text).split())
    return bool(said & named) and said <= named | _FILLERS


def _place(said: Sequence[str], names: Sequence[str]) -> int | None:
    for place, name in enumerate(names, start=1):
        if plain(name) in said:
            return place
    return None


def is_question(text: str, lines: Lines) -> bool:
    """Return whether the message asks something: a question mark, or it begins like a question."""
    return "?" in text or opens_with_any_length(text, lines, "words.question_starts")


def opens_with_any_length(text: str, lines: Lines, key: str) -> bool:
    """Return whether the message begins with one of the words, however long it is."""
    said = plain(text) + " "
    return any(said.startswith(word + " ") for word in words_of(lines, key))
