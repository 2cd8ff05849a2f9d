"""What may be believed of a mail: is the sender who they say, did a machine write it.

Only the topmost Authentication-Results of our own server counts (RFC 8601 §5): everything below it
may have been written by the sender; ARC's own results (RFC 8617) are others' and count for nothing. Automatic mail is
told by its headers (RFC 3834), never by its text. Not here: delivery reports (mail_bounces.py).
"""

import re
from dataclasses import dataclass
from email.message import Message

from channels._shared.mail_headers import header, headers, raw_headers
from channels._shared.mail_reading import Mail
from core.messages import Assurance

_METHOD = re.compile(r"^\s*dmarc\s*=\s*([a-z]+)", re.IGNORECASE)
_DKIM_PASS = re.compile(r"^\s*dkim\s*=\s*pass\b", re.IGNORECASE)
_SIGNER = re.compile(r"\bheader\.d\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)
_FAILED = frozenset(("fail", "reject", "quarantine"))
_UNJUDGED = frozenset(("none", "bestguesspass"))
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


@dataclass(frozen=True, slots=True)
class SenderVerdict:
    """Who the sender is to us. `authentication`: pass | fail | none, as our own server found it."""

    assurance: Assurance
    authentication: str


def sender_verdict(mail: Mail, authserv_id: str) -> SenderVerdict:
    """Return `proven` for a single sender whose domain our own server found aligned, else `claimed`.

    DMARC decides where it was checked; where a domain publishes none, a DKIM signature of exactly the sender's
    domain does (it is what DMARC would have asked for, RFC 7489 §3.1.1). SPF alone proves a server, not a person.
    """
    results = _own_results(mail.message, authserv_id) if authserv_id else []
    stated = raw_headers(mail.message, "From")
    is_plain = len(mail.senders) == 1 and len(stated) == 1 and stated[0].count("@") == 1
    domain = mail.senders[0].rsplit("@", 1)[1] if mail.senders else ""
    dmarc = [(m[1].lower(), _HEADER_FROM.search(r)) for r in results if (m := _METHOD.match(r))]
    if any(verdict in _FAILED for verdict, _ in dmarc):
        return SenderVerdict(Assurance.CLAIMED, "fail")
    judged = [(verdict, found) for verdict, found in dmarc if verdict not in _UNJUDGED]
    if judged:
        passed = all(
            verdict == "pass" and found is not None and _domain(found[1]) == domain
            for verdict, found in judged
        )
    else:
        passed = any(_signed_by(result, domain) for result in results)
    if passed and is_plain:
        return SenderVerdict(Assurance.PROVEN, "pass")
    return SenderVerdict(Assurance.CLAIMED, "none")


def _signed_by(result: str, domain: str) -> bool:
    found = _SIGNER.search(result)
    return bool(_DKIM_PASS.match(result) and found and domain and _domain(found[1]) == domain)


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
        "list": bool(header(message, "List-Id") or header(message, "List-Post"))
        or (bool(header(message, "List-Unsubscribe")) and not mail.references),
        "auto_reply": bool(
            header(message, "X-Autoreply")
            or header(message, "X-Autorespond")
            or header(message, "X-Auto-Reply")
            or header(message, "X-Autoresponder")
            or header(message, "X-Mail-Autoreply")
            or header(message, "Delivered-To").lower() == "autoresponder"
            or header(message, "X-POST-MessageClass").startswith("9;")
        ),
        "suppress": bool(header(message, "X-Auto-Response-Suppress"))
        and bool(_AUTO_SUBJECT.match(mail.subject or "")),
        "no_return": any(value == "<>" for value in headers(message, "Return-Path")),
        "robot": any(_ROBOT.match(sender) for sender in mail.senders),
        "report": message.get_content_type() in ("multipart/report", "message/delivery-status"),
        "failed_recipients": header(message, "X-Failed-Recipients") != "",
        "calendar": _is_mere_calendar(mail),
    }
    return next((reason for reason, found in checks.items() if found), None)


def _is_mere_calendar(mail: Mail) -> bool:
    """Return whether a calendar answered and nobody wrote a word to it."""
    return mail.answer is not None and not mail.answer.comment and not mail.text


def _auto_submitted(message: Message) -> bool:
    value = header(message, "Auto-Submitted").lower().split(";")[0].strip()
    return bool(value) and value != "no"
