"""Answering from the docs, for the answer handler and for side questions within a form.

Owns the choice between a model's answer and extraction. Not here: what a model may say (generating.py), what is
said when there is no answer (answer.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.contracts import Context
from core.outcomes import Turn
from core.ports import Viewer
from core.turns import Citation, Passage
from handlers._shared.generating import write

LONGEST = 900  # characters of an answer where the channel sets no limit


@dataclass(frozen=True, slots=True)
class Answered:
    """What the docs gave. `action`: answer | ask_back | decline; `text` carries the [n] of `citations`."""

    action: str
    text: str = ""
    citations: tuple[Citation, ...] = ()
    sources: tuple[Passage, ...] = ()
    options: tuple[str, ...] = ()
    confidence: float = 0.0
    reasons: tuple[str, ...] = ()
    query: str = ""
    generated: bool = False
    missing: tuple[str, ...] = ()
    skipped: int = 0
    trace: Mapping[str, object] = field(default_factory=dict)


def viewer_of(turn: Turn) -> Viewer:
    """Return for whom passages are retrieved. No account: no edition, which counts as the lowest."""
    account = turn.contact.account
    return Viewer(account.edition if account else None, turn.locale, now=turn.now)


async def answer_from_docs(turn: Turn, context: Context, question: str) -> Answered:
    """Answer one question: by the model when there is one and nothing speaks against it, else by extraction."""
    viewer = viewer_of(turn)
    if context.generator.enabled and "quote_only" not in turn.limits:
        written = await write(turn, context, question, viewer, context.max_chars or LONGEST)
        if written is not None:
            return Answered(
                action="answer",
                text=written.text,
                citations=written.citations,
                sources=written.sources,
                confidence=written.confidence,
                reasons=("generated",),
                query=written.query,
                generated=True,
                trace=written.trace,
            )
    extract = await context.answers.answer(
        turn.tenant, question, turn.talk, viewer, max_chars=context.max_chars or LONGEST
    )
    return Answered(
        action=extract.action,
        text=extract.text,
        citations=extract.citations,
        sources=extract.passages,
        options=extract.options,
        confidence=extract.confidence,
        reasons=extract.reasons,
        query=extract.query,
        missing=extract.missing,
        skipped=extract.skipped,
    )
