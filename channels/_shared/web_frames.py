"""What a widget may say over its socket: parsing and refusing frames, as pure functions.

Owns sizes, types and characters. Frames: hello, send, ack, typing, feedback, about, reach, transcript.
Not here: what is said back (channels/web.py), who may say it (app/api/socket.py).
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from channels._shared.web_token import address_of
from core.errors import BadInputError, TooLargeError
from core.zones import is_zone

MAX_FRAME = 64 * 1024  # bytes
MAX_TEXT = 8000  # characters of one message
MAX_SEQ = 2**31 - 1
MAX_TOKEN = 4096  # characters

MAX_FILES = 5  # of one message

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KEY = re.compile(r"[A-Za-z0-9_.-]{1,120}")
_LOCALE = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]{2,8})*")


@dataclass(frozen=True, slots=True)
class Hello:
    """Opens or resumes a conversation.

    `key` names the tenant's widget; `token` (or `visitor`) is the token kept from before; `seq` is
    the last one seen, 0 for none. `link` and `resume` are tokens of links (web_links.py); `zone` is the
    browser's time zone; `greeted` is what the page's own greeting said.
    """

    key: str | None = None
    token: str | None = None
    identity: str | None = None
    conversation_id: str | None = None
    seq: int = 0
    locale: str | None = None
    link: str | None = None
    resume: str | None = None
    zone: str | None = None
    greeted: str | None = None
    about: "About | None" = None


@dataclass(frozen=True, slots=True)
class Send:
    """A message; `client_id` makes sending it again harmless. `files` are ids of what was uploaded."""

    client_id: str
    text: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ack:
    """Everything sent on this socket up to and including the message with this seq has arrived."""

    seq: int


@dataclass(frozen=True, slots=True)
class Typing:
    """The visitor is writing."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """What the visitor thinks of an answer: `up`, `down`, or a score `1`-`5`."""

    message_id: str
    value: str


@dataclass(frozen=True, slots=True)
class About:
    """What the visitor says of themselves before the talk; believed no further than that."""

    name: str | None = None
    email: str | None = None
    topic: str | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """Where an answer may go when the chat is closed: `email` or `sms`; no address is "not now"."""

    channel: str
    address: str | None


@dataclass(frozen=True, slots=True)
class Transcript:
    """The visitor wants the conversation by mail."""

    email: str


Frame = Hello | Send | Ack | Typing | Feedback | About | Reach | Transcript


def parse_frame(raw: str | bytes) -> Frame:
    """Turn what came over the socket into a frame.

    Raises BadInputError (TooLargeError for size) with a sentence for developers; nothing else.
    """
    size = len(raw) if isinstance(raw, bytes) else len(raw.encode("utf-8", "replace"))
    if size > MAX_FRAME:
        raise TooLargeError(f"a frame holds at most {MAX_FRAME} bytes")
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BadInputError("a frame is one JSON object") from error
    if not isinstance(body, dict):
        raise BadInputError("a frame is one JSON object")
    kind = body.get("type")
    parse = _PARSERS.get(kind) if isinstance(kind, str) else None
    if parse is None:
        raise BadInputError("unknown frame type")
    return parse(body)


def client_id_of(raw: str | bytes) -> str | None:
    """Return the client_id a refused frame carried: it tells which message failed."""
    try:
        body = json.loads(raw[:MAX_FRAME])
    except (ValueError, RecursionError):
        return None
    value = body.get("client_id") if isinstance(body, dict) else None
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def _hello(body: Mapping[str, object]) -> Hello:
    token = _text(body, "token", MAX_TOKEN) or _text(body, "visitor", MAX_TOKEN)
    key = _match(body, "key", _KEY)
    if not key and not token:
        raise BadInputError("hello needs a key or a token")
    locale = _match(body, "locale", _LOCALE)
    return Hello(
        key=key,
        token=token,
        identity=_text(body, "identity", MAX_TOKEN),
        conversation_id=_match(body, "conversation_id", _ID),
        seq=_seq(body.get("seq", 0)),
        locale=re.split(r"[-_]", locale)[0].lower() if locale else None,
        link=_text(body, "link", MAX_TOKEN),
        resume=_text(body, "resume", MAX_TOKEN),
        zone=_zone(body),
        greeted=_line(body, "greeted", 300),
        about=_about(about) if isinstance(about := body.get("about"), dict) else None,
    )


def _send(body: Mapping[str, object]) -> Send:
    client_id = _match(body, "client_id", _ID)
    if not client_id:
        raise BadInputError("send needs a client_id")
    text, files = body.get("text"), _files(body.get("files"))
    if not isinstance(text, str) or not (text.strip() or files):
        raise BadInputError("send needs a text")
    if len(text) > MAX_TEXT:
        raise TooLargeError(f"a message holds at most {MAX_TEXT} characters")
    _storable(text)
    return Send(client_id=client_id, text=text.strip(), files=files)


def _files(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MAX_FILES:
        raise BadInputError(f"files is a list of at most {MAX_FILES} ids")
    if not all(isinstance(name, str) and _ID.fullmatch(name) for name in value):
        raise BadInputError("files are named by their ids")
    return tuple(dict.fromkeys(str(name) for name in value))


def _ack(body: Mapping[str, object]) -> Ack:
    return Ack(seq=_seq(body.get("seq")))


def _typing(_: Mapping[str, object]) -> Typing:
    return Typing()


def _feedback(body: Mapping[str, object]) -> Feedback:
    message_id, value = _match(body, "message_id", _ID), body.get("value")
    given = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not message_id or given not in ("up", "down", "1", "2", "3", "4", "5"):
        raise BadInputError("feedback needs a message_id and up, down or 1 to 5")
    return Feedback(message_id=message_id, value=given)


def _about(body: Mapping[str, object]) -> About:
    email = _text(body, "email", 320)
    return About(
        name=_line(body, "name", 100),
        email=address_of("email", email),
        topic=_line(body, "topic", 200),
    )


def _reach(body: Mapping[str, object]) -> Reach:
    channel, given = body.get("channel"), _text(body, "address", 320)
    if channel not in ("email", "sms"):
        raise BadInputError("reach is by email or sms")
    address = address_of(str(channel), given)
    if given and address is None:
        raise BadInputError("this is no address that a message could go to")
    return Reach(str(channel), address)


def _transcript(body: Mapping[str, object]) -> Transcript:
    email = address_of("email", body.get("email"))
    if email is None:
        raise BadInputError("a transcript needs an email address")
    return Transcript(email)


_PARSERS: Mapping[str, Callable[[Mapping[str, object]], Frame]] = {
    "hello": _hello,
    "send": _send,
    "ack": _ack,
    "typing": _typing,
    "feedback": _feedback,
    "about": _about,
    "reach": _reach,
    "transcript": _transcript,
}


def _text(body: Mapping[str, object], name: str, limit: int) -> str | None:
    value = body.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > limit:
        raise BadInputError(f"{name} is a text of at most {limit} characters")
    _storable(value)
    return value


def _match(body: Mapping[str, object], name: str, pattern: re.Pattern[str]) -> str | None:
    value = _text(body, name, 128)
    if value is not None and not pattern.fullmatch(value):
        raise BadInputError(f"{name} holds characters it may not")
    return value


def _line(body: Mapping[str, object], name: str, limit: int) -> str | None:
    """Return one line of text: what is not printable becomes a space, what is too long is cut."""
    value = _text(body, name, MAX_TOKEN) or ""
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())[:limit] or None


def _zone(body: Mapping[str, object]) -> str | None:
    """Return the browser's time zone, None for one nobody knows."""
    value = body.get("zone")
    return value if isinstance(value, str) and len(value) <= 64 and is_zone(value) else None


def _seq(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_SEQ:
        raise BadInputError("seq is a whole number from 0")
    return value


def _storable(text: str) -> None:
    """Refuse what no database takes: NUL, and halves of surrogate pairs that JSON lets through."""
    if "\0" in text:
        raise BadInputError("a text may not hold NUL")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise BadInputError("a text must be valid Unicode")
