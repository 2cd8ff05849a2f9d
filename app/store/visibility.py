"""Who may see a page: audience, validity and tenant in SQL, editions and languages beside it.

Nothing that is refused here leaves the store, so no ranking, prompt or model ever sees it. What
languages mean: docs/decisions/0022-who-may-see-a-page.md.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.models import documents
from core.ids import TenantId
from core.ports import TenantPolicy, Viewer

ONLY_LOCALES = "only_locales"  # the page's own word: shown to these languages and no others
_LOCALE = re.compile(r"[a-z]{2}")


def visible(tenant: TenantId, viewer: Viewer, now: datetime) -> ColumnElement[bool]:
    """Return the condition on `documents` that SQL can decide: live, of this tenant, valid, public."""
    return and_(
        documents.c.tenant == tenant,
        documents.c.deleted_at.is_(None),
        or_(documents.c.valid_from.is_(None), documents.c.valid_from <= now),
        or_(documents.c.valid_until.is_(None), documents.c.valid_until > now),
        true() if viewer.internal else documents.c.internal.is_(False),
    )


def may_see(editions: Sequence[str], viewer: Viewer, policy: TenantPolicy) -> bool:
    """Return whether a page listing these editions is for this viewer.

    A page that lists none is for all. A viewer with none, or an unknown one, counts as the lowest.
    Internal viewers without an edition see every page.
    """
    if not editions or (viewer.internal and viewer.edition is None):
        return True
    known = {edition.casefold(): edition for edition in policy.editions}
    lowest = next(iter(known), "")
    mine = (viewer.edition or "").casefold()
    return (mine if mine in known else lowest) in {e.casefold() for e in editions}


def speaks(metadata: Mapping[str, Any], viewer: Viewer, policy: TenantPolicy) -> bool:
    """Return whether a page that is for some languages alone is for this viewer's."""
    only = _LOCALE.findall(str((metadata or {}).get(ONLY_LOCALES, "")).lower())
    if not only or (viewer.internal and viewer.locale is None):
        return True
    return short(viewer.locale or policy.locale) in only


async def translated(
    connection: AsyncConnection,
    tenant: TenantId,
    rows: Sequence[RowMapping],
    viewer: Viewer,
    policy: TenantPolicy,
    now: datetime,
) -> frozenset[str]:
    """Return the ids of documents whose translation this viewer sees and would rather read.

    The viewer's language is preferred, then the tenant's own; a translation is the page at the same
    path under another language's folder. Without one a page stays, whatever its language.
    """
    if viewer.internal and viewer.locale is None:
        return frozenset()
    wanted = list(dict.fromkeys((short(viewer.locale or policy.locale), short(policy.locale))))
    twins: dict[tuple[str, str, str], set[str]] = {}
    for row in rows:
        own = short(row["locale"])
        better = wanted[: wanted.index(own)] if own in wanted else wanted
        for locale in better:
            for path in twin_paths(row["path"], own, locale):
                twins.setdefault((row["source"], path, locale), set()).add(row["document_id"])
    if not twins:
        return frozenset()
    found = await connection.execute(
        select(
            documents.c.source,
            documents.c.path,
            documents.c.locale,
            documents.c.editions,
            documents.c.metadata,
        ).where(visible(tenant, viewer, now), documents.c.path.in_({path for _, path, _ in twins}))
    )
    return frozenset(
        document
        for row in found
        if may_see(row.editions, viewer, policy) and speaks(row.metadata, viewer, policy)
        for document in twins.get((row.source, row.path, short(row.locale)), ())
    )


def short(locale: str) -> str:
    """Return the language of a locale: `es` of `es-MX`."""
    return locale[:2].lower()


def twin_paths(path: str, own: str, other: str) -> Iterator[str]:
    """Yield where the page at `path`, written in `own`, would stand in the language `other`.

    `es/a.md` ↔ `en/a.md` ↔ `a.md`, `a.es.md` ↔ `a.md`; the same behind the host of a URL.
    """
    head, parts = 3 if "://" in path else 0, path.split("/")
    stem, dot, suffix = parts[-1].rpartition(".")
    at = next((n for n, part in enumerate(parts[head:-1], head) if _is(part, own)), None)
    if at is not None:
        yield "/".join([*parts[:at], other, *parts[at + 1 :]])
        yield "/".join([*parts[:at], *parts[at + 1 :]])
        return
    yield "/".join([*parts[:head], other, *parts[head:]])
    if dot:
        bare = stem.removesuffix(f".{own}")
        yield "/".join([*parts[:-1], f"{bare}.{other}.{suffix}"])
        if bare != stem:
            yield "/".join([*parts[:-1], f"{bare}.{suffix}"])


def _is(part: str, locale: str) -> bool:
    return part.lower().replace("_", "-").split("-")[0] == locale and len(part) <= 5
