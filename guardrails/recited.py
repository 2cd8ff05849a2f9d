"""Out: what speaks to an assistant is not said to a customer.

Owns dropping sentences that recite somebody's orders to the machine, from a document, a title or a message, in what a
model wrote and in what is quoted. Not here: what such orders could have brought about (authority, links, grounding).
"""

from core.contracts import CheckPorts, CheckSpec
from core.outcomes import CheckContext
from core.turns import Verdict
from guardrails._shared.sentences import split, without
from guardrails._shared.trusted import speaks_to_machine


async def run(text: str, context: CheckContext, ports: CheckPorts) -> Verdict:
    """Return pass, or the text without such sentences; block when nothing is left."""
    outcome = context.outcome
    if outcome is None or not (outcome.generated or outcome.citations or outcome.sources):
        return Verdict("recited", "pass")
    if not speaks_to_machine(text):
        return Verdict("recited", "pass")
    wrong = {n: "recited" for n, sentence in enumerate(split(text)) if speaks_to_machine(sentence)}
    if not wrong:  # only the whole says it
        return Verdict("recited", "block", 1.0, "recited")
    return without("recited", text, wrong)


CHECK = CheckSpec(
    name="recited",
    direction="out",
    order=38,
    run=run,
    summary="Drops sentences that give an assistant orders instead of telling a customer something.",
)
