"""What past questions would have come to."""

import json
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.shared import Tenant, ask_server, bar, err, need_server, out, run_here
from core.ids import TenantId

app = typer.Typer()

_POLL_SECONDS = 0.5


@app.command(name="backtest")
def backtest_command(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    tenant: Tenant = "demo",
    name: str | None = None,
    folder: Annotated[Path, typer.Option("--out", help="Where the page is written.")] = Path(),
) -> None:
    """Think through past questions as customers'; send nothing, write one page to forward.

    FILE is a CSV with a column `question` (and, if you have them, `answer`, `topic`, `asker`), or the JSON
    of a Zendesk ticket or Intercom conversation export.
    """
    from app.backtest.questions import read_questions

    questions = read_questions(file.name, file.read_bytes())
    rows = [
        {
            "question": q.text,
            "answer": q.answer,
            "topic": q.topic and q.topic[:200],
            "asker": q.asker and q.asker[:200],
        }
        for q in questions
    ]
    body = {"name": name or file.stem, "questions": rows}
    begun = ask_server("POST", "/backtests", tenant, body)
    if begun is None:
        whole = run_here(lambda services: _run_here(services, tenant, str(body["name"]), questions))
    else:
        whole = _watched(begun["id"], tenant, len(rows))
    if whole["status"] != "done":
        err.print(f"[red]the backtest is {whole['status']}[/]")
        raise typer.Exit(1)
    _write(folder / f"{file.stem}-backtest", whole)


def _watched(backtest: str, tenant: str, questions: int) -> dict[str, Any]:
    with bar("Thinking") as moved:
        while True:
            found = need_server("GET", f"/backtests/{backtest}", tenant, {})
            moved(found["done"], questions, "")
            if found["status"] != "running":
                return found
            time.sleep(_POLL_SECONDS)


async def _run_here(services: Any, tenant: str, name: str, questions: Any) -> dict[str, Any]:
    from app.backtest.starting import start, whole_json

    row = await start(services, TenantId(tenant), name, questions)
    await services.backtester.wait(row.id)
    found: dict[str, Any] = whole_json(services, await services.backtests.get(row.tenant, row.id))
    return found


def _write(stem: Path, whole: dict[str, Any]) -> None:
    from app.backtest.pages import agreement_sentence, as_html, as_markdown, headline

    report, made_at = whole["report"], datetime.fromisoformat(whole["created_at"])
    stem.parent.mkdir(parents=True, exist_ok=True)
    page = stem.with_name(f"{stem.name}.html")
    page.write_text(as_html(whole["name"], made_at, report), "utf-8")
    stem.with_name(f"{stem.name}.md").write_text(
        as_markdown(whole["name"], made_at, report), "utf-8"
    )
    stem.with_name(f"{stem.name}.json").write_text(json.dumps(whole, indent=1), "utf-8")
    out.print(headline(report))
    if report["agreement"]:
        out.print(agreement_sentence(report["agreement"]))
    for gap in report["gaps"][:5]:
        out.print(f"  [dim]gap, {gap['askers']}:[/] {gap['question'][:100]}", highlight=False)
    out.print(f"{page} (also .md and .json)")
