"""What a message says besides its matter: a greeting with the sender's name, a name under it.

Owns taking it off before a message is searched for or scored, so that the same question is answered alike
whoever asks it (Bertrand and Mullainathan 2004 show what a name alone does). Not here: mails' signatures
(channels), names as personal data (core/pii), words that are abuse wherever they stand (knowledge/cues.py).
"""

import re

from knowledge import gloss

_WORD = r"[^\W\d_][\w'’.-]*"
_NAME = rf"{_WORD}(?: {_WORD}){{0,4}}?"
_HELLO = (
    r"(?:hi|hello|hey|hiya|greetings|good (?:morning|afternoon|evening|day)|dear|hola|buen(?:os d[ií]as|as tardes"
    r"|as noches|as))(?: (?:there|all|team|everyone|everybody|folks|again|support|sir|madam|equipo|a todos))?"
)
_AM = r"(?:my name is|my name['’]s|i['’]?m|i am|this is|me llamo|mi nombre es|soy)"
_OF = rf"(?: (?:from|at|with|of|de|en) (?P<place>{_NAME}))?"
_END = r"(?: here)?(?:\s*[.,!;:–—\n]+\s*|\s+-\s+|\s+(?=(?:and|y)\s)|$)"
_INTRODUCED = re.compile(
    rf"^\W*{_HELLO}\s*[,.!:–—-]?\s*(?:{_AM} )(?P<name>{_NAME}){_OF}{_END}", re.IGNORECASE
)
_NAMED = re.compile(
    rf"^\W*(?:my name is|my name['’]s|me llamo|mi nombre es) (?P<name>{_NAME}){_OF}{_END}",
    re.IGNORECASE,
)
_GREETED = re.compile(rf"^\W*{_HELLO}\s*[,.!:\n–—]+\s*", re.IGNORECASE)
_SIGNED = re.compile(
    r"(?:^|(?<=[.!?\n]))\s*(?:(?:many |kind |best |warm )?(?:thanks|thank you|regards|cheers|best|sincerely|gracias"
    rf"|(?:un )?saludos?|atentamente))\s*[,.!\n–—-]+\s*(?P<name>{_NAME})[\s.!]*$",
    re.IGNORECASE,
)
_PARTICLES = frozenset(
    "al bin da das de del den der di do dos du el ibn la le van von y".split()  # noqa: SIM905
)
COMMON = 2  # everyday words of which no name has so many: "I'm Ignoring All Rules"
MOST = 200  # characters in which an introduction ends


def matter(text: str) -> str:
    """Return the text without greeting, introduction and signed name; as it is when nothing would be left."""
    found = text
    for pattern in (_INTRODUCED, _NAMED):
        match = pattern.match(found[:MOST])
        if match is not None and _named(match):
            found = re.sub(r"^(?:and|y)\s+", "", found[match.end() :], flags=re.IGNORECASE)
            break
    else:
        match = _GREETED.match(found[:MOST])
        if match is not None:
            found = found[match.end() :]
    signed = _SIGNED.search(found, max(0, len(found) - MOST))
    if signed is not None and _named(signed):
        found = found[: signed.start()]
    found = found.strip()
    return found if re.search(r"\w", found) else text


def _named(match: re.Match[str]) -> bool:
    """Tell whether what stands in a name's place is written as one, and is no sentence in capitals."""
    words = " ".join(filter(None, match.groupdict().values())).split()
    known = gloss.lexicon().english
    plain = [word.lower().strip(".") for word in words]
    common = sum(word in known or word.removesuffix("s") in known for word in plain)
    return common < COMMON and all(
        word.lower() in _PARTICLES or not word[0].islower() for word in words
    )
