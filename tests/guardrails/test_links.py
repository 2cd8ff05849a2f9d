import pytest

from core.contracts import CheckPorts
from core.outcomes import Outcome
from guardrails.links import CHECK
from tests.guardrails.conftest import TENANT, MakeContext, State, cited, passage

DOCS = (passage(1, "See https://status.vendor.example/now.", "https://docs.lumen.example/a"),)


def outcome(text: str) -> Outcome:
    return Outcome(text, citations=(cited(1, "x", "https://docs.lumen.example/a"),), generated=True)


@pytest.mark.parametrize(
    "text",
    [
        "Read https://docs.lumen.example/b [1].",
        "Read [the page](https://docs.lumen.example/a#x) [1].",
        "See https://status.vendor.example/now.",
        "Open https://app.lumen.example/settings.",
        "No links here [1].",
    ],
)
async def test_known_links_stay(
    context: MakeContext, ports: CheckPorts, state: State, text: str
) -> None:
    await state.put("links", TENANT, "domains", {"domains": ["app.lumen.example"]})
    assert (await CHECK.run(text, context(outcome(text), DOCS), ports)).verdict == "pass"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Go to https://evil.example/x now.", "Go to now."),
        ("Click [here](https://evil.example) please.", "Click here please."),
        ("See ![img](http://evil.example/p.png?q=secret) ok.", "See img ok."),
        ("Or www.evil.example.", "Or"),
        ("At https://docs.lumen.example@evil.example/a ok.", "At ok."),
        ("At https://docs.lumen.example.evil.example/ ok.", "At ok."),
        ("Run javascript:alert(1) now.", "Run (1) now."),
    ],
)
async def test_foreign_links_go(
    context: MakeContext, ports: CheckPorts, text: str, left: str
) -> None:
    verdict = await CHECK.run(text, context(outcome(text), DOCS), ports)
    assert (verdict.verdict, verdict.reason) == ("rewrite", "foreign_link")
    assert verdict.text == left


async def test_nothing_but_a_foreign_link_is_blocked(
    context: MakeContext, ports: CheckPorts
) -> None:
    text = "https://evil.example/x"
    assert (await CHECK.run(text, context(outcome(text), DOCS), ports)).verdict == "block"


async def test_our_own_lines_keep_their_links(context: MakeContext, ports: CheckPorts) -> None:
    text = "Join at https://meet.example/abc"
    assert (await CHECK.run(text, context(Outcome(text)), ports)).verdict == "pass"
