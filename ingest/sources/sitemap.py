"""The pages that a sitemap lists.

Owns reading sitemaps and indexes of sitemaps, packed or not, and where a site keeps its own. Each is
read once, so that indexes that name each other end.
"""

import zlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from urllib.parse import urlsplit
from xml.etree import ElementTree

from core.errors import BadInputError, NotFoundError, UnavailableError
from core.reach import web_address
from ingest.origins import Found, IngestSettings, Listing, Request, SourceSpec
from ingest.sources._crawl import crawl
from ingest.sources._fetch import Answer, Fetcher
from ingest.sources._links import normalised, origin_of

MAX_SITEMAPS = 200
MAX_BYTES = 60_000_000  # unpacked; the protocol allows 50 MB
_GZIP = b"\x1f\x8b"


async def files(request: Request) -> AsyncGenerator[Found, None]:
    """Yield the pages listed, those of other sites left out."""
    async with Fetcher(request.settings) as fetcher:
        urls = await _listed(request, fetcher)
        if not urls and not request.listing.whole:
            raise UnavailableError(request.listing.notes[0])
        if not urls:
            raise NotFoundError(f"{request.location} lists no pages of its own site")
        async with aclosing(crawl(request, fetcher, urls, follow=False)) as found:
            async for each in found:
                yield each


async def _listed(request: Request, fetcher: Fetcher) -> list[str]:
    start = normalised(request.location) or request.location
    waiting = await _own_sitemaps(start, fetcher) if _is_home(start) else [start]
    pages: dict[str, None] = {}
    seen: set[str] = set(waiting)
    foreign = 0
    while waiting:
        sitemap = waiting.pop(0)
        answer = await fetcher.get(sitemap)
        if answer.elsewhere and len(seen) == 1:  # the site has moved, to https or to www
            answer = await fetcher.get(answer.elsewhere)
            start = answer.url
        try:
            urls, further = parse(_unpacked(answer), answer.url)
        except ValueError as error:
            request.listing.partial(f"{sitemap} {error}")
            continue
        own = [url for url in urls if origin_of(url) == origin_of(start)]
        foreign += len(urls) - len(own)
        pages.update(dict.fromkeys(own))
        for each in further:
            if each not in seen and origin_of(each) == origin_of(start):
                seen.add(each)
                waiting.append(each)
        _bound(waiting, seen, request.listing)
    if foreign:
        request.listing.notes.append(f"{foreign} pages of other sites were left out")
    return list(pages)


def _bound(waiting: list[str], seen: set[str], listing: Listing) -> None:
    if len(seen) > MAX_SITEMAPS:
        listing.partial(f"only {MAX_SITEMAPS} sitemaps were read")
        del waiting[max(0, len(waiting) - (len(seen) - MAX_SITEMAPS)) :]


def _is_home(url: str) -> bool:
    return urlsplit(url).path in ("", "/")


async def _own_sitemaps(start: str, fetcher: Fetcher) -> list[str]:
    """Return the sitemaps that a site's robots.txt names, else where one usually is."""
    named = [normalised(url) for url in (await fetcher.robots(start)).sitemaps]
    own = [url for url in named if url and origin_of(url) == origin_of(start)]
    return own[:MAX_SITEMAPS] or [f"{origin_of(start)}/sitemap.xml"]


def _unpacked(answer: Answer) -> bytes:
    """Return a sitemap's text. Raises ValueError when it could not be had or is too large."""
    if answer.problem:
        raise ValueError(answer.problem)
    data = answer.body
    if data.startswith(_GZIP):
        unpacker = zlib.decompressobj(wbits=31)
        try:
            data = unpacker.decompress(data, MAX_BYTES)
        except zlib.error as error:
            raise ValueError("is packed, and broken") from error
        if unpacker.unconsumed_tail:
            raise ValueError(f"unpacks to more than {MAX_BYTES} bytes")
    return data


def parse(data: bytes, base: str) -> tuple[list[str], list[str]]:
    """Return (pages, further sitemaps) of a sitemap, an index or a plain list of URLs.

    Raises ValueError for anything else. A document type is refused: its entities could grow without
    end.
    """
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data or b"\x00" in data:
        raise ValueError("declares a document type, which no sitemap needs")
    if not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        lines = data.decode("utf-8", "replace").lstrip("\ufeff").split()
        urls = [
            url for line in lines if line.startswith("http") for url in [normalised(line)] if url
        ]
        if not urls:
            raise ValueError("is no sitemap")
        return urls, []
    try:
        root = ElementTree.fromstring(data)  # noqa: S314 - no document type, no entities
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise ValueError(f"is no sitemap: {error}") from error
    kind = root.tag.rpartition("}")[2]
    if kind not in ("urlset", "sitemapindex"):
        raise ValueError(f"is no sitemap: it is {kind[:40]!r}")
    found = [
        url
        for entry in root
        for loc in entry
        if loc.tag.rpartition("}")[2] == "loc"
        for url in [normalised(loc.text or "", base)]
        if url
    ]
    return ([], found) if kind == "sitemapindex" else (found, [])


def check(location: str, _settings: IngestSettings) -> str:
    """Return the URL."""
    return web_address(location)


def claims(location: str) -> bool:
    """Return whether it is a URL whose file is called a sitemap."""
    try:
        name = urlsplit(web_address(location)).path.rpartition("/")[2].lower()
    except BadInputError:
        return False
    return "sitemap" in name or name.endswith((".xml", ".xml.gz"))


SOURCE = SourceSpec(
    name="sitemap",
    summary="The pages a sitemap lists, or the sitemaps that a site names.",
    files=files,
    check=check,
    claims=claims,
    order=40,
)
