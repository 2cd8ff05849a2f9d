"""The simulator's page in a real Chromium, over the real adapters and a door that only notes what came."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import ConsoleMessage, Locator, Page, expect

from core.clock import FrozenClock
from core.ids import ConversationId
from core.messages import ConsentChange, Inbound, QuickReply, TeamAction, TeamCard
from tests.app.simulator.rig import ALERTS, HELP, JORDAN, MAIL, Rig, running

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=alert(1)> *bold* <https://a.example|here> & `code`"


@pytest.fixture
async def rig(clock: FrozenClock, page: Page) -> AsyncIterator[Rig]:
    """A simulator whose page is open; whatever the page complains of fails the test."""
    troubles: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        told = "503 (Service Unavailable)" in message.text  # shown to the reader too
        troubles.extend([message.text] * (message.type == "error" and not told))

    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", hear)
    page.on("dialog", lambda dialog: troubles.append(f"dialog: {dialog.message}"))
    async with running(clock) as made:
        await page.goto(f"{made.url}/simulator")
        await expect(page.get_by_label("Connection")).to_have_text("live")
        yield made
        assert troubles == []
        await page.goto("about:blank")


def phone(page: Page) -> Locator:
    return page.get_by_role("region", name="Phone")


def mailbox(page: Page) -> Locator:
    return page.get_by_role("region", name="Mailbox")


def slack(page: Page) -> Locator:
    return page.get_by_role("region", name="Slack")


async def write_text(page: Page, body: str) -> None:
    await phone(page).get_by_role("textbox", name="Text message").fill(body)
    await page.keyboard.press("Enter")


# ---------------------------------------------------------------- phone


async def test_a_text_goes_out_and_its_answer_offers_choices(rig: Rig, page: Page) -> None:
    await write_text(page, "Can I book?")
    await expect(phone(page).locator(".text.out")).to_contain_text("Can I book?")
    await rig.send(
        "sms",
        JORDAN,
        "Which one?",
        quick_replies=(QuickReply("Ten", "10"), QuickReply("Noon", "12")),
    )
    answer = phone(page).locator(".text.in")
    await expect(answer).to_contain_text("Which one?")
    await expect(answer).to_contain_text("delivered ✓✓")
    await phone(page).get_by_role("button", name="2 Noon").click()
    await rig.until(lambda: any(getattr(e, "text", "") == "2" for e in rig.events))
    await expect(phone(page).get_by_role("button", name="2 Noon")).to_have_count(0)


async def test_a_keyword_is_one_press(rig: Rig, page: Page) -> None:
    await phone(page).get_by_role("button", name="STOP", exact=True).click()
    await expect(phone(page).locator(".text.out")).to_contain_text("STOP")
    assert [type(event) for event in rig.events] == [ConsentChange]


async def test_a_phone_that_is_off_says_what_was_not_delivered(rig: Rig, page: Page) -> None:
    await phone(page).get_by_label("Make Twilio fail").click()
    await phone(page).get_by_role("switch", name="This phone is switched off").check()
    await expect(phone(page).get_by_text("This phone is switched off").last).to_be_visible()
    await rig.send("sms", JORDAN, "Are you there?")
    await expect(phone(page).locator(".text.in")).to_contain_text("not delivered (30003)")


async def test_another_phone_is_another_person(rig: Rig, page: Page) -> None:
    await phone(page).get_by_label("Add a phone number").first.click()
    await phone(page).get_by_role("textbox", name="Add a phone number").fill("+1 202 555 0199")
    await page.keyboard.press("Enter")
    await expect(phone(page).get_by_label("Phone", exact=True)).to_have_value("+12025550199")
    await write_text(page, "Hello")
    await rig.until(lambda: rig.events)
    (event,) = rig.events
    assert isinstance(event, Inbound)
    assert event.sender == "+12025550199"


async def test_a_refused_text_is_said_so_and_kept(rig: Rig, page: Page) -> None:
    rig.refuse = 503
    await write_text(page, "Hello")
    await expect(page.get_by_role("status").filter(has_text="Not done")).to_contain_text("503")
    await expect(phone(page).get_by_role("textbox", name="Text message")).to_have_value("Hello")


# ---------------------------------------------------------------- mailbox


async def test_a_mail_its_answer_and_a_reply_are_one_thread(rig: Rig, page: Page) -> None:
    await mailbox(page).get_by_role("button", name="New mail").click()
    await mailbox(page).get_by_label("Subject").fill("Invite")
    await mailbox(page).get_by_label("Message", exact=True).fill("How do I invite?")
    await mailbox(page).get_by_role("button", name="Send").click()
    await expect(mailbox(page).locator(".thread")).to_have_count(1)
    (letter,) = rig.simulator.mailbox(MAIL)
    await rig.send(
        "email",
        MAIL,
        "Open **Settings**.",
        conversation_id=ConversationId("cnv_7"),
        thread=letter.message_id,
        references=(letter.message_id,),
        subject="Invite",
    )
    thread = mailbox(page).locator(".thread")
    await expect(thread).to_contain_text("Open Settings.")
    await thread.click()
    html = mailbox(page).frame_locator("iframe")
    await expect(html.locator("strong")).to_have_text("Settings")
    await mailbox(page).get_by_role("textbox", name="Reply").fill("Thanks!")
    await mailbox(page).get_by_role("button", name="Send").click()
    await expect(mailbox(page).locator(".mail")).to_have_count(3)
    event = rig.events[-1]
    assert isinstance(event, Inbound)
    assert (event.text, event.conversation_id) == ("Thanks!", "cnv_7")


async def test_a_mails_html_is_caged(rig: Rig, page: Page) -> None:
    await rig.send("email", MAIL, "Hello", subject="Hi")
    await mailbox(page).locator(".thread").click()
    frame = mailbox(page).locator("iframe")
    assert await frame.get_attribute("sandbox") == "allow-same-origin allow-popups"
    await expect(mailbox(page).frame_locator("iframe").locator("body")).to_contain_text("Hello")
    await mailbox(page).get_by_role("button", name="Show text").click()
    await expect(frame).to_have_count(0)
    await expect(mailbox(page).locator(".mail")).to_contain_text("Hello")


# ---------------------------------------------------------------- Slack


async def raise_alert(rig: Rig) -> None:
    card = TeamCard(
        title="Ana needs a person",
        text="They ask about SSO",
        conversation_id=ConversationId("cnv_9"),
        fields=(("Channel", "slack"),),
        transcript=(("customer", "hello"),),
        buttons=("claim", "resolve"),
    )
    await rig.send("slack", ALERTS, "", card=card)


async def test_a_mention_is_answered_in_its_thread(rig: Rig, page: Page) -> None:
    await slack(page).get_by_role("textbox", name="Slack message").fill("@usher hello")
    await page.keyboard.press("Enter")
    entry = slack(page).get_by_role("article")
    await expect(entry.locator(".mention")).to_have_text("@usher")
    ts = str(rig.simulator.channel(HELP)[-1]["ts"])
    await rig.send("slack", HELP, "Hi **Ana**", thread=f"slack:T0USHER:{HELP}:{ts}")
    await slack(page).get_by_role("button", name="1 reply").click()
    await expect(entry).to_have_count(2)
    await expect(entry.last.locator("strong")).to_have_text("Ana")


async def test_the_team_acts_on_an_alert(rig: Rig, page: Page) -> None:
    await raise_alert(rig)
    await slack(page).get_by_role("button", name="#cs-alerts").click()
    card = slack(page).locator(".card")
    await expect(card.get_by_role("heading")).to_have_text("Ana needs a person")
    await expect(card.locator(".fields")).to_contain_text("Channel")
    await slack(page).get_by_label("Write as").select_option("U0NOAH")
    await card.get_by_role("button", name="Claim").click()
    await rig.until(lambda: len(rig.events) == 1)
    await card.get_by_role("button", name="Resolve").click()
    dialog = page.get_by_role("dialog", name="Resolve this conversation?")
    await dialog.get_by_role("button", name="Not yet").click()
    await card.get_by_role("button", name="Resolve").click()
    await dialog.get_by_role("button", name="Resolve").click()
    await rig.until(lambda: len(rig.events) == 2)
    actions = [e for e in rig.events if isinstance(e, TeamAction)]
    assert [(e.kind, e.actor) for e in actions] == [("claim", "U0NOAH"), ("resolve", "U0NOAH")]


async def test_a_note_is_written_under_an_alert(rig: Rig, page: Page) -> None:
    await raise_alert(rig)
    await slack(page).get_by_role("button", name="#cs-alerts").click()
    await slack(page).locator(".entry").hover()
    await slack(page).get_by_role("button", name="Reply in thread").click()
    await slack(page).get_by_role("textbox", name="Slack message").fill("// ask sales")
    await page.keyboard.press("Enter")
    await rig.until(lambda: rig.events)
    (event,) = rig.events
    assert isinstance(event, TeamAction)
    assert (event.kind, event.text, event.actor) == ("note", "ask sales", "U0MAYA")


# ---------------------------------------------------------------- the page itself


async def test_what_people_write_stays_text(rig: Rig, page: Page) -> None:
    await write_text(page, HOSTILE)
    await expect(phone(page).locator(".text.out p")).to_have_text(HOSTILE)
    await slack(page).get_by_role("textbox", name="Slack message").fill(HOSTILE)
    await page.keyboard.press("Enter")
    said = slack(page).locator(".entry .said")
    await expect(said).to_contain_text("<img src=x onerror=alert(1)>")
    await expect(said.locator("strong")).to_have_text("bold")
    await expect(page.locator("img")).to_have_count(0)


async def test_failures_are_ordered_and_cleared(rig: Rig, page: Page) -> None:
    menu = slack(page).get_by_label("Make Slack fail")
    await menu.click()
    await slack(page).get_by_role("button", name="Too many requests (429)").click()
    await expect(slack(page).locator(".badge")).to_have_text("1")
    assert rig.simulator.switches["slack"].waiting == 1
    await menu.click()
    await slack(page).get_by_role("button", name="Work again").click()
    await expect(slack(page).locator(".badge")).to_be_hidden()


async def test_on_a_phone_the_panes_are_tabs(rig: Rig, page: Page) -> None:
    await page.set_viewport_size({"width": 390, "height": 844})
    tabs = page.get_by_role("navigation", name="Channels")
    await expect(phone(page)).to_be_visible()
    await expect(slack(page)).to_be_hidden()
    await rig.send("slack", HELP, "Hello")
    tab = tabs.get_by_role("button", name="Slack")
    await expect(tab.locator("i")).to_be_visible()
    for name in ("Web", "Mail", "Slack"):
        await tabs.get_by_role("button", name=name).click()
        assert await page.evaluate("document.documentElement.scrollWidth") == 390
    await expect(slack(page)).to_be_visible()
    await expect(tab.locator("i")).to_be_hidden()


async def test_every_control_has_a_name(rig: Rig, page: Page) -> None:
    nameless = await page.evaluate(
        """() => [...document.querySelectorAll("button, select, input, textarea, summary, iframe, a")]
        .filter((node) => !(node.getAttribute("aria-label") || node.title || node.textContent.trim()
          || node.labels?.length))
        .map((node) => node.outerHTML)"""
    )
    assert nameless == []


# ---------------------------------------------------------------- WhatsApp


async def test_whatsapp_has_buttons_a_window_and_templates(rig: Rig, page: Page) -> None:
    pane = phone(page)
    await pane.get_by_role("button", name="WhatsApp", exact=True).click()
    await expect(pane.locator(".peer")).to_contain_text("window closed")
    await pane.get_by_role("textbox", name="WhatsApp message").fill("Can I *book*?")
    await page.keyboard.press("Enter")
    await rig.until(lambda: rig.events)
    await expect(pane.locator(".text.out b")).to_have_text("book")
    await rig.send("whatsapp", JORDAN, "A person?", quick_replies=(QuickReply("Yes", "yes"),))
    await pane.get_by_role("button", name="Yes").click()
    await rig.until(lambda: any(getattr(e, "text", "") == "yes" for e in rig.events))
    await expect(pane.locator(".text.in")).to_contain_text("read ✓✓")
    # what was said by text message is elsewhere
    await pane.get_by_role("button", name="Texts", exact=True).click()
    await expect(pane.locator(".text")).to_have_count(0)
