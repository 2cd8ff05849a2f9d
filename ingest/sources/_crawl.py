"""Walks one site: page by page, each once, within bounds.

Owns which URLs are visited and under which name a page is kept (its canonical one). A page that
cannot be had just now leaves the listing partial, so that nothing is deleted for it. Not here: how a
URL is fetched (_fetch.py).
"""

import asyncio
import mimetypes
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from core.errors import ForbiddenError, UnavailableError
from ingest.blocks import decode
from ingest.load import SUFFIXES, known_formats
from ingest.origins import Found, Request
from ingest.sources._fetch import Answer, Fetcher
from ingest.sources._links import Head, normalised, origin_of, read_head

HTML = frozenset(("text/html", "application/xhtml+xml"))
MAX_FAILURES = 10  # one after the other: then the site is down
MAX_MOVES = 3  # of a site's first page, to https, to www
_LINKS = 30_000  # characters of links kept with a page
_WEB_PAGES = frozenset((".html", ".htm", ".php", ".asp", ".aspx", ".jsp", ".shtml", ""))


async def crawl(
    request: Request, fetcher: Fetcher, seeds: Sequence[str], *, follow: bool
) -> AsyncGenerator[Found, None]:
    """Yield the pages at the seeds and, with `follow`, those they lead to on the same site.

    Raises UnavailableError when the first of followed pages cannot be had, or the site stops
    answering; ForbiddenError when robots.txt keeps us out of all of it.
    """
    walk = _Walk(request, fetcher, origin_of(seeds[0]), follow=follow)
    if follow:
        seeds = [await walk.enter(seeds[0])]
    for seed in seeds:
        walk.queue(seed, 0)
    while walk.waiting and walk.fetched < request.options.max_pages:
        url, depth = walk.waiting.popleft()
        async for found in walk.visit(url, depth):
            yield found
        request.listing.total = min(walk.fetched + len(walk.waiting), request.options.max_pages)
    if walk.kept_out:
        request.listing.notes.append(f"robots.txt keeps us out of {walk.kept_out} pages")
    if walk.waiting:
        request.listing.partial(f"stopped at {request.options.max_pages} pages")


@dataclass(slots=True)
class _Walk:
    """What was visited and what waits."""

    request: Request
    fetcher: Fetcher
    origin: str
    follow: bool
    waiting: deque[tuple[str, int]] = field(default_factory=deque)
    queued: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    fetched: int = 0
    kept_out: int = 0
    failures: int = 0

    def queue(self, url: str, depth: int) -> None:
        """Let a page wait for its visit, unless it did before or is not for us."""
        if url in self.queued or origin_of(url) != self.origin or not _may_be_docs(url):
            return
        options = self.request.options
        if (depth or not self.follow) and not options.takes(url):
            return
        self.queued.add(url)
        self.waiting.append((url, depth))

    async def enter(self, url: str) -> str:
        """Return where the site really begins; it may have moved to https or to www."""
        for _move in range(MAX_MOVES):
            if not await self.fetcher.allowed(url):
                raise ForbiddenError(f"robots.txt keeps us out of {url}")
            answer = await self.fetcher.get(url)
            if answer.elsewhere is None:
                if answer.problem:
                    raise UnavailableError(f"{url} {answer.problem}")
                break
            url, self.origin = answer.elsewhere, origin_of(answer.elsewhere)
        return url

    async def visit(self, url: str, depth: int) -> AsyncIterator[Found]:
        """Fetch one page; yield it under its canonical name, and queue what it leads to."""
        known = self.request.known.get(url, {})
        self.fetched += 1
        answer = await self.fetcher.get(url, known, _is_readable)
        path = answer.url
        if path != url and path in self.queued:
            return  # redirects to a page that has, or will have, its own visit
        self.queued.add(path)
        if answer.kept_out:
            self.kept_out += 1
        elif answer.same:
            self.failures = 0
            self._queue_all(known.get("links", "").split("\n"), depth)
            self.kept.add(path)
            yield Found(path, same=True, url=path, origin=_origin(answer, known.get("links", "")))
        elif answer.problem:
            yield self._problem(answer, path)
        else:
            self.failures = 0
            async for found in self._page(answer, path, depth):
                yield found

    def _problem(self, answer: Answer, path: str) -> Found:
        if answer.gone:
            return Found(path, gone=True)
        if not answer.lasting:
            self.request.listing.partial("some pages could not be fetched")
            self.failures += 1
            if self.failures >= MAX_FAILURES:
                raise UnavailableError(f"{self.origin} stopped answering: {answer.problem}")
        return Found(path, refused=answer.problem)

    async def _page(self, answer: Answer, path: str, depth: int) -> AsyncIterator[Found]:
        head = await self._head(answer, path)
        keep, follow = answer.keep_and_follow
        if head.follow and follow:
            self._queue_all(head.links, depth)
        if not (keep and head.keep):
            yield Found(path, gone=True)
            return
        canonical = head.canonical
        if canonical and canonical != path and origin_of(canonical) == self.origin:
            if canonical not in self.queued:
                self.queue(canonical, depth)
            if canonical in self.kept or any(canonical == url for url, _ in self.waiting):
                return  # known by its other name
        self.kept.add(path)
        links = "\n".join(head.links)[:_LINKS] if self.follow else ""
        yield Found(
            path,
            answer.body,
            url=path,
            media_type=answer.media_type,
            charset=answer.charset,
            reads_as=unquote(urlsplit(path).path).strip("/") or "index",
            origin=_origin(answer, links),
        )

    async def _head(self, answer: Answer, path: str) -> Head:
        if answer.media_type not in HTML:
            return Head()
        try:
            text = await asyncio.to_thread(decode, answer.body, answer.charset)
        except ValueError:
            return Head()
        return await asyncio.to_thread(read_head, text, path, self.request.settings.user_agent)

    def _queue_all(self, links: Sequence[str], depth: int) -> None:
        if not self.follow or depth >= self.request.options.depth:
            return
        for link in links:
            url = normalised(link) if link else None
            if url:
                self.queue(url, depth + 1)


def _origin(answer: Answer, links: str) -> Mapping[str, str]:
    """Return what to keep so that the page need not be sent again."""
    kept = {"etag": "etag", "last_modified": "last-modified"}
    marks = {
        key: answer.headers[header] for key, header in kept.items() if header in answer.headers
    }
    return {**marks, "links": links} if marks and links else marks


def _is_readable(media_type: str) -> bool:
    return any(media_type in spec.media_types for spec in known_formats().values())


def _may_be_docs(url: str) -> bool:
    """Return whether a URL's suffix lets it be a page or a file we read."""
    suffix = PurePosixPath(urlsplit(url).path).suffix.lower()
    if suffix in SUFFIXES or suffix in _WEB_PAGES:
        return True
    guessed, _ = mimetypes.guess_type(f"x{suffix}")
    return guessed is None or _is_readable(guessed)
