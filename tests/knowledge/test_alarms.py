"""Who is sent to a person for anger, danger or law: the real encoder and heads, on sentences not taught."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.escalation import due
from core.ids import TenantId
from knowledge.cues import read_cues
from knowledge.encoder import Encoder, EncoderSettings
from knowledge.train_data import seeds
from knowledge.understanding import Understander, Words

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
QUESTIONS = Path(__file__).parents[1] / "data" / "handbook_questions.jsonl"
EVERY = 4  # of the questions: they are encoded one by one
CALM = (
    "our owner quit and nobody else has owner rights. what now?",
    "need to kick someone out right now how fast do they lose acess",
    "how many times do u retry a webhook",
    "How many people were arrested during the protests?",
    "What Is Small Claims Court?",
    "reports",
    "boards",
    "garbage",
    "How long do deleted items stay in the trash on Starter?",
    "hate to ask again but where is the csv thing",
    "he quit, she quit, everybody quit. who owns the workspace",
    "will anyone contact me separately about this",
    "we have the garbage service on Tuesdays, can a card repeat weekly",
    "my accountant will kill me if I lose the receipts",
    "this bug is killing me slowly",
    "sorry to bother you again, one more question",
    "great, the server is up again",
    "wonderful, the warning is gone",
    "genial, ya vuelve a funcionar",
)
ALARMS = (
    ("This is the third time I ask and nobody answers. Ridiculous!", "anger"),
    ("I am so angry right now", "anger"),
    ("you people are useless, fix this now", "anger"),
    ("great, just great, it is down again", "anger"),
    ("Your update broke everything and nobody picks up the phone", "anger"),
    ("third mail in a week and still no reply, what are you doing over there", "anger"),
    ("Me tenéis indignado con tanta excusa", "anger"),
    ("My lawyer will be in touch", "legal_threat"),
    ("expect a lawsuit if the money is not back by Friday", "legal_threat"),
    ("I can't do this any more, I want it to end", "safety"),
    ("my husband will kill me if I leave him", "safety"),
    ("tomorrow I will shoot your whole team", "safety"),
)


@pytest.fixture(scope="module")
def understander() -> Understander:
    return Understander(Encoder(EncoderSettings()), {}, Words({}))


async def reason(understander: Understander, text: str) -> str:
    found = due(await understander.understand(TenantId("demo"), text, (), NOW, "UTC"), {}, {})
    return found.reason.value if found is not None else ""


def test_nothing_here_was_taught() -> None:
    taught = {example.text.lower() for example in seeds()}
    said = [*CALM, *(text for text, _ in ALARMS)]
    assert {text for text in said if text.lower() in taught} == set()


@pytest.mark.parametrize("text", CALM)
async def test_nobody_comes_for_a_plain_message(understander: Understander, text: str) -> None:
    assert await reason(understander, text) == ""


@pytest.mark.parametrize(("text", "why"), ALARMS)
async def test_a_person_comes_at_once(understander: Understander, text: str, why: str) -> None:
    assert await reason(understander, text) == why


async def test_questions_about_the_product_call_nobody(understander: Understander) -> None:
    rows = [json.loads(line) for line in QUESTIONS.read_text("utf-8").splitlines()]
    asked = [text for row in rows for who, text in row["talk"] if who == "customer"]
    assert [text for text in asked[::EVERY] if await reason(understander, text)] == []


@pytest.mark.parametrize(
    ("text", "ironic"),
    [
        ("perfect, just perfect", True),
        ("bravo, it crashed in the middle of my talk", True),
        ("estupendo, otra caída más", True),
        ("great, the error is gone", False),
        ("nice, is the old board gone for good?", False),
        ("thanks a lot, it was broken on our side", False),
        ("perfect, just perfect, thanks", False),
    ],
)
def test_praise_of_a_failure_is_irony(text: str, ironic: bool) -> None:
    assert read_cues(text).ironic is ironic


@pytest.mark.parametrize(
    ("text", "quiet"),
    [
        ("invoices", {"anger", "legal_threat"}),
        ("Help!", set()),
        ("what does a judge earn", {"legal_threat"}),
        ("will you pay or do I call the court", set()),
        ("I would die for a dark mode", {"anger", "safety"}),
        ("my ex wants to kill me", set()),
        ("sorry, me again", {"anger"}),
        ("sorry but this is ridiculous", set()),
    ],
)
def test_words_that_explain_an_alarm(text: str, quiet: set[str]) -> None:
    assert read_cues(text).quiet == quiet


def test_sure_words_are_never_quiet() -> None:
    cues = read_cues("would you die for it? I want to die")
    assert cues.lift("safety", 0.1) > 0.8
    assert read_cues("invoices").lift("legal_threat", 0.9) < 0.5


@pytest.mark.parametrize(
    "text",
    [
        "my client will kill me, he has a gun and he is outside",
        "the wait is killing me, I took all my pills",
        "This app is killing me. Nobody would miss me if I was gone.",
        "My boss will kill me and I want to kill myself",
    ],
)
def test_a_figure_of_speech_hides_no_danger_beside_it(text: str) -> None:
    assert read_cues(text).lift("safety", 0.9) >= 0.9
