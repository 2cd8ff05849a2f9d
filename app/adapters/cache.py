"""Short-lived state in Redis; the same, per process, while Redis is away."""

import time

from redis.asyncio import Redis

from app.adapters.redis_link import REDIS_DOWN

_PREFIX = "usher:cache:"
_MOST = 10_000


class RedisCache:
    """Port `Cache`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._local: dict[str, tuple[float, str]] = {}

    async def get(self, key: str) -> str | None:
        """See the port."""
        try:
            value = await self._redis.get(_PREFIX + key)
        except REDIS_DOWN:
            until, kept = self._local.get(key, (0.0, ""))
            return kept if until > time.monotonic() else None
        return str(value) if value is not None else None

    async def put(self, key: str, value: str, ttl: float) -> None:
        """See the port."""
        try:
            await self._redis.set(_PREFIX + key, value, px=max(1, int(ttl * 1000)))
        except REDIS_DOWN:
            self._keep(key, value, ttl)

    async def drop(self, key: str) -> None:
        """See the port."""
        self._local.pop(key, None)
        try:
            await self._redis.delete(_PREFIX + key)
        except REDIS_DOWN:
            return

    async def allow(self, key: str, limit: int, per: float) -> bool:
        """See the port. The window starts with its first event."""
        name = f"{_PREFIX}allow:{key}"
        try:
            count = int(await self._redis.incr(name))
            if count == 1 or await self._redis.pttl(name) < 0:
                await self._redis.pexpire(name, int(per * 1000))
        except REDIS_DOWN:
            until, kept = self._local.get(name, (0.0, "0"))
            fresh = until > time.monotonic()
            count = int(kept) + 1 if fresh else 1
            self._keep(name, str(count), until - time.monotonic() if fresh else per)
        return count <= limit

    async def healthy(self) -> bool:
        """See the port."""
        try:
            return bool(await self._redis.ping())
        except REDIS_DOWN:
            return False

    def _keep(self, key: str, value: str, ttl: float) -> None:
        now = time.monotonic()
        if len(self._local) >= _MOST:
            self._local = {k: v for k, v in self._local.items() if v[0] > now}
        self._local[key] = (now + ttl, value)
