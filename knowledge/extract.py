"""Answers without a language model: the docs' own sentences, chosen, ordered and cited.

Owns the way from a message to an answer: several questions one after the other, evidence, decision,
words. Not here: what is said when there is no answer (handlers/lines).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.ids import TenantId
from core.ports import Extract, Viewer
from core.turns import Citation
from core.understanding import Said
from knowledge import several
from knowledge.comparing import find_named, is_about_names
from knowledge.composing import Part, compose, named_parts, parts
from knowledge.decision import Decided, decide
from knowledge.encoder import Encoder
from knowledge.evidence import SEARCHED_PASSAGES, UnitVectors, gather, nearest
from knowledge.listing import page_parts
from knowledge.openness import points_back
from knowledge.retriever import Found, HybridRetriever
from knowledge.support import support

MOST_QUESTIONS = 3  # of one message; the customer is told of the rest
WIDER = 120  # passages looked through for a table or list of what was asked for by name
STRUCTURED = 0.8  # how often such a table or list was the answer, on our own questions


@dataclass(frozen=True, slots=True)
class _Seen:
    """One question with what speaks for an answer and, unless it is declined, what is said."""

    question: str
    found: Found
    decided: Decided
    said: tuple[Part, ...] = ()


class ExtractiveAnswers:
    """Implements core.ports.Answers."""

    def __init__(self, retriever: HybridRetriever, encoder: Encoder) -> None:
        self._retriever = retriever
        self._encoder = encoder
        self._vectors = UnitVectors(encoder)

    async def answer(
        self,
        tenant: TenantId,
        question: str,
        talk: Sequence[Said],
        viewer: Viewer,
        k: int = 8,
        max_chars: int = 900,
    ) -> Extract:
        """Return the sentences that best answer, with citations, or say that they do not exist.

        Every line of the text ends with the marker of the passage it is from. Of several questions
        the first three are answered one after the other; `missing` names those without an answer,
        `skipped` counts the rest.
        """
        asked = several.questions(question)
        if len(asked) > 1:
            joined = await self._several(tenant, asked, talk, viewer, k, max_chars)
            if joined is not None:
                return joined
        return await self._one(tenant, question, talk, viewer, k, max_chars)

    async def support(self, text: str, sources: Sequence[str]) -> float:
        """Return in [0, 1] how far the sources support the text."""
        return await support(self._encoder, text, sources)

    async def _one(
        self,
        tenant: TenantId,
        question: str,
        talk: Sequence[Said],
        viewer: Viewer,
        k: int,
        max_chars: int,
    ) -> Extract:
        seen = await self._look(tenant, question, talk, viewer, k)
        return _extract(seen, *compose(seen.found, seen.said, max_chars))

    async def _several(
        self,
        tenant: TenantId,
        asked: Sequence[str],
        talk: Sequence[Said],
        viewer: Viewer,
        k: int,
        max_chars: int,
    ) -> Extract | None:
        """Return the answers one after the other; None when none of the questions can be answered."""
        taken = asked[:MOST_QUESTIONS]
        looked: list[_Seen] = []
        before = list(talk)
        for question in taken:
            context = before if points_back(question) else talk
            looked.append(await self._look(tenant, question, context, viewer, k))
            before.append(Said("customer", question))
        answered = [each for each in looked if each.decided.action == "answer"]
        if not answered:
            return None
        room = max_chars // len(answered)
        texts: list[str] = []
        citations: list[Citation] = []
        for each in answered:
            text, cited = compose(each.found, each.said, room, len(citations) + 1)
            if text and text not in texts:
                texts.append(text)
                citations.extend(cited)
        passages = {p.id: p for each in answered for p in each.found.passages}
        return replace(
            _extract(answered[0], "\n\n".join(texts), tuple(citations)),
            passages=tuple(passages.values()),
            confidence=min(each.decided.confidence for each in answered),
            reasons=(*answered[0].decided.reasons, "several_questions"),
            query=" | ".join(each.found.query.text for each in looked),
            missing=tuple(each.question for each in looked if each.decided.action != "answer"),
            skipped=len(asked) - len(taken),
        )

    async def _look(
        self, tenant: TenantId, question: str, talk: Sequence[Said], viewer: Viewer, k: int
    ) -> _Seen:
        searched = await self._retriever.look(
            tenant, question, talk, viewer, max(k, SEARCHED_PASSAGES)
        )
        found = nearest(searched)
        evidence = await gather(self._vectors, found, talk)
        decided = decide(found, evidence)
        ask = evidence.ask
        if is_about_names(ask) or (ask.listed and decided.action != "answer"):
            wider = await self._retriever.look(tenant, found.query.last, (), viewer, WIDER)
            passages = sorted(wider.passages, key=lambda each: -each.score)
            structured = named_parts(find_named(found.query.last, ask, passages))
            structured = structured or page_parts(ask, passages)
            if structured:
                sure = Decided("answer", max(decided.confidence, STRUCTURED), ("asked_by_name",))
                return _Seen(question, found, sure, tuple(structured))
        chosen = parts(found, evidence) if decided.action != "decline" else ()
        said = _in_one_language(chosen, viewer.locale)
        return _Seen(question, found, decided, tuple(said))


def _in_one_language(said: Sequence[Part], locale: str | None) -> Sequence[Part]:
    """Return the parts in the customer's language where there are any; else all, which are announced."""
    own = [each for each in said if locale and each.passage.locale[:2] == locale[:2]]
    return own or said


def _extract(seen: _Seen, text: str, citations: tuple[Citation, ...]) -> Extract:
    passages = {each.passage.id: each.passage for each in seen.said}
    passages |= {each.id: each for each in seen.found.passages}
    degraded = ("words_only",) if seen.found.degraded else ()
    return Extract(
        action=seen.decided.action,
        text=text,
        citations=citations,
        passages=tuple(passages.values()),
        confidence=seen.decided.confidence,
        reasons=(*seen.decided.reasons, *degraded),
        options=seen.decided.options,
        query=seen.found.query.text,
    )
