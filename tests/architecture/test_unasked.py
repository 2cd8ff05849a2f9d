"""Nothing unasked is queued but by one module (promise 9): the code is read for every place that queues anything."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("app", "channels", "core", "guardrails", "handlers", "ingest", "knowledge")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

# Who may queue a message, and what asked for it.
QUEUES = {
    "app/store/codes.py": "the customer asked for a code",
    "app/store/file_queue.py": "why a file they sent cannot be kept",
    "app/store/handoffs.py": "cards to the team",
    "app/store/humans.py": "a person writes, or takes over",
    "app/store/inline.py": "part of an answer, to another of their addresses",
    "app/store/intake.py": "the confirmation of STOP, START and HELP",
    "app/store/notices.py": "cards to the team",
    "app/store/model_uses.py": "cards to the team",
    "app/store/reaches.py": "the answer they waited for, or the transcript, where they asked for it",
    "app/store/turns.py": "the turn of a message, with what it was asked to send",
    "app/store/unasked.py": "unasked: only after core/delivery.py said so",
}
# The one that may mark a message as unasked.
MARKS = {"app/store/unasked.py"}


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _of(function: ast.expr) -> str:
    return getattr(getattr(function, "value", None), "id", "")


def queues_in(tree: ast.AST) -> Iterator[int]:
    """Yield the line of every call that writes a delivery job."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name, of = _name(node.func), _of(node.func)
        inserts = name == "insert" and any(_name(a) == "outbox" for a in node.args)
        if (of, name) == ("queue", "add") or name == "write_outbound" or inserts:
            yield node.lineno


def marks_in(tree: ast.AST) -> Iterator[int]:
    """Yield the line of every mapping written with the mark of an unasked message."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            marks = [k for k in node.keys if isinstance(k, ast.Constant) and k.value == "unasked"]
            yield from (mark.lineno for mark in marks)


def _tree(path: Path) -> ast.AST:
    return ast.parse(path.read_text(encoding="utf-8"))


def test_only_known_places_queue_a_message() -> None:
    found = {str(p.relative_to(ROOT)) for p in FILES if any(queues_in(_tree(p)))}
    strangers = found - QUEUES.keys() - {"app/store/queue.py"}
    assert not strangers, "what nobody asked for goes through services.unasked.send"


def test_only_one_place_marks_a_message_as_unasked() -> None:
    stores = [p for p in FILES if p.is_relative_to(ROOT / "app" / "store")]
    assert {str(p.relative_to(ROOT)) for p in stores if any(marks_in(_tree(p)))} == MARKS


def test_that_place_asks_the_policy_first() -> None:
    tree = _tree(ROOT / "app" / "store" / "unasked.py")
    sends = [f for f in ast.walk(tree) if isinstance(f, ast.AsyncFunctionDef) and f.name == "_send"]
    callers = [
        f.name
        for f in ast.walk(tree)
        if isinstance(f, ast.AsyncFunctionDef)
        and any(isinstance(c, ast.Call) and _name(c.func) == "_send" for c in ast.walk(f))
    ]
    assert len(sends) == 1
    assert callers == ["_settle"]
    settle = next(
        f for f in ast.walk(tree) if isinstance(f, ast.AsyncFunctionDef) and f.name == "_settle"
    )
    assert any(isinstance(c, ast.Call) and _name(c.func) == "decide" for c in ast.walk(settle))


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("await queue.add(connection, tenant=t)", 1),
        ("await write_outbound(connection)", 1),
        ("insert(outbox).values(id=1)", 1),
        ("queue.set_state(connection, job, 'sent')", 0),
        ("found.add(x)", 0),
    ],
)
def test_the_scan_finds_what_it_should(code: str, count: int) -> None:
    wrapped = ast.parse(f"async def f():\n    {code}")
    assert len(list(queues_in(wrapped))) == count
