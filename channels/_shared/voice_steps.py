"""What one request of a call means: an event to keep, what is said at once, or a turn to wait for.

Pure: nothing is looked up or kept, so the same request means the same when it comes again.
Not here: what is heard of a turn (channels/voice.py), the sentences (voice_desk.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from channels._shared.voice_desk import Desk, Said
from channels._shared.voice_hearing import Heard, Want, hear, says_yes
from channels._shared.voice_twiml import reply as twiml_reply
from core.contracts import Received
from core.messages import Assurance, Attachment, Event, Ignored, Inbound

WAIT = 8.0  # seconds a request is held; Twilio gives up after 15
NOTHING = twiml_reply()
_SPOKEN = frozenset({Want.SAY, Want.PERSON})
_WRITTEN = _SPOKEN | {Want.TEXT_ME, Want.GOODBYE}
_AGAIN = frozenset({Want.REPEAT, Want.SLOWER, Want.GO_ON, Want.TEXT_REST})


def step(desk: Desk, form: Mapping[str, str]) -> tuple[Received, Said | None]:
    """Return what the request means, and what is said at once; nothing is kept or asked."""
    steps: Mapping[str, Callable[[Desk, Mapping[str, str]], tuple[Received, Said | None]]] = {
        "start": _start,
        "consent": _consent,
        "wait": _wait,
        "dialed": _dialed,
        "left": _left,
        "transcript": _transcript,
        "recording": _recording,
    }
    return steps.get(desk.place.at, _heard)(desk, form)


def _start(desk: Desk, _: Mapping[str, str]) -> tuple[Received, Said]:
    return _now(desk.greet(), "a call began")


def _consent(desk: Desk, _: Mapping[str, str]) -> tuple[Received, Said]:
    """Return the answer to "may we record": the words stand in the conversation, silence is a no."""
    call, place = desk.call, desk.place
    granted = says_yes(call.speech, desk.lines, place.locale) or call.digits == "1"
    said = desk.after_consent(granted=granted)
    if not call.speech and not granted:
        return _now(said, "nothing was said about recording")
    consent = {"recording_consent": "yes" if granted else "no"}
    event = _inbound(desk, call.speech or call.digits, automatic=True, metadata=consent)
    return Received((event,), said.reply), said


def _wait(desk: Desk, _: Mapping[str, str]) -> tuple[Received, None]:
    return _resumed(desk, "the line waits")


def _dialed(desk: Desk, form: Mapping[str, str]) -> tuple[Received, Said]:
    if form.get("DialCallStatus") in ("completed", "answered") or desk.call.ended:
        return _now(desk.end("voice.goodbye"), "a person took the call")
    return _now(desk.nobody_answered(), "nobody took the call")


def _heard(desk: Desk, _: Mapping[str, str]) -> tuple[Received, Said | None]:
    """Return what words or a key mean."""
    heard = hear(desk.call, desk.place, desk.menu, desk.lines)
    if heard.want in _WRITTEN:
        # what needs no answer of the bot's stands in the conversation all the same
        inbound = _inbound(desk, heard.text, automatic=heard.want not in _SPOKEN)
        return Received((inbound,), desk.ask().reply, waits=True, wait=WAIT), None
    if heard.want in _AGAIN and desk.place.last:
        return _resumed(desk, f"the caller wants {heard.want}")
    if heard.want is Want.NOTHING and desk.call.ended:
        return Received((Ignored("hung up in silence"),), NOTHING), None
    return _now(_said_at_once(desk, heard), f"the caller wants {heard.want}")


def _said_at_once(desk: Desk, heard: Heard) -> Said:
    match heard.want:
        case Want.SLOWER:
            return replace(desk, place=replace(desk.place, slow=True)).ask()
        case Want.LANGUAGE:
            return desk.switch(heard.language)
        case Want.ENOUGH:
            return desk.ask("voice.anything_else")
        case Want.RETRY:
            return desk.ask(with_menu=True)
        case Want.NOTHING:
            return desk.not_heard()
        case _:
            return desk.ask("voice.ask", "voice.nothing_to_repeat")


def _now(said: Said, reason: str) -> tuple[Received, Said]:
    return Received((Ignored(reason),), said.reply), said


def _resumed(desk: Desk, reason: str) -> tuple[Received, None]:
    events: tuple[Event, ...] = (Ignored(reason),)
    reply = desk.ask().reply
    return Received(events, reply, wait=WAIT, resumes=desk.place.message), None


def _inbound(
    desk: Desk,
    text: str,
    *,
    name: str = "",
    automatic: bool = False,
    inline: bool = True,
    attachments: tuple[Attachment, ...] = (),
    metadata: Mapping[str, str] | None = None,
) -> Inbound:
    call = desk.call
    said = {"call": call.sid, **({"confidence": call.confidence} if call.confidence else {})}
    return Inbound(
        channel="voice",
        external_id=f"{call.sid}:{name}{desk.place.n}",
        sender=call.caller,
        text=text,
        assurance=Assurance.CLAIMED if call.doubted else Assurance.CHANNEL,
        locale=desk.place.locale,
        attachments=attachments,
        automatic=automatic,
        inline=inline,
        metadata={**said, **(metadata or {})},
    )


def _left(desk: Desk, form: Mapping[str, str]) -> tuple[Received, Said]:
    """Return the voice message; its words come later where Twilio writes them down."""
    said = desk.end("voice.message_kept")
    reply = NOTHING if desk.call.ended else said.reply
    files = _recorded(form, "voice-message")
    if not files:
        return Received((Ignored("no message was left"),), reply), said
    seconds = form.get("RecordingDuration", "")
    seconds = seconds if seconds.isascii() and seconds.isdigit() else "?"
    left = _inbound(
        desk,
        desk.line("voice.message_left", seconds=seconds[:5]),
        name="left:",
        automatic=desk.place.locale == "en",
        inline=False,
        attachments=files,
    )
    return Received((left,), reply), said


def _transcript(desk: Desk, form: Mapping[str, str]) -> tuple[Received, None]:
    text = " ".join(form.get("TranscriptionText", "").replace("\x00", "").split())[:8000]
    if form.get("TranscriptionStatus") != "completed" or not text:
        text = desk.line("voice.message_unread")
    return Received((_inbound(desk, text, name="transcript:", inline=False),), NOTHING), None


def _recording(desk: Desk, form: Mapping[str, str]) -> tuple[Received, None]:
    files = _recorded(form, "call")
    if not files:
        return Received((Ignored("a recording without a file"),), NOTHING), None
    kept = _inbound(
        desk,
        desk.line("voice.recorded"),
        name="recording:",
        automatic=True,
        inline=False,
        attachments=files,
    )
    return Received((kept,), NOTHING), None


def _recorded(form: Mapping[str, str], name: str) -> tuple[Attachment, ...]:
    url = form.get("RecordingUrl", "")
    if not url.startswith(("https://", "http://")) or len(url) > 2000:
        return ()
    return (Attachment(name=f"{name}.mp3", content_type="audio/mpeg", size=0, url=f"{url}.mp3"),)
