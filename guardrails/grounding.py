"""Out: what is claimed must stand in what is cited.

Owns dropping sentences whose marker resolves to nothing or whose claim no source supports; blocks when nothing is
left. Not here: how support is measured (the Answers port) or how answers are made.
"""

import asyncio
import re
from collections.abc import Sequence

from core.contracts import CheckPorts, CheckSpec
from core.outcomes import CheckContext, Outcome
from core.turns import Verdict
from guardrails._shared.sentences import MARKER, contained, markers, passages, split
from guardrails._shared.trusted import trusted

MIN_SUPPORT = 0.5
_FEWEST_WORDS = 4


async def run(text: str, context: CheckContext, ports: CheckPorts) -> Verdict:
    """Return how far the sources support the text as score; rewrite without the unsupported sentences."""
    outcome = context.outcome
    if outcome is None:
        return await _judged(text, context, ports)
    if not outcome.generated and not outcome.citations:
        return Verdict("grounding", "pass", 1.0, "nothing_claimed")
    judged = await asyncio.gather(*[_sentence(s, outcome, context, ports) for s in split(text)])
    kept = [sentence for sentence, _, reason in judged if not reason]
    reasons = tuple(dict.fromkeys(reason for _, _, reason in judged if reason))
    score = min((support for _, support, _ in judged), default=1.0)
    if not reasons:
        return Verdict("grounding", "pass", score)
    # A greeting or a question left over is no answer: something that was checked must remain.
    left = [s for s, support, reason in judged if not reason and (markers(s) or _is_claim(s))]
    if not left:
        return Verdict("grounding", "block", score, ",".join(reasons))
    return Verdict("grounding", "rewrite", score, ",".join(reasons), "".join(kept).strip())


async def _judged(text: str, context: CheckContext, ports: CheckPorts) -> Verdict:
    """Judge a text without an outcome (POST /check) by the sources given."""
    texts = [passage.text for passage in context.sources]
    if not texts:
        return Verdict("grounding", "pass", 1.0, "no_sources")
    score = await _support(text, texts, ports)
    return Verdict(
        "grounding",
        "pass" if score >= MIN_SUPPORT else "block",
        score,
        "" if score >= MIN_SUPPORT else "unsupported",
    )


async def _sentence(
    sentence: str, outcome: Outcome, context: CheckContext, ports: CheckPorts
) -> tuple[str, float, str]:
    """Return the sentence, how far it is supported, and why it may not stay (or "")."""
    numbers = markers(sentence)
    known = {citation.number for citation in outcome.citations}
    if any(number not in known for number in numbers):
        return sentence, 0.0, "unresolved_citation"
    if not numbers and not (outcome.generated and _is_claim(sentence)):
        return sentence, 1.0, ""
    if not numbers and sentence.strip() in outcome.fixed:
        return sentence, 1.0, ""
    sources = _cited(numbers, outcome, context) or [trusted(p.text) for p in passages(context)]
    support = await _support(MARKER.sub("", sentence).strip(), sources, ports)
    return sentence, support, "" if support >= MIN_SUPPORT else "unsupported"


def _cited(numbers: Sequence[int], outcome: Outcome, context: CheckContext) -> list[str]:
    texts = {passage.id: passage.text for passage in passages(context)}
    cited = [citation for citation in outcome.citations if citation.number in numbers]
    return [trusted(texts.get(citation.passage_id, citation.quote)) for citation in cited]


async def _support(text: str, sources: Sequence[str], ports: CheckPorts) -> float:
    if not sources:
        return 0.0
    if contained(text, sources):
        return 1.0
    return max(0.0, min(1.0, await ports.answers.support(text, sources)))


def _is_claim(sentence: str) -> bool:
    """Return whether the sentence states something: not a question, greeting or scrap."""
    bare = MARKER.sub("", sentence).strip()
    return not bare.endswith(("?", ":")) and len(re.findall(r"\w+", bare)) >= _FEWEST_WORDS


CHECK = CheckSpec(
    name="grounding",
    direction="out",
    order=40,
    run=run,
    summary="Drops sentences that no cited source supports.",
)
