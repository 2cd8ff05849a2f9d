"""The headers of a mail as they can be believed to stand: addresses, ids, subject.

Owns robustness of headers (RFC 5322, 2047): whatever stands there, text or nothing comes out. Not here: parts
(mail_parts.py), whether the sender is who they say (mail_verdicts.py).
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from email.errors import MessageError
from email.headerregistry import Address
from email.message import Message
from email.utils import parseaddr
from typing import Any

MAX_REFERENCES = 50
_MAX_VALUES = 10  # of one header

# What the header and body parsers of the standard library are known to raise on broken input.
PARSER_ERRORS = (
    ValueError,
    IndexError,
    KeyError,
    AttributeError,
    TypeError,
    AssertionError,
    MessageError,
    RecursionError,
)

MESSAGE_ID = re.compile(r"<[^<>\s]{1,400}>")
_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"']{1,200}@[^\s@<>()\[\]\\,;:\"'/]{1,250}")
_ANGLED = re.compile(rf"<({_ADDRESS.pattern})>")
_PREFIX = re.compile(
    r"^\s*(?:\[[^\]]{1,40}\]\s*)?"
    r"(?P<word>re|aw|sv|vs|antw|odp|ynt|res|rif|fwd?|wg|tr|rv|enc|vl|doorst|pd|i)"
    r"\s*(?:\[\d+\]|\(\d+\))?\s*[:：]\s*",
    re.IGNORECASE,
)
_FORWARD_PREFIXES = frozenset(("fw", "fwd", "wg", "tr", "rv", "enc", "vl", "doorst", "pd", "i"))


def headers(message: Message, name: str) -> list[str]:
    """Return every value of a header as text, topmost first; broken ones as they stand."""
    try:
        values = [str(value) for value in _values(message, name)]
    except PARSER_ERRORS:
        values = raw_headers(message, name)
    return [" ".join(clean(value).split()) for value in values]


def _values(message: Message, name: str) -> list[Any]:
    """Return the first values of a header, parsed; raises what the parser raises."""
    found = [(k, v) for k, v in message.raw_items() if k.lower() == name.lower()]
    return [message.policy.header_fetch_parse(k, v) for k, v in found[:_MAX_VALUES]]


def clean(text: str) -> str:
    """Return the text without what no database takes: NUL, and halves of characters."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "")


def raw_headers(message: Message, name: str) -> list[str]:
    """Return every value of a header as it was written.

    The parser leaves out what it cannot place.
    """
    values = [str(v) for k, v in message.raw_items() if k.lower() == name.lower()]
    return [" ".join(value.replace("\x00", "").split()) for value in values[:_MAX_VALUES]]


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
        parsed = [tuple(getattr(value, "addresses", ())) for value in _values(message, name)]
    except PARSER_ERRORS:
        parsed = []
    written = raw_headers(message, name)
    parsed += [()] * (len(written) - len(parsed))
    for text, found in zip(written, parsed, strict=False):
        good = [a for a in found if isinstance(a, Address) and _ADDRESS.fullmatch(a.addr_spec)]
        angled = {address.lower() for address in _ANGLED.findall(text)}
        # An address posing as the name of another makes the parser stop at the first.
        yield good if angled <= {a.addr_spec.lower() for a in good} and good else text


def senders(message: Message) -> list[tuple[str, str]]:
    return _named(message, "From") or _named(message, "Sender") or _named(message, "Return-Path")


def display_name(senders: list[tuple[str, str]]) -> str | None:
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
    found = dict.fromkeys(MESSAGE_ID.findall(" ".join(named)))
    return tuple(found)[-MAX_REFERENCES:]


def subject_of(message: Message) -> str | None:
    text = unicodedata.normalize("NFC", header(message, "Subject"))
    return re.sub(r"[\x00-\x1f\x7f]", "", text)[:500] or None


def bare_subject(subject: str) -> str:
    """Return the subject without "Re:", "AW:", "Fwd:" and the like, however many."""
    while found := _PREFIX.match(subject):
        subject = subject[found.end() :]
    return subject.strip()


def prefix_of(subject: str | None) -> str:
    """Return `reply` or `forward` by the subject's first "Re:", "WG:" and the like, or ""."""
    found = _PREFIX.match(subject or "")
    if found is None:
        return ""
    return "forward" if found["word"].lower() in _FORWARD_PREFIXES else "reply"
