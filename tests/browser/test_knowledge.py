"""The knowledge pages in a real Chromium over the whole app with the real knowledge."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import ConsoleMessage, Page, expect

from core.ports import Chunk, Document
from tests.app.app_server import DEMO, Server, running_app
from tests.browser.test_console import CONTRAST, DESK, PHONE

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)  # the real encoder, on machines that are shared

QUESTION = "Is there a dark mode?"
ANSWER = "Open Settings, choose Appearance, and select Dark."
TABS = (
    "gaps",
    "gaps/answered",
    "answers",
    "answers/new",
    "docs",
    "search",
    "try",
    "intents",
    "backtests",
    "report",
)


@dataclass
class Desk:
    """The running app with a browser at its console."""

    server: Server
    page: Page
    http: httpx.AsyncClient
    troubles: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        expected = "status of 4" in message.text  # a refusal is an answer of ours
        self.troubles += [message.text] * (message.type == "error" and not expected)

    async def asks(self, text: str, who: str) -> dict[str, Any]:
        body = {"channel": "web", "text": text, "customer_id": who}
        found: dict[str, Any] = (await self.http.post("/msg", json=body)).json()
        return found

    async def opens(self, path: str) -> None:
        await self.page.goto(f"{self.server.url}/console/knowledge/{path}")
        await expect(self.page.locator(".tab-body")).to_be_visible()
        await expect(self.page.locator(".tab-body .loading")).to_have_count(0)

    async def sits_down(self, who: str) -> None:
        await self.page.context.clear_cookies()
        await self.page.goto(f"{self.server.url}/console")
        await self.page.get_by_role("button", name=who).click()
        await expect(self.page.get_by_role("heading", name="Inbox")).to_be_visible()


@pytest.fixture
async def desk(sqlite_url: str, tmp_path: Path, page: Page) -> AsyncIterator[Desk]:
    async with (
        running_app(sqlite_url, knowledge=None, var_dir=tmp_path) as server,
        server.api() as http,
    ):
        await server.bring_in_pages()
        made = Desk(server, page, http)
        page.on("pageerror", lambda error: made.troubles.append(str(error)))
        page.on("console", made.hear)
        await page.set_viewport_size(DESK)  # type: ignore[arg-type] # a plain dict
        yield made
        assert made.troubles == []
        await page.goto("about:blank")


async def test_from_gap_to_cited_answer_and_back(desk: Desk) -> None:
    page = desk.page
    for who in ("ann", "bob"):
        assert (await desk.asks(QUESTION, who))["citations"] == []
    await desk.sits_down("Maya Okafor")
    await desk.opens("gaps")
    card = page.locator(".gap-card").first
    await expect(card).to_contain_text("2customers")
    await card.get_by_role("link", name="Answer", exact=True).click()

    await expect(page.get_by_role("heading", name=QUESTION)).to_be_visible()
    approve = page.get_by_role("button", name="Approve")
    await expect(approve).to_be_disabled()
    await (
        page.get_by_label("Answer", exact=True)
        .locator("textarea[name=text]")
        .fill(f"{ANSWER} Or write to ann@gmail.com.")
    )
    await expect(page.locator(".marks")).to_contain_text("ann@gmail.com")
    await expect(page.locator("mark.pii")).to_have_count(1)
    await expect(approve).to_be_disabled()
    await page.locator("textarea[name=text]").fill(ANSWER)
    await expect(page.get_by_text("It may be approved.")).to_be_visible()
    await approve.click()
    await expect(page.get_by_role("heading", name="Answers")).to_be_visible()
    await expect(page.locator(".card").first).to_contain_text(QUESTION)
    await expect(page.locator(".card").first).to_contain_text("Version 1")

    said = await desk.asks(QUESTION, "cyd")
    assert ANSWER.split(",")[0] in said["reply"]
    assert [c["title"] for c in said["citations"]] == [QUESTION]

    await page.get_by_role("button", name="Withdraw…").click()
    await page.get_by_role("dialog").get_by_role("button", name="Withdraw").click()
    await expect(page.get_by_text("No answers yet")).to_be_visible()
    assert (await desk.asks(QUESTION, "dee"))["citations"] == []
    await desk.opens("gaps")
    await expect(page.locator(".gap-card").first).to_contain_text(QUESTION)


async def test_a_csm_is_refused_what_only_an_approver_may_state(desk: Desk) -> None:
    page = desk.page
    await desk.asks(QUESTION, "ann")
    await desk.sits_down("Noah Lindqvist")
    await desk.opens("gaps")
    await page.get_by_role("link", name="Answer", exact=True).click()
    await page.locator("textarea[name=text]").fill(f"{ANSWER} You get a refund if it fails.")
    await expect(page.get_by_role("status").get_by_text("An admin or an approver")).to_be_visible()
    await expect(page.get_by_text("Your role may not.")).to_be_visible()
    await expect(page.get_by_role("button", name="Approve")).to_be_disabled()
    (gap,) = await desk.server.services.gaps.open_gaps(DEMO)
    review_by = (desk.server.clock.now() + timedelta(days=30)).isoformat()
    body = {"question": QUESTION, "text": "We guarantee it.", "review_by": review_by}
    refused = await page.evaluate(
        """async ([path, body]) => {
          const answer = await fetch(path, { method: "POST", body: JSON.stringify(body),
            headers: { "content-type": "application/json", "x-usher-console": "1" } });
          return [answer.status, (await answer.json()).detail]; }""",
        [f"/console/api/knowledge/gaps/{gap.id}/approve", body],
    )
    assert refused[0] == 403
    assert "admin or an approver" in refused[1]


async def test_gaps_are_merged_parted_and_dismissed(desk: Desk) -> None:
    page = desk.page
    for text, who in ((QUESTION, "ann"), ("can I turn on night mode at work", "bob")):
        await desk.asks(text, who)
    await desk.sits_down("Maya Okafor")
    await desk.opens("gaps")
    await expect(page.locator(".gap-card")).to_have_count(2)
    await page.get_by_role("link", name=QUESTION).click()
    await page.get_by_role("button", name=re.compile("Merge “can I turn")).click()
    await expect(page.get_by_text("Asked as (2)")).to_be_visible()
    await page.get_by_role("button", name=re.compile("“can I turn .* is not the same")).click()
    await expect(page.get_by_text("Asked as (1)")).to_be_visible()
    await page.get_by_role("button", name="Dismiss…").click()
    await page.get_by_label("Why does it need no answer?").fill("not ours")
    await page.get_by_role("button", name="Dismiss", exact=True).last.click()
    await expect(page.locator(".gap-card")).to_have_count(1)


async def test_trying_shows_every_step_and_teaches_an_intent(desk: Desk) -> None:
    page = desk.page
    await desk.sits_down("Maya Okafor")
    await desk.opens("try")
    message = "How do I invite my team? My card is 4111 1111 1111 1111"
    await page.get_by_label("The customer writes").fill(message)
    await page.get_by_role("button", name="Try it").click()
    for heading in ("It would say", "It understood", "Privileges", "Personal data", "Checks"):
        await expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    await expect(page.get_by_text("None was asked")).to_be_visible()
    await expect(page.locator(".tab-body")).to_contain_text("<CREDIT_CARD>")
    await page.get_by_role("button", name="Wrong?").click()
    await page.get_by_label("was actually").fill("invite_people")
    await page.get_by_role("button", name="Teach").click()
    await expect(page.get_by_text("The message now means: invite people")).to_be_visible()
    taught = await desk.server.services.intents.all(DEMO)
    assert [intent for _, intent in taught] == ["invite_people"]


async def test_an_intent_is_corrected_phrase_by_phrase(desk: Desk) -> None:
    page, intents = desk.page, desk.server.services.intents
    phrases = ["is the mixer under warranty", "how long is the guarantee", "where is my parcel"]
    await intents.load(DEMO, [(text, "warranty") for text in phrases])
    await desk.server.services.teach(DEMO)
    await desk.sits_down("Noah Lindqvist")
    await desk.opens("intents")
    card = page.locator(".card", has_text="warranty")
    await card.locator("summary").click()
    await page.get_by_role("button", name="Move “where is my parcel”").click()
    await page.get_by_label("It means").select_option("none_of_these")
    await page.get_by_role("button", name="Move", exact=True).click()
    await expect(page.locator(".card details[open]")).to_contain_text("where is my parcel")

    await card.locator("summary").click()
    await page.get_by_label("Another phrase for warranty").fill("does the guarantee cover rust")
    await card.get_by_role("button", name="Add", exact=True).click()
    await expect(card).to_contain_text("does the guarantee cover rust")
    await page.get_by_role("button", name="Delete “how long is the guarantee”").click()
    await expect(card).not_to_contain_text("how long")
    assert dict(await intents.all(DEMO)) == {
        "where is my parcel": "none_of_these",
        "is the mixer under warranty": "warranty",
        "does the guarantee cover rust": "warranty",
    }
    asked = {"text": "does the guarantee cover rust"}
    understood = (await desk.http.post("/explain", json=asked)).json()["understanding"]
    assert understood["intent"]["name"] == "warranty"

    await card.get_by_role("button", name="Delete all…").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(card).to_have_count(0)
    understood = (await desk.http.post("/explain", json=asked)).json()["understanding"]
    assert (understood["intent"] or {}).get("name") != "warranty"


async def test_pages_that_contradict_each_other_are_shown(desk: Desk) -> None:
    refund = "A yearly plan can be refunded within 30 days of the payment."
    for path, text in (("refunds.md", refund), ("faq.md", refund.replace("30", "14"))):
        (vector,) = await desk.server.services.encode([text])
        page = Document("handbook", path, "Refunds", path, (Chunk(0, "", text),))
        await desk.server.services.passages.put(DEMO, page, [vector.tobytes()])
    await desk.sits_down("Vera Santos")
    await desk.opens("docs")
    await desk.page.get_by_role("button", name="Repeats and contradictions").click()
    drawer = desk.page.get_by_role("dialog")
    await expect(drawer.get_by_role("heading", name="Contradictions (1)")).to_be_visible()
    await expect(drawer).to_contain_text("within 30 days")
    await expect(drawer).to_contain_text("within 14 days")


async def test_a_viewer_looks_and_cannot_answer(desk: Desk) -> None:
    await desk.asks(QUESTION, "ann")
    await desk.sits_down("Vera Santos")
    await desk.opens("gaps")
    await desk.page.get_by_role("link", name="Look").click()
    await expect(desk.page.get_by_text("Your role is viewer")).to_be_visible()
    await expect(desk.page.get_by_role("button", name="Approve")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_tab_fits_a_phone_and_has_contrast(desk: Desk, scheme: str) -> None:
    page = desk.page
    await desk.asks(f"{QUESTION} {'x' * 120}", "ann")
    await desk.asks(QUESTION, "bob")
    await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type] # one of two
    await desk.sits_down("Maya Okafor")
    await page.set_viewport_size(PHONE)  # type: ignore[arg-type] # a plain dict
    gaps = await desk.server.services.gaps.open_gaps(DEMO)
    for path in (*TABS, f"gaps/{gaps[0].id}"):
        await desk.opens(path)
        too_wide = await page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert too_wide == 0, path
        assert await page.evaluate(CONTRAST) == [], path
        unnamed = await page.evaluate(UNNAMED)
        assert unnamed == [], path


# form fields and buttons that a screen reader could not name
UNNAMED = """() => [...document.querySelectorAll("main input, main textarea, main select, main button")]
  .filter((e) => e.checkVisibility() && !e.labels?.length && !e.getAttribute("aria-label") && !e.textContent.trim())
  .map((e) => e.outerHTML)"""
