"""No line of ours asks for an opt-out word or 0 as its answer, in any language, on any channel (promise 5)."""

import re

import pytest

from channels._shared.twilio_form import STOP_WORDS
from handlers._shared.lines import read_catalogue
from knowledge.asks_human import HumanWords

CATALOGUE = read_catalogue()
HUMAN = HumanWords(CATALOGUE.lists["words.human"])
STOPS = frozenset(
    {word.casefold() for word in STOP_WORDS}
    | {word for words in CATALOGUE.lists["words.stop"].values() for word in words}
)
EVERY = [
    pytest.param(key, text, id=f"{locale}:{key}:{channel}")
    for locale, texts in CATALOGUE.texts.items()
    for key, variants in texts.items()
    for channel, text in variants.items()
]
# the one line that must name the way back, and it is no question
TELLS = {"consent.stopped"}
ASKING = re.compile(
    r"\b(?:reply|send|write|text|say|type|press|answer|enter|choose|dial"
    r"|responde|respond[ae]|envía|envia|escribe|di|pulsa|teclea|marca|contesta)\b"
    r"(?:\s+(?:with|me|us|back|here|or|con|nos|el|la|the|a|“|\"|'))*\s*[“\"'«]?(\w+)",
    re.IGNORECASE,
)
QUOTED = re.compile(r"[“\"«‘']([^”\"»’']{1,30})[”\"»’']")
LABELS = [p for p in EVERY if len(str(p.values[1]).split()) <= 4]


def invited(text: str) -> list[str]:
    """Return the words a line asks to be answered with, lower case."""
    words = [m.group(1) for m in ASKING.finditer(text)] + QUOTED.findall(text)
    return [word.casefold().strip(" .!?") for word in words]


def is_taken(word: str) -> bool:
    """Return whether an answer of this word would stop us, or call nobody in particular: 0."""
    return word in STOPS or word == "0" or word == "start"


@pytest.mark.parametrize(("key", "text"), [p for p in EVERY if p.values[0] not in TELLS])
def test_no_line_invites_an_opt_out_word_or_zero(key: str, text: str) -> None:
    assert not [word for word in invited(text) if is_taken(word)]
    assert not re.search(r"(?<![\w{])0(?![\w}])", text)


@pytest.mark.parametrize(("key", "text"), LABELS)
def test_no_quick_reply_is_an_opt_out_word_or_zero(key: str, text: str) -> None:
    assert not is_taken(text.casefold().strip(" .!?"))


def test_the_way_back_is_named_once() -> None:
    for locale in CATALOGUE.texts:
        assert "START" in CATALOGUE.texts[locale]["consent.stopped"]["default"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Reply STOP to end this.", True),
        ("Reply with 0 for a person.", True),
        ("Say “cancel” and I'll call it off.", True),
        ("Responde BAJA para no recibir más.", True),
        ("Escribe «parar» y lo dejamos.", True),
        ("You can also say skip.", False),
        ("Reply with a number.", False),
        ("Shall I call it off?", False),
    ],
)
def test_the_scan_finds_what_it_should(text: str, found: bool) -> None:
    assert any(is_taken(word) for word in invited(text)) is found


@pytest.mark.parametrize(
    ("key", "text"),
    [
        p
        for p in LABELS
        if p.values[0] not in {"zero.person", "fallback.person", "person.yes", "voice.wants_person"}
    ],
)
def test_no_label_calls_a_person_by_accident(key: str, text: str) -> None:
    assert not HUMAN.asked(text)
