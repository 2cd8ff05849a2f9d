"""What was understood of a mail, as plain data for `usher inspect mail`.

Owns the picture. Everything in it comes from the very functions that decide when a mail arrives.
"""

from channels._shared.mail_bounces import bounce
from channels._shared.mail_events import Mailbox, event_of, external_id, new_text, own_reason
from channels._shared.mail_reading import read_mail
from channels._shared.mail_tokens import Signer
from channels._shared.mail_verdicts import sender_verdict


def describe_mail(
    raw: bytes, authserv_id: str = "", address: str = "", reply_secret: str = ""
) -> dict[str, object]:
    """Return what a mail says and what would become of it; never raises for odd mail.

    `authserv_id`, `address` and `reply_secret` are our own end's; without them nobody is proven and nothing is ours.
    """
    mail = read_mail(raw)
    own = address.lower()
    box = Mailbox(own, authserv_id, Signer(own, reply_secret))
    text, cut = new_text(mail)
    verdict = sender_verdict(mail, authserv_id)
    report = bounce(mail, box.sent)
    why = own_reason(mail, box) if own else own_reason(mail, Mailbox("-", authserv_id, box.signer))
    return {
        "message_id": mail.message_id,
        "external_id": external_id(mail, raw),
        "subject": mail.subject,
        "from": list(mail.senders),
        "name": mail.name,
        "reply_to": mail.reply_to,
        "recipients": list(mail.recipients),
        "text": text,
        "signature": cut.signature,
        "quoted": cut.history,
        "is_reply": mail.is_reply,
        "is_forward": mail.is_forward or cut.is_forward,
        "thread": {
            "references": list(mail.references),
            "conversation": box.signer.conversation_of(mail.recipients),
        },
        "sender": {
            "assurance": str(verdict.assurance),
            "authentication": verdict.authentication,
        },
        "automatic": {"is_automatic": why is not None, "reason": why},
        "bounce": None
        if report is None
        else {
            "action": report.action,
            "status": report.status,
            "message_id": report.message_id,
            "is_ours": bool(report.message_id and box.sent(report.message_id)),
        },
        "calendar": None
        if mail.answer is None
        else {
            "answer": mail.answer.answer,
            "event": mail.answer.event,
            "uid": mail.answer.uid,
            "comment": mail.answer.comment,
        },
        "attachments": [
            {
                "name": file.name,
                "content_type": file.content_type,
                "size": file.size,
                "inline": file.inline,
                "kept": file.data is not None,
            }
            for file in mail.attachments
        ],
        "truncated": mail.is_truncated,
        "becomes": type(event_of(mail, raw, box)).__name__,
    }
