"""Zero or a person, silence after STOP, and who is speaking after a person had the word."""

from typing import Any

import pytest

from app.store.models import handoffs, messages, outbox
from core.contracts import Context, HandlerSpec
from core.conversations import HandoffReason
from core.messages import Author, ConsentChange
from core.outcomes import Outcome, Turn
from handlers._shared.lines import YamlLines
from tests.path.harness import INBOX, MAYA, TENANT, Path, PlainLines, echo, hand_over, path

CATALOGUE = YamlLines(slots={"brand": "us", "bot": "Usher"})
ZERO = "[pipeline.zero_or_person]"


@pytest.fixture(autouse=True)
def _real_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pipeline hear the real words, and say keys."""
    monkeypatch.setattr(PlainLines, "variants", lambda _self, key: CATALOGUE.variants(key))


async def ask_how_many(turn: Turn, context: Context) -> Outcome:
    """Ask for a number, and repeat the one that comes."""
    text = "How many seats do you need?" if turn.text == "seats" else f"echo: {turn.text}"
    return Outcome(text)


ASKING = {
    "answer": HandlerSpec("answer", ask_how_many),
    "escalate": HandlerSpec("escalate", hand_over),
}


async def says(usher: Path, *texts: str) -> list[str]:
    """Say these one after the other; returns all that came back."""
    for number, text in enumerate(texts):
        await usher.say(f"m{number}-{text}", text)
        await usher.settle()
    return list(usher.provider.texts())


@pytest.mark.parametrize(
    ("then", "answers", "people"),
    [
        (["zero"], ["echo: 0"], 0),
        (["the number zero"], ["echo: 0"], 0),
        (["cero"], ["echo: 0"], 0),
        (["human"], ["[asked]"], 1),
        (["0"], ["[asked]"], 1),
        (["five"], ["echo: five"], 0),
        # asked once: a later 0 to no question is a call for a person
        (["zero", "0"], ["echo: 0", "[asked]"], 1),
    ],
)
async def test_a_zero_to_how_many_is_asked_about_once(
    database_url: str, then: list[str], answers: list[str], people: int
) -> None:
    async with path(database_url, handlers=ASKING) as usher:
        heard = await says(usher, "seats", "0", *then)
        assert heard == ["How many seats do you need?", ZERO, *answers]
        assert len(await usher.rows(handoffs)) == people


async def test_any_other_zero_calls_a_person(database_url: str) -> None:
    async with path(database_url, handlers=ASKING) as usher:
        assert await says(usher, "hello", "0") == ["echo: hello", "[asked]"]


# ---------------------------------------------------------------- after STOP


async def consents(usher: Path, keyword: str, *, granted: bool) -> None:
    change = ConsentChange("fake", "ann", f"evt-{keyword}", keyword, granted)
    await usher.intake.consent(INBOX, change, None)


async def test_after_stop_nothing_goes_out_and_a_person_knows(database_url: str) -> None:
    async with path(database_url) as usher:
        await consents(usher, "STOP", granted=False)
        assert await says(usher, "how do I export?", "are you there?") == []
        (handoff,) = await usher.rows(handoffs)
        assert handoff["reason"] == HandoffReason.OPTED_OUT
        assert [c.text for c in usher.provider.cards()][-1] == "are you there?"
        assert [m["status"] for m in await usher.rows(messages)] == ["handled", "handled"]


async def test_start_lets_the_bot_answer_again(database_url: str) -> None:
    async with path(database_url) as usher:
        await consents(usher, "STOP", granted=False)
        await consents(usher, "START", granted=True)
        assert await says(usher, "how do I export?") == ["echo: how do I export?"]


async def test_start_after_a_person_was_asked_for_lets_the_bot_go_on(database_url: str) -> None:
    async with path(database_url) as usher:
        await consents(usher, "STOP", granted=False)
        assert await says(usher, "how do I export?") == []
        await consents(usher, "START", granted=True)
        await usher.say("c", "how do I import?")
        await usher.settle()
        assert usher.provider.texts() == ["echo: how do I import?"]
        await usher.say("d", "human")
        await usher.settle()
        (handoff,) = await usher.rows(handoffs)
        assert handoff["reason"] == HandoffReason.ASKED


async def test_danger_is_heard_after_stop_too(database_url: str) -> None:
    async with path(database_url) as usher:
        await consents(usher, "STOP", granted=False)
        assert await says(usher, "I will end it all") == []
        (handoff,) = await usher.rows(handoffs)
        assert (handoff["reason"], handoff["severity"]) == (HandoffReason.SAFETY, "urgent")


async def test_another_address_hears_on(database_url: str) -> None:
    async with path(database_url) as usher:
        await consents(usher, "STOP", granted=False)
        await usher.say("b", "hello", sender="bob")
        await usher.settle()
        assert usher.provider.texts() == ["echo: hello"]


# ---------------------------------------------------------------- who speaks


async def test_the_bot_says_that_it_is_the_bot_again_after_a_person(database_url: str) -> None:
    async with path(database_url) as usher:
        accepted = await usher.say("a", "hello")
        await usher.settle()
        talk = accepted.conversation_id
        await usher.humans.take_over(TENANT, talk, MAYA, "[takeover.joined]")
        await usher.humans.reply(TENANT, talk, MAYA, "Hi, Maya here.")
        await usher.humans.resolve(TENANT, talk, MAYA)
        await usher.settle()
        heard = await says(usher, "one more thing", "and another")
        assert heard[-3:] == [
            "Hi, Maya here.",
            "[disclosure.first] echo: one more thing",
            "echo: and another",
        ]


async def test_every_message_that_goes_out_has_its_author(database_url: str) -> None:
    async with path(
        database_url, handlers={**ASKING, "answer": HandlerSpec("answer", echo)}
    ) as usher:
        accepted = await usher.say("a", "hello")
        await usher.settle()
        talk = accepted.conversation_id
        await usher.humans.take_over(TENANT, talk, MAYA, "[takeover.joined]")
        await usher.humans.reply(TENANT, talk, MAYA, "Hi.")
        await usher.humans.hand_back(TENANT, talk, MAYA, "[takeover.left]")
        await usher.settle()
        said: list[Any] = [
            (o.author, o.author_name, o.text) for o in usher.provider.sent if o.card is None
        ]
        assert said == [
            (Author.BOT, "Usher", "echo: hello"),
            (Author.SYSTEM, None, "[takeover.joined]"),
            (Author.CSM, "Maya", "Hi."),
            (Author.SYSTEM, None, "[takeover.left]"),
        ]
        assert {j["author"] for j in await usher.rows(outbox)} >= {"bot", "csm", "system"}
