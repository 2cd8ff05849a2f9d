"""Connects to the very address that was checked, under the host's own name.

The name is looked up once a connection, so that it cannot change its mind in between (DNS rebinding).
Not here: which addresses may be reached (core/reach.py).
"""

import httpx

from core.reach import PORTS, Reach


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
