"""Every sentence of ours passes every outgoing check in both languages, for the glad and the sad."""

import re

import pytest
import yaml

from core.contracts import CheckPorts, CheckSpec
from core.discovery import discover
from core.outcomes import Outcome
from core.understanding import Understanding
from handlers._shared.lines import FOLDER
from tests.guardrails.conftest import MakeContext

CHECKS = [c for c in discover("guardrails", CheckSpec).values() if c.direction != "in"]
# What effects and claims of their turns entitle these lines to say.
CLAIMS = frozenset({"booked", "moved", "cancelled", "remembered", "forgotten", "escalated"})


def lines(locale: str) -> list[tuple[str, str]]:
    found = yaml.safe_load((FOLDER / f"{locale}.yaml").read_text("utf-8"))
    return [
        (key, re.sub(r"\{\w+\}", "Acme", text))
        for key, value in found.items()
        for text in (value.values() if isinstance(value, dict) else [value])
        if isinstance(text, str) and not key.startswith("words.")
    ]


@pytest.mark.parametrize("locale", ["en", "es"])
@pytest.mark.parametrize("sentiment", [0.4, -0.8])
async def test_every_line_passes_every_check(
    context: MakeContext, ports: CheckPorts, locale: str, sentiment: float
) -> None:
    stopped = []
    for key, text in lines(locale):
        given = context(
            Outcome(text, "handler", claims=CLAIMS),
            understanding=Understanding(sentiment=sentiment),
            locale=locale,
            asks="email" if "email" in key else None,
        )
        for check in CHECKS:
            verdict = await check.run(text, given, ports)
            stopped += [(key, check.name, verdict.reason)] if verdict.verdict != "pass" else []
    assert stopped == []
