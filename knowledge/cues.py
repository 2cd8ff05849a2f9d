"""Words that say plainly what a head guesses: the encoder reads English only, and may be down.

Owns a few exact phrases per head in English and Spanish. A sure cue stands alone; a hint counts only beside
a head that leans the same way, or when there is no head. Not here: asking for a person (asks_human.py).
"""

# ruff: noqa: E501 - patterns are easier to check unbroken

import re
import unicodedata
from dataclasses import dataclass

SURE = 0.85
HINT = 0.72
# A head this high lets a hint count; look-alikes of threats lean far.
LEANING = {"anger": 0.1, "legal_threat": 0.4, "safety": 0.3}

_SURE: dict[str, str] = {
    "anger": r"\b(?:i'?m|i am|we'?re|we are|makes me|so|really|absolutely|beyond)\s+(?:\w+\s+)?(?:furious|livid|fuming|outraged|pissed"
    r"|enraged)\b|\b(?:sick and tired|fed up|had (?:it|enough) (?:with|of)|worst (?:support|service|company))\b"
    r"|\b(?:thanks for nothing|this is (?:ridiculous|outrageous|unacceptable|bullshit|a joke|a disgrace))\b"
    r"|\best(?:oy|amos)\s+(?:\w+\s+)?(?:furios|indignad|enfadad|enojad|cabread|hart[oa]s?)\w*"
    r"|\b(?:gracias por nada|inaceptable|indignante|intolerable|tomadura de pelo|ya basta|que (?:asco|verguenza))\b"
    r"|\b(?:es|son) una? (?:verguenza|basura|porqueria|estafa|burla)\b|\besto es ridiculo\b|\bpeor (?:soporte|servicio|atencion)\b",
    "abuse": r"\bfuck(?:ing|ers?)?\b(?! great| awesome| love)|\bf\*+k?\b|\b(?:assholes?|bastards|bitch|dumbass|piece of shit|eat shit)\b"
    r"|\b(?:you|u|are|bot|stupid|useless)\s+(?:\w+\s+){0,2}(?:idiots?|morons?|imbeciles?|retard\w*)\b|\bgo to hell\b|\bshut up\b"
    r"|\b(?:gilipollas|hij[oa]s? de puta|vete a la mierda|vayanse (?:a la mierda|al carajo)|que te jodan|pendej[oa]s?|cabron(?:es)?)\b"
    r"|\b(?:eres|son|sois|sos)\s+(?:\w+\s+){0,2}(?:idiotas?|imbecil(?:es)?|estupid[oa]s?|inutil(?:es)?)\b"
    r"|\bcallate\b|\bpedazo de (?:inutil|idiota|mierda)\w*",
    "legal_threat": r"\bponer(?:les|os|te|le)? (?:una )?(?:demanda|denuncia)\b|\b(?:hear|hearing|letter) from (?:my|our) (?:lawyers?|attorneys?|solicitors?|legal (?:counsel|team))"
    r"|\b(?:sue|suing|prosecute) (?:you|your company|the company|them)\b|\b(?:take|taking|pursue|pursuing|considering) legal (?:action|steps)\b"
    r"|\b(?:see|take|taking) you (?:in|to) court\b|\bsmall claims\b|\bfil(?:e|ing) (?:a|the) (?:lawsuit|law suit)\b"
    r"|\breport(?:ing)? you to\b|\b(?:my|our) (?:lawyers?|attorneys?|solicitors?) (?:will|is going|has been|have been|says?)\b"
    r"|\b(?:los|les|os|te) (?:voy|vamos) a (?:demandar|denunciar)|\b(?:voy|vamos) a (?:demandar|denunciar)(?:los|les|os|te)\b"
    r"|\b(?:los|les|os) (?:demandar|denunciar)(?:e|emos)\b|\bnoticias de (?:mi|nuestro)s? abogad|\b(?:mi|nuestro) abogad[oa] (?:se pondra|les|os|los|va a)"
    r"|\bacciones legales\b|\ben los tribunales\b|\bllevar(?:los|e|emos)?\b.{0,12}\ba juicio\b|\bburofax\b|\bpresentar(?:e|emos)? una (?:denuncia|demanda)\b",
    "safety": r"\b(?:kill|hurt|harm|cut|cutting|hang) (?:myself|himself|herself)\b|\b(?:end|ending|take|taking) my (?:own )?life\b"
    r"|\b(?:i'?ll|i will|i'?m going to|gonna|want to) (?:kill|hurt|shoot|stab|murder|beat) (?:you|him|her|them|someone|everyone)\b"
    r"|\bi (?:am|feel|'m) (?:\w+ )?suicidal\b|\bi'?m suicidal\b|\bcommit(?:ting)? suicide\b|\b(?:want|wish|going) to die\b|\bwish i (?:was|were) dead\b"
    r"|\b(?:don'?t|do not|no longer) want to (?:live|be alive|exist)\b|\bbetter off without me\b|\bbottle of pills\b|\boverdosed?\b"
    r"|\bbomb (?:your|the|this|in)\b|\bcall (?:the police|911|112|an ambulance)\b|\bhaving a (?:heart attack|stroke)\b|\b(?:beats|hits|hitting|beating) me\b"
    r"|\b(?:suicidar(?:me|se)|suicidarme|quitarme la vida|matarme|matarte|matarlos|hacerme dano|hacerte dano)\b"
    r"|\bte voy a (?:matar|hacer dano|pegar)\b|\b(?:quiero|quisiera) morir(?:me)?\b(?! de)|\bno quiero (?:seguir )?viv(?:ir|iendo)\b|\bno quiero vivir\b"
    r"|\b(?:poner|puse) una bomba\b|\best(?:oy|amos) en peligro\b|\bllam(?:en|a|ad) a (?:la policia|una ambulancia)\b|\bme pega\b|\bhay un incendio\b",
    "cancel_intent": r"\b(?:cancel|terminate|end|close)(?:ling)? (?:my|our|the|this) (?:\w+ )?(?:subscription|account|contract|membership)\b"
    r"|\bcancel (?:my|our) (?:\w+ )?plan\b|\b(?:won'?t|will not|not going to|don'?t want to) renew\b|\bdelete my account\b"
    r"|\b(?:darme|darnos) de baja\b(?!.*(?:boletin|correo|newsletter))|\b(?:cancelar|cancelo|cancelen|cancela|cerrar|cierren|terminar|dar de baja)"
    r" (?:mi|nuestra|nuestro|la|el) (?:suscripcion|cuenta|plan|contrato)\b|\bno (?:vamos a|quiero|queremos|voy a) renovar\b"
    r"|\b(?:cambiamos|cambiarnos|pasamos) a otr[oa] (?:proveedor|herramienta)\b",
    "injection": r"\b(?:ignore|disregard|forget)\b.{0,20}\b(?:previous|prior|above|preceding|your)\s+(?:\w+\s+)?(?:instructions|rules|prompt|orders)\b"
    r"|\b(?:system|hidden) prompt\b|\bignora\b.{0,15}\binstrucciones anteriores\b|\bolvida (?:todas )?tus (?:reglas|instrucciones)\b"
    r"|\bprompt (?:de|del) sistema\b",
    "not_helped": r"\b(?:that|this|it|your answer|the answer)(?:'s| is| was| did| does| has)?\s?(?:n'?t| not|nt|didn'?t|doesn'?t)? ?(?:not |didn'?t |doesn'?t |isn'?t )"
    r"(?:help|helpful|what i (?:asked|meant|mean)|answer (?:my|the) question|solve|the right answer)"
    r"|\b(?:that|this|it) (?:didn'?t|did not) (?:work|help|answer)\b|^still (?:not|doesn'?t|does not|broken|the same)\b|^(?:it )?still (?:doesn'?t|does not) work"
    r"|\balready (?:tried|did) (?:that|this|it)\b|^not (?:very |really )?helpful\b"
    r"|\b(?:eso|esto) no (?:me )?(?:ayuda|ayudo|sirve|sirvio|resuelve)|\bno me (?:ayudo|sirve|sirvio|has entendido)\b|\bsigue sin funcionar\b"
    r"|\bno es lo que (?:pregunte|pedi)\b|\bya lo (?:intente|probe)\b|^respuesta equivocada\b",
}
_HINT: dict[str, str] = {
    "anger": r"\b(?:furious|livid|ridiculous|unacceptable|outrageous|disgrace(?:ful)?|appalling|disgust(?:ed|ing)|infuriating|garbage|useless"
    r"|pathetic|rip-?off|scandal|insulting|pissed|are you kidding|(?:third|fourth|fifth|tenth) time|how many times|great,? just great)\b|[!?]{2,}"
    r"|\b(?:muy molest[oa]|vergonzoso|nadie (?:me |nos )?(?:responde|contesta|ayuda)|llev[oa] (?:una semana|dias|semanas|meses) esperando"
    r"|furios[oa]|hart[oa] de|enfadad[oa]|enojad[oa]|porqueria|desastre|ridiculo|tercera vez|quinta vez|cuantas veces)\b",
    "legal_threat": r"\b(?:lawsuit|in court|legal (?:action|steps|proceedings|department)|attorney|lawyer|fraud|consumer protection|ombudsman|regulator)\b"
    r"|\b(?:juicio|abogad[oa]|denuncia|demanda|estafa|consumo)\b",
    "safety": r"\b(?:suicide|suicidal|pills|knife|gun|bleeding|threatening me|in danger|afraid for my life)\b|\b(?:suicidio|pistola|cuchillo|amenaza)\b",
}
_CALM_ES = re.compile(
    r"\b(?:gracias|genial|perfecto|excelente|me encanta|encantad[oa]s?|muy util|content[oa]s?|estupendo)\b"
)
_LOW_ES = re.compile(
    r"\b(?:decepcion\w*|mal[oa]?s?|lent[oa]|problemas?|frustra\w*|no funciona|fatal|horrible|terrible|pesim[oa])\b"
)


@dataclass(frozen=True, slots=True)
class Cues:
    """Heads whose words were found: plainly (`sure`) or as a hint. `shouts` when most letters are capitals."""

    sure: frozenset[str]
    hints: frozenset[str]
    shouts: bool
    mood: float

    def lift(self, name: str, head: float | None) -> float:
        """Return the head's score raised by the words; without a head (None) the words alone decide."""
        if name in self.sure:
            return max(SURE, head or 0.0)
        hinted = name in self.hints or (name == "anger" and self.shouts)
        if hinted and (head is None or head >= LEANING[name]):
            return max(HINT if head is not None else 0.6, head or 0.0)
        return head or 0.0


_SURE_RE = {name: re.compile(pattern) for name, pattern in _SURE.items()}
_HINT_RE = {name: re.compile(pattern) for name, pattern in _HINT.items()}
_DENIED = re.compile(r"\b(?:not|never|isn't|aren't|no)\s+(?:\w+\s+)?$")


def plain(text: str) -> str:
    """Return lower case without accents, spaces folded, curly apostrophes straight."""
    folded = unicodedata.normalize("NFKD", text.replace("’", "'").replace("`", "'"))
    bare = "".join(char for char in folded if not unicodedata.combining(char))
    return " ".join(bare.lower().split())


def read_cues(text: str) -> Cues:
    """Return the cues in a text; only its first 2 000 characters are read."""
    text = text[:2000]
    flat = plain(text)
    letters = [char for char in text if char.isalpha()]
    capitals = sum(char.isupper() for char in letters)
    shouts = len(letters) >= 12 and capitals > 0.7 * len(letters)
    mood = 0.0
    if _LOW_ES.search(flat):
        mood = -0.5
    elif _CALM_ES.search(flat):
        mood = 0.6
    return Cues(_matching(_SURE_RE, flat), _matching(_HINT_RE, flat), shouts, mood)


def _matching(patterns: dict[str, re.Pattern[str]], flat: str) -> frozenset[str]:
    return frozenset(
        name
        for name, pattern in patterns.items()
        if any(not _DENIED.search(flat[: found.start()]) for found in pattern.finditer(flat))
    )
