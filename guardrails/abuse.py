"""In: oversize, flooding and invisible characters, rewritten to clean text.

Owns the shape of text only; insults are understood (understanding.abuse), never a reason to refuse.
"""

import re
import unicodedata

from core.contracts import CheckPorts, CheckSpec
from core.outcomes import CheckContext
from core.turns import Verdict

MAX_CHARS = 8_000
MAX_LINE_REPEATS = 3
_RUN = re.compile(r"(.)\1{19,}", re.DOTALL)
_PHRASE_RUN = re.compile(r"(\S[^\n]{1,39}?)(?:\1){11,}")
_BLANKS = re.compile(r"\n{4,}")
# Directional overrides, tags and zero-width marks hide text from people; joiners are part of emoji.
_HIDDEN = re.compile(
    "[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\U000e0000-\U000e007f]"
)


async def run(text: str, context: CheckContext, ports: CheckPorts) -> Verdict:
    """Return pass, or rewrite with the cleaned text and what was wrong as reason."""
    cleaned, reasons = clean(text)
    if not reasons:
        return Verdict("abuse", "pass")
    return Verdict("abuse", "rewrite", 1.0, ",".join(reasons), cleaned)


def clean(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the text a person would have written, and codes for what was taken out."""
    reasons: list[str] = []

    def step(name: str, changed: str) -> None:
        nonlocal text
        if changed != text:
            text = changed
            reasons.append(name)

    step("oversize", text[:MAX_CHARS])
    step("control_characters", _without_controls(text))
    step("hidden_characters", _HIDDEN.sub("", text))
    step("flooding", _without_floods(text))
    return text, tuple(reasons)


def _without_controls(text: str) -> str:
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))


def _without_floods(text: str) -> str:
    seen: dict[str, int] = {}
    kept = []
    for line in text.split("\n"):
        key = line.strip()
        seen[key] = seen.get(key, 0) + 1
        if not key or seen[key] <= MAX_LINE_REPEATS:
            kept.append(line)
    text = _RUN.sub(lambda match: match[1] * 3, "\n".join(kept))
    text = _PHRASE_RUN.sub(lambda match: match[1] * 3, text)
    return _BLANKS.sub("\n\n", text)


CHECK = CheckSpec(
    name="abuse",
    direction="in",
    order=10,
    run=run,
    summary="Cleans oversize, flooding and invisible characters.",
)
