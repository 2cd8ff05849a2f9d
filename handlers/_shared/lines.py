"""The catalogue of sentences in handlers/lines/*.yaml behind the `Lines` port.

Owns loading, channel variants, slots and tenant overrides. Slots are plain names in braces; nothing else
is evaluated, so neither an override nor a slot's value can reach into objects.
Not here: which line is said when (handlers, pipelines).
"""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from core.errors import MisconfiguredError

logger = logging.getLogger(__name__)

FOLDER = Path(__file__).parent.parent / "lines"
FALLBACK = "en"
_SLOT = re.compile(r"\{([a-z_]+)\}")

Texts = Mapping[str, str]
Overrides = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the files hold: locale → key → channel → text, and key → locale → list."""

    texts: Mapping[str, Mapping[str, Texts]]
    lists: Mapping[str, Mapping[str, Sequence[str]]]


class YamlLines:
    """The `Lines` port over the catalogue files, with a tenant's own sentences on top.

    `overrides` is locale → key → text; `slots` are values every line may use (brand, bot). One that uses
    an unknown key or slot is logged and left out: a tenant's typo must not end a turn.
    """

    def __init__(
        self,
        overrides: Overrides | None = None,
        *,
        slots: Mapping[str, object] | None = None,
        catalogue: Catalogue | None = None,
    ) -> None:
        """Read the files at once. Raises MisconfiguredError naming the file that does not fit."""
        self._catalogue = catalogue or read_catalogue()
        self._slots = dict(slots or {})
        self._overrides = _usable(overrides or {}, self._catalogue, frozenset(self._slots))

    def for_tenant(self, overrides: Overrides, slots: Mapping[str, object]) -> "YamlLines":
        """Return lines on the same catalogue that speak for one tenant; reads no file."""
        return YamlLines(overrides, slots={**self._slots, **slots}, catalogue=self._catalogue)

    @property
    def locales(self) -> frozenset[str]:
        """Locales with a full catalogue."""
        return frozenset(self._catalogue.texts)

    @property
    def keys(self) -> frozenset[str]:
        """Keys that hold a sentence."""
        return frozenset(self._catalogue.texts[FALLBACK])

    def say(self, key: str, locale: str, channel: str = "", **slots: object) -> str:
        """Return the line in the locale (else English), in the channel's variant if there is one.

        Raises KeyError for an unknown key or a missing slot.
        """
        values = {**self._slots, **slots}

        def fill(match: re.Match[str]) -> str:
            return str(values[match[1]])

        return _SLOT.sub(fill, self._template(key, locale.lower().split("-")[0], channel))

    def variants(self, key: str) -> Mapping[str, Sequence[str]]:
        """Return locale → list for keys that hold lists. Raises KeyError for an unknown key."""
        return self._catalogue.lists[key]

    def _template(self, key: str, locale: str, channel: str) -> str:
        own = self._overrides.get(locale, {}).get(key)
        if own is not None:
            return own
        texts = self._catalogue.texts.get(locale, self._catalogue.texts[FALLBACK])[key]
        return texts.get(channel) or texts["default"]


def _usable(overrides: Overrides, catalogue: Catalogue, common: frozenset[str]) -> Overrides:
    usable: dict[str, dict[str, str]] = {}
    for locale, texts in overrides.items():
        known = catalogue.texts.get(locale, catalogue.texts[FALLBACK])
        for key, text in texts.items():
            if key in known and _slots(text) <= _slots(known[key]["default"]) | common:
                usable.setdefault(locale, {})[key] = text
            else:
                logger.warning("lines.override_ignored", extra={"key": key, "locale": locale})
    return usable


def _slots(text: str) -> set[str]:
    return set(_SLOT.findall(text))


def read_catalogue(folder: Path = FOLDER) -> Catalogue:
    """Return the catalogue of a folder. Raises MisconfiguredError naming the file that does not fit."""
    texts: dict[str, dict[str, Texts]] = {}
    lists: dict[str, dict[str, Sequence[str]]] = {}
    for file in sorted(folder.glob("*.yaml")):
        locale = file.stem
        texts[locale] = {}
        for key, value in _entries(file).items():
            if key.startswith("words."):
                _add_list(lists, file, key, value)
            else:
                texts[locale][key] = _variants(file, key, value)
    if FALLBACK not in texts:
        raise MisconfiguredError(f"no {FALLBACK}.yaml in {folder}")
    return Catalogue(texts, lists)


def _entries(file: Path) -> Mapping[str, object]:
    try:
        loaded = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise MisconfiguredError(f"{file.name} is not YAML: {error}") from error
    if not isinstance(loaded, dict):
        raise MisconfiguredError(f"{file.name} holds no mapping of keys to lines")
    return {str(key): value for key, value in loaded.items()}


def _variants(file: Path, key: str, value: object) -> Texts:
    if isinstance(value, str):
        return {"default": value.strip()}
    if isinstance(value, dict) and "default" in value:
        return {str(channel): str(text).strip() for channel, text in value.items()}
    raise MisconfiguredError(f"{file.name}: {key} is neither a text nor variants with a default")


def _add_list(
    lists: dict[str, dict[str, Sequence[str]]], file: Path, key: str, value: object
) -> None:
    """Add a list for this file's locale, or the lists of a mapping by locale."""
    by_locale = value if isinstance(value, dict) else {file.stem: value}
    for locale, words in by_locale.items():
        if not isinstance(words, list):
            raise MisconfiguredError(f"{file.name}: {key} holds no list")
        lists.setdefault(key, {})[str(locale)] = tuple(str(word) for word in words)
