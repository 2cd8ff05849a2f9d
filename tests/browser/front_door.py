"""The people before the front door of a running usher: visitors with the widget, CSMs with the console.

Each has a browser window of their own. Whatever a page complains of is kept for the test to look at.
"""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    async_playwright,
    expect,
)

from tests.conftest import CHROMIUM_FLAGS
from tests.live import Live

PASSWORD = "lumen-demo-2026"
PATIENCE = 30_000  # ms; a real server on a machine that may be busy


@dataclass
class Door:
    """A running server and the browser windows before it."""

    live: Live
    browser: Browser
    windows: list[BrowserContext] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    expected: str = r"WebSocket"  # what a page may complain of

    async def window(self, **options: Any) -> BrowserContext:
        """Open a window that shares nothing with the others."""
        usual: dict[str, Any] = {"locale": "en-US", "viewport": {"width": 1280, "height": 800}}
        window = await self.browser.new_context(**{**usual, **options})
        window.set_default_timeout(PATIENCE)
        self.windows.append(window)
        return window

    async def tab(self, window: BrowserContext, path: str) -> Page:
        """Open one more page in a window and watch it."""
        page = await window.new_page()
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("console", self._hear)
        await page.goto(f"{self.live.url}{path}")
        return page

    def _hear(self, message: ConsoleMessage) -> None:
        known = re.search(self.expected, message.text) is not None
        self.troubles.extend([message.text] * (message.type == "error" and not known))

    async def visitor(self, **options: Any) -> "Chat":
        """Return somebody new who has opened the chat."""
        chat = Chat(await self.tab(await self.window(**options), "/"))
        await chat.open()
        return chat

    async def csm(self, name: str = "maya", **options: Any) -> "Desk":
        """Return a CSM who has signed in."""
        page = await self.tab(await self.window(**options), "/console")
        await page.get_by_label("Email").fill(f"{name}@lumen.example")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await expect(page.get_by_role("searchbox")).to_be_visible()
        return Desk(page)


@dataclass
class Chat:
    """The widget in one tab."""

    page: Page

    async def open(self) -> None:
        """Open the chat and wait until the server has said hello."""
        await self.page.get_by_role("button", name="Open chat").click()
        await expect(self.page.get_by_label("Write a message")).to_be_visible()
        await expect(self.page.locator(".dot.on")).to_be_visible()

    async def say(self, text: str) -> None:
        """Write a message and see it stored."""
        own = self.log.locator(".me")
        said = await own.count()
        await self.page.get_by_label("Write a message").fill(text)
        await self.page.keyboard.press("Enter")
        await expect(own).to_have_count(said + 1)
        await expect(own.last).to_contain_text(text)

    @property
    def log(self) -> Locator:
        """The conversation so far, without drafts."""
        return self.page.get_by_role("log")

    @property
    def answers(self) -> Locator:
        """What was said to the customer, by bot or person."""
        return self.log.locator(".m:not(.me)")

    @property
    def draft(self) -> Locator:
        """What streams in."""
        return self.page.locator(".draft .b")

    async def texts(self) -> list[str]:
        """Return every message and system line, oldest first."""
        return await self.log.locator(".m .b, .line").all_inner_texts()

    async def conversation(self) -> str:
        """Return the conversation's id, as the widget keeps it."""
        kept = "Object.entries(localStorage).find(([k]) => k.endsWith(':conversation'))[1]"
        return str(await self.page.evaluate(kept))


@dataclass
class Desk:
    """The console in one tab."""

    page: Page

    async def find(self, filter_name: str, words: str) -> Locator:
        """Return the rows of the inbox under a filter that match a search."""
        await self.page.get_by_role("searchbox").fill(words)
        await self.page.get_by_role("button", name=re.compile(f"^{filter_name}")).click()
        return self.page.get_by_label("Conversations").get_by_role("link")

    async def open(self, conversation: str) -> None:
        """Open a conversation by its address."""
        await self.page.goto(re.sub(r"/console.*", f"/console/c/{conversation}", self.page.url))
        await expect(self.transcript).to_be_visible()

    @property
    def thread(self) -> Locator:
        """The open conversation."""
        return self.page.get_by_role("region", name="Conversation")

    @property
    def transcript(self) -> Locator:
        """Its messages."""
        return self.page.get_by_role("log", name="Transcript")

    async def press(self, name: str) -> None:
        """Press one of the conversation's buttons."""
        await self.thread.get_by_role("button", name=re.compile(f"^{name}")).click()

    async def reply(self, text: str) -> None:
        """Write to the customer and see it in the transcript."""
        await self.thread.get_by_label("Reply to the customer").fill(text)
        await self.thread.get_by_role("button", name="Send", exact=True).click()
        await expect(self.transcript.get_by_text(text)).to_be_visible()


@asynccontextmanager
async def before(live: Live) -> AsyncIterator[Door]:
    """Run a Chromium before a server; fail if a page complained of anything unexpected."""
    chromium = await asyncio.to_thread(shutil.which, "chromium")
    assert chromium, "chromium is not installed: run `make test-services`"
    expect.set_options(timeout=PATIENCE)
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=chromium, args=CHROMIUM_FLAGS
            )
            door = Door(live, browser)
            yield door
            await browser.close()
        assert door.troubles == []
    finally:
        expect.set_options(timeout=5_000)
