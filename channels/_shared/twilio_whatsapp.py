"""What WhatsApp's webhooks say beyond a text message's, and the window in which it lets us write: pure functions.

A press of a button or of a list's row, a place, a contact card, a thumb, a message quoted. Sources: Twilio's pages
"Twilio's request to your incoming message webhook URL" and "Content types".
Not here: the form itself (twilio_form.py), sending (channels/whatsapp.py).
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from channels._shared.twilio_form import read_keyword, read_media
from core.errors import AnomalousPayloadError
from core.messages import Attachment, ConsentChange, Event, Ignored, Inbound, Reaction

WINDOW = timedelta(hours=24)
SAID = "say:"  # before the value of a button we made, so that a tenant's own button ids are not taken for words
_SENDER = re.compile(r"\+[0-9]{5,15}")
_COORDINATE = re.compile(r"-?\d{1,3}(?:\.\d{1,10})?")
_THUMBS: Mapping[str, Literal["up", "down", ""]] = {"👍": "up", "👎": "down", "": ""}
_TONES = re.compile("[\U0001f3fb-\U0001f3ff\ufe0f]")
_KNOWN_SIDS = 10


def read_message(form: Mapping[str, str], sid: str) -> Event:
    """Return what a message somebody sent us is. Raises AnomalousPayloadError when it names nobody."""
    who = form.get("From", "").strip()
    if not who or "To" not in form:
        raise AnomalousPayloadError("From or To is missing")
    if not who.startswith("whatsapp:"):
        raise AnomalousPayloadError(
            "not a WhatsApp message: the webhook of a text message sender leads here"
        )
    sender = who.removeprefix("whatsapp:")
    if not _SENDER.fullmatch(sender):
        return Ignored("the sender cannot be answered")
    if form.get("MessageType") == "reaction":
        return _reaction(form, sender)
    text = _said(form)
    opt_out_type = form.get("OptOutType", "").strip().upper()
    if keyword := read_keyword(text, opt_out_type):
        word, granted = keyword
        return ConsentChange(
            "whatsapp", sender, sid, word, granted, provider_answered=bool(opt_out_type)
        )
    attachments = (*read_media(form), *_place(form))
    if not text and not attachments:
        attachments = _unreadable(form)
    if not text and not attachments:
        return Ignored("an empty message")
    return Inbound(
        channel="whatsapp",
        external_id=sid,
        sender=sender,
        text=text,
        display_name=form.get("ProfileName", "").strip() or None,
        attachments=attachments,
        metadata=_metadata(form),
    )


def _said(form: Mapping[str, str]) -> str:
    """Return the words: typed, or those of the button or row that was pressed."""
    for key in ("ButtonPayload", "ListId"):
        if (pressed := form.get(key, "")).startswith(SAID):
            return pressed.removeprefix(SAID).strip()
    typed = form.get("Body", "").strip()
    return typed or form.get("ButtonText", "").strip() or form.get("ListTitle", "").strip()


def _reaction(form: Mapping[str, str], sender: str) -> Event:
    message = form.get("OriginalRepliedMessageSid", "")
    emoji = _TONES.sub("", form.get("Body", "").strip())
    if not message or emoji not in _THUMBS:
        return Ignored("a reaction that says neither yes nor no")
    return Reaction("whatsapp", message, sender, _THUMBS[emoji])


def _place(form: Mapping[str, str]) -> tuple[Attachment, ...]:
    """Return a shared place as a small text file, for the person who reads along."""
    spot = [form.get(key, "").strip() for key in ("Latitude", "Longitude")]
    if not all(_COORDINATE.fullmatch(each) for each in spot):
        return ()
    named = [form.get(key, "").strip() for key in ("Label", "Address")]
    lines = [*(name for name in named if name), f"geo:{','.join(spot)}"]
    data = "\n".join(lines).encode()
    return (Attachment("location.txt", "text/plain", len(data), data),)


def _unreadable(form: Mapping[str, str]) -> tuple[Attachment, ...]:
    """Return a mark for a kind of message Twilio does not pass on: it gets a plain answer, not silence."""
    kind = re.sub(r"[^a-z_]", "", form.get("MessageType", "").lower())[:30]
    if kind in ("", "text"):
        return ()
    return (Attachment(kind, "application/octet-stream", 0, refused="not_allowed"),)


def _metadata(form: Mapping[str, str]) -> Mapping[str, str]:
    known = {
        "quoted": form.get("OriginalRepliedMessageSid", ""),
        "forwarded": form.get("Forwarded", ""),
        "button": form.get("ButtonText", ""),
    }
    return {key: value[:200] for key, value in known.items() if value}


# ---------------------------------------------------------------- the window


def window_key(sender: str) -> str:
    """Return the state key of a person's window; a hash, so that state holds no numbers."""
    return f"window:{hashlib.sha256(sender.encode()).hexdigest()[:32]}"


def heard(
    note: Mapping[str, object] | None, sid: str, now: datetime
) -> Mapping[str, object] | None:
    """Return the note after hearing from them; None when this very message was heard before.

    A replayed webhook opens no window: the last messages' ids are kept with the time.
    """
    known = (note or {}).get("sids", [])
    sids = [str(each) for each in known] if isinstance(known, list) else []
    if sid in sids:
        return None
    return {"at": now.isoformat(), "sids": [*sids, sid][-_KNOWN_SIDS:]}


def closes_at(note: Mapping[str, object] | None) -> datetime | None:
    """Return when free text is no longer taken; None when they never wrote."""
    if not note:
        return None
    return datetime.fromisoformat(str(note["at"])) + WINDOW
