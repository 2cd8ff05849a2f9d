"""Tenants, accounts, contacts and the people who answer."""

import csv
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.shared import (
    Tenant,
    need_server,
    run_here,
    show,
)
from app.inviting import install_link
from core.errors import BadInputError, NotFoundError
from core.ids import TenantId

app = typer.Typer()
tenant = typer.Typer(no_args_is_help=True, help="Tenants and their keys.")
accounts = typer.Typer(no_args_is_help=True, help="Accounts.")
csm = typer.Typer(no_args_is_help=True, help="People who answer customers.")
app.add_typer(csm, name="csm")
app.add_typer(tenant, name="tenant")
app.add_typer(accounts, name="accounts")


@tenant.command("create")
def create_tenant(tenant: str, name: str | None = None) -> None:
    """Make a tenant and print its first secret key, which is shown once."""
    show(run_here(lambda services: _create_here(services, tenant, name or tenant), lean=True))


async def _create_here(services: Any, tenant: str, name: str) -> dict[str, Any]:
    fresh = await services.directory.ensure_tenant(TenantId(tenant), name)
    _key, token = await services.access.create_key(TenantId(tenant), "first", "secret")
    return {"id": tenant, "created": fresh, "key": token}


@tenant.command("install-link")
def tenant_install_link(
    tenant: str,
    channel: Annotated[str, typer.Argument(help="Which channel's app.")] = "slack",
    days: Annotated[int, typer.Option(min=1, max=60, help="How long the link is good.")] = 7,
) -> None:
    """Print a link by which an admin of a workspace installs a channel's app for this tenant."""

    async def run(services: Any) -> dict[str, Any]:
        link, until = await install_link(services, channel, TenantId(tenant), days)
        return {"link": link, "good_until": until}

    show(run_here(run, lean=True))


@tenant.command("policy")
def tenant_policy(
    tenant: str,
    changes: Annotated[str | None, typer.Argument(help="JSON, or @FILE holding it.")] = None,
) -> None:
    """Print what a tenant has set, or change it: '{"domains": ["docs.acme.com"]}'."""
    if changes is None:
        show(need_server("GET", "/manage/policy", tenant, None))
        return
    text = Path(changes[1:]).read_text("utf-8") if changes.startswith("@") else changes
    try:
        body = json.loads(text)
    except ValueError as error:
        raise BadInputError(f"this is no JSON: {error}") from error
    show(need_server("PATCH", "/manage/policy", tenant, body))


@accounts.command("import")
def import_accounts(file: Path, tenant: Tenant = "demo") -> None:
    """Import accounts from a CSV; idempotent, reported row by row."""
    from dataclasses import asdict

    from app.imports import import_accounts as run_import

    async def run(services: Any) -> list[dict[str, Any]]:
        return [asdict(r) for r in await run_import(services.directory, TenantId(tenant), file)]

    reports = run_here(run, lean=True)
    writer = csv.DictWriter(sys.stdout, fieldnames=list(reports[0]) if reports else ["row"])
    writer.writeheader()
    writer.writerows(reports)


@app.command()
def export(contact: str, tenant: Tenant = "demo") -> None:
    """Print everything held about a contact (its id in your system) as JSON."""

    async def run(services: Any) -> dict[str, Any]:
        found = await _known_contact(services, tenant, contact)
        exported: dict[str, Any] = await services.directory.export_contact(
            TenantId(tenant), found.id
        )
        return exported

    show(run_here(run, lean=True))


@app.command()
def erase(contact: str, tenant: Tenant = "demo", *, yes: bool = False) -> None:
    """Erase a contact (its id in your system) for good."""
    if not yes:
        typer.confirm(f"Erase everything about {contact!r}?", abort=True)

    async def run(services: Any) -> dict[str, Any]:
        found = await _known_contact(services, tenant, contact)
        await services.directory.erase_contact(TenantId(tenant), found.id)
        return {"erased": contact}

    show(run_here(run, lean=True))


async def _known_contact(services: Any, tenant: str, contact: str) -> Any:
    found = await services.directory.contact_by_external(TenantId(tenant), contact, create=False)
    if found is None:
        raise NotFoundError(f"tenant {tenant!r} has no contact {contact!r}")
    return found


@csm.command("create")
def create_csm(
    email: str,
    name: str,
    tenant: Tenant = "demo",
    role: str = "csm",
    slack_user: str | None = None,
    password: Annotated[str, typer.Option(prompt=True, hide_input=True)] = "",
) -> None:
    """Give somebody a login to the console; `role` is admin, approver, csm or viewer."""

    async def run(services: Any) -> dict[str, Any]:
        made = await services.access.create_csm(
            TenantId(tenant), name, email, password, role, slack_user
        )
        return {"id": made.id, "email": made.email, "role": made.role}

    show(run_here(run, lean=True))
