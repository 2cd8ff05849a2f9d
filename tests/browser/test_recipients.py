"""The composer of a mail in a real Chromium: who reads it, who is outside, and the question before the first mail."""

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.app.console.mailing import BO, CY, with_mail, writes
from tests.browser.test_console import DESK, PHONE, Shift, shift
from tests.store.scene import DEMO

pytestmark = pytest.mark.browser
__all__ = ["shift"]


async def test_a_person_sees_the_readers_and_is_asked_about_a_stranger(
    shift: Shift, tmp_path: Path
) -> None:
    await with_mail(shift.desk.scene)
    accepted = await writes(shift.desk, BO, CY)
    page = await shift.sign_in("Maya Okafor", f"/c/{accepted.conversation_id}")
    await page.keyboard.press("c")
    reply = page.get_by_label("Reply to the customer")
    await expect(reply).to_be_focused()

    readers = page.get_by_role("group", name="Recipients")
    await expect(readers).to_contain_text("Ana <ana@acme.example>")
    inside, outside = readers.get_by_label(re.compile(BO)), readers.get_by_label(re.compile(CY))
    await expect(inside).to_be_checked()
    await expect(outside).not_to_be_checked()
    await expect(readers.locator(".outsider")).to_have_text(f"{CY}outside")

    await outside.check()
    await reply.fill("Here is the export.")
    await page.keyboard.press("Control+Enter")
    question = page.locator(".ask")
    await expect(question).to_contain_text(f"{CY} is outside the customer's company")
    await expect(page.get_by_role("button", name="Send to them too")).to_be_focused()
    for name, size in (("desk", DESK), ("phone", PHONE)):
        await page.set_viewport_size(size)  # type: ignore[arg-type] # a plain dict
        await expect(question).to_be_in_viewport()
        await page.screenshot(path=tmp_path / f"composer-{name}.png")
    await page.set_viewport_size(DESK)  # type: ignore[arg-type] # a plain dict
    assert await _sent(shift, accepted.conversation_id) == []

    await page.get_by_role("button", name="Send to them too").click()
    await expect(page.get_by_role("log")).to_contain_text("Here is the export.")
    await expect(reply).to_have_value("")
    await reply.fill("And the other one.")
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_role("log")).to_contain_text("And the other one.")
    assert await _sent(shift, accepted.conversation_id) == [f"{BO} {CY}", f"{BO} {CY}"]


async def test_a_stranger_can_be_left_out(shift: Shift) -> None:
    await with_mail(shift.desk.scene)
    accepted = await writes(shift.desk, CY)
    page = await shift.sign_in("Maya Okafor", f"/c/{accepted.conversation_id}")
    await page.keyboard.press("c")
    await page.get_by_label(re.compile(CY)).check()
    await page.get_by_label("Reply to the customer").fill("Only for Ana.")
    await page.get_by_role("button", name="Send", exact=True).click()
    await page.get_by_role("button", name="Leave them out").click()
    await expect(page.get_by_role("log")).to_contain_text("Only for Ana.")
    assert await _sent(shift, accepted.conversation_id) == [""]


async def _sent(shift: Shift, conversation: str) -> list[str]:
    found = await shift.desk.services.reads.transcript(
        DEMO, conversation, 0, 50, customer_view=False
    )
    return [m.metadata.get("cc", "") for m in found if m.author == "csm"]
