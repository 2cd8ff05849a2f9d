"""Out: no legal, medical or financial advice of our own; what the docs say of it may be quoted and cited.

Owns what counts as advice. A tenant may allow a kind (policy `advice`). Not here: promises (authority.py).
"""

# ruff: noqa: E501 - patterns are easier to check unbroken

import re

from core.contracts import CheckPorts, CheckSpec
from core.outcomes import CheckContext
from core.turns import Verdict
from guardrails._shared.sentences import (
    flat,
    is_bots,
    is_own,
    markers,
    source_texts,
    split,
    without,
)

_YOU = r"(?:you (?:should|must|could|can|may|need to|have to|ought to|had better)|i(?:'d| would)? (?:recommend|advise|suggest)(?: that you)?|i think you should|it(?:'s| is) (?:best|better|safe|fine|ok|okay) to|(?:deberia|debe|puede|podria|tiene que|te recomiendo|le recomiendo|recomiendo|conviene)s?)"
_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("legal", rf"\b{_YOU}\b.{{0,40}}\b(?:sue|take (?:them|him|her|us|it|legal action)(?: to court)?|press charges|file (?:a )?(?:lawsuit|claim in court|complaint with the)|break the (?:contract|lease)|refuse to pay|demandar|denunciar|querella\w*|acciones legales)\b"
                  r"|\byou(?:'re| are| have)? (?:\w+ )?(?:legally|by law|under the law|a legal|a (?:strong|good|valid) (?:legal )?(?:case|claim)|grounds to)\b|\b(?:that|this|it)(?:'s| is| would be| counts as| constitutes) (?:\w+ )?(?:illegal|unlawful|a crime|a breach of|in violation of|legally (?:fine|allowed|valid|binding)|gdpr[ -]compliant|un delito|ilegal)\b|\bno court (?:would|will)\b|\blegalmente (?:puede|tiene|debe|esta)\w*"),
        ("medical", rf"\b{_YOU}\b.{{0,40}}\b(?:take|stop taking|increase|reduce|double|skip|tomar|dejar de tomar)\b.{{0,30}}\b(?:mg|milligrams?|dose|dosage|pills?|tablets?|medication|medicine|antibiotics?|ibuprofen|paracetamol|aspirin|insulin|dosis|pastillas?|medicamentos?|ibuprofeno|aspirina)\b|\b\d+ ?(?:mg|mcg|milligrams?)\b.{0,20}\b(?:daily|a day|per day|every|al dia|cada)\b"
                    r"|\b(?:your|these|those|sus|tus) (?:symptoms?|sintomas) (?:\w+ )?(?:suggest|indicate|mean|point|are|sound|sugieren|indican)\b|\byou (?:probably |likely |might |may |could )?(?:have|suffer from) (?:\w+ )?(?:depression|anxiety|cancer|diabetes|adhd|covid|the flu|an infection|a migraine|a concussion)\b|\b(?:safe|no need) to (?:see a doctor|stop your treatment|take while pregnant)\b"),
        ("financial", rf"\b{_YOU}\b.{{0,40}}\b(?:invest|buy|sell|short|hold|borrow|refinance|invertir|comprar|vender)\b.{{0,40}}\b(?:stocks?|shares?|bonds?|crypto\w*|bitcoin|ethereum|etfs?|funds?|gold|options|mortgage|loan|portfolio|acciones|bonos|criptomonedas|fondos|hipoteca)\b|\b(?:good|great|safe|smart|sound|buena) (?:investment|time to (?:buy|sell|invest)|inversion)\b"
                      r"|\b(?:you can|you may|you could|puede|puedes)\b.{0,30}\b(?:deduct|write (?:it|this|that|them) off|claim (?:it|this|that|them) (?:on|against|back)|deducir|desgravar)\w*\b.{0,40}\b(?:tax\w*|vat|irs|hmrc|impuestos?|iva|hacienda|renta)?\b|\b(?:is|are|it's) tax[ -](?:deductible|free|exempt)\b|\b(?:prices?|rates?|stocks?|the market) (?:will|are going to|is going to) (?:rise|fall|go up|go down|double|crash)\b"),
    )
)  # fmt: skip
_DENIED = re.compile(
    r"\b(?:can't|cannot|not able to|unable to|don't|do not|no puedo|no podemos|no damos)\b"
)


async def run(text: str, context: CheckContext, ports: CheckPorts) -> Verdict:
    """Return pass, or the text without advice that no document gives."""
    if not is_bots(context):
        return Verdict("advice", "pass")
    sources = source_texts(context)
    cited = {c.number for c in context.outcome.citations} if context.outcome else set()
    wrong = {}
    for number, sentence in enumerate(split(text)):
        code = _advice(flat(sentence), context.policy.advice)
        # A citation is checked by grounding: what it carries is the docs' advice.
        if code and is_own(sentence, sources) and not cited.intersection(markers(sentence)):
            wrong[number] = code
    return without("advice", text, wrong)


def _advice(said: str, allowed: tuple[str, ...]) -> str:
    for name, pattern in _KINDS:
        match = pattern.search(said)
        if match and name not in allowed and not _DENIED.search(said[: match.start()]):
            return name
    return ""


CHECK = CheckSpec(
    name="advice",
    direction="out",
    order=52,
    run=run,
    summary="Drops legal, medical and financial advice that no document gives.",
)
