"""Fetches one URL politely and within bounds.

Owns redirects (each hop is asked about anew), robots.txt, the pause between requests, limits of size
and time. Not here: which URLs (_crawl.py), which addresses (core/reach.py).
"""

import asyncio
import contextlib
import logging
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType

import httpx
from protego import Protego

from core.errors import UnavailableError
from core.reach import Reach
from ingest.guarded import GuardedTransport
from ingest.origins import IngestSettings
from ingest.sources._links import normalised, origin_of, robots_say

logger = logging.getLogger(__name__)

MAX_HOPS = 5
MAX_ROBOTS = 500_000  # bytes
MAX_PAUSE = 30.0  # seconds; what a robots.txt or a Retry-After may ask for at most
WHOLE = 4  # a whole answer may take this many times the time of one read
_BUSY = frozenset((429, 503))
_GONE = frozenset((404, 410))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request. `url` is where it ended; `problem` says why there is no `body`.

    `lasting` problems are the page's own; after others it may well be there the next time.
    `elsewhere` is the page of another site that it leads to; what robots.txt keeps us out of is
    `kept_out`, and was not asked for.
    """

    url: str
    status: int = 0
    body: bytes = b""
    media_type: str = ""
    charset: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    problem: str | None = None
    lasting: bool = True
    elsewhere: str | None = None
    kept_out: bool = False

    @property
    def same(self) -> bool:
        """Whether the page is what it was."""
        return self.status == httpx.codes.NOT_MODIFIED

    @property
    def gone(self) -> bool:
        """Whether the page is no more."""
        return self.status in _GONE

    @property
    def keep_and_follow(self) -> tuple[bool, bool]:
        """What the X-Robots-Tag header allows."""
        return robots_say(self.headers.get("x-robots-tag", ""))


class Fetcher:
    """Fetches from one site. Use as an async context manager."""

    def __init__(self, settings: IngestSettings, reach: Reach | None = None) -> None:
        """Ask as `settings.user_agent`; `reach` decides which addresses may be connected to."""
        self._settings = settings
        self._client = httpx.AsyncClient(
            transport=GuardedTransport(reach or Reach(settings.allow_hosts)),
            timeout=settings.timeout,
            headers={"user-agent": settings.user_agent, "accept-encoding": "gzip"},
            trust_env=False,  # a proxy would connect for us, past the guard
        )
        self._robots: dict[str, Protego] = {}
        self._pause = 0.0

    async def __aenter__(self) -> "Fetcher":
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def robots(self, url: str) -> Protego:
        """Return the rules of the URL's site; none when it has none.

        Raises UnavailableError when they cannot be had: then nothing may be fetched (RFC 9309).
        """
        origin = origin_of(url)
        if origin not in self._robots:
            answer = await self._get(f"{origin}/robots.txt", {}, _anything, MAX_ROBOTS)
            if answer.elsewhere:
                answer = await self._get(answer.elsewhere, {}, _anything, MAX_ROBOTS)
            if answer.problem and not answer.lasting:
                raise UnavailableError(f"{origin}/robots.txt: {answer.problem}")
            text = "" if answer.problem else answer.body.decode("utf-8", "replace")
            self._robots[origin] = rules = Protego.parse(text)
            asked = rules.crawl_delay(self._settings.user_agent) or 0.0
            self._pause = max(self._settings.crawl_delay, min(float(asked), MAX_PAUSE))
        return self._robots[origin]

    async def allowed(self, url: str) -> bool:
        """Return whether robots.txt lets us fetch this. Raises UnavailableError as `robots`."""
        rules = await self.robots(url)
        return bool(rules.can_fetch(url, self._settings.user_agent))

    async def get(
        self,
        url: str,
        known: Mapping[str, str] | None = None,
        wanted: Callable[[str], bool] | None = None,
    ) -> Answer:
        """Fetch a page of the site, after a pause.

        `known` may hold the `etag` and `last_modified` it came with; a page that is what it was is
        not sent again. `wanted` decides by media type whether the body is read. Nothing outside the
        URL's own site is fetched, wherever it redirects to. Raises UnavailableError when the site
        has no address or no robots.txt can be had, ForbiddenError when it is not to be reached.
        """
        if not await self.allowed(url):
            return Answer(url, problem="robots.txt keeps us out", kept_out=True)
        headers = {
            header: known[key]
            for header, key in (("if-none-match", "etag"), ("if-modified-since", "last_modified"))
            if known and key in known
        }
        await asyncio.sleep(self._pause)
        limit = self._settings.page_bytes
        answer = await self._get(url, headers, wanted or _anything, limit)
        if answer.status in _BUSY:
            with contextlib.suppress(ValueError):
                await asyncio.sleep(min(float(answer.headers.get("retry-after", "")), MAX_PAUSE))
                answer = await self._get(url, headers, wanted or _anything, limit)
        return answer

    async def _get(
        self, url: str, headers: Mapping[str, str], wanted: Callable[[str], bool], limit: int
    ) -> Answer:
        at = url
        try:
            async with asyncio.timeout(self._settings.timeout * WHOLE):
                for _hop in range(MAX_HOPS + 1):
                    answer = await self._one(at, headers, wanted, limit)
                    if answer.status // 100 != 3 or answer.same:
                        return answer
                    target = answer.headers.get("location", "")
                    following = normalised(target, at) if target else None
                    if following is None:
                        return _with(answer, "leads nowhere")
                    if origin_of(following) != origin_of(url):
                        return Answer(at, 410, problem="leads to another site", elsewhere=following)
                    if not url.endswith("/robots.txt") and not await self.allowed(following):
                        return Answer(at, problem="robots.txt keeps us out", kept_out=True)
                    at = following
        except (TimeoutError, httpx.TimeoutException):
            return Answer(at, problem="takes too long", lasting=False)
        except (httpx.HTTPError, zlib.error) as error:
            return Answer(at, problem=f"cannot be fetched ({type(error).__name__})", lasting=False)
        return Answer(at, problem="redirects in circles")

    async def _one(
        self, url: str, headers: Mapping[str, str], wanted: Callable[[str], bool], limit: int
    ) -> Answer:
        async with self._client.stream("GET", url, headers=dict(headers)) as response:
            answer = Answer(
                url,
                response.status_code,
                media_type=response.headers.get("content-type", "").partition(";")[0].strip(),
                charset=response.charset_encoding,
                headers=response.headers,
            )
            problem = _problem(response, answer, wanted, limit)
            if problem is not None:
                return _with(answer, problem)
            body = bytearray()
            async for piece in response.aiter_bytes(65_536):
                body += piece
                if len(body) > limit:
                    return _with(answer, f"larger than {limit} bytes")
        return Answer(
            url, answer.status, bytes(body), answer.media_type, answer.charset, answer.headers
        )


def _anything(_media_type: str) -> bool:
    return True


def _problem(
    response: httpx.Response, answer: Answer, wanted: Callable[[str], bool], limit: int
) -> str | None:
    if response.status_code == httpx.codes.NOT_MODIFIED or response.is_redirect:
        return ""
    if not response.is_success:
        return f"answers {response.status_code}"
    if not wanted(answer.media_type):
        return f"is {answer.media_type or 'of no known kind'}, not docs"
    length = response.headers.get("content-length", "")
    if length.isdigit() and int(length) > limit:
        return f"larger than {limit} bytes"
    return None


def _with(answer: Answer, problem: str) -> Answer:
    lasting = answer.status < 500 and answer.status not in (408, 425, 429)
    return Answer(
        answer.url,
        answer.status,
        b"",
        answer.media_type,
        answer.charset,
        answer.headers,
        problem or None,
        lasting,
    )
