"""Texts that hide in a text: encoded, spelled in figures, spread out, in foreign look-alike letters, backwards.

Owns turning each into plain words, so that whoever looks for something need look for plain words only. Nothing is
executed or fetched; every step is bounded. Not here: what is looked for (instructions.py).
"""

import base64
import binascii
import codecs
import html
import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote

LONGEST = 32_000
_MOST_PIECES = 20
_HIDDEN = re.compile("[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef]")  # fmt: skip  # noqa: E501
# Letters of other scripts that look like ours; seen together with ours, or spelling a word by themselves.
_ALIKE = str.maketrans(
    "аәеорсухіјѕһԁԛԝѵӏАВЕКМНОРСТХІЈЅαοενικτρυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧɑɡɩıℓ",
    "aaeopcyxijshdqwvlABEKMHOPCTXIJSaoevikTpuxABEZHIKMNOPTYXagiil",
)
_FOREIGN = re.compile("[\u0370-\u03ff\u0400-\u04ff\u0500-\u052f]")
_FIGURES = str.maketrans("013457@$!|8", "oieastasilb")
_FIGURED = re.compile(r"\b(?=\w*[a-z])(?=\w*[0134578@$!|])[\w@$!|]{4,}", re.IGNORECASE)
_SPACED = re.compile(r"(?<!\w)\w(?:[ ._*-]\w){5,}(?!\w)")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,8000}={0,2}")
_BASE32 = re.compile(r"\b[A-Z2-7]{24,4000}={0,6}")
_HEX = re.compile(r"(?:(?:\\x|0x|%|&#x)?[0-9a-fA-F]{2}[\s,;:]?){10,4000}")
_BINARY = re.compile(r"(?:[01]{8}\s?){6,1000}")
_ESCAPED = re.compile(r"(?:\\u[0-9a-fA-F]{4}|&#x?[0-9a-fA-F]{2,6};|%[0-9a-fA-F]{2})")
_BROKEN = re.compile(r"(\w)-\n(\w)")


def without_hidden(text: str) -> str:
    """Return the text without marks that nobody sees."""
    return _HIDDEN.sub("", text)


def clean(text: str) -> str:
    """Return the text without accents, invisible marks and look-alike letters; capitals and line breaks stay."""
    text = unicodedata.normalize("NFKD", _HIDDEN.sub("", text[:LONGEST]))
    text = "".join(char for char in text if not unicodedata.combining(char))
    return text.translate(_ALIKE).replace("’", "'")


def flat(text: str) -> str:
    """Return `clean` in lower case."""
    return clean(text).lower()


def unveiled(text: str) -> Iterator[tuple[str, str]]:
    """Yield (how, words) of what the text says under each disguise that it may wear, the text itself first."""
    text = text[:LONGEST]
    plain = flat(text)
    yield _looks(text), " ".join(plain.split())
    joined = _BROKEN.sub(r"\1\2", plain)
    if joined != plain:
        yield "split", " ".join(joined.split())
    if _FIGURED.search(plain):
        yield "figures", " ".join(_FIGURED.sub(lambda m: m[0].translate(_FIGURES), plain).split())
    spaced = _SPACED.search(plain)
    if spaced:
        yield "spaced", " ".join(_SPACED.sub(lambda m: _closed(m[0]), plain).split())
    if _ESCAPED.search(text):
        yield "escaped", " ".join(flat(_unescaped(text)).split())
    yield "rot13", " ".join(codecs.encode(plain, "rot13").split())
    yield "reversed", " ".join(plain[::-1].split())
    for words in _decoded(text):
        yield "encoded", " ".join(flat(words).split())


def _looks(text: str) -> str:
    """Return how the letters themselves were disguised, or "" when they were not."""
    if _HIDDEN.search(text):
        return "invisible"
    mixed = re.search(r"[a-z][\u0370-\u052f]|[\u0370-\u052f][a-z]", text, re.IGNORECASE)
    return "lookalikes" if mixed and _FOREIGN.search(text) else ""


def _closed(letters: str) -> str:
    return re.sub(r"[ ._*-]", "", letters)


def _unescaped(text: str) -> str:
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), text)
    return html.unescape(unquote(text, errors="replace"))


def _decoded(text: str, depth: int = 2) -> Iterator[str]:
    """Yield what encoded stretches say, two layers deep."""
    for pattern, decode in _CODES:
        for number, match in enumerate(pattern.finditer(text)):
            if number >= _MOST_PIECES:
                break
            words = _words(decode, match[0])
            if words:
                yield words
                if depth > 1:
                    yield from _decoded(words, depth - 1)


def _words(decode: object, piece: str) -> str:
    """Return the decoded text if it reads like one: printable, mostly letters and spaces."""
    try:
        said = decode(piece).decode("utf-8")  # type: ignore[operator]
    except (ValueError, binascii.Error):
        return ""
    letters = sum(char.isalpha() or char == " " for char in said)
    return said if len(said) >= 8 and letters >= 0.8 * len(said) and said.isprintable() else ""


def _from_base64(piece: str) -> bytes:
    piece = piece.rstrip("=").replace("-", "+").replace("_", "/")
    return base64.b64decode(piece + "=" * (-len(piece) % 4))


def _from_base32(piece: str) -> bytes:
    piece = piece.rstrip("=")
    return base64.b32decode(piece + "=" * (-len(piece) % 8))


def _from_hex(piece: str) -> bytes:
    return bytes.fromhex(re.sub(r"\\x|0x|&#x|[^0-9a-fA-F]", "", piece))


def _from_binary(piece: str) -> bytes:
    bits = re.sub(r"\s", "", piece)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


_CODES = (
    (_BASE64, _from_base64),
    (_BASE32, _from_base32),
    (_HEX, _from_hex),
    (_BINARY, _from_binary),
)
