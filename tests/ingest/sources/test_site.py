import asyncio

import pytest
from aiohttp import web

from core.errors import BadInputError, ForbiddenError, UnavailableError
from ingest.sources import source_named
from ingest.sources._links import normalised, read_head
from tests.ingest.sources.conftest import Gatherer
from tests.ingest.sources.site import Site, html


def at(site: Site, found: object) -> set[str]:
    return {path.removeprefix(site.url) for path in found}  # type: ignore[attr-defined] # a mapping of URLs


async def test_a_site_is_followed_each_page_once(site: Site, gather: Gatherer) -> None:
    site.pages = {
        "/": html("Home", "/a", "b?utm_source=x&id=1#part", "/image.png", "https://other.test/x"),
        "/a": html("A", "/", "/b?id=1", "mailto:x@y.test"),
        "/b": html("B", "./c.html"),
        "/c.html": html("C", "/a", "/gone"),
    }
    found = await gather("site", site.url)
    assert at(site, found) == {"/", "/a", "/b?id=1", "/c.html", "/gone"}
    assert found[f"{site.url}/gone"].gone
    assert found[f"{site.url}/c.html"].url == f"{site.url}/c.html"
    assert found[f"{site.url}/c.html"].reads_as == "c.html"
    assert found[f"{site.url}/a"].media_type == "text/html"
    assert gather.listing.whole
    assert "/image.png" not in site.asked
    assert site.agents == {"usher"}


async def test_what_robots_may_not_fetch_keep_or_follow(site: Site, gather: Gatherer) -> None:
    site.pages = {
        "/robots.txt": "User-agent: usher\nDisallow: /*private\nDisallow: /x$\n",
        "/": html("Home", "/my-private", "/x", "/noindex", "/nofollow", "/header"),
        "/my-private": html("Private"),
        "/x": html("X"),
        "/noindex": html("N", "/behind", head='<meta name="robots" content="noindex">'),
        "/behind": html("Behind"),
        "/nofollow": html("F", "/never", head='<meta name="usher" content="NoFollow">'),
        "/never": html("Never"),
        "/header": web.Response(
            text=html("H"), headers={"x-robots-tag": "none", "content-type": "text/html"}
        ),
    }
    found = await gather("site", site.url)
    kept = {path for path, each in found.items() if each.data}
    assert at(site, kept) == {"/", "/behind", "/nofollow"}
    assert not {"/my-private", "/x", "/never"} & set(site.asked)
    assert not {"/my-private", "/x"} & set(at(site, found))
    assert gather.listing.notes == ["robots.txt keeps us out of 2 pages"]
    assert gather.listing.whole


async def test_a_site_that_keeps_us_out_is_not_fetched(site: Site, gather: Gatherer) -> None:
    site.pages = {"/robots.txt": "User-agent: *\nDisallow: /\n", "/": html("Home")}
    with pytest.raises(ForbiddenError):
        await gather("site", site.url)
    assert site.asked == ["/robots.txt"]


async def test_without_an_answer_about_robots_nothing_is_fetched(
    site: Site, gather: Gatherer
) -> None:
    site.pages = {"/robots.txt": web.Response(status=500), "/": html("Home")}
    with pytest.raises(UnavailableError):
        await gather("site", site.url)
    assert site.asked == ["/robots.txt"]


async def test_a_page_goes_by_its_canonical_name(site: Site, gather: Gatherer) -> None:
    def canonical(href: str) -> str:
        return f'<link rel="canonical" href="{href}">'

    site.pages = {
        "/": html("Home", "/print/a", "/loop1", "/mirror"),
        "/print/a": html("A", head=canonical("/a")),
        "/a": html("A", head=canonical("/a")),
        "/loop1": html("L1", head=canonical("/loop2")),
        "/loop2": html("L2", head=canonical("/loop1")),
        "/mirror": html("M", head=canonical("https://elsewhere.test/m")),
    }
    found = await gather("site", site.url)
    assert at(site, found) == {"/", "/a", "/loop2", "/mirror"}


async def test_redirects_are_followed_within_the_site_only(site: Site, gather: Gatherer) -> None:
    def to(target: str) -> web.Response:
        return web.Response(status=302, headers={"location": target})

    site.pages = {
        "/": html("Home", "/old", "/away", "/circle", "/nowhere"),
        "/old": to("/new"),
        "/new": html("New"),
        "/away": to("http://169.254.169.254/latest/meta-data"),
        "/circle": to("/circle"),
        "/nowhere": web.Response(status=302),
    }
    found = await gather("site", site.url)
    assert at(site, found) == {"/", "/new", "/away", "/circle", "/nowhere"}
    assert found[f"{site.url}/away"].gone
    assert found[f"{site.url}/circle"].refused == "redirects in circles"
    assert found[f"{site.url}/nowhere"].refused == "leads nowhere"
    assert gather.listing.whole


async def test_a_site_that_moved_is_followed_to_its_new_place(site: Site, gather: Gatherer) -> None:
    other = site.url.replace("127.0.0.1", "localhost")
    gather.settings = gather.settings.model_copy(update={"allow_hosts": ("127.0.0.1", "localhost")})

    async def home(request: web.Request) -> web.Response:
        if request.host.startswith("localhost"):
            raise web.HTTPMovedPermanently(f"{site.url}/")
        return web.Response(text=html("Home", "/a"), content_type="text/html")

    site.pages = {"/": home, "/a": html("A")}
    assert at(site, await gather("site", other)) == {"/", "/a"}


async def test_a_page_that_fails_just_now_leaves_the_listing_partial(
    site: Site, gather: Gatherer
) -> None:
    site.pages = {"/": html("Home", "/a", "/b"), "/a": web.Response(status=500), "/b": html("B")}
    found = await gather("site", site.url)
    assert found[f"{site.url}/a"].refused == "answers 500"
    assert not gather.listing.whole
    site.pages["/a"] = web.Response(status=403)
    found = await gather("site", site.url)
    assert found[f"{site.url}/a"].refused == "answers 403"
    assert gather.listing.whole


async def test_a_busy_site_is_asked_again_when_it_says(site: Site, gather: Gatherer) -> None:
    answers = iter((503, 200))

    async def busy(_request: web.Request) -> web.Response:
        return web.Response(
            status=next(answers), text=html("A"), headers={"retry-after": "0"},
            content_type="text/html",
        )  # fmt: skip

    site.pages = {"/": html("Home", "/a"), "/a": busy}
    found = await gather("site", site.url)
    assert found[f"{site.url}/a"].data


async def test_a_site_that_stops_answering_ends_the_walk(site: Site, gather: Gatherer) -> None:
    site.pages = {"/": html("Home", *(f"/{n}" for n in range(30)))}
    site.pages |= {f"/{n}": web.Response(status=502) for n in range(30)}
    with pytest.raises(UnavailableError):
        await gather("site", site.url)
    assert len(site.asked) < 20


async def test_a_first_page_that_cannot_be_had_is_an_error(site: Site, gather: Gatherer) -> None:
    with pytest.raises(UnavailableError, match="answers 404"):
        await gather("site", site.url)


async def test_bounds_of_pages_depth_and_size(site: Site, gather: Gatherer) -> None:
    site.pages = {f"/{n}": html(f"Page {n}", f"/{n + 1}") for n in range(9)}
    site.pages |= {
        "/": html("Home", "/0", "/big", "/endless"),
        "/big": html("B", text="x" * 60_000),
    }

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/html"})
        await response.prepare(request)
        for _ in range(40):
            await response.write(b"y" * 5_000)
        return response

    site.pages["/endless"] = endless
    found = await gather("site", site.url, depth=3)
    assert at(site, found) == {"/", "/0", "/big", "/endless", "/1", "/2"}
    assert found[f"{site.url}/big"].refused == "larger than 50000 bytes"
    assert found[f"{site.url}/endless"].refused == "larger than 50000 bytes"
    assert gather.listing.whole
    assert len(await gather("site", site.url, max_pages=4)) == 4
    assert not gather.listing.whole


async def test_a_page_that_never_ends_is_given_up(site: Site, gather: Gatherer) -> None:
    gather.settings = gather.settings.model_copy(update={"timeout": 0.2})
    stop = asyncio.Event()

    async def hang(_request: web.Request) -> web.Response:
        await stop.wait()
        return web.Response()

    site.pages = {"/": html("Home", "/a"), "/a": hang}
    found = await gather("site", site.url)
    stop.set()
    assert found[f"{site.url}/a"].refused == "takes too long"
    assert not gather.listing.whole


async def test_globs_choose_pages(site: Site, gather: Gatherer) -> None:
    site.pages = {
        "/": html("Home", "/help/a", "/blog/x", "/help/old/b"),
        "/help/a": html("A"), "/blog/x": html("X"), "/help/old/b": html("B"),
    }  # fmt: skip
    found = await gather("site", site.url, include=("*/help/*",), exclude=("*/old/*",))
    assert at(site, found) == {"/", "/help/a"}


async def test_an_unchanged_page_is_not_sent_again_and_still_leads_on(
    site: Site, gather: Gatherer
) -> None:
    site.pages = {"/": html("Home", "/a"), "/a": html("A", "/b"), "/b": html("B")}
    first = await gather("site", site.url)
    known = {path: each.origin for path, each in first.items()}
    site.pages["/b"] = html("B", text="Something new.")
    again = await gather("site", site.url, known)
    same = {path for path, each in again.items() if each.same}
    assert (at(site, again), at(site, same)) == ({"/", "/a", "/b"}, {"/", "/a"})
    assert {path: each.origin for path, each in again.items() if each.same} == {
        path: known[path] for path in same
    }


@pytest.mark.parametrize(
    "location",
    [
        "ftp://x.test/", "file:///etc/passwd", "https://", "https://user:pw@x.test/", "x.test",
        "https://x.test:22/", "https://x.test:99999/", "https://x .test/", "https://x\n.test/",
        "gopher://x.test", "https://[::1", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_what_is_no_site(location: str, gather: Gatherer) -> None:
    with pytest.raises(BadInputError):
        source_named("site").check(location, gather.settings)


@pytest.mark.parametrize(
    ("url", "one"),
    [
        ("HTTP://X.Test:80/a#b", "http://x.test/a"),
        ("https://x.test", "https://x.test/"),
        ("https://x.test/ä b?q=ü&utm_medium=y", "https://x.test/%C3%A4%20b?q=%C3%BC"),
        ("https://x.test/a%20b?gclid=1", "https://x.test/a%20b"),
        ("https://münchen.test/", "https://xn--mnchen-3ya.test/"),
        ("../c", "https://base.test/a/c"),
        ("//y.test/c", "https://y.test/c"),
        ("tel:+34", None),
        ("https://u@x.test/", None),
        ("https://x.test/" + "a" * 3000, None),
        ("http://[::1", None),
    ],
)
def test_one_spelling_of_a_url(url: str, one: str | None) -> None:
    assert normalised(url, "https://base.test/a/b/d") == one


@pytest.mark.parametrize(
    "odd", ["<![foo[", "<!", "<a href=", "<a href='/x", "<!-- ", "</", "\x00", "<a <a <a href=/x>"]
)
def test_odd_html_is_read_all_the_same(odd: str) -> None:
    head = read_head(f'<a href="/first">x</a>{odd} > <a href="/last">y</a>', "https://x.test/", "u")
    assert "https://x.test/first" in head.links
