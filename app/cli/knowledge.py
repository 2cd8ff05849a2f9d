"""Docs and intents."""

import json
from pathlib import Path
from typing import Any

import typer

from app.cli.shared import Tenant, ask_server, bar, err, need_server, out, run_here, show
from core.ids import TenantId

app = typer.Typer()
intents = typer.Typer(no_args_is_help=True, help="A tenant's own intents.")
app.add_typer(intents, name="intents")


@app.command(name="ingest")
def ingest_command(
    path: Path, tenant: Tenant = "demo", source: str | None = None, *, dry_run: bool = False
) -> None:
    """Bring a tenant's docs in line with a folder or file; what vanished stops answering at once."""
    body = {"path": str(path.resolve()), "source": source, "dry_run": dry_run}
    report = ask_server("POST", "/manage/ingest", tenant, body, timeout=3600)
    if report is None:
        report = run_here(lambda services: _ingest_here(services, tenant, path, source, dry_run))
    failed = report.pop("failed")
    out.print_json(json.dumps(report))
    for failure in failed:
        err.print(f"[red]not ingested[/] {failure[0]}: {failure[1]}")


async def _ingest_here(
    services: Any, tenant: str, path: Path, source: str | None, dry_run: bool
) -> dict[str, Any]:
    from dataclasses import asdict

    from app.ingesting import ingest

    await services.directory.policy(TenantId(tenant))
    with bar(f"Ingesting {path.name}") as moved:
        report = await ingest(services, TenantId(tenant), path, source, moved, dry_run=dry_run)
    return asdict(report)


@app.command()
def rebuild(tenant: Tenant = "demo") -> None:
    """Build the vector index of a tenant anew from SQL."""
    done = ask_server("POST", "/manage/rebuild", tenant, {}, timeout=3600)
    if done is None:

        async def run(services: Any) -> dict[str, Any]:
            return {"rows": await services.rebuild(tenant)}

        done = run_here(run)
    show(done)


@intents.command("load")
def load_intents(file: Path, tenant: Tenant = "demo") -> None:
    """Load phrases from JSON lines {"text", "intent"} and train at once."""
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()]
    phrases = [{"text": row["text"], "intent": row["intent"]} for row in rows]
    show(need_server("POST", "/manage/intents", tenant, {"phrases": phrases}, timeout=600))
