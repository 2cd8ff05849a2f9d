"""Mail pulled from a mailbox by IMAP: everything new since last time, then IDLE until the server says there is more.

Owns one session (RFC 3501, RFC 2177): blocking, in threads, every step with a timeout. A mail is marked as seen and
counted as taken only after it was handed over and committed: a crash in between repeats it, and its Message-ID makes it
a duplicate. Not here: what a mail means (mail_events.py), who calls again after a failure (the runner of listeners).
"""

import asyncio
import contextlib
import imaplib
import logging
import re
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from channels._shared.mail_reading import MAX_RAW_BYTES
from core.errors import ServiceError, UnavailableError

logger = logging.getLogger(__name__)

IDLE_SECONDS = (
    300.0  # under the 29 minutes of RFC 2177, and under what NATs and load balancers forget
)
_POLL_SECONDS = 60.0  # where a server has no IDLE
_LINE = 65_536  # bytes
_NUMBER = re.compile(rb"^[1-9][0-9]{0,9}$")
_NEWS = re.compile(rb"^\* (?:[0-9]+ (?:EXISTS|RECENT)|BYE)", re.IGNORECASE)
_ERRORS = (OSError, imaplib.IMAP4.error, EOFError)


@dataclass(frozen=True, slots=True)
class ImapAccount:
    """How to reach the mailbox. `security`: tls | starttls | none; `timeout` in seconds per step."""

    host: str
    port: int
    security: str
    username: str
    password: SecretStr
    folder: str
    timeout: float


@dataclass(frozen=True, slots=True)
class Place:
    """How far a folder was read: `validity` is its UIDVALIDITY, `last` the highest UID taken."""

    validity: int = 0
    last: int = 0


Keep = Callable[[Place], Awaitable[None]]


class ImapSession:
    """One connection. Every method but `follow` is blocking and runs in a thread."""

    def __init__(self, account: ImapAccount, idle_seconds: float = IDLE_SECONDS) -> None:
        self._account = account
        self._idle = idle_seconds
        self._link: imaplib.IMAP4 | None = None
        self._tag = 0
        self._next = 1
        self._is_closed = False

    async def follow(
        self, place: Place, take: Callable[[bytes], Awaitable[None]], keep: Keep
    ) -> None:
        """Hand every new mail to `take` and its place to `keep`, for ever. Raises UnavailableError."""
        try:
            validity = await asyncio.to_thread(self.open)
            place = place if place.validity == validity else Place(validity)
            while True:
                place = await self._catch_up(place, take, keep)
                if self.can_idle():
                    await asyncio.to_thread(self._wait)
                else:
                    await asyncio.sleep(_POLL_SECONDS)
                    await asyncio.to_thread(self._ping)
        except _ERRORS as error:
            raise UnavailableError(f"the mailbox went away ({type(error).__name__})") from error
        finally:
            self.close()

    async def _catch_up(
        self, place: Place, take: Callable[[bytes], Awaitable[None]], keep: Keep
    ) -> Place:
        is_first = not place.last
        for uid in await asyncio.to_thread(self._new, place):
            raw = await asyncio.to_thread(self._fetch, uid)
            if raw is not None:
                await _hand_over(raw, take)
                await asyncio.to_thread(self._mark, uid)
            place = Place(place.validity, max(place.last, uid))
            if not is_first:
                await keep(place)
        if is_first:
            # kept only now: between the unread mails lie old ones that somebody has read, which are not for us
            place = Place(place.validity, max(place.last, self._next - 1))
            await keep(place)
        return place

    # ------------------------------------------------------------ blocking

    def open(self) -> int:
        """Connect, log in and select the folder; return its UIDVALIDITY. Raises OSError, IMAP4.error."""
        account = self._account
        if account.security == "tls":
            link: imaplib.IMAP4 = imaplib.IMAP4_SSL(
                account.host,
                account.port,
                ssl_context=ssl.create_default_context(),
                timeout=account.timeout,
            )
        else:
            link = imaplib.IMAP4(account.host, account.port, timeout=account.timeout)
        self._link = link
        if self._is_closed:  # while we connected
            self.close()
            raise ConnectionError("closed")
        if account.security == "starttls":
            link.starttls(ssl.create_default_context())
        link.login(account.username, account.password.get_secret_value())
        _expect(link.select(_quoted(account.folder)), "the folder cannot be opened")
        self._next = int(_first(link.response("UIDNEXT")[1]) or b"1")
        return int(_first(link.response("UIDVALIDITY")[1]) or b"0")

    def close(self) -> None:
        """End the connection, also while another thread waits on it."""
        self._is_closed = True
        if self._link is not None:
            with contextlib.suppress(OSError):
                self._link.sock.shutdown(
                    socket.SHUT_RDWR
                )  # wakes who reads; only then may it be closed
            with contextlib.suppress(*_ERRORS):
                self._link.shutdown()

    def can_idle(self) -> bool:
        """Return whether the server pushes news."""
        return "IDLE" in self._open_link().capabilities

    def _new(self, place: Place) -> list[int]:
        """Return the UIDs of mails not taken yet, oldest first.

        A folder seen for the first time, or renumbered by its server, gives those nobody has read.
        """
        link = self._open_link()
        wanted = f"UID {place.last + 1}:*" if place.last else "UNSEEN"
        data = _expect(link.uid("SEARCH", wanted), "the folder cannot be searched")
        found = [int(n) for part in data if part for n in part.split() if _NUMBER.match(n)]
        # `n:*` always gives the last mail, however old (RFC 3501 §6.4.8)
        return sorted(uid for uid in found if uid > place.last)

    def _fetch(self, uid: int) -> bytes | None:
        """Return a mail, at most MAX_RAW_BYTES of it; None when it has gone meanwhile."""
        link = self._open_link()
        part = f"(BODY.PEEK[]<0.{MAX_RAW_BYTES + 1}>)"
        data = _expect(link.uid("FETCH", str(uid), part), "a mail cannot be fetched")
        return next((piece[1] for piece in data if isinstance(piece, tuple)), None)

    def _mark(self, uid: int) -> None:
        self._open_link().uid("STORE", str(uid), "+FLAGS.SILENT", "(\\Seen)")

    def _ping(self) -> None:
        _expect(self._open_link().noop(), "the server does not answer")

    def _wait(self) -> None:
        """Return when the server says there is news, or after a while. Raises OSError when it has gone."""
        link = self._open_link()
        self._tag += 1
        tag = f"usher{self._tag}".encode()
        # imaplib of Python 3.11 knows no IDLE, and its buffered file does not survive a timeout
        lines = _Lines(link.sock, self._account.timeout)
        link.send(tag + b" IDLE\r\n")
        heard = [lines.next()]
        while not heard[-1].startswith((b"+", tag)):
            heard.append(lines.next())
        if heard[-1].startswith(tag):
            raise ConnectionError("the server refuses to idle")
        until = time.monotonic() + self._idle
        while not any(_NEWS.match(line) for line in heard) and time.monotonic() < until:
            line = lines.next(until - time.monotonic())
            heard = [line] if line else []
        link.send(b"DONE\r\n")
        while not lines.next().startswith(tag):
            continue
        link.sock.settimeout(self._account.timeout)

    def _open_link(self) -> imaplib.IMAP4:
        if self._link is None:
            raise ConnectionError("the mailbox is not open")
        return self._link


class _Lines:
    """Lines straight from the socket."""

    def __init__(self, link: socket.socket, timeout: float) -> None:
        self._link = link
        self._timeout = timeout
        self._rest = b""

    def next(self, patience: float | None = None) -> bytes:
        """Return the next line; b"" when none came within `patience`. Raises OSError, EOFError."""
        while b"\n" not in self._rest:
            self._link.settimeout(self._timeout if patience is None else max(0.01, patience))
            try:
                piece = self._link.recv(_LINE)
            except TimeoutError:
                if patience is None:
                    raise
                return b""
            if not piece or len(self._rest) > _LINE:
                raise EOFError("the server hung up")
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\n")
        return line


async def _hand_over(raw: bytes, take: Callable[[bytes], Awaitable[None]]) -> None:
    try:
        await take(raw)
    except ServiceError as error:
        if error.retryable:
            raise
        # it will never be taken; the next ones must not wait for it
        logger.warning("email.mail_refused", extra={"code": error.code})


def _expect(answer: tuple[str, Any], what: str) -> list[Any]:
    """Return the data of an answer that is OK. Raises ConnectionError."""
    if answer[0] != "OK":
        raise ConnectionError(what)
    return list(answer[1])


def _first(data: list[bytes | None] | None) -> bytes | None:
    return data[0] if data else None


def _quoted(folder: str) -> str:
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def place_of(row: Mapping[str, object] | None) -> Place:
    """Return the place in a kept row."""
    if row is None:
        return Place()
    return Place(int(str(row.get("validity", 0))), int(str(row.get("last", 0))))
