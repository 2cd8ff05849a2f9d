"""In: note personal data. Out: mask what is not this contact's or the docs', block cards, IBANs and SSNs.

Owns the rule of whose data may be said. Not here: finding it (_shared/pii_patterns.py), log redaction (core/logs.py).
"""

from core.contracts import CheckPorts, CheckSpec
from core.outcomes import CheckContext
from core.turns import Verdict
from guardrails._shared.pii_patterns import SECRET, Found, find, mask, same_value
from guardrails._shared.sentences import is_outgoing, source_texts

HIDDEN = "•••"


async def run(text: str, context: CheckContext, ports: CheckPorts) -> Verdict:
    """Return pass with the types found as reason; on the way out rewrite or block what may not be said."""
    found = find(text)
    types = ",".join(sorted({kind for kind, _, _ in found}))
    score = 1.0 if found else 0.0
    if not is_outgoing(context) or not found:
        return Verdict("pii", "pass", score, types)
    known = _known(context)
    foreign = [span for span in found if not _may_say(span, text, context, known)]
    if any(kind in SECRET for kind, _, _ in foreign):
        return Verdict("pii", "block", 1.0, types)
    if foreign:
        return Verdict("pii", "rewrite", 1.0, types, mask(text, foreign, HIDDEN))
    return Verdict("pii", "pass", score, types)


def _known(context: CheckContext) -> str:
    """Return everything of the contact's own, as it is compared."""
    contact = context.contact
    own = [identity.value for identity in contact.identities] if contact else []
    if contact and contact.external_id:
        own.append(contact.external_id)
    return "\n".join(own)


def _may_say(span: Found, text: str, context: CheckContext, known: str) -> bool:
    kind, start, end = span
    value = same_value(kind, text[start:end])
    in_docs = any(value in same_value(kind, source) for source in source_texts(context))
    if kind in SECRET:
        return in_docs
    # What the customer has just written (an address for the invitation) may be said back.
    own = any(value in same_value(kind, place) for place in (*known.split("\n"), context.asked))
    return in_docs or own


CHECK = CheckSpec(
    name="pii",
    direction="both",
    order=70,
    run=run,
    summary="Notes personal data coming in; masks or blocks what may not go out.",
)
