import pytest

from core.contracts import CheckPorts
from core.messages import MessageKind
from core.outcomes import Outcome
from guardrails.consent import CHECK
from tests.guardrails.conftest import Known, MakeContext


def notice(**trace: object) -> Outcome:
    return Outcome("News", kind=MessageKind.NOTICE, trace=trace)


@pytest.mark.parametrize("outcome", [Outcome("reply"), notice(), notice(unasked=False), None])
async def test_what_was_asked_for_passes(
    context: MakeContext, ports: CheckPorts, outcome: Outcome | None
) -> None:
    assert (await CHECK.run("x", context(outcome), ports)).verdict == "pass"


@pytest.mark.parametrize(
    ("said", "verdict", "reason"),
    [
        ({}, "block", "no_consent"),
        ({("sms", "+15417141388"): False}, "block", "opted_out"),
        ({("sms", "+15417141388"): True}, "pass", "granted"),
        ({("email", "+15417141388"): True}, "block", "no_consent"),
        ({("sms", "+15550000000"): True}, "block", "no_consent"),
    ],
)
async def test_unasked_needs_consent_on_that_channel_and_address(
    context: MakeContext,
    ports: CheckPorts,
    known: Known,
    said: dict[tuple[str, str], bool],
    verdict: str,
    reason: str,
) -> None:
    known.consents = said
    found = await CHECK.run("x", context(notice(unasked=True)), ports)
    assert (found.verdict, found.reason) == (verdict, reason)


async def test_unasked_to_nobody_known_is_blocked(context: MakeContext, ports: CheckPorts) -> None:
    given = context(notice(unasked=True), contact=None)
    assert (await CHECK.run("x", given, ports)).reason == "no_contact"
