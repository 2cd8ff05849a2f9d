"""What holds for every handler: examples that are understood, and words that are ours or the docs'."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pytest

from app import describe
from core.contracts import Context, HandlerSpec
from core.ids import TenantId
from core.outcomes import Outcome
from core.ports import Lines
from knowledge.encoder import Encoder, EncoderSettings
from knowledge.understanding import Understander, Words
from tests.handlers.stand_ins import (
    LINES,
    NOON,
    FakeAnswers,
    FakeRetriever,
    Talk,
    booking,
    extract,
    fact,
    passage,
)

SPECS = describe.handlers()
EXAMPLES = [
    (spec.name, intent, phrase)
    for spec in SPECS.values()
    for intent in spec.intents
    for phrase in spec.examples[intent]
]
INTENTS = [(spec.name, intent) for spec in SPECS.values() for intent in spec.intents]
SOURCE = passage(1, "Exports are under Settings.")
LETTERS = re.compile(r"[^\W\d_]+")
SPANISH = re.compile(
    r"[¿¡áéíóúñ]|\b(?:hola|gracias|que|quiero|una?|mis?|por|todo|nos|para|buen[oa]s|eres|la|lo|de|sobre|he)\b",
    re.IGNORECASE,
)


# ---------------------------------------------------------------- what is understood


def locale_of(phrase: str) -> str:
    return "es" if SPANISH.search(phrase) else "en"


@pytest.mark.parametrize(("handler", "intent"), INTENTS)
def test_every_intent_has_examples_in_both_languages(handler: str, intent: str) -> None:
    phrases = SPECS[handler].examples[intent]
    assert {locale_of(phrase) for phrase in phrases} == {"en", "es"}
    assert len(phrases) >= 8


@pytest.fixture(scope="module")
def understander(tmp_path_factory: pytest.TempPathFactory) -> Understander:
    """The real understanding over the handlers' own phrases."""
    encoder = Encoder(EncoderSettings(cache_dir=Path(tmp_path_factory.mktemp("encoder"))))
    phrases: dict[str, Sequence[str]] = {
        intent: spec.examples[intent] for spec in SPECS.values() for intent in spec.intents
    }
    return Understander(encoder, phrases, Words(LINES.variants("words.human")))


async def test_every_example_is_understood_as_its_intent(understander: Understander) -> None:
    wrong = []
    for handler, intent, phrase in EXAMPLES:
        understood = await understander.understand(TenantId("demo"), phrase, (), NOON, "UTC")
        name = understood.intent.name if understood.intent else None
        wrong += [(handler, intent, name, phrase)] if name != intent else []
    assert wrong == []


@pytest.mark.parametrize(
    "text",
    [
        "our booking agent is not working",
        "the human resources export",
        "is there an agent for Windows?",
        "how many people can be on a board?",
        "the support person field is empty",
    ],
)
async def test_speaking_of_agents_and_humans_calls_nobody(
    understander: Understander, text: str
) -> None:
    understood = await understander.understand(TenantId("demo"), text, (), NOON, "UTC")
    assert not understood.asks_human
    assert understood.intent is None or understood.intent.name != "human"


# ---------------------------------------------------------------- what is said


@dataclass(slots=True)
class Recorded:
    """The real lines, and what was taken from them."""

    lines: Lines
    said: list[str] = field(default_factory=list)

    def say(self, key: str, locale: str, channel: str = "", **slots: object) -> str:
        self.said.append(self.lines.say(key, locale, channel, **slots))
        return self.said[-1]

    def variants(self, key: str) -> Mapping[str, Sequence[str]]:
        return self.lines.variants(key)


@dataclass(slots=True)
class ListenedTo(Talk):
    """A talk whose lines are recorded."""

    recorded: Recorded = field(default_factory=lambda: Recorded(LINES))

    def _context(self, now: datetime) -> Context:
        return replace(Talk._context(self, now), lines=self.recorded)


def of_our_own(text: str, known: Sequence[str]) -> list[str]:
    """Return the words of a text that stand in nothing known."""
    allowed = {word.lower() for each in known for word in LETTERS.findall(each)}
    return [word for word in LETTERS.findall(text) if word.lower() not in allowed]


def handlers_and_phrases() -> Iterator[tuple[str, str | None, str, str]]:
    for spec in SPECS.values():
        for intent in spec.intents:
            for phrase in spec.examples[intent][::5]:
                yield spec.name, intent, phrase, locale_of(phrase)
        for locale in ("en", "es"):
            yield spec.name, None, "asdf qwerty", locale


ANSWERS = {
    "decline": extract("decline", confidence=0.1),
    "answer": extract("answer", "Exports are under Settings. [1]"),
    "ask_back": extract("ask_back", options=("Exports", "Imports")),
}


@pytest.mark.parametrize("found", ANSWERS)
@pytest.mark.parametrize("proven", [True, False], ids=["proven", "unproven"])
@pytest.mark.parametrize(("name", "intent", "phrase", "locale"), list(handlers_and_phrases()))
async def test_it_says_lines_and_docs_only(
    name: str, intent: str | None, phrase: str, locale: str, proven: bool, found: str
) -> None:
    talk = ListenedTo(
        SPECS[name],
        answers=FakeAnswers(ANSWERS[found]),
        retriever=FakeRetriever((SOURCE,)),
        locale=locale,
        proven=proven,
    )
    talk.calendar.own = (booking("review", NOON.replace(day=6)),)
    talk.facts.facts = (fact("team size", "forty"),)
    outcome = await talk.says(phrase, intent)
    assert isinstance(outcome, Outcome)
    assert outcome.text or outcome.next or outcome.effects
    assert outcome.next is None or outcome.next in SPECS
    docs = (SOURCE.text, SOURCE.title, "Exports", "Imports")
    titles = [kind.title for kind in talk.calendar.types]
    known = [*talk.recorded.said, *docs, *titles, phrase]
    assert of_our_own(outcome.text or "", known) == []
    assert [w for q in outcome.quick_replies for w in of_our_own(q.label, known)] == []


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
async def test_the_same_turn_twice_is_the_same_outcome(spec: HandlerSpec) -> None:
    first = await Talk(spec).says("next Tuesday at 3pm, please")
    second = await Talk(spec).says("next Tuesday at 3pm, please")
    assert first.text == second.text


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
@pytest.mark.parametrize("text", ["", " ", "👍", "?" * 500, "a" * 32_000, "مرحبا", "a\nb\tc", "0"])
async def test_no_text_breaks_it(spec: HandlerSpec, text: str) -> None:
    talk = Talk(spec)
    for _ in range(4):
        outcome = await talk.says(text)
        assert isinstance(outcome, Outcome)


def test_words_of_its_own_are_noticed() -> None:
    assert of_our_own("Sure thing! Exports are under Settings. [1]", [SOURCE.text]) == [
        "Sure",
        "thing",
    ]
