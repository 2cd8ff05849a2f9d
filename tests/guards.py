"""What no test may do: reach beyond this machine, block the event loop, leave a task behind.

Owns the guards; tests/conftest.py puts them around every test. Known limits: libpq and uvloop talk
to the kernel without Python's socket, so the first guard does not see them.
"""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterator

import pytest
from blockbuster import blockbuster_ctx

# Blocking is forbidden in our own code; libraries decide for themselves.
GUARDED_PACKAGES = ("app", "channels", "guardrails", "handlers", "ingest", "knowledge")

# What libraries do once and briefly, however they are used: (file, functions) by blocking call.
EXCUSED_CALLS = (
    # redis asks for its own version when the first connection is made.
    ("os.stat", "importlib/metadata/__init__.py", {"mtime"}),
    ("os.listdir", "importlib/metadata/__init__.py", {"children"}),
    ("io.TextIOWrapper.read", "importlib/metadata/__init__.py", {"read_text"}),
    # the in-process Redis reads its command table the first time one is made
    ("io.TextIOWrapper.read", "fakeredis/model/_command_info.py", {"_load_command_info"}),
    # SQLAlchemy makes a SQLite path absolute when the engine is created.
    ("os.path.abspath", "sqlalchemy/dialects/sqlite/pysqlite.py", {"create_connect_args"}),
)

# For clients of our own servers, which speak plainly: it trusts nobody, and spares every client the reading of
# the usual certificates (40 ms).
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class NetworkForbiddenError(RuntimeError):
    """A test tried to reach something that is not on this machine."""


def is_local(host: object) -> bool:
    """Tell whether a socket address's host is this machine."""
    if host in (None, "", b"", "localhost", b"localhost"):
        return True
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(text.partition("%")[0])
        return address.is_loopback or address.is_unspecified
    return False


def _require_local(sock: socket.socket, address: object) -> None:
    internet = sock.family in (socket.AF_INET, socket.AF_INET6)
    if internet and not (isinstance(address, tuple) and is_local(address[0])):
        message = f"tests stay on this machine; refused: {address!r}"
        raise NetworkForbiddenError(message)


@contextlib.contextmanager
def no_network() -> Iterator[None]:
    """Refuse connections and name look-ups beyond loopback."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex
    sendto, getaddrinfo = socket.socket.sendto, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: object) -> None:
        _require_local(self, address)
        connect(self, address)  # type: ignore[arg-type] # checked by the call itself

    def guarded_connect_ex(self: socket.socket, address: object) -> int:
        _require_local(self, address)
        return connect_ex(self, address)  # type: ignore[arg-type] # checked by the call itself

    def guarded_sendto(self: socket.socket, *args: object) -> int:
        _require_local(self, args[-1])
        return sendto(self, *args)  # type: ignore[call-overload,no-any-return] # passed on as is

    def guarded_getaddrinfo(host: object, *args: object, **kwargs: object) -> object:
        if not is_local(host):
            message = f"tests stay on this machine; refused to look up {host!r}"
            raise NetworkForbiddenError(message)
        return getaddrinfo(host, *args, **kwargs)  # type: ignore[arg-type] # passed on as is

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket.socket, "sendto", guarded_sendto)
        patch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
        yield


@contextlib.contextmanager
def no_blocking() -> Iterator[None]:
    """Raise BlockingError where our code blocks the event loop."""
    with blockbuster_ctx(scanned_modules=list(GUARDED_PACKAGES)) as functions:
        for function, file, inside in EXCUSED_CALLS:
            functions.functions[function].can_block_in(file, inside)
        yield


async def running_tasks(is_excused: Callable[[asyncio.Task[object]], bool]) -> list[str]:
    """Return the tasks of this loop, other than the caller, that go on after a few turns of it."""
    for _ in range(10):
        await asyncio.sleep(0)
    others = asyncio.all_tasks() - {asyncio.current_task()}
    return sorted(repr(task) for task in others if not task.done() and not is_excused(task))
