"""What opens doors: API keys, tokens, passwords, private keys, connection strings.

Owns known shapes, what stands after a word for a secret, and long random-looking tokens by their entropy. Not here: who
may see one (nobody; guardrails/secrets.py).
"""

# ruff: noqa: E501 - patterns are easier to check unbroken

import math
import re
from collections import Counter
from collections.abc import Iterator

from core.pii.found import CREDENTIAL, Found

_SHAPES = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]{0,8000}?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)"
    r"|\b(?:AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{30,255}\b|\bgithub_pat_\w{30,255}\b|\bglpat-[\w-]{20,100}"
    r"|\bxox[abeoprs]-[\w-]{10,200}|\bxapp-[\w-]{10,200}"
    r"|\b(?:sk|rk|pk)[-_](?:live|test|proj|ant|or)[-_][\w-]{16,200}|\bsk-[A-Za-z0-9]{20,200}\b|\bwhsec_[\w+/=]{16,100}"
    r"|\bAIza[\w-]{35}\b|\bya29\.[\w-]{20,300}"
    r"|\beyJ[\w-]{8,2000}\.[\w-]{8,4000}\.[\w-]{8,1000}"
    r"|\bSG\.[\w-]{16,64}\.[\w-]{16,64}|\bnpm_[A-Za-z0-9]{36}\b|\bpypi-[\w-]{40,300}|\bhf_[A-Za-z0-9]{30,60}\b"
    r"|\busk_[A-Za-z0-9_-]{12,100}|\bdop_v1_[0-9a-f]{64}\b|\bshp(?:at|ss|ca|pa)_[0-9a-fA-F]{32}\b"
    r"|\b(?:AccountKey|SharedAccessKey)=[\w+/=]{20,200}"
)
_CONNECTION = re.compile(
    r"\b[a-z][a-z0-9+]{2,20}://[^\s/@:]{1,100}:[^\s/@]{1,200}@\S{1,300}", re.IGNORECASE
)
# After `password:` or `password=` anything counts; after "password is" only what no word looks like.
_WORD = r"(?:pass(?:word|wd|code|phrase)?|pwd|contraseñas?|contrasenas?|clave(?: secreta)?|secret(?: key)?|api[ _-]?keys?|access[ _-]?keys?|auth[ _-]?token|token|client[ _-]?secret|bearer)"
_ASSIGNED = re.compile(
    rf"\b{_WORD}[\"']?\s{{0,2}}[:=]\s{{0,2}}[\"']?([^\s\"'<>,;]{{6,200}})", re.IGNORECASE
)
_SAID = re.compile(
    rf"\b{_WORD}\s+(?:(?:for \w+|is|es|was|to|here|now)\s+){{0,3}}[\"'`]?([^\s\"'`<>,;]{{6,200}})",
    re.IGNORECASE,
)
_PIN = re.compile(
    r"\b(?:pin|cvv|cvc|otp|one[- ]time code|verification code|security code|código de (?:verificación|seguridad))"
    r"(?: (?:is|es|code|number|:))*\W{1,3}(\d{3,8})\b",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"(?<![\w/.#@+=-])[A-Za-z0-9_+=-]{24,200}(?![\w/@.])")
_FEWEST_BITS = 4.0
_PLACEHOLDER = re.compile(
    r"^(?:[*•x.…_-]+|<.*|\{.*|\[.*|your\W?.*|\$.*|example.*|redacted.*|tu\W.*)$", re.IGNORECASE
)


def find(text: str) -> Iterator[Found]:
    """Yield secrets by shape, and by the word before them."""
    for start, end in (*_shaped(text), *_said(text)):
        yield CREDENTIAL, start, end


def find_random(text: str) -> Iterator[Found]:
    """Yield long tokens that look random."""
    for match in _TOKEN.finditer(text):
        if _is_random(match[0]):
            yield CREDENTIAL, *match.span()


def _shaped(text: str) -> Iterator[tuple[int, int]]:
    for match in _SHAPES.finditer(text):
        yield match.span()
    if "://" in text:
        for match in _CONNECTION.finditer(text):
            yield match.span()


def _said(text: str) -> Iterator[tuple[int, int]]:
    for pattern, assigned in ((_ASSIGNED, True), (_SAID, False)):
        for match in pattern.finditer(text):
            if _is_secret(match[1], assigned=assigned):
                yield match.start(1), match.start(1) + len(match[1].rstrip(".!?)"))
    for match in _PIN.finditer(text):
        yield match.span(1)


def _is_secret(value: str, *, assigned: bool) -> bool:
    value = value.rstrip(".!?)")
    if len(value) < 6 or _PLACEHOLDER.match(value) or "://" in value:
        return False
    if assigned:
        kinds = _classes(value)
        return "digit" in kinds or {"upper", "lower"} <= _classes(value[1:])
    # A sentence goes on: a capital first letter, a hyphen or an apostrophe make no password.
    inner = re.sub(r"[-'’/]", "", value)
    return (
        "digit" in _classes(inner)
        and len(_classes(inner)) >= 2
        and not re.fullmatch(r"[\d.,:]+\w{0,3}", inner)
    )


def _is_random(value: str) -> bool:
    if not {"upper", "lower", "digit"} <= _classes(value) or "--" in value:
        return False
    counts = Counter(value)
    bits = -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())
    # Words joined by hyphens or underscores reach the entropy too, but have few digits.
    digits = sum(char.isdigit() for char in value)
    return bits >= _FEWEST_BITS and digits >= len(value) / 12


def _classes(value: str) -> set[str]:
    found = set()
    for char in value:
        if char.isdigit():
            found.add("digit")
        elif char.isalpha():
            found.add("upper" if char.isupper() else "lower")
        else:
            found.add("mark")
    return found
