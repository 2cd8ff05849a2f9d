"""The widget in a real Chromium, over the real socket and in-memory ports."""

import gzip
import json
import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page, expect

from app.api.web_pages import STATIC, widget_script
from channels._shared.web_minify import minify
from core.clock import SystemClock
from core.errors import UnavailableError
from core.ids import ConversationId, PassageId
from core.messages import Author, QuickReply
from core.turns import Citation
from tests.webchat import Desk, serving

pytestmark = pytest.mark.browser

FIRST = ConversationId("cnv_1")
SCRIPT = widget_script()
SOURCE = (STATIC / "widget.js").read_text(encoding="utf-8")
CITED = (
    Citation(
        1,
        PassageId("psg_1"),
        "team/invite.md",
        "Invite teammates",
        "Send an invitation",
        "Open Settings and select Invite people.",
        "https://docs.lumen.example/invite",
    ),
    Citation(2, PassageId("psg_2"), "team/roles.md", "Roles", "Guests", "See only their boards."),
)


class Site:
    """The demo page with the widget on it, and the desk behind."""

    def __init__(self, desk: Desk, host: str, context: BrowserContext) -> None:
        self.desk, self.host, self.context = desk, host, context
        self.troubles: list[str] = []

    def watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("console", self._hear)
        page.on("dialog", lambda dialog: self.troubles.append(f"dialog: {dialog.message}"))

    def _hear(self, message: ConsoleMessage) -> None:
        noise = "WebSocket" in message.text or "ERR_INTERNET_DISCONNECTED" in message.text
        self.troubles += [message.text] * (message.type == "error" and not noise)

    async def visit(self, page: Page) -> Page:
        self.watch(page)
        await page.goto(f"http://{self.host}/")
        return page

    async def chat(self, page: Page) -> Page:
        """Open the page and the chat on it."""
        await self.visit(page)
        await page.get_by_role("button", name="Open chat").click()
        await expect(page.get_by_text("Ask me anything")).to_be_visible()
        return page


@pytest.fixture
async def site(browser: BrowserContext) -> AsyncIterator[Site]:
    desk = Desk(SystemClock())
    async with serving(desk.chat()) as host:
        opened = Site(desk, host, browser)
        yield opened
        assert opened.troubles == []
        for page in browser.pages[1:]:
            await page.close()
        await browser.pages[0].goto("about:blank")


async def write(page: Page, text: str) -> None:
    await page.get_by_label("Write a message").fill(text)
    await page.keyboard.press("Enter")


def own(page: Page) -> Locator:
    return page.locator(".me .b")


def log(page: Page) -> Locator:
    return page.get_by_role("log")


def test_the_script_is_small() -> None:
    """What every page loads; what some pages need later is a second file."""
    assert len(gzip.compress(SCRIPT.encode(), 9)) <= 15_000
    assert len(gzip.compress(widget_script("widget-more.js").encode(), 9)) <= 5_500


# ---------------------------------------------------------------- asking


async def test_an_answer_streams_in_and_shows_where_it_is_from(site: Site, page: Page) -> None:
    await site.chat(page)
    await write(page, "How do I invite someone?")
    await expect(page.locator(".me:not(.wait)")).to_have_count(1)
    await expect(page.locator(".dots")).to_be_visible()
    await site.desk.publish(FIRST, type="draft", turn_id="t", n=0, text="Open **Settings** [1].")
    await site.desk.publish(FIRST, type="draft", turn_id="t", n=1, text="Guests see less.")
    draft = page.locator(".draft .b")
    await expect(draft).to_have_text("Open Settings 1. Guests see less.")
    await expect(page.locator(".dots")).to_have_count(0)
    await site.desk.add(
        FIRST, "Open **Settings** [1]. Guests see less [2].", turn_id="t", citations=CITED
    )
    await expect(draft).to_have_count(0)
    answer = log(page).locator(".m:not(.me)")
    await expect(answer).to_have_count(1)
    await expect(answer.locator(".meta")).to_contain_text("Usher")
    await expect(answer.locator("strong")).to_have_text("Settings")

    chip = page.get_by_role("button", name="Source 1: Invite teammates")
    await chip.click()
    await expect(chip).to_have_attribute("aria-expanded", "true")
    card = page.get_by_role("group", name="Source 1")
    await expect(card).to_contain_text("Invite teammates › Send an invitation")
    await expect(card).to_contain_text("Open Settings and select Invite people.")
    link = card.get_by_role("link")
    await expect(link).to_have_attribute("href", "https://docs.lumen.example/invite")
    await expect(link).to_have_attribute("rel", re.compile("noopener"))
    await answer.locator(".b").get_by_role("button", name="Source 2").click()
    await expect(page.get_by_role("group", name="Source 2")).to_contain_text("Roles › Guests")
    await expect(card).to_have_count(0)

    await page.get_by_role("button", name="This helped", exact=True).click()
    await expect(page.get_by_text("Thanks for telling us")).to_be_visible()
    assert site.desk.feedbacks == [("msg_cnv_1_2", "up")]
    assert site.desk.statuses(FIRST)[2] == "delivered"


async def test_a_draft_that_was_dropped_disappears(site: Site, page: Page) -> None:
    await site.chat(page)
    await write(page, "hi")
    await expect(page.locator(".me:not(.wait)")).to_have_count(1)
    await site.desk.publish(FIRST, type="draft", turn_id="t", n=0, text="I think")
    await expect(page.locator(".draft")).to_have_count(1)
    await site.desk.publish(FIRST, type="draft_end", turn_id="t", reason="takeover")
    await expect(page.locator(".draft")).to_have_count(0)


async def test_quick_replies_send_what_they_stand_for(site: Site, page: Page) -> None:
    await site.chat(page)
    await page.get_by_role("button", name="Book a guided session").click()
    await expect(own(page)).to_have_text(["Book a guided session"])
    choices = (QuickReply("Tomorrow at 10", "tomorrow 10:00"), QuickReply("Other", "other"))
    await site.desk.add(FIRST, "When?", quick_replies=choices)
    await page.get_by_role("button", name="Tomorrow at 10").click()
    await expect(own(page)).to_have_text(["Book a guided session", "tomorrow 10:00"])
    await expect(page.get_by_role("button", name="Other")).to_have_count(0)


async def test_a_person_is_in_the_menu_and_shown_by_name(site: Site, page: Page) -> None:
    await site.chat(page)
    await page.get_by_role("button", name="More options").click()
    await page.get_by_role("menuitem", name="Talk to a person").click()
    await expect(own(page)).to_have_text(["I'd like to talk to a person"])
    await site.desk.add(FIRST, "A person has been asked for.", Author.SYSTEM)
    await expect(page.locator(".line")).to_have_text("A person has been asked for.")
    await site.desk.take_over(FIRST, "maya")
    await expect(page.get_by_role("dialog", name="Maya")).to_contain_text("is here")
    await expect(page.locator(".dots")).to_have_count(0)
    await site.desk.publish(FIRST, type="typing", author="csm", author_name="Maya")
    await expect(page.get_by_text("Maya is writing")).to_be_attached()
    await site.desk.add(FIRST, "Hi, Maya here.", Author.CSM, author_name="Maya")
    await expect(log(page).locator(".meta").last).to_contain_text("Maya")
    await expect(log(page).locator(".meta").last).not_to_contain_text("AI")


# ---------------------------------------------------------------- coming back


async def test_a_reload_shows_everything_once(site: Site, page: Page) -> None:
    await site.chat(page)
    for number in (1, 2, 3):
        await write(page, f"question {number}")
        await expect(page.locator(".me:not(.wait)")).to_have_count(number)
        await site.desk.add(FIRST, f"answer {number}")
    await page.reload()
    await page.get_by_role("button", name="Open chat").click()
    await expect(page.locator(".m .b")).to_have_text(
        [
            re.compile("Ask me anything"),
            *(f"{kind} {number}" for number in (1, 2, 3) for kind in ("question", "answer")),
        ]
    )
    await site.desk.add(FIRST, "after the reload")
    await expect(page.get_by_text("after the reload")).to_have_count(1)


async def test_what_is_written_offline_survives_a_reload_and_is_sent_once(
    site: Site, page: Page
) -> None:
    await site.chat(page)
    await write(page, "online")
    await expect(page.locator(".me:not(.wait)")).to_have_count(1)
    await page.evaluate("window.dispatchEvent(new Event('offline'))")
    await site.context.set_offline(True)
    await expect(page.get_by_text("You're offline")).to_be_visible()
    await write(page, "first offline")
    await write(page, "second offline")
    await expect(page.locator(".me.wait")).to_have_count(2)
    await site.context.set_offline(False)
    await page.reload()
    await page.get_by_role("button", name="Open chat").click()
    await expect(own(page)).to_have_text(["online", "first offline", "second offline"])
    await expect(page.locator(".me.wait")).to_have_count(0)
    assert [i.text for i in site.desk.inbound] == ["online", "first offline", "second offline"]
    left = await page.evaluate("Object.keys(localStorage).filter(k => k.includes(':out:'))")
    assert left == []


async def test_a_lost_line_comes_back_without_doubling(site: Site, page: Page) -> None:
    await site.chat(page)
    await write(page, "hello")
    await expect(page.locator(".me:not(.wait)")).to_have_count(1)
    site.desk.refuse.append(RuntimeError("a bug that ends the socket"))
    await write(page, "through a broken line")
    await expect(own(page)).to_have_text(["hello", "through a broken line"])
    await site.desk.add(FIRST, "answer while it was down")
    await expect(page.get_by_text("answer while it was down")).to_have_count(1)
    await expect(page.locator(".me.wait")).to_have_count(0)
    assert [inbound.text for inbound in site.desk.inbound] == ["hello", "through a broken line"]


async def test_two_tabs_stay_in_step(site: Site, page: Page) -> None:
    left = await site.chat(page)
    await write(left, "from the left")
    await expect(left.locator(".me:not(.wait)")).to_have_count(1)
    right = await site.visit(await site.context.new_page())
    await right.get_by_role("button", name=re.compile("Open chat")).click()
    await expect(own(right)).to_have_text(["from the left"])
    await write(right, "from the right")
    await expect(own(left)).to_have_text(["from the left", "from the right"])
    await site.desk.add(FIRST, "to both")
    await expect(left.get_by_text("to both")).to_have_count(1)
    await expect(right.get_by_text("to both")).to_have_count(1)
    assert len(site.desk.inbound) == 2


async def test_messages_while_closed_are_counted(site: Site, page: Page) -> None:
    await site.chat(page)
    await write(page, "hi")
    await expect(page.locator(".me:not(.wait)")).to_have_count(1)
    await page.keyboard.press("Escape")
    await site.desk.add(FIRST, "one")
    await site.desk.add(FIRST, "two")
    launcher = page.get_by_role("button", name="Open chat, 2 unread messages")
    await expect(launcher).to_be_visible()
    await launcher.click()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Open chat", exact=True)).to_be_visible()


# ---------------------------------------------------------------- what goes wrong, in words


async def test_a_refused_page_is_told_so(site: Site, page: Page) -> None:
    await page.route(
        "**/widget.js",
        lambda route: route.fulfill(
            content_type="text/javascript",
            body=minify(SOURCE.replace("{ ...script.dataset }", "{ key: 'nobody' }")),
        ),
    )
    await site.visit(page)
    await page.get_by_role("button", name="Open chat").click()
    await expect(page.get_by_text("This chat isn't available on this page.")).to_be_visible()


async def test_a_message_the_server_cannot_keep_yet_waits(site: Site, page: Page) -> None:
    await site.chat(page)
    site.desk.refuse.append(UnavailableError("database down"))
    await write(page, "keep me")
    await expect(page.get_by_text("sending again in a moment")).to_be_visible()
    await expect(page.locator(".me:not(.wait)")).to_have_count(1, timeout=20_000)
    assert [inbound.text for inbound in site.desk.inbound] == ["keep me"]


# ---------------------------------------------------------------- hostile text

HOSTILE = [
    "<script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "<svg/onload=window.hacked=1>",
    "<iframe srcdoc='<script>parent.hacked=1</script>'></iframe>",
    "[click](javascript:window.hacked=1)",
    "[click](JaVaScRiPt:window.hacked=1)",
    "[click](java\tscript:alert(1))",
    "[click](data:text/html,<script>alert(1)</script>)",
    "[click](vbscript:msgbox)",
    "[click](//evil.example/x)",
    '[x](https://ok.example/"onmouseover="window.hacked=1)',
    "![x](javascript:alert(1))",
    "[![x](https://ok.example/a)](javascript:alert(1))",
    "**<b onclick=alert(1)>bold</b>**",
    "`<script>window.hacked=1</script>`",
    "```\n</code></pre><script>window.hacked=1</script>\n```",
    "> <img src=x onerror=alert(1)>",
    "- <a href='javascript:alert(1)'>x</a>",
    "# <style>*{display:none}</style>",
    "https://ok.example/<script>alert(1)</script>",
    "&lt;script&gt;window.hacked=1&lt;/script&gt;",
    "[1](javascript:window.hacked=1)",
    "\u202egnp.exe <script>",
    "__proto__ **constructor** [toString](javascript:x)",
    "*" * 4000,
    "[" * 4000,
    "`" * 3999,
    "_a" * 2000,
    "**a " * 1000,
]


@pytest.mark.parametrize("author", [Author.BOT, Author.CSM, Author.SYSTEM, Author.CUSTOMER])
async def test_hostile_text_is_only_text(site: Site, page: Page, author: Author) -> None:
    await site.chat(page)
    await write(page, "hi")
    await expect(page.locator(".me:not(.wait)")).to_have_count(1)
    for text in HOSTILE:
        bad = Citation(1, PassageId("p"), "d", text, text, text, "javascript:window.hacked=1")
        name = "<img src=x onerror='window.hacked=1'>"
        choice = (QuickReply(text[:40], text[:40]),)
        await site.desk.add(
            FIRST, text, author, author_name=name, citations=(bad,), quick_replies=choice
        )
    await site.desk.hint(FIRST, len(HOSTILE) + 1)
    await site.desk.add(FIRST, "the end")
    await expect(page.get_by_text("the end")).to_be_visible()
    await page.evaluate(
        "document.querySelector('usher-widget').shadowRoot"
        ".querySelectorAll('.chip').forEach(chip => chip.click())"
    )
    found = await page.evaluate(
        """() => {
            const root = document.querySelector('usher-widget').shadowRoot;
            const all = [...root.querySelectorAll('*')];
            return {
                hacked: window.hacked ?? null,
                elements: all.map(n => n.localName)
                    .filter(n => ['script', 'img', 'iframe', 'object', 'style', 'base'].includes(n)),
                handlers: all.flatMap(n => [...n.attributes])
                    .filter(a => a.name.startsWith('on')).map(a => a.name),
                links: all.filter(n => n.hasAttribute('href')).map(n => n.protocol)
                    .filter(p => !['http:', 'https:', 'mailto:'].includes(p)),
                rels: all.filter(n => n.localName === 'a' && !n.rel.includes('noopener')).length,
            };
        }"""
    )
    nothing: list[str] = []
    assert found == {
        "hacked": None,
        "elements": nothing,
        "handlers": nothing,
        "links": nothing,
        "rels": 0,
    }


MARKDOWN = [
    ("**bold** and *it*", "<p><strong>bold</strong> and <em>it</em></p>"),
    ("snake_case_name stays", "<p>snake_case_name stays</p>"),
    ("2 * 3 * 4", "<p>2 * 3 * 4</p>"),
    ("one\ntwo\n\nthree", "<p>one<br>two</p><p>three</p>"),
    ("- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
    ("3. a\n4. b", '<ol start="3"><li>a</li><li>b</li></ol>'),
    ("Do:\n- a", "<p>Do:</p><ul><li>a</li></ul>"),
    ("`a **b**`", "<p><code>a **b**</code></p>"),
    ("```sh\nx < 1\n```", '<pre tabindex="0"><code>x &lt; 1</code></pre>'),
    ("## Plans", '<p class="title">Plans</p>'),
    ("> quoted", "<blockquote>quoted</blockquote>"),
    (r"\*not\*", "<p>*not*</p>"),
    ("unclosed **bold", "<p>unclosed **bold</p>"),
    ("[7] is no source", "<p>[7] is no source</p>"),
]


async def test_markdown_becomes_what_it_means(site: Site, page: Page) -> None:
    await site.chat(page)
    await write(page, "hi")
    await expect(page.locator(".me:not(.wait)")).to_have_count(1)
    for text, _ in MARKDOWN:
        await site.desk.add(FIRST, text)
    bubbles = log(page).locator(".m:not(.me) .b")
    await expect(bubbles).to_have_count(len(MARKDOWN))
    shown = await bubbles.evaluate_all("nodes => nodes.map(n => n.innerHTML)")
    assert shown == [html for _, html in MARKDOWN]


async def test_links_are_found_without_their_full_stop(site: Site, page: Page) -> None:
    await site.chat(page)
    await write(page, "hi")
    await expect(page.locator(".me:not(.wait)")).to_have_count(1)
    await site.desk.add(
        FIRST, "See https://a.example/b?c=1. Or [mail](mailto:help@lumen.example) us."
    )
    await expect(log(page).get_by_role("link")).to_have_text(["https://a.example/b?c=1", "mail"])


# ---------------------------------------------------------------- for everybody


async def test_by_keyboard_alone(site: Site, page: Page) -> None:
    await site.visit(page)
    launcher = page.get_by_role("button", name="Open chat")
    await launcher.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="Lumen Boards")).to_be_visible()
    await expect(page.get_by_label("Write a message")).to_be_focused()
    await page.keyboard.type("line one")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("line two")
    await page.keyboard.press("Enter")
    await expect(own(page)).to_have_text(["line one\nline two"])
    more = page.get_by_role("button", name="More options")
    await more.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menuitem").first).to_be_focused()
    await page.keyboard.press("ArrowUp")
    await expect(page.get_by_role("menuitem").last).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(more).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(launcher).to_be_focused()


async def test_a_screen_reader_hears_news_but_not_history(site: Site, page: Page) -> None:
    await site.chat(page)
    await expect(log(page)).to_have_attribute("aria-live", "polite")
    await write(page, "hi")
    await expect(page.locator(".me:not(.wait)")).to_have_count(1)
    await page.reload()
    await page.get_by_role("button", name="Open chat").click()
    await expect(own(page)).to_have_count(1)
    await site.desk.publish(FIRST, type="draft", turn_id="t", n=0, text="Half")
    await expect(page.locator(".draft")).to_have_attribute("aria-hidden", "true")


async def test_a_phone_gets_the_whole_screen(site: Site, page: Page) -> None:
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.emulate_media(reduced_motion="reduce")
    await site.chat(page)
    dialog = page.get_by_role("dialog")
    assert await dialog.bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 844}
    await expect(dialog).to_have_attribute("aria-modal", "true")
    await expect(page.locator(".launch")).to_be_hidden()
    await expect(page.get_by_label("Write a message")).to_have_css("font-size", "16px")
    await page.get_by_role("button", name="More options").focus()
    await page.keyboard.press("Shift+Tab")
    await expect(page.get_by_role("button", name="Send")).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="More options")).to_be_focused()
    await page.get_by_role("button", name="Close chat").click()
    await expect(page.locator(".launch")).to_be_focused()


async def test_writing_more_keeps_the_newest_message_in_sight(site: Site, page: Page) -> None:
    await site.chat(page)
    await write(page, "hi")
    await expect(page.locator(".me:not(.wait)")).to_have_count(1)
    await site.desk.add(FIRST, "\n\n".join(f"paragraph {number}" for number in range(40)))
    await expect(page.get_by_text("paragraph 39")).to_be_in_viewport()
    await page.get_by_label("Write a message").fill("one\ntwo\nthree\nfour\nfive")
    await expect(page.get_by_text("paragraph 39")).to_be_in_viewport()
    await log(page).evaluate("node => { node.parentElement.scrollTop = 0 }")
    await site.desk.add(FIRST, "the news")
    newer = page.get_by_role("button", name="New messages")
    await expect(newer).to_be_visible()
    await newer.click()
    await expect(page.get_by_text("the news")).to_be_in_viewport()


async def test_it_speaks_spanish(site: Site, page: Page) -> None:
    await page.add_init_script(
        "document.addEventListener('readystatechange', () => "
        "{ document.documentElement.lang = 'es-MX' })"
    )
    await site.visit(page)
    await page.get_by_role("button", name="Abrir el chat").click()
    await expect(page.get_by_text("Hola, soy Usher")).to_be_visible()
    await page.get_by_role("button", name="Más opciones").click()
    await page.get_by_role("menuitem", name="Hablar con una persona").click()
    await expect(own(page)).to_have_text(["Quiero hablar con una persona"])
    assert site.desk.inbound[0].locale == "es"


CONTRAST = """() => {
    const root = document.querySelector('usher-widget').shadowRoot;
    const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const over = (colours) => {
        paint.clearRect(0, 0, 1, 1);
        for (const colour of colours) { paint.fillStyle = colour; paint.fillRect(0, 0, 1, 1); }
        return [...paint.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const light = (c) => c.map(v => v / 255)
        .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const bad = [];
    for (const node of root.querySelectorAll('*')) {
        const text = [...node.childNodes].some(n => n.nodeType === 3 && n.data.trim());
        if (!text || !node.getClientRects().length || node.closest('.sr')) continue;
        const grounds = [];
        for (let n = node; n; n = n.parentElement) grounds.unshift(getComputedStyle(n).backgroundColor);
        const back = over(grounds), front = over([...grounds, getComputedStyle(node).color]);
        const [a, b] = [light(back), light(front)].sort((x, y) => y - x);
        const ratio = (a + 0.05) / (b + 0.05);
        if (ratio < 4.5) bad.push(`${node.className || node.localName}: ${ratio.toFixed(2)}`);
    }
    return bad;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("accent", ["#4f46e5", "#ffd400", "#0a7d5a", "#111111"])
async def test_everything_reads_on_its_ground(
    site: Site, page: Page, scheme: str, accent: str
) -> None:
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    await page.route(
        "**/widget.js",
        lambda route: route.fulfill(
            content_type="text/javascript",
            body=minify(
                SOURCE.replace(
                    "{ ...script.dataset }",
                    "{ ...script.dataset, accent: " + json.dumps(accent) + "}",
                )
            ),
        ),
    )
    await site.chat(page)
    await write(page, "hi")
    await expect(page.locator(".me:not(.wait)")).to_have_count(1)
    text = "**Open** [docs](https://a.example) `x` [1]\n\n> quote"
    await site.desk.add(FIRST, "A person joins.", Author.SYSTEM)
    await site.desk.add(FIRST, text, citations=CITED, quick_replies=(QuickReply("Yes", "yes"),))
    await page.get_by_role("button", name="Source 1: Invite teammates").click()
    await page.mouse.move(0, 0)
    assert await page.evaluate(CONTRAST) == []
