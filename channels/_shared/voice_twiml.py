"""TwiML of a call, built as a tree, so that nothing said can become a verb.

Source: Twilio's pages "TwiML for Programmable Voice", one per verb. Not here: what is said and when (voice_desk.py).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, tostring

from core.contracts import WebhookReply

HEADERS = {"content-type": "text/xml; charset=utf-8"}
# What XML 1.0 cannot hold, even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LANGUAGES = {"en": "en-US", "es": "es-US"}
MAX_MESSAGE = 120  # seconds; Twilio transcribes no longer recording


@dataclass(frozen=True, slots=True)
class Speaker:
    """How we sound: a voice of Twilio's, the locale, and whether slowly."""

    voice: str
    locale: str
    slow: bool = False

    @property
    def language(self) -> str:
        """The BCP 47 tag Twilio knows the locale by."""
        return _LANGUAGES.get(self.locale, "en-US")


def reply(*verbs: Element) -> WebhookReply:
    """Return the verbs as Twilio is answered."""
    return WebhookReply(200, HEADERS, document(*verbs).encode())


def document(*verbs: Element) -> str:
    """Return the verbs as a document."""
    root = Element("Response")
    root.extend(verbs)
    return '<?xml version="1.0" encoding="UTF-8"?>' + tostring(root, encoding="unicode")


def say(text: str, speaker: Speaker) -> Element:
    """Say a text."""
    verb = Element("Say", {"voice": speaker.voice, "language": speaker.language})
    said = _FORBIDDEN.sub("", text)
    if speaker.slow:
        prosody = Element("prosody", {"rate": "slow"})
        prosody.text = said
        verb.append(prosody)
    else:
        verb.text = said
    return verb


def gather(
    said: Sequence[Element], action: str, speaker: Speaker, hints: str = "", seconds: int = 6
) -> Element:
    """Listen for words or one key while saying something: whoever speaks interrupts it."""
    verb = Element(
        "Gather",
        {
            "input": "speech dtmf",
            "action": action,
            "method": "POST",
            "language": speaker.language,
            "speechTimeout": "auto",
            "timeout": str(seconds),
            "numDigits": "1",
            "bargeIn": "true",
            "actionOnEmptyResult": "true",
            "profanityFilter": "false",
        },
    )
    if hints:
        verb.set("hints", hints)
    verb.extend(said)
    return verb


def redirect(url: str) -> Element:
    """Fetch what comes next."""
    verb = Element("Redirect", {"method": "POST"})
    verb.text = url
    return verb


def dial(number: str, caller_id: str, action: str, seconds: int = 20) -> Element:
    """Ring a person; `action` is told whether they picked up."""
    verb = Element(
        "Dial",
        {"action": action, "method": "POST", "timeout": str(seconds), "callerId": caller_id,
         "answerOnBridge": "true"},
    )  # fmt: skip
    inner = Element("Number")
    inner.text = number
    verb.append(inner)
    return verb


def record(action: str, transcript: str | None) -> Element:
    """Take a message after the tone; `transcript` is where its words are sent, which Twilio has in English only."""
    verb = Element(
        "Record",
        {"action": action, "method": "POST", "maxLength": str(MAX_MESSAGE), "timeout": "5",
         "finishOnKey": "#", "playBeep": "true", "trim": "trim-silence"},
    )  # fmt: skip
    if transcript is not None:
        verb.set("transcribe", "true")
        verb.set("transcribeCallback", transcript)
    return verb


def start_recording(callback: str) -> Element:
    """Record the call from here on."""
    verb = Element("Start")
    verb.append(
        Element(
            "Recording",
            {"recordingStatusCallback": callback, "recordingStatusCallbackMethod": "POST",
             "recordingStatusCallbackEvent": "completed"},
        )
    )  # fmt: skip
    return verb


def hang_up() -> Element:
    """End the call."""
    return Element("Hangup")
