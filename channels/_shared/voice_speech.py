"""A reply as it is said aloud: no markup, no address of a page, no marks nobody can hear; in parts short enough.

Owns what becomes of links (they are collected, to be texted), long digits, mail addresses and lists.
Not here: the words around it (voice_desk.py).
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from channels._shared.render import cited_name, to_plain
from channels._shared.split import split
from core.messages import StoredMessage

MAX_SPOKEN = 600  # characters in one go, about 40 seconds
CHARACTERS_A_SECOND = 15

_LINK = re.compile(
    r"\[(?P<label>[^\[\]\n]{1,500})\]\((?P<url>[^()\s]{1,2000}(?:\([^()\s]*\)[^()\s]*)*)\)"
)
_MAIL = re.compile(r"(?i)\b(?:mailto:)?[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_URL = re.compile(
    r"(?i)<?\b(?:[a-z][a-z0-9+.-]{1,20}://|www\.)[^\s<>]+>?"
    r"|(?<![@\w.-])(?:[a-z0-9-]{1,63}\.)+(?:com|org|net|io|dev|app|co|eu|es|help|info|example)(?:/[^\s<>]*|\b)"
)  # fmt: skip
_CITED = re.compile(r"\s?\[\d{1,3}\]")
_TRAILING = ".,;:!?'\"”’»)]}*_>"
_DIGITS = re.compile(r"(?<![\d.,])\d{7,20}(?![\d.,]\d)")
_ARROWS = re.compile(r"\s*(?:›|»|→|⇒|->|=>| > )\s*")
_BULLET = re.compile(r"^\s*[-*+•]\s+")
_SPOKEN_SYMBOLS = frozenset("%$+&@/=")
_ENDS = ".!?…:;"


@dataclass(frozen=True, slots=True)
class Link:
    """A page a reply points to."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """What is said of a reply, in parts, and the pages it names."""

    parts: tuple[str, ...]
    links: tuple[Link, ...]


def spoken(replies: Sequence[StoredMessage], link_word: str) -> Spoken:
    """Return the replies as they are said. `link_word` stands where a bare address stood."""
    links: list[Link] = []
    said = " ".join(_said(reply.text, link_word, links) for reply in replies)
    return Spoken(tuple(split(said.strip(), MAX_SPOKEN)), tuple(dict.fromkeys(links)))


def aloud(text: str, link_word: str = "") -> str:
    """Return any text as it is said: a person's words."""
    return _said(text, link_word, [])


def named(text: str) -> str:
    """Return a label or title as it stands within a sentence."""
    return aloud(text).rstrip(".")


def seconds_to_say(text: str) -> float:
    """Return about how long a text takes to be heard."""
    return len(text) / CHARACTERS_A_SECOND + 1.0


def sources(replies: Sequence[StoredMessage]) -> tuple[Link, ...]:
    """Return the cited pages; without address they have a name alone."""
    found = [Link(cited_name(c), c.url or "") for reply in replies for c in reply.citations]
    return tuple(dict.fromkeys(found))


def written(replies: Sequence[StoredMessage]) -> str:
    """Return the replies as a text message carries them, with the pages they cite."""
    texts = [_CITED.sub("", reply.text).strip() for reply in replies]
    pages = [f"{page.label}: {page.url}" for page in sources(replies) if page.url]
    return "\n\n".join(part for part in (*texts, "\n".join(pages)) if part)


def _said(text: str, link_word: str, links: list[Link]) -> str:
    def labelled(match: re.Match[str]) -> str:
        address = match["url"]
        if not address.lower().startswith(("mailto:", "tel:")):
            links.append(Link(_tidy(match["label"]) or link_word, address))
        return match["label"] if not _URL.search(match["label"]) else link_word

    def bare(match: re.Match[str]) -> str:
        url = match[0].strip("<>").rstrip(_TRAILING)
        links.append(Link(link_word, url))
        rest = match[0].strip("<>")[len(url) :]
        return link_word + rest

    text = unicodedata.normalize("NFC", text.replace("\x00", ""))
    text = _LINK.sub(labelled, text)
    text = _MAIL.sub(_mail, text)
    text = _URL.sub(bare, text)
    return _sentences(to_plain(_CITED.sub("", text)))


def _mail(match: re.Match[str]) -> str:
    address = re.sub(r"(?i)^mailto:", "", match[0])
    return address.replace("@", " at ").replace(".", " dot ")


def _sentences(text: str) -> str:
    """Join lines; a line that ends without a stop is given one, so that a list is not said in one breath."""
    lines = []
    for line in text.splitlines():
        said = _tidy(_BULLET.sub("", line))
        if said:
            lines.append(said if said[-1] in _ENDS else f"{said}.")
    return " ".join(lines)


def _tidy(text: str) -> str:
    text = _ARROWS.sub(", ", text)
    text = _DIGITS.sub(lambda match: " ".join(match[0]), text)
    kept = "".join(c if _is_said(c) else " " for c in text)
    return re.sub(r"\s+([.,;:!?])", r"\1", " ".join(kept.split())).strip(" ,;")


def _is_said(character: str) -> bool:
    """Tell whether a voice can say it: letters, digits, stops; no picture, no markup."""
    if character in "*_`#|<>[]{}~^\\":
        return False
    kind = unicodedata.category(character)
    return kind[0] in "LNPMZ" or character in _SPOKEN_SYMBOLS or kind == "Sc"
