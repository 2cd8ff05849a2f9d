"""What an editor is shown before an answer becomes public."""

import itertools
from datetime import UTC, datetime

import pytest

from app.highlights import highlights, statements
from knowledge.times import find_times

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "kind", "quote"),
    [
        ("Write to ann@example.com now.", "pii", "ann@example.com"),
        ("Use card 4111 1111 1111 1111.", "pii", "4111 1111 1111 1111"),
        ("As we told Acme Robotics.", "name", "Acme Robotics"),
        ("It costs $49.00 a seat.", "amount", "$49.00"),
        ("Son 49 euros al mes.", "amount", "49 euros"),
        ("Take 20% away.", "amount", "20%"),
        ("We will call you.", "promise", "We will"),
        ("Le devolveremos la llamada.", "promise", "Le devolveremos"),
        ("The 5 May release has it.", "date", "5 May"),
        ("A refund is due.", "policy", "refund"),
        ("Hay un reembolso.", "policy", "reembolso"),
        ("Our SLA says so.", "policy", "SLA"),
        ("There is a discount.", "policy", "discount"),
        ("This is in the contract.", "policy", "contract"),
        ("It is guaranteed.", "policy", "guaranteed"),
    ],
)
def test_each_kind_is_marked(text: str, kind: str, quote: str) -> None:
    times = find_times(text, NOW, "UTC", "en")
    found = highlights(text, ["Acme Robotics"], times)
    assert any(h.kind == kind and quote in text[h.start : h.end] for h in found)
    assert all(h.reason for h in found)


def test_marks_do_not_overlap_and_come_in_order() -> None:
    text = "We will refund $49 to ann@example.com tomorrow; Jordan Lee paid 20%."
    found = highlights(text, ["Jordan Lee"], find_times(text, NOW, "UTC", "en"))
    assert len(found) >= 6
    assert all(one.end <= other.start for one, other in itertools.pairwise(found))


@pytest.mark.parametrize(
    "text",
    [
        "Open Settings, choose Appearance, and select Dark.",
        "1. Open the board.\n2. Choose Export, then CSV.",
        "Error 17 means that the token has run out; connect again.",
        "Abra Ajustes y elija Apariencia.",
        "The board shows 50 cards at once.",
        "Your invoices stand under Settings.",
    ],
)
def test_plain_help_is_no_statement_about_money_or_policy(text: str) -> None:
    assert statements(text) == ()


@pytest.mark.parametrize("text", ["", " ", "\n" * 50, "€" * 5000, "$" * 3000 + "1"])
def test_odd_texts(text: str) -> None:
    assert isinstance(highlights(text), tuple)
