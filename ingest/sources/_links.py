"""What a page says to a crawler: its links, its canonical address, whether it may be kept.

Owns the one spelling of a URL under which a page is known. Reads HTML as a stream, without a tree:
its size is no danger.
"""

from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

from core.reach import PORTS

MAX_URL = 2_000
MAX_LINKS = 2_000
_READ = 2_000_000  # characters of a page in which links are looked for
_TRACKING = frozenset(
    ("fbclid", "gclid", "msclkid", "mc_cid", "mc_eid", "phpsessid", "jsessionid", "sid", "_ga")
)
_SAFE = "/%:=&?~#+!$,;'@()*[]"


@dataclass(frozen=True, slots=True)
class Head:
    """What was found. URLs are absolute and normalised; `keep` and `follow` are what robots may do."""

    links: tuple[str, ...] = ()
    canonical: str | None = None
    keep: bool = True
    follow: bool = True


def normalised(url: str, base: str = "") -> str | None:
    """Return the one spelling of a URL, without fragment and tracking; None for what is no page."""
    try:
        parts = urlsplit(urljoin(base, url.strip()))
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode() if parts.hostname else ""
    except (ValueError, UnicodeError):
        return None
    if parts.scheme not in PORTS or not host or parts.username or len(url) > MAX_URL:
        return None
    host = f"[{host}]" if ":" in host else host
    place = host if port in (None, PORTS[parts.scheme]) else f"{host}:{port}"
    query = urlencode(
        [
            (name, value)
            for name, value in parse_qsl(parts.query, keep_blank_values=True)
            if not name.lower().startswith("utm_") and name.lower() not in _TRACKING
        ]
    )
    return urlunsplit((parts.scheme, place, quote(parts.path or "/", safe=_SAFE), query, ""))


def origin_of(url: str) -> str:
    """Return scheme, host and port of a normalised URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def robots_say(directives: str) -> tuple[bool, bool]:
    """Return (may keep, may follow) of a robots meta tag or header."""
    words = {word.strip() for word in directives.lower().replace(":", ",").split(",")}
    return not words & {"noindex", "none"}, not words & {"nofollow", "none"}


def read_head(html: str, url: str, agent: str) -> Head:
    """Return what the page at `url` says to the crawler named `agent`. Never raises for odd HTML."""
    reader = _Reader(url, agent.lower())
    reader.feed(html[:_READ])
    return Head(tuple(reader.links), reader.canonical, reader.keep, reader.follow)


class _Reader(HTMLParser):
    def __init__(self, url: str, agent: str) -> None:
        super().__init__()
        self._base = url
        self._agents = ("robots", agent)
        self.links: dict[str, None] = {}
        self.canonical: str | None = None
        self.keep = True
        self.follow = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See HTMLParser."""
        given = {name: value or "" for name, value in attrs}
        rel = given.get("rel", "").lower().split()
        match tag:
            case "a" | "area" if "nofollow" not in rel:
                self._link(given.get("href", ""))
            case "link" if "canonical" in rel and self.canonical is None:
                self.canonical = normalised(given.get("href", ""), self._base)
            case "link" if "next" in rel:
                self._link(given.get("href", ""))
            case "base" if given.get("href"):
                self._base = urljoin(self._base, given["href"])
            case "meta" if given.get("name", "").lower() in self._agents:
                keep, follow = robots_say(given.get("content", ""))
                self.keep, self.follow = self.keep and keep, self.follow and follow
            case _:
                pass

    def parse_marked_section(self, i: int, report: bool = True) -> int:  # noqa: FBT001, FBT002 - theirs
        """See HTMLParser, whose own one fails at markup that no browser minds."""
        return self.parse_bogus_comment(i, report)

    def _link(self, href: str) -> None:
        if href and not href.startswith("#") and len(self.links) < MAX_LINKS:
            url = normalised(href, self._base)
            if url:
                self.links[url] = None
