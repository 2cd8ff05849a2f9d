"""What a sync did, as its caller sees it: counts, what needs somebody's eye, and what now contradicts.

Owns the report's shape. Not here: the sync (sync.py), what counts as a contradiction (conflicts.py).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from core.ids import DocumentId, PassageId, TenantId
from core.ports import Document, Passages
from core.turns import Passage
from ingest.conflicts import conflicts_among, find_conflicts

_NO_VECTOR = bytes(4 * 384)


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a run did, in documents.

    `failed` and `warnings` hold (path, why); `chunks` counts those of new and changed pages, of
    which `reused` had their vectors already. `held_back` are pages that are gone but not deleted,
    because they are most of the source. `notes` say why nothing was deleted for being absent.
    `pages` holds (`added` | `changed` | `deleted`, path).
    """

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    failed: tuple[tuple[str, str], ...] = ()
    chunks: int = 0
    reused: int = field(default=0, compare=False)
    empty: tuple[str, ...] = ()
    warnings: tuple[tuple[str, str], ...] = ()
    held_back: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    pages: tuple[tuple[str, str], ...] = field(default=(), compare=False)


def report_json(report: SyncReport, most: int | None = None) -> dict[str, object]:
    """Return a report as JSON, of each list at most `most` entries; `left_out` counts the others."""
    whole = {name: _plain(value) for name, value in asdict(report).items()}
    if most is None:
        return whole
    cut = {n: v[:most] if isinstance(v, list) else v for n, v in whole.items()}
    left = {n: len(v) - most for n, v in whole.items() if isinstance(v, list) and len(v) > most}
    return {**cut, "left_out": left}


def _plain(value: object) -> object:
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return dict(value) if isinstance(value, Mapping) else value


async def with_conflicts(
    report: SyncReport, passages: Passages, tenant: TenantId, made: Sequence[Document]
) -> SyncReport:
    """Return the report with what its new and changed pages repeat or contradict.

    `made` are the documents of a dry run: they are not encoded, so their contradictions are found,
    by words, and their duplicates are not.
    """
    touching = {path for change, path in report.pages if change != "deleted"}
    if not touching:
        return report
    if made:
        gone = {path for _, path in report.pages}
        known = [p async for p in passages.scan(tenant) if p[0].document not in gone]
        fresh = [(passage, _NO_VECTOR) for document in made for passage in _passages(document)]
        found = await asyncio.to_thread(conflicts_among, [*known, *fresh], frozenset(touching))
    else:
        found = await find_conflicts(passages, tenant, touching)
    said = ((each.first.document, each.sentence()) for each in found)
    return replace(report, warnings=(*report.warnings, *said))


def _passages(document: Document) -> Sequence[Passage]:
    return [
        Passage(
            id=PassageId(f"{document.path}#{chunk.position}"),
            document_id=DocumentId(document.path),
            document=document.path,
            title=document.title,
            section=chunk.section,
            text=chunk.text,
            url=document.url,
            locale=document.locale,
            editions=document.editions,
            internal=document.internal,
            valid_from=document.valid_from.date() if document.valid_from else None,
            valid_until=document.valid_until.date() if document.valid_until else None,
        )
        for chunk in document.chunks
    ]
