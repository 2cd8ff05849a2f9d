"""A stand-in mail server: takes mail over SMTP, keeps it per address, and can be told to fail.

The simulator's mailbox and the tests share it. It relays nothing and asks for no password. aiosmtpd
is loaded when it is started.
"""

import asyncio
import hashlib
import hmac
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from app.simulator.switches import SignedRequest

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

HOST = "127.0.0.1"
MAX_MAILS = 500  # per address; the oldest go first


class Trouble(StrEnum):
    """How the server may misbehave; each stays until it is cleared."""

    REFUSE_SENDER = "refuse_sender"
    REFUSE_RECIPIENT = "refuse_recipient"
    REFUSE_TEXT = "refuse_text"
    DROP_BEFORE_ANSWER = "drop_before_answer"
    DROP_AFTER_TAKING = "drop_after_taking"
    HANG = "hang"


@dataclass(frozen=True, slots=True)
class DeliveredMail:
    """A mail as the server took it."""

    sender: str
    recipient: str
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        """The mail, parsed."""
        return message_from_bytes(self.raw, policy=default)


@dataclass(slots=True)
class MailServer:
    """The server. `reply` is what a refusal answers, a code and a text; `refuse` are addresses it never takes."""

    mails: dict[str, list[DeliveredMail]] = field(default_factory=lambda: defaultdict(list))
    trouble: Trouble | None = None
    reply: str = "550 5.7.1 refused"
    refuse: set[str] = field(default_factory=set)
    sessions: int = 0
    _server: asyncio.Server | None = None
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _released: asyncio.Event = field(default_factory=asyncio.Event)
    _sessions: "set[SMTP]" = field(default_factory=set)

    @property
    def port(self) -> int:
        """The port it listens on."""
        if self._server is None:
            raise RuntimeError("the mail server is not started")
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; port 0 takes any free one."""
        self._server = await asyncio.get_running_loop().create_server(self._session, HOST, port)

    async def stop(self) -> None:
        """Close the server and every session."""
        self._released.set()
        if self._server is None:
            return
        self._server.close()
        for session in list(self._sessions):
            _abort(session)
        for _ in range(10):  # the sessions' tasks end once they have heard of it
            await asyncio.sleep(0)
        self._sessions.clear()
        await self._server.wait_closed()
        self._server = None

    def fail(self, trouble: Trouble, reply: str = "550 5.7.1 refused") -> None:
        """Misbehave this way from now on."""
        self.trouble = trouble
        self.reply = reply

    def recover(self) -> None:
        """Work again."""
        self.trouble = None
        self._released.set()
        self._released = asyncio.Event()

    def to(self, address: str) -> list[DeliveredMail]:
        """Return the mails an address got, oldest first."""
        return list(self.mails[address.lower()])

    async def wait(
        self, address: str, count: int = 1, seconds: float = 10.0
    ) -> list[DeliveredMail]:
        """Return the mails of an address once there are `count`. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while len(self.mails[address.lower()]) < count:
                self._arrived.clear()
                await self._arrived.wait()
        return self.to(address)

    def _session(self) -> "SMTP":
        from aiosmtpd.smtp import SMTP

        self.sessions += 1
        session = SMTP(_Handler(self), enable_SMTPUTF8=True, ident="usher stand-in")
        self._sessions.add(session)
        return session

    def keep(self, sender: str, recipient: str, raw: bytes) -> None:
        """Put a mail into a mailbox."""
        box = self.mails[recipient.lower()]
        box.append(DeliveredMail(sender, recipient, raw))
        del box[:-MAX_MAILS]
        self._arrived.set()

    async def hang(self) -> None:
        """Answer nothing until `recover` or `stop`."""
        await self._released.wait()


def _abort(session: "SMTP") -> None:
    if isinstance(session.transport, asyncio.Transport):
        session.transport.abort()


class _Handler:
    """What aiosmtpd calls (its documented handle_* hooks)."""

    def __init__(self, server: MailServer) -> None:
        self._mailbox = server

    async def handle_MAIL(  # noqa: N802
        self,
        server: "SMTP",
        session: "Session",
        envelope: "Envelope",
        address: str,
        options: list[str],
    ) -> str:
        if self._mailbox.trouble is Trouble.REFUSE_SENDER:
            return self._mailbox.reply
        if self._mailbox.trouble is Trouble.HANG:
            await self._mailbox.hang()
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self,
        server: "SMTP",
        session: "Session",
        envelope: "Envelope",
        address: str,
        options: list[str],
    ) -> str:
        if self._mailbox.trouble is Trouble.REFUSE_RECIPIENT or address in self._mailbox.refuse:
            return self._mailbox.reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: "SMTP", session: "Session", envelope: "Envelope") -> str:  # noqa: N802
        trouble = self._mailbox.trouble
        if trouble is Trouble.REFUSE_TEXT:
            return self._mailbox.reply
        if trouble is not Trouble.DROP_BEFORE_ANSWER:
            content: Any = envelope.content
            for recipient in envelope.rcpt_tos:
                self._mailbox.keep(str(envelope.mail_from), recipient, bytes(content))
        if trouble in (Trouble.DROP_BEFORE_ANSWER, Trouble.DROP_AFTER_TAKING):
            _abort(server)
            return "421 gone"
        return "250 OK"


# ---------------------------------------------------------------- mail to us


def signed_mail(
    raw: bytes, url: str, secret: str, at: datetime, recipient: str | None = None
) -> SignedRequest:
    """Return the webhook a mail server of ours posts for an incoming mail."""
    stamp = str(int(at.timestamp()))
    digest = hmac.new(secret.encode(), stamp.encode() + b"." + raw, hashlib.sha256).hexdigest()
    headers = {
        "content-type": "message/rfc822",
        "x-usher-timestamp": stamp,
        "x-usher-signature": f"v1={digest}",
    }
    if recipient:
        headers["x-usher-recipient"] = recipient
    return SignedRequest("POST", url, headers, raw)


def mailgun_form(
    raw: bytes, url: str, key: str, at: datetime, recipient: str, token: str = "t" * 50
) -> SignedRequest:
    """Return what a Mailgun route posts to a URL that ends in /mime (multipart/form-data)."""
    stamp = str(int(at.timestamp()))
    digest = hmac.new(key.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    fields = {
        "recipient": recipient.encode(),
        "sender": b"bounce@customer.example",
        "timestamp": stamp.encode(),
        "token": token.encode(),
        "signature": digest.encode(),
        "body-mime": raw,
    }
    edge = "usher-form-edge-7f3a"
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value
        for name, value in fields.items()
    ]
    body = b"\r\n".join([*parts, f"--{edge}--\r\n".encode()])
    return SignedRequest(
        "POST", url, {"content-type": f"multipart/form-data; boundary={edge}"}, body
    )
