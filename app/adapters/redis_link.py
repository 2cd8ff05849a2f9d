"""One Redis for the process: the real one by URL, or an in-process one that needs nothing installed."""

import fakeredis
from pydantic_settings import SettingsConfigDict
from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from core.settings import Section

# everything that means "Redis is not there now"; callers degrade instead of failing
REDIS_DOWN = (RedisError, OSError, TimeoutError)


class RedisSettings(Section):
    """`url` is `redis://…`, or empty for the in-process server."""

    model_config = SettingsConfigDict(env_prefix="USHER_REDIS_")

    url: str = ""
    timeout: float = 2.0
    connections: int = 50


def connect(settings: RedisSettings) -> Redis:
    """Return a client; nothing is contacted yet."""
    if not settings.url:
        fake: Redis = fakeredis.FakeAsyncRedis(server=fakeredis.FakeServer(), decode_responses=True)
        return fake
    pool: BlockingConnectionPool = BlockingConnectionPool.from_url(
        settings.url,
        max_connections=settings.connections,
        timeout=settings.timeout,
        socket_connect_timeout=settings.timeout,
        socket_timeout=settings.timeout,
        decode_responses=True,
        health_check_interval=30,
    )
    return Redis.from_pool(pool)  # which owns it: closing the client closes the connections
