"""Servers and databases of the tests: real, fresh per test, and gone afterwards."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

from tests import services

ROOT = Path(__file__).parents[2]

# A run that starts both servers, says so, and then waits to be ended.
RUN = """
import json, signal
from tests import services

def test_wait():
    for kind in ("postgresql", "redis"):
        service = services.ensure(kind)
        print(json.dumps([service.supervisor, service.server]), flush=True)
    print(services.run_dir(), flush=True)
    signal.pause()
"""


def test_redis_is_empty_and_answers(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left", "over")


def test_redis_forgets_between_tests(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.get("left") is None


def test_a_redis_alone_can_go_and_come_back(redis_service: services.Service) -> None:
    redis_service.stop()
    assert not services.accepts(redis_service.port)

    again = services.ensure("redis", redis_service.name, redis_service.port)

    assert again.port == redis_service.port
    assert services.accepts(again.port)


def test_postgresql_server_is_the_runs_own() -> None:
    service = services.ensure("postgresql")

    with psycopg.connect(f"host=127.0.0.1 port={service.port} user=postgres") as connection:
        row = connection.execute("SHOW data_directory").fetchone()

    assert row == (str(service.directory / "data"),)
    assert services.ensure("postgresql") == service


@pytest.mark.fault
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_when_pytest_is_ended(sign: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "test_wait.py").write_text(RUN)
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nasyncio_default_fixture_loop_scope = function\n"
    )
    own = (services.RUN_DIR_VARIABLE, services.OWNER_VARIABLE)
    environment = {key: value for key, value in os.environ.items() if key not in own}
    options = ["-c", str(tmp_path / "pytest.ini"), "-p", "tests.conftest", "-s", "-q"]
    command = [sys.executable, "-m", "pytest", *options, str(tmp_path / "test_wait.py")]
    with subprocess.Popen(  # noqa: S603 - ourselves
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        said = [run.stdout.readline().strip() for _ in range(3)]
        pids = [int(pid) for line in said[:2] for pid in line.strip("[]").split(",")]
        watched = [os.pidfd_open(pid) for pid in pids]
        run.send_signal(sign)
        run.stdout.read()

    for process in watched:
        assert select.select([process], [], [], 30)[0]
        os.close(process)
    assert not Path(said[2]).exists()
