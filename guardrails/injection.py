"""In: attempts to instruct the assistant. Lowers what the turn may do and says so; never blocks a customer.

Owns which privileges a find takes. The score alone is wrong about look-alikes too often (docs/quality.md), and an
instruction about the answer may be honestly meant: those leave the tools and take generation and memory away. An order
to the machine, and a request that stands in somebody else's mail, take all. Not here: the patterns (_shared/), the
score (understanding.injection), and that limits hold (core/privileges.py).
"""

from core.contracts import CheckPorts, CheckSpec
from core.outcomes import CheckContext
from core.turns import Verdict
from guardrails._shared.instructions import orders_in, shapes_in
from guardrails._shared.planted import foreign_request

SUSPECT = 0.8
SEEN = 0.9
ALL_LIMITS = ("no_tools", "no_memory", "quote_only")
SCORE_LIMITS = ("no_memory", "quote_only")


async def run(text: str, context: CheckContext, ports: CheckPorts) -> Verdict:
    """Return pass with the privileges this turn loses; `score` is the head's, or at least 0.9 for a find."""
    score = context.understanding.injection if context.understanding else 0.0
    reason, limits = _found(text)
    if limits:
        return Verdict("injection", "pass", max(score, SEEN), reason, limits=limits)
    if score >= SUSPECT:
        return Verdict("injection", "pass", score, "score", limits=SCORE_LIMITS)
    return Verdict("injection", "pass", score)


def _found(text: str) -> tuple[str, tuple[str, ...]]:
    orders = orders_in(text)
    if orders:
        return f"pattern_{orders[0]}", ALL_LIMITS
    if foreign_request(text):
        return "planted_request", ALL_LIMITS
    shapes = shapes_in(text)
    return (f"shape_{shapes[0]}", SCORE_LIMITS) if shapes else ("", ())


CHECK = CheckSpec(
    name="injection",
    direction="in",
    order=20,
    run=run,
    summary="Lowers privileges when a text tries to instruct the assistant.",
)
