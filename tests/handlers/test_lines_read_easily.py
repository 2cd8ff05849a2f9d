"""Every sentence of the catalogue is easy to read, in each language by its own formula (core/reading.py)."""

import re

import pytest

from core.reading import EASY, PLAIN, read
from handlers._shared.lines import read_catalogue

_SLOT = re.compile(r"\{[a-z_]+\}")
_WORDS_THAT_TELL = 12  # in a shorter line one long word decides
_LONGEST = 22  # words a sentence
_FILLED = {"en": "it", "es": "eso"}
TEXTS = {
    (locale, key, channel): _SLOT.sub(_FILLED[locale], text)
    for locale, keys in read_catalogue().texts.items()
    for key, variants in keys.items()
    for channel, text in variants.items()
}


def test_every_line_reads_plainly() -> None:
    found = {name: read(text, name[0]) for name, text in TEXTS.items()}
    hard = {
        name: each
        for name, each in found.items()
        if each is not None
        and (
            each.words / each.sentences > _LONGEST
            or (each.words >= _WORDS_THAT_TELL and each.ease < PLAIN)
        )
    }
    assert hard == {}


@pytest.mark.parametrize("locale", sorted(_FILLED))
def test_a_language_as_a_whole_reads_easily(locale: str) -> None:
    whole = read("\n".join(text for name, text in TEXTS.items() if name[0] == locale), locale)
    assert whole is not None
    assert whole.ease >= EASY
