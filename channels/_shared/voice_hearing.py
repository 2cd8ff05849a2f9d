"""What a caller wants by what was heard or pressed: something for the conversation, or something of the call itself.

Pure: the same request means the same when it comes again. Not here: what is answered (voice_desk.py).
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from channels._shared.voice_call import LOCALES, Call, Place
from channels._shared.voice_settings import Key
from core.ports import Lines


class Want(StrEnum):
    """What is wanted. Only `SAY`, `PERSON`, `TEXT_ME` and `GOODBYE` become messages of the conversation."""

    SAY = "say"
    PERSON = "person"
    TEXT_ME = "text_me"
    GOODBYE = "goodbye"
    REPEAT = "repeat"
    SLOWER = "slower"
    GO_ON = "go_on"
    TEXT_REST = "text_rest"
    ENOUGH = "enough"
    LANGUAGE = "language"
    RETRY = "retry"
    NOTHING = "nothing"


_OF_THE_CALL = (
    ("words.repeat", Want.REPEAT),
    ("words.slower", Want.SLOWER),
    ("words.text_me", Want.TEXT_ME),
    ("words.goodbye", Want.GOODBYE),
)
_OF_A_LONG_ANSWER = (
    ("words.go_on", Want.GO_ON),
    ("words.yes", Want.GO_ON),
    ("words.no", Want.ENOUGH),
)


@dataclass(frozen=True, slots=True)
class Heard:
    """What is wanted, with the words as they stand in the conversation, or the language."""

    want: Want
    text: str = ""
    language: str = ""


def hear(call: Call, place: Place, menu: Mapping[str, Key], lines: Lines) -> Heard:
    """Return what this request wants."""
    if call.digits:
        return _pressed(call.digits, place, menu, lines)
    if not call.speech:
        return Heard(Want.NOTHING)
    return _spoke(call.speech, place, lines)


def says_yes(speech: str, lines: Lines, locale: str) -> bool:
    """Tell whether the whole of it is a yes; anything else is none."""
    return _is(speech, "words.yes", lines, locale)


def _pressed(digits: str, place: Place, menu: Mapping[str, Key], lines: Lines) -> Heard:
    person = Heard(Want.PERSON, lines.say("voice.wants_person", place.locale, "voice"))
    if digits == "0":
        return person
    if place.at == "offer":
        offered = {
            "1": Heard(Want.RETRY),
            "2": Heard(Want.TEXT_ME, lines.say("voice.wants_text", place.locale, "voice")),
            "3": person,
        }
        return offered.get(digits, Heard(Want.RETRY))
    if place.pick or digits not in menu:
        return Heard(Want.SAY, digits)
    key = menu[digits]
    return (
        Heard(Want.LANGUAGE, language=key.language) if key.language else Heard(Want.SAY, key.text)
    )


def _spoke(speech: str, place: Place, lines: Lines) -> Heard:
    for other in LOCALES:
        if other != place.locale and _is(speech, "words.language", lines, other):
            return Heard(Want.LANGUAGE, language=other)
    for key, want in _OF_THE_CALL:
        if _is(speech, key, lines, place.locale):
            return _asked(want, speech, place)
    if place.more:
        for key, want in _OF_A_LONG_ANSWER:
            if _is(speech, key, lines, place.locale):
                return Heard(want)
    return Heard(Want.SAY, speech)


def _asked(want: Want, speech: str, place: Place) -> Heard:
    if want is Want.TEXT_ME and place.last:
        return Heard(Want.TEXT_REST)
    return Heard(want, speech if want in (Want.TEXT_ME, Want.GOODBYE) else "")


def _is(speech: str, key: str, lines: Lines, locale: str) -> bool:
    return plain(speech) in {plain(word) for word in lines.variants(key).get(locale, ())}


def plain(text: str) -> str:
    """Return the words alone: lower case, without accents and stops."""
    bare = "".join(
        c for c in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(c)
    )
    return " ".join(re.findall(r"[^\W_]+(?:'[^\W_]+)?", bare))
