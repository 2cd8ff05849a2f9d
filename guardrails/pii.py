"""In: note personal data. Out: mask what is not this contact's or the docs', block cards and identity numbers.

Owns the rule of whose data may be said. Names of people are masked in what a model wrote; our own lines name hosts and
colleagues on purpose. Not here: finding it (core/pii), secrets (secrets.py), log redaction (core/logs.py).
"""

from core.contracts import CheckPorts, CheckSpec
from core.outcomes import CheckContext
from core.pii import CREDENTIAL, PERSON, SECRET, Found, find, mask, same_value
from core.turns import Verdict
from guardrails._shared.sentences import is_outgoing, is_vouched, source_texts

HIDDEN = "•••"


async def run(text: str, context: CheckContext, ports: CheckPorts) -> Verdict:
    """Return pass with the types found as reason; on the way out rewrite or block what may not be said."""
    outgoing = is_outgoing(context)
    names = not outgoing or not is_vouched(context)
    found = find(text, context.policy.numbers, names=names)
    types = ",".join(sorted({kind for kind, _, _ in found}))
    score = 1.0 if found else 0.0
    if not outgoing or not found:
        return Verdict("pii", "pass", score, types)
    known = _known(context)
    foreign = [span for span in found if not _may_say(span, text, context, known)]
    # Credentials have a check of their own, which ran before.
    if any(kind in SECRET and kind != CREDENTIAL for kind, _, _ in foreign):
        return Verdict("pii", "block", 1.0, types)
    if foreign:
        return Verdict("pii", "rewrite", 1.0, types, mask(text, foreign, HIDDEN))
    return Verdict("pii", "pass", score, types)


def _known(context: CheckContext) -> tuple[str, ...]:
    """Return everything of the contact's own, and who we are."""
    contact = context.contact
    ours = (context.policy.bot_name, context.policy.brand)
    if contact is None:
        return ours
    company = contact.account.name if contact.account else None
    named = [name for name in (contact.external_id, contact.name, company) if name]
    return (*ours, *named, *(identity.value for identity in contact.identities))


def _may_say(span: Found, text: str, context: CheckContext, known: tuple[str, ...]) -> bool:
    kind, start, end = span
    value = same_value(kind, text[start:end])
    in_docs = any(value in same_value(kind, source) for source in source_texts(context))
    if kind in SECRET:
        return in_docs
    # What the customer has just written (an address for the invitation) may be said back.
    own = any(_is_said(kind, value, place) for place in (*known, context.asked))
    return in_docs or own


def _is_said(kind: str, value: str, place: str) -> bool:
    said = same_value(kind, place)
    return value in said or (kind == PERSON and bool(said) and said in value)


CHECK = CheckSpec(
    name="pii",
    direction="both",
    order=70,
    run=run,
    summary="Notes personal data coming in; masks or blocks what may not go out.",
)
