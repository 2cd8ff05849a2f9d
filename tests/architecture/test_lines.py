"""Customer-facing sentences stand in handlers/lines/*.yaml, and every key said somewhere exists there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from handlers._shared.lines import read_catalogue

ROOT = Path(__file__).parents[2]
CATALOGUE = read_catalogue()
# Where what a customer reads is decided. Words for the team (core/briefs.py) and errors for callers are not.
SPEAKING = sorted(
    path
    for pattern in ("handlers/**/*.py", "guardrails/**/*.py", "app/router.py", "app/thinking.py")
    for path in ROOT.glob(pattern)
)
EVERYWHERE = sorted(
    path
    for package in ("app", "channels", "guardrails", "handlers")
    for path in (ROOT / package).rglob("*.py")
)
SENTENCE = re.compile(r"^[A-ZÁÉÍÓÚ¿¡][^=<>|\\]*$")
LEAST_WORDS = 4
EXEMPT_KEYWORDS = {"examples", "summary", "pattern"}
EXEMPT_CALLS = re.compile(r"(Error|compile|debug|info|warning|error|exception|warn)$")


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _exempt(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the parts of a node that hold no text for a customer: docstrings, examples, errors, logs."""
    match node:
        case ast.Expr(value=ast.Constant()):
            yield node.value
        case ast.Call(func=function) if EXEMPT_CALLS.search(_name(function)):
            yield from node.args
            yield from (k.value for k in node.keywords)
        case ast.Call():
            yield from (k.value for k in node.keywords if k.arg in EXEMPT_KEYWORDS)
        case _:
            pass


def sentences_in(tree: ast.AST) -> list[tuple[int, str]]:
    """Return (line, text) of every string that reads like a sentence and is not exempt."""
    skipped = {
        id(inner) for node in ast.walk(tree) for part in _exempt(node) for inner in ast.walk(part)
    }
    texts = [
        (node.lineno, _text(node))
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in skipped
    ]
    return [
        (line, text)
        for line, text in texts
        if len(text.split()) >= LEAST_WORDS and SENTENCE.match(text)
    ]


def _text(node: ast.Constant | ast.JoinedStr) -> str:
    """Return the text of a literal, an f-string's values as dots."""
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(p) if isinstance(p, ast.Constant) else "…" for p in node.values)
    return node.value if isinstance(node.value, str) else ""


@pytest.mark.parametrize("path", SPEAKING, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_customer_text_in_code(path: Path) -> None:
    found = sentences_in(ast.parse(path.read_text(encoding="utf-8")))
    assert not found, "belongs into handlers/lines/*.yaml"


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ('Outcome(text="I have booked that for you.")', 1),
        ('def f():\n    return f"Your session {x} is booked."', 1),
        ('x = "Thanks for your message, we will answer."', 1),
        ('"""A docstring is not said to anybody."""', 0),
        ('HandlerSpec(examples={"a": ("I want to talk to a human",)})', 0),
        ('raise ValueError("This is for the caller only.")', 0),
        ('lines.say("book.done", locale)', 0),
    ],
)
def test_the_scan_finds_what_it_should(code: str, count: int) -> None:
    assert len(sentences_in(ast.parse(code))) == count


def _keys_said(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and _name(node.func) in {"say", "variants"} and node.args:
            key = node.args[0]
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield node.lineno, key.value


@pytest.mark.parametrize("path", EVERYWHERE, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_key_said_exists(path: Path) -> None:
    known = set(CATALOGUE.texts["en"]) | set(CATALOGUE.lists)
    missing = [(line, key) for line, key in _keys_said(path) if "." in key and key not in known]
    assert not missing
