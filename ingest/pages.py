"""Blocks and what a file says about itself to a Page.

Owns the choice of the title, of the language, and what front matter (or a row of an export) may say.
Knows no format.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from pathlib import PurePosixPath

import yaml

from ingest.blocks import Block, BlockKind, Page, one_line
from ingest.instructions import warning_about

LOCALES = frozenset(
    re.findall(
        r"\w\w",
        "ar bg ca cs da de el en es et fi fr he hi hr hu id it ja ko lt lv nb nl no pl pt ro ru"
        " sk sl sr sv th tr uk vi zh",
    )
)
MAX_TITLE = 300
_FRONT = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_INTERNAL = frozenset(("internal", "staff", "team", "agents", "csm", "private"))
_LOCALE_KEYS = ("locale", "lang", "language")
_EDITION_KEYS = ("editions", "edition", "plans", "plan")
_OTHER_KEYS = ("title", "audience", "url", "version", "author")
_DATE_KEYS = ("valid_from", "valid_until", "review_by")
_READ = frozenset((*_LOCALE_KEYS, *_EDITION_KEYS, *_OTHER_KEYS, *_DATE_KEYS))


def front_matter(text: str) -> tuple[Mapping[str, object], str]:
    """Return front matter and the rest. Broken front matter is dropped: the page is worth more."""
    found = _FRONT.match(text)
    if found is None:
        return {}, text
    try:
        data = yaml.safe_load(found[1])
    except (yaml.YAMLError, ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) and data is not None:
        return {}, text  # a rule, a text and a rule, not front matter
    return lowered(data or {}), text[found.end() :]


def lowered(data: Mapping[object, object]) -> Mapping[str, object]:
    """Return the mapping with keys as front matter writes them: lower case, `_` between words."""
    return {str(key).strip().lower().replace("-", "_"): value for key, value in data.items()}


def make_page(
    path: str,
    blocks: Sequence[Block],
    front: Mapping[str, object] | None = None,
    *,
    title: str | None = None,
    language: str | None = None,
    part: str = "",
    url: str | None = None,
    hidden: str = "",
    warnings: tuple[str, ...] = (),
) -> Page | None:
    """Return the page, or None when there is nothing to read in it.

    The first top heading is the title, else what front matter says, else `title`, else the file's
    name. `language` is what the format declares; front matter and the folder's name come first. A
    date alone means that day in UTC; `valid_until` includes it. `hidden` is what the format left out
    because no reader sees it; it is only looked at for words to the assistant.
    """
    front = front or {}
    kept = [block for block in blocks if block.text.strip() or block.parts]
    heading, kept = _take_title(kept)
    if not any(block.kind is not BlockKind.HEADING for block in kept):
        return None
    said = one_line(str(front.get("title") or ""))
    dates, broken = _dates(front)
    words = "\n".join(block.text or "\n".join(block.parts) for block in kept)
    return Page(
        title=(heading or said or title or name_of(path))[:MAX_TITLE],
        blocks=tuple(kept),
        locale=_locale(front, path, language),
        url=text_of(front.get("url")) or url,
        editions=_words(front, *_EDITION_KEYS),
        internal=(text_of(front.get("audience")) or "").lower() in _INTERNAL,
        metadata=_rest(front),
        part=part,
        version=text_of(front.get("version")),
        author=text_of(front.get("author")),
        valid_from=dates.get("valid_from"),
        valid_until=dates.get("valid_until"),
        review_by=dates.get("review_by"),
        warnings=(*warnings, *broken, *warning_about(f"{said}\n{words}", hidden)),
    )


def demoted(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks with top headings one level down: the title stands elsewhere."""
    return [replace(block, level=2) if block.level == 1 else block for block in blocks]


def name_of(path: str) -> str:
    """Return a title made of a file's name; of its folder's for an index page."""
    pure = PurePosixPath(path)
    stem = pure.stem
    if stem.lower() in ("index", "readme") and pure.parent.name:
        stem = pure.parent.name
    words = re.sub(r"[-_\s]+", " ", stem).strip()
    return words[:1].upper() + words[1:] or path


def text_of(value: object) -> str | None:
    """Return a scalar as one line, None for anything else or for nothing."""
    return one_line(str(value)) or None if isinstance(value, str | int | float | date) else None


def as_locale(said: str | None) -> str | None:
    """Return the two letters of a locale as `en`, `en-US`, `pt_BR`; None for anything else."""
    whole = re.fullmatch(r"[A-Za-z]{2}(?:[-_][A-Za-z0-9]{2,4})?", said or "")
    short = (said or "")[:2].lower()
    return short if whole and short in LOCALES else None


def _take_title(blocks: list[Block]) -> tuple[str | None, list[Block]]:
    """Return the first top heading and the blocks without it."""
    for at, block in enumerate(blocks):
        if block.kind is BlockKind.HEADING and block.level == 1:
            return block.text, blocks[:at] + blocks[at + 1 :]
    return None, blocks


def _locale(front: Mapping[str, object], path: str, language: str | None) -> str | None:
    folder = path.split("/", 1)[0] if "/" in path else ""
    said = next((text_of(front[key]) for key in _LOCALE_KEYS if front.get(key)), None)
    found = (as_locale(candidate) for candidate in (said, folder, language))
    return next((locale for locale in found if locale), None)


def _words(front: Mapping[str, object], *keys: str) -> tuple[str, ...]:
    for key in keys:
        value = front.get(key)
        listed = value if isinstance(value, list) else re.split(r"[,;|]", str(value or ""))
        words = tuple(dict.fromkeys(one_line(str(word)).lower() for word in listed))
        words = tuple(word for word in words if word and word not in ("all", "any"))
        if words:
            return words
    return ()


def _rest(front: Mapping[str, object]) -> Mapping[str, str]:
    kept = {key: str(value)[:500] for key, value in front.items() if key not in _READ}
    return dict(sorted(kept.items()))


def _dates(front: Mapping[str, object]) -> tuple[dict[str, datetime], tuple[str, ...]]:
    """Return the dates that can be read, and a warning for each that cannot."""
    found: dict[str, datetime] = {}
    broken = []
    for key in _DATE_KEYS:
        value = front.get(key)
        if value is None or value == "":
            continue
        moment = _moment(value, end_of_day=key == "valid_until")
        if moment is None:
            broken.append(f"{key} {str(value)[:40]!r} is not a date as in 2026-12-31")
        else:
            found[key] = moment
    return found, tuple(broken)


def _moment(value: object, *, end_of_day: bool) -> datetime | None:
    try:
        if isinstance(value, str):
            text = value.strip()
            value = date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
        if isinstance(value, datetime):
            return value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC)
        if isinstance(value, date):
            start = datetime.combine(value, clock_time.min, UTC)
            return start + timedelta(days=1) if end_of_day else start
    except (ValueError, OverflowError):
        return None
    return None
