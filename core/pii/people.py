"""Names of people and dates of birth, by what stands before them, by given names, and by the shape of surnames.

Owns high precision: a capitalised word alone is no name. Names written in small letters count only after a clear cue.
"""

# ruff: noqa: E501, SIM905 - patterns and lists of words are easier to check unbroken

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.pii.found import BIRTH, PERSON, Found
from core.pii.name_lists import AMBIGUOUS, NAMES, SURNAMES, WORDS

_TOKEN = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_LONGEST_RUN, _MOST_PARTICLES = 4, 2
_TITLES = frozenset(
    "mr mrs ms miss dr prof professor herr frau mme monsieur madame sr sra srta señor señora doña sig".split()
)
_PARTICLES = frozenset(
    "de del de la los van von der den ter ten da das dos do di du le la y e bin ibn al el af zu zum".split()
)
# Endings that hardly any word has; and those that some have, which count in a long word beside another capital.
_SURE_SURNAME = re.compile(
    r"(?:sson|dóttir|ová|ovna|evna|ovich|ović|ević|wicz|owski|ewski|ński|owska|ewska|ńska|opoulos|lainen|qvist)$"
)
_LIKELY_SURNAME = re.compile(
    r"^[^\W\d_]{3,}(?:sen|mann|ez|ić|ström|enko|akis|ov|ova|ev|eva|yan|ström|stad)$"
)
_SHORT = 6  # letters below which an ending proves nothing
# What begins a sentence, names a thing or belongs to the trade: never part of a name.
_NO_NAME = frozenset(
    """
    a able about account accounts active add admin administrator after again agent agents all also always am american an and android
    angry annual any app apple april are argentina as ask at august australia austria back bank because been before being belgium
    between billing board boards brazil british bug business but by call can canada canceled cancelled card cards center chat chile
    china chinese click code colombia company confused contact copy could could credit customer customers czech danish day de dear
    december default delete denmark desk did disappointed do does done drive dutch email emails en england english enterprise error
    european everyone excel export facebook february file finland finnish first for france free french friday from german germany
    github going gmail go good google greek guest guests had happy has have he hello help her here hers hi hindi his hola how i if in
    india indian interested internet invoice iphone ireland irish is israel it italian italy its january japan japanese jira july june
    just keep last let like linkedin linux looking lost mac madam march mastercard may me member members mexican mexico microsoft
    monday more most my need never new next no north norway norwegian not nothing november now october of office ok okay old on one
    only open or order orders our out outlook owner page pay payment paypal peru please poland polish portugal portuguese premium
    price pro product project projects question ready regarding regards request russia russian same saturday save scotland search
    security see september service settings she should sign simple simply since sincerely sir slack sms so some someone sorry south
    spain spanish starter still stop street subject sunday super support sure sweden swedish swiss switzerland system tables talk team
    teams tell thank thanks that the their them then there these they thing this those thursday ticket to today tomorrow too total
    trello trial trying tuesday turkey turkish twitter under unable uk up upgrade us usa use used user users using version very visa
    waiting wales want wanting was we wednesday welcome were west what when where whether which while who why will windows with
    wondering word work working would wrong yes yesterday you your yours youtube zapier zoom
    al aquí así aunque bien buenas buenos cliente como con cuando cuenta cómo desde día el ella en entonces es española español
    españa esta este estoy eso gracias ha hasta hay he la las lo los más me mi muy necesito no nos nosotros nuestra nuestro o para
    pero por porque puede puedo que quiero qué saludos se señores si sin sobre soporte su sus sí también te tengo tiene tu un una
    usted va y ya yo equipo factura pedido tarjeta administrador administradora
    """.split()
)
# After these a capitalised word is a name whatever it is.
_CUE = re.compile(
    r"(?:\b(?:my|his|her|their|your|full|first|last|family|contact'?s|sur|customer'?s)[ -]?(?:full |first |last |middle |maiden )?name(?:'s| is|:|\?)?|^name:|\bme llamo|\bmi nombre(?: completo)? es|\bse llama"
    r"|\b(?:attn|attention|signed|signature|firmado|a la atención de)[:.,]?|\bon behalf of|\b(?:billing|shipping|delivery|home) address:|\bnombre:|\bcardholder:|\btitular:?"
    r"|\b(?:my|his|her|our|mi|su) (?:kid|son|daughter|wife|husband|brother|sister|colleague|coworker|boss|manager|friend|assistant|teammate|mother|father|mom|dad|partner|hijo|hija|esposa|marido|jefe|jefa|compañer[oa]|amig[oa]))\s*[\"“]?$",
    re.IGNORECASE,
)
# After these it must look like one: a known given name, or a surname's ending.
_WEAK_CUE = re.compile(
    r"(?:\b(?:this is|i am|i'm|i’m|im|it's|under|called|named|dear|hi|hello|hey|hola|soy|regards|sincerely|cheers|thanks|thank you|gracias|saludos|ask for|speak (?:to|with)|talk to|everyone calls me|call me|hablar con|invite|add|remove|contact|from|by|for|with|and|que|para|con|de|estimad[oa]|querid[oa])[,:]?|['’]s)\s*$",
    re.IGNORECASE,
)
_SMALL = re.compile(
    r"\b(?:my (?:full |first |last )?name is|my name's|me llamo|mi nombre es)\s+([^\W\d_]{2,30}(?: [^\W\d_]{2,30})?)",
    re.IGNORECASE,
)
_INITIAL = re.compile(r"\.? ")
_GAP = re.compile(r" |\. ?| [\"“]")
_THINGS = frozenset(
    "appendix article block board building chapter class law regulation rule title exhibit figure form grade group hepatitis level option part phase plan room schedule section series step table team tier type unit vitamin".split()
)
_BIRTH_WORD = re.compile(
    r"\b(?:date of birth|birth ?date|birthday|born(?: on| in)?|d\.?o\.?b\.?|fecha de nacimiento|nac[ií]|nacid[oa]|cumpleaños|née?)\b[^\d\n]{0,25}$",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"\b(?:\d{1,2}[-/. ]\d{1,2}[-/. ](?:19|20)?\d\d|(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}"
    r"|(?:\d{1,2}(?:st|nd|rd|th)?\s+(?:of |de )?)?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|ene|abr|ago|dic)[a-zé]*\.?(?:\s+\d{1,2}(?:st|nd|rd|th)?)?,?\s+(?:de |del )?(?:19|20)\d\d)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Token:
    start: int
    end: int
    word: str

    @property
    def is_capital(self) -> bool:
        return self.word[0].isupper()

    @property
    def may_be_name(self) -> bool:
        return self.is_capital and self.word.lower() not in _NO_NAME

    @property
    def is_given(self) -> bool:
        return self.is_capital and self.word.lower() in NAMES


def find(text: str) -> Iterator[Found]:
    """Yield names of people and dates said to be of birth."""
    tokens = [_Token(m.start(), m.end(), m[0]) for m in _TOKEN.finditer(text)]
    at = 0
    while at < len(tokens):
        size = _named(text, tokens, at)
        if size:
            yield PERSON, tokens[at].start, tokens[at + size - 1].end
        at += size or 1
    for match in _SMALL.finditer(text):
        words = match[1].split()
        if words[0].lower() in NAMES and not words[0][0].isupper():
            kept = 2 if len(words) > 1 and words[1] not in _NO_NAME else 1
            yield PERSON, match.start(1), match.start(1) + len(" ".join(words[:kept]))
    for match in _DATE.finditer(text):
        if _BIRTH_WORD.search(text, max(0, match.start() - 60), match.start()):
            yield BIRTH, *match.span()


def _named(text: str, tokens: Sequence[_Token], at: int) -> int:
    """Return how many tokens from here are a name, 0 for none."""
    token = tokens[at]
    if not token.may_be_name:
        return 0
    size = _run(text, tokens, at)
    words = [t.word for t in tokens[at : at + size]]
    before = text[max(0, token.start - 60) : token.start]
    if _titled(text, tokens, at) or _CUE.search(before):
        return size
    if _known(words):
        return size
    if size == 1 and token.is_given and token.word.lower() in AMBIGUOUS | WORDS:
        return 1 if _WEAK_CUE.search(before) and not _possessed(text, token) else 0
    return 0


def _possessed(text: str, token: _Token) -> bool:
    """Return whether a thing's word follows, as in "May invoice"."""
    return bool(re.match(r" [a-z]|\w|-", text[token.end : token.end + 2]))


def _known(words: Sequence[str]) -> bool:
    """Return whether the words are a name by themselves, without a cue."""
    first = words[0].lower()
    if len(words) == 1:
        return first in NAMES and first not in AMBIGUOUS | WORDS
    if first in NAMES and first not in WORDS:
        return True
    if any(word.lower() in SURNAMES or _is_likely(word) for word in words[1:]):
        return True
    if any(_SURE_SURNAME.search(word) for word in words[1:]):
        return True
    middle = len(words) >= 3 and any(len(word) == 1 for word in words[1:-1])
    return middle and first not in _THINGS and len(words[-1]) > 2


def _is_likely(word: str) -> bool:
    return len(word) >= _SHORT and word[1:].islower() and bool(_LIKELY_SURNAME.search(word))


def _titled(text: str, tokens: Sequence[_Token], at: int) -> bool:
    if at == 0 or tokens[at - 1].word.lower() not in _TITLES:
        return False
    between = text[tokens[at - 1].end : tokens[at].start]
    # "Redbud Dr Boston": after a capitalised word it is a drive.
    street = at > 1 and tokens[at - 2].is_capital and tokens[at - 2].end == tokens[at - 1].start - 1
    return between in (" ", ". ") and not (street and tokens[at - 1].word.lower() == "dr")


def _is_initial(text: str, token: _Token) -> bool:
    return len(token.word) == 1 and token.is_capital and text[token.end : token.end + 2] == ". "


def _run(text: str, tokens: Sequence[_Token], at: int) -> int:
    """Return how many tokens hang together as a name: capitals, initials, particles between them."""
    size = 1
    while size < _LONGEST_RUN and at + size < len(tokens):
        previous, token = tokens[at + size - 1], tokens[at + size]
        between = text[previous.end : token.start]
        initial = len(previous.word) == 1 and previous.is_capital
        if between != " " and not (initial and between == ". "):
            break
        if token.may_be_name or _is_initial(text, token):
            size += 1
            continue
        skipped = _particles(text, tokens, at + size)
        if not skipped:
            break
        size += skipped + 1
    return size


def _particles(text: str, tokens: Sequence[_Token], at: int) -> int:
    """Return how many particles from here lead to another capital, as in "van den Berg"; 0 for none."""
    for number, token in enumerate(tokens[at : at + _MOST_PARTICLES + 1]):
        if number and token.may_be_name:
            return number
        if token.word not in _PARTICLES or text[token.end : token.end + 1] != " ":
            return 0
    return 0
