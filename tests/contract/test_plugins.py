"""What holds for every plug-in file, of whatever kind."""

import importlib
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from app import describe
from core.contracts import ChannelSpec, CheckSpec, HandlerSpec, Plugin

ROOT = Path(__file__).parents[2]
KINDS: list[
    tuple[str, str, Mapping[str, ChannelSpec] | Mapping[str, HandlerSpec] | Mapping[str, CheckSpec]]
] = [
    ("channels", "CHANNEL", describe.channels()),
    ("handlers", "HANDLER", describe.handlers()),
    ("guardrails", "CHECK", describe.checks()),
]
PLUGINS = [
    pytest.param(package, constant, spec, id=f"{package}.{spec.name}")
    for package, constant, found in KINDS
    for spec in found.values()
]
# Providers, models, stores and frameworks: slow to import, and not needed to know what a plug-in is.
HEAVY = (
    "aiohttp", "aiosmtplib", "alembic", "chromadb", "fastapi", "langchain_core", "langchain_openai",
    "nicegui", "numpy", "onnxruntime", "openai", "redis", "requests", "slack_bolt", "slack_sdk",
    "sqlalchemy", "starlette", "tokenizers", "twilio",
)  # fmt: skip
LOOK = f"""
import sys
from core.contracts import ChannelSpec, CheckSpec, HandlerSpec
from core.discovery import discover
for package, kind in (("channels", ChannelSpec), ("handlers", HandlerSpec), ("guardrails", CheckSpec)):
    assert discover(package, kind)
print(*sorted(set(sys.modules) & set({HEAVY!r})))
"""


@pytest.mark.parametrize(("package", "constant", "spec"), PLUGINS)
def test_a_plugin_is_called_like_its_file(package: str, constant: str, spec: Plugin) -> None:
    module = importlib.import_module(f"{package}.{spec.name}")
    assert getattr(module, constant) is spec
    assert module.__doc__


@pytest.mark.parametrize(("package", "constant", "spec"), PLUGINS)
def test_a_plugin_has_a_row_in_the_docs(package: str, constant: str, spec: Plugin) -> None:
    page = {"guardrails": "checks"}.get(package, package)
    rows = (ROOT / f"docs/{page}.md").read_text("utf-8")
    assert f"`{spec.name}`" in rows
    assert spec.summary.endswith(".")
    assert spec.summary in rows


def test_knowing_all_plugins_imports_no_sdk() -> None:
    ran = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", LOOK], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == []
