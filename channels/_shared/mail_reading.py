"""Raw mail to what it says: sender, text, references, attachments.

Owns robustness: whatever bytes come, a Mail comes out (RFC 5322, 2045–2049, 3676). Quotes are cut
by mail_reply.py; whether the sender is who they say and whether a machine wrote is
mail_verdicts.py's.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import MessageError
from email.headerregistry import Address
from email.message import Message
from email.parser import BytesParser
from email.utils import parseaddr
from mimetypes import guess_extension

from channels._shared.mail_html import html_to_text
from core.messages import Attachment

MAX_RAW_BYTES = 30_000_000
MAX_TEXT_CHARS = 200_000
MAX_PARTS = 200
MAX_DEPTH = 20
MAX_ATTACHMENTS = 20
MAX_ATTACHMENT_BYTES = 10_000_000
MAX_REFERENCES = 50

# What the header and body parsers of the standard library are known to raise on broken input.
PARSER_ERRORS = (
    ValueError,
    IndexError,
    KeyError,
    AttributeError,
    TypeError,
    MessageError,
    RecursionError,
)

# Codecs of Python's own that are no charsets of mail.
_NO_CHARSETS = frozenset(
    ("unicode_escape", "unicode-escape", "raw_unicode_escape", "punycode", "idna")
)

_ID = re.compile(r"<[^<>\s]{1,400}>")
_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"']{1,200}@[^\s@<>()\[\]\\,;:\"'/]{1,250}")
_ANGLED = re.compile(rf"<({_ADDRESS.pattern})>")
_BAD_IN_NAME = re.compile(r"[\x00-\x1f\x7f<>:\"/\\|?*\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
_PREFIX = re.compile(
    r"^\s*(?:\[[^\]]{1,40}\]\s*)?"
    r"(?P<word>re|aw|sv|vs|antw|odp|ynt|res|rif|fwd?|wg|tr|rv|enc|vl|doorst|pd|i)"
    r"\s*(?:\[\d+\]|\(\d+\))?\s*[:：]\s*",
    re.IGNORECASE,
)
_FORWARD_PREFIXES = frozenset(("fw", "fwd", "wg", "tr", "rv", "enc", "vl", "doorst", "pd", "i"))


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as read. `senders` are the addresses of From, lower case; `name` that of the first.

    `text` is whole, quotes included; `references` oldest first, angle brackets kept; `message` is
    the parsed mail for the verdicts. `is_truncated` when it was larger than MAX_RAW_BYTES.
    """

    message: Message
    senders: tuple[str, ...]
    name: str | None
    reply_to: str | None
    recipients: tuple[str, ...]
    subject: str | None
    message_id: str | None
    references: tuple[str, ...]
    text: str
    attachments: tuple[Attachment, ...]
    is_truncated: bool = False

    @property
    def is_reply(self) -> bool:
        """Return whether the mail says that it answers another."""
        found = _PREFIX.match(self.subject or "")
        return bool(self.references or (found and found["word"].lower() not in _FORWARD_PREFIXES))

    @property
    def is_forward(self) -> bool:
        """Return whether the subject says that the mail was forwarded."""
        found = _PREFIX.match(self.subject or "")
        return bool(found and found["word"].lower() in _FORWARD_PREFIXES)


def read_mail(raw: bytes) -> Mail:
    """Return the mail in these bytes; never raises for odd mail."""
    message = _parse(raw[:MAX_RAW_BYTES])
    senders = _senders(message)
    return Mail(
        message=message,
        senders=tuple(address for address, _ in senders),
        name=_display_name(senders),
        reply_to=next(iter(addresses(message, "Reply-To")), None),
        recipients=recipients(message),
        subject=_subject(message),
        message_id=next(iter(_ID.findall(header(message, "Message-ID"))), None),
        references=references(message),
        text=_text(message),
        attachments=tuple(_attachments(message)),
        is_truncated=len(raw) > MAX_RAW_BYTES,
    )


def read_headers(raw: bytes) -> Message:
    """Return a mail of which only the headers were read: cheap, for finding the inbox."""
    return BytesParser(policy=policy.default).parsebytes(raw[:65_536], headersonly=True)


def _parse(raw: bytes) -> Message:
    try:
        return message_from_bytes(raw, policy=policy.default)
    except PARSER_ERRORS:  # parts nested beyond measure
        return BytesParser(policy=policy.default).parsebytes(raw, headersonly=True)


# ---------------------------------------------------------------- headers


def headers(message: Message, name: str) -> list[str]:
    """Return every value of a header as text, topmost first; broken ones as they stand."""
    try:
        values = [str(value) for value in message.get_all(name, [])]
    except PARSER_ERRORS:
        values = raw_headers(message, name)
    return [" ".join(clean(value).split()) for value in values]


def clean(text: str) -> str:
    """Return the text without what no database takes: NUL, and halves of characters."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "")


def raw_headers(message: Message, name: str) -> list[str]:
    """Return every value of a header as it was written.

    The parser leaves out what it cannot place.
    """
    values = [str(v) for k, v in message.raw_items() if k.lower() == name.lower()]
    return [" ".join(value.replace("\x00", "").split()) for value in values]


def header(message: Message, name: str) -> str:
    """Return the first value of a header, or ""."""
    return next(iter(headers(message, name)), "")


def addresses(message: Message, name: str) -> list[str]:
    """Return the addresses in a header, lower case."""
    return [address for address, _ in _named(message, name)]


def _named(message: Message, name: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for value in _address_values(message, name):
        if isinstance(value, str):
            shown = parseaddr(value)[0]
            stated = _ANGLED.findall(value) or _ADDRESS.findall(value)
            found.extend((address.lower(), shown) for address in stated)
        else:
            found.extend((a.addr_spec.lower(), a.display_name) for a in value)
    named = [(clean(address), clean(shown)) for address, shown in found]
    return [(address, shown) for address, shown in named if _ADDRESS.fullmatch(address)]


def _address_values(message: Message, name: str) -> Iterator[str | Sequence[Address]]:
    try:
        parsed = [tuple(getattr(value, "addresses", ())) for value in message.get_all(name, [])]
    except PARSER_ERRORS:
        parsed = []
    written = raw_headers(message, name)
    parsed += [()] * (len(written) - len(parsed))
    for text, found in zip(written, parsed, strict=False):
        good = [a for a in found if isinstance(a, Address) and _ADDRESS.fullmatch(a.addr_spec)]
        angled = {address.lower() for address in _ANGLED.findall(text)}
        # An address posing as the name of another makes the parser stop at the first.
        yield good if angled <= {a.addr_spec.lower() for a in good} and good else text


def _senders(message: Message) -> list[tuple[str, str]]:
    return _named(message, "From") or _named(message, "Sender") or _named(message, "Return-Path")


def _display_name(senders: list[tuple[str, str]]) -> str | None:
    """Return the sender's name, unless it poses as an address."""
    name = unicodedata.normalize("NFKC", senders[0][1]) if senders else ""
    name = " ".join(re.sub(r"[\x00-\x1f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", "", name).split())
    return None if not name or "@" in name else name[:120]


def recipients(message: Message) -> tuple[str, ...]:
    """Return whom the mail was delivered or sent to, likeliest inbox first."""
    found: list[str] = []
    for name in ("X-Usher-Recipient", "Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc"):
        found.extend(addresses(message, name))
    return tuple(dict.fromkeys(found))[:100]


def references(message: Message) -> tuple[str, ...]:
    """Return the ids of the mails this one answers, oldest first."""
    named = [*headers(message, "References"), *headers(message, "In-Reply-To")]
    found = dict.fromkeys(_ID.findall(" ".join(named)))
    return tuple(found)[-MAX_REFERENCES:]


def _subject(message: Message) -> str | None:
    text = unicodedata.normalize("NFC", header(message, "Subject"))
    return re.sub(r"[\x00-\x1f\x7f]", "", text)[:500] or None


def bare_subject(subject: str) -> str:
    """Return the subject without "Re:", "AW:", "Fwd:" and the like, however many."""
    while found := _PREFIX.match(subject):
        subject = subject[found.end() :]
    return subject.strip()


# ---------------------------------------------------------------- body


def _text(message: Message) -> str:
    return clean(_body(message, 0)[:MAX_TEXT_CHARS]).strip()


def _body(part: Message, depth: int) -> str:
    if depth > MAX_DEPTH or _is_attachment(part):
        return ""
    if not part.is_multipart():
        return _leaf_text(part)
    children = _children(part)
    kind = part.get_content_subtype()
    if kind == "alternative":
        return _best(children, depth)
    if kind == "report":
        children = children[:1]
    texts = [_body(child, depth + 1) for child in children]
    return "\n\n".join(text.strip("\n") for text in texts if text.strip())


def _best(children: list[Message], depth: int) -> str:
    """Return the plain alternative, else the first that says anything."""
    plain = [child for child in children if child.get_content_type() == "text/plain"]
    others = [child for child in children if child not in plain]
    for child in [*plain, *others]:
        text = _body(child, depth + 1)
        if text.strip():
            return text
    return ""


def _children(part: Message) -> list[Message]:
    payload = part.get_payload()
    if not isinstance(payload, list):
        return []
    return [child for child in payload[:MAX_PARTS] if isinstance(child, Message)]


def _leaf_text(part: Message) -> str:
    kind = part.get_content_type()
    if kind not in ("text/plain", "text/html", "text/enriched"):
        return ""
    text = _decoded(part)
    if kind == "text/html":
        return html_to_text(text)
    return _unflowed(part, text) if part.get_param("format") == "flowed" else text


def _decoded(part: Message) -> str:
    data = payload_bytes(part)
    try:
        charset = str(part.get_content_charset() or "utf-8")
    except PARSER_ERRORS:
        charset = "utf-8"
    for name in ("utf-8" if charset in _NO_CHARSETS else charset, "utf-8"):
        try:
            return data.decode(name)
        except (LookupError, ValueError):
            continue
    return data.decode("cp1252", errors="replace")


def payload_bytes(part: Message) -> bytes:
    """Return the decoded content of a part; b"" when it cannot be decoded."""
    try:
        data = part.get_payload(decode=True)
    except PARSER_ERRORS:
        return b""
    return data if isinstance(data, bytes) else b""


def _unflowed(part: Message, text: str) -> str:
    """Join lines that were only broken for transport (RFC 3676)."""
    delete_space = str(part.get_param("delsp") or "").lower() == "yes"
    lines: list[str] = []
    open_depth: int | None = None
    for line in text.replace("\r\n", "\n").split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        words = line[depth:].removeprefix(" ")
        if open_depth == depth and words.strip():
            lines[-1] += words
        else:
            lines.append(">" * depth + (" " if depth else "") + words)
        flows = line.endswith(" ") and line != "-- "
        open_depth = depth if flows else None
        if flows and delete_space:
            lines[-1] = lines[-1][:-1]
    return "\n".join(lines)


# ---------------------------------------------------------------- attachments


def _is_attachment(part: Message) -> bool:
    if part.is_multipart() and part.get_content_maintype() != "message":
        return False
    disposed = _quietly(part, "get_content_disposition") == "attachment"
    is_text = part.get_content_type() in ("text/plain", "text/html", "text/enriched")
    return disposed or not is_text or bool(_quietly(part, "get_filename"))


def _quietly(part: Message, method: str) -> str | None:
    try:
        value = getattr(part, method)()
    except PARSER_ERRORS:
        return None
    return str(value) if value else None


def _attachments(message: Message) -> Iterator[Attachment]:
    parts = [part for part in _leaves(message, 0) if _is_attachment(part)]
    for number, part in enumerate(parts[:MAX_ATTACHMENTS], start=1):
        kind = part.get_content_type()
        data = _attached_bytes(part)
        name = safe_name(_quietly(part, "get_filename") or "", kind, number)
        kept = data if len(data) <= MAX_ATTACHMENT_BYTES else None
        yield Attachment(name, kind, len(data), kept)


def _leaves(part: Message, depth: int) -> Iterator[Message]:
    is_container = part.is_multipart() and part.get_content_maintype() == "multipart"
    if is_container and depth <= MAX_DEPTH:
        for child in _children(part):
            yield from _leaves(child, depth + 1)
    elif not is_container:
        yield part


def _attached_bytes(part: Message) -> bytes:
    if not part.is_multipart():
        return payload_bytes(part)
    try:
        return b"".join(child.as_bytes() for child in _children(part))
    except PARSER_ERRORS:
        return b""


def safe_name(name: str, content_type: str, number: int) -> str:
    """Return a file name that is only a name.

    No path, no control or direction marks, not hidden.
    """
    name = unicodedata.normalize("NFC", clean(name).replace("\\", "/")).rsplit("/", 1)[-1]
    name = _BAD_IN_NAME.sub("", name).strip(" .")
    stem, dot, suffix = name.rpartition(".")
    name = f"{stem[:100]}{dot}{suffix[:20]}" if dot else name[:100]
    if name:
        return name
    fallback = ".eml" if content_type == "message/rfc822" else guess_extension(content_type)
    return f"attachment-{number}{fallback or '.bin'}"
