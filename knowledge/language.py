"""Which language a message is in: py3langid where there is enough text, the running language where not.

Owns the short-text rule ("ok", "3pm" say nothing about language). Not here: whether we can answer in it.
"""

import asyncio
import threading
from typing import Any

from knowledge.cues import plain

# Below this many letters statistics are a coin toss.
ENOUGH_LETTERS = 12
SURE_ENOUGH = 0.7
_TELLING = {
    "en": "the you is are how what where can do my please thanks hello hi yes and with want need when why not tomorrow",
    "es": "hola gracias como donde que cuando puedo quiero necesito mi el los las una por para con esta si manana"
    " buenas buenos dias ayuda reservar cita eso esto funciona sigue igual me quiero sesion factura persona hablar",
    "fr": "bonjour merci je vous est les des une pour avec mon ma comment ou oui aide",
    "de": "hallo danke ich sie ist der die das und mit mein wie wo bitte ja nicht hilfe",
    "pt": "ola obrigado obrigada voce nao sim meu minha uma com para onde preciso quero ajuda",
    "it": "ciao grazie il sono come dove posso voglio mio mia una con per aiuto buongiorno",
}
_WORDS = {code: frozenset(words.split()) for code, words in _TELLING.items()}


class Languages:
    """Tells languages apart; the statistics load on first use, off the event loop."""

    def __init__(self, known: tuple[str, ...] = ("en", "es", "fr", "de", "pt", "it", "nl")) -> None:
        """Restrict the choice to `known` ISO 639-1 codes."""
        self._known = known
        self._identifier: Any = None
        self._lock = threading.Lock()

    async def of(self, text: str, running: str = "en") -> str:
        """Return an ISO 639-1 code; `running` is what the talk was in, kept when the text does not say."""
        letters = sum(char.isalpha() for char in text)
        said = _by_words(text)
        if said is not None and (letters < 4 * ENOUGH_LETTERS or said == running):
            return said
        if letters < ENOUGH_LETTERS:
            return said or running
        code, share = await asyncio.to_thread(self._classify, text[:1000])
        if share >= SURE_ENOUGH:
            return code
        return said or running

    def _classify(self, text: str) -> tuple[str, float]:
        with self._lock:
            if self._identifier is None:
                from py3langid.langid import MODEL_FILE, LanguageIdentifier  # 0.3 s: not at import

                identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
                identifier.set_languages(list(self._known))
                self._identifier = identifier
            code, share = self._identifier.classify(text)
        return str(code), float(share)


def _by_words(text: str) -> str | None:
    """Return the language whose common words clearly lead, or None."""
    words = (
        plain(text).replace("?", " ").replace(",", " ").replace("¿", " ").replace(".", " ").split()
    )
    counts = sorted(
        ((sum(word in telling for word in words), code) for code, telling in _WORDS.items()),
        reverse=True,
    )
    best, second = counts[0], counts[1]
    return best[1] if best[0] > second[0] else None
