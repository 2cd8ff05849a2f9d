"""Where a person or machine is reached: mail, phones, IP addresses, and links that carry a key.

Owns the shapes. Phones must be said to be one, or be valid somewhere and written like one (`phonenumbers`).
"""

# ruff: noqa: E501 - patterns are easier to check unbroken

import ipaddress
import re
from collections.abc import Iterator

import phonenumbers

from core.pii.found import IP, MAIL, PHONE, URL, Found

_REGIONS = ("US", "GB", "ES", "MX", "FR", "DE", "IT", "SE", "CH", "BE", "NO", "PL", "AU")
_MAIL = re.compile(
    r"(?<![\w.+-])[A-Za-z0-9_][\w.+%'-]{0,63}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}\b"
)
_MAIL_SAID = re.compile(
    r"\b[A-Za-z0-9][\w.+-]{0,63} ?(?:\(at\)|\[at\]|\{at\}| at ) ?[\w-]{1,63} ?(?:\(dot\)|\[dot\]|\{dot\}| dot ) ?[A-Za-z]{2,24}\b",
    re.IGNORECASE,
)
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:])(?:[0-9A-Fa-f]{1,4}:){2,7}(?::?[0-9A-Fa-f]{1,4}){1,7}(?![\w:])")
_VERSION = re.compile(r"\b(?:v|ver|version|release|build|firmware)\.?\s*$", re.IGNORECASE)
_URL = re.compile(
    r"\b(?:https?|ftps?|wss?)://(?:[^\s/@:]{1,100}:[^\s/@]{1,200}@\S{1,500}"
    r"|[^\s?#]{1,500}[?#]\S{0,500}?(?:token|key|sig|signature|secret|password|passwd|pwd|auth|session(?:id)?|code|jwt|credential)=[^\s&#\"'<>]{6,500}[^\s\"'<>]{0,500})",
    re.IGNORECASE,
)
_NOT_PHONE = re.compile(
    r"(?:(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)\d\d|(?:19|20)\d\d-(?:19|20)\d\d|\d{3}-\d\d-\d{4})(?:\s.*)?"
)
_WORD_AFTER = re.compile(
    r"\s*(?:\(|,|-)?\s*(?:office|fax|mobile|phone|cell|home|work|movil|oficina)\b", re.IGNORECASE
)
_PHONE_SHAPE = re.compile(r"(?<![\w.@/#-])(?:\+|\(|\d)[\d\s().\-/]{5,22}\d(?![\w-]|[.,]\d)")
_PHONE_WORD = re.compile(
    r"\b(?:phone|call|tel|telephone|mobile|cell|fax|whatsapp|sms|text|reach|dial|ring|messages? to|number(?: is|:)|telefono|teléfono|movil|móvil|llam\w*"
    r"|celular|handy|telefon|contact)\b[^\d+]{0,30}$",
    re.IGNORECASE,
)
_NOT_PHONE_WORD = re.compile(
    r"\b(?:order|invoice|ticket|case|id|ref|reference|version|error|code|account|row|pedido|factura|cuenta|codigo|booking|policy|serial)\b"
    r"\W{0,3}(?:number|no|nr|#|numero|número)?\W{0,3}(?:is|es)?\W{0,3}$",
    re.IGNORECASE,
)


def find_links_and_mails(text: str) -> Iterator[Found]:
    """Yield links with a key, and mail addresses."""
    if "://" in text:
        for match in _URL.finditer(text):
            yield URL, *match.span()
    if "@" in text:
        for match in _MAIL.finditer(text):
            yield MAIL, *match.span()
    for match in _MAIL_SAID.finditer(text):
        yield MAIL, *match.span()


def find_numbers(text: str) -> Iterator[Found]:
    """Yield IP addresses and phone numbers."""
    for start, end in _addresses(text):
        yield IP, start, end
    for start, end in _phones(text):
        yield PHONE, start, end


def _addresses(text: str) -> Iterator[tuple[int, int]]:
    for match in (*_IPV4.finditer(text), *_IPV6.finditer(text)):
        if _VERSION.search(text, max(0, match.start() - 12), match.start()):
            continue
        try:
            ipaddress.ip_address(match[0])
        except ValueError:
            continue
        yield match.span()


def _phones(text: str) -> Iterator[tuple[int, int]]:
    for match in _PHONE_SHAPE.finditer(text):
        value = match[0]
        digits = re.sub(r"\D", "", value)
        if not 7 <= len(digits) <= 15 or _NOT_PHONE.fullmatch(value.strip()):
            continue
        before = text[max(0, match.start() - 60) : match.start()]
        if _is_phone(value, digits, before, text[match.end() : match.end() + 20]):
            yield match.span()


def _is_phone(value: str, digits: str, before: str, after: str) -> bool:
    """Return whether the figures are a phone number: said so, or valid somewhere and written like one."""
    said = bool(_PHONE_WORD.search(before) or _WORD_AFTER.match(after))
    if value.startswith(("+", "00")):
        return said or _valid("+" + digits.removeprefix("00"))
    other = _NOT_PHONE_WORD.search(before[-40:])
    if said and not other:
        return True
    if other or re.search(r"\s\s|\n", value):
        return False
    # Two groups parted by a space are house numbers and streets as often as phones.
    groups = re.findall(r"\d+", value)
    if len(groups) < 3 and not value.startswith("("):
        return False
    return any(_valid(value, region) for region in _REGIONS)


def _valid(value: str, region: str | None = None) -> bool:
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        return False
    # With its country said, a number need not be in use.
    if region is None:
        return phonenumbers.is_possible_number(number)
    return phonenumbers.is_valid_number(number)
