"""A call from the simulator's page in a real Chromium, over the real adapter, worker and stores."""

import pytest
from playwright.async_api import Locator, Page, expect

from tests.app.app_server import running_app

pytestmark = pytest.mark.browser


def phone(page: Page) -> Locator:
    return page.get_by_role("region", name="Phone")


async def test_a_call_is_made_spoken_in_and_ended(sqlite_url: str, page: Page) -> None:
    async with running_app(sqlite_url) as server:
        await page.goto(f"{server.url}/simulator")
        await phone(page).get_by_role("button", name="Call", exact=True).first.click()
        await expect(phone(page).get_by_role("status", name="Call")).to_have_text("Not in a call")
        await phone(page).locator(".dial").click()
        heard = phone(page).get_by_role("log", name="What is said in the call")
        await expect(heard).to_contain_text("AI assistant")
        say = phone(page).get_by_role("textbox", name="Say")
        await say.fill("How do I export a board?")
        await page.keyboard.press("Enter")
        await expect(heard).to_contain_text("Open the board and select Export")
        await phone(page).get_by_role("button", name="0", exact=True).click()
        await expect(phone(page).get_by_role("status", name="Call")).to_have_text("After the tone")
        await expect(phone(page).get_by_role("group", name="Keys")).to_be_hidden()
        await say.fill("Please call me back")
        await page.keyboard.press("Enter")
        await expect(phone(page).get_by_role("status", name="Call")).to_have_text(
            "The call has ended"
        )
        await page.goto("about:blank")
