"""Mails as the simulator's mailboxes write and show them.

Owns writing a mail as a mail client does (threading headers, quoted history, a receiving server's verdict) and
what of a mail is shown. Not here: SMTP (mail_server.py), signatures of the webhook (mail_server.signed_mail).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from email.utils import format_datetime, getaddresses, parseaddr
from typing import Any

from icalendar import Calendar

from app.simulator.people import AUTHSERV, domain_of

_PAGE = "<!doctype html><meta charset=utf-8><base target=_blank>"
_SUBJECT = re.compile(r"^(?:\s*(?:re|fwd?|aw|sv|rv)\s*:)+\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class File:
    """An attachment."""

    name: str
    content_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody is about to send. `answers` is the mail it replies to."""

    sender: str
    to: str
    subject: str
    body: str
    name: str = ""
    answers: "Letter | None" = None
    file: File | None = None


@dataclass(slots=True)
class Letter:
    """A mail in somebody's mailbox. `incoming` means it came from us; `trouble` why ours refused it."""

    id: str
    owner: str
    at: datetime
    raw: bytes
    incoming: bool
    trouble: str | None = None
    message: EmailMessage = field(init=False)
    cards: list[Mapping[str, object]] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Parse once."""
        self.message = message_from_bytes(self.raw, policy=default)

    @property
    def message_id(self) -> str:
        """The Message-ID, "" when it has none."""
        return _header(self.message, "Message-ID")

    @property
    def subject(self) -> str:
        """The subject as written."""
        return _header(self.message, "Subject")

    @property
    def sender(self) -> str:
        """The address in From."""
        return parseaddr(_header(self.message, "From"))[1]

    @property
    def references(self) -> list[str]:
        """The Message-IDs of the thread, oldest first."""
        header = f"{_header(self.message, 'References')} {_header(self.message, 'In-Reply-To')}"
        return list(dict.fromkeys(re.findall(r"<[^<>\s]+>", header)))

    @property
    def answer_to(self) -> str:
        """Where a reply goes: Reply-To where there is one."""
        stated = _header(self.message, "Reply-To") or _header(self.message, "From")
        return next((address for _, address in getaddresses([stated]) if address), "")

    @property
    def text(self) -> str:
        """The plain text."""
        part = self.message.get_body(("plain",))
        return _content(part) if part is not None else ""

    @property
    def page(self) -> str | None:
        """The HTML, or None; links open elsewhere."""
        part = self.message.get_body(("html",))
        return f"{_PAGE}{_content(part)}" if part is not None else None

    def files(self) -> list[File]:
        """Return the attachments."""
        return [
            File(
                part.get_filename() or f"attachment-{number}",
                part.get_content_type(),
                _bytes(part),
            )
            for number, part in enumerate(self.message.iter_attachments(), start=1)
        ]

    def read_files(self) -> None:
        """Make the cards of the attachments. Blocking: a calendar's zones may be read from disk."""
        self.cards = [
            {
                "name": file.name,
                "type": file.content_type,
                "size": len(file.data),
                "number": number,
                "event": event_of(file),
            }
            for number, file in enumerate(self.files())
        ]


def write(draft: Draft, message_id: str, now: datetime, *, authenticated: bool) -> bytes:
    """Return the mail as our receiving server would pass it on, verdict on top.

    Raises ValueError when an address or the subject cannot stand in a header.
    """
    mail = EmailMessage(policy=SMTP)
    verdict = "pass" if authenticated else "fail"
    domain = domain_of(draft.sender)
    mail["Authentication-Results"] = f"{AUTHSERV}; dmarc={verdict} header.from={domain}"
    mail["From"] = f'"{draft.name}" <{draft.sender}>' if draft.name else draft.sender
    mail["To"] = draft.to
    mail["Subject"] = draft.subject
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = message_id
    body = draft.body
    if draft.answers is not None:
        answered = draft.answers
        chain = [ref for ref in answered.references if ref != answered.message_id]
        mail["In-Reply-To"] = answered.message_id
        mail["References"] = " ".join([*chain, answered.message_id])
        body = f"{body}\n\n{_quoted(answered)}"
    mail.set_content(body + "\n")
    if draft.file is not None:
        main, _, sub = draft.file.content_type.partition("/")
        mail.add_attachment(
            draft.file.data, maintype=main, subtype=sub or "x", filename=draft.file.name
        )
    return mail.as_bytes()


def answer_subject(subject: str) -> str:
    """Return the subject of a reply."""
    return f"Re: {bare_subject(subject)}"


def bare_subject(subject: str) -> str:
    """Return the subject without Re: and its kind."""
    return _SUBJECT.sub("", subject) or subject


def thread_of(letters: list[Letter], letter: Letter) -> str:
    """Return what names the letter's thread: the first known letter it hangs together with."""
    known = {other.message_id: other for other in letters}
    chain = [known[ref] for ref in letter.references if ref in known]
    return thread_of(letters, chain[0]) if chain and chain[0] is not letter else letter.id


def shown(letter: Letter) -> Mapping[str, object]:
    """Return what the page shows of a mail. The HTML is fetched apart, into a sandbox."""
    name, address = parseaddr(_header(letter.message, "From"))
    return {
        "id": letter.id,
        "from": address,
        "from_name": name,
        "to": _header(letter.message, "To"),
        "subject": letter.subject,
        "at": letter.at.isoformat(),
        "text": letter.text,
        "has_page": letter.page is not None,
        "incoming": letter.incoming,
        "trouble": letter.trouble,
        "files": letter.cards or [],
    }


def event_of(file: File) -> Mapping[str, str] | None:
    """Return what a calendar file announces, or None when it is none."""
    if not file.name.lower().endswith(".ics") and file.content_type != "text/calendar":
        return None
    try:
        calendar = Calendar.from_ical(file.data)
    except ValueError:
        return None
    event: Any = next(iter(calendar.walk("VEVENT")), None)
    if event is None:
        return None
    return {
        "method": str(calendar.get("METHOD", "")),
        "status": str(event.get("STATUS", "")),
        "title": str(event.get("SUMMARY", "")),
        "place": str(event.get("LOCATION", "")),
        "start": _moment(event.get("DTSTART")),
        "end": _moment(event.get("DTEND")),
    }


def _moment(value: Any) -> str:
    try:
        moment = value.dt
    except (AttributeError, ValueError):  # absent, or broken in the file
        return ""
    return moment.isoformat() if isinstance(moment, date) else ""


def _quoted(letter: Letter) -> str:
    said = letter.text.rstrip().splitlines()
    when = letter.at.strftime("%a, %b %d, %Y at %I:%M %p")
    head = f"On {when} {_header(letter.message, 'From')} wrote:"
    return "\n".join([head, "", *(f"> {line}".rstrip() for line in said)])


def _header(message: EmailMessage, name: str) -> str:
    return str(message[name] or "").strip()


def _content(part: Any) -> str:
    try:
        return str(part.get_content())
    except (LookupError, ValueError):
        return _bytes(part).decode("utf-8", "replace")


def _bytes(part: Any) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""
