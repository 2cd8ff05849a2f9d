"""What is searched for: the last turn, and what it leans on in earlier ones.

Owns how a talk becomes weighted texts, and the cutting of long messages into sentences. Knows no
index and no encoder.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.understanding import Said
from knowledge.lexical import terms

LONG_WORDS = 60  # a message beyond this is a story: its sentences are searched one by one as well
MAX_CLAUSES = 40
MAX_BOT_CHARACTERS = 300

_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|\n+")
_WORD = re.compile(r"\w+")
_LEANING = re.compile(
    r"^\W*(and|or|but|so|then|also|what about|how about|what if|same|why|ok|okay|y|pero|entonces"
    r"|también|qué tal)\b"
    r"|\b(it|its|they|them|their|that|this|these|those|there|one|ones|he|she|him|her|same|instead"
    r"|else|another|either|both|eso|esto|ese|esa|ellos|ellas|allí|ahí|mismo|misma)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Query:
    """A search. `dense` and `lexical` are (weight, text); `clauses` the sentences of a long message.

    `last` is the customer's last turn, `leans` whether it cannot be understood alone, `subject` the
    earlier turn it leans on ("" when there is none).
    """

    last: str
    subject: str
    leans: bool
    dense: tuple[tuple[float, str], ...]
    lexical: tuple[tuple[float, str], ...]
    clauses: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The search in words, as a trace shows it."""
        return f"{self.subject} {self.last}".strip() if self.leans else self.last


def build(question: str, talk: Sequence[Said]) -> Query:
    """Return the search for a question; `talk` is what was said before it, oldest first.

    The weights were measured on MTRAG's development half (docs/decisions/0003-fusion.md): the last
    two customer turns together beat the last alone, and a little of what was said before helps.
    """
    earlier = [said.text.strip() for said in talk if said.role == "customer" and said.text.strip()]
    question = question.strip()
    if earlier and earlier[-1] == question:
        earlier.pop()
    clauses = _clauses(question) if is_long(question) else ()
    if not earlier or is_long(question):
        alone = ((1.0, question),)
        return Query(question, "", leans=False, dense=alone, lexical=alone, clauses=clauses)
    before = earlier[-1]
    bot = next((said.text for said in reversed(talk) if said.role != "customer"), "")
    dense = [(0.5, question), (0.5, f"{before} {question}")]
    lexical = [(1.0, question), (0.5, before)]
    if len(earlier) > 1:
        lexical.append((0.15, " ".join(earlier[-3:-1])))
    if bot:
        dense.append((0.15, bot))
        lexical.append((0.075, bot[:MAX_BOT_CHARACTERS]))
    return Query(
        question,
        before,
        leans=is_leaning(question),
        dense=tuple(dense),
        lexical=tuple(lexical),
    )


def is_leaning(text: str) -> bool:
    """Tell whether a message needs an earlier one: a pronoun, a connective, or hardly any content."""
    return bool(_LEANING.search(text)) or len(set(terms(text))) <= 2


def _clauses(text: str) -> tuple[str, ...]:
    parts = [part.strip() for part in _SENTENCE.split(text)]
    whole = [part for part in parts if len(_WORD.findall(part)) >= 3]
    clauses = tuple(dict.fromkeys(whole))[:MAX_CLAUSES]
    return clauses if len(clauses) > 1 else ()


def is_long(text: str) -> bool:
    """Tell whether a message is a story rather than a question."""
    return len(text.split()) > LONG_WORDS
