"""A tenant's intents: trained from few phrases, corrected at once, kept over a restart, apart from the handlers'."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from core.ids import TenantId
from core.understanding import Scored
from knowledge.encoder import Encoded, Encoder
from knowledge.own_intents import OwnIntents

SHOP = TenantId("shop")
OTHER = TenantId("other")
HANDLERS = {
    "book": (
        "I'd like to book an onboarding session",
        "Can I schedule a training for my team?",
        "Book me a demo",
        "I need an appointment with a specialist",
    ),
    "about_me": (
        "What do you know about me?",
        "Which data have you stored about me?",
        "Show me everything you keep on me",
        "What have you remembered from our chats?",
    ),
}
PHRASES = {
    "warranty": ["is my mixer under warranty", "how long is the guarantee on the toaster", "warranty claim please",
                 "the kettle broke after a month, is that covered", "repair under warranty"],
    "delivery": ["when does my parcel arrive", "where is my order", "track my package", "has it been shipped yet",
                 "how long does shipping take"],
    "refund": ["I want my money back", "how do I return a blender", "send it back and get a refund",
               "can I return the toaster", "refund for the broken cup"],
    "recipes": ["do you have a recipe for pizza dough", "what can I cook with the steamer", "cake recipe for the mixer",
                "ideas for soup", "how do I make smoothies with it"],
    "stores": ["where is your nearest shop", "opening hours of the Berlin store", "do you have a shop in Munich",
               "is the store open on Sunday", "address of your showroom"],
}  # fmt: skip
STRANGERS = ["what's the weather like", "tell me a joke", "who won the game", "my cat is asleep"]


class CountingEncoder:
    """The real encoder, counting texts, that can be made to fail or to wait."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.texts = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def encode(self, texts: Sequence[str]) -> Encoded:
        await self.gate.wait()
        self.texts += len(texts)
        return await self._encoder.encode(texts)


@pytest.fixture
def counting(encoder: Encoder) -> CountingEncoder:
    return CountingEncoder(encoder)


def intents_of(counting: CountingEncoder, cache: Path | None = None) -> OwnIntents:
    return OwnIntents(counting, HANDLERS, lambda: STRANGERS, cache)


async def ask(
    intents: OwnIntents, counting: CountingEncoder, text: str, tenant: TenantId = SHOP
) -> Scored | None:
    encoded = await counting.encode([text])
    return await intents.intent(tenant, text, encoded.vectors[0], encoded.layers[0])


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("is the toaster still under guarantee", "warranty"),
        ("where is my parcel", "delivery"),
        ("i would like to return the mixer and get my money", "refund"),
        ("a recipe for bread", "recipes"),
        ("is your shop in Berlin open", "stores"),
    ],
)
async def test_five_phrases_are_enough(counting: CountingEncoder, text: str, intent: str) -> None:
    intents = intents_of(counting)
    await intents.teach(SHOP, PHRASES)
    found = await ask(intents, counting, text)
    assert found is not None
    assert found.name == intent
    assert 0.5 <= found.score <= 1


@pytest.mark.parametrize(
    "text", ["what is the capital of Peru", "I like your logo", "my name is Laura", "ok", "ggg"]
)
async def test_what_nobody_taught_is_none_of_these(counting: CountingEncoder, text: str) -> None:
    intents = intents_of(counting)
    await intents.teach(SHOP, PHRASES)
    assert await ask(intents, counting, text) is None


async def test_a_handler_is_still_reached(counting: CountingEncoder) -> None:
    intents = intents_of(counting)
    await intents.teach(SHOP, PHRASES)
    found = await ask(intents, counting, "I'd like to book an onboarding session for my team")
    assert found is not None
    assert found.name == "book"


async def test_a_tenants_own_intent_is_not_shadowed_by_a_handler(
    counting: CountingEncoder,
) -> None:
    intents = intents_of(counting)
    lessons = [
        "book me a cooking demo",
        "I want to book a cooking class",
        "schedule a cooking lesson",
    ]
    await intents.teach(SHOP, {**PHRASES, "lessons": [*lessons, "reserve a place in the class"]})
    found = await ask(intents, counting, "book a cooking class for two")
    assert found is not None
    assert found.name == "lessons"


async def test_tenants_do_not_know_each_others_intents(counting: CountingEncoder) -> None:
    intents = intents_of(counting)
    await intents.teach(SHOP, PHRASES)
    assert await ask(intents, counting, "where is my parcel", OTHER) is None


async def test_a_correction_holds_at_once(counting: CountingEncoder) -> None:
    intents = intents_of(counting)
    await intents.teach(SHOP, PHRASES)
    text = "the lid of the steamer is stuck"
    await intents.teach(SHOP, {**PHRASES, "warranty": [*PHRASES["warranty"], text]})
    found = await ask(intents, counting, text)
    assert found is not None
    assert found.name == "warranty"
    await intents.teach(SHOP, {**PHRASES, "none_of_these": [text]})
    assert await ask(intents, counting, text) is None


async def test_a_correction_encodes_only_what_is_new(counting: CountingEncoder) -> None:
    intents = intents_of(counting)
    await intents.teach(SHOP, PHRASES)
    before = counting.texts
    await intents.teach(SHOP, {**PHRASES, "thanks": ["thank you so much", "cheers"]})
    assert counting.texts == before + 2


async def test_everything_taken_back_leaves_the_handlers(counting: CountingEncoder) -> None:
    intents = intents_of(counting)
    await intents.teach(SHOP, PHRASES)
    await intents.teach(SHOP, {"none": ["hello"]})
    assert not intents.knows(SHOP)
    assert await ask(intents, counting, "where is my parcel") is None
    assert await ask(intents, counting, "Book me a demo") is not None


async def test_the_older_model_serves_while_the_new_one_trains(counting: CountingEncoder) -> None:
    intents = intents_of(counting)
    await intents.prepare()
    await intents.teach(SHOP, PHRASES)
    text = "where is my parcel"
    encoded = await counting.encode([text])
    counting.gate.clear()
    training = asyncio.create_task(intents.teach(SHOP, {"post": ["where is my parcel", "letters"]}))
    await asyncio.sleep(0)
    found = await intents.intent(SHOP, text, encoded.vectors[0], encoded.layers[0])
    assert found is not None
    assert found.name == "delivery"
    counting.gate.set()
    await training
    after = await intents.intent(SHOP, text, encoded.vectors[0], encoded.layers[0])
    assert after is not None
    assert after.name == "post"


async def test_of_two_lessons_at_once_the_last_counts(counting: CountingEncoder) -> None:
    intents = intents_of(counting)
    await asyncio.gather(
        intents.teach(SHOP, PHRASES),
        intents.teach(SHOP, {"post": ["where is my parcel", "letters"]}),
    )
    found = await ask(intents, counting, "where is my parcel")
    assert found is not None
    assert found.name == "post"


async def test_a_restart_trains_nothing_again(counting: CountingEncoder, tmp_path: Path) -> None:
    first = intents_of(counting, tmp_path)
    await first.teach(SHOP, PHRASES)
    text = "is the toaster still under guarantee"
    said = await ask(first, counting, text)
    before = counting.texts
    second = intents_of(counting, tmp_path)
    await second.teach(SHOP, PHRASES)
    assert counting.texts == before
    again = await ask(second, counting, text)
    assert said is not None
    assert again is not None
    assert again.name == said.name
    assert again.score == pytest.approx(said.score, abs=0.01)


async def test_a_broken_cache_is_made_again(counting: CountingEncoder, tmp_path: Path) -> None:
    await intents_of(counting, tmp_path).teach(SHOP, PHRASES)
    (file,) = await asyncio.to_thread(lambda: list(tmp_path.rglob("*.npz")))
    await asyncio.to_thread(file.write_bytes, b"half")
    intents = intents_of(counting, tmp_path)
    await intents.teach(SHOP, PHRASES)
    assert await ask(intents, counting, "where is my order") is not None


async def test_the_cache_keeps_no_text(counting: CountingEncoder, tmp_path: Path) -> None:
    await intents_of(counting, tmp_path).teach(SHOP, PHRASES)
    told = await asyncio.to_thread(_words_in, tmp_path)
    assert "warranty" in told
    assert "toaster" not in told


def _words_in(folder: Path) -> str:
    with np.load(next(folder.rglob("*.npz"))) as kept:
        words = [name for name in kept.files if kept[name].dtype.kind == "U"]
        return " ".join(str(kept[name].tolist()) for name in words)


async def test_a_single_intent_still_refuses_strangers(counting: CountingEncoder) -> None:
    intents = intents_of(counting)
    await intents.teach(SHOP, {"warranty": PHRASES["warranty"]})
    assert await ask(intents, counting, "who won the match yesterday") is None
    found = await ask(intents, counting, "warranty of my toaster")
    assert found is not None
    assert found.name == "warranty"
