"""Out: what nobody asked for goes out only with the contact's consent on that channel.

Owns the reading of consent for unasked notices (outcome.trace `unasked`): plug-in state `consent`, key
`<contact id>:<channel>`, value `{"granted": bool, "purposes": [..]}`. No record is no consent. A reply to a customer,
and a notice they asked for (opt-out confirmation, reminder of their booking, holding line), always passes.
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
    key = f"{context.contact.id}:{context.channel}"
    stored = await ports.state.get("consent", context.tenant, key) or {}
    if stored.get("granted") is not True:
        return Verdict("consent", "block", 1.0, "opted_out" if stored else "no_consent")
    purpose = outcome.trace.get("purpose")
    purposes = stored.get("purposes")
    if purpose is not None and isinstance(purposes, list | tuple) and purpose not in purposes:
        return Verdict("consent", "block", 1.0, "other_purpose")
    return Verdict("consent", "pass", reason="granted")


CHECK = CheckSpec(
    name="consent",
    direction="out",
    order=80,
    run=run,
    summary="Stops unasked messages without consent.",
)
