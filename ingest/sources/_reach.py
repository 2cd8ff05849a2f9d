"""What may be reached: hosts are looked up, their addresses checked, and those very addresses used.

Owns the guard against fetching from inside the network (SSRF). An address is public, or its host or
network stands in `USHER_INGEST_ALLOW_HOSTS`. The name is looked up once a connection, and the
connection goes to the address that was checked, so that a name cannot change its mind in between.
"""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

import httpx

from core.errors import BadInputError, ForbiddenError, UnavailableError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

PORTS = {"http": 80, "https": 443}
_NUMBERS = re.compile(r"(?:0x[0-9a-f]+|\d+)(?:\.(?:0x[0-9a-f]+|\d+)){0,3}")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


async def look_up(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host. Raises UnavailableError when none can be had."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
        )
    except (OSError, UnicodeError) as error:
        raise UnavailableError(f"no address is known of {host!r}") from error
    return [str(entry[4][0]) for entry in found]


class Reach:
    """Says to which address a host may be connected."""

    def __init__(self, allowed: Sequence[str] = (), resolve: Resolve = look_up) -> None:
        """Let `allowed` in, besides what is public: names, addresses, networks (`10.1.0.0/16`)."""
        self._names = {name.lower().rstrip(".") for name in allowed}
        self._networks = [network for name in allowed for network in _network(name)]
        self._resolve = resolve

    async def address(self, host: str, port: int) -> str:
        """Return the address to connect to.

        Raises ForbiddenError when any of its addresses is not public and not allowed: a host that
        is half inside is not to be trusted. Raises UnavailableError when there is none.
        """
        name = host.lower().rstrip(".").strip("[]")
        literal = _literal(name)
        found = [str(literal)] if literal else await self._resolve(name, port)
        addresses = [a for a in map(_literal, found) if a is not None]
        if not addresses:
            raise UnavailableError(f"no address is known of {host!r}")
        for address in addresses:
            if name not in self._names and not self._may(address):
                raise ForbiddenError(
                    f"{host!r} is inside a private network: see USHER_INGEST_ALLOW_HOSTS"
                )
        return str(addresses[0])

    def _may(self, address: Address) -> bool:
        inner = _inner(address)
        inside = any(inner in network for network in self._networks)
        return inside or (inner.is_global and not inner.is_multicast)


class GuardedTransport(httpx.AsyncBaseTransport):
    """Sends each request to the address that was checked, under the host's own name."""

    def __init__(self, reach: Reach) -> None:
        """Keep a pool a host, so that no connection made for one name serves another."""
        self._reach = reach
        self._pools: dict[str, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request. Raises ForbiddenError, UnavailableError and what httpx raises."""
        host = request.url.host
        port = request.url.port or PORTS.get(request.url.scheme, 0)
        address = await self._reach.address(host, port)
        pool = self._pools.get(host)
        if pool is None:
            pool = self._pools[host] = httpx.AsyncHTTPTransport()
        request.url = request.url.copy_with(host=address)
        request.extensions = {**request.extensions, "sni_hostname": host}
        return await pool.handle_async_request(request)

    async def aclose(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            await pool.aclose()


def web_address(location: str) -> str:
    """Return an http(s) URL as it may be kept. Raises BadInputError for anything else."""
    text = location.strip()
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise BadInputError(f"{location!r} is no URL") from error
    if parts.scheme not in PORTS or not parts.hostname or not text.isprintable() or " " in text:
        raise BadInputError(f"{location!r} is no https:// or http:// URL")
    if parts.username or parts.password:
        raise BadInputError(
            "a URL here carries no name and password: they would be kept in the open"
        )
    if port is not None and port < 1024 and port not in PORTS.values():
        raise BadInputError(f"no site is served at port {port}")
    return text


def _literal(name: str) -> Address | None:
    """Return the address a host is, in any spelling that a resolver takes for one (127.1, 0x7f000001)."""
    try:
        return ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(name)) if _NUMBERS.fullmatch(name) else None
    except OSError:
        return None


def _inner(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour or address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _network(name: str) -> Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    try:
        return (ipaddress.ip_network(name, strict=False),)
    except ValueError:
        return ()
