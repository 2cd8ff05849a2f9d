"""Sentences, citation markers and containment: what checks on the way out share."""

import re
import unicodedata
from collections.abc import Iterable

from core.outcomes import CheckContext
from core.turns import Passage

_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|approx|no|p\.ej|sr|sra|dr|mr|mrs)\.|\b[A-Z]\.)$", re.IGNORECASE
)
_END = re.compile(r"[.!?…]+[\"')\]]*(?:\s*\[\d+\])*(?=\s|$)|\n+")
MARKER = re.compile(r"\[(\d{1,3})\]")


def split(text: str) -> list[str]:
    """Return the sentences with their trailing spaces; joined they are the text again."""
    found, start = [], 0
    for match in _END.finditer(text):
        if _ABBREVIATION.search(text[start : match.start() + 1]) and "\n" not in match[0]:
            continue
        end = match.end()
        while end < len(text) and text[end].isspace():
            end += 1
        if end > start:
            found.append(text[start:end])
            start = end
    if start < len(text):
        found.append(text[start:])
    return found


def markers(sentence: str) -> tuple[int, ...]:
    """Return the numbers of the citation markers in a sentence."""
    return tuple(int(match[1]) for match in MARKER.finditer(sentence))


def flat(text: str) -> str:
    """Return lower-case words without accents, markers and marks, for comparing."""
    bare = unicodedata.normalize("NFKD", MARKER.sub(" ", text).replace("’", "'"))
    bare = "".join(char for char in bare if not unicodedata.combining(char))
    return " ".join(re.sub(r"[^\w%€$£.,']+", " ", bare.lower()).split()).strip(" .,")


def contained(sentence: str, sources: Iterable[str]) -> bool:
    """Return whether a source says the sentence word for word."""
    wanted = flat(sentence)
    return bool(wanted) and any(f" {wanted}" in f" {flat(source)}" for source in sources)


def passages(context: CheckContext) -> tuple[Passage, ...]:
    """Return the passages the text leans on."""
    return context.sources or (context.outcome.sources if context.outcome else ())


def source_texts(context: CheckContext) -> tuple[str, ...]:
    """Return the passages' texts and the citations' quotes."""
    quotes = tuple(c.quote for c in context.outcome.citations) if context.outcome else ()
    return tuple(passage.text for passage in passages(context)) + quotes


def is_outgoing(context: CheckContext) -> bool:
    """Return whether the text goes out: then there is an outcome, or sources to judge it by."""
    return context.outcome is not None or bool(context.sources)
