"""A Redis that hangs is asked once in a while, not with every command."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.exceptions import RedisError

from app.adapters.redis_link import GuardedRedis, RedisSettings, connect


@asynccontextmanager
async def redis_that_hangs(callers: list[bytes]) -> AsyncIterator[str]:
    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        callers.append(await reader.read(4096))
        while await reader.read(4096):
            pass
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    async with server:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_after_a_silence_commands_fail_at_once_until_the_pause_is_over() -> None:
    callers: list[bytes] = []
    async with redis_that_hangs(callers) as url:
        client = connect(RedisSettings(_env_file=None, url=url, timeout=0.2, pause=3600.0))
        assert isinstance(client, GuardedRedis)
        try:
            with pytest.raises(RedisError):
                await client.get("a")
            asked = len(callers)
            assert asked >= 1
            for _command in range(5):
                with pytest.raises(RedisError, match="a moment ago"):
                    await client.get("a")
            assert len(callers) == asked
            client.shut_until = 0.0  # the pause is over
            with pytest.raises(RedisError):
                await client.get("a")
            assert len(callers) > asked
        finally:
            await client.aclose()


async def test_an_answer_is_an_answer(redis_url: str) -> None:
    client = connect(RedisSettings(_env_file=None, url=redis_url))
    assert await client.ping()
    assert await client.get("nothing") is None
    await client.aclose()
