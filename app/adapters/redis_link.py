"""One Redis for the process: the real one by URL, or an in-process one that needs nothing installed."""

import time
from typing import Any

import fakeredis
from pydantic_settings import SettingsConfigDict
from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import ConnectionError as NoConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as NoAnswerError

from core.settings import Section

# everything that means "Redis is not there now"; callers degrade instead of failing
REDIS_DOWN = (RedisError, OSError, TimeoutError)


class RedisSettings(Section):
    """`url` is `redis://…`, or empty for the in-process server."""

    model_config = SettingsConfigDict(env_prefix="USHER_REDIS_")

    url: str = ""
    timeout: float = 2.0
    connections: int = 50
    pause: float = 3.0


class GuardedRedis(Redis):
    """A client that asks a Redis which does not answer once in `pause` seconds, and fails at once between.

    A hung Redis costs its time-out with every command; a turn gives several. Everything that uses Redis does
    without it, so the sooner it is told the better.
    """

    pause = 3.0
    shut_until = 0.0

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """See redis-py. Raises ConnectionError while the pause lasts."""
        now = time.monotonic()
        if now < self.shut_until:
            raise NoConnectionError("Redis did not answer a moment ago")
        try:
            answer = await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except (NoConnectionError, NoAnswerError, OSError):
            self.shut_until = time.monotonic() + self.pause
            raise
        self.shut_until = 0.0
        return answer


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
    client = GuardedRedis(connection_pool=pool)
    client.auto_close_connection_pool = True  # closing the client closes the connections
    client.pause = settings.pause
    return client
