"""Notices a page that speaks to an assistant instead of to readers.

Owns the patterns for documents, in English and Spanish. Such a page stays data and is ingested as it
is: what it says has no power over the bot (guardrails); the people who own the page should know.
Not here: messages of customers (guardrails/injection.py).
"""

# ruff: noqa: E501 - patterns are easier to check unbroken

import re

_ASSISTANT = r"(?:ai|a\.i\.|chat ?bots?|bots?|assistants?|language models?|llms?|gpt|ia|asistentes?|agentes? de ia)"
_RULES = r"(?:instructions?|rules?|prompts?|guidelines?|directives?|instrucciones|reglas|indicaciones|directrices)"
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # an order to drop what the assistant was told
        rf"\b(?:ignore|disregard|forget|override|bypass)\b[^.\n]{{0,30}}\b(?:previous|prior|above|earlier|preceding|your|system|all (?:of )?(?:the|your))\b[^.\n]{{0,25}}\b{_RULES}",
        rf"\b(?:ignor[ae]|olvid[ae]|omit[ae]|desobede(?:ce|zca))\b[^.\n]{{0,30}}\b{_RULES}\b[^.\n]{{0,20}}\b(?:anteriores|previas|del sistema|recibidas)",
        rf"\b(?:ignora|olvida|desobedece)\b[^.\n]{{0,12}}\b(?:tus|todas tus)\b[^.\n]{{0,12}}\b{_RULES}",
        # an order addressed to the machine by name
        rf"(?:^|[.\n:*#>(\[-]\s*)(?:note|notice|attention|important|instructions?|message|nota|aviso|atención|instrucciones|mensaje)\s+(?:to|for|para)\s+(?:the |any |all |el |los |la |las )?(?:\w+ )?{_ASSISTANT}\b\s*(?:[:,.—–-]|reading|that|que)",
        rf"\b(?:if you are|as|si eres)\s+(?:an? |una? )?(?:\w+ )?{_ASSISTANT}\b[^.\n]{{0,60}}\b(?:you must|you should|always|never|do not|don't|debes|siempre|nunca|no digas)",
        rf"\b(?:dear|hey|querid[oa])\s+{_ASSISTANT}\b",
        r"(?:^|[.\n:]\s*)(?:assistant|ai|chatbot|asistente)\s*[,:]\s*(?:you must|please|always|never|tell|say|reply|answer|send|ask|reveal|offer|do not|debes|responde|di|env[ií]a|pide|nunca|siempre)\b",
        # a prompt's own marks
        r"<\|(?:im_start|im_end|system|endoftext)\|>|\[/?INST\]|<</?SYS>>",
        r"(?:^|\n)\s*#{0,6}\s*(?:new |updated |nuevas? )?(?:system (?:prompt|instructions?|message|override)|prompt del sistema)\s*:",
        # a new role, or words to pass on
        r"\b(?:you are now|from now on,? you (?:are (?:an?|in|no)|must|will (?:act|answer|respond|reply|obey|only|speak|pretend))|pretend (?:to be|you are)|a partir de ahora,? (?:eres|debes|responde))\b",
        r"\b(?:reveal|print|repeat|output|revela|imprime|repite)\b[^.\n]{0,20}\b(?:your|the|tus?|el) (?:\w+ )?(?:system prompt|hidden instructions|initial instructions|prompt|instrucciones del sistema)\b",
        rf"\bwhen (?:a |the )?(?:customer|user|client)s? asks?\b[^.\n]{{0,80}}\b(?:the |this |your )?{_ASSISTANT}\b[^.\n]{{0,20}}\b(?:must|should|will|has to)\b",
    )
)
_EXCERPT = 120


def instruction_in(text: str) -> str | None:
    """Return the words with which a text instructs an assistant, at most 120 characters, or None."""
    found = min(
        (match for pattern in _PATTERNS if (match := pattern.search(text))),
        key=lambda match: match.start(),
        default=None,
    )
    if found is None:
        return None
    words = " ".join(text[found.start() : found.start() + 2 * _EXCERPT].split())
    return words.lstrip(".:*#>( -")[:_EXCERPT]


def warning_about(visible: str, hidden: str = "") -> tuple[str, ...]:
    """Return what the sync report should say of a page's text, and of what was hidden in it."""
    said = []
    if (words := instruction_in(visible)) is not None:
        said.append(f"speaks to the assistant: {words!r}")
    if (words := instruction_in(hidden)) is not None:
        said.append(f"hides words for the assistant, left out: {words!r}")
    return tuple(said)
