"""Does the whole message ask for a person? Words only, so that it works with every model down.

Owns matching; the words themselves come from the lines files (`variants("words.human")`). Not here: what
follows from it (handlers/escalate.py).
"""

# ruff: noqa: E501 - patterns are easier to check unbroken

import re
from collections.abc import Iterable, Mapping

from knowledge.cues import plain

# What people put around the words. Whatever else stands in the message makes it about something else.
_AROUND = [
    "please",
    "pls",
    "por",
    "favor",
    "bitte",
    "s'il",
    "vous",
    "plait",
    "per",
    "favore",
    "now",
    "ahora",
    "jetzt",
    "hi",
    "hello",
    "hey",
    "hola",
    "hallo",
    "bonjour",
    "ok",
    "okay",
    "thanks",
    "thank",
    "you",
    "gracias",
    "danke",
    "merci",
    "just",
    "only",
    "finally",
    "right",
    "away",
    "asap",
    "sofort",
]
_WANTING = (
    r"(?:(?:can|could|may|let me|let)\s+(?:i|me|you|we)?|(?:i|we)(?:'d| would)? (?:want|need|like|wish|prefer)|i'd rather|i must|i demand"
    r"|give me|get me|put me|connect me|transfer me|pass me|is there|are there|where is|have|quiero|quisiera|necesito|puedo"
    r"|pod(?:ria|emos|eis)|me gustaria|quero|preciso|gostaria|posso|je (?:veux|voudrais|souhaite)|puis-je|ich (?:will|mochte|mochte gern|brauche)"
    r"|kann ich|vorrei|voglio|posso|pasame|paseme|comuniqueme|comunicame|ponme|pongame)"
)
_LINK = (
    r"(?:\s+(?:to|with|a|an|the|some|any|real|live|actual|me|us|through|over|on|speak|talk|chat|be|have|get|see|reach|contact|connected|transferred|call"
    r"|con|un|una|el|la|algun|alguien|al|hablar|pasar|contactar|falar|com|um|uma|parler|avec|quelqu'un|a|mit|einem|einer|einen|ein|jemandem"
    r"|sprechen|reden|parlare|qualcuno|pueda|pudiera|que))*\s+"
)
# What may follow the word where a person is meant; any other word makes it part of another name ("agent seats").
_FOLLOWS = re.compile(
    r"\s*$|\s+(?:please|pls|now|here|there|today|asap|right|immediately|instead|to|about|regarding|from|who|that|and|or|because|before|first|again|thanks|thank"
    r"|not|directly|look|help|call|really|of your|on (?:the (?:phone|line)|your)|in (?:your|support|sales|billing)|for (?:this|that|help|me|us|it)"
    r"|por|ahora|aqui|que|para|ya|real|y|o|directamente|cuanto|porque|sobre|humana|humano|de (?:su|tu|vuestro|soporte|atencion|equipo|ventas|verdad|carne)|del equipo"
    r"|bitte|jetzt|sofort|sprechen|reden|der|die|und|aus|wegen|zu|zum|um|svp|s'il|maintenant|qui|pour|de (?:votre|l'equipe|chez)|et|tout"
    r"|agora|do (?:seu|time|suporte)|da (?:sua|equipe)|e|per|ora|adesso|subito|che|del (?:vostro|team|supporto)|vero|vera"
    # when, and under what condition
    r"|tomorrow|tonight|later|soon|already|too|also|if|when|since|as|so|but|by|within|after|i|we|this|next|\d\w*|at (?:\d\w*|noon|once|least)"
    r"|on (?:mon|tues|wednes|thurs|fri|satur|sun)day|in (?:\d+|an?|english|spanish|person|the (?:morning|afternoon|evening))"
    r"|hoy|manana|esta|este|luego|pronto|ahorita|cuando|si|pero|me|mi|no|lo antes|a las?|al (?:telefono|mediodia)|urgente|urgentemente|inmediatamente"
    r"|el (?:lunes|martes|miercoles|jueves|viernes|sabado|domingo|proximo)|en (?:espanol|ingles|persona|linea|\d+)"
    r"|heute|morgen|gleich|bald|hier|dringend|wenn|aber|ich|am|von ihnen|auf deutsch|in (?:deutsch|ihrem)"
    r"|aujourd'hui|demain|ce|cet|cette|si|quand|mais|je|rapidement|ici|a \d+|en (?:francais|ligne|urgence)"
    r"|hoje|amanha|se|quando|mas|as|em (?:portugues|pessoa)|com urgencia|oggi|domani|qui|alle|ma|in (?:italiano|persona))\b"
)
# and what, though it follows that way, still is no person
_NOT_PEOPLE = re.compile(
    r"\s*(?:resources?|rights|readable|error|errors|being|capital|user agent|agents? (?:is|are|was)|to (?:a|an|the|my|our) (?:board|boards|team|teams|workspace|card|group|account))\b"
)


class HumanWords:
    """The ways people ask for a person, in every language given: locale → words and phrases."""

    def __init__(self, words: Mapping[str, Iterable[str]]) -> None:
        """Keep the words, accents and case removed."""
        flat = {_bare(word) for group in words.values() for word in group}
        self._words = frozenset(word for word in flat if word)
        longest = sorted(
            (word for word in self._words if not word.isdigit()), key=len, reverse=True
        )
        inner = "|".join(re.escape(word) for word in longest) or r"(?!)"
        self._wanted = re.compile(rf"\b{_WANTING}{_LINK}(?:{inner})\b(?P<after>.*)$")

    def asked(self, text: str) -> bool:
        """Return whether the message as a whole, or its clear wish, is a person."""
        flat = _bare(text[:500])
        if flat in self._words or _stripped(flat) in self._words:
            return True
        wish = self._wanted.search(flat)
        return (
            wish is not None
            and _FOLLOWS.match(wish["after"]) is not None
            and not _NOT_PEOPLE.match(wish["after"])
        )


def _bare(text: str) -> str:
    """Return plain words, one way of saying it for all: speak with somebody is talk to someone."""
    flat = " ".join(re.sub(r"[^\w' ]+", " ", plain(text)).split())
    flat = re.sub(r"\b(?:speak|talk|chat) (?:to|with)\b", "talk to", flat)
    return re.sub(r"\b(?:somebody|anyone|anybody)\b", "someone", flat)


def _stripped(flat: str) -> str:
    """Return the message without greetings and pleases at either end, and without a leading article."""
    around = set(_AROUND) | {"a", "an", "the", "un", "una", "ein", "einen", "real", "live"}
    words = flat.split()
    while words and words[0] in around:
        words.pop(0)
    while words and words[-1] in around:
        words.pop()
    return " ".join(words)
