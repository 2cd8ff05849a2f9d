import gzip

import pytest
from aiohttp import web

from core.errors import NotFoundError, UnavailableError
from ingest.sources import sitemap as module
from ingest.sources.sitemap import parse
from tests.ingest.sources.conftest import Gatherer
from tests.ingest.sources.site import Site, html, index, packed, sitemap


def paths(site: Site, found: object) -> set[str]:
    return {path.removeprefix(site.url) for path in found}  # type: ignore[attr-defined] # a mapping of URLs


async def test_the_listed_pages_and_no_others(site: Site, gather: Gatherer) -> None:
    site.pages = {
        "/sitemap.xml": sitemap("/a", "/b#x", "/b", "/missing"),
        "/a": html("A", "/unlisted"), "/b": html("B"), "/unlisted": html("U"),
    }  # fmt: skip
    found = await gather("sitemap", f"{site.url}/sitemap.xml")
    assert paths(site, found) == {"/a", "/b", "/missing"}
    assert found[f"{site.url}/missing"].gone
    assert gather.listing.whole
    assert gather.listing.total == 3


async def test_indexes_that_name_each_other_end(site: Site, gather: Gatherer) -> None:
    site.pages = {
        "/sitemap.xml": index("/one.xml", "/sitemap.xml"),
        "/one.xml": index("/sitemap.xml", "/two.xml.gz", "/one.xml"),
        "/a": html("A"),
    }
    site.pages["/two.xml.gz"] = packed(sitemap("/a"), site)
    assert paths(site, await gather("sitemap", f"{site.url}/sitemap.xml")) == {"/a"}
    assert site.asked.count("/one.xml") == 1


async def test_a_sitemap_that_cannot_be_had_leaves_the_listing_partial(
    site: Site, gather: Gatherer
) -> None:
    site.pages = {
        "/sitemap.xml": index("/one.xml", "/two.xml"),
        "/one.xml": sitemap("/a"), "/two.xml": web.Response(status=500), "/a": html("A"),
    }  # fmt: skip
    assert paths(site, await gather("sitemap", f"{site.url}/sitemap.xml")) == {"/a"}
    assert not gather.listing.whole


@pytest.mark.parametrize(
    "broken",
    [
        web.Response(status=503),
        web.Response(text="<html>an error page</html>", content_type="text/html"),
        web.Response(text="<urlset><url>", content_type="application/xml"),
        web.Response(text="", content_type="application/xml"),
        web.Response(text='<!DOCTYPE x [<!ENTITY a "b">]><urlset/>', content_type="text/xml"),
        gzip.compress(b"<urlset>", mtime=0)[:-9],
    ],
)
async def test_without_its_sitemap_a_source_is_unavailable(
    site: Site, gather: Gatherer, broken: web.Response | bytes
) -> None:
    site.pages = {"/sitemap.xml": broken}
    with pytest.raises(UnavailableError):
        await gather("sitemap", f"{site.url}/sitemap.xml")


async def test_an_empty_sitemap_is_no_order_to_delete_everything(
    site: Site, gather: Gatherer
) -> None:
    site.pages = {"/sitemap.xml": sitemap()}
    with pytest.raises(NotFoundError):
        await gather("sitemap", f"{site.url}/sitemap.xml")


async def test_a_packed_bomb_is_not_unpacked(
    site: Site, gather: Gatherer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 100_000)
    site.pages = {"/sitemap.xml": gzip.compress(b" " * 10_000_000)}
    with pytest.raises(UnavailableError, match="more than 100000 bytes"):
        await gather("sitemap", f"{site.url}/sitemap.xml")


async def test_a_site_names_its_own_sitemaps(site: Site, gather: Gatherer) -> None:
    site.pages = {
        "/robots.txt": "Sitemap: SITE/maps/1.xml\nSitemap: https://other.test/2.xml\n",
        "/maps/1.xml": sitemap("/a"), "/a": html("A"),
    }  # fmt: skip
    assert paths(site, await gather("sitemap", site.url)) == {"/a"}


async def test_pages_of_other_sites_are_left_out_and_said(site: Site, gather: Gatherer) -> None:
    site.pages = {
        "/sitemap.xml": "SITE/a\nhttps://other.test/x\nhttp://10.0.0.1/y\n", "/a": html("A"),
    }  # fmt: skip
    assert paths(site, await gather("sitemap", f"{site.url}/sitemap.xml")) == {"/a"}
    assert gather.listing.notes == ["2 pages of other sites were left out"]
    assert gather.listing.whole


def test_sitemaps_with_and_without_a_namespace() -> None:
    with_one = '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc> /a </loc></url></urlset>'
    assert parse(with_one.encode(), "https://x.test/s.xml") == (["https://x.test/a"], [])
    without = b"<sitemapindex><sitemap><loc>https://x.test/b.xml</loc></sitemap></sitemapindex>"
    assert parse(without, "https://x.test/s.xml") == ([], ["https://x.test/b.xml"])
