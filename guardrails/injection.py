"""In: attempts to instruct the assistant. Lowers what the turn may do; never blocks a customer.

Owns exact patterns and the use of the score. The score alone is wrong about look-alikes too often
(shared figures: 75 % of harmless texts with attack words), so it only takes generation away.
"""

# ruff: noqa: E501 - patterns are easier to check unbroken

import re

from core.contracts import CheckPorts, CheckSpec
from core.outcomes import CheckContext
from core.turns import Verdict

SUSPECT = 0.7
ALL_LIMITS = ("no_tools", "no_memory", "quote_only")
SCORE_LIMITS = ("quote_only",)

_PATTERNS: tuple[tuple[str, str], ...] = (
    (
        "override",
        r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,30}\b(?:previous|prior|above|preceding|earlier|your|all|any)\b.{0,20}"
        r"\b(?:instructions?|rules?|prompts?|orders|guidelines|guardrails|polic(?:y|ies)|programming)\b",
    ),
    (
        "override",
        r"\b(?:ignora|olvida|desobedece)\b.{0,20}\b(?:todas )?(?:tus|las) (?:instrucciones|reglas|ordenes|indicaciones|directrices)\b",
    ),
    (
        "prompt",
        r"\b(?:system|hidden|initial|secret|developer)\s+(?:prompt|instructions|message)\b.{0,80}|\bprompt (?:de|del) sistema\b",
    ),
    (
        "prompt",
        r"\b(?:reveal|print|repeat|show|output|translate|leak)\b.{0,25}\byour (?:\w+ )?(?:instructions|prompt|rules|configuration|secrets?)\b",
    ),
    (
        "role",
        r"\b(?:you are (?:now|no longer)|from now on you(?:'re| are| will| must)?|pretend (?:to be|you are|you're)|act as)\b.{0,60}"
        r"\b(?:dan|unrestricted|without (?:any )?(?:rules|restrictions|filters?)|no (?:rules|restrictions|filters?|policy)|jailbr\w+|root|hacker"
        r"|administrator|developer mode|an? (?:assistant|ai|bot))\b",
    ),
    (
        "role",
        r"\b(?:developer|dan|god|jailbreak) mode\b.{0,30}\b(?:on|enabled?|activated?)\b|\b(?:enter|enable|activate)\b.{0,12}\b(?:dan|god|jailbreak|developer) mode\b",
    ),
    (
        "tag",
        r"(?:^|\n)\s*(?:#{2,}\s*)?(?:\[|<\|?|\{)?\s*(?:system|assistant|im_start|inst)\s*(?:\]|\|?>|\})?\s*:?\s*(?:new |override|you |the customer|grant|ignore)",
    ),
    ("tag", r"<\|(?:im_start|im_end|system|endoftext)\|>|\[/?INST\]|<</?SYS>>"),
    (
        "tool",
        r"\b(?:call|invoke|execute|run)\b.{0,20}\b(?:refund|coupon|admin|payment|delete)\w*[ _](?:tool|function|command|api)\b",
    ),
    (
        "tool",
        r"\b(?:api[ _]?key|password|credentials|secret key|conversation history)s?\b.{0,40}\b(?:send|post|forward|upload|email|exfiltrate)\b.{0,20}\bto\b",
    ),
    (
        "tool",
        r"\b(?:show|give|list|tell)\b.{0,15}\b(?:other|another|all) customers?'?s?'? (?:data|records|emails|bookings|conversations|details)\b",
    ),
)
_COMPILED = tuple(
    (name, re.compile(pattern, re.IGNORECASE | re.DOTALL)) for name, pattern in _PATTERNS
)
# What people say about their own words and work, not to the machine.
_HARMLESS = re.compile(
    r"\b(?:ignore|disregard|forget|ignora|olvida)\b.{0,12}\b(?:my|mi|the last) (?:last |previous |prior |earlier |ultimo )?(?:message|mail|email|question|note"
    r"|mensaje|correo|pregunta)\b|\bsystem message (?:says|said|shows|appears)\b|\b(?:the|a) system message\b",
    re.IGNORECASE,
)


async def run(text: str, context: CheckContext, ports: CheckPorts) -> Verdict:
    """Return pass with the privileges this turn loses; `score` is the head's, or 1 for a pattern."""
    score = context.understanding.injection if context.understanding else 0.0
    matched = patterns(text)
    if matched:
        return Verdict(
            "injection", "pass", max(score, 0.9), f"pattern_{matched[0]}", limits=ALL_LIMITS
        )
    if score >= SUSPECT:
        return Verdict("injection", "pass", score, "score", limits=SCORE_LIMITS)
    return Verdict("injection", "pass", score)


def patterns(text: str) -> tuple[str, ...]:
    """Return the names of the patterns that occur in the text's first 8 000 characters."""
    text = _HARMLESS.sub(" ", " ".join(text[:8_000].split(" ")))
    return tuple(dict.fromkeys(name for name, pattern in _COMPILED if pattern.search(text)))


CHECK = CheckSpec(
    name="injection",
    direction="in",
    order=20,
    run=run,
    summary="Lowers privileges when a text tries to instruct the assistant.",
)
