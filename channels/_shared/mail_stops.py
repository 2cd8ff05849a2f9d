"""The link under mails that were sent unasked: asks a person who opens it, and ends such mails when pressed.

Owns the page and the one-click press of mail clients (RFC 8058). Opening the link changes nothing: scanners of mail
open every link. Not here: what may be sent to whom after that (the delivery policy).
"""

import html

from channels._shared.mail_tokens import Signer
from core.contracts import Received, WebhookReply, WebhookRequest
from core.messages import UNASKED_ONLY, ConsentChange
from core.ports import Lines

_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
}
_PAGE = (
    '<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{brand}</title>'
    '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
    "<style>:root{{color-scheme:light dark}}body{{margin:0;padding:12vh 20px;font:16px/1.5 system-ui,sans-serif}}"
    "main{{max-width:440px;margin:0 auto}}h1{{font-size:18px}}button{{font:inherit;padding:10px 18px}}</style></head>"
    "<body><main><h1>{brand}</h1><p>{text}</p>{form}</main></body></html>"
)


def stop_reply(
    request: WebhookRequest, token: str, signer: Signer, brand: str, lines: Lines
) -> Received:
    """Return the page and, for a press, the opt-out. A token that is not ours changes nothing and says so."""
    locale = request.headers.get("accept-language", "en")[:2].lower()

    def answer(text: str, form: str = "", status: int = 200) -> WebhookReply:
        body = _PAGE.format(
            lang=html.escape(locale), brand=html.escape(brand), text=html.escape(text), form=form
        )
        return WebhookReply(status, _HEADERS, body.encode())

    known = signer.read_stop_token(token)
    if known is None:
        return Received((), answer(lines.say("mail.no_more_broken", locale, "email"), status=403))
    mail, recipient = known
    if request.method != "POST":
        asked = lines.say("mail.no_more_ask", locale, "email", brand=brand, address=recipient)
        label = html.escape(lines.say("mail.no_more", locale, "email"))
        return Received((), answer(asked, f'<form method="post"><button>{label}</button></form>'))
    change = ConsentChange(
        channel="email",
        sender=recipient,
        external_id=f"no_more:{mail}",
        keyword=UNASKED_ONLY,
        granted=False,
        provider_answered=True,
    )
    done = lines.say("mail.no_more_done", locale, "email", brand=brand)
    return Received((change,), answer(done))
