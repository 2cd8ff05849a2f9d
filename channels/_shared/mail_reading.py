"""Raw mail to what it says: sender, text, references, attachments.

Owns robustness: whatever bytes come, a Mail comes out. Headers are mail_headers.py's, parts mail_parts.py's; quotes
are cut by mail_reply.py; whether the sender is who they say and whether a machine wrote is mail_verdicts.py's.
"""

from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.policy import EmailPolicy, Policy

from channels._shared.mail_calendar import CalendarAnswer
from channels._shared.mail_headers import (
    MESSAGE_ID,
    PARSER_ERRORS,
    addresses,
    display_name,
    header,
    prefix_of,
    recipients,
    references,
    senders,
    subject_of,
)
from channels._shared.mail_parts import attachments, calendar_answer, text_of
from core.messages import Attachment

MAX_RAW_BYTES = 30_000_000
_MAX_HEADER_CHARS = 8_000
_MAX_PARSED_PARTS = 1_000


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as read. `senders` are the addresses of From, lower case; `name` that of the first.

    `text` is whole, quotes included; `references` oldest first, angle brackets kept; `message` is
    the parsed mail for the verdicts. `named` are the addresses of To and Cc. `answer` is what a calendar replied.
    `is_truncated` when it was larger than MAX_RAW_BYTES.
    """

    message: Message
    senders: tuple[str, ...]
    name: str | None
    reply_to: str | None
    recipients: tuple[str, ...]
    named: tuple[str, ...]
    subject: str | None
    message_id: str | None
    references: tuple[str, ...]
    text: str
    attachments: tuple[Attachment, ...]
    answer: CalendarAnswer | None = None
    is_truncated: bool = False

    @property
    def is_reply(self) -> bool:
        """Return whether the mail says that it answers another."""
        return bool(self.references) or prefix_of(self.subject) == "reply"

    @property
    def is_forward(self) -> bool:
        """Return whether the subject says that the mail was forwarded."""
        return prefix_of(self.subject) == "forward"


def read_mail(raw: bytes) -> Mail:
    """Return the mail in these bytes; never raises for odd mail."""
    message = _parse(raw[:MAX_RAW_BYTES])
    found = senders(message)
    text, files = text_of(message), tuple(attachments(message))
    return Mail(
        message=message,
        senders=tuple(dict.fromkeys(address for address, _ in found)),
        name=display_name(found),
        reply_to=next(iter(addresses(message, "Reply-To")), None),
        recipients=recipients(message),
        named=tuple(dict.fromkeys([*addresses(message, "To"), *addresses(message, "Cc")]))[:100],
        subject=subject_of(message),
        message_id=next(iter(MESSAGE_ID.findall(header(message, "Message-ID"))), None),
        references=references(message),
        text=text,
        attachments=files,
        answer=calendar_answer(message),
        is_truncated=len(raw) > MAX_RAW_BYTES,
    )


def read_headers(raw: bytes) -> Message:
    """Return a mail of which only the headers were read: cheap, for finding the inbox."""
    return BytesParser(policy=_Bounded()).parsebytes(raw[:65_536], headersonly=True)


def _parse(raw: bytes) -> Message:
    try:
        return message_from_bytes(raw, policy=_Bounded(message_factory=_Parts()))
    except PARSER_ERRORS:  # parts nested beyond measure, or too many
        return BytesParser(policy=_Bounded()).parsebytes(raw, headersonly=True)


class _Bounded(EmailPolicy):
    """Cuts long headers: the standard parser takes the square of their length, minutes for one megabyte."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_MAX_HEADER_CHARS]


class _Parts:
    """Makes the parts of one mail, up to a number."""

    def __init__(self) -> None:
        self._made = 0

    def __call__(self, policy: Policy | None = None) -> EmailMessage:
        self._made += 1
        if self._made > _MAX_PARSED_PARTS:
            raise MessageError("too many parts")
        return EmailMessage(policy)
