"""What Twilio's message webhooks say: forms, receipts, media and keywords, as pure functions.

Not here: signatures and the SDK (twilio.py), what WhatsApp adds (twilio_whatsapp.py).
"""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from channels._shared.twilio_errors import reason
from core.errors import AnomalousPayloadError
from core.messages import Attachment, Ignored, Receipt

# Twilio's default keywords; whole messages only. YES is not among them: it answers questions here.
STOP_WORDS = frozenset(
    {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"}
)
START_WORDS = frozenset({"start", "unstop"})
HELP_WORDS = frozenset({"help"})

_FAILED = frozenset({"undelivered", "failed", "canceled"})
# What phones send; the table of the machine differs from machine to machine.
_ENDINGS = {
    "application/pdf": ".pdf",
    "audio/amr": ".amr",
    "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg",
    "image/gif": ".gif",
    "image/heic": ".heic",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "text/vcard": ".vcf",
    "text/x-vcard": ".vcf",
    "video/3gpp": ".3gp",
    "video/mp4": ".mp4",
}
_SID = re.compile(r"[A-Za-z0-9]{2,64}")
_MAX_FIELDS = 500
_MAX_MEDIA = 10
_AROUND = " \t\r\n.!?,;:\"'“”‘’¡¿"


def parse_form(body: bytes) -> list[tuple[str, str]]:
    """Return the fields as they came: repeated keys and blank values kept, both are signed.

    Raises AnomalousPayloadError for what is no form.
    """
    try:
        text = body.decode("utf-8")
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except (UnicodeDecodeError, ValueError) as error:
        raise AnomalousPayloadError("the body is not a form") from error


def public_url(base: str, received: str) -> str:
    """Return the URL Twilio signed: our public base, then path and query exactly as received.

    A path the base brings along (a proxy's prefix) is not said twice when the proxy leaves it on.
    """
    _, _, rest = received.partition("://")
    _, slash, path = rest.partition("/")
    base = base.rstrip("/")
    prefix = urlsplit(base).path.lstrip("/")
    if prefix and path.startswith(f"{prefix}/"):
        path = path[len(prefix) + 1 :]
    return base + slash + path


def message_sid(form: Mapping[str, str]) -> str:
    """Return the message's SID. Raises AnomalousPayloadError when there is none, or one that is none."""
    sid = form.get("MessageSid") or form.get("SmsSid") or form.get("SmsMessageSid") or ""
    if not _SID.fullmatch(sid):
        raise AnomalousPayloadError("MessageSid is missing")
    return sid


def is_status(form: Mapping[str, str]) -> bool:
    """Tell a status callback from a message somebody sent."""
    if form.get("MessageStatus"):
        return True
    return "Body" not in form and form.get("SmsStatus", "received") != "received"


def read_receipt(form: Mapping[str, str], sid: str) -> Receipt | Ignored:
    """Return the receipt in a status callback; Ignored for statuses before `sent`."""
    status = form.get("MessageStatus") or form.get("SmsStatus") or ""
    if status in _FAILED:
        code = form.get("ErrorCode", "")
        if not (code.isascii() and code.isdigit()):
            return Receipt(sid, "failed", error=f"Twilio gave no error code ({status})")
        return Receipt(sid, "failed", error=f"Twilio error {code} ({status}): {reason(code[:9])}")
    match status:
        case "sent" | "delivered" | "read":
            return Receipt(sid, status)
        case _:
            return Ignored(f"status {status[:32]!r} says nothing new")


def read_media(form: Mapping[str, str]) -> tuple[Attachment, ...]:
    """Return the attached files by URL; their size is not known yet (0)."""
    found = []
    for index in range(_MAX_MEDIA):
        url = form.get(f"MediaUrl{index}", "")
        if url.startswith(("https://", "http://")):
            kind = form.get(f"MediaContentType{index}", "") or "application/octet-stream"
            name = f"media-{index + 1}{_ENDINGS.get(kind.partition(';')[0].strip().lower(), '')}"
            found.append(Attachment(name=name, content_type=kind, size=0, url=url))
    return tuple(found)


def read_keyword(text: str, opt_out_type: str = "") -> tuple[str, bool | None] | None:
    """Return (keyword, granted) when the whole message is an opt-out, opt-in or help word.

    `opt_out_type` is what Twilio itself recognised (STOP, START, HELP); it knows words we do not.
    """
    word = text.strip(_AROUND).casefold()
    for words, name, granted in (
        (STOP_WORDS, "STOP", False),
        (START_WORDS, "START", True),
        (HELP_WORDS, "HELP", None),
    ):
        if opt_out_type == name or (not opt_out_type and word in words):
            return word.upper() or name, granted
    return None
