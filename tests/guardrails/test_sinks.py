"""Planted personal data comes out of no sink: logs, verdicts (hence metrics and traces), exported traces, memory."""

import json
import logging
import sys
from typing import Any

import pytest

from app.traces import exported
from core.contracts import CheckPorts, CheckSpec
from core.discovery import discover
from core.logs import JsonFormatter, log_context
from core.outcomes import Outcome
from core.pii import find, mask
from core.sensitive import sensitive_category
from tests.guardrails.conftest import MakeContext

PLANTED = {
    "card": "4111 1111 1111 1111",
    "iban": "GB82 WEST 1234 5698 7654 32",
    "ssn": "460-89-9847",
    "dni": "12345678Z",
    "mail": "naomi@private.example",
    "phone": "+44 7700 900123",
    "address": "106.31.73.20",
    "link": "https://a.example/r?token=abc123def",
    "key": "sk_live_abcdefghijklmnop1234",
    "dsn": "postgres://app:s3cret@db:5432/app",
    "auth": "Bearer abcdef0123456789",
}
TOLD = ", ".join(f"{name} {value}" for name, value in PLANTED.items())
CHECKS = discover("guardrails", CheckSpec)


def leaked(text: str) -> list[str]:
    return [name for name, value in PLANTED.items() if value in text]


def _record(**extra: Any) -> logging.LogRecord:
    logger = logging.getLogger("test")
    return logger.makeRecord("test", logging.INFO, "f", 1, TOLD, (), None, extra=extra)


def test_no_log_line_holds_any() -> None:
    record = _record(text=TOLD, many=[TOLD, {"deep": (TOLD,)}], thing=RuntimeError(TOLD))
    try:
        int(TOLD)
    except ValueError:
        record.exc_info = sys.exc_info()
    with log_context(contact="con_1"):
        line = JsonFormatter().format(record)
    assert leaked(line) == []
    assert json.loads(line)["contact"] == "con_1"


def test_ids_and_times_stay_readable_in_logs() -> None:
    record = _record(
        turn="trn_01a1fe679b65779ebc99b36df347a5d2", ms=12, at="2026-03-04T12:00:00+00:00"
    )
    entry = json.loads(JsonFormatter().format(record))
    assert entry["turn"] == "trn_01a1fe679b65779ebc99b36df347a5d2"
    assert entry["ms"] == 12
    assert entry["at"].startswith("20")


@pytest.mark.parametrize("name", CHECKS)
async def test_no_verdict_repeats_what_it_found(
    context: MakeContext, ports: CheckPorts, name: str
) -> None:
    for outcome in (None, Outcome(TOLD, generated=True), Outcome(TOLD, "answer")):
        verdict = await CHECKS[name].run(TOLD, context(outcome), ports)
        assert leaked(verdict.reason) == []
        assert len(verdict.reason) < 300


async def test_nothing_of_it_goes_out_to_somebody_else(
    context: MakeContext, ports: CheckPorts
) -> None:
    for name in ("card", "iban", "ssn", "dni", "link"):
        verdict = await CHECKS["pii"].run(PLANTED[name], context(Outcome("x")), ports)
        assert verdict.verdict == "block", name
    for name in ("key", "dsn"):
        verdict = await CHECKS["secrets"].run(PLANTED[name], context(Outcome("x")), ports)
        assert verdict.verdict == "block", name
    for name in ("mail", "phone", "address"):
        verdict = await CHECKS["pii"].run(PLANTED[name], context(Outcome("x")), ports)
        assert leaked(verdict.text or PLANTED[name]) == [], name


def test_an_exported_trace_holds_none() -> None:
    trace = {
        "query": TOLD,
        "understanding": {"times": [{"text": TOLD}], "anger": 0.1},
        "reply": {"text": TOLD, "citations": [{"quote": "Mail help@acme.example"}]},
        "passages": [{"text": "Mail help@acme.example"}],
        "order": "ORD-123456",
        "limits": ["no_tools"],
    }
    shown = exported(trace, {"ORDER_NUMBER": "ORD-######"})
    assert leaked(json.dumps(shown)) == []
    assert shown["passages"] == trace["passages"]
    assert shown["order"] == "<ORDER_NUMBER>"
    assert shown["limits"] == ["no_tools"]


@pytest.mark.parametrize("name", ["card", "iban", "ssn", "dni", "link", "key", "dsn"])
def test_memory_refuses_secret_numbers(name: str) -> None:
    assert sensitive_category("note", PLANTED[name]) == "cards, identity numbers or passwords"


@pytest.mark.parametrize(
    ("key", "value"),
    [("password", "hunter22"), ("pin", "4821"), ("note", "my password is gato1234")],
)
def test_memory_refuses_passwords(key: str, value: str) -> None:
    assert sensitive_category(key, value) is not None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("mail", "write to my work address naomi@acme.example"),
        ("phone", "+44 7700 900123"),
        ("team", "12"),
    ],
)
def test_memory_keeps_what_a_contact_wants_kept(key: str, value: str) -> None:
    assert sensitive_category(key, value) is None


def test_masking_leaves_nothing_to_find() -> None:
    masked = mask(TOLD)
    assert leaked(masked) == []
    assert find(masked) == []
