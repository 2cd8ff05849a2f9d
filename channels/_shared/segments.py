"""How many segments a text message is charged as, and cheaper spellings of the same words.

`segments` is a pure function for the console and the CLI as well. Counts are those of 3GPP TS 23.038 and of Twilio's
page "What the Heck is a Segment?": one segment carries 160 septets of GSM-7 or 70 UTF-16 code units; a longer text
gives six bytes of each to the joining header and carries 153 or 67. A septet pair (ESC and a letter of the extension
table) and a surrogate pair are never cut in two.

What `cheaper` may change. Marks only, by default: curly quotes, dashes, ellipsis, odd spaces, arrows and bullets have
plain twins that say the same. Letters never: é, ñ, ü, ¿ and ¡ are GSM-7, but á, í, ó, ú are not, and Spanish without
them says other things (como/cómo, esta/está, publico/publicó), so a Spanish answer stays correct Spanish and costs what
it costs, unless the tenant asks for `letters`. Nothing is changed when that saves no segment.
Not here: where long text is cut (split.py).
"""

import unicodedata
from dataclasses import dataclass
from typing import Literal

Encoding = Literal["GSM-7", "UCS-2"]
Transliterate = Literal["off", "marks", "letters"]

# In the order of the standard's table, ESC (0x1B) left out.
GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENSION = frozenset("\f^{}\\[~]|€")

_MARKS = {
    **dict.fromkeys("‘’‚‛′ʹʼʽ´`ˈˊˋ＇", "'"),
    **dict.fromkeys("“”„‟″«»ʺ❝❞〝〞＂", '"'),
    **dict.fromkeys("‐‑‒–—―−﹘﹣－", "-"),
    **dict.fromkeys(
        "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a", " "
    ),
    **dict.fromkeys("\u202f\u205f\u3000\t", " "),
    **dict.fromkeys("\u2028\u2029\u0085\u000b", "\n"),
    **dict.fromkeys("\u200b\u2060\ufeff\u00ad", ""),
    **dict.fromkeys("•‣◦▪·", "-"),
    "…": "...",
    "‹": "<",
    "›": ">",
    "→": "->",
    "←": "<-",
    "⇒": "=>",
    "×": "x",
    "⁄": "/",
    "½": "1/2",
    "¼": "1/4",
    "¾": "3/4",
    "™": "(TM)",
    "©": "(C)",
    "®": "(R)",
}
_MARK_TABLE = str.maketrans(_MARKS)


@dataclass(frozen=True, slots=True)
class Segments:
    """What a text costs. `units` are septets of GSM-7 or UTF-16 code units; `count` is what is charged."""

    encoding: Encoding
    units: int
    count: int


def segments(text: str) -> Segments:
    """Return encoding, length and number of segments of a text; an empty one counts as one."""
    if is_gsm(text):
        widths = [2 if character in GSM_EXTENSION else 1 for character in text]
        return Segments("GSM-7", sum(widths), _parts(widths, 160, 153))
    widths = [2 if ord(character) > 0xFFFF else 1 for character in text]
    return Segments("UCS-2", sum(widths), _parts(widths, 70, 67))


def is_gsm(text: str) -> bool:
    """Tell whether GSM-7 can say this."""
    return all(character in GSM_BASIC or character in GSM_EXTENSION for character in text)


def cheaper(text: str, how: Transliterate = "marks") -> str:
    """Return the text with plain marks (and letters) where that makes it GSM-7 and saves a segment."""
    if how == "off" or is_gsm(text):
        return text
    plain = plain_marks(text)
    if how == "letters":
        plain = "".join(map(_plain_letter, plain))
    if not is_gsm(plain) or segments(plain).count >= segments(text).count:
        return text
    return plain


def plain_marks(text: str) -> str:
    """Return the text composed (NFC: an e with its accent is the é of GSM-7) and with plain marks."""
    return unicodedata.normalize("NFC", text).translate(_MARK_TABLE)


def _plain_letter(character: str) -> str:
    if character in GSM_BASIC or not character.isalpha():
        return character
    base = unicodedata.normalize("NFD", character)[0]
    return base if base in GSM_BASIC else character


def _parts(widths: list[int], single: int, joined: int) -> int:
    if sum(widths) <= single:
        return 1
    count, room = 1, joined
    for width in widths:
        if width > room:
            count, room = count + 1, joined
        room -= width
    return count
