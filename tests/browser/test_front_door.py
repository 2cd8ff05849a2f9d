"""From the widget to the console and back, against a whole running server.

Blocking is allowed because the first test to ask starts that server.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from playwright.async_api import Route, expect

from app.simulator.openai_api import Script, ScriptedModel
from tests.browser.front_door import Chat, Desk, Door, before
from tests.channels.serving import serve
from tests.live import Live, with_model

pytestmark = [pytest.mark.browser, pytest.mark.allow_blocking, pytest.mark.timeout(300)]

TRIAL = "How long is the free trial?"
LASTS = "The free trial lasts 14 days"
BUY = "You can buy at any moment under Settings > Billing > Plan"
EXTENDED = "A trial can be extended once, by 7 days"


@pytest.fixture
async def door(live: Live) -> AsyncIterator[Door]:
    async with before(live) as opened:
        yield opened


@dataclass
class Talking:
    """A server with a language model that says what the test scripts."""

    door: Door
    model: ScriptedModel

    async def number(self, sentence: str) -> int:
        """Return the number under which the model is shown the passage with this sentence."""
        async with self.door.live.client() as http:
            shown = (await http.post("/explain", json={"text": TRIAL})).json()["passages"]
        (number,) = (n for n, p in enumerate(shown, 1) if sentence in p["text"])
        return number

    async def cited(self, *sentences: str) -> str:
        """Return these sentences of the handbook as a model cites them."""
        return " ".join([f"{s} [{await self.number(s)}]." for s in sentences])


@pytest.fixture
async def talking() -> AsyncIterator[Talking]:
    model = ScriptedModel()
    async with serve(model.app) as url:
        with contextlib.ExitStack() as stack:
            live = await asyncio.to_thread(stack.enter_context, with_model(url))
            async with before(live) as door:
                yield Talking(door, model)
            model.release()
            await asyncio.to_thread(stack.close)


async def authors(live: Live, conversation: str) -> list[str]:
    """Return who wrote each message, oldest first."""
    async with live.client() as http:
        answer = await http.get(f"/conversations/{conversation}/messages")
    return [message["author"] for message in answer.json()["messages"]]


# ---------------------------------------------------------------- without a model


async def test_a_cited_answer_a_follow_up_and_a_reload(door: Door) -> None:
    chat = await door.visitor()
    await chat.say(TRIAL)
    await expect(chat.answers).to_have_count(1)
    chip = chat.answers.last.get_by_role("button", name="Source 1: Free trial")
    await chip.click()
    card = chat.page.get_by_role("group", name="Source 1", exact=True)
    await expect(card).to_contain_text("Free trial")
    await expect(card.locator("q")).to_contain_text("trial")

    await chat.say("What does the Starter plan cost per seat when we pay for the whole year?")
    await expect(chat.answers).to_have_count(2)
    await expect(chat.answers.last).to_contain_text("$10")
    await chat.say("And on Enterprise?")
    await expect(chat.answers).to_have_count(3)
    await expect(chat.answers.last).to_contain_text("$49")
    said = await chat.texts()

    await chat.page.reload()
    await chat.open()
    await expect(chat.answers).to_have_count(3)
    assert await chat.texts() == said
    await chat.say("Do I need a payment card for the trial?")
    await expect(chat.answers).to_have_count(4)
    assert (await chat.texts())[:-2] == said


async def test_two_tabs_of_one_visitor_show_one_conversation(door: Door) -> None:
    window = await door.window()
    first, second = Chat(await door.tab(window, "/")), Chat(await door.tab(window, "/"))
    await first.open()
    await second.open()
    await first.say(TRIAL)
    await expect(first.answers).to_have_count(1)
    await expect(second.answers).to_have_count(1)
    await second.say("How do I export a board?")
    await expect(second.answers).to_have_count(2)
    await expect(first.answers).to_have_count(2)
    assert await first.texts() == await second.texts()
    assert await first.conversation() == await second.conversation()
    assert (await authors(door.live, await first.conversation())) == ["customer", "bot"] * 2


# ---------------------------------------------------------------- a person


async def test_anger_reaches_a_person_and_the_person_the_customer(door: Door) -> None:
    mark = f"order {uuid4().hex[:8]}"
    chat, maya = await door.visitor(), await door.csm()
    rows = await maya.find("Needs a person", mark)
    await expect(maya.page.get_by_text("Nothing found")).to_be_visible()

    await chat.say(f"This is outrageous! Third time you lost {mark}, you are all useless!")
    await expect(chat.answers.last).to_contain_text("I've asked a person on our team")
    await expect(chat.page.get_by_text("A person will join you")).to_be_visible()
    await expect(rows).to_have_count(1)
    clock = rows.locator(".wait")
    await expect(clock).to_contain_text(re.compile(r"(Waiting|Re-alerted|Breached) \d+:\d\d"))
    shown = await clock.inner_text()
    await expect(clock).not_to_have_text(shown)

    await rows.click()
    asked = maya.thread.get_by_role("region", name="Handoff")
    await expect(asked).to_contain_text(re.compile("ang(er|ry)", re.IGNORECASE))
    await maya.press("Claim")
    await expect(chat.log.locator(".line").last).to_contain_text("Maya from")
    await expect(chat.page.get_by_role("heading", name="Maya Okafor")).to_be_visible()
    await expect(rows).to_have_count(0)

    await maya.reply("I'm sorry, I'm looking for it now.")
    await expect(chat.answers.last).to_contain_text("I'm looking for it now.")
    await expect(chat.answers.last.locator(".meta")).to_contain_text("Maya Okafor")
    await chat.say(TRIAL)
    await expect(maya.transcript.get_by_text(TRIAL)).to_be_visible()
    await maya.reply("Found it. The bot can tell you about the trial.")
    await expect(chat.page.get_by_text("A person answers you here, not the AI.")).to_be_visible()
    await maya.press("Hand back")
    await expect(chat.log.locator(".line").last).to_contain_text("Maya has left")
    await expect(chat.page.get_by_text("An AI answers from the docs.")).to_be_visible()
    await chat.say(TRIAL)
    source = chat.answers.last.get_by_role("button", name="Source 1: Free trial")
    await expect(source).to_be_visible()
    assert await authors(door.live, await chat.conversation()) == [
        *("customer", "bot", "system"),
        *("csm", "customer", "csm", "system"),
        *("customer", "bot"),
    ]


async def test_two_csms_race_for_a_claim_and_one_is_told(door: Door) -> None:
    door.expected += "|409"
    chat = await door.visitor()
    await chat.say("I want to talk to a person")
    await expect(chat.answers.last).to_contain_text("asked a person")
    conversation = await chat.conversation()
    maya, noah = await door.csm(), await door.csm("noah")
    both: tuple[Desk, Desk] = (maya, noah)
    await asyncio.gather(*(desk.open(conversation) for desk in both))
    maya_has_it = asyncio.Event()

    async def hold(route: Route) -> None:
        await maya_has_it.wait()
        await route.continue_()

    await noah.page.route("**/claim", hold)
    async with noah.page.expect_request("**/claim"):
        await noah.press("Claim")
    await maya.press("Claim")
    await expect(maya.thread.get_by_text("You have it")).to_be_visible()
    maya_has_it.set()
    await expect(noah.page.get_by_role("alert")).to_contain_text("Maya Okafor")
    await expect(noah.thread.get_by_text("Maya Okafor has it")).to_be_visible()
    await expect(noah.thread.get_by_label("Reply to the customer")).to_be_hidden()
    await expect(chat.log.locator(".line")).to_have_count(1)
    await expect(chat.page.get_by_role("heading", name="Maya Okafor")).to_be_visible()


# ---------------------------------------------------------------- with a model


async def test_a_cited_answer_streams_in_and_the_final_one_replaces_it(talking: Talking) -> None:
    talking.model.say(Script(text=await talking.cited(LASTS, BUY, EXTENDED), delay=0.25))
    chat = await talking.door.visitor()
    await chat.say(TRIAL)
    await expect(chat.draft).to_contain_text(LASTS)
    await expect(chat.answers).to_have_count(0)
    await expect(chat.answers).to_have_count(1)
    await expect(chat.draft).to_have_count(0)
    bubble = chat.answers.locator(".b")
    for sentence in (LASTS, BUY, EXTENDED):
        await expect(bubble).to_contain_text(sentence)
    await expect(bubble.get_by_role("button", name="Source")).to_have_text(["1", "2", "3"])
    await bubble.get_by_role("button", name="Source 2").click()
    card = chat.page.get_by_role("group", name="Source 2", exact=True)
    await expect(card).to_contain_text("Buy during the trial")
    await expect(card.locator("q")).to_have_text(f"{BUY}.")
    chip = chat.answers.get_by_role("button", name="Source 2: Free trial › Buy during the trial")
    await expect(chip).to_contain_text("Buy during the trial")


async def test_without_words_from_the_model_the_docs_answer(talking: Talking) -> None:
    for failing in (Script(status=500), Script(hang_after=0)):
        talking.model.say(failing)
        chat = await talking.door.visitor()
        await chat.say(TRIAL)
        await expect(chat.answers).to_have_count(1)
        source = chat.answers.get_by_role("button", name="Source 1: Free trial")
        await expect(source).to_be_visible()
    assert len(talking.model.requests) == 2


async def test_a_claim_while_the_model_writes_silences_the_bot(talking: Talking) -> None:
    talking.model.say(Script(text=await talking.cited(LASTS, BUY, EXTENDED), delay=0.5))
    chat = await talking.door.visitor()
    maya = await talking.door.csm()
    await chat.say(TRIAL)
    await expect(chat.draft).to_contain_text(LASTS)
    await maya.open(await chat.conversation())
    await maya.press("Claim")
    await expect(chat.log.locator(".line")).to_contain_text("Maya from")
    await expect(chat.draft).to_have_count(0)
    dropped = maya.transcript.get_by_text("The bot's answer was not sent")
    while not await dropped.count():
        await asyncio.sleep(0.5)
        await maya.open(await chat.conversation())
    await maya.reply("Hello, it is 14 days.")
    await expect(chat.answers).to_have_count(1)
    await expect(chat.answers).to_contain_text("Hello, it is 14 days.")
    await expect(chat.draft).to_have_count(0)
    told = await authors(talking.door.live, await chat.conversation())
    assert told == ["customer", "system", "csm"]
