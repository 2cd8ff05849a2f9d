"""What is never kept as a fact: health, family, belief, mood and the like (design §6, GDPR art. 9), and secret numbers.

Owns small word lists in English and Spanish, looked for in the key and the value. They are meant to refuse
too much rather than too little; phrases of the trade that merely sound alike are let through. Cards, accounts, identity
numbers, passwords and keys are refused by their shape (core/pii).
Not here: what may be said or how a refusal is worded.
"""

import re
import unicodedata

from core.pii import SECRET, find

_WORDS = {
    "health": (
        "health salud ill illness sick sickness disease diabet* cancer depress* depresi* anxiety ansiedad "
        "therapy therapist terapia medication medicine medicament* diagnos(?:is|ed|es) diagnosticad* surgery "
        "cirugia disability disabilities discapaci* allerg* alergi* asthma asma hiv vih autis* adhd tdah "
        "wheelchair covid migran* migraine* epilep* pregnan* embaraz* enferm* chemo* quimio* rehab bipolar "
        "miscarriage dementia demencia"
    ),
    "family": (
        "family familia familiar wife husband spouse married marriage divorc* daughter* kid kids children "
        "mother father mum mom dad brother* sister* fiance* boyfriend girlfriend widow* baby babies esposa "
        "esposo marido hijo hija hijos hijas madre padre padres hermano* hermana* novio novia casad* viud* "
        "bebe embarazo matrimonio grandmother grandfather abuelo abuela"
    ),
    "belief": (
        "religio* catholic* muslim* islam* jewish judaism hindu* buddhis* atheis* protestant* church mosque "
        "synagogue pray prays prayer* political politics republican* democrat* socialist* communist* "
        "catolic* musulman* judi[oa]* ateo atea iglesia mezquita sindicat* ideologia unionist* creyente*"
    ),
    "mood": (
        "mood moods angry furious sad upset frustrated anxious stressed lonely unhappy grief grieving "
        "emotion* feeling feelings feels triste enfadad* enojad* furios* frustrad* deprimid* animo humor "
        "ansios* estresad* emocion* sentimient*"
    ),
    "origin or sex life": (
        "ethnic* etnia etnic* race raza racial gay lesbian* lesbiana* bisexual* transgender transexual* "
        "homosexual* heterosexual* sexual* sexuality genetic* "
    ),
    "crime": "convicted conviction prison carcel condenad*",
}
# Said of products, companies and accounts, not of people.
_TRADE = (
    r"(?:account|system|customer|relationship|project|service) health|health (?:score|check|status)s?"
    r"|family (?:plan|account|license)s?|mood ?boards?|race conditions?|(?:sister|parent|mother) compan(?:y|ies)"
    r"|plan familiar|church street|(?:feature|empresa) hermana|conviction rate"
)
_PHRASES = {
    "belief": r"trade union|union member|votes? for|partido politico",
    "origin or sex life": r"sex life|sexual orientation|vida sexual",
    "crime": r"criminal record|antecedentes penales",
}


def _pattern(category: str, words: str) -> re.Pattern[str]:
    stems = "|".join(word.replace("*", r"\w*") for word in words.split())
    phrases = f"|{_PHRASES[category]}" if category in _PHRASES else ""
    return re.compile(rf"\b(?:{stems}{phrases})\b")


_CATEGORIES = {name: _pattern(name, words) for name, words in _WORDS.items()}
_LET_THROUGH = re.compile(rf"\b(?:{_TRADE})\b")


def sensitive_category(key: str, value: str) -> str | None:
    """Return the category that keeps this fact from being stored, or None when it may be."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", key)
    plain = unicodedata.normalize("NFKD", f"{spaced} . {value}".casefold())
    plain = "".join(mark for mark in plain if not unicodedata.combining(mark))
    plain = _LET_THROUGH.sub(" ", re.sub(r"[_\-]+", " ", plain))
    for name, pattern in _CATEGORIES.items():
        if pattern.search(plain):
            return name
    if any(kind in SECRET for kind, _, _ in find(f"{key}: {value}", names=False)):
        return "cards, identity numbers or passwords"
    return None
