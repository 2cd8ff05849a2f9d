"""Real Redis, PostgreSQL and Dovecot servers for one test run, each started when the first test asks.

Owns finding the programs, free ports, start, stop, and leaving nothing behind. Every server has a
supervisor process (this file, run as a script) that watches the pytest process through a pidfd: it
stops the server and removes its files when told to, and also when pytest dies, be it of ^C or of
kill -9. The server in turn is told by the kernel when its supervisor dies.

Not here: databases and their migrations (tests/databases.py), installing packages
(scripts/test_services.py).
"""

import argparse
import contextlib
import fcntl
import json
import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

RUN_DIR_VARIABLE = "USHER_TEST_RUN_DIR"
OWNER_VARIABLE = "USHER_TEST_OWNER"
READY_SECONDS = 60.0
HANDBOOK_SECONDS = 240.0  # usher reads its handbook first, on machines that may be busy
STOP_SECONDS = 20.0


class ServiceUnavailableError(RuntimeError):
    """A server the tests need could not be found or started. The run fails; it does not skip."""


@dataclass(frozen=True, slots=True)
class Service:
    """A running server. `supervisor` is the pid of the process that answers for it."""

    name: str
    port: int
    supervisor: int
    server: int
    directory: Path

    def stop(self) -> None:
        """End the server and its supervisor, and wait until both are gone."""
        with contextlib.suppress(ProcessLookupError):
            watched = os.pidfd_open(self.supervisor)
            try:
                os.kill(self.supervisor, signal.SIGTERM)
                select.select([watched], [], [], STOP_SECONDS)
            finally:
                os.close(watched)
        (run_dir() / f"{self.name}.json").unlink(missing_ok=True)

    def pause(self) -> None:
        """Make the server deaf without closing its connections."""
        os.kill(self.server, signal.SIGSTOP)

    def resume(self) -> None:
        """Undo `pause`."""
        os.kill(self.server, signal.SIGCONT)


# --- the run directory -------------------------------------------------------------------------


def open_run() -> Path:
    """Make the directory of this run, in the pytest process that starts the workers."""
    directory = Path(tempfile.mkdtemp(prefix="usher-tests-"))
    directory.chmod(0o711)  # the postgres user must be able to pass through
    os.environ[RUN_DIR_VARIABLE] = str(directory)
    os.environ[OWNER_VARIABLE] = str(os.getpid())
    return directory


def close_run() -> None:
    """Stop every server of this run and remove its directory."""
    directory = run_dir()
    for record in sorted(directory.glob("*.json")):
        _read(record).stop()
    shutil.rmtree(directory, ignore_errors=True)
    del os.environ[RUN_DIR_VARIABLE], os.environ[OWNER_VARIABLE]


def run_dir() -> Path:
    """Return the directory of this run."""
    return Path(os.environ[RUN_DIR_VARIABLE])


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """Let one process of this run at a time through."""
    with (run_dir() / f"{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


# --- asking for a service ----------------------------------------------------------------------


def ensure(kind: str, name: str | None = None, port: int = 0) -> Service:
    """Return the running service `name`, starting it if this is the first to ask.

    `kind` is `redis`, `postgresql` or `dovecot`; `port` 0 takes a free one.

    Raises: ServiceUnavailableError.
    """
    name = name or kind
    with locked(name):
        record = run_dir() / f"{name}.json"
        if record.exists():
            return _read(record)
        return _start(kind, name, port)


def _read(record: Path) -> Service:
    fields = json.loads(record.read_text())
    return Service(**{**fields, "directory": Path(fields["directory"])})


def _start(kind: str, name: str, port: int) -> Service:
    # Between finding a free port and listening on it, somebody else may take it.
    for _ in range(2):
        with contextlib.suppress(ServiceUnavailableError):
            return _start_once(kind, name, port)
    return _start_once(kind, name, port)


def _start_once(kind: str, name: str, port: int) -> Service:
    directory = run_dir()
    record, log = directory / f"{name}.json", directory / f"{name}.log"
    command = [sys.executable, "-I", __file__, kind, name, str(directory)]
    command += ["--owner", os.environ[OWNER_VARIABLE], "--port", str(port)]
    with log.open("wb") as output:
        supervisor = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # ^C is for pytest; the supervisor acts when pytest ends
        )
    _wait_until(record.exists, lambda: supervisor.poll() is None, name, log)
    # It outlives this worker on purpose: pytest's main process ends it.
    supervisor.returncode = 0
    return _read(record)


def _wait_until(
    is_ready: Callable[[], bool], is_alive: Callable[[], bool], what: str, log: Path
) -> None:
    seconds = HANDBOOK_SECONDS if what.startswith("usher") else READY_SECONDS
    deadline = time.monotonic() + seconds
    while not is_ready():
        if not is_alive() or time.monotonic() > deadline:
            tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
            message = f"could not start {what}\n{tail}"
            raise ServiceUnavailableError(message)
        time.sleep(0.02)


# --- the supervisor process --------------------------------------------------------------------


def free_port() -> int:
    """Return a port of 127.0.0.1 nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def accepts(port: int) -> bool:
    """Tell whether something listens on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if found is None:
        message = f"{name} is not installed: run `make test-services`"
        raise ServiceUnavailableError(message)
    return found


def _postgres_program(name: str) -> str:
    found = list(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if found:
        return str(max(found, key=lambda path: float(path.parts[4])))
    return _program(name)


def _as_postgres() -> list[str]:
    """Return the prefix that drops root: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    return [_program("setpriv"), "--reuid=postgres", "--regid=postgres", "--init-groups"]


def _dies_with_us(sign: str) -> list[str]:
    return [_program("setpriv"), f"--pdeathsig={sign}"]


def _redis_command(directory: Path, port: int) -> list[str]:
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(directory)]
    options += ["--save", "", "--appendonly", "no", "--daemonize", "no", "--loglevel", "warning"]
    return [*_dies_with_us("TERM"), _program("redis-server"), *options]


def _postgres_command(directory: Path, port: int) -> list[str]:
    data = directory / "data"
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(directory, user.pw_uid, user.pw_gid)
    if not data.exists():
        options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8"]
        subprocess.run(
            [*_as_postgres(), _postgres_program("initdb"), "--no-sync", *options, "-D", str(data)],
            check=True,
            cwd=directory,
            stdin=subprocess.DEVNULL,
        )
    # Nothing here must survive a power cut, so nothing is flushed.
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": str(directory),
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "max_connections": "200",
        "shared_buffers": "64MB",
        "autovacuum": "off",
        "max_wal_size": "256MB",
    }
    chosen = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    prefix = _as_postgres() or [_program("setpriv")]
    return [*prefix, "--pdeathsig=INT", _postgres_program("postgres"), "-D", str(data), *chosen]


def _postgres_is_ready(directory: Path, port: int) -> bool:
    asked = [_postgres_program("pg_isready"), "-q", "-h", str(directory), "-p", str(port)]
    return subprocess.run(asked, check=False).returncode == 0


DOVECOT_PASSWORD = "hush-hush"  # of a server that lives for one test run


def _dovecot_command(directory: Path, port: int) -> list[str]:
    """Any user name has a mailbox of its own here."""
    is_root = os.geteuid() == 0
    me = pwd.getpwuid(os.geteuid())
    keeper = pwd.getpwnam("nobody") if is_root else me
    inner, login = ("dovecot", "dovenull") if is_root else (me.pw_name, me.pw_name)
    boxes = directory / "mail"
    boxes.mkdir(exist_ok=True)
    directory.chmod(0o711)
    if is_root:
        os.chown(boxes, keeper.pw_uid, keeper.pw_gid)
    configuration = directory / "dovecot.conf"
    configuration.write_text(
        f"""
protocols = imap
listen = 127.0.0.1
base_dir = {directory}/run
state_dir = {directory}/state
log_path = /dev/stderr
ssl = no
disable_plaintext_auth = no
default_internal_user = {inner}
default_login_user = {login}
default_internal_group = {inner if is_root else pwd.getpwuid(os.geteuid()).pw_name}
first_valid_uid = 1
mail_location = maildir:{boxes}/%u
mail_fsync = never
mailbox_idle_check_interval = 1 secs
passdb {{
  driver = static
  args = password={DOVECOT_PASSWORD}
}}
userdb {{
  driver = static
  args = uid={keeper.pw_uid} gid={keeper.pw_gid} home={boxes}/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
"""
    )
    return [*_dies_with_us("TERM"), _program("dovecot"), "-F", "-c", str(configuration)]


def _usher_command(directory: Path, port: int) -> list[str]:
    """Run what `make run` runs, in a folder of its own; tests/live.py says what else it is given."""
    (directory / "var").mkdir(exist_ok=True)
    return [*_dies_with_us("TERM"), *USHER, "up", "--port", str(port)]


def _usher_is_ready(log: Path) -> bool:
    return log.exists() and b"ready, stop with" in log.read_bytes()


USHER = (
    sys.executable,
    "-c",
    f"import sys; sys.path.insert(0, {str(Path(__file__).parent.parent)!r}); "
    "from app.cli import main; main()",
)
COMMANDS = {
    "redis": _redis_command,
    "postgresql": _postgres_command,
    "dovecot": _dovecot_command,
    "usher": _usher_command,
}
STOP_SIGNALS = {
    "redis": signal.SIGTERM,
    "postgresql": signal.SIGINT,
    "dovecot": signal.SIGTERM,
    "usher": signal.SIGTERM,
}


def supervise(kind: str, name: str, run: Path, owner: int, port: int) -> None:
    """Run one server until told to stop or until the owner is gone."""
    directory = run / name
    directory.mkdir(exist_ok=True)
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    owner_fd = os.pidfd_open(owner)

    port = port or free_port()
    server = subprocess.Popen(
        COMMANDS[kind](directory, port), cwd=directory, stdin=subprocess.DEVNULL
    )
    server_fd = os.pidfd_open(server.pid)
    try:
        is_ready = {
            "redis": lambda: accepts(port),
            "dovecot": lambda: accepts(port),
            "postgresql": lambda: _postgres_is_ready(directory, port),
            "usher": lambda: _usher_is_ready(run / f"{name}.log"),
        }[kind]
        _wait_until(is_ready, lambda: server.poll() is None, name, run / f"{name}.log")
        service = Service(name, port, os.getpid(), server.pid, directory)
        record = {key: getattr(service, key) for key in ("name", "port", "supervisor", "server")}
        draft = run / f"{name}.json.new"
        draft.write_text(json.dumps({**record, "directory": str(directory)}))
        draft.rename(run / f"{name}.json")
        select.select([told, owner_fd, server_fd], [], [])
    finally:
        _end(server, STOP_SIGNALS[kind])
        shutil.rmtree(directory, ignore_errors=True)
        if select.select([owner_fd], [], [], 0)[0]:
            _leave(run, name)


def _end(server: subprocess.Popen[bytes], sign: signal.Signals) -> None:
    server.send_signal(signal.SIGCONT)  # it may have been paused
    server.send_signal(sign)
    try:
        server.wait(STOP_SECONDS / 2)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _leave(run: Path, name: str) -> None:
    """Clean up for an owner that was killed: the last to leave takes the directory with it."""
    (run / f"{name}.json").unlink(missing_ok=True)
    if not any(run.glob("*.json")):
        shutil.rmtree(run, ignore_errors=True)


def main() -> None:
    """Read the command line of a supervisor."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=sorted(COMMANDS))
    parser.add_argument("name")
    parser.add_argument("run", type=Path)
    parser.add_argument("--owner", type=int, required=True)
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    supervise(given.kind, given.name, given.run, given.owner, given.port)


if __name__ == "__main__":
    main()
