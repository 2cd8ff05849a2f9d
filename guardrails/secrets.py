"""Out: no key, token, password, private key or connection string, unless a document shows that very one.

Owns the refusal. A reply that holds a secret is blocked whole: what stands around it is as wrong. Not here: how one is
recognised (core/pii/credentials.py).
"""

from core.contracts import CheckPorts, CheckSpec
from core.outcomes import CheckContext
from core.pii import CREDENTIAL, find
from core.turns import Verdict
from guardrails._shared.sentences import is_outgoing, source_texts


async def run(text: str, context: CheckContext, ports: CheckPorts) -> Verdict:
    """Return pass, or block a text that holds a secret; `reason` never repeats it."""
    if not is_outgoing(context):
        return Verdict("secrets", "pass")
    shown = "\n".join(source_texts(context))
    for kind, start, end in find(text, names=False):
        if kind == CREDENTIAL and text[start:end] not in shown:
            return Verdict("secrets", "block", 1.0, "credential")
    return Verdict("secrets", "pass")


CHECK = CheckSpec(
    name="secrets",
    direction="out",
    order=30,
    run=run,
    summary="Blocks replies with keys, tokens, passwords or connection strings.",
)
