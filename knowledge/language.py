"""Which language a message is in: its script, its small words, py3langid, or the running language.

Owns the short-text rule ("ok", "3pm", code, an address say nothing about language) and the care with
languages we cannot answer in: a wrong guess there would hand a customer to a person for nothing.
Not here: what is done about it (app/thinking.py).
"""

import asyncio
import re
import threading
from typing import Any

from knowledge.cues import plain

# Below this many letters statistics are a coin toss.
ENOUGH_LETTERS = 12
SURE_ENOUGH = 0.7
SURE_OF_FOREIGN = 0.9  # of a language that none of the small words speaks for
MOST_LETTERS = 1000
ANSWERED = ("en", "es")

_TELLING = {
    "en": "the you is are how what where can do my please thanks hello hi yes and with want need when why not"
    " tomorrow it we our i was has have does for this that from to of an your get there if will but be"
    " which who on by as or would could any they not",
    "es": "hola gracias como donde que cuando puedo quiero necesito mi el los las una por para con esta si"
    " manana buenas buenos dias ayuda reservar cita eso esto funciona sigue igual sesion factura persona"
    " hablar cuanto del al muy mis nos les tengo hay en un",
    "fr": "bonjour merci je vous est les des une pour avec mon ma comment ou oui aide ce ne pas du au sont que"
    " faire puis notre votre nous et dans combien en un",
    "de": "hallo danke ich sie ist der die das und mit mein wie wo bitte ja nicht hilfe wir unser kann muss was"
    " mich den ein eine im zu sind mir seit kein",
    "pt": "ola obrigado obrigada voce nao sim meu minha uma com para onde preciso quero ajuda da na estao nossa"
    " nosso fui desde o gostaria consigo ficam",
    "it": "ciao grazie il sono come dove posso voglio mio mia una con per aiuto buongiorno non gli della questo"
    " cosa che la nostra nostro mi di da si vorrei nel",
    "nl": "hoe kan ik mijn de het een niet wat waar zijn er deze onze met voor en dank hallo hulp moet kunnen"
    " jullie wil is",
    "pl": "jak moge moja moje nie co gdzie jest sa prosze chce w na sie z od do dziekuje czesc mam zrobic tym"
    " nasz czy ilu",
}
_WORDS = {code: frozenset(words.split()) for code, words in _TELLING.items()}
_SCRIPTS = (
    ("ja", re.compile(r"[぀-ヿ]")),
    ("ko", re.compile(r"[가-힯ᄀ-ᇿ]")),
    ("zh", re.compile(r"[㐀-鿿]")),
    ("ru", re.compile(r"[Ѐ-ӿ]")),
    ("ar", re.compile(r"[؀-ۿ]")),
    ("he", re.compile(r"[֐-׿]")),
    ("el", re.compile(r"[Ͱ-Ͽ]")),
    ("hi", re.compile(r"[ऀ-ॿ]")),
    ("th", re.compile(r"[฀-๿]")),
)
# Letters and endings that of these languages Spanish alone writes.
_SPANISH = re.compile(r"[ñ¿¡]|\w{2}(?:ó|ción|ciones)\b")
_SCRIPT_SHARE = 0.3  # of the letters; names in another script are no other language
# addresses, paths, code and what only machines write
_CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)
_MACHINE = re.compile(r"[\\/_={}<>;$@\d]|\w\.\w|^--?\w|^\W*[A-Z]{2,}\W*$")
_LETTER = re.compile(r"[^\W\d_]")


class Languages:
    """Tells languages apart; the statistics load on first use, off the event loop."""

    def __init__(self, known: tuple[str, ...] = tuple(_TELLING)) -> None:
        """Restrict the choice among languages in Latin script to `known` ISO 639-1 codes."""
        self._known = known
        self._identifier: Any = None
        self._lock = threading.Lock()

    async def of(self, text: str, running: str = "en") -> str:
        """Return an ISO 639-1 code; `running` is what the talk was in, kept when the text does not say."""
        words = _written(text[: 4 * MOST_LETTERS])
        letters = _LETTER.findall(words)[:MOST_LETTERS]
        script = _by_script(letters)
        if script is not None:
            return script
        counts = _counts(words)
        said = _leading(counts)
        if len(letters) < ENOUGH_LETTERS:
            return said if said in ANSWERED else running
        if said is not None and (said == running or counts[said] > 1):
            return said
        code, share = await asyncio.to_thread(self._classify, words[:MOST_LETTERS])
        if code in ANSWERED and share >= SURE_ENOUGH:
            return code
        if code == said or (share >= SURE_OF_FOREIGN and not any(counts.get(a) for a in ANSWERED)):
            return code if code not in ANSWERED or share >= SURE_ENOUGH else running
        return said if said in ANSWERED else running

    def _classify(self, text: str) -> tuple[str, float]:
        with self._lock:
            if self._identifier is None:
                from py3langid.langid import MODEL_FILE, LanguageIdentifier  # 0.3 s: not at import

                identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
                identifier.set_languages(list(self._known))
                self._identifier = identifier
            code, share = self._identifier.classify(text.lower())
        return str(code), float(share)


def _written(text: str) -> str:
    """Return the words of a text that a person wrote."""
    return " ".join(word for word in _CODE.sub(" ", text).split() if not _MACHINE.search(word))


def _by_script(letters: list[str]) -> str | None:
    """Return the language of a script of its own; Japanese before Chinese, whose characters it uses."""
    joined = "".join(letters)
    for code, script in _SCRIPTS:
        found = len(script.findall(joined))
        if code == "ja" and found:
            return code
        if found > 1 and found >= _SCRIPT_SHARE * len(letters):
            return code
    return None


def _counts(text: str) -> dict[str, int]:
    """Return how many of a text's words each language's small words are."""
    words = re.sub(r"[^\w\s]", " ", plain(text)).split()
    counts = {code: sum(word in telling for word in words) for code, telling in _WORDS.items()}
    counts["es"] += len(_SPANISH.findall(text.lower()))
    return counts


def _leading(counts: dict[str, int]) -> str | None:
    """Return the language whose common words clearly lead, or None."""
    ranked = sorted(((count, code) for code, count in counts.items()), reverse=True)
    best, second = ranked[0], ranked[1]
    return best[1] if best[0] > second[0] else None
