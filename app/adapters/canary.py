"""A random word in the prompt that no answer may hold: how a leak of the prompt is noticed.

Owns making the word and finding it in a text, written plainly or changed: spaced, split, reversed, in base64, hex and
the like, whole or in part. Pure. Not here: what follows a leak (app/adapters/llm.py).
"""

import base64
import codecs
import re
import secrets
import unicodedata

LENGTH = 20
WINDOW = 9  # so many letters of it in a row are no accident
_ALPHABET = "bcdfghjkmnpqrstvwxz"  # no vowels and no figures: it is no word, in leetspeak neither
_LEET = str.maketrans("013457@$!", "oieastasi")
_HEX_PAIR = re.compile(r"(?:0x|\\x|%|&#x|u\+00|\\u00)", re.IGNORECASE)


def new_canary() -> str:
    """Return a word that nobody can guess: 20 consonants."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(LENGTH))


def leaks(text: str, canary: str) -> bool:
    """Return whether the text holds the canary or nine letters of it in a row, in any of the forms known here."""
    if not canary:
        return False
    flat = _flat(text)
    spelled = (flat, flat.translate(_LEET), _flat(_HEX_PAIR.sub("", text)), _numbers(text))
    windows = {piece for form in _forms(canary) for piece in _windows(form)}
    whole = _encoded(canary)
    bare = re.sub(r"[^A-Za-z0-9+/=_-]", "", text)
    return any(piece in one for one in spelled for piece in windows) or any(
        piece in one for one in (bare, text, *spelled) for piece in whole
    )


def _flat(text: str) -> str:
    """Return the letters and figures alone, in lower case."""
    return "".join(
        c for c in unicodedata.normalize("NFKC", text).lower() if c.isalnum() and c.isascii()
    )


def _numbers(text: str) -> str:
    """Return what a list of character codes spells: 98 99 100, &#98;&#99;, 01100010."""
    codes = [
        int(n, 2) if len(n) == 8 and set(n) <= {"0", "1"} else int(n)
        for n in re.findall(r"\d{1,8}", text)
    ]
    return "".join(chr(code) for code in codes if 32 < code < 127).lower()


def _forms(canary: str) -> tuple[str, ...]:
    """Return the canary forwards, backwards, in rot13 and in hex."""
    rotated = codecs.encode(canary, "rot13")
    hexed = canary.encode().hex()
    return canary, canary[::-1], rotated, rotated[::-1], hexed, canary[::-1].encode().hex()


def _windows(form: str) -> set[str]:
    size = WINDOW * 2 if any(char.isdigit() for char in form) else WINDOW
    return {form[at : at + size] for at in range(len(form) - size + 1)}


def _encoded(canary: str) -> set[str]:
    """Return base64 and base32 of the canary wherever it may begin within an encoded text, ends left off."""
    found: set[str] = set()
    for word in (canary, canary[::-1], canary.upper()):
        for shift in range(3):
            code = base64.b64encode(b"\0" * shift + word.encode()).decode().rstrip("=")
            found.add(code[(8 * shift + 5) // 6 : -2])
        for shift in range(5):
            code = base64.b32encode(b"\0" * shift + word.encode()).decode().rstrip("=")
            found |= {piece := code[(8 * shift + 4) // 5 : -2], piece.lower()}
    return found
