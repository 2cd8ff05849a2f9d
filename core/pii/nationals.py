"""Numbers that states give to people, by check digit and, where that is weak, by the words before.

Owns: US SSN and ITIN; ES DNI/NIE, UK NINO and NHS, DE tax id, FR NIR, IT codice fiscale, NL BSN, PL PESEL, BR CPF,
IN Aadhaar; passports and driving licences after their word. One digit in eleven passes a modulus check by chance: bare
digits without a fixed layout therefore need their word too.
"""

# ruff: noqa: E501 - patterns are easier to check unbroken

import re
from collections.abc import Callable, Iterator
from datetime import date

from core.pii.found import LICENCE, NATIONAL_ID, PASSPORT, SSN, Found

_SSN = re.compile(r"(?<![\w-])(?!000|666|9\d\d)\d{3}([ .-])(?!00)\d{2}\1(?!0000)\d{4}(?![\w-])")
_SSN_SAID = re.compile(
    r"\b(?:ssn|social security|seguridad social)\D{0,30}((?!000|666|9)\d{3}[ .-]?\d{2}[ .-]?\d{4})\b",
    re.IGNORECASE,
)
_ITIN = re.compile(r"(?<![\w-])9\d\d([ -])(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])\1\d{4}(?![\w-])")
_PASSPORT = re.compile(
    r"\b(?:passport|pasaporte|passeport|reisepass)(?: (?:no|nr|number|num|número|numero))?\W{0,4}(?:is |es )?(?=\w*\d{4})([A-Z0-9]{6,10})\b",
    re.IGNORECASE,
)
_LICENCE = re.compile(
    r"\b(?:driv(?:er'?s?|ing) licen[cs]e|permiso de conducir|licencia de conducir|carn[eé] de conducir)(?: (?:no|nr|number|num|número|numero))?"
    r"\W{0,4}(?:is |es )?(?=[\w-]*\d{4})([A-Z0-9-]{6,20})\b",
    re.IGNORECASE,
)
# Kind, pattern, and the group that is the number.
_WRITTEN = (
    (SSN, _SSN, 0),
    (SSN, _SSN_SAID, 1),
    (NATIONAL_ID, _ITIN, 0),
    (PASSPORT, _PASSPORT, 1),
    (LICENCE, _LICENCE, 1),
)
_VERHOEFF_D = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_VERHOEFF_P = (
    "0123456789", "1576283094", "5803796142", "8916043527",
    "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip
_CF_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)  # fmt: skip


def find(text: str) -> Iterator[Found]:
    """Yield numbers of people; kinds US_SSN, NATIONAL_ID, PASSPORT, DRIVER_LICENSE."""
    for kind, pattern, group in _WRITTEN:
        for match in pattern.finditer(text):
            yield kind, *match.span(group)
    for pattern, holds, word in _NUMBERS:
        for match in pattern.finditer(text):
            flat = re.sub(r"[^A-Z0-9]", "", match[0].upper())
            before = text[max(0, match.start() - 50) : match.start()]
            if holds(flat) and (word is None or word.search(before)):
                yield NATIONAL_ID, *match.span()


def _spanish(flat: str) -> bool:
    number = flat[:-1].translate(str.maketrans("XYZ", "012"))
    return number.isdigit() and "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == flat[-1]


def _nhs(flat: str) -> bool:
    rest = 11 - sum(int(d) * w for d, w in zip(flat, range(10, 1, -1), strict=False)) % 11
    return rest % 11 == int(flat[9])


def _german(flat: str) -> bool:
    """Steuer-ID: ISO 7064 MOD 11,10; one digit twice or thrice among the first ten."""
    if len(set(flat[:10])) not in (8, 9):
        return False
    product = 10
    for digit in flat[:10]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(flat[10])


def _french(flat: str) -> bool:
    digits = flat.replace("2A", "19").replace("2B", "18")
    return digits.isdigit() and 97 - int(digits[:13]) % 97 == int(digits[13:])


def _italian(flat: str) -> bool:
    total = 0
    for position, char in enumerate(flat[:15]):
        value = int(char, 36) - 10 if char.isalpha() else int(char)
        total += value if position % 2 else _CF_ODD[value]
    return chr(65 + total % 26) == flat[15]


def _dutch(flat: str) -> bool:
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    return (
        any(flat.strip("0"))
        and sum(int(d) * w for d, w in zip(flat, weights, strict=True)) % 11 == 0
    )


def _polish(flat: str) -> bool:
    weights = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)
    total = sum(int(d) * w for d, w in zip(flat, weights, strict=False))
    century = {0: 1900, 1: 2000, 2: 2100, 3: 2200, 4: 1800}[int(flat[2]) // 2]
    try:
        date(century + int(flat[:2]), int(flat[2:4]) % 20, int(flat[4:6]))
    except ValueError:
        return False
    return (10 - total % 10) % 10 == int(flat[10])


def _brazilian(flat: str) -> bool:
    def check(digits: str) -> int:
        total = sum(int(d) * w for d, w in zip(digits, range(len(digits) + 1, 1, -1), strict=True))
        return total * 10 % 11 % 10

    return (
        len(set(flat)) > 1 and check(flat[:9]) == int(flat[9]) and check(flat[:10]) == int(flat[10])
    )


def _aadhaar(flat: str) -> bool:
    state = 0
    for position, digit in enumerate(reversed(flat)):
        state = int(_VERHOEFF_D[state][int(_VERHOEFF_P[position % 8][int(digit)])])
    return state == 0 and flat[0] not in "01"


def _always(flat: str) -> bool:
    return bool(flat)


def _word(words: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words})\b[^\d]{{0,30}}$", re.IGNORECASE)


_Numbers = tuple[tuple[re.Pattern[str], Callable[[str], bool], re.Pattern[str] | None], ...]
_NUMBERS: _Numbers = (
    (re.compile(r"(?<![\w-])(?:\d{8}|[XYZxyz][ -]?\d{7})[ -]?[A-Za-z](?![\w-])"), _spanish, None),
    (
        re.compile(r"(?<![\w-])(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"
                   r"(?: ?\d\d){3} ?[A-D](?![\w-])"), _always, None,
    ),
    (re.compile(r"(?<![\w-])\d{3}[ -]?\d{3}[ -]?\d{4}(?![\w-])"), _nhs, _word("nhs(?: number| no)?")),
    (
        re.compile(r"(?<![\w-])[1-9]\d(?: ?\d{3}){3}(?![\w-])"), _german,
        _word("tax id|steuer-?id\\w*|steuerliche\\w*|steueridentifikationsnummer|idnr|tin"),
    ),
    (
        re.compile(r"(?<![\w-])[12] ?\d\d ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d(?![\w-])"),
        _french, None,
    ),
    (
        re.compile(r"(?<![\w-])[A-Z]{6}\d\d[A-EHLMPRST]\d\d[A-Z]\d{3}[A-Z](?![\w-])", re.IGNORECASE),
        _italian, None,
    ),
    (
        re.compile(r"(?<![\w-])\d{4}[ .]?\d{2}[ .]?\d{3}(?![\w-])"), _dutch,
        _word("bsn|burgerservicenummer|sofi\\w*"),
    ),
    (re.compile(r"(?<![\w-])\d{11}(?![\w-])"), _polish, _word("pesel(?: number)?")),
    (re.compile(r"(?<![\w-])\d{3}\.\d{3}\.\d{3}-\d\d(?![\w-])"), _brazilian, None),
    (re.compile(r"(?<![\w-])\d{11}(?![\w-])"), _brazilian, _word("cpf(?: number)?")),
    (re.compile(r"(?<![\w-])\d{4}([ -])\d{4}\1\d{4}(?![\w -]*\d)"), _aadhaar, None),
    (re.compile(r"(?<![\w-])\d{12}(?![\w-])"), _aadhaar, _word("aadhaar|aadhar|uidai")),
)  # fmt: skip
