"""The guards really refuse what they are there to refuse."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from blockbuster import BlockingError

import app
from tests import guards


@pytest.mark.parametrize(
    "host",
    [None, "", "localhost", b"localhost", "127.0.0.1", "127.8.9.1", "::1", "0.0.0.0", "::1%lo"],
)
def test_this_machine_is_local(host: object) -> None:
    assert guards.is_local(host)


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "provider.invalid", b"192.0.2.1"])
def test_other_machines_are_not_local(host: object) -> None:
    assert not guards.is_local(host)


def reach(address: tuple[str, int]) -> None:
    with socket.socket() as sock:
        sock.connect(address)


def reach_softly(address: tuple[str, int]) -> None:
    with socket.socket() as sock:
        sock.connect_ex(address)


def send_datagram(address: tuple[str, int]) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.sendto(b"x", address)


def look_up(address: tuple[str, int]) -> None:
    socket.getaddrinfo(*address)


@pytest.mark.parametrize("attempt", [reach, reach_softly, send_datagram, look_up])
def test_other_machines_are_refused(attempt: Callable[[tuple[str, int]], None]) -> None:
    with pytest.raises(guards.NetworkForbiddenError):
        attempt(("192.0.2.1", 9))


async def test_other_machines_are_refused_on_the_loop() -> None:
    with pytest.raises(guards.NetworkForbiddenError):
        await asyncio.open_connection("192.0.2.1", 9)


async def test_this_machine_can_be_reached() -> None:
    heard = asyncio.Event()

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.set()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection("localhost", port)
        await heard.wait()
        writer.close()
        await writer.wait_closed()


def app_code(source: str) -> Callable[[], Awaitable[None]]:
    """Return `act` of a module that looks as if it lay in the app package."""
    path = Path(str(app.__file__)).with_name("imagined.py")
    namespace: dict[str, Callable[[], Awaitable[None]]] = {}
    exec(compile(source, str(path), "exec"), namespace)  # noqa: S102 - the source is just below
    return namespace["act"]


async def test_our_code_may_not_block_the_loop() -> None:
    act = app_code("import time\nasync def act():\n    time.sleep(0.001)\n")

    with pytest.raises(BlockingError):
        await act()


async def test_our_code_may_block_a_thread() -> None:
    act = app_code(
        "import asyncio, time\nasync def act():\n    await asyncio.to_thread(time.sleep, 0.001)\n"
    )

    await act()


async def test_a_task_that_goes_on_is_seen() -> None:
    task = asyncio.create_task(asyncio.Event().wait(), name="forgotten")

    left = await guards.running_tasks(lambda _: False)

    assert len(left) == 1
    assert "forgotten" in left[0]
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_what_libraries_are_excused_for_is_not_excused_for_us(tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("read me in a thread")
    namespace = {"note": note}
    path = Path(str(app.__file__)).with_name("imagined.py")
    source = "async def act():\n    return note.read_text()\n"
    exec(compile(source, str(path), "exec"), namespace)  # noqa: S102 - the source is just above
    act: Callable[[], Awaitable[str]] = namespace["act"]  # type: ignore[assignment] # made by exec

    with pytest.raises(BlockingError):
        await act()
