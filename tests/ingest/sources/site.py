"""A web site of a test's own, served for real on loopback."""

import gzip
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

Say = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Site:
    """Pages by path. A page is HTML, bytes, a whole response, or what answers each request anew."""

    url: str = ""
    pages: dict[str, str | bytes | web.Response | Say] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path_qs)
        self.agents.add(request.headers.get("user-agent", ""))
        page = self.pages.get(request.path_qs, self.pages.get(request.path))
        if page is None:
            return web.Response(status=404, text="none")
        if isinstance(page, str):
            kind = "text/plain" if request.path.endswith(".txt") else "text/html"
            kind = "application/xml" if request.path.endswith(".xml") else kind
            response = web.Response(text=page.replace("SITE", self.url), content_type=kind)
            response.headers["etag"] = f'"{hash(page)}"'
            if request.headers.get("if-none-match") == response.headers["etag"]:
                return web.Response(status=304, headers={"etag": response.headers["etag"]})
            return response
        if isinstance(page, bytes):
            return web.Response(body=page, content_type="application/gzip")
        if isinstance(page, web.Response):
            return web.Response(
                status=page.status,
                text=page.text,
                headers={
                    **{
                        k: v.replace("SITE", self.url)
                        for k, v in page.headers.items()
                        if k.lower() != "content-length"
                    }
                },
            )
        return await page(request)


def html(title: str, *links: str, head: str = "", text: str = "") -> str:
    """Return a page."""
    anchors = "".join(f'<a href="{link}">more</a>' for link in links)
    said = text or f"All about {title}."
    return (
        f"<html><head><title>{title}</title>{head}</head>"
        f"<body><main><h1>{title}</h1><p>{said}</p></main><nav>{anchors}</nav></body></html>"
    )


def sitemap(*paths: str) -> str:
    """Return a sitemap of the site's paths."""
    entries = "".join(f"<url><loc>SITE{path}</loc></url>" for path in paths)
    return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</urlset>'


def index(*paths: str) -> str:
    """Return an index of sitemaps."""
    entries = "".join(f"<sitemap><loc>SITE{path}</loc></sitemap>" for path in paths)
    return f"<sitemapindex>{entries}</sitemapindex>"


def packed(text: str, site: Site) -> bytes:
    """Return a packed sitemap."""
    return gzip.compress(text.replace("SITE", site.url).encode())
