from collections import Counter

import pytest

import handlers
from core.contracts import HandlerSpec
from core.discovery import discover

SPECS = discover(handlers.__name__, HandlerSpec)
INTENTS = [(spec, intent) for spec in SPECS.values() for intent in spec.intents]
SPANISH = ("¿", "á", "é", "í", "ó", "ú", "ñ", "qu", "hola", "gracias", "olvida", "nos ", "todo")


def test_the_handlers_are_found() -> None:
    assert {"answer", "book", "escalate", "fallback", "memory", "small_talk"} <= set(SPECS)


def test_no_intent_belongs_to_two_handlers() -> None:
    assert max(Counter(intent for _, intent in INTENTS).values()) == 1


@pytest.mark.parametrize(("spec", "intent"), INTENTS, ids=lambda v: getattr(v, "name", v))
def test_every_intent_has_examples_in_both_languages(spec: HandlerSpec, intent: str) -> None:
    phrases = spec.examples[intent]
    assert 8 <= len(phrases) <= 20
    assert len(set(phrases)) == len(phrases)
    assert any(mark in phrase.lower() for phrase in phrases for mark in SPANISH)


def test_no_phrase_means_two_things() -> None:
    said = Counter(phrase.lower() for spec, intent in INTENTS for phrase in spec.examples[intent])
    assert [phrase for phrase, count in said.items() if count > 1] == []


def test_only_declared_intents_have_examples() -> None:
    assert all(set(spec.examples) == set(spec.intents) for spec in SPECS.values())
