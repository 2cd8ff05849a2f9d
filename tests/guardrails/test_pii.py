import pytest

from core.contracts import CheckPorts
from core.outcomes import Outcome
from core.pii import find, mask
from guardrails.pii import CHECK
from tests.guardrails.conftest import MakeContext, passage


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("my card is 4111 1111 1111 1111 ok", "CREDIT_CARD", "4111 1111 1111 1111"),
        ("card 378282246310005", "CREDIT_CARD", "378282246310005"),
        ("5555-5555-5555-4444", "CREDIT_CARD", "5555-5555-5555-4444"),
        ("IBAN GB82 WEST 1234 5698 7654 32 PLEASE", "IBAN_CODE", "GB82 WEST 1234 5698 7654 32"),
        ("ES9121000418450200051332", "IBAN_CODE", "ES9121000418450200051332"),
        ("ssn 460-89-9847", "US_SSN", "460-89-9847"),
        ("my social security number is 460899847", "US_SSN", "460899847"),
        ("write to ana.lopez+x@mail.example.es.", "EMAIL_ADDRESS", "ana.lopez+x@mail.example.es"),
        ("call 541-714-1388 now", "PHONE_NUMBER", "541-714-1388"),
        ("+44 7700 900123", "PHONE_NUMBER", "+44 7700 900123"),
        ("my phone is 5417141388", "PHONE_NUMBER", "5417141388"),
        ("mi teléfono es 612 345 678", "PHONE_NUMBER", "612 345 678"),
        ("from 106.31.73.20 again", "IP_ADDRESS", "106.31.73.20"),
        ("6e40:4041:c617:e898:c11:40d2:c669:2eb4", "IP_ADDRESS", "6e40:4041:c617:e898:c11:40d2:c669:2eb4"),
    ],
)  # fmt: skip
def test_personal_data_is_found_where_it_stands(text: str, kind: str, value: str) -> None:
    ((found, start, end),) = find(text)
    assert (found, text[start:end]) == (kind, value)


@pytest.mark.parametrize(
    "text",
    [
        "card 4111 1111 1111 1112",
        "GB82 WEST 1234 5698 7654 33",
        "000-12-3456 and 666-12-3456 and 912-12-3456",
        "order 4155551234, invoice 2024-0012345",
        "version 1.2.3.4 and build 10.0.0.1",
        "on 2026-03-04 15:30:00 or 04/03/2026",
        "we sold 1,234,567 units for $1,200.00",
        "meet @laura at 10:30, not at the@ desk",
        "0000 0000 0000 0000",
        "999.999.999.999",
        "how do I invite my team?",
        "update 3.14.15 fixed error 500 in 12 of 345 boards",
        "",
    ],
)
def test_look_alikes_are_not(text: str) -> None:
    assert find(text) == []


def test_masks_keep_the_rest() -> None:
    text = "Mail ana@example.com or call +44 7700 900123."
    assert mask(text) == "Mail <EMAIL_ADDRESS> or call <PHONE_NUMBER>."
    assert mask("nothing here") == "nothing here"


async def test_incoming_passes_with_the_types(context: MakeContext, ports: CheckPorts) -> None:
    verdict = await CHECK.run("4111111111111111, ana@example.com", context(), ports)
    assert (verdict.verdict, verdict.reason) == ("pass", "CREDIT_CARD,EMAIL_ADDRESS")


@pytest.mark.parametrize(
    ("text", "asked", "source"),
    [
        ("We write to Laura@Example.com.", "", ""),
        ("We call you on (541) 714-1388.", "", ""),
        ("The invitation goes to bo@example.org.", "please use bo@example.org", ""),
        ("Write to billing@lumen.example.", "", "Mail billing@lumen.example for invoices."),
        ("Pay to GB82 WEST 1234 5698 7654 32.", "", "Our IBAN is GB82WEST12345698765432."),
        ("Nothing personal here.", "", ""),
    ],
)
async def test_own_and_documented_data_may_be_said(
    context: MakeContext, ports: CheckPorts, text: str, asked: str, source: str
) -> None:
    given = context(Outcome(text), (passage(1, source),), asked=asked)
    assert (await CHECK.run(text, given, ports)).verdict == "pass"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Ask bo@example.org about it.", "Ask ••• about it."),
        ("Call +44 7700 900123 or laura@example.com.", "Call ••• or laura@example.com."),
        ("It came from 106.31.73.20.", "It came from •••."),
    ],
)
async def test_foreign_data_is_masked(
    context: MakeContext, ports: CheckPorts, text: str, left: str
) -> None:
    verdict = await CHECK.run(text, context(Outcome(text)), ports)
    assert (verdict.verdict, verdict.text) == ("rewrite", left)


@pytest.mark.parametrize(
    "text", ["Your card 4111111111111111", "IBAN ES9121000418450200051332", "SSN 460-89-9847"]
)
async def test_secrets_are_blocked_even_when_asked_with_them(
    context: MakeContext, ports: CheckPorts, text: str
) -> None:
    assert (await CHECK.run(text, context(Outcome(text), asked=text), ports)).verdict == "block"
