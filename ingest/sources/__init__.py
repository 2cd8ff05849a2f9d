"""Where docs come from; one file per kind of source, found by being here."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from core.errors import BadInputError, MisconfiguredError
from ingest.origins import SourceSpec


@cache
def known_sources() -> Mapping[str, SourceSpec]:
    """Return name → source for every public module of this package.

    Raises MisconfiguredError, naming the file, when one declares no SOURCE of its own name.
    """
    found = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name):
        if module.name.startswith("_"):
            continue
        path = f"{__name__}.{module.name}"
        spec = getattr(importlib.import_module(path), "SOURCE", None)
        if not isinstance(spec, SourceSpec) or spec.name != module.name:
            raise MisconfiguredError(f"{path} declares no SOURCE named {module.name!r}")
        found[spec.name] = spec
    return found


def source_named(kind: str) -> SourceSpec:
    """Return the source of this kind. Raises BadInputError naming the kinds there are."""
    try:
        return known_sources()[kind]
    except KeyError:
        kinds = ", ".join(known_sources())
        raise BadInputError(f"there is no source of kind {kind!r}; there are {kinds}") from None


def source_for(location: str) -> SourceSpec:
    """Return the source a location is of by its looks. Raises BadInputError when none is."""
    for spec in sorted(known_sources().values(), key=lambda s: s.order):
        if spec.claims(location):
            return spec
    raise BadInputError(f"{location!r} looks like no folder, site, sitemap or git repository")
