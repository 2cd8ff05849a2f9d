"""The parts of a mail: its text, its attachments, its calendar answer.

Owns walking the MIME tree within bounds (RFC 2045-2049, 3676), charsets that lie, and file names. Not here:
headers (mail_headers.py), Outlook's winmail.dat (mail_tnef.py), cutting quotes (mail_reply.py).
"""

import re
import unicodedata
from collections.abc import Iterator
from email.message import Message
from mimetypes import guess_extension, guess_type

from channels._shared.mail_calendar import CalendarAnswer, read_answer
from channels._shared.mail_headers import PARSER_ERRORS, clean, header
from channels._shared.mail_html import html_to_text
from channels._shared.mail_tnef import is_tnef, read_tnef
from core.messages import Attachment

MAX_TEXT_CHARS = 200_000
MAX_PARTS = 200
MAX_DEPTH = 20
MAX_ATTACHMENTS = 20
MAX_ATTACHMENT_BYTES = 10_000_000

# Codecs of Python's own that are no charsets of mail.
_NO_CHARSETS = frozenset(
    ("unicode_escape", "unicode-escape", "raw_unicode_escape", "punycode", "idna")
)
# What is written under these names is mostly their superset (encoding.spec.whatwg.org, "Names and labels").
_SUPERSETS = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "big5": "big5hkscs",
    "iso-8859-1": "cp1252",
    "iso-8859-9": "cp1254",
    "iso-8859-8-i": "iso-8859-8",
    "unicode-1-1-utf-7": "utf-7",
}
_BAD_IN_NAME = re.compile(r"[\x00-\x1f\x7f<>:\"/\\|?*\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


def text_of(message: Message) -> str:
    """Return the whole text, quotes included; "" when there is none."""
    text = clean(_body(message, 0)[:MAX_TEXT_CHARS]).strip()
    return text or clean(_rich_text(message)[:MAX_TEXT_CHARS]).strip()


def _rich_text(message: Message) -> str:
    """Return the text in Outlook's winmail.dat, where some servers put all of a mail."""
    for part in _leaves(message, 0):
        if is_tnef(part.get_content_type(), _quietly(part, "get_filename") or ""):
            rich = read_tnef(payload_bytes(part))
            return rich.text or html_to_text(rich.html)
    return ""


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
    text = _decoded(part)[: 2 * MAX_TEXT_CHARS]
    if kind == "text/html":
        return html_to_text(text)
    return _unflowed(part, text) if part.get_param("format") == "flowed" else text


def _decoded(part: Message) -> str:
    data = payload_bytes(part)
    try:
        charset = str(part.get_content_charset() or "utf-8")
    except PARSER_ERRORS:
        charset = "utf-8"
    charset = _SUPERSETS.get(charset.lower(), charset)
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


def attachments(message: Message) -> Iterator[Attachment]:
    """Yield what is attached, at most MAX_ATTACHMENTS; an image shown within the text is marked inline."""
    found = 0
    for part in _leaves(message, 0):
        if not _is_attachment(part):
            continue
        for name, kind, data, inline in _files_in(part):
            found += 1
            if found > MAX_ATTACHMENTS:
                return
            kept = data if len(data) <= MAX_ATTACHMENT_BYTES else None
            yield Attachment(safe_name(name, kind, found), kind, len(data), kept, inline=inline)


def _files_in(part: Message) -> Iterator[tuple[str, str, bytes, bool]]:
    kind = part.get_content_type()
    name = _quietly(part, "get_filename") or ""
    data = _attached_bytes(part)
    if is_tnef(kind, name):
        files = read_tnef(data).files
        for file in files:
            guessed = guess_type(file.name)[0] or "application/octet-stream"
            yield file.name, guessed, file.data, False
        if files:
            return
    shown = bool(header(part, "Content-ID")) and kind.startswith("image/")
    yield name, kind, data, shown and _quietly(part, "get_content_disposition") != "attachment"


def calendar_answer(message: Message) -> CalendarAnswer | None:
    """Return what a calendar replied to an invitation, or None."""
    for part in _leaves(message, 0):
        if part.get_content_type() == "text/calendar":
            found = read_answer(_decoded(part))
            if found is not None:
                return found
    return None


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
