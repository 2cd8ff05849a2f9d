"""Answering from the docs, for the answer handler and for side questions within a form.

Owns: generated answers whose numbers are resolved here against the passages that were shown to the model
(an unresolved sentence is dropped, unseen by the customer), and the fall to extraction. Not here: what is
said when there is no answer (answer.py), grounding (guardrails).
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.contracts import Context
from core.errors import UnavailableError
from core.outcomes import Turn
from core.ports import Generated, Viewer
from core.turns import Citation, Passage
from handlers._shared.wording import plain

logger = logging.getLogger(__name__)

LONGEST = 900  # characters of an answer where the channel sets no limit
NOTHING = "UNKNOWN"  # what a model is told to write when the passages do not answer
_MARKER = re.compile(r"\s*\[\d+(?:\s*,\s*\d+)*\]")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_QUOTE = 240


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
    model: str | None = None


def viewer_of(turn: Turn) -> Viewer:
    """Return for whom passages are retrieved. No account: no edition, which counts as the lowest."""
    account = turn.contact.account
    return Viewer(edition=account.edition if account else None, locale=turn.locale)


async def answer_from_docs(turn: Turn, context: Context, question: str) -> Answered:
    """Answer one question: by the model when there is one and nothing speaks against it, else by extraction."""
    viewer = viewer_of(turn)
    if context.generator.enabled and "quote_only" not in turn.limits:
        written = await _generate(turn, context, question, viewer)
        if written is not None:
            return written
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
    )


async def _generate(turn: Turn, context: Context, question: str, viewer: Viewer) -> Answered | None:
    """Return a cited answer, or None when the model failed, knew nothing or cited nothing that exists."""
    alone = question
    if turn.talk:
        alone = await context.generator.rewrite(question, turn.talk)
    passages = await context.retriever.search(turn.tenant, alone, (), viewer)
    if not passages:
        return None
    most = context.max_chars or LONGEST
    live = Citing(passages)

    async def on_part(text: str, numbers: tuple[int, ...]) -> None:
        sentence = live.add(text, numbers)
        if sentence and context.preview is not None:
            await context.preview(sentence)

    try:
        generated = await context.generator.answer(
            alone, turn.talk, passages, turn.locale, most, on_part
        )
    except UnavailableError:
        logger.info("answer.model_unavailable")
        return None
    return _cited(generated, passages, most, alone)


def _cited(
    generated: Generated, passages: Sequence[Passage], most: int, query: str
) -> Answered | None:
    if any(plain(text) == plain(NOTHING) for text, _ in generated.parts):
        return None
    citing = Citing(passages)
    written: list[str] = []
    length = 0
    for text, numbers in generated.parts:
        sentence = citing.add(text, numbers)
        if sentence and length + len(sentence) <= most:
            written.append(sentence)
            length += len(sentence) + 1
    if not citing.citations or not written:
        return None
    used = frozenset(citation.passage_id for citation in citing.citations)
    return Answered(
        action="answer",
        text=_joined(written),
        citations=tuple(citing.citations),
        sources=tuple(passage for passage in passages if passage.id in used),
        confidence=max(passage.score for passage in passages if passage.id in used),
        reasons=("generated",),
        query=query,
        generated=True,
        model=generated.model,
    )


@dataclass(slots=True)
class Citing:
    """Resolves a model's numbers to citations, numbered in the order they appear."""

    passages: Sequence[Passage]
    citations: list[Citation] = field(default_factory=list)

    def add(self, text: str, numbers: tuple[int, ...]) -> str | None:
        """Return the sentence with its [n], or None when it may not be said.

        A sentence is said only if a number of its resolves, or if it merely leads in to a list.
        """
        sentence = _MARKER.sub("", text).strip()
        known = [self.passages[n - 1] for n in numbers if 1 <= n <= len(self.passages)]
        if not known:
            return sentence if sentence.endswith(":") and not numbers else None
        marks = "".join(f"[{self._number(passage, sentence)}]" for passage in dict.fromkeys(known))
        return f"{sentence} {marks}" if sentence else None

    def _number(self, passage: Passage, sentence: str) -> int:
        for citation in self.citations:
            if citation.passage_id == passage.id:
                return citation.number
        number = len(self.citations) + 1
        self.citations.append(
            Citation(
                number=number,
                passage_id=passage.id,
                document=passage.document,
                title=passage.title,
                section=passage.section,
                quote=_quote(passage.text, sentence),
                url=passage.url,
            )
        )
        return number


def _quote(passage: str, sentence: str) -> str:
    """Return the passage's sentence that shares most words with the claim."""
    claim = set(plain(sentence).split())
    sentences = [s.strip() for s in _SENTENCE.split(passage) if s.strip()] or [passage]
    best = max(sentences, key=lambda s: len(claim & set(plain(s).split())))
    return best[:_QUOTE]


def _joined(sentences: Sequence[str]) -> str:
    """Join sentences; list items and what follows a lead stand on lines of their own."""
    text = ""
    for sentence in sentences:
        fresh = sentence.startswith(("-", "*", "•")) or re.match(r"\d+[.)] ", sentence) is not None
        gap = "\n" if fresh or text.endswith(":") else " "
        text = f"{text}{gap}{sentence}" if text else sentence
    return text
