"""Out: no price, promise or "done" that neither an effect, a claim nor a document carries.

Owns which sentences are promises (_shared/promises.py has the words). A sentence without authority is dropped; when
nothing is left, the reply is blocked and the turn falls back.
"""

import re

from core.contracts import CheckPorts, CheckSpec
from core.effects import Book, CancelBooking, Effect, Escalate, Forget, Remember, Send, TellTeam
from core.outcomes import CheckContext
from core.turns import Verdict
from guardrails._shared.promises import AMOUNT, DENIED, PROMISES, SOON
from guardrails._shared.sentences import (
    contained,
    flat,
    is_bots,
    is_vouched,
    source_texts,
    split,
    without,
)

# What an effect of this turn entitles the text to state, beside the outcome's own claims.
_BY_EFFECT: tuple[tuple[type[Effect], frozenset[str]], ...] = (
    (Book, frozenset({"booked"})),
    (CancelBooking, frozenset({"cancelled"})),
    (Send, frozenset({"sent"})),
    (Escalate, frozenset({"escalated"})),
    (TellTeam, frozenset({"escalated"})),
    (Remember, frozenset({"remembered"})),
    (Forget, frozenset({"forgotten"})),
)
# What our own fixed lines say of the talk itself: true by construction, unlike a model's words.
_OWN_LINES = frozenset({"escalated", "sent", "remembered", "forgotten"})
_ENTITLES = {"booked": {"booked", "moved"}, "moved": {"moved", "booked"}}


async def run(text: str, context: CheckContext, ports: CheckPorts) -> Verdict:
    """Return pass, the text without unauthorised sentences, or block when that leaves nothing."""
    if not is_bots(context):
        return Verdict("authority", "pass")
    claims = _claims(context)
    sources = source_texts(context)
    found = ((n, unauthorised(s, claims, sources)) for n, s in enumerate(split(text)))
    return without("authority", text, {number: code for number, code in found if code})


def _claims(context: CheckContext) -> frozenset[str]:
    outcome = context.outcome
    if outcome is None:
        return frozenset()
    by_effects = [
        names
        for effect in outcome.effects
        for kind, names in _BY_EFFECT
        if isinstance(effect, kind)
    ]
    own = _OWN_LINES if is_vouched(context) else frozenset[str]()
    return outcome.claims.union(own, *by_effects)


def unauthorised(sentence: str, claims: frozenset[str], sources: tuple[str, ...]) -> str:
    """Return a code for what the sentence promises without authority, or an empty string."""
    if contained(sentence, sources):
        return ""
    if "price" not in claims and _foreign_amounts(sentence, sources):
        return "amount"
    said = flat(sentence)
    for name, pattern in PROMISES:
        match = pattern.search(said)
        if match is None or claims & _ENTITLES.get(name, {name}):
            continue
        if not DENIED.search(said[: match.end()]) and not _is_documented(match[0], sources):
            return name
    return ""


def _is_documented(promise: str, sources: tuple[str, ...]) -> bool:
    """Return whether the time that is promised stands in a source."""
    soon = SOON.search(promise)
    return soon is not None and any(soon[0] in flat(source) for source in sources)


def _foreign_amounts(sentence: str, sources: tuple[str, ...]) -> bool:
    wanted = {_plain(next(filter(None, match.groups()))) for match in AMOUNT.finditer(sentence)}
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
    summary="Drops prices, promises and claims of things done that no effect or source carries.",
)
