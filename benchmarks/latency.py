"""How much the message path costs beside a bare loop that only thinks: `python -m benchmarks.latency`.

Both run the same echo handler in the same process; the path adds commit, claim, outbox and fan-out. Prints
medians of several runs as a ratio, because these machines are shared and noisy. Also prints how a running
server (`--url`) answers at several concurrencies.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import httpx

from app.adapters.redis_link import RedisSettings, connect
from app.store import migrate
from core.clock import SystemClock
from tests.path.harness import INBOX, TENANT, PlainUnderstands, inbound
from tests.path.harness import Path as MessagePath

MESSAGES = 100
RUNS = 5


async def bare() -> float:
    """Return seconds per message of understanding and echoing alone."""
    understands, clock = PlainUnderstands(), SystemClock()
    start = time.perf_counter()
    for n in range(MESSAGES):
        await understands.understand(TENANT, f"text {n}", (), clock.now(), "UTC")
    return (time.perf_counter() - start) / MESSAGES


async def whole(usher: MessagePath, run: int) -> float:
    """Return seconds per message from acceptance to the reply in a waiting caller's hand."""
    start = time.perf_counter()
    for n in range(MESSAGES):
        message = inbound(f"{run}-{n}", f"text {n}", sender=f"s{run}-{n % 10}", inline=True)
        accepted = await usher.intake.accept(INBOX, message, 0)
        assert await usher.waiter.wait(accepted, 10) is not None
    return (time.perf_counter() - start) / MESSAGES


async def path_costs() -> None:
    """Print what durability costs a message."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{Path(folder) / 'bench.db'}"
        await asyncio.to_thread(migrate, url)
        usher = MessagePath(url, connect(RedisSettings()), None)
        await usher.seed()
        work = asyncio.create_task(usher.worker.run())
        took = [await whole(usher, run) for run in range(RUNS)]
        alone = [await bare() for _ in range(RUNS)]
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        await usher.close()
    median, base = statistics.median(took), statistics.median(alone)
    print(
        f"whole path {median * 1000:.1f} ms a message, bare echo {base * 1e6:.0f} µs (x{median / base:.0f})"
    )


async def server(url: str, concurrency: int, total: int = 60) -> None:
    """Print how a running server answers one question at a concurrency."""
    limit = asyncio.Semaphore(concurrency)
    took: list[float] = []
    async with httpx.AsyncClient(
        base_url=url, headers={"authorization": "Bearer dev"}, timeout=60
    ) as http:

        async def one(n: int) -> None:
            async with limit:
                start = time.perf_counter()
                body = {"channel": "web", "text": f"How do I invite a teammate? ({n})"}
                (await http.post("/msg", json=body)).raise_for_status()
                took.append(time.perf_counter() - start)

        start = time.perf_counter()
        await asyncio.gather(*(one(n) for n in range(total)))
        spent = time.perf_counter() - start
    took.sort()
    print(
        f"concurrency {concurrency:>2}: {total / spent:5.1f} answers/s, "
        f"p50 {took[len(took) // 2] * 1000:.0f} ms, p95 {took[int(len(took) * 0.95)] * 1000:.0f} ms"
    )


async def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", help="a running development server")
    given = parser.parse_args()
    await path_costs()
    for concurrency in (1, 4, 16) if given.url else ():
        await server(given.url, concurrency)


if __name__ == "__main__":
    asyncio.run(main())
