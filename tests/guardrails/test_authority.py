import pytest

from core.contracts import CheckPorts
from core.messages import Author
from core.outcomes import Outcome
from guardrails.authority import CHECK
from tests.guardrails.conftest import MakeContext, passage

DOCS = (
    passage(1, "Pro costs $24 per seat. We refund you the unused part within 14 days."),
    passage(2, "Uptime is guaranteed at 99.9 % on Enterprise. A yearly plan is 10% off, or €1,200.00."),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("Pro costs $24 per seat [1].", ()),
        ("You pay 1200 euros a year [2].", ()),
        ("That is $24.00.", ()),
        ("We refund you the unused part within 14 days [1].", ()),
        ("I've booked your session for Tuesday.", ("booked",)),
        ("Booked: Training on Tuesday with Ana.", ("booked",)),
        ("Your session has been cancelled.", ("cancelled",)),
        ("I've moved your session to Friday.", ("booked", "moved")),
        ("The price is $99.", ("price",)),
        ("I haven't booked anything.", ()),
        ("Nothing has been booked, so your session is not confirmed.", ()),
        ("Shall I book it?", ()),
        ("Your board has 24 columns and 30 % free space.", ()),
        ("To cancel, open the settings.", ()),
        ("Todavía no he reservado nada.", ()),
        ("He reservado tu sesión.", ("booked",)),
    ],
)
async def test_what_is_carried_may_be_said(
    context: MakeContext, ports: CheckPorts, text: str, claims: tuple[str, ...]
) -> None:
    given = context(Outcome(text, claims=frozenset(claims)), DOCS)
    assert (await CHECK.run(text, given, ports)).verdict == "pass"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Pro costs $19 per seat.", "amount"),
        ("You get 50% off.", "amount"),
        ("Te damos 30 % de descuento.", "amount"),
        ("It is 15 euros a month.", "amount"),
        ("I've booked your session.", "booked"),
        ("Your booking is confirmed.", "booked"),
        ("Your session has been cancelled.", "cancelled"),
        ("I have refunded you.", "refunded"),
        ("We'll refund your last invoice.", "refunded"),
        ("Your refund has been processed.", "refunded"),
        ("I've upgraded your plan.", "upgraded"),
        ("We guarantee it will never happen again.", "guarantee"),
        ("He cancelado tu sesión.", "cancelled"),
        ("Garantizamos que funciona.", "guarantee"),
        ("Te devolveremos el dinero.", "refunded"),
    ],
)
async def test_what_is_not_carried_is_blocked(
    context: MakeContext, ports: CheckPorts, text: str, reason: str
) -> None:
    verdict = await CHECK.run(text, context(Outcome(text, generated=True), DOCS), ports)
    assert (verdict.verdict, verdict.reason) == ("block", reason)


async def test_only_the_promise_is_dropped(context: MakeContext, ports: CheckPorts) -> None:
    text = "Pro costs $24 per seat [1]. I can give you 40% off. Anything else?"
    verdict = await CHECK.run(text, context(Outcome(text), DOCS), ports)
    assert verdict.verdict == "rewrite"
    assert verdict.text == "Pro costs $24 per seat [1]. Anything else?"


async def test_one_claim_does_not_entitle_to_another(
    context: MakeContext, ports: CheckPorts
) -> None:
    given = context(Outcome("x", claims=frozenset({"booked"})))
    assert (await CHECK.run("I've refunded you.", given, ports)).verdict == "block"


async def test_a_person_may_promise(context: MakeContext, ports: CheckPorts) -> None:
    given = context(Outcome("x", author=Author.CSM))
    assert (await CHECK.run("I've refunded you $50.", given, ports)).verdict == "pass"
