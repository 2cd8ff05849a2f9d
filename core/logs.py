"""JSON-lines logging: event names as messages, facts in `extra`, context variables, redaction.

Owns the root handler's formatter and filter. Message text, numbers, addresses and tokens never reach a
log: the filter masks what slips through, tracebacks included.
"""

import json
import logging
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from core.pii import find

_context: ContextVar[dict[str, str] | None] = ContextVar("log_context", default=None)

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_REDACTIONS = (
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), "[mail]"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}"), r"\1 [token]"),
    (re.compile(r"\b(?:bot)?\d{6,12}:[A-Za-z0-9_-]{30,}"), "[token]"),
    (re.compile(r"\b(?:xox[a-z]|xapp|sk|pk|usk|AC|SK)[-_]?[A-Za-z0-9-]{12,}\b"), "[token]"),
    (
        re.compile(r"(?i)\b((?:api[_-]?key|token|secret|password|signature)\W{1,3})[^\s,;'\"]+"),
        r"\1[secret]",
    ),
    (re.compile(r"(://[^:/\s@]+:)[^@\s]+@"), r"\1[secret]@"),
    (re.compile(r"(?<![\w.:-])\+?\d[\d ().-]{7,}\d(?![\w:-])"), "[number]"),
)


def redact(text: str) -> str:
    """Mask mail addresses, phone-like numbers, tokens, secrets and all numbers of persons in a text."""
    for pattern, replacement in _REDACTIONS:
        text = pattern.sub(replacement, text)
    for kind, start, end in reversed(find(text, names=False)):
        text = f"{text[:start]}[{kind.lower()}]{text[end:]}"
    return text


def _redacted(value: object) -> object:
    """Return a fact with every text in it redacted, in lists and mappings too."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {str(key): _redacted(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted(each) for each in value]
    return value


@contextmanager
def log_context(**facts: str) -> Iterator[None]:
    """Add facts (conversation, contact, channel) to every record logged inside."""
    token = _context.set({**(_context.get() or {}), **facts})
    try:
        yield
    finally:
        _context.reset(token)


class JsonFormatter(logging.Formatter):
    """One JSON object a line, redacted."""

    def format(self, record: logging.LogRecord) -> str:
        """Render the record."""
        entry: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": redact(record.getMessage()),
            **(_context.get() or {}),
        }
        for key, value in vars(record).items():
            if key not in _STANDARD:
                entry[key] = _redacted(value)
        if record.exc_info:
            entry["traceback"] = redact("".join(traceback.format_exception(*record.exc_info)))
        return json.dumps(entry, default=lambda value: redact(repr(value)), ensure_ascii=False)


def configure_logs(level: str = "INFO") -> None:
    """Send every logger's records to stderr as redacted JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in (
        "httpx",
        "httpcore",
        "aiosqlite",
        "chromadb",
        "twilio",
        "slack_bolt",
        "uvicorn.access",
    ):
        logging.getLogger(noisy).setLevel("WARNING")
