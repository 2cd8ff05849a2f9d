"""An answer by a model, of which only what the passages carry is kept.

Owns resolving the model's numbers against the passages it was shown, and the check of every sentence against what it
cites before anybody sees it. A sentence without a number that resolves, or that its passages do not support, is
dropped, in the draft too. Not here: what is said without a model (answering.py), the prompt (app/adapters).
"""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.contracts import Context
from core.errors import UnavailableError
from core.outcomes import Turn
from core.ports import Generated, Viewer
from core.turns import Citation, Passage
from handlers._shared.wording import plain

logger = logging.getLogger(__name__)

NOTHING = "UNKNOWN"  # what a model is told to write when the passages do not answer
SUPPORTED = 0.5  # as the grounding check has it
LEAD = 12  # words of a line that only leads in to a list
_MARKER = re.compile(r"\s*\[\d+(?:\s*,\s*\d+)*\]")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_QUOTE = 240


@dataclass(frozen=True, slots=True)
class Written:
    """A model's answer: `text` carries the [n] of `citations`; `trace` counts the sentences that did not hold."""

    text: str
    citations: tuple[Citation, ...]
    sources: tuple[Passage, ...]
    confidence: float
    query: str
    trace: Mapping[str, object]


async def write(
    turn: Turn, context: Context, question: str, viewer: Viewer, longest: int
) -> Written | None:
    """Return a cited answer, or None when the model failed, knew nothing or said nothing that holds."""
    alone = question
    if turn.talk:
        alone = await context.generator.rewrite(turn.tenant, question, turn.talk)
    passages = await context.retriever.search(turn.tenant, alone, (), viewer)
    if not passages:
        return None
    grounds = _Grounds(context, passages)
    live = Citing(passages)

    async def on_part(text: str, numbers: tuple[int, ...]) -> None:
        sentence = live.add(text, numbers) if await grounds.carry(text, numbers) else None
        if sentence and context.preview is not None:
            await context.preview(sentence, tuple(live.citations), live.used)

    try:
        generated = await context.generator.answer(
            turn.tenant, alone, turn.talk, passages, turn.locale, longest, on_part
        )
        return await _held(generated, passages, grounds, longest, alone)
    except UnavailableError:
        logger.info("answer.model_unavailable")
        return None


async def _held(
    generated: Generated,
    passages: Sequence[Passage],
    grounds: "_Grounds",
    longest: int,
    query: str,
) -> Written | None:
    """Return what of the answer holds. Raises UnavailableError when that cannot be judged."""
    if any(plain(text) == plain(NOTHING) for text, _ in generated.parts):
        return None
    citing = Citing(passages)
    kept: list[str] = []
    length = 0
    for text, numbers in generated.parts:
        sentence = citing.add(text, numbers) if await grounds.carry(text, numbers) else None
        if sentence and length + len(sentence) <= longest:
            kept.append(sentence)
            length += len(sentence) + 1
    while kept and kept[-1].endswith(":"):
        kept.pop()
    if not citing.citations or not kept:
        return None
    used = citing.used
    return Written(
        text=_joined(kept),
        citations=tuple(citing.citations),
        sources=used,
        confidence=max(passage.score for passage in used),
        query=query,
        trace={"sentences_dropped": len(generated.parts) - len(kept)},
    )


@dataclass(slots=True)
class _Grounds:
    """Judges each sentence once, by the passages it cites."""

    context: Context
    passages: Sequence[Passage]
    judged: dict[tuple[str, tuple[int, ...]], bool] = field(default_factory=dict)

    async def carry(self, text: str, numbers: tuple[int, ...]) -> bool:
        """Return whether the passages carry the sentence. Raises UnavailableError when it cannot be told."""
        key = text, numbers
        if key not in self.judged:
            bare = _MARKER.sub("", text).strip()
            cited = _known(self.passages, numbers) or (
                self.passages if _leads(bare, numbers) else ()
            )
            texts = [passage.text for passage in cited]
            self.judged[key] = bool(texts) and (
                await self.context.answers.support(bare, texts) >= SUPPORTED
            )
        return self.judged[key]


def _known(passages: Sequence[Passage], numbers: Sequence[int]) -> list[Passage]:
    return [passages[n - 1] for n in numbers if 1 <= n <= len(passages)]


def _leads(sentence: str, numbers: Sequence[int]) -> bool:
    """Return whether a line without a number only leads in to what follows; it states no figure and no place."""
    short = len(sentence.split()) <= LEAD and not re.search(r"\d|[$€£%/@]|\w\.\w", sentence)
    return short and sentence.endswith(":") and not numbers


@dataclass(slots=True)
class Citing:
    """Resolves a model's numbers to citations, numbered in the order they appear."""

    passages: Sequence[Passage]
    citations: list[Citation] = field(default_factory=list)

    @property
    def used(self) -> tuple[Passage, ...]:
        """The passages cited so far."""
        ids = {citation.passage_id for citation in self.citations}
        return tuple(passage for passage in self.passages if passage.id in ids)

    def add(self, text: str, numbers: tuple[int, ...]) -> str | None:
        """Return the sentence with its [n], or None when it may not be said.

        A sentence is said only if a number of its resolves, or if it merely leads in to a list.
        """
        sentence = _MARKER.sub("", text).strip()
        known = _known(self.passages, numbers)
        if not known:
            return sentence if _leads(sentence, numbers) else None
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
