"""Docs and intents."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.shared import Tenant, ask_server, bar, need_server, run_here, show
from app.cli.sources import Confirm, is_address, sources, tell
from core.ids import TenantId

_LONG = 3600.0  # seconds: hundreds of pages are encoded meanwhile

app = typer.Typer()
app.add_typer(sources, name="sources")
intents = typer.Typer(no_args_is_help=True, help="A tenant's own intents.")
app.add_typer(intents, name="intents")


@app.command(name="ingest")
def ingest_command(
    location: Annotated[str, typer.Argument(help="A folder, a file, or a URL.")],
    tenant: Tenant = "demo",
    source: str | None = None,
    *,
    dry_run: bool = False,
    delete_most: Confirm = False,
) -> None:
    """Bring a tenant's docs in line with a folder, site, sitemap or git repository, once.

    What vanished there stops answering at once.
    """
    place = location if is_address(location) else str(Path(location).resolve())
    body = {"path": place, "source": source, "dry_run": dry_run, "confirm": delete_most}
    report = ask_server("POST", "/manage/ingest", tenant, body, timeout=_LONG)
    if report is None:
        report = run_here(lambda services: _ingest_here(services, tenant, body))
    tell(report, pages=dry_run)


async def _ingest_here(services: Any, tenant: str, body: dict[str, Any]) -> dict[str, Any]:
    from ingest.report import report_json

    await services.directory.policy(TenantId(tenant))
    with bar(f"Ingesting {Path(body['path']).name}") as moved:
        report = await services.syncer.ingest(
            TenantId(tenant),
            body["path"],
            body["source"],
            moved,
            dry_run=body["dry_run"],
            confirm=body["confirm"],
            anywhere=True,
        )
    return report_json(report)


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
