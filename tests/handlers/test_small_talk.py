import pytest

from core.effects import Resolve
from handlers import fallback
from handlers.small_talk import HANDLER
from tests.handlers.stand_ins import Talk, effects_of, labels, line


@pytest.mark.parametrize(
    ("text", "intent", "key"),
    [
        ("Hi", "greeting", "small_talk.greeting"),
        ("Are you a bot?", "bot", "small_talk.bot"),
        ("Bye", "goodbye", "small_talk.goodbye"),
        ("Thanks", "thanks", "small_talk.thanks"),
        ("It works now", "solved", "small_talk.solved"),
    ],
)
@pytest.mark.parametrize("locale", ["en", "es"])
async def test_replies_in_kind(text: str, intent: str, key: str, locale: str) -> None:
    outcome = await Talk(HANDLER, locale=locale).says(text, intent)
    assert outcome.text == line(key, locale)


async def test_no_cheer_for_somebody_unhappy() -> None:
    outcome = await Talk(HANDLER).says("Hello?!", "greeting", sentiment=-0.5)
    assert outcome.text == line("small_talk.greeting_unhappy")


async def test_asks_once_whether_an_answer_solved_it() -> None:
    running = Talk(HANDLER, memory={"last_action": "answer"})
    first = await running.says("Thanks", "thanks")
    assert first.text == line("small_talk.thanks_solved")
    assert labels(first) == [line("small_talk.solved_yes"), line("small_talk.solved_no")]
    running.memory["pending"] = None
    second = await running.says("Thanks", "thanks")
    assert second.text == line("small_talk.thanks")


@pytest.mark.parametrize("reply", ["yes", "1", "Yes, solved", "yep"])
async def test_yes_it_solved_it_closes(reply: str) -> None:
    running = Talk(HANDLER, memory={"last_action": "answer"})
    await running.says("Thanks", "thanks")
    outcome = await running.says(reply)
    assert effects_of(outcome, Resolve) == [Resolve(confirmed=True)]


@pytest.mark.parametrize("reply", ["no", "2", "Not yet", "not really"])
async def test_no_it_did_not_offers_a_person(reply: str) -> None:
    running = Talk(HANDLER, memory={"last_action": "answer"})
    await running.says("Thanks", "thanks")
    outcome = await running.says(reply)
    assert outcome.text == line("small_talk.not_solved")
    assert not effects_of(outcome, Resolve)
    assert (await running.says("yes")).next == "escalate"


async def test_the_fallback_asks_once_then_offers_then_hands_over() -> None:
    running = Talk(fallback.HANDLER)
    first = await running.says("asdf")
    assert first.text == line("fallback.ask")
    assert len(labels(first)) == 3
    second = await running.says("qwer")
    assert second.text == line("fallback.again")
    third = await running.says("zxcv")
    assert (third.text, third.next) == (None, "escalate")
