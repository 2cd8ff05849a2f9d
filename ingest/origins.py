"""What a source file declares, what it is asked and what it gives: files, one after the other.

Owns the contract of `ingest/sources/`, the options and settings all sources share. Not here: what a
file means (formats/), what is done with it (sync.py).
"""

import re
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field, fields
from fnmatch import translate
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import Field, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from core.errors import BadInputError
from core.settings import Section

_SLOT = re.compile(r"\{(\w+)\}")
_SLOTS = frozenset(("path", "stem", "slug", "name", "branch"))


class IngestSettings(Section):
    """What sources may reach, and how politely.

    `allow_hosts` names hosts, addresses or networks (comma-separated) inside your own network that
    sites and git repositories may be fetched from; all others that are not public are refused.
    `folders` are where folder and file:// git sources may stand (any place in development).
    `git_schemes` are https, ssh, file. `crawl_delay` is in seconds between two requests to a site,
    more if its robots.txt asks for more. `timeout` is of one request, `git_timeout` of one git
    command. `upload_bytes` bounds an upload, packed and unpacked. `keep_share` is how much of a
    source must still be there for the rest to be deleted unasked.
    """

    model_config = SettingsConfigDict(env_prefix="USHER_INGEST_")

    allow_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    folders: Annotated[tuple[str, ...], NoDecode] = ()
    git_schemes: Annotated[tuple[str, ...], NoDecode] = ("https",)
    user_agent: str = "usher"
    crawl_delay: float = Field(default=0.5, ge=0, le=60)
    timeout: float = Field(default=20.0, gt=0, le=120)
    git_timeout: float = Field(default=300.0, gt=0, le=3600)
    page_bytes: int = Field(default=20_000_000, ge=1000)
    upload_bytes: int = Field(default=200_000_000, ge=1000)
    keep_share: float = Field(default=0.5, ge=0, le=1)

    @field_validator("allow_hosts", "folders", "git_schemes", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(piece.strip() for piece in value.split(",") if piece.strip())
        return value


@dataclass(frozen=True, slots=True)
class Options:
    """What a team sets for a source; what a page says of itself wins.

    `include` and `exclude` are globs on paths (of a site: on URLs), `*` crossing slashes. `url` is a
    template of links: {path}, {stem} (without suffix), {slug} (without suffix and /index), {name},
    {branch}. `depth` counts links from a site's first page; `folder` and `branch` are of a git
    repository.
    """

    editions: tuple[str, ...] = ()
    internal: bool = False
    locale: str | None = None
    version: str | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    url: str | None = None
    max_pages: int = 2_000
    depth: int = 5
    folder: str | None = None
    branch: str | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Options":
        """Return the options kept as JSON; those of a newer version are left out."""
        known = {f.name for f in fields(cls)}
        given: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
            if name in known
        }
        return cls(**given)

    def takes(self, path: str) -> bool:
        """Return whether the globs let this path in."""
        wanted = not self.include or any(_glob(g).match(path) for g in self.include)
        return wanted and not any(_glob(g).match(path) for g in self.exclude)

    def link(self, path: str) -> str | None:
        """Return where a reader finds the page, when there is a template for it."""
        if self.url is None:
            return None
        pure = PurePosixPath(path)
        stem = str(pure.with_suffix(""))
        at_home = pure.stem.lower() in ("index", "readme")
        slug = stem.rpartition("/")[0] if at_home else stem
        values = {
            "path": path,
            "stem": stem,
            "slug": slug,
            "name": pure.stem,
            "branch": self.branch or "main",
        }
        return _SLOT.sub(lambda slot: values[slot[1]], self.url)

    def check(self) -> None:
        """Raise BadInputError, saying which, when an option cannot work."""
        unknown = set(_SLOT.findall(self.url or "")) - _SLOTS
        if unknown:
            raise BadInputError(f"the link template has no {{{min(unknown)}}}")
        if self.url and not re.match(r"https?://", self.url):
            raise BadInputError("a link template begins with https:// or http://")


@cache
def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern))


@dataclass(frozen=True, slots=True)
class Found:
    """A file of a source.

    `path` names it within the source, for good. `data` is None when it could not be had (`refused`
    says why: what is stored stays), when the source knows it to be what it was (`same`), or that it
    is no more (`gone`).
    `origin` is kept for the next time. `media_type` and `charset` are what its carrier declared;
    `reads_as` is the path a format may judge it by.
    """

    path: str
    data: bytes | None = None
    refused: str | None = None
    same: bool = False
    gone: bool = False
    url: str | None = None
    media_type: str | None = None
    charset: str | None = None
    reads_as: str | None = None
    origin: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Listing:
    """What a source says of its whole while it is read.

    `total` is how many files are expected, once that is known. `whole` turns False when something
    may have been missed, so that nothing may be deleted for being absent; `notes` say why.
    """

    total: int | None = None
    whole: bool = True
    notes: list[str] = field(default_factory=list)

    def partial(self, why: str) -> None:
        """Say that something may have been missed."""
        self.whole = False
        if why not in self.notes:
            self.notes.append(why)


@dataclass(frozen=True, slots=True)
class Request:
    """What a source is asked: its files, given what was `known` of them the last time, by path.

    `cache` is a folder of this source alone, made when it is needed and never relied on.
    """

    location: str
    options: Options
    settings: IngestSettings
    listing: Listing
    known: Mapping[str, Mapping[str, str]]
    cache: Path


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A kind of source.

    `files` yields its files and raises NotFoundError, BadInputError or UnavailableError when there
    is nothing to be had. `check` returns the location as it is kept, raising BadInputError or
    ForbiddenError for one that can never work; it looks at nothing outside. `claims` tells whether
    a location given without a kind is of this one; the lowest `order` is asked first.
    """

    name: str
    summary: str
    files: Callable[[Request], AsyncGenerator[Found, None]]
    check: Callable[[str, IngestSettings], str]
    claims: Callable[[str], bool]
    order: int = 50
