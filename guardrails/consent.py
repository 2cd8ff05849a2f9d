"""Out: what nobody asked for goes out only with the contact's consent on that channel.

Owns the rule for a handler's own unasked notices (outcome.trace `unasked`): the newest STOP or START from an address of
the contact counts, and no word at all is no consent. A reply to a customer, and a notice they asked for (opt-out
confirmation, holding line), always passes. Not here: who said STOP (port Consents), what is sent outside a turn, such
as reminders and surveys (core/delivery.py).
"""

from core.contracts import CheckPorts, CheckSpec
from core.messages import MessageKind
from core.outcomes import CheckContext
from core.turns import Verdict


async def run(text: str, context: CheckContext, ports: CheckPorts) -> Verdict:
    """Return pass for what was asked for; block an unasked notice without consent."""
    outcome = context.outcome
    if outcome is None or outcome.kind is not MessageKind.NOTICE:
        return Verdict("consent", "pass")
    if not outcome.trace.get("unasked"):
        return Verdict("consent", "pass", reason="asked_for")
    if context.contact is None:
        return Verdict("consent", "block", 1.0, "no_contact")
    addresses = [identity.value for identity in context.contact.identities]
    granted = await ports.consents.granted(context.tenant, context.channel, addresses)
    if granted:
        return Verdict("consent", "pass", reason="granted")
    return Verdict("consent", "block", 1.0, "no_consent" if granted is None else "opted_out")


CHECK = CheckSpec(
    name="consent",
    direction="out",
    order=80,
    run=run,
    summary="Stops unasked messages without consent.",
)
