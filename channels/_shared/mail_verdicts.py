"""What may be believed of a mail: is the sender who they say, did a machine write it, is it a bounce.

Only the topmost Authentication-Results of our own server counts (RFC 8601 §5): everything below it
may have been written by the sender. Automatic mail is told by its headers (RFC 3834), never by its
text.
"""

import re
from dataclasses import dataclass
from email.message import Message

from channels._shared.mail_reading import Mail, header, headers, payload_bytes, raw_headers
from core.messages import Assurance

_METHOD = re.compile(r"^\s*dmarc\s*=\s*([a-z]+)", re.IGNORECASE)
_HEADER_FROM = re.compile(r"\bheader\.from\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)
_ROBOT = re.compile(
    r"^(?:mailer-?daemon|postmaster|no-?_?\.?reply|do-?_?\.?not-?_?\.?reply|bounces?|auto-?reply"
    r"|notifications?-noreply|noreply-.*|.*-noreply|.*-bounces)(?:[+=-].*)?@",
    re.IGNORECASE,
)
_AUTO_SUBJECT = re.compile(
    r"^\s*(?:auto(?:matic|mated)?[ -]?(?:reply|response)|out of (?:the )?office|abwesenheits"
    r"|automatische antwort|réponse automatique|respuesta automática|risposta automatica"
    r"|resposta automática|automatisch antwoord|autosvar|automaattinen vastaus|自動応答|自动答复)",
    re.IGNORECASE,
)
_ID = re.compile(r"<[^<>\s]{1,400}>")


@dataclass(frozen=True, slots=True)
class Bounce:
    """A delivery report. `action` as in RFC 3464 §2.3.3; `message_id` of the mail it is about."""

    action: str
    status: str
    message_id: str | None


def assurance(mail: Mail, authserv_id: str) -> Assurance:
    """Return `proven` for a single sender whose domain our own server found aligned, else `claimed`."""
    stated = raw_headers(mail.message, "From")
    is_plain = len(mail.senders) == 1 and len(stated) == 1 and stated[0].count("@") == 1
    if not authserv_id or not is_plain:
        return Assurance.CLAIMED
    results = _own_results(mail.message, authserv_id)
    domain = mail.senders[0].rsplit("@", 1)[1]
    verdicts = [(m[1].lower(), _HEADER_FROM.search(r)) for r in results if (m := _METHOD.match(r))]
    aligned = verdicts and all(
        verdict == "pass" and found is not None and _domain(found[1]) == domain
        for verdict, found in verdicts
    )
    return Assurance.PROVEN if aligned else Assurance.CLAIMED


def _domain(value: str) -> str:
    return value.rsplit("@", 1)[-1].strip(".").lower()


def _own_results(message: Message, authserv_id: str) -> list[str]:
    """Return the results in the topmost header that our server signed with its name."""
    for value in headers(message, "Authentication-Results"):
        own, _, rest = _without_comments(value).partition(";")
        name = own.split()[0].lower() if own.split() else ""
        if name == authserv_id.lower():
            return rest.split(";")
    return []


def _without_comments(value: str) -> str:
    """Return a structured header without its (nested) comments and without quoted strings' quotes.

    A semicolon inside either must not look like the start of another result (RFC 5322 §3.2).
    """
    kept: list[str] = []
    depth = 0
    is_quoted = False
    skip = False
    for letter in value:
        if skip:
            skip = False
        elif letter == "\\":
            skip = True
        elif letter == '"' and not depth:
            is_quoted = not is_quoted
        elif letter == "(" and not is_quoted:
            depth += 1
        elif letter == ")" and depth and not is_quoted:
            depth -= 1
        elif not depth:
            kept.append("_" if is_quoted and letter in ";=" else letter)
    return "".join(kept)


def automatic_reason(mail: Mail) -> str | None:
    """Return why the mail is taken for a machine's, or None. The reason is a word for the log.

    X-Auto-Response-Suppress alone says only that the sender wants no automatic answers to it, which
    people's servers set too; with the subject of an automatic reply it counts.
    """
    message = mail.message
    checks = {
        "auto_submitted": _auto_submitted(message),
        "precedence": header(message, "Precedence").lower()
        in ("bulk", "junk", "list", "auto_reply", "auto-reply"),
        "list": bool(header(message, "List-Id") or header(message, "List-Post")),
        "auto_reply": bool(
            header(message, "X-Autoreply")
            or header(message, "X-Autorespond")
            or header(message, "X-Auto-Reply")
        ),
        "suppress": bool(header(message, "X-Auto-Response-Suppress"))
        and bool(_AUTO_SUBJECT.match(mail.subject or "")),
        "no_return": any(value == "<>" for value in headers(message, "Return-Path")),
        "robot": any(_ROBOT.match(sender) for sender in mail.senders),
        "report": message.get_content_type() == "multipart/report",
    }
    return next((reason for reason, found in checks.items() if found), None)


def _auto_submitted(message: Message) -> bool:
    value = header(message, "Auto-Submitted").lower().split(";")[0].strip()
    return bool(value) and value != "no"


def bounce(mail: Mail) -> Bounce | None:
    """Return the delivery report in a mail (RFC 3462, 3464), or None."""
    message = mail.message
    if message.get_content_type() != "multipart/report" or not message.is_multipart():
        return None
    action = status = ""
    original: str | None = None
    for part in list(message.walk())[1:60]:
        match part.get_content_type():
            case "message/delivery-status":
                said = _status_text(part)
                action = action or _field(said, "Action").lower()
                status = status or _field(said, "Status")
            case "message/rfc822" | "text/rfc822-headers" | "message/rfc822-headers":
                original = original or _original_id(part)
            case _:
                continue
    return Bounce(action, status, original) if action else None


def _status_text(part: Message) -> str:
    payload = part.get_payload()
    if isinstance(payload, list):
        return "\n".join(
            f"{name}: {value}" for block in payload if isinstance(block, Message)
            for name, value in block.raw_items()
        )  # fmt: skip
    return str(payload)


def _field(text: str, name: str) -> str:
    found = re.search(rf"^{name}\s*:\s*(\S+)", text, re.IGNORECASE | re.MULTILINE)
    return found[1] if found else ""


def _original_id(part: Message) -> str | None:
    payload = part.get_payload()
    if isinstance(payload, list) and payload and isinstance(payload[0], Message):
        return next(iter(_ID.findall(header(payload[0], "Message-ID"))), None)
    text = payload_bytes(part).decode("utf-8", "replace")
    found = re.search(r"^Message-ID\s*:\s*(<[^<>\s]{1,400}>)", text, re.IGNORECASE | re.MULTILINE)
    return found[1] if found else None
