"""A mail as an event: a message, what became of a send, a wish to be left alone, or nothing to do.

Owns the decisions in their order: report, our own mail, unsubscribe, message. Not here: how a mail got here
(mail_doors.py, mail_imap.py) and how it is read (mail_reading.py).
"""

import hashlib
import re
from dataclasses import dataclass

from channels._shared.mail_bounces import Bounce, bounce
from channels._shared.mail_headers import header
from channels._shared.mail_reading import Mail
from channels._shared.mail_reply import ReplyText, cut_reply
from channels._shared.mail_tokens import Signer, untagged
from channels._shared.mail_verdicts import automatic_reason, sender_verdict
from channels._shared.mail_writing import ID_HEADER
from core.messages import UNASKED_ONLY, ConsentChange, Event, Ignored, Inbound, Receipt

_OWN_ID = re.compile(r"<[a-z]{2,5}_[0-9a-f]{32}@[^<>@]+>")
_ANSWER_WORDS = {
    "accepted": "Accepted",
    "declined": "Declined",
    "tentative": "Tentative",
    "delegated": "Delegated",
}


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Our own end: `address` lower case; `authserv_id` of our receiving server; `signer` of our plus-addresses."""

    address: str
    authserv_id: str
    signer: Signer

    def sent(self, message_id: str) -> bool:
        """Return whether a Message-ID is one of ours."""
        domain = self.address.rsplit("@", 1)[-1]
        is_own = bool(_OWN_ID.fullmatch(message_id))
        return is_own and message_id[1:-1].rsplit("@", 1)[-1].lower() == domain


def event_of(mail: Mail, raw: bytes, box: Mailbox) -> Event:
    """Return what a mail means."""
    report = bounce(mail, box.sent)
    if report is not None and report.message_id and box.sent(report.message_id):
        return _receipt(report, report.message_id)
    if mail.message_id and box.sent(mail.message_id):
        return Ignored("own_mail")  # its row in the outbox is the record of it
    if header(mail.message, ID_HEADER):
        return Ignored("own_mail")
    if not mail.senders:
        return Ignored("mail_without_sender")
    if box.signer.stops(mail.recipients, mail.senders[0]):
        return ConsentChange(
            channel="email",
            sender=mail.senders[0],
            external_id=external_id(mail, raw),
            keyword=UNASKED_ONLY,
            granted=False,
            provider_answered=True,
        )
    return _inbound(mail, raw, box)


def external_id(mail: Mail, raw: bytes) -> str:
    """Return what makes a mail the same mail: its Message-ID, else its content."""
    return mail.message_id or "sha256:" + hashlib.sha256(raw).hexdigest()


def own_reason(mail: Mail, box: Mailbox) -> str | None:
    """Return why a mail is recorded and never answered, or None."""
    if any(untagged(sender) == box.address for sender in mail.senders):
        return "own_address"
    return automatic_reason(mail)


def new_text(mail: Mail) -> tuple[str, ReplyText]:
    """Return the text of this mail alone, with what a calendar answered stated in it, and the parts it was cut into."""
    cut = cut_reply(mail.text, is_reply=mail.is_reply, is_forward=mail.is_forward)
    if mail.answer is None:
        return cut.text, cut
    said = f"{_ANSWER_WORDS[mail.answer.answer]}: {mail.answer.event}".rstrip(": ")
    return "\n\n".join(part for part in (said, mail.answer.comment or cut.text) if part), cut


def _receipt(report: Bounce, message_id: str) -> Event:
    if report.is_copy:
        return Ignored(f"delivery_{report.action}_copy")
    match report.action:
        case "failed":
            return Receipt(message_id, "failed", report.status or None)
        case "delivered":
            return Receipt(message_id, "delivered")
        case _:
            return Ignored(f"delivery_{report.action}"[:60])


def _inbound(mail: Mail, raw: bytes, box: Mailbox) -> Inbound:
    own_id = external_id(mail, raw)
    text, cut = new_text(mail)
    why = own_reason(mail, box)
    verdict = sender_verdict(mail, box.authserv_id)
    # A mail our own server found forged is nobody's: what it was sent to names no conversation either.
    conversation = (
        None if verdict.authentication == "fail" else box.signer.conversation_of(mail.recipients)
    )
    references = mail.references
    if conversation and not references:
        # Marks it as part of a thread, so that a stranger's plus-address opens one of its own.
        references = (own_id,)
    metadata = {
        "signature": cut.signature[:2_000],
        "automatic": why or "",
        "authentication": verdict.authentication if box.authserv_id else "",
        "forwarded": "1" if cut.is_forward else "",
        "truncated": "1" if mail.is_truncated else "",
        "calendar": mail.answer.answer if mail.answer else "",
        "calendar_event": mail.answer.event if mail.answer else "",
        "calendar_uid": mail.answer.uid if mail.answer else "",
    }
    return Inbound(
        channel="email",
        external_id=own_id,
        sender=mail.senders[0],
        text=text,
        assurance=verdict.assurance,
        reply_to=_answer_to(mail, box, verdict.authentication, is_named=conversation is not None),
        conversation_id=conversation,
        references=references,
        subject=mail.subject,
        display_name=mail.name,
        attachments=mail.attachments,
        automatic=why is not None,
        cc=_others(mail, box),
        metadata={key: value for key, value in metadata.items() if value},
    )


def _answer_to(mail: Mail, box: Mailbox, authentication: str, *, is_named: bool) -> str | None:
    """Return Reply-To where it leads elsewhere.

    A mail nobody vouches for cannot lead the answer in a conversation it only names somewhere else.
    """
    address = mail.reply_to
    if address in (None, mail.senders[0]) or untagged(address or "") == box.address:
        return None
    return None if is_named and authentication != "pass" else address


def _others(mail: Mail, box: Mailbox) -> tuple[str, ...]:
    """Return whom else the mail went to: To and Cc without us and the sender."""
    sender = mail.senders[0]
    return tuple(a for a in mail.named if untagged(a) != box.address and a != sender)[:30]
