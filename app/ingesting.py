"""Docs into knowledge: sources synced by hand, by schedule or from what was sent, searchable when it returns.

Owns who syncs a source now (one run at a time, wherever), what its report says, and what becomes of a
failed one: the old pages stay. Not here: what a sync does (ingest/sync.py), the rows (app/store/sources.py).
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.clock import Clock
from core.errors import (
    BadInputError,
    ConflictError,
    NotFoundError,
    ServiceError,
    UnavailableError,
)
from core.ids import TenantId
from core.ports import Document, TenantPolicy
from core.views import SourceRow
from ingest.origins import IngestSettings, Options
from ingest.report import SyncReport, report_json, with_conflicts
from ingest.sources import source_for, source_named
from ingest.sources.folder import ANYWHERE
from ingest.sync import Encode, Origin, Progress, sync

if TYPE_CHECKING:
    from app.services import Services
    from app.store.knowledge import SqlPassages
    from app.store.sources import SqlSources

logger = logging.getLogger(__name__)

HANDBOOK = Path(__file__).resolve().parent.parent / "ingest" / "handbook"
RENEW_SECONDS = 120.0
AGAIN_HOURS = 1.0  # a failed sync is tried again after this, or sooner if its schedule says so
SHOWN = 200  # entries of each list that a stored report keeps
_RESERVED = frozenset(("answers",))  # the team's approved answers: no listing may delete those
_NO_VECTOR = bytes(4 * 384)


@dataclass(frozen=True, slots=True)
class Syncer:
    """Syncs sources. `apply` makes what changed searchable; `settings` bound what may be reached."""

    sources: "SqlSources"
    passages: "SqlPassages"
    encode: Encode
    apply: Callable[[str], Awaitable[None]]
    policy: Callable[[TenantId], Awaitable[TenantPolicy]]
    settings: IngestSettings
    var_dir: Path
    clock: Clock

    async def ingest(
        self,
        tenant: TenantId,
        location: str,
        source: str | None = None,
        progress: Progress | None = None,
        *,
        kind: str | None = None,
        options: Options | None = None,
        dry_run: bool = False,
        confirm: bool = False,
        anywhere: bool = False,
    ) -> SyncReport:
        """Bring `source` (named for the location by default) in line with a location, keeping no row.

        Without `options` those of the kept source of that name and place count, if there is one.
        `anywhere` lets a folder stand wherever it likes: for who sits at the server's own shell.
        Raises what ingest.sync.sync raises.
        """
        settings = self.settings
        if anywhere:
            settings = settings.model_copy(update={"folders": (ANYWHERE,)})
        spec = source_named(kind) if kind else source_for(location)
        place = await asyncio.to_thread(spec.check, location, settings)
        name = self.named(source or name_for(place))
        async with self._alone(tenant, name, dry_run=dry_run) as kept:
            if options is None:  # the kept source's own, when it is the same place
                same = kept is not None and (kept.kind, kept.location) == (spec.name, place)
                options = Options.of(kept.options) if kept is not None and same else Options()
            options.check()
            origin = Origin(spec, place, options, settings, self.var_dir)
            return await self._run(tenant, name, origin, progress, dry_run=dry_run, confirm=confirm)

    @asynccontextmanager
    async def _alone(
        self, tenant: TenantId, name: str, *, dry_run: bool
    ) -> AsyncIterator[SourceRow | None]:
        """Give the kept source of this name, if there is one, and keep it from being synced meanwhile."""
        held: SourceRow | None = None
        with contextlib.suppress(NotFoundError):
            take = self.sources.get if dry_run else self.sources.claim
            held = await take(tenant, name)
        try:
            yield held
        finally:
            if held is not None and not dry_run:
                await self.sources.release(held, None, None)

    async def take(
        self, tenant: TenantId, row: SourceRow, folder: Path, *, replace_all: bool
    ) -> SyncReport:
        """Bring the pages of an upload in line with the files sent, which stand in `folder`.

        With `replace_all` pages that were not sent again are deleted. Raises ConflictError while
        other files are being taken.
        """
        options = Options.of(row.options)
        origin = Origin(source_named("upload"), str(folder), options, self.settings, self.var_dir)
        held = await self.sources.claim(tenant, row.id)
        return await self._hold(held, origin, confirm=True, partial=not replace_all)

    async def sync(
        self, tenant: TenantId, source: str, *, dry_run: bool = False, confirm: bool = False
    ) -> SyncReport:
        """Sync a source now. Raises ConflictError while it is being synced, and what sync raises."""
        if dry_run:
            row = await self.sources.get(tenant, source)
            return await self._run(tenant, row.name, await self._origin(row), dry_run=True)
        return await self._hold(await self.sources.claim(tenant, source), confirm=confirm)

    async def sync_due(self) -> int:
        """Sync the sources whose time has come, one after the other; returns how many."""
        done = 0
        while (row := await self.sources.claim_due()) is not None:
            done += 1
            with contextlib.suppress(ServiceError):  # in its report, and logged
                await self._hold(row)
        return done

    async def remove(self, tenant: TenantId, source: str) -> int:
        """Forget a source and delete its pages; returns how many. Raises ConflictError, NotFoundError."""
        row = await self.sources.claim(tenant, source)
        paths = list(await self.passages.stored(tenant, row.name))
        gone = await self.passages.delete(tenant, row.name, paths)
        await self.sources.remove(row)
        await self.apply(tenant)
        return gone

    async def checked(self, kind: str, location: str, options: Options) -> str:
        """Return the location as it is kept. Raises BadInputError or ForbiddenError."""
        options.check()
        return await asyncio.to_thread(source_named(kind).check, location, self.settings)

    @staticmethod
    def named(name: str) -> str:
        """Return a source's name. Raises BadInputError for one that is ours."""
        if name in _RESERVED:
            raise BadInputError(f"{name!r} is the name of the team's own answers")
        return name

    async def _origin(self, row: SourceRow) -> Origin:
        if row.kind == "upload":
            raise BadInputError("files are sent to an upload; it has nothing to sync from")
        options = Options.of(row.options)
        # checked again: what may be reached may have been narrowed since
        place = await self.checked(row.kind, row.location, options)
        return Origin(source_named(row.kind), place, options, self.settings, self.var_dir)

    async def _hold(
        self,
        row: SourceRow,
        origin: Origin | None = None,
        *,
        confirm: bool = False,
        partial: bool = False,
    ) -> SyncReport:
        """Sync under the lease, renewing it; whatever happens is reported and the lease given back."""
        lease = _Lease(self.sources, row)
        began = self.clock.now()
        report: dict[str, object] | None = None
        hours = row.every_hours
        try:
            place = origin or await self._origin(row)
            work = self._run(row.tenant, row.name, place, confirm=confirm, partial=partial)
            done = await lease.keep(work)
        except ServiceError as error:
            report = {"error": error.detail}
            raise
        except Exception as error:
            logger.exception("source.failed", extra={"source": row.id})
            report = {"error": f"unexpected: {type(error).__name__}"}
            raise
        else:
            report = report_json(done, SHOWN)
            return done
        finally:
            if report is not None:
                report["seconds"] = round((self.clock.now() - began).total_seconds(), 1)
                if "error" in report:
                    logger.warning("source.not_synced", extra={"source": row.id})
                    hours = min(hours, AGAIN_HOURS) if hours else hours
            await self.sources.release(lease.row, report, hours)

    async def _run(
        self,
        tenant: TenantId,
        name: str,
        origin: Origin,
        progress: Progress | None = None,
        *,
        dry_run: bool = False,
        confirm: bool = False,
        partial: bool = False,
    ) -> SyncReport:
        made: list[Document] = []
        report = await sync(
            tenant,
            name,
            origin,
            self.passages,
            self.encode,
            progress,
            dry_run=dry_run,
            confirm=confirm,
            partial=partial,
            default_locale=(await self.policy(tenant)).locale,
            made=made.append if dry_run else None,
        )
        if not dry_run:
            await self.apply(tenant)
        return await with_conflicts(report, self.passages, tenant, made)


class _Lease:
    """Keeps a source's lease alive while a run lasts, and ends the run when it was lost."""

    def __init__(self, sources: "SqlSources", row: SourceRow) -> None:
        self._sources = sources
        self.row = row

    async def keep(self, work: Coroutine[object, object, SyncReport]) -> SyncReport:
        """Return what the work returns. Raises ConflictError when another run has the source by now."""
        run = asyncio.create_task(work, name="source.sync")
        keeper = asyncio.create_task(self._renew(), name="source.lease")
        try:
            await asyncio.wait({run, keeper}, return_when=asyncio.FIRST_COMPLETED)
            if not run.done():
                raise ConflictError("another run has this source by now")
            return run.result()
        finally:
            run.cancel()
            keeper.cancel()
            await asyncio.gather(run, keeper, return_exceptions=True)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            with contextlib.suppress(UnavailableError):  # the lease outlives several renewals
                longer = await self._sources.renew(self.row)
                if longer is None:
                    return
                self.row = longer


async def ingest(
    services: "Services",
    tenant: TenantId,
    path: Path,
    source: str | None = None,
    progress: Progress | None = None,
    *,
    dry_run: bool = False,
) -> SyncReport:
    """Bring `source` (the folder's name by default) in line with a folder or file of this machine."""
    return await services.syncer.ingest(
        tenant,
        str(path),
        source or path.name,
        progress,
        kind="folder",
        dry_run=dry_run,
        anywhere=True,
    )


def name_for(location: str) -> str:
    """Return what a source is called when nobody says: its folder, repository or host."""
    bare = location.rstrip("/").partition("?")[0]
    if location.startswith(("http://", "https://")) and not bare.endswith(".git"):
        return bare.partition("://")[2].partition("/")[0].partition(":")[0]
    return bare.rpartition("/")[2].removesuffix(".git") or "docs"
