"""The console in a real Chromium, over the real store: a shift at the desk and on the phone."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from playwright.async_api import BrowserContext, ConsoleMessage, Page, Route, expect

from core.clock import FrozenClock
from core.conversations import HandoffReason
from tests.app.console.office import CITED, Office, office, serving
from tests.store.scene import DEMO

pytestmark = pytest.mark.browser

DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


@dataclass
class Shift:
    """An office with a browser in it."""

    desk: Office
    host: str
    page: Page
    troubles: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("console", self._hear)
        page.on("dialog", lambda dialog: self.troubles.append(f"dialog: {dialog.message}"))

    def _hear(self, message: ConsoleMessage) -> None:
        # a refusal (409) is an answer of ours, and Chromium says it aloud
        expected = "status of 4" in message.text
        self.troubles += [message.text] * (message.type == "error" and not expected)

    async def sign_in(self, who: str, path: str = "") -> Page:
        page = self.page
        await page.goto(f"http://{self.host}/console{path}")
        await page.get_by_role("button", name=who).click()
        await expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
        shown = {"": ".list", "/c": ".message"}[path[:2]]
        await expect(page.locator(shown).first).to_be_visible()
        return page


@pytest.fixture
async def shift(
    sqlite_url: str, redis_url: str, clock: FrozenClock, browser: BrowserContext, page: Page
) -> AsyncIterator[Shift]:
    async with office(sqlite_url, redis_url, clock) as desk, serving(desk.app) as host:
        opened = Shift(desk, host, page)
        opened.watch(page)
        await page.set_viewport_size(DESK)  # type: ignore[arg-type] # a plain dict
        yield opened
        assert opened.troubles == []
        await page.goto("about:blank")


async def test_a_shift_by_keyboard(shift: Shift) -> None:
    desk = shift.desk
    await desk.says("Just looking", sender="v-1", display_name="Ann Other")
    desk.clock.advance(timedelta(seconds=1))
    accepted = await desk.asks_for_a_person("Fix this now!", sender="+12025550143", channel="sms")
    page = await shift.sign_in("Maya Okafor")

    await expect(page.locator(".row")).to_have_count(2)
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Jordan Lee").first).to_be_visible()
    await expect(page.get_by_label("Handoff", exact=True)).to_contain_text("The customer is angry")
    await expect(page.get_by_text("Claim it to write to the customer")).to_be_visible()

    await page.keyboard.press("c")
    await expect(page.get_by_text("You have it")).to_be_visible()
    reply = page.get_by_label("Reply to the customer")
    await expect(reply).to_be_focused()
    await page.keyboard.type("I am on it.")
    await expect(page.get_by_text("11 characters · 1 SMS segment")).to_be_visible()
    await expect(page.get_by_text("To +12025550143 by SMS")).to_be_visible()
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_role("log")).to_contain_text("I am on it.")
    await expect(reply).to_have_value("")

    await page.keyboard.press("Escape")
    await page.keyboard.press("n")
    await page.keyboard.type("He is right.")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".note")).to_contain_text("Internal note, never sent")

    await desk.scene.sends()
    await desk.changed(accepted)
    await expect(page.locator(".message.csm .delivery")).to_have_text("Sent")
    await desk.says("Thank you!", sender="+12025550143", channel="sms")
    await expect(page.get_by_role("log")).to_contain_text("Thank you!")

    await page.keyboard.press("Escape")
    await page.keyboard.press("h")
    await expect(page.get_by_text("With the bot")).to_be_visible()
    row = await desk.services.reads.inbox_entry(DEMO, accepted.conversation_id)
    assert row.owner is None


async def test_two_claim_and_the_second_is_told(shift: Shift, browser: BrowserContext) -> None:
    accepted = await shift.desk.asks_for_a_person("Fix this now!", display_name="Rae")
    page = await shift.sign_in("Maya Okafor", f"/c/{accepted.conversation_id}")
    await expect(page.get_by_role("button", name="Claim")).to_be_visible()
    pressed = asyncio.Event()

    async def late(route: Route) -> None:  # what the page asks for by itself comes after the press
        if route.request.method == "GET":
            await pressed.wait()
        await route.continue_()

    await page.route("**/console/api/**", late)
    await shift.desk.services.humans.take_over(
        DEMO, accepted.conversation_id, await shift.desk.person("noah"), None
    )
    await page.get_by_role("button", name="Claim").click()
    pressed.set()
    await expect(page.get_by_role("alert")).to_contain_text("Noah Lindqvist has claimed it already")
    await expect(page.get_by_text("You can leave a note")).to_be_visible()
    await expect(page.get_by_role("button", name="Claim")).to_have_count(0)


async def test_what_is_written_survives_what_arrives(shift: Shift) -> None:
    accepted = await shift.desk.asks_for_a_person("Help", display_name="Rae", sender="v-1")
    page = await shift.sign_in("Maya Okafor", f"/c/{accepted.conversation_id}")
    await page.keyboard.press("c")
    reply = page.get_by_label("Reply to the customer")
    await expect(reply).to_be_focused()
    await page.keyboard.type("half a sen")
    await shift.desk.says("are you there?", sender="v-1")
    await expect(page.get_by_role("log")).to_contain_text("are you there?")
    await expect(reply).to_be_focused()
    await page.keyboard.type("tence")
    await page.get_by_role("button", name="Note").click()
    await page.get_by_label("Internal note").fill("a note")
    await page.get_by_role("button", name="Reply").click()
    await expect(reply).to_have_value("half a sentence")


@pytest.mark.parametrize(
    ("press", "expected"), [("Enter", "Half price."), ("edit", "Half price on Pro.")]
)
async def test_a_draft_is_sent_with_one_key_or_edited(
    shift: Shift, press: str, expected: str
) -> None:
    accepted = await shift.desk.scene.says("Discounts?", display_name="Dana")
    await shift.desk.scene.answers(accepted, "Half price.", proposed=True)
    page = await shift.sign_in("Maya Okafor", f"/c/{accepted.conversation_id}")
    draft = page.locator(".proposed")
    await expect(draft).to_contain_text("Proposed reply, not sent")
    actions = {"Enter": lambda: draft.press("Enter"), "edit": lambda: _edit(page, expected)}
    await actions[press]()
    await expect(draft).to_have_count(0)
    await shift.desk.scene.sends()
    sent = await shift.desk.services.reads.transcript(
        DEMO, accepted.conversation_id, customer_view=True
    )
    assert [m.text for m in sent] == ["Discounts?", expected]


async def _edit(page: Page, text: str) -> None:
    await page.get_by_role("button", name="Edit").click()
    await page.get_by_label("Edit the proposed reply").fill(text)
    await page.get_by_role("button", name="Send with changes").click()


async def test_markup_of_customers_is_inert(shift: Shift) -> None:
    evil = (
        "<img src=x onerror=alert(1)><script>alert(2)</script><b>bold</b> [1] javascript:alert(3)"
    )
    name = "<b>Eve</b>"
    accepted = await shift.desk.asks_for_a_person(evil, display_name=name, sender="v-1")
    page = await shift.sign_in("Maya Okafor", f"/c/{accepted.conversation_id}")
    await expect(page.locator(".bubble").first).to_have_text(evil)
    await expect(page.get_by_role("heading", name=name).first).to_be_visible()
    await page.goto(f"http://{shift.host}/console/handoffs")
    await expect(page.locator(".handoff-card")).to_contain_text("<img src=x")
    assert await page.locator("main img, main script, .bubble b").count() == 0


async def test_clocks_run_through_their_bands(shift: Shift) -> None:
    await shift.desk.asks_for_a_person(
        "a person please", HandoffReason.ASKED, display_name="Rae", sender="v-1"
    )
    page = await shift.sign_in("Maya Okafor")
    clock = page.locator(".row .wait")
    await expect(clock).to_contain_text("Waiting 0:0")
    for seconds, words in ((60, "Re-alerted 1:0"), (60, "Breached 2:0")):
        shift.desk.clock.advance(timedelta(seconds=seconds))
        await shift.desk.says("hello", sender="v-2")
        await expect(clock).to_contain_text(words)


async def test_why_it_said_that_and_who_they_are(shift: Shift) -> None:
    accepted = await shift.desk.scene.says("How?", sender="+12025550143", channel="sms")
    await shift.desk.answers(accepted, "Choose Invite. [1]", citations=(CITED,))
    await shift.desk.services.facts.put(DEMO, accepted.contact_id, "team size", "12", "chat", 0.9)
    page = await shift.sign_in("Maya Okafor", f"/c/{accepted.conversation_id}")
    await page.get_by_role("button", name="Why did it say that?").click()
    drawer = page.get_by_role("dialog", name="Why did it say that?")
    await expect(drawer).to_contain_text("Searched for")
    await page.keyboard.press("Escape")
    await expect(drawer).to_have_count(0)

    side = page.get_by_label("Customer", exact=True)
    await expect(side).to_contain_text("Acme Robotics")
    await expect(side).to_contain_text("Proven")
    await page.get_by_role("button", name="Forget team size").click()
    await page.get_by_role("button", name="Forget", exact=True).click()
    await expect(side).to_contain_text("Nothing yet")


async def test_the_bot_is_paused_from_anywhere(shift: Shift) -> None:
    page = await shift.sign_in("Maya Okafor")
    await page.goto(f"http://{shift.host}/console/kpis")
    await page.get_by_role("button", name="Pause the bot").click()
    await page.get_by_role("dialog").get_by_role("button", name="Pause the bot").click()
    await expect(page.get_by_text("The bot is paused. Customers")).to_be_visible()
    assert (await shift.desk.services.directory.policy(DEMO)).paused
    await page.get_by_role("button", name="Resume the bot").click()
    await expect(page.get_by_text("The bot is paused. Customers")).to_have_count(0)
    assert not (await shift.desk.services.directory.policy(DEMO)).paused


async def test_a_viewer_sees_and_cannot_touch(shift: Shift) -> None:
    accepted = await shift.desk.asks_for_a_person("Help", display_name="Rae")
    page = await shift.sign_in("Vera Santos", f"/c/{accepted.conversation_id}")
    await expect(page.get_by_text("Your role is viewer")).to_be_visible()
    await expect(page.get_by_role("button", name="Claim")).to_be_disabled()
    await expect(page.get_by_role("button", name="Pause the bot").first).to_be_disabled()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_fits_a_phone_in_light_and_dark(shift: Shift, scheme: str) -> None:
    accepted = await shift.desk.asks_for_a_person(
        "A" * 90 + " https://example.com/" + "x" * 120, sender="+12025550143", channel="sms"
    )
    page = shift.page
    await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type] # one of two
    await page.set_viewport_size(PHONE)  # type: ignore[arg-type] # a plain dict
    await shift.sign_in("Maya Okafor")
    for path in (
        "",
        f"/c/{accepted.conversation_id}",
        "/handoffs",
        "/knowledge",
        "/kpis",
        "/settings",
    ):
        await page.goto(f"http://{shift.host}/console{path}")
        shown = page.locator(".row:visible, .log:visible, .page-in :visible").first
        await expect(shown).to_be_visible()
        too_wide = await page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert too_wide == 0, path
    await page.goto(f"http://{shift.host}/console/c/{accepted.conversation_id}")
    await page.get_by_role("link", name="Back to the inbox").click()
    await expect(page).to_have_url(re.compile("/console$"))
    await expect(page.locator(".row")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_has_contrast(shift: Shift, scheme: str) -> None:
    """WCAG 2.2 AA, 1.4.3: at least 4.5 to 1 for every text the inbox and a conversation show."""
    accepted = await shift.desk.scene.says("How?", sender="+12025550143", channel="sms")
    await shift.desk.answers(accepted, "Choose Invite. [1]", citations=(CITED,))
    await shift.desk.asks_for_a_person("Now!", sender="+12025550143", channel="sms")
    shift.desk.clock.advance(timedelta(seconds=130))
    page = shift.page
    await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type] # one of two
    await shift.sign_in("Maya Okafor", f"/c/{accepted.conversation_id}")
    await page.keyboard.press("c")
    await expect(page.get_by_text("You have it")).to_be_visible()
    await page.keyboard.type("on it")
    await expect(page.get_by_text("5 characters")).to_be_visible()
    assert await page.evaluate(CONTRAST) == []


# every element with text of its own against the colours painted under it
CONTRAST = """() => {
  const parse = (c) => { const n = c.match(/[\\d.]+/g).map(Number); return c.startsWith("color(")
    ? [n[0] * 255, n[1] * 255, n[2] * 255, n[3] ?? 1] : [n[0], n[1], n[2], n[3] ?? 1]; };
  const over = (a, b) => [0, 1, 2].map((i) => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
  const light = (c) => { const f = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    return 0.2126 * f(c[0]) + 0.7152 * f(c[1]) + 0.0722 * f(c[2]); };
  const painted = (e) => parse(getComputedStyle(e).backgroundColor);
  const ground = (e) => { const seen = []; for (; e; e = e.parentElement) seen.push(painted(e));
    return seen.reverse().reduce((under, c) => over(c, under), [255, 255, 255, 1]); };
  const poor = [];
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.checkVisibility() || e.closest(":disabled, kbd, .skip, noscript")) continue;
    const under = ground(e), text = over(parse(getComputedStyle(e).color), under);
    const [a, b] = [light(text), light(under)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) poor.push(`${e.className || e.tagName}: ${e.textContent.slice(0, 30)} ${ratio.toFixed(2)}`);
  }
  return poor;
}"""
