"""Out: the reply is in the customer's language; quoted documents may be in their own.

Owns the comparison with the turn's language. Only sentences of our own count, and only when they plainly are in
another language. Not here: which language the customer has (understanding), the line that announces foreign docs.
"""

from core.contracts import CheckPorts, CheckSpec
from core.outcomes import CheckContext
from core.turns import Verdict
from guardrails._shared.sentences import MARKER, is_bots, is_own, source_texts, split
from guardrails._shared.tongue import language_of


async def run(text: str, context: CheckContext, ports: CheckPorts) -> Verdict:
    """Return pass, or block a text of ours in another language than the turn's."""
    if not is_bots(context):
        return Verdict("language", "pass")
    sources = source_texts(context)
    own = "".join(sentence for sentence in split(text) if is_own(sentence, sources))
    language = language_of(MARKER.sub(" ", own))
    # a customer whose language we cannot answer in gets one line in it (words.unsupported_language)
    theirs = context.understanding.language if context.understanding else None
    if language is None or language in (context.locale[:2].lower(), theirs):
        return Verdict("language", "pass", reason=language or "")
    return Verdict("language", "block", 1.0, f"said_in_{language}")


CHECK = CheckSpec(
    name="language",
    direction="out",
    order=75,
    run=run,
    summary="Blocks replies in another language than the customer's.",
)
