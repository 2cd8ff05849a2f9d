"""What form of answer a question asks for: steps, a list, a comparison, yes or no.

Owns patterns in English and Spanish. A hint for which of the docs' own words are said and how,
never a condition for answering. Not here: the kind of thing asked for (knowledge/expects.py).
"""

import re
from dataclasses import dataclass

from knowledge.lexical import terms

_STEPS = re.compile(
    r"\b(?:how (?:do|can|would|should|could) (?:i|we|you|one|an?|the|my|our)\b|how to\b|steps? (?:to|for)\b"
    r"|walk me through|c[oó]mo (?!es\b|est[aá]\b|son\b)\w+|pasos para)"
    r"|^\W*(?:please\s+)?(?:set up|connect|create|add|invite|export|import|restore|install)"
    r"\s+(?:an?|the|my|our|\w+ please)\b",
    re.IGNORECASE,
)
_LIST = re.compile(
    r"^\W*(?:(?:hi|hello|hey|hola|ok|so|and)\W+)*"
    r"(?:(?:which|what(?: are(?: all)?(?: the| your)?| kinds? of| types? of)?|list(?: of)?(?: all)?(?: the| your)?"
    r"|name(?: all)? the|qu[eé]|cu[aá]les son(?: las| los)?)\s+)"
    r"(?P<noun>(?:[\w-]+\s+){0,2}?[\w-]{2,}[^\Wsu]s)\b"
    r"(?P<rest>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_LIST_REST = re.compile(
    r"^\W*$|^\s+(?:are|is|do|does|can|could|have|has|come|comes|will|may|exist|available|supported"
    r"|there|hay|tiene[ns]?|puedo|se|son|existen|ofrec\w+)\b",
    re.IGNORECASE,
)
_YES = re.compile(
    r"(?:^|[.,;!?]\s*|\b(?:and|but|or|hi|hello|hey|hola|ok)\s+)"
    r"(?:can|could|is|are|does|do|did|will|would|has|have|may|am|was|were"
    r"|se puede|puedo|podemos|hay|tienen?|es|est[aá])\b",
    re.IGNORECASE,
)
_NAME = r"(?:the |an? |el |la |los |las |un |una )?([\w][\w.&/-]*(?: (?!on |for |in |with )[\w][\w.&/-]*){0,2}?)"
_COMPARED = (
    re.compile(
        rf"\b(?:differences?|diferencias?) (?:between|entre) {_NAME} (?:and|y|e) {_NAME}"
        r"\s*(?:plans?|roles?)?\s*(?:[?.,!]|$)",
        re.I,
    ),
    re.compile(rf"\bcompare {_NAME} (?:and|with|to|against) {_NAME}\s*(?:[?.,!]|$)", re.I),
    re.compile(
        rf"\bcompare\s+(?:[\w ]+?\s+)(?:on|for|in|between) {_NAME} (?:and|with) {_NAME}\s*(?:[?.,!]|$)",
        re.I,
    ),
    re.compile(
        rf"(?:^|\b(?:on|for|in|between|is|are) ){_NAME} (?:vs\.?|versus) {_NAME}(?:\s*[?.,!]|$)",
        re.I,
    ),
    re.compile(
        rf"\bhow (?:do|does|are|is) {_NAME} (?:and|from) {_NAME} (?:differ|different|compare)", re.I
    ),
)
_CONTENTS = (
    re.compile(
        rf"\bwhat (?:else )?(?:does|do|would|will|can) {_NAME} (?:plan |edition |role )?"
        r"(?:add|include|offer|contain|have|give|provide|come with|bring)\b",
        re.I,
    ),
    re.compile(
        rf"\bwhat(?:'s| is| do (?:i|we|you) (?:get|have)| comes?)(?: included| new)? (?:in|with|on|from) {_NAME}"
        r"(?: plan| edition)?\s*(?:[?.,!]|$)",
        re.I,
    ),
    re.compile(rf"\bqu[eé] (?:incluye|ofrece|tiene|a[nñ]ade) {_NAME}\s*(?:[?.,!]|$)", re.I),
)


@dataclass(frozen=True, slots=True)
class Ask:
    """The form of answer asked for.

    `listed`: terms of the things to be listed; `compared`: two names; `contents`: the name of what
    is to be described.
    """

    steps: bool = False
    yes_no: bool = False
    listed: tuple[str, ...] = ()
    compared: tuple[str, str] | None = None
    contents: str = ""


def read_ask(question: str) -> Ask:
    """Return the form of answer a question asks for."""
    return Ask(
        steps=bool(_STEPS.search(question)),
        yes_no=bool(_YES.search(question)),
        listed=_listed(question),
        compared=_compared(question),
        contents=_contents(question),
    )


def _listed(question: str) -> tuple[str, ...]:
    found = _LIST.match(question.strip())
    if found is None or not _LIST_REST.match(found["rest"]):
        return ()
    return tuple(terms(found["noun"]))


def _compared(question: str) -> tuple[str, str] | None:
    for pattern in _COMPARED:
        found = pattern.search(question)
        if found is not None:
            one, other = (" ".join(part.split()).lower() for part in found.groups())
            if one and other and one != other:
                return one, other
    return None


def _contents(question: str) -> str:
    for pattern in _CONTENTS:
        found = pattern.search(question)
        if found is not None:
            return " ".join(found[1].split()).lower()
    return ""
