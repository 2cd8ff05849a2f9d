"""Pages with the widget on them, as a customer of ours would write them, over the real socket and in-memory ports."""

import importlib.util
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect
from starlette.responses import HTMLResponse, Response

from core.clock import SystemClock
from core.ids import ConversationId
from tests.conftest import CHROMIUM_FLAGS
from tests.webchat import KEY, Desk, serving

FIRST = ConversationId("cnv_1")
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
# what a page may complain of while we take its network away
NOISE = ("ERR_FAILED", "status of 4")


def axe_source() -> str:
    """Return axe-core, which comes with axe-playwright-python (dev dependency). Blocking."""
    spec = importlib.util.find_spec("axe_playwright_python")
    assert spec is not None, "axe-playwright-python is not installed: run `make install-dev`"
    return (Path(str(spec.origin)).parent / "axe.min.js").read_text(encoding="utf-8")


@dataclass
class Visit:
    """Somebody's browser window before one desk."""

    desk: Desk
    host: str
    browser: Browser
    troubles: list[str] = field(default_factory=list)
    attributes: str = ""

    async def tab(self, attributes: str = "", **options: Any) -> Page:
        """Open a page that embeds the widget under a strict policy: no inline style, no inline script."""
        context = await self.browser.new_context(
            **{"viewport": DESKTOP, "locale": "en-US", "reduced_motion": "reduce", **options}
        )
        page = await context.new_page()
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("console", self._hear)
        return await self.show(page, attributes)

    async def show(self, page: Page, attributes: str = "") -> Page:
        """Load such a page in a tab."""
        self.attributes = attributes
        await page.goto(f"http://{self.host}/shop")
        return page

    def shop(self) -> Response:
        """Return the page; its server says what may run on it."""
        html = (
            '<!doctype html><html lang="en"><head><title>Shop</title><link rel="icon" href="data:,"></head>'
            "<body><main><h1>A shop</h1><p>It sells things.</p></main>"
            f'<script src="/widget.js" data-key="{KEY}" {self.attributes} async></script></body></html>'
        )
        policy = (
            f"default-src 'none'; script-src http://{self.host}; style-src 'none'; "
            f"img-src data:; connect-src http://{self.host} ws://{self.host}"
        )
        return HTMLResponse(html, headers={"content-security-policy": policy})

    def _hear(self, message: ConsoleMessage) -> None:
        noise = any(known in message.text for known in NOISE)
        self.troubles += [message.text] * (message.type == "error" and not noise)


async def open_chat(page: Page) -> None:
    """Open the chat and wait for the welcome."""
    await page.locator(".launch").click()
    await expect(page.locator(".dot.on")).to_be_visible()


async def write(page: Page, text: str) -> None:
    """Write a message and see it stored."""
    own = page.locator(".me:not(.wait)")
    said = await own.count()
    await page.locator("textarea").fill(text)
    await page.keyboard.press("Enter")
    await expect(own).to_have_count(said + 1)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run one Chromium."""
    found = shutil.which("chromium")
    assert found, "chromium is not installed: run `make test-services`"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, args=CHROMIUM_FLAGS)
        yield browser
        await browser.close()


@asynccontextmanager
async def visiting(browser: Browser, desk: Desk | None = None) -> AsyncIterator[Visit]:
    """Serve a desk; fails when a page complained of anything, a breach of its policy among them."""
    desk = desk or Desk(SystemClock())
    visit = Visit(desk, "", browser)
    async with serving(desk.chat(), pages={"/shop": lambda: visit.shop()}) as host:
        visit.host = host
        yield visit
        for context in browser.contexts:
            await context.close()
        assert visit.troubles == []
