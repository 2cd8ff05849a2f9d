"""Print the tables the docs embed, or write them into docs/: what is declared is what is documented.

Owns how a spec, a settings Section, an error or a metric becomes a row. Nothing here is kept by hand:
plug-ins are discovered, sections, errors and metrics are found in the code.
Not here: whether the docs are current (tests/architecture/test_docs.py).
"""

import ast
import importlib
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from inspect import cleandoc
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo

from core import errors
from core.contracts import Capabilities, ChannelSpec, CheckSpec, HandlerSpec
from core.discovery import discover
from core.settings import Section
from core.views import Counts

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PACKAGES = ("app", "channels", "knowledge", "guardrails", "handlers", "ingest", "core")
MARKED = re.compile(r"(<!-- begin (?P<name>[a-z_]+) -->\n).*?(<!-- end (?P=name) -->)", re.DOTALL)

_TYPES: Mapping[object, str] = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "true or false",
    Path: "path",
    SecretStr: "secret",
}
_BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as the environment names it. `default` is what happens without it, in words."""

    section: type[Section]
    env: str
    kind: str
    default: str
    is_secret: bool


# ---------------------------------------------------------------- what is found


@cache
def channels() -> Mapping[str, ChannelSpec]:
    """Return the channels by name."""
    return discover("channels", ChannelSpec)


@cache
def handlers() -> Mapping[str, HandlerSpec]:
    """Return the handlers by name."""
    return discover("handlers", HandlerSpec)


@cache
def checks() -> Mapping[str, CheckSpec]:
    """Return the checks by name."""
    return discover("guardrails", CheckSpec)


@cache
def sections() -> tuple[type[Section], ...]:
    """Return every settings Section, the server's first, then by the module it stands in."""
    declaring = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in _sources()
        if "Section):" in path.read_text("utf-8")
    ]
    found = [
        each
        for name in declaring
        for each in vars(importlib.import_module(name)).values()
        if isinstance(each, type) and issubclass(each, Section) and each.__module__ == name
    ]
    return tuple(sorted(found, key=lambda s: (s.__name__ != "ServerSettings", s.__module__)))


def settings() -> Iterator[Setting]:
    """Yield every setting of every section."""
    for section in sections():
        yield from settings_of(section)


def settings_of(section: type[Section]) -> Iterator[Setting]:
    """Yield the settings of one section in the order they are declared."""
    prefix = section.model_config.get("env_prefix", "")
    for name, info in section.model_fields.items():
        yield Setting(
            section=section,
            env=_env_name(prefix, name, info),
            kind=_kind(info),
            default=_default(info),
            is_secret=SecretStr in (info.annotation, *get_args(info.annotation)),
        )


def _env_name(prefix: str, name: str, info: FieldInfo) -> str:
    alias = info.validation_alias
    if isinstance(alias, AliasChoices):
        return str(alias.choices[0])
    return alias if isinstance(alias, str) else f"{prefix}{name}".upper()


def _kind(info: FieldInfo) -> str:
    annotation: Any = info.annotation
    if get_origin(annotation) in (Union, UnionType):
        annotation = next(a for a in get_args(annotation) if a is not type(None))
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(annotation))
    if get_origin(annotation) is tuple:
        return "list, comma-separated"
    bounds = [
        f"{sign} {getattr(rule, name)}"
        for rule in info.metadata
        for name, sign in _BOUNDS.items()
        if hasattr(rule, name)
    ]
    return ", ".join([_TYPES.get(annotation, str(annotation)), *bounds])


def _default(info: FieldInfo) -> str:
    value = info.default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is None or value in ("", ()):
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric as /metrics shows it. `kind`: counter | histogram | gauge."""

    name: str
    kind: str
    labels: tuple[str, ...] = ()


def metrics() -> Iterable[Metric]:
    """Return every metric that some code counts, times or sets, by name."""
    found = {f"usher_{f.name}": Metric(f"usher_{f.name}", "gauge") for f in fields(Counts)}
    for path in _sources():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            metric = _metric(node)
            if metric is not None:
                found[metric.name] = metric
    return [found[name] for name in sorted(found)]


def _metric(node: ast.AST) -> Metric | None:
    """Return the metric a call such as `metrics.count("turns", state=…)` makes, None for all else."""
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Name() | ast.Attribute() as owner, attr=verb),
            args=[ast.Constant(value=str(name)), *_],
            keywords=labels,
        ) if verb in ("count", "observe") and _last(owner).lstrip("_") == "metrics":
            kind, suffix = ("counter", "_total") if verb == "count" else ("histogram", "")
            names = tuple(sorted(k.arg for k in labels if k.arg and k.arg != "amount"))
            return Metric(f"usher_{name}{suffix}", kind, names)
        case _:
            return None


def _last(owner: ast.Name | ast.Attribute) -> str:
    return owner.id if isinstance(owner, ast.Name) else owner.attr


def _sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


# ---------------------------------------------------------------- tables


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    columns = list(head)
    lines = [columns, ["---"] * len(columns), *(list(row) for row in rows)]
    return "\n".join("| " + " | ".join(_cell(c) for c in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _channel_table() -> str:
    rows = (
        (
            f"[`{s.name}`](channels/{s.name}.md)",
            s.summary,
            _settings_link(s.settings),
        )
        for s in channels().values()
    )
    return _table(("name", "what", "settings"), rows)


def _capability_table() -> str:
    head = (
        "channel", "buttons", "markup", "longest text", "files out", "files in", "typing", "receipts",
        "threads", "edits", "inline reply", "window", "quiet", "idle",
    )  # fmt: skip
    rows = ((_code(s.name), *_can(s.capabilities)) for s in channels().values())
    return _table(head, rows)


def _can(can: Capabilities) -> Iterator[str]:
    """Yield the cells of one channel: what it shows and takes, in the order of the table."""
    yield (f"≤ {can.max_buttons}" if can.max_buttons else "yes") if can.buttons else "numbered text"
    yield can.markup
    yield f"{can.max_chars} characters" if can.max_chars else "any"
    yield _media(can)
    for flag in (
        can.attachments,
        can.typing,
        can.receipts,
        can.threads,
        can.corrections,
        can.inline,
    ):
        yield "yes" if flag else ""
    yield f"{can.window_hours:g} h" if can.window_hours else ""
    yield f"{can.quiet:g} s" if can.quiet else ""
    yield f"{can.idle_hours:g} h"


def _media(can: Capabilities) -> str:
    if not can.media:
        return "as a link"
    kinds = "any" if "*/*" in can.media else ", ".join(can.media)
    return f"{kinds}, ≤ {can.media_bytes / 1_000_000:g} MB" if can.media_bytes else kinds


def _settings_link(section: type[Section]) -> str:
    prefix = section.model_config.get("env_prefix", "")
    return f"[`{prefix}…`](settings.md#{_title(section).lower()})"


def _title(section: type[Section]) -> str:
    return section.__name__.removesuffix("Settings")


def _handler_table() -> str:
    rows = (
        (
            _code(s.name),
            ", ".join(map(_code, s.intents)),
            str(sum(map(len, s.examples.values()))),
            "yes" if s.form else "",
            s.summary,
        )
        for s in handlers().values()
    )
    return _table(("name", "intents", "examples", "form", "what"), rows)


def _check_table() -> str:
    ordered = sorted(checks().values(), key=lambda s: (s.order, s.name))
    rows = ((str(s.order), _code(s.name), s.direction, s.summary) for s in ordered)
    return _table(("order", "name", "direction", "what"), rows)


def _settings_tables() -> str:
    return "\n\n".join(map(_section, sections()))


def _section(section: type[Section]) -> str:
    rows = ((_code(s.env), s.kind, _code(s.default)) for s in settings_of(section))
    head = f"### {_title(section)}\n\n`{section.__module__}`"
    meaning = cleandoc(section.__doc__ or "")
    return f"{head}\n\n{meaning}\n\n{_table(('name', 'type', 'default'), rows)}"


def _error_table() -> str:
    rows = (
        (
            _code(e.code),
            str(e.status),
            "yes" if e.retryable else "",
            _code(e.__name__),
            (e.__doc__ or "").splitlines()[0],
        )
        for e in _errors(errors.ServiceError)
    )
    return _table(("code", "status", "retryable", "class", "meaning"), rows)


def _errors(kind: type[errors.ServiceError]) -> Iterator[type[errors.ServiceError]]:
    yield kind
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from _errors(below)


def _metric_table() -> str:
    rows = ((_code(m.name), m.kind, ", ".join(map(_code, m.labels))) for m in metrics())
    return _table(("name", "kind", "labels"), rows)


TABLES: Mapping[str, Callable[[], str]] = {
    "channels": _channel_table,
    "capabilities": _capability_table,
    "handlers": _handler_table,
    "checks": _check_table,
    "settings": _settings_tables,
    "errors": _error_table,
    "metrics": _metric_table,
}


def embedded(text: str) -> str:
    """Return the text with every marked part replaced by its table. Raises KeyError for an unknown name."""

    def replace(match: re.Match[str]) -> str:
        return f"{match[1]}{TABLES[match['name']]()}\n{match[3]}"

    return MARKED.sub(replace, text)


def main() -> None:
    """Print every table, or with --write bring docs/ in line."""
    if "--write" not in sys.argv[1:]:
        for name, table in TABLES.items():
            sys.stdout.write(f"## {name}\n\n{table()}\n\n")
        return
    for page in sorted(DOCS.rglob("*.md")):
        before = page.read_text("utf-8")
        after = embedded(before)
        if after != before:
            page.write_text(after, "utf-8")
            sys.stdout.write(f"wrote {page.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
