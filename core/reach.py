"""What may be reached: hosts are looked up and their addresses checked before anything connects to them.

Owns the guard against fetching from inside the network (SSRF), for pages of docs and files of customers
alike. An address is public, or its host or network is allowed by a setting. Not here: connecting to the
very address that was checked (ingest/guarded.py).
"""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

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

    def __init__(
        self,
        allowed: Sequence[str] = (),
        resolve: Resolve = look_up,
        setting: str = "USHER_INGEST_ALLOW_HOSTS",
    ) -> None:
        """Let `allowed` in, besides what is public: names, addresses, networks (`10.1.0.0/16`).

        `setting` is where a refusal says that more can be allowed.
        """
        self._setting = setting
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
                raise ForbiddenError(f"{host!r} is inside a private network: see {self._setting}")
        return str(addresses[0])

    def _may(self, address: Address) -> bool:
        inner = _inner(address)
        inside = any(inner in network for network in self._networks)
        return inside or (inner.is_global and not inner.is_multicast)


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
