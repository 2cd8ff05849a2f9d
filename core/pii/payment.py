"""Cards, IBANs and wallets of crypto money, by their check digits.

Owns: what counts as one. A card whose issuer is unknown counts after a word for card; nothing counts without its check.
"""

import hashlib
import re
from collections.abc import Iterator

from core.pii.found import CARD, CRYPTO, IBAN, Found

_CARD = re.compile(r"(?<![\w.-])\d(?:[ .-]?\d){11,18}(?![\w-]|\.\d)")
# Issuer numbers: Visa, Mastercard, Maestro, Amex, Diners, Discover, JCB, UnionPay.
_ISSUER = re.compile(r"(?:4|5[0-8]|6|3[0-9]|2131|1800|2[2-7])")
_CARD_LENGTHS = {
    12: r"5[06-8]|6",
    13: r"4|5[06-8]|6",
    14: r"3[0689]|5[06-8]|6",
    15: r"3[47]|2131|1800|5|6",
}
_CARD_WORD = re.compile(
    r"\b(?:(?:credit|debit|bank|visa|master|prepaid)?[ -]?cards?|visa|mastercard|maestro|amex|tarjetas?|carte|karte)\b"
    r"[^\d]{0,30}$",
    re.IGNORECASE,
)
_IBAN = re.compile(
    r"\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,4})?\b", re.IGNORECASE
)
_IBAN_FEWEST, _IBAN_MOST = 15, 34
_ETHEREUM = re.compile(r"\b0x[0-9a-fA-F]{40}\b")
_BITCOIN = re.compile(r"\b[13][1-9A-HJ-NP-Za-km-z]{25,34}\b")
_BECH32 = re.compile(r"\b(?:bc1|ltc1|tb1)[02-9ac-hj-np-z]{25,87}\b")
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def find(text: str) -> Iterator[Found]:
    """Yield IBANs, cards and wallets."""
    for start, end in _ibans(text):
        yield IBAN, start, end
    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        said = _CARD_WORD.search(text, max(0, match.start() - 60), match.start())
        if is_card(digits) or (said and _plausible(digits)):
            yield CARD, *match.span()
    for pattern in (_ETHEREUM, _BECH32):
        for match in pattern.finditer(text):
            yield CRYPTO, *match.span()
    for match in _BITCOIN.finditer(text):
        if _base58_checks(match[0]):
            yield CRYPTO, *match.span()


def is_card(digits: str) -> bool:
    """Return whether the digits are a card number: issuer, length and Luhn."""
    issuer = _CARD_LENGTHS.get(len(digits))
    fits = re.match(issuer, digits) if issuer else _ISSUER.match(digits)
    return bool(fits) and _plausible(digits)


def _plausible(digits: str) -> bool:
    return luhn(digits) and len(set(digits)) > 1


def luhn(digits: str) -> bool:
    """Return whether the last digit is the check digit of the others (ISO/IEC 7812-1)."""
    total = 0
    for position, char in enumerate(reversed(digits)):
        value = int(char) * (1 + position % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    for match in _IBAN.finditer(text):
        # A word may follow; shorten until the check digits fit.
        pieces = match[0]
        while len(pieces) >= _IBAN_FEWEST and not is_iban(pieces):
            cut = max(pieces.rfind(" "), pieces.rfind("-"))
            pieces = pieces[:cut] if cut > 0 else ""
        if len(pieces) >= _IBAN_FEWEST:
            yield match.start(), match.start() + len(pieces)


def is_iban(value: str) -> bool:
    """Return whether the check digits fit (ISO 13616)."""
    flat = re.sub(r"[ -]", "", value).upper()
    if not _IBAN_FEWEST <= len(flat) <= _IBAN_MOST:
        return False
    return int("".join(str(int(char, 36)) for char in flat[4:] + flat[:4])) % 97 == 1


def _base58_checks(value: str) -> bool:
    number = 0
    for char in value:
        number = number * 58 + _BASE58.index(char)
    try:
        raw = number.to_bytes(25, "big")
    except OverflowError:
        return False
    return hashlib.sha256(hashlib.sha256(raw[:-4]).digest()).digest()[:4] == raw[-4:]
