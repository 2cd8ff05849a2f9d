"""Words, postings, spelling."""

import numpy as np
import pytest

from core.ids import DocumentId, PassageId
from core.turns import Passage
from knowledge.lexical import LexicalIndex, read, terms
from knowledge.spelling import Spelling, one_edit


def passage(text: str, title: str = "", section: str = "", locale: str = "en") -> Passage:
    return Passage(PassageId("p"), DocumentId("d"), "d.md", title, section, text, locale=locale)


def index(*passages: Passage) -> LexicalIndex:
    return LexicalIndex([read(each) for each in passages])


@pytest.mark.parametrize(
    ("one", "other", "locale"),
    [
        ("inviting teammates", "invite teammate", "en"),
        ("non-profit", "nonprofit", "en"),
        ("the customer's invoice", "customer invoices", "en"),
        ("facturación", "facturacion", "es"),
        ("las facturas", "factura", "es"),
    ],
)
def test_forms_of_a_word_meet(one: str, other: str, locale: str) -> None:
    assert set(terms(one, locale)) & set(terms(other, locale))


def test_stop_words_are_dropped_per_language() -> None:
    assert terms("how do I do that") == []
    assert terms("para la factura", "es") == terms("factura", "es")


def test_rare_words_decide() -> None:
    found = index(
        passage("the plan has boards"), passage("the plan has webhooks"), passage("a plan, plans")
    ).scores("which plan has webhooks")
    assert int(np.argmax(found)) == 1


def test_title_and_section_count() -> None:
    found = index(passage("as described", title="Refunds"), passage("as described")).scores(
        "refund"
    )
    assert found[0] > found[1] == 0


def test_languages_do_not_dilute_each_other() -> None:
    found = index(passage("las facturas", locale="es"), passage("the invoices")).scores("facturas")
    assert found[0] > 0 == found[1]


@pytest.mark.parametrize("query", ["", "zzz", "¿?", "a" * 50_000, "\ud800"])
def test_odd_queries_score_nothing(query: str) -> None:
    assert index(passage("the plan")).scores(query).tolist() == [0.0]


def test_an_empty_index_answers() -> None:
    assert index().scores("plan").shape == (0,)


def test_unknown_words_are_as_rare_as_can_be() -> None:
    lexical = index(passage("plan plan"), passage("plan webhook"))
    rarity = lexical.rarity(["plan", "webhook", "kafka"], "en")
    assert rarity["plan"] < rarity["webhook"] < rarity["kafka"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("how long is a traning session", "how long is a training session"),
        ("google calender", "google calendar"),
        ("google calednar", "google calendar"),
        ("Traning", "training"),
        ("sesion", "session"),
    ],
)
def test_slips_are_respelled(typed: str, meant: str) -> None:
    lexical = index(passage("training sessions long session in your google calendar"))
    assert lexical.respell(typed) == meant


@pytest.mark.parametrize("word", ["plan", "99999", "calendar", "about", "kubernetes"])
def test_known_short_and_far_words_stay(word: str) -> None:
    assert index(passage("calendar abouts plans")).respell(word) == word


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("trail", "trial", True),
        ("trial", "trials", True),
        ("trial", "trail x", False),
        ("rial", "trial", False),
    ],
)
def test_one_edit(one: str, other: str, near: bool) -> None:
    assert one_edit(one, other) is near


def test_the_most_frequent_neighbour_is_meant() -> None:
    assert Spelling({"reports": 5, "resorts": 1}).near("resports") == "reports"
