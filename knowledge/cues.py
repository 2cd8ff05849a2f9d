"""Words that say plainly what a head guesses: the encoder reads English only, and may be down.

Owns a few exact phrases per head in English and Spanish. A sure cue stands alone; a hint counts only beside
a head that leans the same way, or when there is no head. Not here: asking for a person (asks_human.py).
"""

# ruff: noqa: E501 - patterns are easier to check unbroken

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.understanding import SafetyKind

SURE = 0.85
HINT = 0.72
# A head this high lets a hint count; look-alikes of threats lean far.
LEANING = {"anger": 0.15, "legal_threat": 0.35, "safety": 0.45, "urgency": 0.35}
# What customers say who wait for us: it confirms a head that is on this side already.
GRIEVED = 0.5
# No alarm from a head alone where words say otherwise: figures of speech, questions about the law, apologies,
# a single word as if into a search box.
QUIET = 0.45

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
    r"|\b(?:see|take|taking) you (?:in|to) court\b|\b(?:go|going|take|taking|took|see|file|filing|sue)\b(?:\s+\w+){0,5}\s+small claims\b|\bfil(?:e|ing) (?:a|the) (?:lawsuit|law suit)\b"
    r"|\breport(?:ing)? you to\b|\b(?:my|our) (?:lawyers?|attorneys?|solicitors?) (?:will|is going|has been|have been|says?)\b"
    r"|\b(?:los|les|os|te) (?:voy|vamos) a (?:demandar|denunciar)|\b(?:voy|vamos) a (?:demandar|denunciar)(?:los|les|os|te)\b"
    r"|\b(?:los|les|os) (?:demandar|denunciar)(?:e|emos)\b|\bnoticias de (?:mi|nuestro)s? abogad|\b(?:mi|nuestro) abogad[oa] (?:se pondra|les|os|los|va a)"
    r"|\bacciones legales\b|\ben los tribunales\b|\bllevar(?:los|e|emos)?\b.{0,12}\ba juicio\b|\bburofax\b|\bpresentar(?:e|emos)? una (?:denuncia|demanda)\b",
    "urgency": r"\b(?:this is|it'?s|its|very|really|super|extremely) urgent\b|^urgent\b|\burgently\b|\basap\b|\bas soon as possible\b|\bright away\b|\bat once\b"
    r"|\b(?:can'?t|cannot|can not) wait (?:until|till|any longer)\b|\bevery (?:minute|hour) (?:counts|costs)\b|\b(?:production|prod|site|shop|system) (?:is|has been|was) (?:\w+ )?(?:down|offline)\b"
    r"|\bneed (?:it|this|an answer|help|access) (?:now|immediately|today)\b|\btime critical\b"
    r"|\b(?:es|muy|super) urgente\b|^urgente\b|\blo antes posible\b|\bcuanto antes\b|\bno puede esperar\b|\bdense prisa\b|\binmediatamente\b|\bhoy sin falta\b",
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
# Safety by kind; a text that has words of several is the first of these.
_DANGER: dict[SafetyKind, str] = {
    "self_harm": r"\b(?:kill|hurt|harm|cut|cutting|hang|hanging|hurting|killing) (?:myself|himself|herself|themselves|themself)\b"
    r"|\b(?:end|ending|take|taking) (?:my|his|her|their) (?:own )?life\b|\b(?:i (?:am|feel|'m)|i'?m|feeling) (?:\w+ )?suicidal\b|\bcommit(?:ting)? suicide\b"
    r"|\b(?:want|wish|going) to die\b|\bwish i (?:was|were) dead\b|\b(?:don'?t|do not|no longer) want to (?:live|be alive|exist|wake up)\b"
    r"|\bbetter off (?:without me|if i was dead)\b|\b(?:bottle|box|pack) of (?:sleeping )?pills\b|\boverdos(?:ed?|ing)\b|\bno reason to (?:live|go on)\b|\bending it all\b"
    r"|\bend it all\b(?! (?:up|with))|\b(?:suicidar(?:me|se|te)?|quitarme la vida|matarme|hacerme dano|cortarme las venas)\b|\bse (?:va|quiere) a? ?(?:matar|suicidar|quitar la vida)\b"
    r"|\b(?:quiero|quisiera) morir(?:me)?\b(?! de)|\bno quiero (?:seguir )?viv(?:ir|iendo)\b|\bestaria[nis]* mejor sin mi\b|\bacab(?:o|ar) con todo\b|\bbote (?:entero )?de pastillas\b",
    "threat": r"\b(?:i'?ll|i will|i'?m going to|im going to|gonna|want to) (?:\w+ )?(?:kill|hurt|shoot|stab|murder|beat|strangle|smash) (?:you|him|her|them|someone|everyone|everybody|your (?:\w+ )?(?:face|head|team|staff|family|people|kids|children|boss|ceo))\b"
    r"|\bbomb (?:your|the|this) (?:office|building|company|headquarters|place|house)\b|\b(?:burn|blow) (?:your|the|this) (?:office|building|company|house|place) (?:down|up)\b|\b(?:i'?ll|i will|going to|gonna) (?:blow|burn) (?:up|down) your\b"
    r"|\bi know where you (?:live|work)\b|\bset your (?:office|building|house) on fire\b"
    r"|\bte voy a (?:matar|hacer dano|pegar|partir la cara|reventar)\b|\b(?:voy|vamos) a (?:matarte|matarlos|mataros|hacerte dano|quemar (?:vuestr|su|tu)\w*)\b|\b(?:matarte|matarlos|mataros|hacerte dano)\b"
    r"|\b(?:poner|puse|pondre) una bomba\b|\bse donde (?:vives|vivis|viven)\b|\bcon una (?:pistola|escopeta)\b",
    "danger": r"\bcall (?:the police|911|112|999|an ambulance)\b|\bsend (?:the police|an ambulance|help now)\b|\bhaving a (?:heart attack|stroke)\b|\b(?:he|she|husband|wife|boyfriend|girlfriend|partner|father|ex) (?:\w+ )?(?:beats|hits|hitting|beating|strangled) me\b"
    r"|\b(?:not|stopped|isn'?t|can'?t) breath(?:e|ing)\b|\b(?:i'?m|i am|we are|we'?re) in (?:real |great )?danger\b|\bafraid for my life\b|\bfire in (?:the|our) (?:building|office|house)\b"
    r"|\best(?:oy|amos) en peligro\b|\b(?:llam(?:en|a|ad)|mand(?:en|a|ad)) (?:a )?(?:la policia|una ambulancia)\b|\b(?:marido|novio|pareja|padre|mujer|ex) me (?:pega|golpea|quiere matar)\b"
    r"|\bhay un incendio\b|\bno respira\b|\bhombre armado\b|\bme (?:estan|esta) siguiendo\b|\b(?:tengo|temo) (?:miedo )?por mi vida\b",
}
_HINT: dict[str, str] = {
    "anger": r"\b(?:furious|livid|ridiculous|unacceptable|outrageous|disgrace(?:ful)?|appalling|disgust(?:ed|ing)|infuriating|useless"
    r"|(?:is|this|such|total|absolute|complete) garbage|pathetic|rip-?off|scandal|insulting|pissed|are you kidding|(?:third|fourth|fifth|tenth) time|how (?:many|often) (?:more )?(?:times )?(?:do|must|have|did|should) (?:i|we) (?:have|need|tell|ask|repeat|told|asked|explain\w*))\b"
    r"|\bwhat (?:the hell|kind of (?:company|service|support))\b|!{3,}|\?!|!\?"
    r"|\b(?:muy molest[oa]|vergonzoso|nadie (?:me |nos )?(?:responde|contesta|ayuda)|llev[oa] (?:una semana|dias|semanas|meses) esperando"
    r"|furios[oa]|hart[oa] de|enfadad[oa]|enojad[oa]|porqueria|desastre|ridiculo|(?:tercera|cuarta|quinta|decima) vez|cuantas veces (?:tengo|tenemos|hay|debo))\b",
    "legal_threat": r"\b(?:lawsuit|in court|legal (?:action|steps|proceedings|department)|attorney|lawyer|fraud|consumer protection|ombudsman|regulator)\b"
    r"|\b(?:juicio|abogad[oa]|denuncia|demanda|estafa|consumo)\b",
    "safety": r"\b(?:suicide|suicidal|pills|knife|gun|weapon|rope|bleeding|threatening me|in danger|ambulance)\b"
    r"|\b(?:suicidio|pistola|cuchillo|amenaza|pastillas|ambulancia|incendio|humo|dano)\b",
    "urgency": r"\b(?:urgent|immediately|hurry|critical|emergency|deadline|outage|right now|in (?:an?|one|ten|five|\d+) (?:hours?|minutes?)|before noon|today|tonight|quickly|blocked|live)\b|!{2,}"
    r"|\b(?:urgente|ya|ahora mismo|critic[oa]|hoy|plazo|en (?:una|diez|\d+) (?:hora|minutos)s?|prisa|caida)\b",
}
# Praise of what went wrong: doubled ("great, just great"), or a cheer before a failure, with nothing mended after it.
_DOUBLED = re.compile(
    r"\b(great|perfect|wonderful|fantastic|brilliant|lovely|nice|super|awesome|excellent)\b\W+(?:just|simply|oh so) \1\b"
    r"|\b(genial|perfecto|maravilloso|fantastico|estupendo)\b\W+(?:simplemente|sencillamente|muy) \2\b"
)
_CHEER = re.compile(
    r"\W*(?:oh |wow |yeah |well |ay |vaya )?(?:how |what a |just |que )?(?:great|perfect|wonderful|fantastic|brilliant|lovely|nice|super|awesome|excellent|amazing"
    r"|bravo|congratulations|congrats|well done|(?:good|great|nice) (?:job|work)|thanks a (?:lot|million|bunch) for|genial|perfecto|maravilloso|fantastico|estupendo|enhorabuena|felicidades|bien)\b"
)
_FAILURE = re.compile(
    r"\banother (?:\w+ )?(?:outage|crash|error|bug|failure|delay)\b|\b(?:is|are|it'?s|went) (?:\w+ )?(?:down|broken|offline|dead|gone)\b|\bdown again\b"
    r"|\b(?:broke|broken|crash(?:ed|es)?|wiped|ruined|deleting my|stopped working|failed again|logged out)\b|\bnothing works\b|\bnobody (?:can|answers)\b"
    r"|\botr[oa] (?:caida|error|fallo)\b|\botra vez (?:caid[oa]|sin|rot[oa])\b|\bcaid[oa] otra vez\b|\b(?:habeis|han|has) (?:vuelto a )?(?:borrado|romper|roto|perdido)\b|\bse ha (?:caido|roto|borrado)\b"
)
# Figures of speech about deadlines, wishes and tools; who is afraid of a partner or a father means it.
_IDIOM = re.compile(
    r"\b(?:boss|manager|client|clients|customers?|team|colleagues?|cfo|ceo|accountant|teacher|professor|mom|mum)\b(?:'ll| will| would| is going to| are going to| is gonna| might)"
    r" (?:\w+ )?(?:kill|murder|strangle|shoot|eat) (?:me|us)\b"
    r"|\b(?:would|could|'d) (?:\w+ )?(?:die|kill) (?:for|to (?:have|get|see|know|try))\b|\bto die for\b|\bkilling it\b|\b(?:the |my )?death of (?:me|us)\b|\bdying (?:to|for|of (?:boredom|curiosity|laughter))\b"
    r"|\b(?:this|that|it|which|app|page|tool|bug|deadline|spreadsheet|meeting|import|sync|wait|waiting|suspense)\b(?: \w+)? (?:is|are|keeps?|was)(?: \w+)? (?:killing|murdering) (?:me|us)\b"
    r"|\b(?:jefe|jefa|cliente|equipo|profesor|profesora)\b(?: \w+)? (?:me|nos) (?:\w+ a )?mata(?:r|n|ra|ran)?\b|\bme muero (?:de (?:ganas|risa|sueno|curiosidad|hambre|verguenza)|por)\b"
)
_GRIEVANCE = re.compile(
    r"\banswer me\b|\b(?:still |and )no (?:reply|answer|response)\b|\b(?:days|weeks|months|hours) (?:of silence|without (?:a |any )?(?:reply|answer|response|word))\b"
    r"|\bevery single (?:time|day|week|morning)\b|\b(?:do|did|does) (?:you|anyone|anybody|u) (?:\w+ )?even\b|\b(?:anyone|anybody|someone|somebody) even\b|\bare you (?:even )?(?:serious|kidding|listening|awake)\b"
    r"|\b(?:nobody|no one|none of you) (?:\w+ )?(?:repl(?:y|ies)|answers?|responds?|cares?|helps?|picks? up|bothers?)\b|\byou people\b|\bdo i (?:really )?have to\b|\bhow hard (?:can|is) it\b"
    r"|\bnadie (?:hace|responde|contesta|ayuda|sabe)\b|\b(?:sigo|seguimos) (?:sin respuesta|esperando)\b|\b(?:me|nos) ten(?:eis|en) \w+|\bes que (?:nadie|no)\b"
)
_SORRY = re.compile(
    r"\W*(?:(?:hi|hello|hola)\W+)?(?:sorry|(?:my )?apolog(?:y|ies|ize)|perdon|disculp\w*|lo siento)\b(?!.*\b(?:but|pero)\b)"
)
_ASKING = re.compile(
    r"\W*(?:(?:hi|hello|hey|ok|and|so|hola|y)\b\W*)*(?:what|how|where|who|whom|whose|which|when|why|is|are|do|does|did|can|could|may|should|must|will|would|has|have|was|were|am|que|como|donde|quien|cual|cuando|cuanto|puedo|puede|necesito|hay)\b"
)
_AT_US = re.compile(r"\b(?:you|your|yours|u|ur|ustedes|vosotros|os|les|los|su|vuestr[oa]s?)\b")
_NO_IRONY = re.compile(
    r"\?|(?<!nothing )\bworks?\b|(?<!stopped )\bworking\b|\b(?:fixed|solved|restored|recovered|back|funciona|arreglado|resuelto|recuperado|gracias)\b|\bthanks?\b(?! a)"
    r"|\b(?:bugs?|crash(?:es)?|errors?|problems?|issues?|warnings?) (?:is|are) (?:\w+ )?gone\b"
)
_MORE = re.compile(r"[.!?;]\s+\w")
_CHEERED = 100  # characters from a cheer to what went wrong
_CALM_ES = re.compile(
    r"\b(?:gracias|genial|perfecto|excelente|me encanta|encantad[oa]s?|muy util|content[oa]s?|estupendo)\b"
)
_LOW_ES = re.compile(
    r"\b(?:decepcion\w*|mal[oa]?s?|lent[oa]|problemas?|frustra\w*|no funciona|fatal|horrible|terrible|pesim[oa])\b"
)


@dataclass(frozen=True, slots=True)
class Cues:
    """Heads whose words were found: plainly (`sure`) or as a hint. `shouts` when most letters are capitals.

    `danger` is the kind of danger that stands in so many words, "" for none; `ironic` when it praises a failure;
    `grieves` when it complains of how we treat the customer; `quiet` heads whose alarm the words explain otherwise.
    """

    sure: frozenset[str]
    hints: frozenset[str]
    shouts: bool
    mood: float
    danger: SafetyKind = ""
    ironic: bool = False
    grieves: bool = False
    quiet: frozenset[str] = frozenset()

    def lift(self, name: str, head: float | None) -> float:
        """Return the head's score raised by the words; without a head (None) the words alone decide."""
        if name in self.sure:
            return max(SURE, head or 0.0)
        if name in self.quiet:
            return min(QUIET, head or 0.0)
        if name == "anger" and self.grieves and head is not None and head >= GRIEVED:
            return max(HINT, head)
        hinted = name in self.hints or (name == "anger" and (self.shouts or self.ironic))
        if hinted and (head is None or head >= LEANING[name]):
            return max(HINT if head is not None else 0.6, head or 0.0)
        return head or 0.0


_SURE_RE = {name: re.compile(pattern) for name, pattern in _SURE.items()}
_DANGER_RE = {kind: re.compile(pattern) for kind, pattern in _DANGER.items()}
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
    dangers = _matching(_DANGER_RE, flat)
    danger: SafetyKind = next((kind for kind in _DANGER_RE if kind in dangers), "")
    sure = _matching(_SURE_RE, flat) | (frozenset({"safety"}) if danger else frozenset())
    hints = _matching(_HINT_RE, flat)
    grieves = _GRIEVANCE.search(flat) is not None
    return Cues(sure, hints, shouts, mood, danger, _ironic(flat), grieves, _quiet(flat, hints))


def _matching(patterns: Mapping[Any, re.Pattern[str]], flat: str) -> frozenset[str]:
    return frozenset(
        name
        for name, pattern in patterns.items()
        if any(not _DENIED.search(flat[: found.start()]) for found in pattern.finditer(flat))
    )


def _ironic(flat: str) -> bool:
    if _DOUBLED.search(flat):
        return _NO_IRONY.search(flat) is None or _FAILURE.search(flat) is not None
    cheer, failure = _CHEER.match(flat), _FAILURE.search(flat)
    near = cheer is not None and failure is not None and failure.start() < _CHEERED
    return near and _NO_IRONY.search(flat) is None


def _quiet(flat: str, hints: frozenset[str]) -> frozenset[str]:
    cries = "!" in flat
    alone = not cries and len(flat.split()) == 1
    idiom = _IDIOM.search(flat)
    asking = _ASKING.match(flat) and not cries and _AT_US.search(flat) is None
    found = {
        "anger": (alone or idiom or _SORRY.match(flat)) and "anger" not in hints,
        "legal_threat": alone or asking,
        # a figure of speech explains its own sentence, and neither a weapon in it nor what stands beside it
        "safety": idiom and "safety" not in hints and _MORE.search(flat) is None,
    }
    return frozenset(name for name, quiet in found.items() if quiet)
