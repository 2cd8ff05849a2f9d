"""What the team should know about its knowledge."""

from typing import Annotated, Any

import typer

from app.cli.shared import Tenant, ask_server, out, run_here, show
from core.ids import TenantId

app = typer.Typer()

_LONG = 300.0  # seconds: thousands of pages are compared


@app.command()
def report(
    tenant: Tenant = "demo",
    days: Annotated[int, typer.Option(min=1, max=366)] = 7,
    *,
    json: bool = False,
) -> None:
    """Show what customers missed lately, what was answered, and which pages earn their place."""
    found = ask_server("GET", f"/manage/report?days={days}", tenant, {})
    if found is None:
        found = run_here(lambda services: _report_here(services, tenant, days), lean=True)
    if json:
        show(found)
        return
    from app.reporting import report_text

    out.print(report_text(found), markup=False, highlight=False)


async def _report_here(services: Any, tenant: str, days: int) -> dict[str, Any]:
    from app.reporting import report_json

    return report_json(await services.reporter.report(TenantId(tenant), days))


@app.command()
def conflicts(tenant: Tenant = "demo", *, json: bool = False) -> None:
    """Show pages that repeat or contradict each other."""
    found = ask_server("GET", "/manage/conflicts", tenant, {}, timeout=_LONG)
    if found is None:
        found = run_here(lambda services: _conflicts_here(services, tenant), lean=True)
    if json:
        show(found)
        return
    from app.reporting import conflicts_text

    out.print(conflicts_text(found["items"]), markup=False, highlight=False, soft_wrap=True)


async def _conflicts_here(services: Any, tenant: str) -> dict[str, Any]:
    from app.reporting import conflicts_json
    from ingest.conflicts import find_conflicts

    found = await find_conflicts(services.passages, TenantId(tenant))
    return {"items": conflicts_json(found)}
