"""What the docs say is what the code has: tables, setting names, commands, links."""

import re
from pathlib import Path

import pytest
import typer.main
import yaml

from app import describe
from app.cli import app as cli

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*(ROOT / "docs").rglob("*.md"), *(ROOT / n for n in ("README.md", "CONTRIBUTING.md"))]
)
NAMING = [*PAGES, *(ROOT / n for n in (".env.example", "compose.yaml", "Dockerfile"))]
SETTING = re.compile(r"\b(?:USHER|OPENAI)_[A-Z0-9_]*[A-Z0-9]\b(?![_…])")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#([^)\s]+))?\)")
KNOWN = {setting.env for setting in describe.settings()}
# The mail pipe in docs/channels/email.md is a script of the reader's own and has a variable of its own.
OF_THE_READER = {"USHER_URL"}


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_tables_are_current(page: Path) -> None:
    text = page.read_text("utf-8")
    assert describe.embedded(text) == text, "run `make docs`"


def test_every_table_is_embedded_somewhere() -> None:
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    assert {match["name"] for match in describe.MARKED.finditer(text)} == set(describe.TABLES)


def test_a_changed_table_is_noticed() -> None:
    stale = "<!-- begin checks -->\n| old |\n<!-- end checks -->\n"
    fresh = describe.embedded(stale)
    assert "old" not in fresh
    assert "`injection`" in fresh
    assert describe.embedded(fresh) == fresh


def test_an_unknown_table_is_refused() -> None:
    with pytest.raises(KeyError):
        describe.embedded("<!-- begin nothing -->\n<!-- end nothing -->\n")


@pytest.mark.parametrize("path", NAMING, ids=shown)
def test_only_settings_that_exist_are_named(path: Path) -> None:
    named = set(SETTING.findall(path.read_text("utf-8")))
    assert named - KNOWN - OF_THE_READER == set()


def test_the_example_holds_every_setting_once_and_sets_none() -> None:
    text = (ROOT / ".env.example").read_text("utf-8")
    offered = re.findall(r"^# ((?:USHER|OPENAI)_\w+)=", text, re.MULTILINE)
    assert sorted(offered) == sorted(KNOWN)
    assert [line for line in text.splitlines() if line and not line.startswith("#")] == []


def test_no_setting_is_called_like_another() -> None:
    names = [setting.env for setting in describe.settings()]
    assert len(names) == len(set(names))


def test_every_command_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    commands = typer.main.get_command(cli).commands  # type: ignore[attr-defined] # it is a group
    groups = {n: c.commands for n, c in commands.items() if hasattr(c, "commands")}
    flat = [n for n in commands if n not in groups] + [
        f"{g} {n}" for g in groups for n in groups[g]
    ]
    assert [name for name in flat if f"usher {name}" not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_links_lead_somewhere(page: Path) -> None:
    targets = [(page.parent / path).resolve() for path, _ in LINK.findall(page.read_text("utf-8"))]
    assert [str(target) for target in targets if not target.exists()] == []


def test_the_settings_of_channels_are_where_the_links_point() -> None:
    headings = re.findall(r"^### (\w+)$", (ROOT / "docs/settings.md").read_text("utf-8"), re.M)
    text = (ROOT / "docs/channels.md").read_text("utf-8")
    pointed = {anchor for path, anchor in LINK.findall(text) if path == "settings.md"}
    assert pointed
    assert pointed <= {heading.lower() for heading in headings}


def test_compose_runs_workers_beside_a_server_that_does_none_of_their_work() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]
    server, worker = services["server"], services["worker"]
    assert server["environment"]["USHER_EMBEDDED_WORKER"] == "false"
    assert worker["command"] == ["usher", "worker"]
    shared = {"USHER_DATABASE_URL", "USHER_REDIS_URL", "USHER_CHROMA_URL"}
    assert shared <= set(server["environment"]) & set(worker["environment"])


def test_decisions_have_numbers_of_their_own() -> None:
    files = [path.name for path in (ROOT / "docs/decisions").glob("*.md")]
    numbers = [name.split("-")[0] for name in files]
    assert sorted(numbers) == sorted(set(numbers))
    assert all(re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", name) for name in files)
