"""Words, postings, spelling."""

import numpy as np
import pytest

from core.ids import DocumentId, PassageId
from core.turns import Passage
from knowledge import postings
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


def test_words_that_stand_together_count_together() -> None:
    found = index(
        passage("the gold card has a fee and the silver years account has none"),
        passage("the gold years account has none and the silver card has a fee"),
    ).scores("gold years account")
    assert found[1] > found[0] > 0


def test_a_repeated_word_of_the_query_counts_more() -> None:
    lexical = index(passage("about disputes"), passage("about refunds"), passage("about fees"))
    found = lexical.scores("refund or dispute a dispute dispute")
    assert found[0] > found[1] > found[2] == 0


def test_in_a_story_a_word_in_bursts_beats_one_spread_evenly() -> None:
    # "agent" stands once on four pages, "dispute" four times on one, in as many passages.
    passages = [passage(f"an agent helps with thing{n}") for n in range(4)]
    passages += [passage(f"a dispute about thing{n}, dispute") for n in range(4)]
    lexical = LexicalIndex([read(each) for each in passages], [0, 1, 2, 3, 4, 4, 4, 4])
    question, story = "agent dispute", "agent dispute " + "so to say " * 30
    even = [float(lexical.scores(text)[0] / lexical.scores(text)[4]) for text in (question, story)]
    assert even[1] < 0.8 * even[0]


def test_a_large_index_leaves_out_pairs_of_one_passage_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postings, "EVERY_PAIR_UP_TO", 2)
    passages = [passage("gold years account"), passage("gold years"), passage("years account fee")]
    alone = index(*passages).scores("account fee")
    monkeypatch.setattr(postings, "EVERY_PAIR_UP_TO", 3)
    every = index(*passages).scores("account fee")
    assert 0 < alone[2] < every[2]
    assert alone[1] == every[1] == 0


def test_title_and_section_count() -> None:
    found = index(passage("as described", title="Refunds"), passage("as described")).scores(
        "refund"
    )
    assert found[0] > found[1] == 0


def test_english_and_spanish_find_each_others_passages() -> None:
    lexical = index(
        passage("the invoices"), passage("las facturas", locale="es"), passage("el plan")
    )
    found = lexical.scores("¿las facturas?")
    assert (found > 0).tolist() == [True, True, False]
    assert (lexical.scores("invoices") > 0).tolist() == [True, True, False]


def test_other_languages_do_not_dilute_each_other() -> None:
    found = index(passage("les chevaux", locale="fr"), passage("the horses")).scores("chevaux")
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
        ("when is my sesion", "when is my session"),
    ],
)
def test_slips_are_respelled(typed: str, meant: str) -> None:
    lexical = index(passage("training sessions long session in your google calendar"))
    assert lexical.respell(typed) == meant


@pytest.mark.parametrize("word", ["plan", "99999", "calendar", "about", "kubernetes"])
def test_known_short_and_far_words_stay(word: str) -> None:
    assert index(passage("calendar abouts plans")).respell(word) == word


@pytest.mark.parametrize(
    ("typed", "meant", "near"),
    [
        ("trail", "trial", True),  # swapped
        ("trial", "trials", True),  # left out
        ("triial", "trial", True),  # one too many
        ("triol", "trial", True),  # another one
        ("trials", "tr", False),
        ("rial", "trial", False),  # the first letter stays
    ],
)
def test_one_edit(typed: str, meant: str, near: bool) -> None:
    assert (meant in set(one_edit(typed, "abilorst"))) is near


def test_the_most_frequent_neighbour_is_meant() -> None:
    assert Spelling({"reports": 5, "resorts": 1}).near("resports") == "reports"
