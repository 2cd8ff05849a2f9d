"""Names that strangers choose: of people, files and subjects. They are shown as names, or not at all.

Owns what such a name may hold. One that instructs is dropped (a person becomes a visitor, a file keeps its ending);
every other loses what could be markup or hidden. Not here: where names come in (app/doors.py).
"""

import re
from dataclasses import replace

from core.messages import Attachment, Inbound
from guardrails._shared.instructions import orders_in, shapes_in
from guardrails._shared.unveil import without_hidden

_LONGEST_NAME, _LONGEST_SUBJECT = 80, 400
# Parted words hide an instruction from the patterns, and read the same to a model.
_PARTS = re.compile(r"[_\-.+]+")
_MARKUP = re.compile(r"[<>|`*\[\]{}\\\x00-\x1f\x7f]+")
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,8}$")
_PLAIN_SUBJECT = "Your message"


def neutral(inbound: Inbound) -> Inbound:
    """Return the message with names that are names."""
    return replace(
        inbound,
        display_name=neutral_name(inbound.display_name),
        subject=_subject(inbound.subject),
        attachments=tuple(map(_attachment, inbound.attachments)),
    )


def neutral_name(name: str | None) -> str | None:
    """Return a person's name on one line without markup, or None when it is empty or an instruction."""
    if name is None or _instructs(name):
        return None
    return _plain(name, _LONGEST_NAME) or None


def neutral_file(name: str) -> str:
    """Return a file's name without markup; one that instructs is `file` with its ending."""
    ending = _ENDING.search(name)
    if _instructs(name[: ending.start()] if ending else name):
        return f"file{ending[0] if ending else ''}"
    return _plain(name, _LONGEST_NAME * 2) or "file"


def _subject(subject: str | None) -> str | None:
    if subject is None:
        return None
    if _instructs(subject):
        return _PLAIN_SUBJECT
    return " ".join(without_hidden(subject).split())[:_LONGEST_SUBJECT]


def _attachment(attachment: Attachment) -> Attachment:
    return replace(attachment, name=neutral_file(attachment.name))


def _instructs(text: str) -> bool:
    parted = _PARTS.sub(" ", text)
    return any(orders_in(said) or shapes_in(said) for said in dict.fromkeys((text, parted)))


def _plain(text: str, most: int) -> str:
    return " ".join(_MARKUP.sub(" ", without_hidden(text)).split())[:most].strip()
