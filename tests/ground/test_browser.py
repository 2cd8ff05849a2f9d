"""Debian's Chromium through Playwright from PyPI."""

import asyncio

import pytest
from playwright.async_api import Error, Page

PAGE = b"<!doctype html><title>here</title><p id=who></p><script>who.textContent='usher'</script>"


@pytest.mark.browser
async def test_a_page_of_this_machine_is_shown(page: Page) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(PAGE)}\r\n"
        writer.write(head.encode() + b"Connection: close\r\n\r\n" + PAGE)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        await page.goto(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        assert await page.title() == "here"
        assert await page.inner_text("#who") == "usher"


@pytest.mark.browser
async def test_other_machines_are_out_of_reach(page: Page) -> None:
    with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
        await page.goto("http://provider.invalid/")
