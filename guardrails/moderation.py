"""In and out: what the provider's moderation thinks, when one is configured.

Owns what follows: a severe text of ours is blocked; a severe text of a customer's takes generation and memory away and
is never refused (a person in distress is not turned away). A provider that does not answer changes nothing.
"""

from core.contracts import CheckPorts, CheckSpec
from core.outcomes import CheckContext
from core.turns import Verdict
from guardrails._shared.sentences import is_bots, is_outgoing

_LIMITS = ("no_memory", "quote_only")


async def run(text: str, context: CheckContext, ports: CheckPorts) -> Verdict:
    """Return pass, pass with limits (in), or block (out)."""
    outgoing = is_outgoing(context)
    if ports.moderator is None or not text.strip() or (outgoing and not is_bots(context)):
        return Verdict("moderation", "pass")
    judged = await ports.moderator.judge(text)
    if judged is None:
        return Verdict("moderation", "pass", reason="unavailable")
    if judged.severity != "high":
        return Verdict("moderation", "pass", judged.score, judged.category)
    if outgoing:
        return Verdict("moderation", "block", judged.score, judged.category)
    return Verdict("moderation", "pass", judged.score, judged.category, limits=_LIMITS)


CHECK = CheckSpec(
    name="moderation",
    direction="both",
    order=32,
    run=run,
    summary="Asks the provider's moderation, when one is configured.",
)
