"""One web site, followed from its first page.

Owns where the walk begins. Polite by robots.txt and pauses, bounded in pages and depth, and never
beyond the site itself.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from core.reach import web_address
from ingest.origins import Found, IngestSettings, Request, SourceSpec
from ingest.sources._crawl import crawl
from ingest.sources._fetch import Fetcher
from ingest.sources._links import normalised


async def files(request: Request) -> AsyncGenerator[Found, None]:
    """Yield the pages that the first one leads to, each once."""
    start = normalised(request.location) or request.location
    async with (
        Fetcher(request.settings) as fetcher,
        aclosing(crawl(request, fetcher, [start], follow=True)) as found,
    ):
        async for each in found:
            yield each


def check(location: str, _settings: IngestSettings) -> str:
    """Return the URL."""
    return web_address(location)


def claims(location: str) -> bool:
    """Return whether it is a URL of the web."""
    return location.startswith(("https://", "http://"))


SOURCE = SourceSpec(
    name="site",
    summary="A web site, followed from its first page.",
    files=files,
    check=check,
    claims=claims,
    order=50,
)
