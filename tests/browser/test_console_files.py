"""Files at the console in a real Chromium: shown, downloaded, attached; at the desk and on the phone."""

import base64
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import FilePayload, expect

from core.messages import Attachment
from tests.browser.test_console import CONTRAST, DESK, PHONE, Shift, shift
from tests.core.test_files import PDF

__all__ = ["shift"]  # the fixture

pytestmark = pytest.mark.browser

# one red pixel
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg=="
)
SENT = (
    Attachment("error on save.png", "image/png", len(DOT), data=DOT),
    Attachment("invoice 2026.pdf", "application/pdf", len(PDF), data=PDF),
    Attachment("setup.exe", "application/octet-stream", 4, data=b"MZ\x90\0"),
    Attachment("log.txt", "text/plain", 0, url="https://media.example/1"),
)


@pytest.mark.parametrize(
    ("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk", "phone"]
)
async def test_files_are_seen_and_sent(
    shift: Shift, size: Any, scheme: Any, tmp_path: Path
) -> None:
    accepted = await shift.desk.says("It looks like this", attachments=SENT, display_name="Ann")
    page = shift.page
    await page.emulate_media(color_scheme=scheme)
    await shift.sign_in("Maya Okafor", f"/c/{accepted.conversation_id}")
    await page.set_viewport_size(size)
    files = page.locator(".message.customer .files li")
    await expect(files).to_have_count(4)
    await expect(files.nth(2)).to_contain_text("not kept: this kind is not allowed")
    await expect(files.nth(3)).to_contain_text("being fetched")
    picture = files.nth(0).locator("img")
    await expect(picture).to_be_visible()
    assert await picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 1
    link = files.nth(1).locator("a.file")
    await expect(link).to_have_attribute("download", "invoice 2026.pdf")
    how = "async link => (await fetch(link.href)).headers.get('content-disposition')"
    assert (await link.evaluate(how)).startswith('attachment; filename="invoice 2026.pdf"')

    await page.keyboard.press("c")
    await expect(page.get_by_text("You have it")).to_be_visible()
    await page.locator(".composer input[type=file]").set_input_files(
        [
            FilePayload(name="plan.pdf", mimeType="application/pdf", buffer=PDF),
            FilePayload(name="page.html", mimeType="text/html", buffer=b"<html>"),
        ]
    )
    await expect(page.get_by_role("alert")).to_contain_text("page.html: this kind of file is not")
    chosen = page.get_by_label("Attached files").get_by_role("listitem")
    await expect(chosen).to_have_count(1)
    await page.get_by_label("Reply to the customer").fill("Here is the plan.")
    assert await page.evaluate(CONTRAST) == []
    await page.screenshot(path=tmp_path / "attached.png")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".message.csm .files")).to_contain_text("plan.pdf")
    await expect(chosen).to_have_count(0)
    wide = await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert wide
