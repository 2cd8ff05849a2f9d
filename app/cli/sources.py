"""`usher sources`: where docs come from, and syncing them through the running server."""

import json
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from app.cli.shared import Tenant, err, need_server, out, show

_LONG = 3600.0  # seconds: hundreds of pages are encoded meanwhile
_SAID = {
    "failed": ("red", "not ingested"),
    "warnings": ("yellow", "warning"),
}

sources = typer.Typer(no_args_is_help=True, help="Where a tenant's docs come from.")

Confirm = Annotated[
    bool, typer.Option("--delete-most", help="Delete even when most of the source is gone.")
]
Several = Annotated[list[str] | None, typer.Option()]


def is_address(location: str) -> bool:
    """Return whether a location is no path of this machine."""
    return "://" in location or location.startswith("git@")


def tell(report: dict[str, Any], *, pages: bool) -> None:
    """Print what a sync did: the counts, then what needs somebody's eye, and with `pages` each of them."""
    said = {name: report.pop(name, []) for name in ("failed", "warnings", "pages", "held_back")}
    out.print_json(json.dumps(report))
    for change, path in said["pages"] if pages else ():
        err.print(f"[dim]{change:<8}[/] {path}", highlight=False)
    for name, (colour, words) in _SAID.items():
        for path, why in said[name]:
            err.print(f"[{colour}]{words}[/] {path}: {why}", highlight=False)
    if said["held_back"]:
        err.print(
            f"[yellow]{len(said['held_back'])} pages are gone and were not deleted,[/] because they"
            " are most of the source; --delete-most deletes them"
        )


@sources.command("list")
def list_sources(tenant: Tenant = "demo") -> None:
    """List the sources with their schedules and newest reports."""
    show(need_server("GET", "/manage/sources", tenant, {})["items"])


@sources.command("add")
def add_source(
    location: Annotated[
        str, typer.Argument(help="A folder, or the URL of a site, sitemap or git.")
    ],
    tenant: Tenant = "demo",
    name: str | None = None,
    kind: Annotated[str | None, typer.Option(help="When the location does not tell.")] = None,
    every_hours: float | None = None,
    edition: Several = None,
    include: Several = None,
    exclude: Several = None,
    locale: str | None = None,
    url: Annotated[str | None, typer.Option(help="Links, as https://x.com/{slug}.")] = None,
    branch: str | None = None,
    folder: str | None = None,
    max_pages: int = 2000,
    depth: int = 5,
    *,
    internal: bool = False,
) -> None:
    """Add a source; with --every-hours it is synced at once and then by schedule."""
    place = location
    if kind != "upload" and not is_address(location):
        place = str(Path(location).resolve())
    options = {
        "editions": edition or [],
        "audience": "internal" if internal else "public",
        "include": include or [],
        "exclude": exclude or [],
        "locale": locale,
        "url": url,
        "branch": branch,
        "folder": folder,
        "max_pages": max_pages,
        "depth": depth,
    }
    body = {
        "location": place,
        "name": name,
        "kind": kind,
        "every_hours": every_hours,
        "options": options,
    }
    show(need_server("POST", "/manage/sources", tenant, body))


@sources.command("sync")
def sync_source(
    source: Annotated[str, typer.Argument(help="Its name or id.")],
    tenant: Tenant = "demo",
    *,
    dry_run: bool = False,
    delete_most: Confirm = False,
) -> None:
    """Sync a source now, or show what a sync would change."""
    path = f"/manage/sources/{quote(source, safe='')}/sync"
    query = f"?dry_run={str(dry_run).lower()}&confirm={str(delete_most).lower()}"
    tell(need_server("POST", path + query, tenant, {}, timeout=_LONG), pages=dry_run)


@sources.command("remove")
def remove_source(
    source: Annotated[str, typer.Argument(help="Its name or id.")], tenant: Tenant = "demo"
) -> None:
    """Forget a source and delete its pages."""
    show(
        need_server("DELETE", f"/manage/sources/{quote(source, safe='')}", tenant, {}, timeout=600)
    )
