"""Find and mask personal data that has a shape: cards, IBANs, social security numbers, mail, phones, IPs.

Owns patterns and their check digits. Not here: names and street addresses (no shape), or what is done
about a find (guardrails/pii.py).
"""

# ruff: noqa: E501 - patterns are easier to check unbroken

import ipaddress
import re
from collections.abc import Iterable

import phonenumbers

Found = tuple[str, int, int]

CARD, IBAN, SSN = "CREDIT_CARD", "IBAN_CODE", "US_SSN"
MAIL, PHONE, IP = "EMAIL_ADDRESS", "PHONE_NUMBER", "IP_ADDRESS"
# Never said to anybody, whoever they belong to.
SECRET = frozenset({CARD, IBAN, SSN})

_LONGEST = 32_000
_REGIONS = ("US", "GB", "ES", "MX", "FR", "DE", "IT", "SE", "CH", "BE", "NO", "PL", "AU")
_MAIL = re.compile(
    r"(?<![\w.+-])[A-Za-z0-9][\w.+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}\b"
)
_CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){11,18}(?![\w-]|\.\d)")
# Issuer numbers: Visa, Mastercard, Maestro, Amex, Diners, Discover, JCB, UnionPay.
_ISSUER = re.compile(r"(?:4|5[0-8]|6|3[0-9]|2131|1800|2[2-7])")
_CARD_LENGTHS = {
    12: r"5[06-8]|6",
    13: r"4|5[06-8]|6",
    14: r"3[0689]|5[06-8]|6",
    15: r"3[47]|2131|1800|5|6",
}
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b")
_SSN = re.compile(r"(?<![\w-])(?!000|666|9\d\d)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\w-])")
_SSN_SAID = re.compile(r"\b(?:ssn|social security)\D{0,20}((?!000|666|9)\d{9})\b", re.IGNORECASE)
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:])(?:[0-9A-Fa-f]{1,4}:){2,7}(?::?[0-9A-Fa-f]{1,4}){1,7}(?![\w:])")
_VERSION = re.compile(r"\b(?:v|ver|version|release|build|firmware)\.?\s*$", re.IGNORECASE)
_NOT_PHONE = re.compile(
    r"(?:(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)\d\d|(?:19|20)\d\d-(?:19|20)\d\d|\d{3}-\d\d-\d{4})(?:\s.*)?"
)
_WORD_AFTER = re.compile(
    r"\s*(?:\(|,|-)?\s*(?:office|fax|mobile|phone|cell|home|work|movil|oficina)\b", re.IGNORECASE
)
_PHONE_SHAPE = re.compile(r"(?<![\w.@/#-])(?:\+|\(|\d)[\d\s().\-/]{5,22}\d(?![\w-]|[.,]\d)")
_PHONE_WORD = re.compile(
    r"\b(?:phone|call|tel|telephone|mobile|cell|fax|whatsapp|sms|text|reach|dial|messages? to|number is|telefono|movil|llam\w*"
    r"|celular)\b[^\d+]{0,30}$",
    re.IGNORECASE,
)
_NOT_PHONE_WORD = re.compile(
    r"\b(?:order|invoice|ticket|case|id|ref|reference|version|error|code|account|row|pedido|factura|cuenta|codigo)\b"
    r"\W{0,3}(?:number|no|nr|#|numero)?\W{0,3}$",
    re.IGNORECASE,
)


def find(text: str) -> list[Found]:
    """Return (type, start, end) of what was found, in order, not overlapping; reads 32 000 characters."""
    text = text[:_LONGEST]
    spans: list[Found] = []
    for kind, found in (
        (MAIL, _mails(text)),
        (IBAN, _ibans(text)),
        (CARD, _cards(text)),
        (SSN, _ssns(text)),
        (IP, _addresses(text)),
        (PHONE, _phones(text)),
    ):
        spans += [
            (kind, start, end)
            for start, end in found
            if all(end <= other[1] or start >= other[2] for other in spans)
        ]
    return sorted(spans, key=lambda span: span[1])


def mask(text: str, spans: Iterable[Found] | None = None, sign: str | None = None) -> str:
    """Return the text with each find replaced by `<TYPE>`, or by `sign` when given."""
    chosen = find(text) if spans is None else spans
    for kind, start, end in sorted(chosen, key=lambda span: -span[1]):
        text = text[:start] + (sign or f"<{kind}>") + text[end:]
    return text


def same_value(kind: str, value: str) -> str:
    """Return the value as it is compared: digits of numbers, lower case of the rest."""
    if kind in (PHONE, CARD, SSN):
        return re.sub(r"\D", "", value)
    return value.replace(" ", "").lower()


def _mails(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in _MAIL.finditer(text)]


def _cards(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in _CARD.finditer(text) if _is_card(re.sub(r"\D", "", match[0]))]


def _is_card(digits: str) -> bool:
    issuer = _CARD_LENGTHS.get(len(digits))
    fits = re.match(issuer, digits) if issuer else _ISSUER.match(digits)
    return bool(fits) and _luhn(digits) and len(set(digits)) > 1


def _luhn(digits: str) -> bool:
    total = 0
    for position, char in enumerate(reversed(digits)):
        value = int(char) * (1 + position % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


def _ibans(text: str) -> list[tuple[int, int]]:
    found = []
    for match in _IBAN.finditer(text):
        # A word in capitals may follow; shorten until the check digits fit.
        pieces = match[0]
        while len(pieces) >= 15 and not _is_iban(pieces):
            pieces = pieces[: pieces.rfind(" ")] if " " in pieces else ""
        if len(pieces) >= 15:
            found.append((match.start(), match.start() + len(pieces)))
    return found


def _is_iban(value: str) -> bool:
    flat = value.replace(" ", "")
    if not 15 <= len(flat) <= 34:
        return False
    return int("".join(str(int(char, 36)) for char in flat[4:] + flat[:4])) % 97 == 1


def _ssns(text: str) -> list[tuple[int, int]]:
    found = [match.span() for match in _SSN.finditer(text)]
    return found + [match.span(1) for match in _SSN_SAID.finditer(text)]


def _addresses(text: str) -> list[tuple[int, int]]:
    found = []
    for match in (*_IPV4.finditer(text), *_IPV6.finditer(text)):
        if _VERSION.search(text, 0, match.start()):
            continue
        try:
            ipaddress.ip_address(match[0])
        except ValueError:
            continue
        found.append(match.span())
    return found


def _phones(text: str) -> list[tuple[int, int]]:
    found = []
    for match in _PHONE_SHAPE.finditer(text):
        value = match[0]
        digits = re.sub(r"\D", "", value)
        if not 7 <= len(digits) <= 15 or _NOT_PHONE.fullmatch(value.strip()):
            continue
        if _is_phone(value, digits, text[: match.start()], text[match.end() : match.end() + 20]):
            found.append(match.span())
    return found


def _is_phone(value: str, digits: str, before: str, after: str) -> bool:
    """Return whether the figures are a phone number: said so, or valid somewhere and written like one."""
    said = bool(_PHONE_WORD.search(before[-60:]) or _WORD_AFTER.match(after))
    if value.startswith(("+", "00")):
        return said or _valid("+" + digits.removeprefix("00"))
    if said:
        return True
    if _NOT_PHONE_WORD.search(before[-40:]) or re.search(r"\s\s|\n", value):
        return False
    # Two groups parted by a space are house numbers and streets as often as phones.
    groups = re.findall(r"\d+", value)
    if len(groups) < 3 and not value.startswith("("):
        return False
    return any(_valid(value, region) for region in _REGIONS)


def _valid(value: str, region: str | None = None) -> bool:
    try:
        number = phonenumbers.parse(value, region)
        # With its country said, a number need not be in use.
        if region is None:
            return phonenumbers.is_possible_number(number)
        return phonenumbers.is_valid_number(number)
    except phonenumbers.NumberParseException:
        return False
