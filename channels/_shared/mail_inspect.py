"""What was understood of a mail, as plain data for `usher inspect mail`.

Owns the picture. Everything in it comes from the very functions that decide when a mail arrives.
"""

from channels._shared.mail_reading import read_mail
from channels._shared.mail_reply import cut_reply
from channels._shared.mail_verdicts import assurance, automatic_reason, bounce


def describe_mail(
    raw: bytes, authserv_id: str = "", address: str = "", reply_secret: str = ""
) -> dict[str, object]:
    """Return what a mail says and what would become of it; never raises for odd mail.

    `authserv_id`, `address` and `reply_secret` are our own end's; without them nobody is proven.
    """
    del address, reply_secret
    mail = read_mail(raw)
    cut = cut_reply(mail.text, is_reply=mail.is_reply, is_forward=mail.is_forward)
    why = automatic_reason(mail)
    report = bounce(mail)
    return {
        "message_id": mail.message_id,
        "subject": mail.subject,
        "from": list(mail.senders),
        "name": mail.name,
        "reply_to": mail.reply_to,
        "recipients": list(mail.recipients),
        "text": cut.text,
        "signature": cut.signature,
        "quoted": cut.history,
        "thread": {"references": list(mail.references)},
        "sender": {"assurance": str(assurance(mail, authserv_id))},
        "automatic": {"is_automatic": why is not None, "reason": why},
        "bounce": None if report is None else {"action": report.action, "status": report.status},
        "attachments": [
            {"name": f.name, "content_type": f.content_type, "size": f.size}
            for f in mail.attachments
        ],
        "truncated": mail.is_truncated,
    }
