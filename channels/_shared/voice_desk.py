"""What a caller hears, as TwiML: greeting, answers in parts, fillers, the way to a person, the voice message.

One desk serves one request. It decides nothing about the conversation and keeps nothing: where the call is stands
in the URLs it writes (voice_call.py). Not here: signatures, state, when a turn is awaited (channels/voice.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote
from xml.etree.ElementTree import Element

from channels._shared import voice_twiml as twiml
from channels._shared.voice_call import Call, Place
from channels._shared.voice_settings import Key, VoiceSettings
from channels._shared.voice_speech import Link, Spoken, named, seconds_to_say
from core.contracts import WebhookReply
from core.messages import QuickReply
from core.ports import Lines

MAX_WAITS = 3  # times somebody is asked to stay for a person, 20 s each
_WAIT_SECONDS = 20
_PAUSE = 6  # seconds of silence after which somebody has said nothing
_MOST_CHOICES = 4


@dataclass(frozen=True, slots=True)
class Said:
    """An answer to the line and how long it takes to hear. `doing`: talk | dial | record | over."""

    reply: WebhookReply
    seconds: float
    doing: str = "talk"
    records: bool = False


@dataclass(frozen=True, slots=True)
class Desk:
    """One request's desk. `textable`: a text message can follow the caller home."""

    settings: VoiceSettings
    lines: Lines
    call: Call
    place: Place
    menu: Mapping[str, Key]
    textable: bool = False
    person_there: bool = False

    # ------------------------------------------------------------ words and places

    def line(self, key: str, locale: str = "", **slots: object) -> str:
        """Return a sentence in the call's language."""
        return self.lines.say(key, locale or self.place.locale, "voice", **slots)

    def speaker(self, locale: str = "") -> twiml.Speaker:
        """Return how we sound in the call's language."""
        spoken_in = locale or self.place.locale
        voice = self.settings.voice_es if spoken_in == "es" else self.settings.voice_en
        return twiml.Speaker(voice, spoken_in, self.place.slow)

    def url(self, place: Place, *, bare: bool = False) -> str:
        """Return our URL for a place in the call; `bare` requests name no number, so the URL does."""
        base = f"{self.settings.public_url.rstrip('/')}/channels/voice"
        query = place.query()
        if bare:
            query += f"&inbox={quote(self.settings.number, safe='')}"
        return f"{base}?{query}"

    def next(self, **changes: object) -> Place:
        """Return the place the caller's next words lead to."""
        kept = replace(
            self.place, at="talk", n=self.place.n + 1, pick=False, more=False, round=0, hold=False
        )
        return replace(kept, **changes)  # type: ignore[arg-type] # names of fields

    # ------------------------------------------------------------ talking

    def greet(self) -> Said:
        """Say who answers, offer the keys, and listen; first ask about recording, if calls are recorded."""
        greeting = self.line("voice.greeting")
        if self.settings.records and not self.call.withheld:
            return self.listen(
                [greeting, self.line("voice.ask_recording")], self.next(at="consent", n=0)
            )
        return self.listen([greeting], self.next(), with_menu=True)

    def after_consent(self, *, granted: bool) -> Said:
        """Say whether the call is recorded, which starts with that, and listen."""
        place = self.next(n=self.place.n + 1)
        if not granted:
            said = [self.line("voice.recording_off"), self.line("voice.ask")]
            return self.listen(said, place, with_menu=True)
        callback = self.url(Place("recording", locale=self.place.locale), bare=True)
        said = [self.line("voice.recording_on"), self.line("voice.ask")]
        begin = [twiml.start_recording(callback)]
        return replace(self.listen(said, place, with_menu=True, before=begin), records=True)

    def ask(self, key: str = "voice.ask", *before: str, with_menu: bool = False) -> Said:
        """Say something and listen."""
        said = [self.line(each) for each in (*before, key)]
        return self.listen(said, self.next(misses=0), with_menu=with_menu)

    def not_heard(self) -> Said:
        """Answer silence: once more, then other ways, then good-bye."""
        misses = self.place.misses + 1
        if self.place.hold:
            return self.wait_for_person()
        if misses == 1:
            key = "voice.anything_else" if self.place.last else "voice.not_heard"
            return self.listen(
                [self.line(key)], self.next(misses=1, pick=self.place.pick, more=self.place.more)
            )
        if misses == 2:
            key = "voice.offer" if self.textable else "voice.offer_without_text"
            return self.listen([self.line(key)], self.next(at="offer", misses=2))
        return self.end("voice.silence")

    def switch(self, language: str) -> Said:
        """Go on in another language."""
        other = replace(self, place=replace(self.place, locale=language))
        return other.ask("voice.ask", "voice.language")

    def answer(
        self,
        spoken: Spoken,
        part: int,
        locale: str,
        choices: Sequence[QuickReply],
        sources: Sequence[Link],
        *,
        texted: bool,
    ) -> Said:
        """Say one part of an answer and listen."""
        here = replace(self, place=replace(self.place, locale=locale))
        part = min(part, len(spoken.parts) - 1)
        more = part + 1 < len(spoken.parts)
        said = [spoken.parts[part]]
        if more:
            said.append(here.line("voice.go_on_or_text" if self.textable else "voice.go_on"))
        else:
            said += here.closing(spoken, choices, sources, texted=texted)
        place = here.next(misses=0, part=part, more=more, pick=bool(choices) and not more)
        return here.listen(said, place, hints=[choice.label for choice in choices])

    def closing(
        self,
        spoken: Spoken,
        choices: Sequence[QuickReply],
        sources: Sequence[Link],
        *,
        texted: bool,
    ) -> list[str]:
        """Return what follows an answer's last part: where it stands, its pages, the choices."""
        said = []
        if sources and not choices:
            said.append(self.line("voice.source", title=named(sources[0].label)))
        if texted:
            said.append(self.line("voice.texted_link"))
        elif spoken.links:
            title = named(spoken.links[0].label)
            said.append(self.line("voice.link_stands", title=title))
        labels = [named(choice.label) for choice in choices]
        if len(labels) > _MOST_CHOICES:
            said.append(self.line("voice.choices", labels="; ".join(labels[:9])))
        else:
            said += [
                self.line("voice.choice", label=label, digit=digit)
                for digit, label in enumerate(labels, 1)
            ]
        return said

    def speak(self, text: str) -> str:
        """Return a document that says a text in a running call and goes on listening here."""
        said = [twiml.say(text, self.speaker())]
        seconds = _WAIT_SECONDS if self.place.hold else _PAUSE
        ear = twiml.gather(said, self.url(self.place), self.speaker(), seconds=seconds)
        return twiml.document(ear)

    # ------------------------------------------------------------ waiting and people

    def filler(self) -> Said:
        """Say that it takes a moment, and come back to the same message."""
        text = self.line("voice.moment_more" if self.place.round else "voice.moment")
        place = replace(self.place, at="wait", round=self.place.round + 1)
        return Said(
            twiml.reply(twiml.say(text, self.speaker()), twiml.redirect(self.url(place))),
            seconds_to_say(text),
        )

    def late(self) -> Said:
        """Say that it takes too long to wait on the line, and what becomes of the answer."""
        if self.textable:
            return self.ask("voice.anything_else", "voice.late_text")
        return self.take_message([self.line("voice.late_person")])

    def wait_for_person(self) -> Said:
        """Ask somebody to stay for the person who has the conversation; a while, then take a message."""
        if self.place.hold and self.place.round >= MAX_WAITS:
            return self.take_message([self.call_back()])
        waited = self.place.round if self.place.hold else 0
        key = "voice.still_waiting" if waited else "voice.person_reads"
        place = self.next(misses=0, hold=True, round=waited + 1)
        return self.listen([self.line(key)], place, seconds=_WAIT_SECONDS)

    def hand_over(self, text: str, locale: str) -> Said:
        """Say what was said of a person, and ring one where somebody picks up; else take a message."""
        here = replace(self, place=replace(self.place, locale=locale))
        said = [text] if text else []
        if not self.person_there:
            return here.take_message([*said, here.call_back()])
        spoken = [*said, here.line("voice.connecting")]
        place = replace(here.place, at="dialed", n=here.place.n + 1)
        ring = twiml.dial(self.settings.operator_number, self.settings.number, self.url(place))
        return here.say(spoken, ring, doing="dial")

    def nobody_answered(self) -> Said:
        """Say so after ringing in vain, and take a message."""
        return self.take_message([self.line("voice.no_answer"), self.call_back()])

    def take_message(self, before: Sequence[str]) -> Said:
        """Take a message after the tone."""
        left = replace(self.place, at="left", n=self.place.n + 1)
        written = replace(left, at="transcript") if self.place.locale == "en" else None
        return self.say(
            [*before, self.line("voice.leave_message")],
            twiml.record(self.url(left), self.url(written, bare=True) if written else None),
            *self._verbs([self.line("voice.no_message")]),
            twiml.hang_up(),
            doing="record",
        )

    def end(self, key: str) -> Said:
        """Say good-bye and hang up."""
        return self.say([self.line(key)], twiml.hang_up(), doing="over")

    def call_back(self) -> str:
        """Say that nobody is on the phone and what becomes of the call."""
        return self.line("voice.call_back_unknown" if self.call.withheld else "voice.call_back")

    # ------------------------------------------------------------ verbs

    def _menu(self) -> list[tuple[str, str]]:
        """Return (locale, sentence) for each key."""
        offered = []
        for digit, key in self.menu.items():
            sentence = "voice.menu_language" if key.language else "voice.menu_item"
            locale = key.language or self.place.locale
            offered.append(
                (locale, self.line(sentence, locale, label=named(key.label), digit=digit))
            )
        return offered

    def listen(
        self,
        said: Sequence[str],
        place: Place,
        *,
        with_menu: bool = False,
        hints: Sequence[str] = (),
        seconds: int = _PAUSE,
        before: Sequence[Element] = (),
    ) -> Said:
        """Say sentences while listening; what is heard goes to `place`. `seconds` of silence end it."""
        offered = self._menu() if with_menu else []
        verbs = [
            *self._verbs(said),
            *(twiml.say(text, self.speaker(locale)) for locale, text in offered),
        ]
        hint = ", ".join(named(each).replace(",", " ") for each in hints)[:500]
        ear = twiml.gather(verbs, self.url(place), self.speaker(), hint, seconds)
        heard = sum(seconds_to_say(text) for text in (*said, *(text for _, text in offered)))
        return Said(twiml.reply(*before, ear), heard)

    def say(self, said: Sequence[str], *then: Element, doing: str) -> Said:
        """Say sentences and go on with verbs."""
        heard = sum(seconds_to_say(text) for text in said)
        return Said(twiml.reply(*self._verbs(said), *then), heard, doing)

    def _verbs(self, said: Sequence[str]) -> list[Element]:
        return [twiml.say(text, self.speaker()) for text in said if text]
