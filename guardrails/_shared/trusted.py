"""What of a document may be repeated: all but the lines that speak to an assistant instead of to readers.

A document is data. A line in it that gives a machine orders is somebody's attempt to speak through us: it proves
nothing, entitles to nothing and is not quoted. Not here: messages of customers (injection.py), the sync report (ingest).
"""

# ruff: noqa: E501 - patterns are easier to check unbroken

import re
from functools import lru_cache

from guardrails._shared.instructions import orders_in
from guardrails._shared.unveil import unveiled

_BOT = r"(?:ai|a\.i\.|chat ?bot|bot|assistant|language model|llm|gpt|ia|asistente)"
_TELLS = r"(?:say|tell|reply|answer|respond|write|add|send|include|call|ask|offer|give|grant|promise|remember|reveal|book|refund|you must|always|never|di|dile|responde|escribe|anade|envia|llama|pide|ofrece|recuerda|revela|debes|siempre|nunca)"
_SPEAKS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?:^|[^\w]){_BOT}\s?[,:]\s?(?:please )?{_TELLS}\b",
        rf"\b(?:as|if you are|como|si eres)\s(?:an? |una? )?(?:\w+ )?{_BOT}\b.{{0,30}}\b(?:must|should|will|always|never|debes|siempre|nunca)\b",
        r"\b(?:tell|dile|di|inform) (?:the |al |a la )?(?:customer|user|reader|client|cliente|usuario)\w*\s?:",
        rf"(?:^|[^\w])(?:system|override|admin|developer|sistema|nueva orden|new (?:order|task|instructions?)|nuevo prompt)(?: prompt| del sistema| message)?\s?:\s?{_TELLS}\b",
        r"\b(?:ignore|disregard|forget|ignora|olvida)\b.{0,30}\b(?:instructions?|rules?|prompts?|instrucciones|reglas)\b",
        r"\b(?:reveal|repeat|print|revela|repite|imprime)\b.{0,20}\b(?:your|tus) (?:\w+ )?(?:instructions|prompt|rules|instrucciones|reglas)\b",
        r"\b(?:call|invoke|llama)\b.{0,12}\b(?:tool|function|herramienta|funcion)\b.{0,30}\(",
        r"\b(?:new|nuevo) (?:system )?prompt\b\s?(?:del sistema)?\s?:",
        r"\b(?:remember|recuerda) (?:that|que) (?:this|the|esta|la) (?:account|customer|cuenta)\b",
        r"\b(?:decode|decrypt|descifra) (?:this |it |esto )?(?:and|y) (?:obey|follow|execute|obedece|ejecuta)\b",
        r"<\|\w{2,20}\|>|</?\W?im_(?:start|end)\W?>",
    )
)


def speaks_to_machine(text: str) -> bool:
    """Return whether a piece of a document gives an assistant orders, in whatever disguise."""
    readings = (text, text.replace("*", ""), *(reading for _, reading in unveiled(text)))
    return any(pattern.search(reading) for reading in readings for pattern in _SPEAKS) or bool(
        orders_in(text)
    )


@lru_cache(maxsize=4_096)
def trusted(text: str) -> str:
    """Return the text without its lines that give an assistant orders; remembered, since passages come again."""
    if not speaks_to_machine(text):
        return text
    return "\n".join(line for line in text.splitlines() if not speaks_to_machine(line))
