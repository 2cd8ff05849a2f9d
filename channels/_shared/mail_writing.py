"""An Outbound as a mail: text and HTML, threaded, marked as automatic where it is.

Owns the headers. The Message-ID is made of the outbound's id, so a repeated send is the same mail
to every client. Header injection cannot happen: values are single lines before they get here, and
the library's policy refuses line ends besides. Not here: SMTP (email.py), rendering (render.py).
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from channels._shared.mail_headers import bare_subject
from channels._shared.mail_parts import safe_name
from core.messages import Attachment, Author, Outbound

ID_HEADER = "X-Usher-Id"
_SAFE_ID = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_MESSAGE_ID = re.compile(r"<[^<>\s@\x00-\x20]{1,200}@[^<>\s@\x00-\x20]{1,200}>")
_TYPE = re.compile(r"([a-z0-9][a-z0-9!#$&^_.+-]{0,60})/([a-z0-9][a-z0-9!#$&^_.+-]{0,60})")
_MAX_REFERENCES = 20


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who writes. `address` the inbox, `brand` its display name, `reply_to` the plus-address.

    `stop_address` and `stop_link` end mails of this kind (RFC 2369, RFC 8058); None where there is nothing to end.
    """

    address: str
    brand: str
    reply_to: str | None
    stop_address: str | None = None
    stop_link: str | None = None


def message_id(outbound_id: str, address: str) -> str:
    """Return the Message-ID of a mail of ours; the same for every attempt to send it."""
    digest = hashlib.sha256(outbound_id.encode()).hexdigest()[:32]
    own = outbound_id if _SAFE_ID.fullmatch(outbound_id) else digest
    return f"<{own}@{address.rsplit('@', 1)[-1]}>"


def write_mail(outbound: Outbound, head: Letterhead, text: str, body: str, now: datetime) -> bytes:
    """Return the mail as it goes over the wire. `text` is plain, `body` a whole HTML page that is already safe.

    Raises ValueError when the recipient is no address.
    """
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _address(head.address, _shown_name(outbound, head.brand))
    mail["To"] = _address(outbound.address, "")
    if copies := copies_of(outbound):
        mail["Cc"] = [_address(copy, "") for copy in copies]
    mail["Subject"] = _subject(outbound, head)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = message_id(outbound.id, head.address)
    if head.reply_to:
        mail["Reply-To"] = _address(head.reply_to, head.brand)
    if outbound.author is not Author.CSM:
        is_answer = bool(outbound.thread or outbound.references)
        mail["Auto-Submitted"] = "auto-replied" if is_answer else "auto-generated"
        mail["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    mail[ID_HEADER] = _one_line(outbound.id)
    mail.set_content(text + "\n", cte="quoted-printable")
    mail.add_alternative(body, subtype="html", cte="quoted-printable")
    _attach(mail, outbound.attachments)
    lines = [*_thread(outbound), *_unsubscribe(head)]
    return "".join(f"{line}\r\n" for line in lines).encode("ascii") + mail.as_bytes()


# Lines of their own: the library turns whatever is longer than a line into an encoded word, which no client takes
# for an address or a Message-ID (python/cpython#79986).


def _unsubscribe(head: Letterhead) -> list[str]:
    ways = [
        *([f"<{head.stop_link}>"] if head.stop_link else []),
        *([f"<mailto:{head.stop_address}?subject=unsubscribe>"] if head.stop_address else []),
    ]
    if not ways or not all(way.isascii() and way.isprintable() for way in ways):
        return []
    one_click = ["List-Unsubscribe-Post: List-Unsubscribe=One-Click"] if head.stop_link else []
    return ["List-Unsubscribe: " + ",\r\n ".join(ways), *one_click]


def copies_of(outbound: Outbound) -> tuple[str, ...]:
    """Return whom a copy goes to; nobody for what is the contact's own affair."""
    if outbound.private:
        return ()
    known = dict.fromkeys(copy.strip().lower() for copy in outbound.cc)
    return tuple(copy for copy in known if copy and copy != outbound.address.lower())


def language_of(outbound: Outbound) -> str:
    """Return the language tag of a mail's page."""
    return re.sub(r"[^A-Za-z-]", "", outbound.locale) or "en"


def _one_line(text: str) -> str:
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", text).split())


def _address(address: str, name: str) -> Address:
    local, at, domain = _one_line(address).rpartition("@")
    if not at or not local or not domain or re.search(r"[\s\x00-\x1f\x7f<>,;:\"\\()\[\]]", address):
        raise ValueError("not a mail address")
    return Address(_one_line(name), local, _ascii(domain))


def _ascii(domain: str) -> str:
    return domain if domain.isascii() else domain.encode("idna").decode("ascii")


def envelope_address(address: str) -> str:
    """Return an address as SMTP takes it: its domain in ASCII (RFC 5891). Raises UnicodeError."""
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{_ascii(domain)}"


def _shown_name(outbound: Outbound, brand: str) -> str:
    name = _one_line(outbound.author_name or "")[:80]
    return f"{name} via {brand}" if name and brand and name != brand else name or brand


def _subject(outbound: Outbound, head: Letterhead) -> str:
    subject = bare_subject(_one_line(outbound.subject or ""))[:400]
    if not subject:
        return head.brand or head.address
    return f"Re: {subject}" if outbound.thread or outbound.references else subject


def _thread(outbound: Outbound) -> list[str]:
    chain = [ref for ref in outbound.references if _is_message_id(ref)]
    named = outbound.thread or ""
    answered = named if _is_message_id(named) else next(reversed(chain), None)
    if answered is None:
        return []
    chain = list(dict.fromkeys([*(ref for ref in chain if ref != answered), answered]))
    if len(chain) > _MAX_REFERENCES:
        chain = [chain[0], *chain[1 - _MAX_REFERENCES :]]
    return [f"In-Reply-To: {answered}", "References: " + "\r\n ".join(chain)]


def _is_message_id(text: str) -> bool:
    return text.isascii() and bool(_MESSAGE_ID.fullmatch(text))


def _attach(mail: EmailMessage, attachments: Sequence[Attachment]) -> None:
    files = [file for file in attachments if file.data is not None]
    for file in files:
        if file.content_type.split(";")[0].strip().lower() == "text/calendar":
            _invite(mail, file.data or b"")
    for number, file in enumerate(files, start=1):
        kind = _TYPE.fullmatch(file.content_type.split(";")[0].strip().lower())
        main, sub = (kind[1], kind[2]) if kind else ("application", "octet-stream")
        if (main, sub) == ("text", "calendar"):
            main, sub = "application", "ics"
        if main in ("multipart", "message"):
            main, sub = "application", "octet-stream"
        name = safe_name(file.name, f"{main}/{sub}", number)
        mail.add_attachment(file.data or b"", maintype=main, subtype=sub, filename=name)


def _invite(mail: EmailMessage, data: bytes) -> None:
    """Add the event as an alternative, which is where clients look for it (RFC 6047 §2.4)."""
    found = re.search(rb"^METHOD:([A-Z]{3,20})\s*$", data, re.MULTILINE)
    method = found[1].decode() if found else "REQUEST"
    part = next((p for p in mail.walk() if p.get_content_type() == "multipart/alternative"), mail)
    if isinstance(part, EmailMessage):
        text = data.decode("utf-8", "replace")
        part.add_alternative(
            text, subtype="calendar", cte="base64", params={"method": method, "charset": "utf-8"}
        )
