"""What a find is, and which kinds there are."""

import re

Found = tuple[str, int, int]
Span = tuple[int, int]

CARD, IBAN, CRYPTO = "CREDIT_CARD", "IBAN_CODE", "CRYPTO"
SSN, NATIONAL_ID = "US_SSN", "NATIONAL_ID"
PASSPORT, LICENCE = "PASSPORT", "DRIVER_LICENSE"
MAIL, PHONE, IP, URL = "EMAIL_ADDRESS", "PHONE_NUMBER", "IP_ADDRESS", "URL_WITH_TOKEN"
PERSON, ADDRESS, BIRTH = "PERSON", "STREET_ADDRESS", "DATE_OF_BIRTH"
CREDENTIAL = "CREDENTIAL"

# Never said to anybody and never kept, whoever they belong to.
SECRET = frozenset({CARD, IBAN, SSN, NATIONAL_ID, PASSPORT, LICENCE, CREDENTIAL, URL, CRYPTO})

_DIGITS_ONLY = frozenset({PHONE, CARD})
_SEPARATORS = {ord(c): " " for c in "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008"}
_SEPARATORS |= {ord(c): " " for c in "\u2009\u200a\u202f\u205f\u3000\u200b\u200c\u200d\u2060\ufeff"}
_SEPARATORS |= {ord(c): "-" for c in "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\uff0d"}
_WIDE = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)} | _SEPARATORS
_OTHER_DIGIT = re.compile(r"[^\W0-9a-zA-Z_]")


def plain(text: str) -> str:
    """Return the text with wide, foreign and invisible marks as the ASCII ones they stand for, same length."""
    if text.isascii():
        return text
    text = text.translate(_WIDE)
    return _OTHER_DIGIT.sub(lambda m: str(int(m[0])) if m[0].isdecimal() else m[0], text)


def same_value(kind: str, value: str) -> str:
    """Return the value as it is compared: digits of numbers, lower case and no spaces of the rest."""
    if kind in _DIGITS_ONLY:
        return re.sub(r"\D", "", value)
    if kind in (SSN, NATIONAL_ID, IBAN):
        return re.sub(r"[^a-z0-9]", "", value.lower())
    return re.sub(r"\s+", "", value).lower()
