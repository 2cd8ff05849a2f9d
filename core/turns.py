"""What a handler is given and gives back: passages, citations, verdicts, outcomes."""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from core.ids import DocumentId, PassageId


@dataclass(frozen=True, slots=True)
class Passage:
    """Retrieved text with where it stands. `document` is the path or URL as ingested, relative to its source.

    `section` is the heading path joined by " › "; `anchor` the slug for deep links; `score` is comparable
    within one search only, in [0, 1].
    """

    id: PassageId
    document_id: DocumentId
    document: str
    title: str
    section: str
    text: str
    score: float = 0.0
    url: str | None = None
    anchor: str | None = None
    locale: str = "en"
    editions: tuple[str, ...] = ()
    internal: bool = False
    valid_from: date | None = None
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """A pointer in a reply, resolved by the server. `number` is what stands in the text as [n]."""

    number: int
    passage_id: PassageId
    document: str
    title: str
    section: str
    quote: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one check says: pass, rewrite (with `text`) or block. `score` in [0, 1]; `reason` is a code.

    `limits` names privileges this turn loses (`no_tools`, `no_memory`, `quote_only`).
    """

    check: str
    verdict: Literal["pass", "rewrite", "block"]
    score: float = 0.0
    reason: str = ""
    text: str | None = None
    direction: Literal["in", "out"] = "in"
    limits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """Why a turn ended as it did. `action`: answer|ask_back|decline|handoff or a handler's name."""

    action: str
    confidence: float = 0.0
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One timed step of a turn, in milliseconds."""

    name: str
    milliseconds: float
    facts: dict[str, object] = field(default_factory=dict)
