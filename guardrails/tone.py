"""Out: no insult, no shouting, no second apology, no "I understand your frustration", no cheer at the unhappy.

Owns manners (design §10). An insult blocks; what is merely off is taken out, or put in small letters. Quoted documents
keep their tone. Not here: the tone of what customers write (understanding).
"""

# ruff: noqa: E501 - patterns are easier to check unbroken

import re

from core.contracts import CheckPorts, CheckSpec
from core.outcomes import CheckContext
from core.turns import Verdict
from guardrails._shared.sentences import flat, is_bots, is_own, source_texts, split, without

_TOXIC = re.compile(
    r"\b(?:idiots?|idiotic|stupid|moron\w*|dumb(?:ass)?|imbecile?s?|retard\w*|fuck\w*|shit\w*|bullshit|bitch\w*|bastards?|assholes?|damn you|piss off|shut up|go to hell|screw you|loser|pathetic|your own fault"
    r"|you (?:people|lot)|kill yourself|whores?|sluts?|nigg\w+|fagg?ots?|spics?|kikes?|trann(?:y|ies)"
    r"|idiotas?|estupid[oa]s?|imbecil(?:es)?|tont[oa]s?|gilipollas|cabron(?:es|a)?|mierda|put[oa]s?|jod(?:er|ete|an)|callate|vete al (?:diablo|infierno)|maricon(?:es)?|subnormal(?:es)?|pendej[oa]s?|culpa tuya)\b"
)
_HOLLOW = re.compile(
    r"\b(?:i|we) (?:(?:completely|totally|fully|truly|really|can) )*(?:understand|appreciate|hear|feel|get|see) (?:how (?:\w+ )?)?(?:your|you're|you are|the) (?:\w+ )?(?:frustrat\w+|anger|annoyance|disappointment|pain|concerns?|upset|feel\w*)\b"
    r"|\b(?:entiendo|comprendo|entendemos|comprendemos) (?:perfectamente )?(?:su|tu|la|lo) (?:\w+ )?(?:frustracion|enfado|molestia|malestar|decepcion|frustrad[oa])\b|\bas an? (?:ai|artificial intelligence|large language|language) (?:language )?(?:model|assistant)?\b|\bcomo (?:una )?(?:ia|inteligencia artificial|modelo de lenguaje)\b"
)
_SORRY = re.compile(
    r"\b(?:sorry|apologi[sz]\w*|apolog(?:y|ies)|regret|forgive|disculp\w+|perdon\w*|lo siento|lo sentimos|lamento|lamentamos)\b"
)
_CHEER = re.compile(
    r"^(?:great|awesome|fantastic|wonderful|amazing|excellent|perfect|yay|super|hooray|congratulations|congrats|cool|sweet|brilliant|happy to help|glad (?:you|to)|no worries|have a (?:great|wonderful|fantastic|nice|lovely|awesome) \w+|genial|estupendo|fantastico|maravilloso|perfecto|excelente|enhorabuena|felicidades|que bien|que tengas? un (?:buen|gran|feliz) \w+)\b(?:\W|$)"
)
_EMOJI = re.compile("[\U0001f389\U0001f38a\U0001f600-\U0001f60f\U0001f618\U0001f61c\U0001f642\U0001f643\U0001f929\U0001f973\U0001f64c\U0001f44d\U0001f680\u2728\U0001f525\U0001f4af\U0001f60d\U0001f970]\ufe0f?")  # fmt: skip
_SHOUT = re.compile(r"\b(?:[A-ZÁÉÍÓÚÑ]{2,}[,:;]?\s+){2,}[A-ZÁÉÍÓÚÑ]{2,}\b")
_MARKS = re.compile(r"([!?¡¿])\1+|!\?+|\?!+")
_FEWEST_SHOUTED = 12
_LONGEST_CHEER = 8


async def run(text: str, context: CheckContext, ports: CheckPorts) -> Verdict:
    """Return pass, block an insult, or the text without what is off."""
    if not is_bots(context):
        return Verdict("tone", "pass")
    sources = source_texts(context)
    sad = context.understanding is not None and context.understanding.sentiment < 0
    wrong: dict[int, str] = {}
    calmed: dict[int, str] = {}
    sorry = 0
    for number, sentence in enumerate(split(text)):
        if sad and not any(map(str.isalnum, sentence)):
            calmed |= {number: bare} if (bare := _EMOJI.sub("", sentence)) != sentence else {}
        if not is_own(sentence, sources):
            continue
        said = flat(sentence)
        if _TOXIC.search(said):
            return Verdict("tone", "block", 1.0, "toxic")
        sorry += bool(_SORRY.search(said))
        code = _off(said, sad=sad, again=sorry > 1 and bool(_SORRY.search(said)))
        if code:
            wrong[number] = code
        elif (calm := _calm(sentence, sad=sad)) != sentence:
            calmed[number] = calm
    return _verdict(text, wrong, calmed)


def _verdict(text: str, wrong: dict[int, str], calmed: dict[int, str]) -> Verdict:
    sentences = split(text)
    if not calmed:
        return without("tone", text, wrong)
    left = "".join(
        calmed.get(n, sentence) for n, sentence in enumerate(sentences) if n not in wrong
    ).strip()
    reason = ",".join(dict.fromkeys((*wrong.values(), "loud")))
    return Verdict("tone", "rewrite", 1.0, reason, left)


def _off(said: str, *, sad: bool, again: bool) -> str:
    """Return the code of what makes a whole sentence unwelcome, or an empty string."""
    if _HOLLOW.search(said):
        return "hollow"
    # A second apology goes when it is no more than that.
    if again and len(said.split()) <= 2 * _LONGEST_CHEER:
        return "second_apology"
    if sad and _CHEER.search(said) and len(said.split()) <= _LONGEST_CHEER:
        return "cheer"
    return ""


def _calm(sentence: str, *, sad: bool) -> str:
    """Return the sentence without shouting, rows of marks and, for the unhappy, cheerful signs."""
    calm = _MARKS.sub(lambda match: match[0][0], sentence)
    calm = _SHOUT.sub(lambda m: m[0].capitalize() if len(m[0]) >= _FEWEST_SHOUTED else m[0], calm)
    if sad:
        calm = re.sub(r"!(?=\s|$)", ".", _EMOJI.sub("", calm))
        calm = calm.replace("¡", "")
    return calm if any(char.isalnum() for char in calm) else sentence


CHECK = CheckSpec(
    name="tone",
    direction="out",
    order=45,
    run=run,
    summary="Blocks insults; takes out shouting, hollow sympathy, second apologies and misplaced cheer.",
)
