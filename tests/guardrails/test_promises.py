"""authority: what is claimed to be done or promised needs an effect, a claim or a document."""

import pytest

from core.contracts import CheckPorts
from core.conversations import HandoffReason
from core.effects import Effect, Escalate, Remember, Send
from core.outcomes import Outcome
from guardrails.authority import CHECK
from tests.guardrails.conftest import MakeContext, passage


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("I've escalated this to our engineers.", "escalated"),
        ("I have opened a ticket for you.", "escalated"),
        ("I've sent you the invoice.", "sent"),
        ("The link has been sent.", "sent"),
        ("I've reset your password.", "changed"),
        ("Your account has been deleted.", "changed"),
        ("I've noted that you prefer mornings.", "remembered"),
        ("We will get back to you within 24 hours.", "deadline"),
        ("Someone will call you by tomorrow.", "deadline"),
        ("You'll receive an answer in 2 business days.", "deadline"),
        ("I can offer you a 3 month discount.", "offer"),
        ("We'll give you a free month.", "offer"),
        ("You will get a full refund.", "refunded"),
        ("We will add dark mode soon.", "roadmap"),
        ("It's on our roadmap.", "roadmap"),
        ("We accept full liability for the loss.", "legal"),
        ("We'll compensate you.", "legal"),
        ("I promise it is safe.", "guarantee"),
        ("You're booked for Tuesday.", "booked"),
        ("He enviado la factura a tu correo.", "sent"),
        ("He escalado tu caso.", "escalated"),
        ("He restablecido tu contraseña.", "changed"),
        ("Te responderemos en 24 horas.", "deadline"),
        ("Te ofrezco un descuento especial.", "offer"),
        ("Aceptamos toda la responsabilidad.", "legal"),
        ("Prometemos que no volverá a pasar.", "guarantee"),
    ],
)
async def test_a_models_claim_without_authority_is_blocked(
    context: MakeContext, ports: CheckPorts, text: str, code: str
) -> None:
    verdict = await CHECK.run(text, context(Outcome(text, "answer", generated=True)), ports)
    assert (verdict.verdict, verdict.reason) == ("block", code)
    claimed = Outcome(text, "answer", generated=True, claims=frozenset({code, "price"}))
    assert (await CHECK.run(text, context(claimed), ports)).verdict == "pass"


@pytest.mark.parametrize(
    ("text", "effect"),
    [
        ("I've asked a person to join.", Escalate(HandoffReason.ASKED)),
        ("I've sent you the invitation.", Send("email", "a@b.example", "x")),
        ("I've noted that you prefer mornings.", Remember("k", "v", "s")),
    ],
)
async def test_an_effect_entitles(
    context: MakeContext, ports: CheckPorts, text: str, effect: Effect
) -> None:
    done = Outcome(text, "x", generated=True, effects=(effect,))
    assert (await CHECK.run(text, context(done), ports)).verdict == "pass"
    not_done = Outcome(text, "x", generated=True)
    assert (await CHECK.run(text, context(not_done), ports)).verdict == "block"


@pytest.mark.parametrize(
    "text",
    [
        "I can't send you the invoice.",
        "I haven't escalated this.",
        "Once we have sent it, you can close the page.",
        "The invoice is sent every month.",
        "You can reset your password in Settings.",
        "Deleted boards stay in the trash for 30 days.",
        "Open a ticket in the portal.",
        "No he enviado nada.",
    ],
)
async def test_no_claim_is_made(context: MakeContext, ports: CheckPorts, text: str) -> None:
    given = context(Outcome(text, "answer", generated=True))
    assert (await CHECK.run(text, given, ports)).verdict == "pass"


async def test_a_documented_time_may_be_said_in_other_words(
    context: MakeContext, ports: CheckPorts
) -> None:
    docs = (passage(1, "Support answers within 24 hours on working days."),)
    text = "We will answer within 24 hours [1]."
    given = context(Outcome(text, "answer", generated=True), docs)
    assert (await CHECK.run(text, given, ports)).verdict == "pass"
    sooner = "We will answer within 2 hours [1]."
    assert (await CHECK.run(sooner, given, ports)).verdict == "block"
