import pytest

from core.contracts import CheckPorts
from guardrails.abuse import CHECK, MAX_CHARS, clean
from tests.guardrails.conftest import MakeContext


@pytest.mark.parametrize(
    "text",
    [
        "How do I invite my team?",
        "línea uno\n\nlínea dos\ttab",
        "yes\nyes\nyes",
        "👩‍👩‍👧 sooooo nice!!!!!",
        "a" * 19,
        "=====",
        "",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert clean(text) == (text, ())


@pytest.mark.parametrize(
    ("text", "cleaned", "reason"),
    [
        ("a\x00b\x07c", "abc", "control_characters"),
        ("pay\u202eon", "payon", "hidden_characters"),
        ("ig\u200bnore", "ignore", "hidden_characters"),
        ("hi\U000e0041\U000e0042", "hi", "hidden_characters"),
        ("help" + "!" * 500, "help!!!", "flooding"),
        ("spam " * 200 + "end", "spam spam spam end", "flooding"),
        ("buy now\n" * 50, "buy now\nbuy now\nbuy now\n", "flooding"),
        ("a" + "\n" * 50 + "b", "a\n\n\nb", "flooding"),
        ("bad \ud800 half", "bad  half", "control_characters"),
    ],
)
def test_what_is_not_text_is_taken_out(text: str, cleaned: str, reason: str) -> None:
    assert clean(text) == (cleaned, (reason,))


async def test_oversize_is_cut(context: MakeContext, ports: CheckPorts) -> None:
    verdict = await CHECK.run("0123456789 abc " * 3000, context(), ports)
    assert verdict.verdict == "rewrite"
    assert verdict.text is not None
    assert len(verdict.text) <= MAX_CHARS
    assert verdict.reason.startswith("oversize")
