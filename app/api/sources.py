"""/manage/sources: where docs come from, synced now or by schedule, and files sent. Secret keys only."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal
from uuid import uuid4

from fastapi import APIRouter, Query, Request
from fastapi import Path as PathParam
from pydantic import Field
from starlette.datastructures import UploadFile

from app.api.deps import Secret, Uses
from app.api.schemas import Body, Word
from app.ingesting import Syncer, name_for
from app.services import Services
from core.errors import BadInputError, TooLargeError
from core.views import SourceRow
from ingest.origins import Options
from ingest.report import report_json
from ingest.sources import known_sources, source_for
from ingest.sources.upload import safe_name

router = APIRouter(prefix="/manage/sources", tags=["manage"], include_in_schema=False)

MOST = 1_000  # entries of each list of a report
MAX_FILES = 1_000
_KEY = "key"  # the actor in the audit log: a script's
Id = Annotated[Word, PathParam(description="A source's id or name.")]
Hours = Annotated[float, Field(ge=0.25, le=24 * 366)]


class OptionsIn(Body):
    """How pages are read and who may see them; what a page says of itself wins."""

    editions: list[Word] = Field(default=[], max_length=20)
    audience: Literal["public", "internal"] = "public"
    locale: Annotated[str, Field(pattern=r"^[a-z]{2}$")] | None = None
    version: Word | None = None
    include: list[Word] = Field(default=[], max_length=100)
    exclude: list[Word] = Field(default=[], max_length=100)
    url: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    max_pages: int = Field(default=2_000, ge=1, le=50_000)
    depth: int = Field(default=5, ge=0, le=50)
    folder: Word | None = None
    branch: Word | None = None

    def plain(self) -> Options:
        """Return them as sources take them."""
        given = self.model_dump(exclude={"audience"})
        return Options.of({**given, "internal": self.audience == "internal"})


class SourceIn(Body):
    """A source to make. Kind and name are told by the location when they are left out."""

    location: Annotated[str, Field(max_length=4_000)] = ""
    kind: Word | None = None
    name: Word | None = None
    options: OptionsIn = OptionsIn()
    every_hours: Hours | None = None


class SourceChange(Body):
    """What to change; a schedule of null is by hand only."""

    location: Annotated[str, Field(min_length=1, max_length=4_000)] | None = None
    options: OptionsIn | None = None
    every_hours: Hours | None = None


def source_json(row: SourceRow) -> dict[str, object]:
    """Return a source as the API and the console show it."""
    shown = asdict(row)
    del shown["tenant"], shown["lease"]
    return {**shown, "syncing": row.lease is not None}


@router.get("")
async def sources(services: Uses, who: Secret) -> dict[str, object]:
    """Return the sources by name, and the kinds there are."""
    rows = await services.syncer.sources.all(who.tenant)
    kinds = [{"name": s.name, "summary": s.summary} for s in known_sources().values()]
    return {"items": [source_json(row) for row in rows], "kinds": kinds}


@router.post("", status_code=201)
async def add(body: SourceIn, services: Uses, who: Secret) -> dict[str, object]:
    """Make a source; with a schedule its first sync is due at once."""
    kind = body.kind or source_for(body.location).name
    options = body.options.plain()
    place = await services.syncer.checked(kind, body.location, options)
    if kind == "upload" and (body.every_hours or not body.name):
        raise BadInputError("an upload has a name and no schedule")
    name = Syncer.named(body.name or name_for(place))
    row = await services.syncer.sources.add(
        who.tenant, name, kind, place, asdict(options), body.every_hours
    )
    await services.access.audit(who.tenant, _KEY, "source.added", row.id)
    return source_json(row)


@router.get("/{source}")
async def one(source: Id, services: Uses, who: Secret) -> dict[str, object]:
    """Return a source with its newest report. Raises NotFoundError."""
    return source_json(await services.syncer.sources.get(who.tenant, source))


@router.patch("/{source}")
async def change(source: Id, body: SourceChange, services: Uses, who: Secret) -> dict[str, object]:
    """Change a source; pages follow at its next sync. Raises NotFoundError."""
    row = await services.syncer.sources.get(who.tenant, source)
    given = body.model_fields_set
    options = body.options.plain() if body.options else Options.of(row.options)
    values: dict[str, object] = {}
    if body.location is not None or body.options is not None:
        place = body.location if body.location is not None else row.location
        values["location"] = await services.syncer.checked(row.kind, place, options)
        values["options"] = asdict(options)
    if "every_hours" in given:
        if row.kind == "upload" and body.every_hours:
            raise BadInputError("an upload has no schedule")
        values["every_hours"] = body.every_hours
    if not values:
        raise BadInputError("there is nothing to change")
    return source_json(await services.syncer.sources.change(who.tenant, row.id, values))


@router.delete("/{source}")
async def remove(source: Id, services: Uses, who: Secret) -> dict[str, object]:
    """Forget a source; its pages stop answering at once. Raises ConflictError while it is synced."""
    deleted = await services.syncer.remove(who.tenant, source)
    await services.access.audit(who.tenant, _KEY, "source.removed", source)
    return {"deleted": deleted}


@router.post("/{source}/sync")
async def sync(
    source: Id,
    services: Uses,
    who: Secret,
    dry_run: Annotated[bool, Query()] = False,  # noqa: FBT002 - a query parameter
    confirm: Annotated[bool, Query()] = False,  # noqa: FBT002 - a query parameter
) -> dict[str, object]:
    """Sync now; returns when what changed is searchable. `confirm` deletes even most of the source."""
    report = await services.syncer.sync(who.tenant, source, dry_run=dry_run, confirm=confirm)
    return report_json(report, MOST)


@router.post("/{source}/upload")
async def upload(
    source: Id,
    request: Request,
    services: Uses,
    who: Secret,
    replace: Annotated[bool, Query()] = False,  # noqa: FBT002 - a query parameter
) -> dict[str, object]:
    """Take files and zips (multipart, any field names); with `replace` pages not sent again are deleted."""
    row = await services.syncer.sources.get(who.tenant, source)
    if row.kind != "upload":
        raise BadInputError(f"{row.name!r} is a {row.kind}: files are sent to an upload")
    async with _received(request, services) as folder:
        report = await services.syncer.take(who.tenant, row, folder, replace_all=replace)
    return report_json(report, MOST)


@asynccontextmanager
async def _received(request: Request, services: Services) -> AsyncIterator[Path]:
    """Give a folder with what was sent, for as long as it is needed."""
    _require_size(request.headers, services.syncer.settings.upload_bytes)
    folder = services.settings.var_dir / "uploads" / uuid4().hex
    await asyncio.to_thread(folder.mkdir, parents=True)
    try:
        async with request.form(max_files=MAX_FILES, max_fields=10) as form:
            sent = [part for _, part in form.multi_items() if isinstance(part, UploadFile)]
            if not sent:
                raise BadInputError("no files were sent")
            for part in sent:
                await asyncio.to_thread(_keep, part, folder)
        yield folder
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _require_size(headers: Mapping[str, str], limit: int) -> None:
    length = headers.get("content-length", "")
    if not length.isdigit():
        raise BadInputError("an upload says its size: send a Content-Length")
    if int(length) > limit:
        raise TooLargeError(f"an upload has at most {limit} bytes")


def _keep(part: UploadFile, folder: Path) -> None:
    try:
        file = folder / safe_name(part.filename or "")
    except ValueError as error:
        raise BadInputError(f"a file's name {error}") from error
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as kept:
        shutil.copyfileobj(part.file, kept)
