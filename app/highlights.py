"""What an editor must look at before an answer becomes public: personal data, names, amounts, dates, promises.

Owns the words that make a sentence a statement about money or policy, in English and Spanish. Pure; decides
nothing (app/approving.py does).
"""

# ruff: noqa: E501 - patterns are easier to check unbroken

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from core.pii import PERSON, find
from core.understanding import TimeSpan

Kind = Literal["pii", "name", "amount", "policy", "promise", "date"]

_ORDER: tuple[Kind, ...] = ("pii", "name", "amount", "policy", "promise", "date")
_SHORTEST_NAME = 3

_MONEY = re.compile(
    r"(?:[$€£¥]|\b(?:USD|EUR|GBP)\b)\s?\d[\d.,]*(?:\s?(?:k|m|million|millones))?\b"
    r"|\b\d[\d.,]*\s?(?:[€$£¥]|(?:usd|eur|gbp|dollars?|euros?|pounds?|cents?|céntimos?|dólares|libras)\b)",
    re.IGNORECASE,
)
_PERCENT = re.compile(r"\b\d[\d.,]*\s?(?:%|percent\b|per cent\b|por ciento\b)", re.IGNORECASE)
# word → what the statement is about
_POLICY: tuple[tuple[str, str], ...] = (
    ("a refund", r"refund\w*|reimburs\w+|chargebacks?|reembols\w+|devoluci[oó]n(?:es)?"),
    (
        "a discount",
        r"discount\w*|coupons?|vouchers?|promo codes?|descuentos?|cup[oó]n(?:es)?|rebajas?",
    ),
    ("a price", r"prices?|pricing|costs?|fees?|charged?|billed|precios?|tarifas?|cuestan?|cobr\w+"),
    (
        "money back or free service",
        r"free of charge|for free|waive\w*|credits?|gratis|sin coste|sin costo",
    ),
    (
        "a service level",
        r"SLAs?|uptime|service levels?|response times?|tiempos? de respuesta|disponibilidad garantizada",
    ),
    ("a guarantee", r"guarantee\w*|warrant(?:y|ies)|garant[ií]\w*"),
    (
        "the law or a contract",
        r"legal\w*|liabilit\w+|liable|lawsuits?|contracts?|contractual\w*|terms of service|GDPR|RGPD|HIPAA"
        r"|compliance|compliant|indemnif\w+|responsabilidad legal|contratos?|t[eé]rminos del servicio|demandas?",
    ),
    (
        "cancelling",
        r"cancellation (?:fee|period|policy)|notice period|plazo de preaviso|pol[ií]tica de cancelaci[oó]n",
    ),
)
_PROMISE = re.compile(
    r"\b(?:(?:we|i)(?:'ll|’ll| will| shall| promise| commit to| are going to)\b|you(?:'ll| will) (?:receive|get|be (?:refunded|contacted|paid))"
    r"|as an exception|just this once|(?:le|te|les|os) (?:enviaremos|devolveremos|llamaremos|daremos|haremos)"
    r"|(?:nos )?compromet\w+|prometemos|prometo|vamos a (?:enviar|devolver|hacer|dar)|como excepci[oó]n|por esta vez)",
    re.IGNORECASE,
)
_COMPILED = tuple((what, re.compile(rf"\b(?:{words})\b", re.IGNORECASE)) for what, words in _POLICY)


@dataclass(frozen=True, slots=True)
class Highlight:
    """A stretch of the text, end exclusive, with a sentence on why it is marked."""

    kind: Kind
    start: int
    end: int
    reason: str


def highlights(
    text: str, names: Iterable[str] = (), times: Sequence[TimeSpan] = ()
) -> tuple[Highlight, ...]:
    """Return what to look at, in order of appearance, not overlapping, the graver kind first.

    `names` are people and companies known to the tenant; `times` the dates and times found in this text.
    """
    found = [*_personal(text), *_known(text, names), *_amounts(text), *statements(text)]
    promised = "A promise: can everybody who reads this have it?"
    found += [_mark("promise", match, promised) for match in _PROMISE.finditer(text)]
    found += [
        Highlight("date", t.start, t.end, "A date or time: will this still be right next month?")
        for t in times
    ]
    chosen: list[Highlight] = []
    for each in sorted(found, key=lambda h: (_ORDER.index(h.kind), h.start, -h.end)):
        if all(each.end <= other.start or each.start >= other.end for other in chosen):
            chosen.append(each)
    return tuple(sorted(chosen, key=lambda h: h.start))


def statements(text: str) -> tuple[Highlight, ...]:
    """Return what makes the text a statement about money or policy, which an approver must make."""
    found = [_mark("amount", m, "An amount of money") for m in _MONEY.finditer(text)]
    for what, pattern in _COMPILED:
        found += [_mark("policy", m, f"A statement about {what}") for m in pattern.finditer(text)]
    return tuple(found)


def _personal(text: str) -> Iterator[Highlight]:
    for kind, start, end in find(text):
        if kind == PERSON:
            yield Highlight("name", start, end, "Looks like a person's name")
        else:
            yield Highlight("pii", start, end, kind.replace("_", " ").capitalize())


def _known(text: str, names: Iterable[str]) -> Iterator[Highlight]:
    for name in dict.fromkeys(each.strip() for each in names):
        if len(name) < _SHORTEST_NAME:
            continue
        for match in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE):
            yield _mark("name", match, "The name of a customer")


def _amounts(text: str) -> Iterator[Highlight]:
    for match in _PERCENT.finditer(text):
        yield _mark("amount", match, "A percentage")


def _mark(kind: Kind, match: "re.Match[str]", reason: str) -> Highlight:
    return Highlight(kind, match.start(), match.end(), reason)
