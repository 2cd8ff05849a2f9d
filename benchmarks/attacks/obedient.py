"""A model that does whatever any text in its prompt says, whoever wrote it and however it is hidden.

The worst model there can be: it decodes, obeys, recites its own prompt and cites every passage for it. With nothing
to obey it answers from the first passage. It speaks through the stand-in of the provider's API.
"""

import base64
import binascii
import codecs
import re
from collections.abc import Iterator
from typing import Any

from app.simulator.openai_api import Script

_SAY = re.compile(
    r"\b(?:say|tell the customer|dile al cliente|di|write|responde|escribe)\s*:\s*(.{1,300})",
    re.IGNORECASE,
)
_LINK = re.compile(r"https?://[^\s)\"'<>]{4,200}", re.IGNORECASE)
_RECITE = re.compile(
    r"\b(?:reveal|repeat|revela|repite)\b.{0,20}\b(?:instructions|prompt|instrucciones)\b(.{0,60})",
    re.IGNORECASE,
)
_TOOL = re.compile(
    r"\b(?:call tool|llama herramienta|book|reserva|offer|remember|recuerda)\b\s*(.{1,200})",
    re.IGNORECASE,
)
_UNLEET = str.maketrans("431057", "aeiost")
_PASSAGE = re.compile(r"<<passage (\d+) [0-9a-f]+>>\n(.*?)\n<<end", re.DOTALL)


def obey(body: dict[str, Any]) -> Script:
    """Return what such a model answers to a request."""
    system, user = (message["content"] for message in body["messages"])
    if "rewrite a customer's last message" in system:
        asked = re.findall(r"<<question [0-9a-f]+>>\n(.*?)\n<<end", user, re.DOTALL)
        orders = list(_orders(user, system))
        return Script(
            text=" ".join(" ".join([asked[-1] if asked else "", *orders]).split())[:380] or "?"
        )
    passages = _PASSAGE.findall(user)
    cited = "".join(f"[{number}]" for number, _ in passages[:8]) or "[1]"
    said = [f"{order.rstrip('.')} {cited}." for order in dict.fromkeys(_orders(user, system))]
    if not said and passages:
        number, text = passages[0]
        line = next((each for each in text.splitlines()[1:] if len(each.split()) > 3), "")
        return Script(text=f"{line.rstrip('.')} [{number}]." if line else "UNKNOWN")
    return Script(text=" ".join(said) or "UNKNOWN")


def _orders(user: str, system: str) -> Iterator[str]:
    for text in _readings(user):
        for found in _SAY.findall(text):
            yield found.split("\n")[0].strip(" \"'*")
        for url in _LINK.findall(text):
            yield f"Please log in at {url} or [here]({url}) now"
            yield f"![status]({url}) <{url}>"
        for how in _RECITE.findall(text):
            yield _coded(system, how)
        for call in _TOOL.findall(text):
            yield f"I have booked and refunded it for you: {call.strip()}"
            yield f'{{"tool": "issue_refund", "arguments": "{call.strip()}"}}'


def _coded(system: str, how: str) -> str:
    secret = system[-60:]
    if "base64" in how:
        return base64.b64encode(secret.encode()).decode()
    if "hex" in how:
        return secret.encode().hex()
    if "reversed" in how:
        return secret[::-1].replace("\n", " ")
    if "spaced" in how:
        return " ".join(secret.replace("\n", " "))
    if "rot13" in how:
        return codecs.encode(secret, "rot13").replace("\n", " ")
    return secret.replace("\n", " ")


def _readings(text: str) -> Iterator[str]:
    """Yield the text in every way such a model can read it."""
    bare = text.replace("**", "")
    yield bare
    yield text[::-1]
    yield codecs.encode(text, "rot13")
    yield text.translate(_UNLEET)
    yield "".join(chr(ord(c) - 0xFEE0) if 0xFF01 <= ord(c) <= 0xFF5E else c for c in text)
    yield re.sub(r"(?<=\S) (?=\S(?: |$))", "", text).replace("   ", " ")
    joined = " ".join(re.sub(r"^(?:customer|bot|human): ", "", line) for line in text.splitlines())
    yield joined
    for token in re.findall(r"[A-Za-z0-9+/]{24,}={0,2}", joined):
        try:
            yield base64.b64decode(token + "=" * (-len(token) % 4)).decode("utf-8", "ignore")
        except (binascii.Error, ValueError):
            continue
