"""Sentences, citation markers and containment: what checks on the way out share."""

import re
import unicodedata
from collections.abc import Iterable, Mapping

from core.messages import Author
from core.outcomes import CheckContext
from core.turns import Passage, Verdict
from guardrails._shared.tables import stands_in_table
from guardrails._shared.trusted import trusted

_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|approx|no|p\.ej|sr|sra|dr|mr|mrs)\.|(?<![\w'’])[A-Z]\.)$",
    re.IGNORECASE,
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
    """Return whether a source says the sentence word for word, or in the cells of a table's row."""
    wanted = flat(sentence)
    bare = MARKER.sub("", sentence)
    return bool(wanted) and any(
        f" {wanted}" in f" {flat(source)}" or stands_in_table(bare, source, flat)
        for source in sources
    )


def passages(context: CheckContext) -> tuple[Passage, ...]:
    """Return the passages the text leans on."""
    return context.sources or (context.outcome.sources if context.outcome else ())


def source_texts(context: CheckContext) -> tuple[str, ...]:
    """Return the passages' texts and the citations' quotes, without lines that give a machine orders."""
    quotes = tuple(c.quote for c in context.outcome.citations) if context.outcome else ()
    return tuple(trusted(text) for text in (*(p.text for p in passages(context)), *quotes))


def is_own(sentence: str, sources: Iterable[str]) -> bool:
    """Return whether the sentence is ours: it says something, and no source says it word for word."""
    return any(char.isalnum() for char in sentence) and not contained(sentence, sources)


def is_bots(context: CheckContext) -> bool:
    """Return whether the text goes out in the bot's name; a person answers for their own words."""
    outcome = context.outcome
    return is_outgoing(context) and (outcome is None or outcome.author is not Author.CSM)


def is_vouched(context: CheckContext) -> bool:
    """Return whether a handler of ours made the text from fixed lines and documents; no model had a word in it."""
    outcome = context.outcome
    return outcome is not None and bool(outcome.handler) and not outcome.generated


def without(check: str, text: str, wrong: Mapping[int, str], score: float = 1.0) -> Verdict:
    """Return the verdict on a text some of whose sentences may not be said: number of the sentence → code.

    Passes without any; rewrites to what is left; blocks when nothing is.
    """
    if not wrong:
        return Verdict(check, "pass")
    reason = ",".join(dict.fromkeys(wrong.values()))
    left = "".join(s for number, s in enumerate(split(text)) if number not in wrong).strip()
    if not any(char.isalnum() for char in left):
        return Verdict(check, "block", score, reason)
    return Verdict(check, "rewrite", score, reason, left)


def is_outgoing(context: CheckContext) -> bool:
    """Return whether the text goes out: then there is an outcome, or sources to judge it by."""
    return context.outcome is not None or bool(context.sources)
