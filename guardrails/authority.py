"""Out: no price, discount, refund, guarantee or "done" that neither an effect nor a cited source carries.

Owns which sentences are promises. A sentence without authority is dropped; when nothing is left, the reply is
blocked and the turn falls back.
"""

# ruff: noqa: E501 - patterns are easier to check unbroken

import re

from core.contracts import CheckPorts, CheckSpec
from core.messages import Author
from core.outcomes import CheckContext
from core.turns import Verdict
from guardrails._shared.sentences import contained, flat, is_outgoing, source_texts, split

_AMOUNT = re.compile(
    r"(?:[$€£]\s?(?P<a>\d[\d.,]{0,20}))|(?P<b>\d[\d.,]{0,20})\s?(?:€|(?:usd|eur|gbp|dollars?|euros?|pounds?)\b)"
    r"|(?P<c>\d[\d.,]{0,20})\s?%\s*(?:off|discount|de descuento|menos|cheaper|reduction|rebaja)"
    r"|(?:discount|descuento|coupon|cupon|rebate) (?:of|de) (?P<d>\d[\d.,]{0,20})\s?%?",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"\b(?:not|never|no|nothing|nobody|haven't|hasn't|wasn't|isn't|aren't|can't|cannot|couldn't|won't|didn't|don't|unable|if|when|once|whether"
    r"|sin|nunca|nada|si|cuando|todavia)\b|n't\b",
    re.IGNORECASE,
)
# Claim → how a sentence says it was done. Any of `_ENTITLES[claim]` in outcome.claims entitles to say it.
_DONE: dict[str, str] = {
    "booked": r"\b(?:i|we)(?:'ve| have)? (?:just )?(?:booked|reserved|scheduled)\b|\b(?:session|booking|appointment|training|call|slot) (?:is|has been) (?:now )?(?:booked|confirmed|reserved|scheduled)\b"
    r"|^booked\b|\b(?:he|hemos) (?:reservado|agendado|programado)\b|\b(?:sesion|reserva|cita) (?:esta|ha sido|queda) (?:confirmada|reservada|agendada)\b|^reservad[oa]\b",
    "moved": r"\b(?:i|we)(?:'ve| have)? (?:just )?(?:rescheduled|moved) (?:your|the|it)\b|\b(?:session|booking|appointment) (?:is|has been) (?:now )?(?:rescheduled|moved)\b"
    r"|\b(?:he|hemos) (?:movido|cambiado|reprogramado) (?:su|tu|la|el)\b",
    "cancelled": r"\b(?:i|we)(?:'ve| have)? (?:just )?cancell?ed\b|\b(?:session|booking|appointment|subscription|account|plan) (?:is|has been) (?:now )?cancell?ed\b"
    r"|\b(?:he|hemos) (?:cancelado|anulado)\b|\b(?:sesion|reserva|cita|suscripcion) (?:esta|ha sido|queda) (?:cancelada|anulada)\b",
    "refunded": r"\b(?:i|we)(?:'ve| have| will|'ll)? (?:just )?(?:refund(?:ed)?|reimburse[d]?|credit(?:ed)?) (?:you|your|the|it)\b|\b(?:refund|credit) (?:has been|is|was) (?:issued|processed|approved|on its way)\b"
    r"|\b(?:he|hemos) (?:reembolsado|devuelto)\b|\b(?:le|te) (?:reembolsaremos|devolveremos)\b|\breembolso (?:ha sido|esta) (?:emitido|aprobado|procesado)\b",
    "upgraded": r"\b(?:i|we)(?:'ve| have) (?:upgraded|downgraded|unlocked|activated|extended|waived|applied) (?:your|the|a)\b|\b(?:he|hemos) (?:activado|ampliado|aplicado) (?:su|tu|el|la|un)\b",
    "guarantee": r"\b(?:guarantee[sd]?|we promise|i promise|you have my word|rest assured)\b|\b(?:garantizo|garantizamos|garantizad[oa]|prometo|prometemos)\b",
}
_ENTITLES = {
    "booked": {"booked", "moved"},
    "moved": {"moved", "booked"},
    "cancelled": {"cancelled"},
    "refunded": {"refunded"},
    "upgraded": {"upgraded"},
    "guarantee": {"guarantee"},
}
_COMPILED = {name: re.compile(pattern) for name, pattern in _DONE.items()}


async def run(text: str, context: CheckContext, ports: CheckPorts) -> Verdict:
    """Return pass, the text without unauthorised sentences, or block when that leaves nothing."""
    outcome = context.outcome
    if not is_outgoing(context) or (outcome is not None and outcome.author is Author.CSM):
        return Verdict("authority", "pass")
    claims = outcome.claims if outcome is not None else frozenset[str]()
    sources = source_texts(context)
    kept, reasons = [], []
    for sentence in split(text):
        wrong = unauthorised(sentence, claims, sources)
        if wrong:
            reasons.append(wrong)
        else:
            kept.append(sentence)
    if not reasons:
        return Verdict("authority", "pass")
    rest = "".join(kept).strip()
    reason = ",".join(dict.fromkeys(reasons))
    if not any(char.isalnum() for char in rest):
        return Verdict("authority", "block", 1.0, reason)
    return Verdict("authority", "rewrite", 1.0, reason, rest)


def unauthorised(sentence: str, claims: frozenset[str], sources: tuple[str, ...]) -> str:
    """Return a code for what the sentence promises without authority, or an empty string."""
    if contained(sentence, sources):
        return ""
    if "price" not in claims and _foreign_amounts(sentence, sources):
        return "amount"
    said = flat(sentence)
    for name, pattern in _COMPILED.items():
        match = pattern.search(said)
        if match and not claims & _ENTITLES[name] and not _DENIED.search(said[: match.end()]):
            return name
    return ""


def _foreign_amounts(sentence: str, sources: tuple[str, ...]) -> bool:
    wanted = {_plain(next(filter(None, match.groups()))) for match in _AMOUNT.finditer(sentence)}
    if not wanted:
        return False
    known = {_plain(n) for source in sources for n in re.findall(r"\d[\d.,]*", source)}
    return not wanted <= known


def _plain(amount: str) -> str:
    """Return 1,200.00, 1.200,00 and 1200 alike."""
    amount = re.sub(
        r"[.,]\d{1,2}$", lambda m: "" if set(m[0][1:]) == {"0"} else m[0], amount.rstrip(".,")
    )
    return re.sub(r"[.,](?=\d{3}(?:\D|$))", "", amount).replace(",", ".")


CHECK = CheckSpec(
    name="authority",
    direction="out",
    order=50,
    run=run,
    summary="Drops prices and promises that no effect or source carries.",
)
