"""What the widget does now and then, in one real Chromium: forms, files, links, blocked sockets, axe."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from channels._shared.web_links import Link, Resume, issue_link, issue_resume
from core.bookings import Slot
from core.errors import UnavailableError
from core.ids import PassageId
from core.messages import Assurance, Author, QuickReply
from core.ports import Reachable
from core.turns import Citation
from tests.browser.widget_site import (
    DESKTOP,
    FIRST,
    PHONE,
    Visit,
    axe_source,
    chromium,
    open_chat,
    visiting,
    write,
)
from tests.webchat import KEY, TENANT, VISITOR_SECRET

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
AXE = axe_source()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one_browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def visit(one_browser: Browser) -> AsyncIterator[Visit]:
    async with visiting(one_browser) as opened:
        yield opened


async def asks_for_a_person(visit: Visit, page: Page) -> None:
    """Write, and have a person come."""
    await open_chat(page)
    await write(page, "I need a person")
    await visit.desk.take_over(FIRST, "maya")


def own(page: Page) -> Any:
    return page.locator(".me .b")


# ---------------------------------------------------------------- where to reach them


async def test_it_asks_once_where_to_reach_them(visit: Visit) -> None:
    page = await visit.tab()
    await asks_for_a_person(visit, page)
    card = page.get_by_role("region", name="Where can we reach you?")
    await expect(card).to_be_visible()
    await card.get_by_label("Email address").fill("kim@acme")
    await card.get_by_role("button", name="Save").click()
    await expect(card.get_by_role("alert")).to_have_text(
        "We couldn't write to this. Please check it."
    )
    await expect(card.get_by_label("Email address")).to_be_focused()
    await card.get_by_label("Email address").fill("kim@acme.example")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("we'll write to k•••@acme.example")).to_be_visible()
    assert visit.desk.reaches.given == {
        FIRST: Reachable("email", "kim@acme.example", Assurance.CLAIMED)
    }
    await visit.desk.take_over(FIRST, None)
    await visit.desk.take_over(FIRST, "noah")
    await expect(page.get_by_role("dialog", name="Noah")).to_be_visible()
    await expect(card).to_have_count(0)


async def test_by_text_message_or_not_now(visit: Visit) -> None:
    page = await visit.tab()
    await asks_for_a_person(visit, page)
    card = page.get_by_role("region", name="Where can we reach you?")
    await card.get_by_role("button", name="Text message").click()
    number = card.get_by_label("Mobile number, with country code")
    await number.fill("555 0143")
    await card.get_by_role("button", name="Save").click()
    await expect(card.get_by_role("alert")).to_be_visible()
    await card.get_by_role("button", name="Not now").click()
    await expect(card).to_have_count(0)
    await expect(page.get_by_label("Write a message")).to_be_focused()
    await page.reload()
    await open_chat(page)
    await expect(page.get_by_role("dialog", name="Maya")).to_be_visible()
    await expect(card).to_have_count(0)
    assert visit.desk.reaches.given == {FIRST: Reachable("sms", None, Assurance.CLAIMED)}


async def test_a_persons_words_arrive_when_somebody_looks(visit: Visit) -> None:
    page = await visit.tab()
    await open_chat(page)
    await write(page, "hi")
    await page.keyboard.press("Escape")
    await visit.desk.add(FIRST, "Are you there?", Author.CSM, author_name="Maya")
    launcher = page.get_by_role("button", name="Open chat, 1 unread message")
    await expect(launcher).to_be_visible()
    await visit.desk.add(FIRST, "I found it.", Author.CSM, author_name="Maya")
    await expect(page.get_by_role("button", name="2 unread messages")).to_be_visible()
    assert [visit.desk.statuses(FIRST)[seq] for seq in (2, 3)] == ["sent", "sent"]
    await page.locator(".launch").click()
    await expect(page.get_by_text("I found it.")).to_be_visible()
    async with asyncio.timeout(10):
        while visit.desk.statuses(FIRST)[3] != "delivered":  # noqa: ASYNC110 - the page's ack
            await asyncio.sleep(0.01)
    assert [visit.desk.statuses(FIRST)[seq] for seq in (2, 3)] == ["delivered", "delivered"]


# ---------------------------------------------------------------- before the talk


async def test_the_form_before_the_talk(visit: Visit) -> None:
    page = await visit.tab('data-prechat="name email* topic" data-topics="Billing|Setup"')
    await open_chat(page)
    form = page.get_by_role("region", name="Before we start")
    await expect(form.get_by_label("Your name")).to_be_focused()
    await expect(page.get_by_label("Write a message")).to_be_hidden()
    await form.get_by_label("Your name").fill("Kim Ly")
    await form.get_by_role("button", name="Start chatting").click()
    await expect(form.get_by_label("Email address")).to_be_focused()
    await form.get_by_label("Email address").fill("kim@acme.example")
    await form.get_by_label("What is it about?").select_option("Billing")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Write a message")).to_be_focused()
    await page.reload()
    await open_chat(page)
    await expect(form).to_have_count(0)
    await write(page, "My invoice is wrong")
    (said,) = visit.desk.inbound
    assert (said.display_name, said.subject) == ("Kim Ly", "Billing")
    assert [(c.kind, c.value, c.assurance) for c in said.claims] == [
        ("email", "kim@acme.example", Assurance.CLAIMED)
    ]
    await visit.desk.take_over(FIRST, "maya")  # the address is known: nobody asks for it again
    await expect(page.get_by_role("dialog", name="Maya")).to_be_visible()
    await expect(page.get_by_text("Where can we reach you?")).to_have_count(0)
    assert visit.desk.reaches.given[FIRST].address == "kim@acme.example"


async def test_a_form_without_duties_can_be_left_out(visit: Visit) -> None:
    page = await visit.tab('data-prechat="name"')
    await open_chat(page)
    await page.get_by_role("button", name="Not now").click()
    await write(page, "hello")
    assert visit.desk.inbound[0].display_name is None


# ---------------------------------------------------------------- files


async def choose(page: Page, *files: Path) -> None:
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Attach a file").click()
    await (await chooser.value).set_files(list(files))


async def test_a_file_goes_with_a_message_or_alone(visit: Visit, tmp_path: Path) -> None:
    notes, other = tmp_path / "notes.txt", tmp_path / "naïve café.txt"
    notes.write_text("words")
    other.write_text("more")
    page = await visit.tab()
    await open_chat(page)
    await choose(page, notes, other)
    await expect(page.get_by_text("naïve café.txt")).to_be_visible()
    await page.get_by_role("button", name="Remove notes.txt").click()
    await expect(page.get_by_text("notes.txt")).to_have_count(0)
    await page.get_by_role("button", name="Send").click()
    link = page.get_by_role("log").get_by_role("link", name="naïve café.txt")
    await expect(link).to_have_attribute("href", f"http://{visit.host}/files/fil_2")
    await expect(page.locator(".field ~ .files .chip, .files .up")).to_have_count(0)
    (said,) = visit.desk.inbound
    assert (said.text, [a.name for a in said.attachments]) == ("", ["naïve café.txt"])


async def test_files_that_are_not_taken(visit: Visit, tmp_path: Path) -> None:
    virus, large = tmp_path / "virus.exe", tmp_path / "large.png"
    virus.write_bytes(b"MZ")
    large.write_bytes(b"\x89PNG" + bytes(10 * 1024 * 1024))
    page = await visit.tab()
    await open_chat(page)
    await choose(page, virus)
    await expect(page.get_by_text("virus.exe can't be sent")).to_be_visible()
    await choose(page, large)
    await expect(page.get_by_text("large.png is too large: at most 10 MB.")).to_be_visible()
    await expect(page.get_by_role("button", name="Send")).to_have_attribute("aria-disabled", "true")
    assert visit.desk.files.kept == {}


# ---------------------------------------------------------------- taken along


async def test_the_conversation_by_mail(visit: Visit) -> None:
    page = await visit.tab()
    await open_chat(page)
    await write(page, "How do I export?")
    await page.get_by_role("button", name="More options").click()
    await page.get_by_role("menuitem", name="Email this conversation").click()
    card = page.get_by_role("region", name="Where shall we send this conversation?")
    await expect(card.get_by_label("Email address")).to_be_focused()
    await page.keyboard.type("kim@acme.example")
    await page.keyboard.press("Enter")
    await expect(card.get_by_role("alert")).to_have_text("There is nothing to send yet.")
    await visit.desk.add(FIRST, "Open the board and select Export.")
    await card.get_by_role("button", name="Send").click()
    await expect(card).to_have_count(0)
    ((address, text, shown),) = visit.desk.reaches.transcripts
    assert address == "kim@acme.example"
    assert "You (" in text
    assert "Open the board and select Export." in text
    assert shown == "This conversation is on its way to k•••@acme.example."


# ---------------------------------------------------------------- beside the launcher


async def test_a_greeting_beside_the_launcher(visit: Visit) -> None:
    page = await visit.tab('data-greet="Questions about prices?" data-greet-delay="0"')
    bubble = page.get_by_role("button", name="Questions about prices?")
    await bubble.click()
    await expect(page.get_by_role("dialog")).to_contain_text("Questions about prices?")
    assert visit.desk.talks == {}  # shown is not said
    await page.locator("textarea").fill("Yes")
    await page.keyboard.press("Enter")
    await expect(page.locator(".me:not(.wait)")).to_have_count(1)
    assert visit.desk.inbound[0].metadata == {"greeted": "Questions about prices?"}
    await page.reload()
    await expect(page.get_by_role("button", name=re.compile("Open chat"))).to_be_visible()
    await expect(bubble).to_have_count(0)


async def test_a_greeting_sent_away_stays_away(visit: Visit) -> None:
    page = await visit.tab()
    await page.wait_for_function("() => window.usher")
    greet = "usher.greet({ en: 'May I help?', es: '¿Te ayudo?' }, { delay: 0 })"
    await page.evaluate(greet)
    await expect(page.get_by_text("May I help?")).to_be_visible()
    await page.get_by_role("button", name="Close", exact=True).click()
    await expect(page.locator(".launch")).to_be_focused()
    await page.evaluate(greet)
    await page.evaluate("() => new Promise((done) => setTimeout(done, 50))")
    await expect(page.get_by_text("May I help?")).to_have_count(0)


# ---------------------------------------------------------------- links


def link_to(visit: Visit, **changes: Any) -> str:
    expires = visit.desk.clock.now() + timedelta(hours=1)
    about = {"asset": "onboarding", "name": "Kim"} | changes
    token = issue_link(Link(TENANT, KEY, **about), VISITOR_SECRET, expires)
    return f"http://{visit.host}/c/{token}"


def free_slots(visit: Visit) -> list[Slot]:
    start = visit.desk.clock.now().replace(minute=0, second=0, microsecond=0)
    times = [start + timedelta(hours=h) for h in (20, 24, 28)]
    return [
        Slot(
            slot_id=f"s{n}",
            asset_id="onboarding",
            title="Onboarding session",
            host_id="h",
            host="Maya",
            starts_at=at,
            ends_at=at + timedelta(minutes=45),
        )
        for n, at in enumerate(times)
    ]


async def follow(visit: Visit, url: str, **options: Any) -> Page:
    page = await visit.tab(**options)
    await page.goto(url)
    return page


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_a_link_opens_a_page_where_usher_speaks_first(
    visit: Visit, size: dict[str, int]
) -> None:
    visit.desk.calendar.free = free_slots(visit)
    page = await follow(visit, link_to(visit), viewport=size)
    await expect(page.get_by_text("Hi Kim, I'm Usher")).to_be_visible()
    await expect(page.get_by_role("button", name="Close chat")).to_be_hidden()
    offers = page.get_by_role("group", name="Suggestions").get_by_role("button")
    await expect(offers).to_have_count(3)
    label = await offers.nth(1).inner_text()
    await offers.nth(1).click()
    await expect(own(page)).to_have_text([label])
    await expect(page.locator(".m .b:visible", has_text="Hi Kim, I'm Usher")).to_have_count(1)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.reload()
    await expect(own(page)).to_have_text([label])
    await expect(page.locator(".m .b:visible").first).to_contain_text("Hi Kim, I'm Usher")
    box = await page.get_by_role("dialog").bounding_box()
    assert box is not None
    assert (box["height"], box["width"]) == (size["height"], min(720, size["width"]))
    assert visit.desk.inbound[0].opening is not None


async def test_a_way_back_on_another_machine(visit: Visit) -> None:
    page = await visit.tab()
    await open_chat(page)
    await write(page, "my old secret")
    await visit.desk.add(FIRST, "Here is your answer.", Author.CSM, author_name="Maya")
    sender = visit.desk.inbound[0].sender
    back = Resume(TENANT, KEY, sender, FIRST, 2, proven=False)
    token = issue_resume(back, VISITOR_SECRET, visit.desk.clock.now())
    elsewhere = await follow(visit, f"http://{visit.host}/r/{token}")
    await expect(elsewhere.get_by_text("Here is your answer.")).to_be_visible()
    await elsewhere.locator("textarea").fill("Thank you")
    await elsewhere.keyboard.press("Enter")
    await expect(page.get_by_role("log").get_by_text("Thank you")).to_be_visible()
    await elsewhere.reload()
    await expect(elsewhere.get_by_text("Thank you")).to_be_visible()
    await expect(elsewhere.get_by_text("my old secret")).to_have_count(0)


# ---------------------------------------------------------------- bad lines

NO_SOCKETS = """window.WebSocket = class {
  constructor() { this.readyState = 0; setTimeout(() => { this.readyState = 3; this.onclose({ code: 1006 }); }, 5); }
  close() {}
};"""


async def test_where_sockets_are_blocked_it_talks_all_the_same(visit: Visit) -> None:
    page = await visit.tab()
    await page.add_init_script(NO_SOCKETS)
    await page.reload()
    await page.locator(".launch").click()
    await expect(page.locator(".dot.on")).to_be_visible(timeout=15_000)
    await write(page, "through the wall")
    await write(page, "and again")
    await visit.desk.add(FIRST, "I hear you.")
    await expect(page.get_by_text("I hear you.")).to_have_count(1)
    assert [i.text for i in visit.desk.inbound] == ["through the wall", "and again"]
    await page.reload()
    await page.locator(".launch").click()
    await expect(own(page)).to_have_text(["through the wall", "and again"], timeout=15_000)


async def test_what_must_wait_is_not_overtaken(visit: Visit) -> None:
    page = await visit.tab()
    await open_chat(page)
    visit.desk.refuse += [UnavailableError("database down")]
    for text in ("first", "second", "third"):
        await page.locator("textarea").fill(text)
        await page.keyboard.press("Enter")
    await expect(page.locator(".me:not(.wait)")).to_have_count(3, timeout=20_000)
    assert [i.text for i in visit.desk.inbound] == ["first", "second", "third"]


async def test_when_the_second_file_does_not_come_it_says_so(visit: Visit) -> None:
    page = await visit.tab()
    await page.route("**/widget-more.js", lambda route: route.abort())
    await open_chat(page)
    await page.get_by_role("button", name="More options").click()
    await page.get_by_role("menuitem", name="Email this conversation").click()
    await expect(page.get_by_text("This couldn't be loaded.")).to_be_visible()


async def test_when_the_language_does_not_come_it_speaks_english(visit: Visit) -> None:
    page = await visit.tab()
    await page.route("**/widget-es.js", lambda route: route.abort())
    await visit.show(page, 'data-locale="es"')
    await expect(page.get_by_role("button", name="Open chat")).to_be_visible()


# ---------------------------------------------------------------- for everybody

CITED = (
    Citation(1, PassageId("p"), "team/invite.md", "Invite teammates", "Roles", "Open Settings."),
)


async def everything(visit: Visit, page: Page, words: dict[str, str]) -> None:
    """Bring up all there is to see at once."""
    await page.locator(".launch").click()
    await expect(page.locator(".dot.on")).to_be_visible()
    await write(page, "How do I invite someone?")
    choices = (QuickReply("Book a session", "book"), QuickReply("Something else", "other"))
    await visit.desk.add(
        FIRST, "Open **Settings** and [read](https://a.example) this [1].", citations=CITED
    )
    await visit.desk.add(FIRST, "A person joins.", Author.SYSTEM)
    await visit.desk.take_over(FIRST, "maya")
    await visit.desk.add(FIRST, "Hi!", Author.CSM, author_name="Maya", quick_replies=choices)
    await expect(page.get_by_text(words["reach"])).to_be_visible()
    await page.locator(".chip").first.click()
    await page.locator(".more, [aria-haspopup=menu]").first.click()
    await page.get_by_role("menuitem").last.click()
    await expect(page.get_by_text(words["mail"])).to_be_visible()


async def serious(page: Page) -> list[str]:
    """Return what axe finds, each as its rule and where."""
    await page.evaluate(AXE)
    found = await page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{v['id']} ({v['impact']}): {[n['target'] for n in v['nodes']]}"
        for v in found["violations"]
    ]


EN = {"reach": "Where can we reach you?", "mail": "Where shall we send this conversation?"}
ES = {"reach": "¿Dónde podemos avisarte?", "mail": "¿A qué correo enviamos esta conversación?"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize(("locale", "words"), [("en", EN), ("es", ES)], ids=["en", "es"])
async def test_axe_finds_nothing(
    visit: Visit, scheme: Any, size: Any, locale: str, words: dict[str, str], shots: Path
) -> None:
    page = await visit.tab(f'data-locale="{locale}"', viewport=size, color_scheme=scheme)
    assert await serious(page) == []
    await everything(visit, page, words)
    assert await serious(page) == []
    await page.screenshot(path=shots / f"all-{locale}-{scheme}-{size['width']}.png")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_axe_finds_nothing_in_forms_files_and_links(
    visit: Visit, scheme: Any, size: Any, shots: Path, tmp_path: Path
) -> None:
    name = f"{scheme}-{size['width']}.png"
    look = {"viewport": size, "color_scheme": scheme}
    asked = 'data-prechat="name email* topic" data-topics="Billing|Setup"'
    page = await visit.tab(f'{asked} data-greet="Questions?" data-greet-delay="0"', **look)
    await expect(page.get_by_text("Questions?")).to_be_visible()
    assert await serious(page) == []
    await page.screenshot(path=shots / f"bubble-{name}")
    await page.get_by_text("Questions?").click()
    await page.get_by_role("button", name="Start chatting").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    assert await serious(page) == []
    await page.screenshot(path=shots / f"prechat-{name}")
    await page.get_by_label("Email address").fill("kim@acme.example")
    await page.keyboard.press("Enter")
    notes = tmp_path / "quarterly-report.txt"
    notes.write_text("words")
    await choose(page, notes)
    await expect(page.get_by_text(notes.name)).to_be_visible()
    assert await serious(page) == []
    await page.screenshot(path=shots / f"file-{name}")
    visit.desk.calendar.free = free_slots(visit)
    linked = await follow(visit, link_to(visit), **look)
    await expect(linked.get_by_role("group", name="Suggestions")).to_be_visible()
    assert await serious(linked) == []
    await linked.screenshot(path=shots / f"link-{name}")
    over = await follow(visit, f"http://{visit.host}/c/nothing", **look)
    assert await serious(over) == []
    await over.screenshot(path=shots / f"expired-{name}")


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """Where screenshots go, for somebody to look at: run with --basetemp to find them."""
    return tmp_path
