"""What a short message stands for: the choice behind a number, the wish behind a "yes", a zero or a call for a person.

Words and the last question only, so that it works with every model down. Not here: whether a message asks for a
person in words (knowledge/asks_human.py), and what follows (app/thinking.py).
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from core.effects import SetNote
from core.messages import Author, MessageKind, QuickReply, StoredMessage
from core.outcomes import Outcome, Turn
from core.ports import Claim, Lines
from core.proving import RESUME
from core.turns import Decision

ZERO_ASKED = "zero_asked"  # the note: we asked whether a 0 was a number
_EDGES = re.compile(r"^\W+|\W+$")


@dataclass(frozen=True, slots=True)
class Heard:
    """A message as it is meant. `zero`: `ask` whether a 0 is a number, or it is one (`number`)."""

    text: str
    zero: Literal["", "ask", "number"] = ""


def heard(claim: Claim, text: str, lines: Lines) -> Heard:
    """Return what the message stands for; most stand for themselves."""
    memory = claim.conversation.memory
    wish = memory.get(RESUME)
    if isinstance(wish, str) and is_one_of(text, lines.variants("words.yes")):
        return Heard(wish)
    if memory.get(ZERO_ASKED) and is_one_of(text, lines.variants("words.zero")):
        return Heard("0", "number")
    if text.strip() == "0" and not memory.get(ZERO_ASKED) and _asked_how_many(claim, lines):
        return Heard(text, "ask")
    return Heard(_chosen(claim, text))


def settled(claim: Claim, outcome: Outcome) -> Outcome:
    """Return the outcome with the notes of the last short question taken away, unless it asks one itself."""
    fresh = {key for e in outcome.effects if isinstance(e, SetNote) for key in e.values}
    over = {key for key in (RESUME, ZERO_ASKED) if claim.conversation.memory.get(key)} - fresh
    if not over:
        return outcome
    cleared = SetNote(dict.fromkeys(over))
    return replace(outcome, effects=(*outcome.effects, cleared))


def zero_question(turn: Turn, lines: Lines) -> Outcome:
    """Return the question whether the 0 is a number: asked once, never twice in a row."""
    labels = [lines.say(key, turn.locale) for key in ("zero.number", "zero.person")]
    return Outcome(
        lines.say("pipeline.zero_or_person", turn.locale, turn.channel),
        "zero",
        (SetNote({ZERO_ASKED: True}),),
        quick_replies=tuple(QuickReply(label, label) for label in labels),
        decision=Decision("ask_back", reasons=("zero",)),
    )


def last_said(history: Sequence[StoredMessage]) -> StoredMessage | None:
    """Return what we said last, bot or person."""
    said = [
        m for m in history if m.author is not Author.CUSTOMER and m.kind is not MessageKind.NOTE
    ]
    return said[-1] if said else None


def _asked_how_many(claim: Claim, lines: Lines) -> bool:
    """Return whether a number would answer what we said last. A list to choose from begins at 1: its 0 is none."""
    said = last_said(claim.history)
    if said is None or "?" not in said.text or said.quick_replies:
        return False
    asked = f" {_plain(said.text)} "
    words = [w for group in lines.variants("words.how_many").values() for w in group]
    return any(f" {_plain(word)} " in asked for word in words)


def is_one_of(text: str, words: Mapping[str, Sequence[str]]) -> bool:
    """Return whether the whole message is one of the words of any language, accents and case aside."""
    said = _plain(text)
    return bool(said) and any(said == _plain(word) for group in words.values() for word in group)


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
    bare = "".join(char for char in folded if not unicodedata.combining(char))
    return " ".join(_EDGES.sub("", word) for word in bare.split() if _EDGES.sub("", word))


def _chosen(claim: Claim, text: str) -> str:
    """Return the choice a bare number stands for, where choices were shown as a numbered list."""
    if claim.conversation.form is not None or not text.isascii() or not text.isdigit():
        return text
    said = [m for m in claim.history if m.author is not Author.CUSTOMER]
    offered = said[-1].quick_replies if said else ()
    number = int(text[:3])
    return offered[number - 1].value if 1 <= number <= len(offered) else text
