from collections.abc import Sequence
from ipaddress import ip_address

import httpx
import pytest

from core.errors import ForbiddenError
from core.reach import Reach
from ingest.guarded import GuardedTransport
from tests.ingest.sources.site import Site, html


class Names:
    """A name server that answers what it is told, the last answer for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


INSIDE = [
    "127.0.0.1", "127.8.9.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "198.18.0.1", "::1", "::", "fe80::1",
    "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a00:1::", "2001:db8::1",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
async def test_what_is_inside_is_refused_as_literal_and_by_name(address: str) -> None:
    with pytest.raises(ForbiddenError):
        await Reach().address(address, 80)
    with pytest.raises(ForbiddenError):
        await Reach(resolve=Names([address])).address("docs.test", 443)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:8.8.8.8"])
async def test_what_is_public_is_reached(address: str) -> None:
    found = await Reach(resolve=Names([address])).address("docs.test", 443)
    assert ip_address(found) == ip_address(address)


async def test_a_host_half_inside_is_refused() -> None:
    with pytest.raises(ForbiddenError):
        await Reach(resolve=Names(["93.184.216.34", "10.0.0.1"])).address("docs.test", 443)


@pytest.mark.parametrize(
    ("allowed", "host"),
    [
        ("wiki.internal", "WIKI.internal."), ("10.1.0.0/16", "wiki.internal"),
        ("10.1.2.3", "10.1.2.3"), ("10.1.2.3", "::ffff:10.1.2.3"),
    ],
)  # fmt: skip
async def test_what_a_setting_allows(allowed: str, host: str) -> None:
    assert await Reach([allowed], Names(["10.1.2.3"])).address(host, 80)


@pytest.mark.parametrize(
    ("allowed", "host"), [("wiki.internal", "other.internal"), ("10.2.0.0/16", "wiki.internal")]
)
async def test_a_setting_allows_no_more_than_it_says(allowed: str, host: str) -> None:
    with pytest.raises(ForbiddenError):
        await Reach([allowed], Names(["10.1.2.3"])).address(host, 80)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1", "localhost"])
async def test_odd_spellings_of_this_machine(host: str) -> None:
    with pytest.raises(ForbiddenError):
        await Reach().address(host, 80)


async def test_a_name_that_changes_its_mind_is_asked_once_and_not_followed(site: Site) -> None:
    """DNS rebinding: public when checked, inside when connected."""
    names = Names(["127.0.0.1"], ["10.0.0.1"])
    site.pages = {"/": html("Home")}
    port = site.url.rpartition(":")[2]
    transport = GuardedTransport(Reach(["127.0.0.1"], names))
    async with httpx.AsyncClient(transport=transport) as client:
        answer = await client.get(f"http://docs.test:{port}/")
        assert answer.status_code == 200
        assert names.asked == 1
        with pytest.raises(ForbiddenError):
            await client.get(f"http://docs.test:{port}/")


async def test_the_site_is_asked_under_its_own_name(site: Site) -> None:
    async def who(request: object) -> object:
        from aiohttp import web

        return web.Response(text=getattr(request, "host", ""))

    site.pages = {"/": who}  # type: ignore[dict-item] # a page that answers
    port = site.url.rpartition(":")[2]
    transport = GuardedTransport(Reach(["127.0.0.1"], Names(["127.0.0.1"])))
    async with httpx.AsyncClient(transport=transport) as client:
        assert (await client.get(f"http://docs.test:{port}/")).text == f"docs.test:{port}"
