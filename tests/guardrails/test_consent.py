import pytest

from core.contracts import CheckPorts
from core.messages import MessageKind
from core.outcomes import Outcome
from guardrails.consent import CHECK
from tests.guardrails.conftest import TENANT, MakeContext, State


def notice(**trace: object) -> Outcome:
    return Outcome("News", kind=MessageKind.NOTICE, trace=trace)


@pytest.mark.parametrize("outcome", [Outcome("reply"), notice(), notice(unasked=False), None])
async def test_what_was_asked_for_passes(
    context: MakeContext, ports: CheckPorts, outcome: Outcome | None
) -> None:
    assert (await CHECK.run("x", context(outcome), ports)).verdict == "pass"


@pytest.mark.parametrize(
    ("stored", "purpose", "verdict", "reason"),
    [
        (None, None, "block", "no_consent"),
        ({"granted": False}, None, "block", "opted_out"),
        ({"granted": "yes"}, None, "block", "opted_out"),
        ({"granted": True}, None, "pass", "granted"),
        ({"granted": True, "purposes": ["tips"]}, "tips", "pass", "granted"),
        ({"granted": True, "purposes": ["tips"]}, "sales", "block", "other_purpose"),
    ],
)
async def test_unasked_needs_consent(
    context: MakeContext,
    ports: CheckPorts,
    state: State,
    stored: dict[str, object] | None,
    purpose: str | None,
    verdict: str,
    reason: str,
) -> None:
    state.rows = {("consent", TENANT, "c1:sms"): stored or {}}
    found = await CHECK.run("x", context(notice(unasked=True, purpose=purpose)), ports)
    assert (found.verdict, found.reason) == (verdict, reason)


async def test_consent_is_per_channel(
    context: MakeContext, ports: CheckPorts, state: State
) -> None:
    await state.put("consent", TENANT, "c1:email", {"granted": True})
    assert (await CHECK.run("x", context(notice(unasked=True)), ports)).verdict == "block"


async def test_unasked_to_nobody_known_is_blocked(context: MakeContext, ports: CheckPorts) -> None:
    given = context(notice(unasked=True), contact=None)
    assert (await CHECK.run("x", given, ports)).reason == "no_contact"
