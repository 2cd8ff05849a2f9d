"""Near-duplicates and contradictions: what must be reported, and the look-alikes that must not."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import numpy as np
import pytest

from core.ids import DocumentId, PassageId, TenantId
from core.turns import Passage
from ingest.conflicts import Conflict, as_warnings, conflicts_among, find_conflicts
from ingest.quantities import quantities


def passage(document: str, text: str, title: str = "", section: str = "", **more: Any) -> Passage:
    key = f"{document}:{section}:{text[:40]}"
    return Passage(
        PassageId(key), DocumentId(document), document, title or document, section, text, **more
    )


def conflicts(*passages: Passage) -> tuple[Conflict, ...]:
    """Compare passages whose vectors are all different."""
    return conflicts_among(
        [(p, np.eye(64, dtype="<f4")[n].tobytes()) for n, p in enumerate(passages)]
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("within 30 days", [("second", 30 * 86_400)]),
        ("in 24 hours or a 1 day", [("second", 86_400), ("second", 86_400)]),
        ("two weeks", [("second", 14 * 86_400)]),
        ("5 business days", [("working second", 5 * 86_400)]),
        ("12 months, 1 year", [("month", 12), ("month", 12)]),
        ("$1,250.50 or 10 €", [("usd", 1250.5), ("eur", 10)]),
        ("49 EUR, 1.299,00 euros", [("eur", 49), ("eur", 1299)]),
        ("10 %, 7.5 percent", [("share", 10), ("share", 7.5)]),
        ("2 GB and 500 MB", [("byte", 2e9), ("byte", 5e8)]),
        ("up to 1 000 seats, five admins", [("number", 1000), ("number", 5)]),
        ("dentro de 30 días hábiles", [("working second", 30 * 86_400)]),
        ("el 3 de marzo de 2026", [("date", "3marzo2026")]),
        ("on 2026-03-01 at 9:30", [("date", "2026-03-01"), ("clock", "9:30")]),
        ("OAuth2 with SHA-256 on port 443, step 3 of version 2.4.1", []),
        ("Room_4821 and 3D", []),
    ],
)
def test_quantities(text: str, found: list[tuple[str, float | str]]) -> None:
    assert [(q.unit, q.value) for q in quantities(text)[0]] == found


REFUND = "You can ask for a refund within 30 days of the payment."


@pytest.mark.parametrize(
    ("text", "differs"),
    [
        ("You can ask for a refund within 14 days of the payment.", ("30 days", "14 days")),
        ("You can ask for a refund within two weeks of the first payment.", ("30 days", "two weeks")),
        (f"Good to know. {REFUND.replace('30', '60')} Ask us.", ("30 days", "60 days")),
        ("You cannot ask for a refund within 30 days of the payment.", None),
    ],
)  # fmt: skip
def test_a_sentence_that_differs_in_what_it_counts_or_denies(
    text: str, differs: tuple[str, str] | None
) -> None:
    found = conflicts(
        passage("refunds.md", f"{REFUND} We pay to the card.", "Refund policy"),
        passage("faq.md", text, "Billing FAQ", "Refunds"),
    )
    assert [c.kind for c in found] == ["contradiction"]
    assert found[0].differs == (differs or (REFUND, text))
    assert (found[0].first.document, found[0].second.document) == ("refunds.md", "faq.md")
    assert found[0].sentence().startswith("contradicts faq.md: 'You can ask")


def test_rows_of_two_tables_about_one_thing() -> None:
    table = "| Plan | Seats | Price |\n| --- | --- | --- |\n| Starter plan | 5 | 10 EUR |"
    found = conflicts(
        passage("plans.md", table, "Plans and prices"),
        passage("limits.md", table.replace("10 EUR", "12 EUR"), "Plans and prices", "Overview"),
    )
    assert [c.differs for c in found] == [("10 EUR", "12 EUR")]


def test_spanish() -> None:
    found = conflicts(
        passage("a.md", "Puedes pedir un reembolso en 30 días.", "Reembolsos", locale="es"),
        passage("b.md", "Puedes pedir un reembolso en 15 días.", "Reembolsos", locale="es"),
    )
    assert [c.differs for c in found] == [("30 días", "15 días")]


LOOK_ALIKES = """
the same span, written in another unit
  T | The export is kept for 24 hours after it is made.
  T | The export is kept for 1 day after it is made.
headings that name two things
  Starter plan | Every workspace includes 5 seats and support.
  Pro plan | Every workspace includes 50 seats and support.
another word each
  Plans | Annual plans can be cancelled within 30 days of payment.
  Plans | Monthly plans can be cancelled within 14 days of payment.
a name more
  Limits | Files in Slack can have 100 MB at most each.
  Limits | Files can have 25 MB at most each.
another currency is another price list
  Prices | An extra seat costs 10 EUR a month today.
  Prices | An extra seat costs 12 USD a month today.
a step is no count
  Set-up | Open the settings page and go to step 3 now.
  Set-up | Open the settings page and go to step 5 now.
a question denies nothing
  Faq | Why can you not export a large report yourself?
  Faq | Why can you export a large report yourself?
too little said
  T | Wait 5 minutes.
  T | Wait 10 minutes.
"""


def look_alikes() -> list[Any]:
    lines = [line.strip() for line in LOOK_ALIKES.strip().split("\n")]
    groups = zip(lines[::3], lines[1::3], lines[2::3], strict=True)
    return [pytest.param(one, other, id=why) for why, one, other in groups]


@pytest.mark.parametrize(("one", "other"), look_alikes())
def test_look_alikes(one: str, other: str) -> None:
    pages = [line.split(" | ") for line in (one, other)]
    assert (
        conflicts(*(passage(f"{n}.md", text, title) for n, (title, text) in enumerate(pages))) == ()
    )


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"editions": ("pro",)}, {"editions": ("starter",)}),
        ({"locale": "en"}, {"locale": "es"}),
        ({"valid_until": date(2026, 1, 1)}, {"valid_from": date(2026, 1, 1)}),
    ],
)
def test_pages_that_no_reader_meets_together(left: dict[str, Any], right: dict[str, Any]) -> None:
    assert conflicts(
        passage("a.md", REFUND, "Refunds", **left),
        passage("b.md", REFUND.replace("30", "14"), "Refunds", **right),
    ) == ()  # fmt: skip


def test_a_sentence_filled_in_page_after_page_is_a_template() -> None:
    pages = [
        passage(f"{n}.md", f"The monthly fee of this account is {n} EUR.", "Monthly fees")
        for n in range(4)
    ]
    assert conflicts(*pages) == ()


# ---------------------------------------------------------------- near-duplicates


def vector(*values: float) -> bytes:
    return np.array(values, dtype="<f4").tobytes()


LONG = "Open the settings, choose billing, and download the invoice you need as a file."


def test_a_page_that_stands_in_another_is_reported_once() -> None:
    found = conflicts_among(
        [
            (passage("long.md", LONG), vector(1, 0, 0)),
            (passage("long.md", "Invoices are sent by mail as well, on the first of the month."), vector(0, 1, 0)),
            (passage("short.md", LONG.replace("need", "want")), vector(1, 0.1, 0)),
        ]
    )  # fmt: skip
    assert [(c.kind, c.first.document, c.second.document) for c in found] == [
        ("duplicate", "short.md", "long.md")
    ]
    assert as_warnings(found) == {"short.md": ("nearly the same as long.md (100%)",)}


@pytest.mark.parametrize(
    ("text", "meaning", "locale"),
    [
        ("Quite other words that a model takes for the same thing.", (1, 0, 0), "en"),
        (LONG, (0, 1, 0), "en"),
        (LONG, (1, 0, 0), "es"),
    ],
)
def test_no_duplicate_without_the_same_words_meaning_and_language(
    text: str, meaning: tuple[float, ...], locale: str
) -> None:
    pairs = [
        (passage("a.md", LONG), vector(1, 0, 0)),
        (passage("b.md", text, locale=locale), vector(*meaning)),
    ]
    assert conflicts_among(pairs) == ()


def test_of_pages_nearly_the_same_what_differs_is_reported() -> None:
    pairs = [
        (passage("a.md", f"{LONG} {REFUND}", "Billing"), vector(1, 0)),
        (passage("b.md", f"{LONG} {REFUND.replace('30', '14')}", "Billing"), vector(1, 0)),
    ]
    assert [c.kind for c in conflicts_among(pairs)] == ["contradiction"]


async def test_conflicts_of_stored_pages_may_be_asked_for_some_of_them() -> None:
    class Stored:
        async def scan(self, tenant: TenantId) -> AsyncIterator[tuple[Passage, bytes]]:
            for n, days in enumerate(("30", "14")):
                text = REFUND.replace("30", days)
                yield passage(f"{n}.md", text, "Refunds"), vector(float(n), 1 - n)

    stored: Any = Stored()
    assert len(await find_conflicts(stored, TenantId("demo"))) == 1
    assert len(await find_conflicts(stored, TenantId("demo"), ["1.md"])) == 1
    assert await find_conflicts(stored, TenantId("demo"), ["2.md"]) == ()
