"""Several questions in one message: cut apart, each with what it needs to be understood.

Owns the cutting. Not here: answering them (knowledge/extract.py).
"""

import re

from knowledge.openness import content_words

_ASKS = (
    r"(?:how|what|whats|what's|when|where|which|who|why|can|could|is|are|does|do|did|will|would|may|should"
    r"|c[oó]mo|qu[eé]|cu[aá]ndo|cu[aá]nto|cu[aá]ntos|cu[aá]ntas|d[oó]nde|cu[aá]l|qui[eé]n|se puede|puedo|hay)"
)
_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|\n+")
_JOINED = re.compile(
    rf"\s*[,;]?\s+(?:and|also|plus|y|e|y también)\s+(?:also\s+)?(?={_ASKS}\b)", re.IGNORECASE
)
_OPENS = re.compile(
    rf"^\W*(?:(?:and|also|but|so|ok|hi|hello|hey|hola|y)\W+)*{_ASKS}\b", re.IGNORECASE
)
_LONGEST = 60  # words a context of plain sentences may have before it is left out


def questions(message: str) -> tuple[str, ...]:
    """Return the questions of a message in order; the message itself when it asks only one thing.

    Plain sentences before a question go with it: they say what it is about.
    """
    found: list[str] = []
    context: list[str] = []
    for sentence in (part.strip() for part in _SENTENCE.split(message) if part.strip()):
        asked = _asked(sentence)
        if not asked:
            context.append(sentence)
            continue
        before = " ".join(context)
        asked[0] = (
            f"{before} {asked[0]}" if before and len(before.split()) <= _LONGEST else asked[0]
        )
        context = []
        found.extend(asked)
    whole = [each for each in found if content_words(each)]
    return tuple(whole) if len(whole) > 1 and len(whole) == len(found) else (message,)


def _asked(sentence: str) -> list[str]:
    """Return the questions of one sentence; none when it asks nothing."""
    if not sentence.endswith("?") and not _OPENS.match(sentence):
        return []
    parts = [part.strip(" ,;") for part in _JOINED.split(sentence)]
    first = parts[0] if _OPENS.match(parts[0]) or len(parts) == 1 else None
    if first is None or any(not content_words(part) for part in parts):
        return [sentence]
    return [part if part.endswith("?") else f"{part}?" for part in parts]
