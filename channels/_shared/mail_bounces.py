"""Mail that says what became of a mail of ours: delivery reports (RFC 3462, 3464) and what old servers write instead.

Owns finding which mail is meant and whether it failed. A text without a report's form counts only from a mailer, about
a Message-ID the caller knows for ours. Not here: what becomes of the send (email.py).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message

from channels._shared.mail_headers import MESSAGE_ID, addresses, header, headers
from channels._shared.mail_parts import payload_bytes
from channels._shared.mail_reading import Mail

_MAILER = re.compile(
    r"^(?:mailer-?daemon|postmaster|mail-?delivery|bounces?)(?:[+=-].*)?@", re.IGNORECASE
)
_FAILED = re.compile(
    r"undeliver|returned mail|returned to sender|delivery (?:status notification|failure|has failed|failed)"
    r"|mail delivery failed|failure notice|nicht zustellbar|unzustellbar|zustellung.{0,20}fehlgeschlagen"
    r"|no se (?:ha podido|pudo) entregar|no entregado|non remis|échec de (?:la )?(?:remise|distribution)"
    r"|mancata consegna|não entregue|onbestelbaar|kunde inte levereras|niedostarczon|не доставлен",
    re.IGNORECASE,
)
_DELAYED = re.compile(
    r"delay|still trying|will (?:continue to|keep) (?:try|retry)|warning: (?:could not|message)"
    r"|no action (?:is )?required|verzögert|retrasad|retardé",
    re.IGNORECASE,
)
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_SCANNED = 60_000


@dataclass(frozen=True, slots=True)
class Bounce:
    """A delivery report. `action` as in RFC 3464 §2.3.3; `message_id` of the mail it is about.

    `is_copy`: only somebody in Cc did not get it.
    """

    action: str
    status: str
    message_id: str | None
    is_copy: bool = False


def bounce(mail: Mail, is_ours: Callable[[str], bool]) -> Bounce | None:
    """Return the delivery report in a mail, or None. `is_ours` knows our Message-IDs."""
    return _report(mail.message) or _plain_report(mail, is_ours)


def _report(message: Message) -> Bounce | None:
    if message.get_content_type() != "multipart/report" or not message.is_multipart():
        return None
    blocks: list[tuple[str, str, str]] = []
    original: str | None = None
    to: list[str] = []
    for part in list(message.walk())[1:60]:
        match part.get_content_type():
            case "message/delivery-status":
                blocks.extend(_recipients(part))
            case "message/rfc822" | "text/rfc822-headers" | "message/rfc822-headers":
                if original is None:
                    original, to = _original(part)
            case _:
                continue
    if not blocks:
        return None
    # one mail may go well to one and badly to another: the worst is what must be known
    worst = max(blocks, key=lambda block: _RANKS.get(block[0], 0))
    failed = {recipient for action, _, recipient in blocks if action == worst[0] and recipient}
    is_copy = bool(to and failed) and not failed & set(to)
    return Bounce(worst[0], worst[1], original, is_copy)


_RANKS = {"failed": 5, "delayed": 4, "relayed": 3, "expanded": 2, "delivered": 1}


def _recipients(part: Message) -> list[tuple[str, str, str]]:
    """Return (action, status, recipient) of each recipient's block."""
    text = _status_text(part)
    found: list[tuple[str, str, str]] = []
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n"))[:100]:
        action = _field(block, "Action").lower().strip(";,")
        if action:
            stated = re.search(
                r"^Final-Recipient\s*:[^;\n]*;\s*(\S+)", block, re.IGNORECASE | re.MULTILINE
            )
            recipient = stated[1].strip("<>").lower() if stated else ""
            found.append((action, _field(block, "Status"), recipient))
    return found


def _status_text(part: Message) -> str:
    payload = part.get_payload()
    if isinstance(payload, list):
        return "\n\n".join(
            "\n".join(f"{name}: {value}" for name, value in block.raw_items())
            for block in payload if isinstance(block, Message)
        )  # fmt: skip
    return str(payload)


def _field(text: str, name: str) -> str:
    found = re.search(rf"^{name}\s*:\s*(\S+)", text, re.IGNORECASE | re.MULTILINE)
    return found[1] if found else ""


def _original(part: Message) -> tuple[str | None, list[str]]:
    """Return the Message-ID and the To addresses of the mail a report is about."""
    payload = part.get_payload()
    if isinstance(payload, list) and payload and isinstance(payload[0], Message):
        inner = payload[0]
        found = next(iter(MESSAGE_ID.findall(header(inner, "Message-ID"))), None)
        return found, addresses(inner, "To")
    text = payload_bytes(part).decode("utf-8", "replace")
    stated = re.search(r"^Message-ID\s*:\s*(<[^<>\s]{1,400}>)", text, re.IGNORECASE | re.MULTILINE)
    to = re.search(r"^To\s*:\s*(.{1,998})$", text, re.IGNORECASE | re.MULTILINE)
    named = re.findall(r"[^\s<>,;\"]+@[^\s<>,;\"]+", to[1].lower()) if to else []
    return (stated[1] if stated else None), named


def _plain_report(mail: Mail, is_ours: Callable[[str], bool]) -> Bounce | None:
    """Return what a mailer says in words of its own: qmail, old Exim, gateways."""
    message = mail.message
    is_mailer = any(_MAILER.match(sender) for sender in mail.senders)
    is_mailer = is_mailer or "<>" in headers(message, "Return-Path")
    stated = bool(header(message, "X-Failed-Recipients"))
    subject = mail.subject or ""
    says_failed = stated or bool(_FAILED.search(subject))
    if not (is_mailer or stated) or not (says_failed or _DELAYED.search(subject)):
        return None
    text = mail.text[:_SCANNED]
    attached = b"\n".join(a.data[:_SCANNED] for a in mail.attachments[:5] if a.data is not None)
    places = (text, attached.decode("utf-8", "replace"), " ".join(mail.references))
    ours = next((i for place in places for i in MESSAGE_ID.findall(place) if is_ours(i)), None)
    if ours is None:
        return None
    delayed = bool(_DELAYED.search(subject)) or (
        not says_failed and bool(_DELAYED.search(text[:2_000]))
    )
    status = _STATUS.search(text)
    return Bounce("delayed" if delayed else "failed", status[1] if status else "", ours)
