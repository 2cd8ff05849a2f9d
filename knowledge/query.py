"""What is searched for: the last turn, and what it leans on in earlier ones.

Owns how a talk becomes weighted texts: what is leant on, what is corrected, where the subject
changes; and the cutting of long messages into spans. Knows no index and no encoder.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.understanding import Said
from knowledge.courtesy import matter
from knowledge.lexical import STORY_WORDS, terms

SPAN_WORDS = 30  # a story is searched span by span as well: sentences together up to so many words
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
_CHANGE = re.compile(
    r"\b(by the way|btw|something else|unrelated|(?:another|one more|different|new) (?:question|topic"
    r"|thing|matter|issue)|on another note|next question|por cierto|otra (?:cosa|pregunta|duda)"
    r"|otro (?:tema|asunto)|cambiando de tema)\b",
    re.IGNORECASE,
)
_CORRECTION = re.compile(
    r"^\W*(?:no|not|nope|wait|actually|perdón|espera|en realidad)\b|\b(?:i (?:meant|mean)|i was asking"
    r"|i'?m (?:talking|asking) about|that'?s not what|me refer\w+|quise decir|quería decir)\b",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"\b(?:not|no|instead of|rather than|en vez de|en lugar de)\s+(?:the |a |an |el |la |los |las )?"
    r"([\w-]{3,})",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Query:
    """A search. `dense` and `lexical` are (weight, text); `clauses` the spans of a long message.

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
    earlier = [matter(said.text.strip()) for said in talk if said.role == "customer"]
    earlier = [text for text in earlier if text]
    question = question.strip()
    if earlier and earlier[-1] == question:
        earlier.pop()
    if is_long(question):
        return _story(question)
    if not earlier or _CHANGE.search(question):
        alone = ((1.0, question),)
        return Query(question, "", leans=False, dense=alone, lexical=alone)
    bot = next((said.text for said in reversed(talk) if said.role != "customer"), "")
    before, further = earlier[-1], " ".join(earlier[-3:-1])
    wanted = question
    if _CORRECTION.search(question):
        # What was answered is not what was meant, nor are words that are now denied.
        denied = _denied(question, f"{before} {bot}")
        wanted, before, bot = _without(question, denied), _without(before, denied), ""
    dense = [(0.5, wanted), (0.5, f"{before} {wanted}")]
    lexical = [(1.0, wanted), (0.5, before)]
    if further:
        lexical.append((0.15, further))
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


def _denied(correction: str, said: str) -> frozenset[str]:
    """Return the words after "not" that were spoken of before: "webhooks, not Zapier"."""
    known = set(_WORD.findall(said.lower()))
    return frozenset(word for word in _NOT.findall(correction.lower()) if word in known)


def _without(text: str, words: frozenset[str]) -> str:
    if not words:
        return text
    pattern = "|".join(map(re.escape, sorted(words)))
    return re.sub(rf"\b(?:{pattern})\b", " ", text, flags=re.IGNORECASE).strip() or text


def _story(question: str) -> Query:
    """Return the search for a long message: it stands alone, and means the mean of its spans."""
    spans = _spans(question)
    dense = tuple((1 / len(spans), span) for span in spans) or ((1.0, question),)
    return Query(question, "", leans=False, dense=dense, lexical=((1.0, question),), clauses=spans)


def is_leaning(text: str) -> bool:
    """Tell whether a message needs an earlier one: a pronoun, a connective, or hardly any content."""
    return bool(_LEANING.search(text)) or len(set(terms(text))) <= 2


def _spans(text: str) -> tuple[str, ...]:
    """Return neighbouring sentences joined up to `SPAN_WORDS` words; a longer one stands alone."""
    parts = [part.strip() for part in _SENTENCE.split(text)]
    spans: list[str] = []
    room = 0
    for part in dict.fromkeys(part for part in parts if len(_WORD.findall(part)) >= 3):
        words = len(part.split())
        if spans and words <= room:
            spans[-1] = f"{spans[-1]} {part}"
            room -= words
        elif len(spans) == MAX_CLAUSES:
            break
        else:
            spans.append(part)
            room = SPAN_WORDS - words
    return tuple(spans) if len(spans) > 1 else ()


def is_long(text: str) -> bool:
    """Tell whether a message is a story rather than a question."""
    return len(text.split()) > STORY_WORDS
