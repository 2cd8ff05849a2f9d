"""Settings of one phone number, its key menu and the hours in which somebody picks up.

Not here: the call itself (channels/voice.py).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from urllib.parse import urlsplit

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from channels._shared.voice_call import LOCALES
from core.errors import MisconfiguredError
from core.settings import Section
from core.zones import is_zone, zone_info

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Hours = Mapping[str, Sequence[tuple[time, time]]]

_NUMBER = re.compile(r"\+[1-9]\d{6,14}")
_SID = re.compile(r"AC[0-9a-fA-F]{32}")
_KEYS = frozenset("123456789*#")  # 0 always is a person
_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00")
_VOICE = re.compile(r"[A-Za-z0-9._-]{1,60}")
_MOST_LABEL = 80


class VoiceSettings(Section):
    """One Twilio number that takes calls.

    `public_url` is the server's address as Twilio calls it, without /channels/voice. `menu` is JSON, key → what the
    caller says by it: a text, `{"label": …, "text": …}`, or `language:es`. `operator_number` is rung for a person
    in `operator_hours` (JSON, `{"mon": [["09:00", "17:00"]]}`; empty: always) of `time_zone`. `records`: callers are
    asked whether the call may be recorded. `timeout` in seconds, for Twilio's answer.
    """

    model_config = SettingsConfigDict(env_prefix="USHER_VOICE_")

    account_sid: str = ""
    auth_token: SecretStr = SecretStr("")
    number: str = ""
    public_url: str = ""
    api_base_url: str | None = None
    timeout: float = Field(default=10.0, gt=0, le=30)
    locale: str = "en"
    voice_en: str = "Polly.Joanna"
    voice_es: str = "Polly.Lupe"
    menu: str = ""
    operator_number: str = ""
    operator_hours: str = ""
    time_zone: str = "UTC"
    records: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """What a key of the menu means: a text as if said, or another language. `label` is how it is offered."""

    label: str
    text: str = ""
    language: str = ""


def configured(settings: Section) -> list[tuple[str, str]]:
    """Return the number as an inbox. Raises MisconfiguredError naming what is missing or cannot be right."""
    own = own_settings(settings)
    given = {
        "USHER_VOICE_ACCOUNT_SID": bool(own.account_sid),
        "USHER_VOICE_AUTH_TOKEN": bool(own.auth_token.get_secret_value()),
        "USHER_VOICE_NUMBER": bool(own.number),
        "USHER_VOICE_PUBLIC_URL": bool(own.public_url),
    }
    if not any(is_given for name, is_given in given.items() if "PUBLIC_URL" not in name):
        return []
    missing = [name for name, is_given in given.items() if not is_given]
    if missing:
        raise MisconfiguredError(f"voice is half configured; missing: {', '.join(missing)}")
    problems = [
        sentence
        for is_wrong, sentence in (
            (
                not _SID.fullmatch(own.account_sid),
                "USHER_VOICE_ACCOUNT_SID must be AC and 32 hex digits",
            ),
            (
                not _NUMBER.fullmatch(own.number),
                "USHER_VOICE_NUMBER must be a number such as +15550100",
            ),
            (
                bool(own.operator_number) and not _NUMBER.fullmatch(own.operator_number),
                "USHER_VOICE_OPERATOR_NUMBER must be a number such as +15550100",
            ),
            (
                not _is_http(own.public_url),
                "USHER_VOICE_PUBLIC_URL must be http(s)://host, without query",
            ),
            (own.locale not in LOCALES, "USHER_VOICE_LOCALE must be en or es"),
            (
                not (_VOICE.fullmatch(own.voice_en) and _VOICE.fullmatch(own.voice_es)),
                "USHER_VOICE_VOICE_EN and _ES must be voices of Twilio's such as Polly.Joanna",
            ),
        )
        if is_wrong
    ]
    if problems:
        raise MisconfiguredError(f"voice: {'; '.join(problems)}")
    read_menu(own.menu)
    read_hours(own.operator_hours)
    if not is_zone(own.time_zone):
        raise MisconfiguredError("voice: USHER_VOICE_TIME_ZONE is no zone such as Europe/Madrid")
    return [(own.number, "customer")]


def own_settings(settings: Section | None) -> VoiceSettings:
    """Return the settings as voice's. Raises MisconfiguredError."""
    if not isinstance(settings, VoiceSettings):
        raise MisconfiguredError(f"voice: expected VoiceSettings, got {type(settings).__name__}")
    return settings


def read_menu(text: str) -> Mapping[str, Key]:
    """Return the menu, key → meaning. Raises MisconfiguredError saying what does not fit."""
    entries = _json(text, "USHER_VOICE_MENU")
    menu: dict[str, Key] = {}
    for digit, meaning in entries.items():
        if digit not in _KEYS:
            raise MisconfiguredError(
                f"voice: USHER_VOICE_MENU has {digit!r}; keys are 1 to 9, * and #"
            )
        menu[digit] = _key(digit, meaning)
    return menu


def _key(digit: str, meaning: object) -> Key:
    if isinstance(meaning, str) and meaning.startswith("language:"):
        language = meaning.removeprefix("language:")
        if language in LOCALES:
            return Key("", language=language)
    elif isinstance(meaning, str) and 0 < len(meaning) <= _MOST_LABEL:
        return Key(meaning, meaning)
    elif isinstance(meaning, dict):
        label, said = meaning.get("label"), meaning.get("text")
        if isinstance(label, str) and isinstance(said, str) and label and said:
            return Key(label[:_MOST_LABEL], said[:1000])
    raise MisconfiguredError(
        f"voice: USHER_VOICE_MENU key {digit} needs a text of at most {_MOST_LABEL} characters, "
        'language:en, language:es, or {"label": …, "text": …}'
    )


def read_hours(text: str) -> Hours:
    """Return day → (opens, closes). Raises MisconfiguredError saying what does not fit."""
    wrong = MisconfiguredError(
        'voice: USHER_VOICE_OPERATOR_HOURS must be as {"mon": [["09:00", "17:00"]]}'
    )
    hours: dict[str, list[tuple[time, time]]] = {}
    for day, windows in _json(text, "USHER_VOICE_OPERATOR_HOURS").items():
        if day not in DAYS or not isinstance(windows, list):
            raise wrong
        for window in windows:
            if not isinstance(window, list) or len(window) != 2:
                raise wrong
            opens, closes = window
            if not all(isinstance(c, str) and _CLOCK.fullmatch(c) for c in (opens, closes)):
                raise wrong
            hours.setdefault(day, []).append((_clock(opens), _clock(closes)))
    return hours


def picks_up(settings: VoiceSettings, now: datetime) -> bool:
    """Return whether somebody is there to be rung at this moment."""
    if not settings.operator_number:
        return False
    hours = read_hours(settings.operator_hours)
    if not hours:
        return True
    local = now.astimezone(zone_info(settings.time_zone))
    at = local.time().replace(tzinfo=None)
    return any(opens <= at < closes for opens, closes in hours.get(DAYS[local.weekday()], ()))


def _clock(text: str) -> time:
    return time.max if text == "24:00" else time.fromisoformat(text)


def _json(text: str, name: str) -> Mapping[str, object]:
    if not text.strip():
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MisconfiguredError(f"voice: {name} is no JSON") from error
    if not isinstance(found, dict):
        raise MisconfiguredError(f"voice: {name} must be a JSON object")
    return found


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query
    except ValueError:
        return False
