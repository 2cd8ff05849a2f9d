import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from ingest.origins import Found, IngestSettings, Listing, Options, Request
from ingest.sources import source_named
from tests.ingest.sources.site import Site


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """A site of this test's own."""
    made = Site()
    app = web.Application()
    app.router.add_get("/{path:.*}", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    socket = web.TCPSite(runner, "127.0.0.1", 0)
    await socket.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


class Gatherer:
    """Asks a source and keeps what its listing said."""

    def __init__(self, settings: IngestSettings, cache: Any) -> None:
        self.settings = settings
        self.cache = cache
        self.listing = Listing()

    async def __call__(
        self, kind: str, location: str, known: Any = None, **options: Any
    ) -> dict[str, Found]:
        self.listing = Listing()
        spec = source_named(kind)
        request = Request(
            await asyncio.to_thread(spec.check, location, self.settings),
            Options(**options),
            self.settings,
            self.listing,
            known or {},
            self.cache,
        )
        found = [each async for each in spec.files(request)]
        assert len({each.path for each in found}) == len(found)
        return {each.path: each for each in found}


@pytest.fixture
def gather(tmp_path: Any) -> Gatherer:
    """Ask a source; nothing waits, and this machine may be reached."""
    settings = IngestSettings(
        allow_hosts=("127.0.0.1",), crawl_delay=0, page_bytes=50_000, timeout=5,
        git_schemes=("file",), folders=("*",),
    )  # fmt: skip
    return Gatherer(settings, tmp_path / "var")
